//! What look-ups cost, counted by the kernel: one read each, and no memory of the process' own.
//!
//! Alone in its binary, since the counts are the whole process'. The list is built by another process,
//! so that what building left on the heap cannot hide a copy.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use aws_lc_rs::digest;
use breached::{BreachList, Build, Coverage, Existing, Kind};
use jiff::Timestamp;

const LOOK_UPS: u64 = 1_000_000;
const OUT: &str = "BREACH_LIST_OUT";

#[test]
fn a_million_look_ups_are_one_read_each_and_take_no_memory() {
    if let Some(out) = std::env::var_os(OUT) {
        return build(&out);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("list");
    let built = Command::new(std::env::current_exe().unwrap())
        .env(OUT, &path)
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");

    let before = anonymous_kib();
    let list = BreachList::open(&path).unwrap();
    let reads = read_calls();
    for number in 0..LOOK_UPS {
        let member = list.contains(&format!("member {number}")).unwrap();
        assert!(member, "{number}");
    }
    // The reading of the count itself is a few reads.
    let reads = read_calls() - reads - LOOK_UPS;
    assert!(reads < 100, "{reads} reads beyond one a look-up");
    let grown = anonymous_kib().saturating_sub(before);
    assert!(list.bytes() / 1024 > 2_000, "{} bytes", list.bytes());
    assert!(grown < 512, "{grown} KiB of {} bytes", list.bytes());
}

fn build(out: &OsString) {
    let hashes: BTreeSet<String> = (0..LOOK_UPS)
        .map(|number| {
            let password = format!("member {number}");
            let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
            let hex = hash.as_ref().iter().map(|byte| format!("{byte:02X}"));
            hex.collect()
        })
        .collect();
    let corpus = Path::new(out).with_extension("corpus");
    let lines: String = hashes.iter().map(|hash| format!("{hash}:1\n")).collect();
    fs::write(&corpus, lines).unwrap();
    let options = Build {
        from: &corpus,
        kind: Kind::Sha1,
        out: out.as_ref(),
        min_count: 1,
        coverage: Coverage::Part,
        existing: Existing::Keep,
        made_at: Timestamp::UNIX_EPOCH,
    };
    breached::build(&options, |_| {}).unwrap();
}

/// Memory of the process that is no file's.
fn anonymous_kib() -> u64 {
    field("/proc/self/status", "RssAnon:")
}

/// Calls of read and its kin so far.
fn read_calls() -> u64 {
    field("/proc/self/io", "syscr:")
}

fn field(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next())
        .unwrap()
        .parse()
        .unwrap()
}
