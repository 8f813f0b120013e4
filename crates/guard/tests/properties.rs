//! What holds of the guard for any policy, any rows and any order of events.

#![expect(
    clippy::unwrap_used,
    reason = "instants and addresses of tests are in range"
)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use guard::{
    Account, Allowlist, Attempt, BruteForce, Bucket, CountMode, MeterKind, Outcome, Plan, Policy,
    RESERVATION_LIFE, Reason, Reservation, Row, SameUser, Shield, Source, Standing, SuspiciousIp,
    Verdict, Width,
};
use jiff::Timestamp;
use proptest::prelude::*;

const START: i64 = 1_700_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

fn policy(brute_force: u32, suspicious_ip: u32, shield: Shield) -> Policy {
    Policy {
        brute_force: BruteForce {
            shield,
            mode: CountMode::PerIdentifierAndIp,
            allowlist: Allowlist::default(),
            max_attempts: brute_force,
        },
        suspicious_ip: SuspiciousIp {
            shield,
            allowlist: Allowlist::default(),
            pre_login: Bucket {
                max_attempts: suspicious_ip,
                rate: Duration::from_secs(60),
            },
            pre_user_registration: Bucket {
                max_attempts: 50,
                rate: Duration::from_millis(1_200),
            },
        },
        same_user: SameUser {
            shield,
            max_attempts: 1_000_000,
            rate: Duration::from_secs(6),
        },
        confirmations: Bucket {
            max_attempts: 20,
            rate: Duration::from_secs(3_600),
        },
    }
}

fn plan(policy: &Policy) -> Plan {
    policy.plan(&Attempt {
        connection: "con".to_owned(),
        account: Account::Known("auth0|1".to_owned()),
        source: Source::new("2001:db8::1".parse().unwrap()),
        standing: Standing::Backend,
    })
}

/// One event at a database that does one thing at a time.
#[derive(Clone, Debug)]
enum Event {
    Charge,
    /// Settles one of the open attempts.
    Settle(usize, Outcome),
    /// Its node crashed.
    Forget(usize),
    Wait(i64),
    /// A node whose clock is behind takes over.
    ClockBack(i64),
    Unblock,
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![4 => Just(Outcome::Wrong), 1 => Just(Outcome::Right), 1 => Just(Outcome::Undone)]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => Just(Event::Charge),
        8 => (any::<usize>(), outcome()).prop_map(|(index, outcome)| Event::Settle(index, outcome)),
        1 => any::<usize>().prop_map(Event::Forget),
        1 => (0..40i64).prop_map(Event::Wait),
        1 => (0..100i64).prop_map(Event::ClockBack),
        1 => Just(Event::Unblock),
    ]
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        Just(Timestamp::MIN),
        Just(Timestamp::MAX),
        Just(Timestamp::UNIX_EPOCH),
        (-4_000_000..4_000_000i64).prop_map(at),
        (Timestamp::MIN.as_microsecond() + 1..Timestamp::MAX.as_microsecond())
            .prop_map(|micros| Timestamp::from_microsecond(micros).unwrap()),
    ]
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![0..12u32, Just(u32::MAX), any::<u32>()]
}

fn row() -> impl Strategy<Value = Row> {
    let instants = (timestamp(), timestamp(), timestamp(), timestamp());
    (number(), number(), number(), any::<u64>(), instants).prop_map(
        |(charged, failed, epoch, seen, (open_until, failed_at, noticed_at, written_at))| Row {
            charged,
            failed,
            epoch,
            open_until,
            failed_at,
            noticed_at,
            seen,
            written_at,
            ..Row::default()
        },
    )
}

/// A row as storage may hold it: everything in it happened before it was written.
fn plausible_row() -> impl Strategy<Value = Row> {
    (0..8u32, 0..8u32, 0..100i64, 0..5_000i64, 0..5_000i64).prop_map(
        |(in_flight, failed, open, since, written)| Row {
            charged: failed + in_flight,
            failed,
            open_until: at(written - since + open),
            failed_at: at(written - since),
            written_at: at(written),
            ..Row::default()
        },
    )
}

fn shield() -> impl Strategy<Value = Shield> {
    prop_oneof![
        Just(Shield::Off),
        Just(Shield::Observe),
        Just(Shield::Enforce)
    ]
}

/// Everything a charge may say, in the order of eagerness.
fn admits(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Permit { .. })
}

fn charge(plan: &Plan, rows: &mut [Option<Row>], now: Timestamp) -> Verdict {
    let verdict = plan.charge(rows, now);
    if let Verdict::Permit { rows: new, .. } = &verdict {
        for (row, new) in rows.iter_mut().zip(new) {
            *row = Some(new.clone());
        }
    }
    verdict
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    /// However events interleave, the wrong outcomes told since the last success or unblock are within the budget,
    /// and the row has exactly those.
    #[test]
    fn the_bound(budget in 1..6u32, events in prop::collection::vec(event(), 0..200)) {
        let plan = plan(&policy(budget, 1_000_000, Shield::Enforce));
        let mut rows = vec![None; plan.meters().count()];
        let mut open: Vec<Reservation> = Vec::new();
        let (mut now, mut told) = (0, 0);
        for event in events {
            match event {
                Event::Charge => match charge(&plan, &mut rows, at(now)) {
                    Verdict::Permit { reservation, .. } => open.push(reservation),
                    Verdict::Wait => prop_assert!(told < budget),
                    Verdict::Refuse { reason, .. } => {
                        // The account's network drains only in ten days and outlives an unblock here.
                        let network = rows[1].as_ref().map_or(0, |row| row.failed);
                        prop_assert_eq!(reason, Reason::Blocked);
                        prop_assert!(told == budget || network == 10 * budget);
                    }
                },
                Event::Settle(index, outcome) if !open.is_empty() => {
                    let reservation = open.swap_remove(index % open.len());
                    if let Ok(settlement) = plan.settle(&reservation, &rows, outcome, at(now)) {
                        rows = settlement.rows.into_iter().map(Some).collect();
                        match outcome {
                            Outcome::Wrong => told += 1,
                            Outcome::Right => told = 0,
                            Outcome::Undone => {}
                        }
                    }
                }
                Event::Forget(index) if !open.is_empty() => {
                    open.swap_remove(index % open.len());
                }
                Event::Settle(..) | Event::Forget(_) => {}
                Event::Wait(seconds) => now += seconds,
                Event::ClockBack(seconds) => now -= seconds,
                Event::Unblock => {
                    if let Some(pair) = &mut rows[0] {
                        *pair = pair.lift(at(now));
                        told = 0;
                    }
                }
            }
            prop_assert!(told <= budget);
            let pair = rows[0].clone().unwrap_or_default();
            prop_assert_eq!(pair.failed, told);
            prop_assert!(pair.charged <= budget);
        }
    }

    /// In any stretch of time a source is told no more wrong outcomes than its capacity and what drained.
    #[test]
    fn a_bucket_is_exact(capacity in 1..6u32, waits in prop::collection::vec(0..100i64, 1..100)) {
        let mut policy = policy(1_000_000, capacity, Shield::Enforce);
        policy.brute_force.shield = Shield::Off;
        let plan = plan(&policy);
        let mut rows = vec![None; plan.meters().count()];
        let (mut now, mut told) = (0, 0);
        for wait in waits {
            now += wait;
            if let Verdict::Permit { reservation, .. } = charge(&plan, &mut rows, at(now)) {
                let settlement = plan.settle(&reservation, &rows, Outcome::Wrong, at(now)).unwrap();
                rows = settlement.rows.into_iter().map(Some).collect();
                told += 1;
            } else {
                let source = policy.blocked(MeterKind::Source(Width::Here), rows[0].as_ref().unwrap(), at(now));
                prop_assert!(source.is_some_and(|until| until > at(now) && until <= at(now + 60)));
            }
            prop_assert!(told <= i64::from(capacity) + now / 60);
        }
    }

    /// What is given back leaves the counts as they were.
    #[test]
    fn refunds_are_exact(pair in plausible_row(), source in plausible_row(), later in 0..29i64) {
        let plan = plan(&policy(8, 8, Shield::Enforce));
        let mut rows = vec![None; plan.meters().count()];
        rows[0] = Some(pair);
        rows[2] = Some(source);
        let now = at(5_000);
        let counts = |rows: &[Option<Row>]| -> Vec<(u32, u32)> {
            rows.iter().take(5).flatten().map(|row| (row.charged, row.failed)).collect()
        };
        let Verdict::Permit { rows: charged, reservation } = plan.charge(&rows, now) else { return Ok(()) };
        let charged: Vec<Option<Row>> = charged.into_iter().map(Some).collect();
        let expected: Vec<(u32, u32)> = counts(&charged).into_iter().map(|(charged, failed)| (charged - 1, failed)).collect();

        let undone = plan.settle(&reservation, &charged, Outcome::Undone, now).unwrap();
        let undone: Vec<Option<Row>> = undone.rows.into_iter().map(Some).collect();
        prop_assert_eq!(counts(&undone), expected.clone());

        let right = plan.settle(&reservation, &charged, Outcome::Right, now + Duration::from_secs(later as u64)).unwrap();
        prop_assert_eq!(right.rows[0].failed, 0);
        prop_assert_eq!(right.rows[0].charged, expected[0].0 - expected[0].1);
    }

    /// Waiting never turns an admission into anything else.
    #[test]
    fn time_only_helps(pair in plausible_row(), source in plausible_row(), first in 0..100_000i64, more in 0..100_000i64) {
        let plan = plan(&policy(4, 4, Shield::Enforce));
        let rows = [Some(pair), None, Some(source)];
        let refuses = |verdict: &Verdict| matches!(verdict, Verdict::Refuse { .. });
        let (early, late) = (plan.charge(&rows, at(first)), plan.charge(&rows, at(first + more)));
        prop_assert!(admits(&late) || !admits(&early));
        prop_assert!(refuses(&early) || !refuses(&late));
        if let Verdict::Refuse { reason, until } = early {
            let after = plan.charge(&rows, until.max(at(first)));
            let same = matches!(after, Verdict::Refuse { reason: again, .. } if again == reason);
            prop_assert!(!same);
        }
    }

    /// A clock that is behind what was written decides as at the time of writing.
    #[test]
    fn a_clock_that_runs_backwards_grants_nothing(pair in plausible_row(), source in plausible_row(), back in 0..100_000i64) {
        let plan = plan(&policy(4, 4, Shield::Enforce));
        let written = pair.written_at;
        let source = Row { written_at: written, ..source };
        let rows = [Some(pair), None, Some(source)];
        let late = plan.charge(&rows, written - Duration::from_secs(back as u64));
        prop_assert_eq!(admits(&late), admits(&plan.charge(&rows, written)));
    }

    /// Blocked is what has as many failures as the present threshold, whatever it was when they happened.
    #[test]
    fn thresholds_act_at_once(failed in 0..150u32, threshold in 1..=100u32) {
        let policy = policy(threshold, 1_000_000, Shield::Enforce);
        let row = Row { charged: failed, failed, failed_at: at(0), written_at: at(0), ..Row::default() };
        let blocked = policy.blocked(MeterKind::Pair, &row, at(1)).is_some();
        prop_assert_eq!(blocked, failed >= threshold);
        let verdict = plan(&policy).charge(&[Some(row)], at(1));
        prop_assert_eq!(admits(&verdict), !blocked);
    }

    /// A shield that only watches never stops anybody.
    #[test]
    fn watching_admits_everybody(rows in prop::collection::vec(prop::option::of(row()), 7), now in timestamp()) {
        prop_assert!(admits(&plan(&policy(1, 1, Shield::Observe)).charge(&rows, now)));
    }

    /// No content of a row makes the guard panic, count downwards or go back in time.
    #[test]
    fn no_row_confuses_it(
        (brute_force, suspicious_ip, shield, lockout) in (number(), number(), shield(), any::<bool>()),
        rate in prop_oneof![Just(0), Just(u64::MAX), any::<u64>()],
        rows in prop::collection::vec(prop::option::of(row()), 0..9),
        now in timestamp(),
        outcome in outcome(),
    ) {
        let mut policy = policy(brute_force, suspicious_ip, shield);
        policy.suspicious_ip.pre_login.rate = Duration::from_millis(rate);
        policy.same_user.rate = Duration::from_millis(rate);
        if lockout {
            policy.brute_force.mode = CountMode::PerIdentifier;
        }
        let plan = plan(&policy);
        let kinds: Vec<MeterKind> = plan.meters().map(|meter| meter.kind).collect();
        let check = |before: &[Option<Row>], after: &[Row]| {
            assert_eq!(after.len(), kinds.len());
            for (index, after) in after.iter().enumerate() {
                if let Some(Some(before)) = before.get(index) {
                    assert!(after == before || after.charged >= after.failed);
                    assert!(after.written_at >= before.written_at);
                }
            }
        };
        if let Verdict::Permit { rows: charged, reservation } = plan.charge(&rows, now) {
            check(&rows, &charged);
            let charged: Vec<Option<Row>> = charged.into_iter().map(Some).collect();
            let settlement = plan.settle(&reservation, &charged, outcome, now).unwrap();
            check(&charged, &settlement.rows);
        }
        for reason in [Reason::Blocked, Reason::SuspiciousIp, Reason::SameUser] {
            if let Some(noticed) = plan.notice(reason, &rows, now) {
                check(&[], &noticed);
            }
        }
        for row in rows.iter().flatten() {
            prop_assert!(row.lift(now).written_at >= row.written_at);
            for kind in &kinds {
                policy.blocked(*kind, row, now);
                prop_assert!(plan.expires_at(*kind, row) >= row.written_at);
            }
        }
    }

    /// From its expiry on, a row decides like an absent one.
    #[test]
    fn an_expired_row_is_an_absent_one(row in plausible_row(), noticed in 0..5_000i64, seen in any::<u64>()) {
        let policy = policy(4, 4, Shield::Enforce);
        let row = Row { noticed_at: row.written_at - Duration::from_secs(noticed as u64), seen, ..row };
        for kind in [MeterKind::Pair, MeterKind::IdentifierPrefix, MeterKind::Source(Width::Here), MeterKind::SameUser] {
            let now = row.expires_at(&policy.rule(kind));
            let plan = plan(&policy);
            let place = plan.meters().position(|meter| meter.kind == kind).unwrap();
            let mut rows = vec![None; plan.meters().count()];
            let counts = |rows: &[Option<Row>]| match plan.charge(rows, now) {
                Verdict::Permit { rows, .. } => rows.iter().map(|row| (row.charged, row.failed)).collect(),
                _ => Vec::new(),
            };
            let absent = counts(&rows);
            rows[place] = Some(row.clone());
            prop_assert!(!absent.is_empty());
            prop_assert_eq!(counts(&rows), absent);
        }
    }

    /// A row that was stored in microseconds is the row.
    #[test]
    fn rows_are_whole_microseconds(nanos in 0..1_000_000_000i128) {
        let now = Timestamp::from_nanosecond(i128::from(START) * 1_000_000_000 + nanos).unwrap();
        let Verdict::Permit { rows, .. } = plan(&policy(4, 4, Shield::Enforce)).charge(&[], now) else {
            return Err(TestCaseError::fail("refused"));
        };
        for row in rows {
            for instant in [row.open_until, row.failed_at, row.noticed_at, row.written_at] {
                prop_assert_eq!(Timestamp::from_microsecond(instant.as_microsecond()).unwrap(), instant);
            }
        }
    }

    /// To make a source of a source changes nothing, and everything in a network has that network.
    #[test]
    fn sources_are_canonical(bits in any::<u128>(), prefix in 0..4usize) {
        let prefixes = [0, 0x2002 << 112, 0x0064_ff9b << 96, 0xffff << 32];
        let bits = if prefix == 0 { bits } else { prefixes[prefix] | (bits & 0xffff_ffff) };
        let source = Source::new(IpAddr::V6(Ipv6Addr::from(bits)));
        prop_assert_eq!(Source::new(source.exact()), source);
        let text = source.to_string();
        prop_assert_eq!(Source::new(text.parse().unwrap()), source);
        let network = source.prefix();
        prop_assert_eq!(Source::new(network.network()).prefix(), network);
        for parent in [source.prefix56(), source.prefix48()].into_iter().flatten() {
            prop_assert!(parent.contains(&network));
        }
    }

    /// An IPv4 address and its mapped form are one.
    #[test]
    fn mapped_is_v4(bits in any::<u32>()) {
        let v4 = Ipv4Addr::from(bits);
        prop_assert_eq!(Source::new(v4.to_ipv6_mapped().into()), Source::new(v4.into()));
        prop_assert_eq!(Source::new(v4.into()).exact(), IpAddr::V4(v4));
    }

    /// No connection and account can be spelled like another.
    #[test]
    fn names_are_unambiguous(a in ("[ab]{0,3}", "[ab]{0,3}"), b in ("[ab]{0,3}", "[ab]{0,3}")) {
        let bytes = |(connection, user): &(String, String)| Account::Known(user.clone()).bytes_in(connection);
        prop_assert_eq!(bytes(&a) == bytes(&b), a == b);
    }
}

#[test]
fn nothing_in_flight_is_held_longer_than_its_life() {
    let plan = plan(&policy(1, 1, Shield::Enforce));
    let mut rows = vec![None; plan.meters().count()];
    assert!(admits(&charge(&plan, &mut rows, at(0))));
    assert_eq!(plan.charge(&rows, at(0)), Verdict::Wait);
    assert!(admits(&plan.charge(&rows, at(0) + RESERVATION_LIFE)));
}
