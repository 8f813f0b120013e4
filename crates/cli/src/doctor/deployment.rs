//! What is in the database: made with this root key, tenants that can sign, applications whose switches mean something.

use std::path::Path;

use keys::RootKey;
use model::Tenant;
use server::Secrets;
use server::bootstrap::BootstrapError;
use storage::{Page, SigningKeyState, Store, StoreError};

use super::finding::Outcome;
use super::secret_file::too_open;
use crate::settings::Settings;
use crate::{Failure, data_dir, open};

/// A random key has about thirty different letters; one with so few was typed.
const LEAST_LETTERS: usize = 12;
const NAMED: usize = 5;

/// The root key, where it can be read; nothing is made.
pub(super) fn read_root_key(settings: &Settings) -> Option<Result<RootKey, Failure>> {
    let file = data_dir::root_key_file(settings);
    let database = data_dir::database(&settings.server.data_dir);
    let will_be_made = file.is_some_and(|file| !file.exists())
        && settings.server.root_key_file.is_none()
        && !database.exists();
    (!will_be_made).then(|| data_dir::root_key(settings))
}

/// Present, secret, and the one that the database was made with.
pub(super) async fn root_key(
    settings: &Settings,
    read: Option<&Result<RootKey, Failure>>,
    store: Option<&Store>,
) -> Outcome {
    let root = match read {
        None => return Outcome::ok("made at the first start"),
        Some(Ok(root)) => root,
        Some(Err(error)) => {
            return Outcome::fail(
                error.to_string(),
                "the server does not start",
                "Put the key back from where you keep it; a new one does not open this database",
            );
        }
    };
    if root
        .to_base64_line()
        .chars()
        .fold(String::new(), distinct)
        .len()
        < LEAST_LETTERS
    {
        return Outcome::fail(
            "the root key is not random",
            "whoever guesses it reads every client secret and signs tokens for anybody",
            "Start a new deployment with a key from `portcullis keys root`",
        );
    }
    if let Some(store) = store {
        match store.find_check_value().await {
            Ok(Some(kept)) if kept != root.check_value().as_bytes() => {
                return Outcome::fail(
                    BootstrapError::OtherRootKey.to_string(),
                    "no client secret and no signing key in it can be opened, so the server does not start",
                    "A key that is lost cannot be made again",
                );
            }
            Ok(_) => {}
            Err(error) => return unreadable(&error),
        }
    }
    match data_dir::root_key_file(settings) {
        None => Outcome::ok("server.root_key"),
        Some(file) => match too_open(&file, "the root key") {
            Some(outcome) => outcome,
            None => Outcome::ok(belongs(&file, store)),
        },
    }
}

fn distinct(mut seen: String, letter: char) -> String {
    if !seen.contains(letter) {
        seen.push(letter);
    }
    seen
}

fn belongs(file: &Path, store: Option<&Store>) -> String {
    let whose = match store {
        Some(_) => "belongs to this database and is its owner's alone",
        None => "is its owner's alone",
    };
    format!("{} {whose}", file.display())
}

/// Whether the public address and the default lead to a tenant.
pub(super) fn tenants(settings: &Settings, tenants: &[Tenant]) -> Outcome {
    let known = |host: &str| {
        let mut hosts = tenants.iter().flat_map(hosts_of);
        hosts.any(|known| known == host)
    };
    if let Some(default) = &settings.server.default_tenant
        && let Err(missing) = open::the_one_called(tenants, default)
    {
        return Outcome::fail(
            format!("server.default_tenant: {missing}"),
            "the server does not start",
            "Mend the name, or make the tenant first",
        );
    }
    if tenants.is_empty() {
        return Outcome::ok("none yet: the first start makes one");
    }
    let public = settings.server.public_url.as_ref();
    if let Some(domain) = public.and_then(|_| settings.domain("").ok())
        && !known(&domain)
    {
        return Outcome::warn(
            format!("no tenant has the domain {domain} of server.public_url"),
            "the next start makes an empty one, and applications on that address find neither users nor keys",
            "If the address is a slip, mend it before the next start",
        );
    }
    Outcome::ok(named(tenants.iter().map(|tenant| &*tenant.domain)))
}

/// Domain and aliases.
pub(super) fn hosts_of(tenant: &Tenant) -> impl Iterator<Item = &str> {
    let aliases = tenant.aliases.iter().map(String::as_str);
    std::iter::once(&*tenant.domain).chain(aliases)
}

/// Whether every tenant can sign.
pub(super) async fn signing_keys(store: &Store, root: &RootKey, tenants: &[Tenant]) -> Outcome {
    let sealer = Secrets::of(root).sealer;
    let (mut without, mut closed, mut opened) = (Vec::new(), Vec::new(), 0);
    for tenant in tenants {
        let records = match store.tenant(&tenant.id).list_signing_keys().await {
            Ok(records) => records,
            Err(error) => return unreadable(&error),
        };
        let mut signs = false;
        for record in records {
            if server::open_signing_key(&sealer, &tenant.id, &record).is_some() {
                opened += 1;
                signs |= record.state == SigningKeyState::Current;
            } else {
                closed.push(record.kid);
            }
        }
        if !signs {
            without.push(&*tenant.domain);
        }
    }
    if !without.is_empty() {
        return Outcome::fail(
            format!("{} has no current signing key that opens", named(without)),
            "nobody there gets a token",
            "Restore database and root key from the same deployment",
        );
    }
    if !closed.is_empty() {
        return Outcome::warn(
            format!(
                "{} cannot be opened",
                named(closed.iter().map(String::as_str))
            ),
            "tokens signed with it are refused by this server",
            "Restore database and root key from the same deployment, or let those tokens run out",
        );
    }
    Outcome::ok(format!("{opened} keys open, one signs for each tenant"))
}

/// Applications whose trusted header can never count.
pub(super) async fn applications(store: &Store, tenants: &[Tenant]) -> Outcome {
    let (mut all, mut idle) = (0, Vec::new());
    for tenant in tenants {
        let rows = store.tenant(&tenant.id);
        let mut id = None;
        loop {
            let listed = match rows.list_clients(Page::After { id, take: 100 }).await {
                Ok(listed) => listed,
                Err(error) => return unreadable(&error),
            };
            let last = listed.items.last();
            id = last.map(|record| record.client.client_id.as_str().to_owned());
            for record in listed.items {
                all += 1;
                let client = record.client;
                if client.is_token_endpoint_ip_header_trusted && client.is_public() {
                    // Names are the customers' own and may hold anything.
                    idle.push(format!("{:?} of {}", client.name, tenant.domain));
                }
            }
            if id.is_none() {
                break;
            }
        }
    }
    if idle.is_empty() {
        return Outcome::ok(format!("{all} applications"));
    }
    Outcome::warn(
        format!(
            "{} trust the token endpoint's IP header but keep no secret",
            named(idle.iter().map(String::as_str))
        ),
        "the header never counts for them, so all their users share one address and get blocked together",
        "Give them a client secret method, or switch is_token_endpoint_ip_header_trusted off",
    )
}

pub(super) fn named<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let first = names.iter().take(NAMED).copied().collect::<Vec<_>>();
    let more = names.len().saturating_sub(NAMED);
    match more {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

pub(super) fn unreadable(error: &StoreError) -> Outcome {
    Outcome::fail(
        error.to_string(),
        "the server cannot read it either",
        "Look into the database's own log",
    )
}

#[cfg(test)]
mod tests;
