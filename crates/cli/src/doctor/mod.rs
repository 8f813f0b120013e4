//! `portcullis doctor`: says what is wrong with the deployment, for whom, and how to mend it. It changes nothing.
//!
//! It takes the flags of `serve`, and works beside a running server. What each check means is in `docs/operate/doctor.md`.

mod breach;
mod certificate;
mod database;
mod deployment;
mod finding;
mod machine;
mod mail;
mod network;
mod secret_file;

use clap::Args;
use jiff::Timestamp;
use model::Tenant;
use serde_json::json;
use server::{Clock, SystemClock};

use crate::arguments::Serve;
use crate::settings::{self, Settings};
use crate::{Failure, open};
use certificate::{Files, Hosts};
use finding::{Check, Finding, Outcome};
use machine::Machine;

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    serve: Serve,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs every check and tells; fails where one fails.
pub(crate) async fn run(options: &Doctor) -> Result<(), Failure> {
    let findings = match settings::load_for_serving(&options.serve) {
        Ok(settings) => {
            let machine = Machine::look(&settings.server.data_dir);
            examine(&settings, &options.serve, &machine, SystemClock.now()).await
        }
        Err(error) => vec![Finding(
            Check::Settings,
            Outcome::fail(
                error.to_string(),
                "the server does not start, and nothing else was checked",
                "`portcullis settings schema` says what each key may be",
            ),
        )],
    };
    let failing = findings.iter().filter(|finding| finding.fails()).count();
    if options.json {
        let checks: Vec<_> = findings.iter().map(Finding::json).collect();
        println!("{:#}", json!({ "healthy": failing == 0, "checks": checks }));
    } else {
        for finding in &findings {
            println!("{}", finding.line());
        }
    }
    match failing {
        0 => Ok(()),
        1 => Err(Failure::new("one check fails")),
        failing => Err(Failure::new(format!("{failing} checks fail"))),
    }
}

async fn examine(
    settings: &Settings,
    options: &Serve,
    machine: &Machine,
    now: Timestamp,
) -> Vec<Finding> {
    let server = &settings.server;
    let reached = database::database(settings, now).await;
    let store = reached.store.as_ref();
    let tenants = match store {
        Some(store) => store.list_tenants().await,
        None => Ok(Vec::new()),
    };
    // Where tenants cannot be read, their own check says so.
    let told = match (&tenants, store) {
        (Err(error), _) => deployment::unreadable(error),
        (Ok(tenants), Some(_)) => deployment::tenants(settings, tenants),
        (Ok(_), None) => unread(),
    };
    let tenants = tenants.unwrap_or_default();
    let files = Files::of(options, &server.data_dir);
    let hosts = hosts(settings, &tenants);
    let workers = open::hashing_workers(settings);
    let argon2 = &settings.argon2;
    let mut findings = vec![
        Finding(Check::Settings, Outcome::ok("every key is known")),
        Finding(Check::PublicUrl, network::public_url(settings)),
        Finding(
            Check::Certificate,
            certificate::certificate(&files, &hosts, now),
        ),
        Finding(Check::TlsKey, certificate::key(&files)),
        Finding(
            Check::TrustedProxies,
            network::trusted_proxies(server, options),
        ),
        Finding(
            Check::Listeners,
            network::listeners(&server.listen, options),
        ),
        Finding(Check::Metrics, network::metrics(settings.metrics.listen)),
        Finding(Check::DataDir, machine::data_dir(machine, settings)),
        Finding(Check::Disk, machine::disk(machine, settings)),
        Finding(Check::OpenFiles, machine::open_files(machine)),
        Finding(
            Check::Memory,
            machine::memory(machine, argon2.memory_kib, workers),
        ),
        Finding(
            Check::HashCost,
            machine::hash_cost(argon2.memory_kib, argon2.passes),
        ),
    ];
    let read = deployment::read_root_key(settings);
    let root_key = deployment::root_key(settings, read.as_ref(), store).await;
    let root = read.and_then(Result::ok);
    let (signing_keys, applications) = match (store, &root) {
        (Some(store), Some(root)) if matches!(root_key, Outcome::Ok(_) | Outcome::Warn(_)) => (
            deployment::signing_keys(store, root, &tenants).await,
            deployment::applications(store, &tenants).await,
        ),
        (Some(store), _) => (
            Outcome::skip("mend the root key first"),
            deployment::applications(store, &tenants).await,
        ),
        (None, _) => (unread(), unread()),
    };
    findings.extend(reached.findings);
    findings.push(Finding(Check::RootKey, root_key));
    findings.push(Finding(Check::Tenants, told));
    findings.push(Finding(Check::SigningKeys, signing_keys));
    findings.push(Finding(Check::Applications, applications));
    let sends = mail::mail(settings, options.tls_dev, store, &tenants).await;
    findings.push(Finding(Check::Mail, sends));
    findings.push(Finding(
        Check::BreachList,
        breach::breach(settings, &tenants, now),
    ));
    findings
}

fn unread() -> Outcome {
    Outcome::skip("there is no database to read yet, or it cannot be read")
}

fn hosts(settings: &Settings, tenants: &[Tenant]) -> Hosts {
    let set = settings.server.public_url.as_ref();
    let hosts = tenants.iter().flat_map(deployment::hosts_of);
    Hosts {
        public: set.and_then(|_| settings.domain("").ok()),
        tenants: hosts.map(str::to_owned).collect(),
    }
}

/// The flags of `serve` as a command line gives them.
#[cfg(test)]
pub(crate) fn options(flags: &[&str]) -> Serve {
    use clap::Parser;
    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        serve: Serve,
    }
    let line = ["doctor"].iter().chain(flags);
    Line::parse_from(line).serve
}
