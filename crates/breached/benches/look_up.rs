//! What a look-up costs against a list of a million hashes in the page cache: `cargo bench -p breached`.
//!
//! The hash of the password is part of it. The promise is a median of at most 2 µs,
//! and at most one of 50,000 strangers taken for a member; where one is broken, it says so and fails.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and ends at the first fault"
)]

use std::fs;
use std::process::ExitCode;
use std::time::Instant;

use aws_lc_rs::digest;
use breached::{BreachList, Build, Coverage, Existing, Kind};
use jiff::Timestamp;

const ENTRIES: u64 = 1_000_000;
const STRANGERS: u64 = 10_000_000;
const MOST_NANOSECONDS: u128 = 2_000;
const MOST_FALSE: u64 = STRANGERS / 50_000;

fn main() -> ExitCode {
    let directory = tempfile::tempdir().unwrap();
    let (from, out) = (
        directory.path().join("corpus"),
        directory.path().join("list"),
    );
    let mut lines: Vec<String> = (0..ENTRIES)
        .map(|number| format!("{}:1\n", hex(&format!("member {number}"))))
        .collect();
    lines.sort_unstable();
    fs::write(&from, lines.concat()).unwrap();
    let begun = Instant::now();
    let options = Build {
        from: &from,
        kind: Kind::Sha1,
        out: &out,
        min_count: 1,
        coverage: Coverage::Part,
        existing: Existing::Keep,
        made_at: Timestamp::UNIX_EPOCH,
    };
    let built = breached::build(&options, |_| {}).unwrap();
    println!(
        "built   {ENTRIES} hashes in {:?}, {} bytes",
        begun.elapsed(),
        built.bytes
    );
    let begun = Instant::now();
    let list = BreachList::open(&out).unwrap();
    println!("opened  in {:?}", begun.elapsed());
    let mut broken = Vec::new();
    for (who, count) in [("member", ENTRIES), ("stranger", STRANGERS)] {
        let mut found: u64 = 0;
        let passwords = (0..count).map(|number| format!("{who} {number}"));
        let mut nanoseconds: Vec<u128> = passwords
            .map(|password| {
                let begun = Instant::now();
                let contained = list.contains(&password).unwrap();
                let elapsed = begun.elapsed().as_nanos();
                found += u64::from(contained);
                elapsed
            })
            .collect();
        nanoseconds.sort_unstable();
        let at = |share: f64| nanoseconds[(share * count as f64) as usize];
        println!(
            "{who:9} {found} of {count} found, median {} ns, p99 {} ns, p99.9 {} ns",
            at(0.5),
            at(0.99),
            at(0.999)
        );
        if at(0.5) > MOST_NANOSECONDS {
            broken.push(format!(
                "the median look-up of a {who} took {} ns, and {MOST_NANOSECONDS} ns are promised: is something else running?",
                at(0.5)
            ));
        }
        if who == "stranger" && found > MOST_FALSE {
            broken.push(format!(
                "{found} strangers were taken for members, and {MOST_FALSE} are promised"
            ));
        }
    }
    for promise in &broken {
        eprintln!("broken: {promise}");
    }
    match broken.as_slice() {
        [] => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn hex(password: &str) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect()
}
