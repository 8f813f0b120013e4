//! Which meters an attempt touches under which policy, and how they count.

use MeterKind::{Identifier, IdentifierPrefix, ManyUsers, Pair, SameUser as Login};

use super::*;
use crate::{Account, Source, Width};

const SOURCE64: MeterKind = MeterKind::Source(Width::Here);
const SOURCE56: MeterKind = MeterKind::Source(Width::Wide56);
const SOURCE48: MeterKind = MeterKind::Source(Width::Wide48);

fn policy() -> Policy {
    Policy {
        brute_force: BruteForce {
            shield: Shield::Enforce,
            mode: CountMode::PerIdentifierAndIp,
            allowlist: Allowlist::default(),
            max_attempts: 10,
        },
        suspicious_ip: SuspiciousIp {
            shield: Shield::Enforce,
            allowlist: Allowlist::default(),
            pre_login: Bucket {
                max_attempts: 100,
                rate: Duration::from_millis(864_000),
            },
            pre_user_registration: Bucket {
                max_attempts: 50,
                rate: Duration::from_millis(1_200),
            },
        },
        same_user: SameUser {
            shield: Shield::Enforce,
            max_attempts: 20,
            rate: Duration::from_secs(6),
        },
        confirmations: Bucket {
            max_attempts: 20,
            rate: Duration::from_secs(3_600),
        },
    }
}

fn attempt(address: &str, standing: Standing) -> Attempt {
    Attempt {
        connection: "con_1".to_owned(),
        account: Account::Known("auth0|1".to_owned()),
        source: Source::new(address.parse().unwrap()),
        standing,
    }
}

fn kinds(policy: &Policy, attempt: &Attempt) -> Vec<MeterKind> {
    policy
        .plan(attempt)
        .meters()
        .map(|meter| meter.kind)
        .collect()
}

fn allow(entry: &str) -> Allowlist {
    Allowlist::parse(&[entry.to_owned()]).unwrap()
}

#[test]
fn the_meters_of_an_attempt_and_their_order() {
    let v4 = attempt("198.51.100.7", Standing::Own);
    let v6 = attempt("2001:db8::1", Standing::Own);
    assert_eq!(kinds(&policy(), &v4), [Pair, SOURCE64, Login]);
    assert_eq!(
        kinds(&policy(), &v6),
        [Pair, IdentifierPrefix, SOURCE64, SOURCE56, SOURCE48, Login]
    );

    let mut lockout = policy();
    lockout.brute_force.mode = CountMode::PerIdentifier;
    assert_eq!(kinds(&lockout, &v4), [Identifier, SOURCE64, Login]);
    assert_eq!(
        kinds(&lockout, &v6),
        [Identifier, SOURCE64, SOURCE56, SOURCE48, Login]
    );
    let elsewhere = attempt("203.0.113.1", Standing::Vouched);
    let first = |attempt: &Attempt| {
        lockout
            .plan(attempt)
            .meters()
            .next()
            .map(MeterName::canonical_bytes)
    };
    assert_eq!(
        first(&v4),
        first(&elsewhere),
        "the lockout drops the source"
    );

    let mut off = policy();
    off.brute_force.shield = Shield::Off;
    assert_eq!(kinds(&off, &v4), [SOURCE64, Login]);
    off.suspicious_ip.shield = Shield::Off;
    off.same_user.shield = Shield::Off;
    assert_eq!(kinds(&off, &attempt("2001:db8::1", Standing::Backend)), []);
}

#[test]
fn only_a_backend_is_watched_for_many_users() {
    for standing in [Standing::Own, Standing::Vouched, Standing::Distrusted] {
        assert!(!kinds(&policy(), &attempt("198.51.100.7", standing)).contains(&ManyUsers));
    }
    let backend = attempt("198.51.100.7", Standing::Backend);
    assert_eq!(
        kinds(&policy(), &backend),
        [Pair, SOURCE64, Login, ManyUsers]
    );

    let mut exempt = policy();
    exempt.brute_force.allowlist = allow("198.51.100.7");
    exempt.suspicious_ip.allowlist = allow("198.51.100.7");
    assert_eq!(
        kinds(&exempt, &backend),
        [Login],
        "its users share no limits"
    );
}

#[test]
fn an_allowlist_exempts_the_effective_source_from_its_shield() {
    let mut policy = policy();
    policy.brute_force.allowlist = allow("198.51.100.0/24");
    for standing in [Standing::Own, Standing::Vouched] {
        assert_eq!(
            kinds(&policy, &attempt("198.51.100.7", standing)),
            [SOURCE64, Login]
        );
        assert_eq!(
            kinds(&policy, &attempt("203.0.113.1", standing)),
            [Pair, SOURCE64, Login]
        );
    }
    let distrusted = attempt("198.51.100.7", Standing::Distrusted);
    assert_eq!(kinds(&policy, &distrusted), [Pair, SOURCE64, Login]);

    policy.suspicious_ip.allowlist = allow("198.51.100.7");
    assert_eq!(
        kinds(&policy, &attempt("198.51.100.7", Standing::Own)),
        [Login]
    );
    assert_eq!(kinds(&policy, &distrusted), [Pair, SOURCE64, Login]);
}

#[test]
fn an_allowlist_matches_the_exact_address_and_not_the_folded_one() {
    let mut policy = policy();
    policy.brute_force.allowlist = allow("8.8.8.8");
    policy.suspicious_ip.allowlist = allow("8.8.8.8");
    let folded = attempt("64:ff9b::8.8.8.8", Standing::Own);
    assert_eq!(kinds(&policy, &folded), [Pair, SOURCE64, Login]);
    let names = |attempt: &Attempt| policy.plan(attempt).meters().last().cloned();
    assert_eq!(
        names(&folded),
        names(&attempt("8.8.8.8", Standing::Own)),
        "but it counts there"
    );
}

#[test]
fn how_the_meters_count() {
    let policy = policy();
    let second = Duration::from_secs(1);
    assert_eq!(policy.rule(Pair), Rule::Consecutive { threshold: 10 });
    assert_eq!(policy.rule(Identifier), Rule::Consecutive { threshold: 10 });
    assert_eq!(
        policy.rule(IdentifierPrefix),
        Rule::Failures {
            capacity: 100,
            rate: second * 8_640
        }
    );
    assert_eq!(
        policy.rule(SOURCE64),
        Rule::Failures {
            capacity: 100,
            rate: second * 864
        }
    );
    assert_eq!(
        policy.rule(SOURCE56),
        Rule::Failures {
            capacity: 400,
            rate: second * 216
        }
    );
    assert_eq!(
        policy.rule(SOURCE48),
        Rule::Failures {
            capacity: 1_600,
            rate: second * 54
        }
    );
    assert_eq!(
        policy.rule(Login),
        Rule::Attempts {
            capacity: 20,
            rate: second * 6
        }
    );
    assert_eq!(policy.rule(ManyUsers), Rule::Accounts);
}

#[test]
fn what_a_list_of_blocks_shows() {
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let row = |failed| Row {
        charged: failed,
        failed,
        failed_at: now,
        written_at: now,
        ..Row::default()
    };
    let mut policy = policy();
    let month = Timestamp::from_second(1_700_000_000 + 30 * 86_400).unwrap();
    assert_eq!(policy.blocked(Pair, &row(10), now), Some(month));
    assert_eq!(policy.blocked(Pair, &row(9), now), None);
    assert_eq!(
        policy.blocked(
            Pair,
            &Row {
                charged: 10,
                ..row(9)
            },
            now
        ),
        None
    );
    assert_eq!(policy.blocked(Pair, &row(10), month), None);
    assert_eq!(
        policy.blocked(Identifier, &row(10), now),
        None,
        "not in this mode"
    );
    let drained = Timestamp::from_second(1_700_000_864).unwrap();
    assert_eq!(policy.blocked(SOURCE64, &row(100), now), Some(drained));
    assert_eq!(
        policy.blocked(
            ManyUsers,
            &Row {
                seen: u64::MAX,
                ..row(0)
            },
            now
        ),
        None
    );

    policy.brute_force.max_attempts = 11;
    assert_eq!(
        policy.blocked(Pair, &row(10), now),
        None,
        "raising the threshold lifts"
    );
    policy.brute_force.max_attempts = 5;
    assert!(
        policy.blocked(Pair, &row(5), now).is_some(),
        "lowering it acts at once"
    );
    policy.brute_force.shield = Shield::Observe;
    assert_eq!(
        policy.blocked(Pair, &row(5), now),
        None,
        "watching blocks nobody"
    );
    policy.brute_force.shield = Shield::Enforce;
    policy.brute_force.mode = CountMode::PerIdentifier;
    assert_eq!(policy.blocked(Pair, &row(10), now), None);
    assert!(policy.blocked(Identifier, &row(10), now).is_some());
}
