//! Tables of single moves of a row, for each rule.

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

const PAIR: Rule = Rule::Consecutive { threshold: 3 };
const BUCKET: Rule = Rule::Failures {
    capacity: 3,
    rate: Duration::from_secs(100),
};
const LIMIT: Rule = Rule::Attempts {
    capacity: 3,
    rate: Duration::from_secs(6),
};

fn row(charged: u32, failed: u32) -> Row {
    Row {
        charged,
        failed,
        open_until: at(30),
        failed_at: at(0),
        written_at: at(0),
        ..Row::default()
    }
}

fn counts(row: &Row) -> (u32, u32) {
    (row.charged, row.failed)
}

fn charge(rule: &Rule, row: &Row, seconds: i64) -> Result<Row, Judgement> {
    let standing = rule.standing(row, at(seconds));
    match rule.judge(&standing) {
        Judgement::Admit => Ok(rule.charged(standing, Shield::Enforce)),
        other => Err(other),
    }
}

fn settle(rule: &Rule, row: &Row, outcome: Outcome, seconds: i64) -> Row {
    rule.settled(row, outcome, Shield::Enforce, 1 << 7, at(seconds))
}

#[test]
fn a_consecutive_meter_is_judged() {
    let month = 30 * 86_400;
    let refuse = Judgement::Refuse { until: at(month) };
    let table = [
        ("fresh", row(0, 0), 0, Ok((1, 0))),
        ("room beside attempts in flight", row(2, 0), 0, Ok((3, 0))),
        ("room beside failures", row(2, 2), 0, Ok((3, 2))),
        (
            "full of attempts in flight",
            row(3, 0),
            0,
            Err(Judgement::Wait),
        ),
        ("full of both", row(3, 2), 29, Err(Judgement::Wait)),
        ("full of failures", row(3, 3), 0, Err(refuse)),
        ("over-full of failures", row(9, 9), 0, Err(refuse)),
        (
            "failures outweigh attempts in flight",
            row(9, 3),
            0,
            Err(refuse),
        ),
        ("attempts in flight run out", row(3, 2), 30, Ok((3, 2))),
        (
            "the last second of a block",
            row(3, 3),
            month - 1,
            Err(refuse),
        ),
        ("failures are forgotten", row(3, 3), month, Ok((1, 0))),
        ("nonsense counts as failures", row(0, 3), 0, Err(refuse)),
    ];
    for (name, before, seconds, expected) in table {
        let judged = charge(&PAIR, &before, seconds).map(|row| counts(&row));
        assert_eq!(judged, expected, "{name}");
    }
}

#[test]
fn only_running_out_begins_an_epoch() {
    assert_eq!(charge(&PAIR, &row(2, 1), 29).unwrap().epoch, 0);
    let lapsed = charge(&PAIR, &row(2, 1), 30).unwrap();
    assert_eq!(
        (lapsed.epoch, counts(&lapsed), lapsed.open_until),
        (1, (2, 1), at(60))
    );
    assert_eq!(charge(&PAIR, &row(1, 1), 30).unwrap().epoch, 0);
}

#[test]
fn a_consecutive_meter_is_settled() {
    let table = [
        (Outcome::Wrong, row(3, 1), (3, 2)),
        (Outcome::Right, row(3, 1), (1, 0)),
        (Outcome::Undone, row(3, 1), (2, 1)),
        (
            Outcome::Wrong,
            row(u32::MAX, u32::MAX),
            (u32::MAX, u32::MAX),
        ),
        (Outcome::Right, row(0, 0), (0, 0)),
        (Outcome::Undone, row(0, 0), (0, 0)),
    ];
    for (outcome, before, expected) in table {
        assert_eq!(
            counts(&settle(&PAIR, &before, outcome, 5)),
            expected,
            "{outcome:?}"
        );
    }
    assert_eq!(
        settle(&PAIR, &row(1, 0), Outcome::Wrong, 5).failed_at,
        at(5)
    );
    assert_eq!(
        settle(&PAIR, &row(1, 0), Outcome::Undone, 5).failed_at,
        at(0)
    );
}

#[test]
fn failures_are_forgotten_at_a_settle_too() {
    let late = settle(&PAIR, &row(3, 2), Outcome::Wrong, 30 * 86_400);
    assert_eq!(counts(&late), (1, 1));
}

#[test]
fn a_bucket_is_judged() {
    let refuse = |seconds| Err(Judgement::Refuse { until: at(seconds) });
    let table = [
        (row(2, 0), 0, Ok((3, 0))),
        (row(3, 2), 0, Err(Judgement::Wait)),
        (row(3, 3), 0, refuse(100)),
        (row(3, 3), 99, refuse(100)),
        (row(3, 3), 100, Ok((3, 2))),
        (row(3, 3), 299, Ok((2, 1))),
        (row(3, 3), 300, Ok((1, 0))),
        // The capacity was lowered.
        (row(5, 5), 0, refuse(300)),
    ];
    for (before, seconds, expected) in table {
        let judged = charge(&BUCKET, &before, seconds).map(|row| counts(&row));
        assert_eq!(judged, expected, "{before:?} at {seconds}");
    }
}

#[test]
fn a_bucket_keeps_the_fraction_of_a_step() {
    let drained = BUCKET.aged(&row(3, 3), at(150));
    assert_eq!((drained.failed, drained.failed_at), (2, at(100)));
    assert_eq!(BUCKET.aged(&drained, at(199)).failed, 2);
    assert_eq!(BUCKET.aged(&drained, at(200)).failed, 1);
    assert_eq!(
        BUCKET.aged(&drained, at(0)).failed,
        2,
        "time never runs backwards"
    );
}

#[test]
fn an_empty_bucket_saves_nothing_up() {
    let empty = BUCKET.aged(&row(0, 0), at(1_000));
    assert_eq!(empty.failed_at, at(1_000));
    let failed = settle(
        &BUCKET,
        &charge(&BUCKET, &empty, 1_050).unwrap(),
        Outcome::Wrong,
        1_060,
    );
    assert_eq!((counts(&failed), failed.failed_at), ((1, 1), at(1_060)));
}

#[test]
fn draining_leaves_attempts_in_flight() {
    let before = Row {
        open_until: at(1_000),
        ..row(3, 2)
    };
    assert_eq!(counts(&BUCKET.aged(&before, at(500))), (1, 0));
}

#[test]
fn a_bucket_is_settled() {
    let table = [
        (Outcome::Wrong, (3, 2)),
        (Outcome::Right, (2, 1)),
        (Outcome::Undone, (2, 1)),
    ];
    for (outcome, expected) in table {
        assert_eq!(
            counts(&settle(&BUCKET, &row(3, 1), outcome, 5)),
            expected,
            "{outcome:?}"
        );
    }
}

#[test]
fn a_watching_bucket_never_holds_more_than_its_capacity() {
    let full = BUCKET.settled(&row(4, 3), Outcome::Wrong, Shield::Observe, 0, at(5));
    assert_eq!(counts(&full), (3, 3));
    let room = BUCKET.settled(&row(3, 2), Outcome::Wrong, Shield::Observe, 0, at(5));
    assert_eq!(counts(&room), (3, 3));
    let limit = LIMIT.charged(row(3, 3), Shield::Observe);
    assert_eq!(counts(&limit), (3, 3));
}

#[test]
fn a_limit_counts_every_attempt_and_gives_none_back() {
    let mut limited = row(0, 0);
    for _ in 0..3 {
        limited = charge(&LIMIT, &limited, 0).unwrap();
        for outcome in [Outcome::Right, Outcome::Wrong, Outcome::Undone] {
            assert_eq!(settle(&LIMIT, &limited, outcome, 1), limited);
        }
    }
    assert_eq!(
        charge(&LIMIT, &limited, 0),
        Err(Judgement::Refuse { until: at(6) })
    );
    assert_eq!(counts(&charge(&LIMIT, &limited, 6).unwrap()), (3, 3));
}

#[test]
fn distinct_accounts_are_marked_within_a_window() {
    let one = settle(&Rule::Accounts, &row(0, 0), Outcome::Wrong, 10);
    assert_eq!((one.seen, one.failed_at), (1 << 7, at(10)));
    let two = Rule::Accounts.settled(&one, Outcome::Wrong, Shield::Observe, 1 << 9, at(3_600));
    assert_eq!((two.seen, two.failed_at), (1 << 7 | 1 << 9, at(10)));
    let next = Rule::Accounts.settled(&two, Outcome::Wrong, Shield::Observe, 1 << 9, at(3_610));
    assert_eq!((next.seen, next.failed_at), (1 << 9, at(3_610)));
    for outcome in [Outcome::Right, Outcome::Undone] {
        assert_eq!(settle(&Rule::Accounts, &two, outcome, 5_000), two);
    }
}

#[test]
fn a_limit_of_nothing_still_admits_one() {
    let rules = [
        Rule::Consecutive { threshold: 0 },
        Rule::Failures {
            capacity: 0,
            rate: Duration::ZERO,
        },
        Rule::Attempts {
            capacity: 0,
            rate: Duration::ZERO,
        },
    ];
    for rule in rules {
        assert!(charge(&rule, &row(0, 0), 0).is_ok(), "{rule:?}");
    }
}
