//! Pools are nobody else's: no plan of one ever names a meter of another or of a login, and each tells exactly its number.

#![expect(
    clippy::unwrap_used,
    reason = "instants and addresses of tests are in range"
)]

use std::collections::HashMap;
use std::time::Duration;

use guard::{
    Account, Allowlist, Attempt, BruteForce, Bucket, CountMode, Explained, Plan, Policy, Reason,
    Row, SameUser, Says, Shield, Source, Standing, Strike, SuspiciousIp, Verdict,
};
use jiff::Timestamp;
use proptest::prelude::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn policy(mode: CountMode) -> Policy {
    let bucket = |max_attempts, seconds| Bucket {
        max_attempts,
        rate: Duration::from_secs(seconds),
    };
    Policy {
        brute_force: BruteForce {
            shield: Shield::Enforce,
            mode,
            allowlist: Allowlist::default(),
            max_attempts: 10,
        },
        suspicious_ip: SuspiciousIp {
            shield: Shield::Enforce,
            allowlist: Allowlist::default(),
            pre_login: bucket(100, 864),
            pre_user_registration: bucket(50, 2),
        },
        same_user: SameUser {
            shield: Shield::Enforce,
            max_attempts: 20,
            rate: Duration::from_secs(6),
        },
        confirmations: bucket(20, 3_600),
    }
}

/// Every plan there is, for one source and names that were chosen to collide.
fn plans(source: &Source, name: &str) -> Vec<(String, Plan)> {
    let known = Account::Known(name.to_owned());
    let login = |connection: &str, standing| Attempt {
        connection: connection.to_owned(),
        account: known.clone(),
        source: *source,
        standing,
    };
    let policy = policy(CountMode::PerIdentifierAndIp);
    let lockout = self::policy(CountMode::PerIdentifier);
    let mut plans = vec![
        (
            "lockout".to_owned(),
            lockout.plan(&login("other", Standing::Own)),
        ),
        (
            "sign-up".to_owned(),
            policy.sign_up_plan(source, Standing::Own),
        ),
        ("confirmation".to_owned(), policy.confirmation_plan(source)),
        (
            "mail asked".to_owned(),
            policy.mail_asked_plan(name, &known, source),
        ),
        (
            "mail".to_owned(),
            policy.mail_plan(name, &known, Some(source)),
        ),
        ("secret".to_owned(), policy.client_secret_plan(name, source)),
        (
            "other secret".to_owned(),
            policy.client_secret_plan(&format!("{name}2"), source),
        ),
    ];
    let unknown = policy.unknown_clients_plan(source);
    plans.push(("unknown clients".to_owned(), unknown));
    for kind in ["unblock", "password_reset", "email_verification"] {
        plans.push((format!("ticket {kind}"), policy.ticket_plan(kind, source)));
    }
    // Connections named as pools name theirs.
    for connection in ["con_1", "ticket", "client_secret", "unknown_clients", name] {
        let login = policy.plan(&login(connection, Standing::Backend));
        plans.push(("login".to_owned(), login));
    }
    plans
}

fn judged_as(says: Says) -> u8 {
    match says {
        Says::Admit => 0,
        Says::Wait => 1,
        Says::Refuse { .. } => 2,
    }
}

fn row() -> impl Strategy<Value = Row> {
    (0..25u32, 0..3u32, 0..5_000i64).prop_map(|(failed, in_flight, ago)| Row {
        charged: failed + in_flight,
        failed,
        open_until: at(30),
        failed_at: at(-ago),
        written_at: at(0),
        ..Row::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    /// However names are chosen: two plans share a meter only if both are logins.
    #[test]
    fn no_pool_shares_a_meter(bits in any::<u128>(), v4 in any::<bool>(), name in "unblock|ticket|client_secret|con_1|[a-z|:]{0,8}") {
        let address = if v4 {
            std::net::IpAddr::from(std::net::Ipv4Addr::from((bits & 0xffff_ffff) as u32))
        } else {
            std::net::IpAddr::from(std::net::Ipv6Addr::from(bits))
        };
        let mut owners: HashMap<Vec<u8>, String> = HashMap::new();
        for (owner, plan) in plans(&Source::new(address), &name) {
            prop_assert!(plan.meters().count() > 0);
            for meter in plan.meters() {
                let login = owner == "login" || owner == "lockout";
                if let Some(other) = owners.insert(meter.canonical_bytes(), owner.clone()) {
                    let shared = login && (other == "login" || other == "lockout");
                    prop_assert!(shared, "{owner} and {other} share {meter:?}");
                }
            }
        }
    }

    /// What is told of wrong secrets is the pool's number and what drained, however they come.
    #[test]
    fn a_pool_tells_exactly_its_number(waits in prop::collection::vec(0..90i64, 1..400)) {
        let source = Source::new("198.51.100.7".parse().unwrap());
        let plan = policy(CountMode::PerIdentifierAndIp).client_secret_plan("shop", &source);
        let mut rows: Vec<Option<Row>> = vec![None; plan.meters().count()];
        let (mut now, mut told) = (0, 0);
        for wait in waits {
            now += wait;
            match plan.strike(&rows, at(now)) {
                Strike::Counted { rows: counted } => {
                    prop_assert!(plan.refusal(&rows, at(now)).is_none(), "a right one passed");
                    rows = counted.into_iter().map(Some).collect();
                    told += 1;
                }
                Strike::Refuse { reason, until } => {
                    prop_assert_eq!(reason, Reason::Pool);
                    prop_assert!(until > at(now) && until <= at(now + 60));
                    prop_assert_eq!(plan.refusal(&rows, at(now)), Some((reason, until)), "a right one is refused alike");
                    prop_assert!(plan.refusal(&rows, until).is_none());
                }
                Strike::Wait => prop_assert!(false, "nothing is in flight here"),
            }
            prop_assert!(told <= 100 + now / 60);
            let row = rows[0].clone().unwrap_or_default();
            prop_assert_eq!(row.charged, row.failed, "nothing is left in flight");
        }
    }

    /// What is explained is what is decided: who refuses, why, until when, and who waits.
    #[test]
    fn an_explanation_says_what_a_charge_does(
        rows in prop::collection::vec(prop::option::of(row()), 7),
        later in 0..100_000i64,
        lockout in any::<bool>(),
    ) {
        let mode = if lockout { CountMode::PerIdentifier } else { CountMode::PerIdentifierAndIp };
        let plan = policy(mode).plan(&Attempt {
            connection: "con_1".to_owned(),
            account: Account::Known("auth0|1".to_owned()),
            source: Source::new("2001:db8::1".parse().unwrap()),
            standing: Standing::Backend,
        });
        let now = at(later);
        let explained = plan.explain(&rows, now);
        let names: Vec<_> = explained.iter().map(|meter| meter.name.clone()).collect();
        prop_assert_eq!(names, plan.meters().cloned().collect::<Vec<_>>());
        let first = explained.iter().find(|meter| meter.refuses());
        match plan.charge(&rows, now) {
            Verdict::Refuse { reason, until } => {
                prop_assert_eq!(first.and_then(|meter| meter.reason), Some(reason));
                let ends = explained.iter().filter(|meter| meter.refuses() && meter.reason == Some(reason));
                let last = ends.filter_map(|meter| match meter.says {
                    Says::Refuse { until } => Some(until),
                    Says::Admit | Says::Wait => None,
                }).max();
                prop_assert_eq!(last, Some(until));
            }
            Verdict::Wait => {
                prop_assert!(first.is_none());
                prop_assert!(explained.iter().any(|meter| meter.says == Says::Wait));
            }
            Verdict::Permit { .. } => {
                let worst = explained.iter().map(|meter| judged_as(meter.says)).max();
                prop_assert_eq!(worst, Some(0));
            }
        }
        for Explained { counted, limit, says, .. } in &explained {
            prop_assert_eq!(matches!(says, Says::Refuse { .. }), counted >= limit);
        }
    }
}

/// A shield that only watches says what it would do, and turns nobody away.
#[test]
fn a_watching_shield_explains_and_refuses_nobody() {
    let mut policy = policy(CountMode::PerIdentifierAndIp);
    policy.brute_force.shield = Shield::Observe;
    let plan = policy.plan(&Attempt {
        connection: "con_1".to_owned(),
        account: Account::Known("auth0|1".to_owned()),
        source: Source::new("198.51.100.7".parse().unwrap()),
        standing: Standing::Own,
    });
    let row = Row {
        charged: 10,
        failed: 10,
        failed_at: at(0),
        written_at: at(0),
        ..Row::default()
    };
    let explained = plan.explain(&[Some(row)], at(1));
    assert!(matches!(explained[0].says, Says::Refuse { .. }));
    assert!(!explained[0].refuses());
    assert_eq!((explained[0].counted, explained[0].limit), (10, 10));
    assert_eq!(explained[0].empty_at, Some(at(30 * 86_400)));
}
