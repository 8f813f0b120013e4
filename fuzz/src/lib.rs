//! Fuzzing on stable Rust: a target is a property of a parser, run on its seeds, on every beginning of them, and on
//! thousands of mutations of them (`docs/decisions/0006-fuzzing-by-mutated-seeds.md`).
//!
//! A run takes the same course every time. `PROPTEST_CASES=10000` multiplies its length, `PROPTEST_RNG_SEED=1` changes its course.
//! Targets of public parsers are in `tests/targets`; those of private ones are beside them, in modules named `fuzzed`.
//! An input that once failed becomes a seed of its target.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

/// How many mutations stand for one of proptest's ordinary cases.
const EFFORT: u32 = 200;
const LONGEST: usize = 64 * 1024;

/// What parsers stumble over.
const TOKENS: [&[u8]; 48] = [
    b"&",
    b"=",
    b"%",
    b"%00",
    b"%zz",
    b"%ff",
    b"+",
    b" ",
    b"\t",
    b"\r\n",
    b"\0",
    b"\x7f",
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b";",
    b".",
    b"..",
    b"/",
    b"@",
    b"$",
    b"-1",
    b"0",
    b"99999999999999999999",
    b"1e999",
    b"null",
    b"true",
    b"#",
    b"'",
    b"\n[server]\n",
    "\u{e9}".as_bytes(),
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
    "\u{345}".as_bytes(),
    "\u{fdfa}".as_bytes(),
    "\u{10ffff}".as_bytes(),
    " AND ".as_bytes(),
    b"::1",
];

/// Checks that a property holds for whatever comes of these seeds. The property panics where it does not.
pub fn check(seeds: &[&[u8]], property: impl Fn(&[u8])) {
    for seed in seeds {
        for end in 0..=seed.len().min(512) {
            property(seed.get(..end).unwrap_or_default());
        }
        property(seed);
    }
    let mut config = Config::default();
    config.cases = config.cases.saturating_mul(EFFORT);
    config.failure_persistence = None;
    if matches!(config.rng_seed, RngSeed::Random) {
        config.rng_seed = RngSeed::Fixed(4);
    }
    let all: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
    let mutations = (select(all.clone()), vec(change(all), 0..8));
    let inputs = mutations.prop_map(|(seed, changes)| changes.into_iter().fold(seed, apply));
    let told = TestRunner::new(config).run(&inputs, |input| {
        property(&input);
        Ok::<(), TestCaseError>(())
    });
    match told {
        Ok(()) => {}
        Err(TestError::Fail(reason, input)) => {
            panic!("make this a seed: b\"{}\"\n{reason}", input.escape_ascii());
        }
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// One step away from an input.
#[derive(Clone, Debug)]
enum Change {
    Flip(Index, u8),
    Put(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    /// The rest is the rest of another seed.
    Splice(Index, Vec<u8>, Index),
}

fn change(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        2 => (at(), 0..8_u8).prop_map(|(place, bit)| Change::Flip(place, bit)),
        4 => (at(), select(&TOKENS[..])).prop_map(|(place, token)| Change::Put(place, token.to_vec())),
        1 => (at(), vec(any::<u8>(), 1..6)).prop_map(|(place, bytes)| Change::Put(place, bytes)),
        2 => (at(), 1..20_usize).prop_map(|(place, count)| Change::Remove(place, count)),
        1 => (at(), 1..30_usize, 1..300_usize).prop_map(|(place, length, times)| Change::Repeat(place, length, times)),
        2 => (at(), select(seeds), at()).prop_map(|(place, other, from)| Change::Splice(place, other, from)),
    ]
}

fn apply(mut input: Vec<u8>, change: Change) -> Vec<u8> {
    let place = |index: Index, of: &[u8]| index.index(of.len() + 1);
    match change {
        Change::Flip(index, bit) => {
            let place = place(index, &input);
            if let Some(byte) = input.get_mut(place) {
                *byte ^= 1 << bit;
            }
        }
        Change::Put(index, bytes) => {
            let place = place(index, &input);
            input.splice(place..place, bytes);
        }
        Change::Remove(index, count) => {
            let from = place(index, &input);
            let to = (from + count).min(input.len());
            input.drain(from..to);
        }
        Change::Repeat(index, length, times) => {
            let from = place(index, &input);
            let to = (from + length).min(input.len());
            let part = input.get(from..to).unwrap_or_default().repeat(times);
            input.splice(to..to, part);
        }
        Change::Splice(index, other, from) => {
            let (here, there) = (place(index, &input), place(from, &other));
            input.truncate(here);
            input.extend_from_slice(other.get(there..).unwrap_or_default());
        }
    }
    input.truncate(LONGEST);
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "make this a seed")]
    fn a_fault_two_changes_away_is_found() {
        check(&[b"name=value"], |input| {
            assert!(!input.windows(4).any(|part| part == b"=%00"))
        });
    }

    #[test]
    fn a_property_that_holds_passes() {
        check(&[b"a", b"b"], |input| assert!(input.len() <= LONGEST));
    }
}
