//! Whether breached password detection, where a tenant has it on, has more to look at than the built-in list.

use std::path::Path;

use breached::BreachList;
use jiff::{SignedDuration, Timestamp};
use model::Tenant;

use super::finding::Outcome;
use crate::open;
use crate::settings::Settings;

/// The corpus grows by hundreds of millions of passwords a year.
const OLD: SignedDuration = SignedDuration::from_hours(24 * 180);
/// The ranges of a whole corpus.
const RANGES: u32 = 1 << 20;
const MAKE: &str =
    "Make a list as docs/operate/breach-list.md says and name it in breach.list_file";

/// The sources, in the light of who asks them.
pub(super) fn breach(settings: &Settings, tenants: &[Tenant], now: Timestamp) -> Outcome {
    let asks = |tenant: &&Tenant| tenant.attack_protection.breached_password.enabled;
    let asking = tenants.iter().filter(asks).count();
    if let Err(error) = open::breach_sources(settings) {
        return Outcome::fail(
            error.to_string(),
            "the server does not start",
            "Mend the address, or leave it out",
        );
    }
    if let Some(file) = &settings.breach.list_file {
        return list(file, asking, now);
    }
    let sources = match (settings.breach.built_in, &settings.breach.online_url) {
        (_, Some(url)) => return Outcome::ok(format!("{url} is asked; {}", by(asking))),
        (true, None) => "only the built-in list of 100,000 common passwords",
        (false, None) => "nothing but the documented test passwords",
    };
    if asking == 0 {
        return Outcome::ok(format!("{sources}; {}", by(asking)));
    }
    Outcome::warn(
        format!(
            "breached password detection is on at {} and has {sources} to look at",
            counted(asking)
        ),
        "nearly every password that was stolen elsewhere passes for sound",
        MAKE,
    )
}

fn list(file: &Path, asking: usize, now: Timestamp) -> Outcome {
    let list = match BreachList::open(file) {
        Ok(list) => list,
        Err(error) => {
            return Outcome::fail(
                error.to_string(),
                "a server that starts now has no list, and passwords pass that only it would find",
                MAKE,
            );
        }
    };
    if list.ranges() < RANGES {
        return Outcome::warn(
            format!(
                "the breach list {} holds {} of {RANGES} ranges",
                file.display(),
                list.ranges()
            ),
            "passwords in the others pass for sound",
            "Download the whole corpus and build the list again",
        );
    }
    let age = now.duration_since(list.made_at());
    if age > OLD {
        return Outcome::warn(
            format!(
                "the breach list {} is {} days old",
                file.display(),
                age.as_hours() / 24
            ),
            "passwords that were stolen since pass for sound",
            "Download the corpus and build the list again",
        );
    }
    Outcome::ok(format!(
        "{} with {} hashes; {}",
        file.display(),
        list.entries(),
        by(asking)
    ))
}

fn by(asking: usize) -> String {
    match asking {
        0 => "no tenant has breached password detection on".to_owned(),
        1 => "1 tenant has it on".to_owned(),
        more => format!("{more} tenants have it on"),
    }
}

fn counted(tenants: usize) -> String {
    match tenants {
        1 => "1 tenant".to_owned(),
        more => format!("{more} tenants"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use breached::{Build, Coverage, Existing, Kind};
    use model::{AttackProtection, TenantId, TenantSettings};

    use super::super::finding::says;
    use super::*;

    fn tenants(enabled: bool) -> Vec<Tenant> {
        let mut attack_protection = AttackProtection::default();
        attack_protection.breached_password.enabled = enabled;
        vec![Tenant {
            id: TenantId::new("one"),
            name: "one".to_owned(),
            domain: "one.example.com".to_owned(),
            aliases: Vec::new(),
            settings: TenantSettings::default(),
            attack_protection,
            logs: model::LogSettings::default(),
            version: 1,
        }]
    }

    fn built(directory: &Path, made_at: Timestamp) -> PathBuf {
        let (from, out) = (directory.join("corpus"), directory.join("list"));
        std::fs::write(&from, "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:1\n").unwrap();
        let options = Build {
            from: &from,
            kind: Kind::Sha1,
            out: &out,
            min_count: 1,
            coverage: Coverage::Part,
            existing: Existing::Replace,
            made_at,
        };
        breached::build(&options, |_| {}).unwrap();
        out
    }

    fn now() -> Timestamp {
        "2026-11-28T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_shield_without_a_list_is_told_where_it_is_on() {
        let mut settings = Settings::default();
        says(
            &breach(&settings, &tenants(false), now()),
            "ok",
            "no tenant",
        );
        says(
            &breach(&settings, &tenants(true), now()),
            "warn",
            "built-in list",
        );
        settings.breach.built_in = false;
        says(
            &breach(&settings, &tenants(true), now()),
            "warn",
            "test passwords",
        );
        settings.breach.online_url = Some("https://api.example.com/range/".to_owned());
        says(
            &breach(&settings, &tenants(true), now()),
            "ok",
            "1 tenant has it on",
        );
        settings.breach.online_url = Some("http://api.example.com/range/".to_owned());
        says(&breach(&settings, &tenants(true), now()), "fail", "https");
    }

    #[test]
    fn a_list_that_is_no_list_or_only_a_part_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.breach.list_file = Some(directory.path().join("list"));
        says(
            &breach(&settings, &tenants(true), now()),
            "fail",
            "cannot be read",
        );
        built(directory.path(), now());
        says(&breach(&settings, &tenants(true), now()), "warn", "ranges");
    }
}
