//! What the meters of one attempt decide together.

use std::time::Duration;

use super::*;
use crate::{
    Account, Allowlist, Attempt, BruteForce, Bucket, CountMode, Policy, SameUser, Source, Standing,
    SuspiciousIp, Width,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn policy(threshold: u32, capacity: u32, logins: u32) -> Policy {
    Policy {
        brute_force: BruteForce {
            shield: Shield::Enforce,
            mode: CountMode::PerIdentifierAndIp,
            allowlist: Allowlist::default(),
            max_attempts: threshold,
        },
        suspicious_ip: SuspiciousIp {
            shield: Shield::Enforce,
            allowlist: Allowlist::default(),
            pre_login: Bucket {
                max_attempts: capacity,
                rate: Duration::from_secs(864),
            },
            pre_user_registration: Bucket {
                max_attempts: 50,
                rate: Duration::from_millis(1_200),
            },
        },
        same_user: SameUser {
            shield: Shield::Enforce,
            max_attempts: logins,
            rate: Duration::from_secs(6),
        },
        confirmations: Bucket {
            max_attempts: 20,
            rate: Duration::from_secs(3_600),
        },
    }
}

fn attempt(user: u32, address: &str) -> Attempt {
    Attempt {
        connection: "con_1".to_owned(),
        account: Account::Known(format!("auth0|{user}")),
        source: Source::new(address.parse().unwrap()),
        standing: Standing::Backend,
    }
}

/// A block that this failure makes.
fn blocked(threshold: u32, seconds: i64) -> Raised {
    Raised::Blocked {
        threshold,
        hold: Hold::Block {
            until: at(seconds + 30 * 86_400),
        },
    }
}

/// A database of one thread.
#[derive(Default)]
struct Meters {
    rows: std::collections::HashMap<MeterName, Row>,
}

impl Meters {
    fn read(&self, plan: &Plan) -> Vec<Option<Row>> {
        plan.meters()
            .map(|name| self.rows.get(name).cloned())
            .collect()
    }

    fn write(&mut self, plan: &Plan, rows: Vec<Row>) {
        assert_eq!(rows.len(), plan.meters().count());
        self.rows.extend(plan.meters().cloned().zip(rows));
    }

    fn charge(&mut self, plan: &Plan, seconds: i64) -> Verdict {
        let verdict = plan.charge(&self.read(plan), at(seconds));
        if let Verdict::Permit { rows, .. } = &verdict {
            self.write(plan, rows.clone());
        }
        verdict
    }

    fn permit(&mut self, plan: &Plan, seconds: i64) -> Reservation {
        match self.charge(plan, seconds) {
            Verdict::Permit { reservation, .. } => reservation,
            other => panic!("{other:?}"),
        }
    }

    fn settle(
        &mut self,
        plan: &Plan,
        reservation: &Reservation,
        outcome: Outcome,
        seconds: i64,
    ) -> Result<Vec<Raised>, Lost> {
        let settlement = plan.settle(reservation, &self.read(plan), outcome, at(seconds))?;
        self.write(plan, settlement.rows);
        Ok(settlement.raised)
    }

    fn fail(&mut self, plan: &Plan, seconds: i64) -> Vec<Raised> {
        let reservation = self.permit(plan, seconds);
        self.settle(plan, &reservation, Outcome::Wrong, seconds)
            .unwrap()
    }

    fn row(&self, plan: &Plan, kind: MeterKind) -> Row {
        let name = plan.meters().find(|name| name.kind == kind).unwrap();
        self.rows.get(name).cloned().unwrap_or_default()
    }
}

const HERE: &str = "198.51.100.7";

#[test]
fn the_failure_that_reaches_the_threshold_blocks_and_says_so_once() {
    let plan = policy(3, 100, 100).plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    let flights: Vec<Reservation> = (0..3).map(|_| meters.permit(&plan, 0)).collect();
    assert_eq!(meters.charge(&plan, 0), Verdict::Wait);
    let raised: Vec<Vec<Raised>> = flights
        .iter()
        .map(|flight| meters.settle(&plan, flight, Outcome::Wrong, 5).unwrap())
        .collect();
    assert_eq!(raised, [vec![], vec![], vec![blocked(3, 5)]]);
    let until = at(5 + 30 * 86_400);
    assert_eq!(
        meters.charge(&plan, 9),
        Verdict::Refuse {
            reason: Reason::Blocked,
            until
        }
    );
}

#[test]
fn a_success_resets_the_pair_and_nothing_else() {
    let plan = policy(3, 100, 100).plan(&attempt(1, "2001:db8::1"));
    let mut meters = Meters::default();
    for _ in 0..2 {
        meters.fail(&plan, 0);
    }
    let reservation = meters.permit(&plan, 0);
    assert_eq!(
        meters.settle(&plan, &reservation, Outcome::Right, 0),
        Ok(vec![])
    );
    let counts = |kind| {
        let row = meters.row(&plan, kind);
        (row.charged, row.failed)
    };
    assert_eq!(counts(MeterKind::Pair), (0, 0));
    assert_eq!(counts(MeterKind::IdentifierPrefix), (2, 2));
    assert_eq!(counts(MeterKind::Source(Width::Here)), (2, 2));
    assert_eq!(counts(MeterKind::Source(Width::Wide56)), (2, 2));
    assert_eq!(counts(MeterKind::Source(Width::Wide48)), (2, 2));
    assert_eq!(counts(MeterKind::SameUser), (3, 3));
}

#[test]
fn undone_gives_back_and_resets_nothing() {
    let plan = policy(3, 100, 100).plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    meters.fail(&plan, 0);
    let reservation = meters.permit(&plan, 0);
    assert_eq!(
        meters.settle(&plan, &reservation, Outcome::Undone, 1),
        Ok(vec![])
    );
    let pair = meters.row(&plan, MeterKind::Pair);
    assert_eq!((pair.charged, pair.failed, pair.failed_at), (1, 1, at(0)));
    assert_eq!(meters.row(&plan, MeterKind::Source(Width::Here)).charged, 1);
    assert_eq!(meters.row(&plan, MeterKind::SameUser).charged, 2);
}

#[test]
fn the_first_of_several_reasons_is_answered() {
    // One guess fills every meter of the user, one of a second user only the source.
    let policy = policy(1, 1, 1);
    let plan = policy.plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    meters.fail(&plan, 0);
    let blocked = Verdict::Refuse {
        reason: Reason::Blocked,
        until: at(30 * 86_400),
    };
    assert_eq!(meters.charge(&plan, 0), blocked);
    let other = policy.plan(&attempt(2, HERE));
    let suspicious = Verdict::Refuse {
        reason: Reason::SuspiciousIp,
        until: at(864),
    };
    assert_eq!(meters.charge(&other, 0), suspicious);

    let mut limited = policy;
    limited.brute_force.shield = Shield::Observe;
    assert_eq!(
        meters.charge(&limited.plan(&attempt(1, HERE)), 0),
        suspicious
    );
    limited.suspicious_ip.shield = Shield::Off;
    let same_user = Verdict::Refuse {
        reason: Reason::SameUser,
        until: at(6),
    };
    assert_eq!(
        meters.charge(&limited.plan(&attempt(1, HERE)), 0),
        same_user
    );
}

#[test]
fn a_refusal_outweighs_waiting() {
    let policy = policy(1, 1, 1);
    let plan = policy.plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    meters.permit(&plan, 0);
    assert_eq!(
        meters.charge(&plan, 0),
        Verdict::Refuse {
            reason: Reason::SameUser,
            until: at(6)
        }
    );
    assert_eq!(
        meters.charge(&policy.plan(&attempt(2, HERE)), 0),
        Verdict::Wait
    );
}

#[test]
fn neighbours_in_one_v6_network_share_its_parents() {
    let policy = policy(100, 2, 100);
    let mut meters = Meters::default();
    // Two a /64 fill it; the /56 holds eight, so the fifth /64 of it is refused before its first guess.
    for net in 0..4 {
        for user in 0..2 {
            meters.fail(
                &policy.plan(&attempt(user, &format!("2001:db8:0:{net:x}::1"))),
                0,
            );
        }
    }
    let refused = |meters: &mut Meters, address: &str| {
        matches!(
            meters.charge(&policy.plan(&attempt(9, address)), 0),
            Verdict::Refuse { reason: Reason::SuspiciousIp, until } if until == at(216)
        )
    };
    assert!(refused(&mut meters, "2001:db8:0:f::1"));
    assert!(!refused(&mut meters, "2001:db8:0:100::1"));
}

#[test]
fn one_account_has_ten_thresholds_in_a_v6_network() {
    let policy = policy(1, 100, 100);
    let mut meters = Meters::default();
    let plan = |net: u32| policy.plan(&attempt(1, &format!("2001:db8:0:{net:x}::1")));
    for net in 0..9 {
        assert_eq!(meters.fail(&plan(net), 0), [blocked(1, 0)]);
    }
    assert_eq!(
        meters.fail(&plan(9), 0),
        [blocked(1, 0)],
        "two lines, one event"
    );
    assert_eq!(
        meters.charge(&plan(10), 0),
        Verdict::Refuse {
            reason: Reason::Blocked,
            until: at(86_400)
        }
    );
    assert!(matches!(
        meters.charge(&plan(10), 86_400),
        Verdict::Permit { .. }
    ));
}

#[test]
fn a_settle_whose_epoch_is_gone_is_lost_whole() {
    let plan = policy(3, 100, 100).plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    let early = meters.permit(&plan, 0);
    let other = policy(3, 100, 100).plan(&attempt(2, HERE));
    let elsewhere = meters.permit(&other, 29);
    // The pair has run out, the source has not: the later attempt of another user holds it open.
    let late = meters.permit(&plan, 30);
    for outcome in [Outcome::Wrong, Outcome::Right, Outcome::Undone] {
        assert_eq!(meters.settle(&plan, &early, outcome, 31), Err(Lost));
    }
    assert_eq!(meters.row(&plan, MeterKind::Source(Width::Here)).charged, 3);
    assert!(meters.settle(&plan, &late, Outcome::Wrong, 31).is_ok());
    assert!(
        meters
            .settle(&other, &elsewhere, Outcome::Wrong, 31)
            .is_ok()
    );
    // What the lost attempt held in the source runs out too.
    meters.permit(&plan, 90);
    assert_eq!(meters.row(&plan, MeterKind::Source(Width::Here)).charged, 3);
    assert_eq!(meters.row(&plan, MeterKind::Source(Width::Here)).failed, 2);
}

#[test]
fn a_settle_after_the_row_was_deleted_and_born_again_is_lost() {
    let plan = policy(1, 100, 100).plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    let early = meters.permit(&plan, 0);
    meters.rows.clear();
    assert_eq!(meters.settle(&plan, &early, Outcome::Wrong, 40), Err(Lost));
    meters.permit(&plan, 50);
    assert_eq!(meters.settle(&plan, &early, Outcome::Wrong, 60), Err(Lost));
}

#[test]
fn a_shield_that_watches_counts_and_raises_once_an_hour() {
    let mut policy = policy(2, 100, 100);
    policy.brute_force.shield = Shield::Observe;
    let plan = policy.plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    let blocked = Raised::Blocked {
        threshold: 2,
        hold: Hold::Watched,
    };
    let told: Vec<(i64, bool)> = [0, 1, 2, 3_600, 3_601, 3_602]
        .into_iter()
        .map(|seconds| (seconds, meters.fail(&plan, seconds).contains(&blocked)))
        .collect();
    assert_eq!(
        told,
        [
            (0, false),
            (1, true),
            (2, false),
            (3_600, false),
            (3_601, true),
            (3_602, false)
        ]
    );
    // Switched on, it knows what it saw.
    policy.brute_force.shield = Shield::Enforce;
    assert!(matches!(
        meters.charge(&policy.plan(&attempt(1, HERE)), 3_603),
        Verdict::Refuse {
            reason: Reason::Blocked,
            ..
        }
    ));
}

#[test]
fn a_watching_meter_that_lost_its_row_decides_nothing() {
    let mut policy = policy(2, 100, 100);
    policy.brute_force.shield = Shield::Observe;
    policy.suspicious_ip.shield = Shield::Observe;
    let plan = policy.plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    let early = meters.permit(&plan, 0);
    meters.rows.clear();
    assert_eq!(meters.settle(&plan, &early, Outcome::Wrong, 1), Ok(vec![]));
    assert!(meters.row(&plan, MeterKind::Pair).is_blank());
}

#[test]
fn a_source_that_hovers_at_its_line_is_raised_once_an_hour() {
    let policy = policy(100, 2, 100);
    let plan = policy.plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    assert_eq!(meters.fail(&plan, 0), []);
    assert_eq!(meters.fail(&plan, 0), [Raised::SuspiciousIp]);
    assert_eq!(meters.fail(&plan, 864), []);
    assert_eq!(meters.fail(&plan, 3_600), []);
    assert_eq!(meters.fail(&plan, 3_600), [Raised::SuspiciousIp]);
}

#[test]
fn a_block_after_an_unblock_is_raised_again() {
    let plan = policy(1, 1, 100).plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    let both = |seconds| [blocked(1, seconds), Raised::SuspiciousIp];
    assert_eq!(meters.fail(&plan, 0), both(0));
    for row in meters.rows.values_mut() {
        *row = row.lift(at(1));
    }
    assert_eq!(meters.fail(&plan, 2), both(2));
}

#[test]
fn many_users_of_a_backend_are_raised_once_an_hour() {
    let policy = policy(100, 1_000, 100);
    let mut meters = Meters::default();
    let mut raised = Vec::new();
    for user in 0..40 {
        raised.extend(meters.fail(&policy.plan(&attempt(user, HERE)), i64::from(user)));
    }
    assert_eq!(raised, [Raised::ManyUsers { at_least: 10 }]);
    // A single user never is, however often he fails.
    let mut meters = Meters::default();
    for second in 0..40 {
        assert_eq!(meters.fail(&policy.plan(&attempt(1, HERE)), second), []);
    }
    // Right passwords are nothing to watch, and leave the row alone.
    let plan = policy.plan(&attempt(2, HERE));
    let before = meters.row(&plan, MeterKind::ManyUsers);
    let reservation = meters.permit(&plan, 41);
    assert_eq!(
        meters.settle(&plan, &reservation, Outcome::Right, 41),
        Ok(vec![])
    );
    assert_eq!(meters.row(&plan, MeterKind::ManyUsers), before);
}

#[test]
fn a_refusal_is_noticed_once_an_hour() {
    let plan = policy(1, 100, 2).plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    meters.fail(&plan, 0);
    let mut notice = |reason, seconds| {
        let rows = plan.notice(reason, &meters.read(&plan), at(seconds));
        let due = rows.is_some();
        if let Some(rows) = rows {
            let moved = meters
                .read(&plan)
                .into_iter()
                .zip(&rows)
                .filter(|(before, after)| before.as_ref() != Some(after));
            assert_eq!(moved.count(), 1);
            meters.write(&plan, rows);
        }
        due
    };
    // The failure that blocked was an event already.
    assert!(!notice(Reason::Blocked, 1));
    assert!(!notice(Reason::Blocked, 3_599));
    assert!(notice(Reason::Blocked, 3_600));
    assert!(!notice(Reason::Blocked, 3_601));
    assert!(
        !notice(Reason::SuspiciousIp, 3_601),
        "nothing refuses for that"
    );
    assert!(!notice(Reason::SameUser, 0));
}

#[test]
fn the_limit_of_logins_is_noticed() {
    let plan = policy(10, 100, 1).plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    let reservation = meters.permit(&plan, 0);
    meters
        .settle(&plan, &reservation, Outcome::Right, 0)
        .unwrap();
    let before = meters.read(&plan);
    let rows = plan.notice(Reason::SameUser, &before, at(1)).unwrap();
    meters.write(&plan, rows);
    assert_eq!(
        plan.notice(Reason::SameUser, &meters.read(&plan), at(2)),
        None
    );
    assert_eq!(
        meters.charge(&plan, 5),
        Verdict::Refuse {
            reason: Reason::SameUser,
            until: at(6)
        },
        "the notice drains nothing"
    );
}

#[test]
fn rows_that_are_missing_count_as_absent() {
    let plan = policy(3, 100, 100).plan(&attempt(1, HERE));
    let Verdict::Permit { rows, reservation } = plan.charge(&[], at(0)) else {
        panic!()
    };
    assert_eq!(rows.len(), 4);
    assert!(rows[3].is_blank());
    assert_eq!(
        plan.settle(&reservation, &[], Outcome::Wrong, at(0)),
        Err(Lost)
    );
    assert_eq!(plan.notice(Reason::Blocked, &[], at(0)), None);
}

#[test]
fn a_block_is_marked_as_told_until_its_end_is() {
    let plan = policy(3, 100, 100).plan(&attempt(1, HERE));
    let mut meters = Meters::default();
    let told = |meters: &Meters, plan: &Plan| meters.row(plan, MeterKind::Pair).told;
    meters.fail(&plan, 0);
    assert_eq!(told(&meters, &plan), 0);
    meters.fail(&plan, 0);
    meters.fail(&plan, 0);
    assert_eq!(told(&meters, &plan), 3);
    // A raised threshold, and time, end it at the next charge.
    let raised = policy(4, 100, 100).plan(&attempt(1, HERE));
    let mut charged = meters.rows.clone();
    let rows: Vec<Option<Row>> = raised.meters().map(|name| charged.remove(name)).collect();
    for (plan, seconds) in [(&raised, 1), (&plan, 30 * 86_400)] {
        let Verdict::Permit { rows, .. } = plan.charge(&rows, at(seconds)) else {
            panic!("the block has ended")
        };
        assert_eq!(rows[0].told, 0);
    }
    assert!(matches!(plan.charge(&rows, at(1)), Verdict::Refuse { .. }));
}

#[test]
fn a_block_that_settings_make_is_told_by_its_first_refusal() {
    let mut meters = Meters::default();
    let plan = policy(3, 100, 100).plan(&attempt(1, HERE));
    meters.fail(&plan, 0);
    meters.fail(&plan, 0);
    let lowered = policy(2, 100, 100).plan(&attempt(1, HERE));
    let rows: Vec<Option<Row>> = lowered
        .meters()
        .map(|name| meters.rows.get(name).cloned())
        .collect();
    let noticed = lowered
        .notice(Reason::Blocked, &rows, at(1))
        .expect("it is due");
    assert_eq!(noticed[0].told, 2);
}
