//! A million hashes in a file: none is missed, and of ten million strangers few are taken for members.
//!
//! What a look-up costs is counted in `tests/memory.rs` and timed in `benches/look_up.rs`.

use breached::{BreachList, Kind};

use crate::support::{Place, build, made_at, one_file, part};

const MEMBERS: u64 = 1_000_000;
const PROBES: u64 = 10_000_000;

#[test]
fn a_million_members_are_found_and_of_ten_million_strangers_at_most_one_in_fifty_thousand() {
    let place = Place::new();
    let member = |number: u64| format!("member {number}");
    let from = place.write("corpus", one_file(Kind::Sha1, (0..MEMBERS).map(member)));
    let out = place.path("list");
    let built = build(&part(&from, &out)).unwrap();
    assert_eq!(built.entries, MEMBERS);
    let bits = built.bytes as f64 * 8.0 / MEMBERS as f64;
    assert!(bits < 21.9, "{bits} bits an entry");

    let list = BreachList::open(&out).unwrap();
    assert_eq!(
        (list.entries(), list.kind(), list.made_at(), list.bytes()),
        (MEMBERS, Kind::Sha1, made_at(), built.bytes)
    );
    for number in 0..MEMBERS {
        assert!(list.contains(&member(number)).unwrap(), "{number}");
    }
    let found = (0..PROBES)
        .filter(|number| list.contains(&format!("stranger {number}")).unwrap())
        .count() as u64;
    assert!(found <= PROBES / 50_000, "{found} of {PROBES}");
    // None at all would mean that the probes were not asked.
    assert!(found >= PROBES / 100_000, "{found} of {PROBES}");
}
