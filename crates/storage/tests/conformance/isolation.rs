//! A handle of another tenant sees nothing and changes nothing, for every function there is.
//!
//! The list below is compared with the functions in the sources, so that a new function cannot be forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use model::{
    ClientGrantId, ClientId, ConnectionId, EventFilter, EventType, Identifier, LogId, LogStreamId,
    ResourceServerId, SubjectType, TicketKind, UserId,
};
use storage::{
    Added, ConnectionFilter, DecisionFilter, EventQuery, EventRange, GrantFilter, LogMark,
    LogStreamClaim, LogStreamOutcome, MeterWrite, Page, Searched, Settled, SignedUp,
    SigningKeyState, StoreError, TakenDigest, TenantStore, TicketRecord, UserFilter, Work,
};

use crate::both_engines;
use crate::rows;
use crate::stage::{Engine, Stage};

/// A function, asked through a handle: how many rows it saw or changed.
type Ask = fn(TenantStore) -> Pin<Box<dyn Future<Output = usize> + Send>>;

macro_rules! read {
    ($name:ident($($argument:expr),*)) => {
        (stringify!($name), &[
            (|rows| Box::pin(async move { rows.$name($($argument),*).await.unwrap().into_iter().count() })) as Ask,
            (|rows| Box::pin(async move {
                let found = rows.write(async |work: &mut Work| work.$name($($argument),*).await);
                found.await.unwrap().into_iter().count()
            })) as Ask,
        ] as &[Ask])
    };
}

macro_rules! list {
    ($name:ident($($argument:expr),*)) => {
        (stringify!($name), &[
            (|rows| Box::pin(async move {
                let listed = rows.$name($($argument),*).await.unwrap();
                assert_eq!(listed.items.len() as u64, listed.total);
                listed.items.len()
            })) as Ask,
        ] as &[Ask])
    };
}

macro_rules! write {
    ($name:ident($($argument:expr),*), $changed:expr) => {
        (stringify!($name), &[
            (|rows| Box::pin(async move {
                let written = rows.write(async |work: &mut Work| work.$name($($argument),*).await);
                usize::from(written.await.unwrap() == $changed)
            })) as Ask,
        ] as &[Ask])
    };
}

fn events(range: EventRange) -> EventQuery {
    EventQuery {
        range,
        filter: EventFilter::default(),
    }
}

/// Every function that looks for rows; each sees or changes at least one through the owner's handle.
/// Reading ones come first, removing ones last.
fn asked() -> Vec<(&'static str, &'static [Ask])> {
    vec![
        read!(find_tenant()),
        read!(find_client(&ClientId::new("client"))),
        list!(list_clients(Page::ALL)),
        read!(find_resource_server(&ResourceServerId::new("rs"))),
        read!(find_resource_server_by_identifier("https://api")),
        list!(list_resource_servers(Page::ALL)),
        read!(find_client_grant(&ClientGrantId::new("cgr"))),
        read!(find_client_grant_for(
            &ClientId::new("client"),
            "https://api",
            SubjectType::Client
        )),
        list!(list_client_grants(Page::ALL, &GrantFilter::default())),
        read!(find_connection(&ConnectionId::new("con"))),
        read!(find_connection_by_name("Users")),
        read!(find_connection_by_realm("Users")),
        read!(list_database_connections()),
        list!(list_connections(Page::ALL, &ConnectionFilter::default())),
        read!(list_password_mix(&ConnectionId::new("con"))),
        read!(find_user(&UserId::new("auth0|1"))),
        read!(find_user_by_identifier(
            &ConnectionId::new("con"),
            &Identifier::of("ana@example.com")
        )),
        read!(find_users_by_email(&Identifier::of("ana@example.com"))),
        list!(list_users(Page::ALL, &UserFilter::default())),
        read!(find_email_provider()),
        read!(find_email_template("verify_email")),
        read!(find_ticket(TicketKind::Unblock, &[1; 32], rows::at(0))),
        read!(list_password_history(&UserId::new("auth0|1"))),
        read!(find_job("job_1", rows::at(5))),
        read!(find_event(&rows::log_id(1))),
        read!(find_log_stream(&LogStreamId::new("lst_1"))),
        read!(list_log_streams()),
        (
            "find_log_stream_lag",
            &[|rows| {
                Box::pin(async move {
                    let lag = rows.find_log_stream_lag(&LogId::new("900"), 9).await;
                    lag.unwrap().events as usize
                })
            }],
        ),
        list!(list_events(&events(EventRange::NewestFirst(Page::ALL)))),
        list!(list_events(&events(EventRange::Checkpoint {
            from: None::<LogId>,
            take: 9,
            now: rows::at(99_000_000)
        }))),
        list!(list_decisions(&DecisionFilter::default(), Page::ALL)),
        read!(list_signing_keys()),
        read!(find_access_token(&[1; 32], rows::at(0))),
        read!(find_digest("daily")),
        read!(count_breaches(0, 9)),
        read!(list_daily_breaches(0, 9)),
        read!(find_log_mark(LogMark::Counted)),
        read!(list_log_ids(&LogId::new(""), &rows::log_id(9), 9)),
        read!(list_block_events(
            &LogId::new(""),
            &rows::log_id(9),
            "brute_force",
            EventType::BlockCreated
        )),
        read!(list_events_between(&LogId::new(""), &rows::log_id(9), 9)),
        read!(list_log_heads(&LogId::new(""), &rows::log_id(9), 9)),
        read!(list_daily_statistics(0, 9)),
        (
            "count_active_users",
            &[
                |rows| {
                    Box::pin(async move {
                        let active = rows.count_active_users(0).await.unwrap();
                        active.unwrap_or_default() as usize
                    })
                },
                |rows| {
                    Box::pin(async move {
                        let active =
                            rows.write(async |work: &mut Work| work.count_active_users(0).await);
                        active.await.unwrap().unwrap_or_default() as usize
                    })
                },
            ],
        ),
        read!(list_meters_of_account(&[1; 32])),
        read!(list_meters_of_source(&[2; 32])),
        read!(list_blocks_told_below(3, 11, 9)),
        (
            "read_meters",
            &[|rows| {
                Box::pin(async move {
                    let read =
                        rows.write(async |work: &mut Work| work.read_meters(&[[7; 32]]).await);
                    read.await.unwrap().into_iter().flatten().count()
                })
            }],
        ),
        (
            "read_meters_beside",
            &[|rows| {
                Box::pin(async move {
                    let read = rows.write(async |work: &mut Work| {
                        work.read_meters_beside(&[[7; 32]], &[[7; 32]]).await
                    });
                    let (charged, looked_at) = read.await.unwrap();
                    charged.into_iter().chain(looked_at).flatten().count()
                })
            }],
        ),
        (
            "look_at_meters",
            &[
                |rows| {
                    Box::pin(async move {
                        let read = rows.look_at_meters(&[[7; 32]]).await.unwrap();
                        read.into_iter().flatten().count()
                    })
                },
                |rows| {
                    Box::pin(async move {
                        let read = rows
                            .write(async |work: &mut Work| work.look_at_meters(&[[7; 32]]).await);
                        read.await.unwrap().into_iter().flatten().count()
                    })
                },
            ],
        ),
        (
            "search_events",
            &[|rows| {
                Box::pin(async move {
                    let query = events(EventRange::NewestFirst(Page::ALL));
                    match rows.search_events(&query, 10).await.unwrap() {
                        Searched::Found(listed) => listed.items.len(),
                        Searched::GaveUp(at) => panic!("given up at {at}"),
                    }
                })
            }],
        ),
        // Another tenant's meter keeps nobody from writing an event; nothing is written here by either.
        (
            "add_event_unless_counted",
            &[|rows| {
                Box::pin(async move {
                    let added = rows.write(async |work: &mut Work| {
                        let event = rows::event(77);
                        let added = work
                            .add_event_unless_counted(&event, &[[7; 32]], rows::at(0))
                            .await?;
                        if added {
                            Err(StoreError::Refused(String::new()))
                        } else {
                            Ok(1)
                        }
                    });
                    added.await.unwrap_or_default()
                })
            }],
        ),
        (
            "set_tenant",
            &[|rows| {
                Box::pin(async move {
                    let written = rows.write(async |work: &mut Work| {
                        let id = work.tenant_id().as_str().to_owned();
                        let domain = format!("{id}.example.com");
                        work.set_tenant(&rows::tenant(&id, &domain)).await
                    });
                    usize::from(written.await.unwrap() == storage::Written::Done)
                })
            }],
        ),
        write!(set_client(&rows::client("client")), storage::Written::Done),
        write!(
            set_resource_server(&rows::resource_server("rs", "https://api")),
            storage::Written::Done
        ),
        write!(
            set_client_grant(&rows::grant("cgr", "client", "https://api")),
            true
        ),
        write!(
            set_connection(&rows::connection("con", "Users")),
            storage::Written::Done
        ),
        write!(
            set_user(&rows::user("auth0|1", "con", "ana@example.com")),
            storage::Written::Done
        ),
        (
            "record_login",
            &[|rows| {
                Box::pin(async move {
                    let id = UserId::new("auth0|1");
                    let before = rows
                        .find_user(&id)
                        .await
                        .unwrap()
                        .map(|user| user.logins_count);
                    let login = rows.write(async |work: &mut Work| {
                        work.record_login(&UserId::new("auth0|1"), rows::at(1), "192.0.2.1")
                            .await
                    });
                    login.await.unwrap();
                    usize::from(
                        rows.find_user(&id)
                            .await
                            .unwrap()
                            .map(|user| user.logins_count)
                            != before,
                    )
                })
            }],
        ),
        (
            "claim_mails",
            &[|rows| {
                Box::pin(async move {
                    let lease_end = rows::at(200);
                    let claimed = rows.claim_mails(rows::at(100), 9, lease_end).await;
                    claimed.unwrap().len()
                })
            }],
        ),
        write!(
            retry_mail(&rows::claimed_mail("m1"), rows::at(100), "later"),
            Settled::Done
        ),
        write!(remove_failed_mail(&rows::claimed_mail("m1")), Settled::Done),
        write!(remove_sent_mail("m2"), Settled::Done),
        (
            "claim_log_stream",
            &[|rows| {
                Box::pin(async move {
                    let (seen, later) = (rows::log_stream("lst_1"), rows::at(200));
                    let claimed = rows.claim_log_stream(&seen, rows::at(100), later, later);
                    claimed.await.unwrap().into_iter().count()
                })
            }],
        ),
        (
            "settle_log_stream",
            &[|rows| {
                Box::pin(async move {
                    let settled = rows.write(async |work: &mut Work| {
                        let claim = LogStreamClaim {
                            id: LogStreamId::new("lst_1"),
                            epoch: 1,
                        };
                        let outcome = LogStreamOutcome::Passed {
                            position: rows::log_id(1),
                            delivered: 1,
                        };
                        work.settle_log_stream(&claim, &outcome, rows::at(150), rows::at(200))
                            .await
                    });
                    settled.await.unwrap().into_iter().count()
                })
            }],
        ),
        write!(
            set_log_stream(&rows::log_stream("lst_1"), None),
            storage::Written::Done
        ),
        write!(remove_log_stream(&LogStreamId::new("lst_1")), true),
        write!(
            set_email_provider(&rows::email_provider()),
            storage::Written::Done
        ),
        write!(
            set_email_template(&rows::email_template_record("verify_email")),
            storage::Written::Done
        ),
        write!(remove_email_provider(), true),
        (
            "take_ticket",
            &[|rows| {
                Box::pin(async move {
                    let taken = rows.write(async |work: &mut Work| {
                        work.take_ticket(TicketKind::Unblock, &[1; 32], rows::at(0))
                            .await
                    });
                    taken.await.unwrap().into_iter().count()
                })
            }],
        ),
        (
            "remove_tickets_of_user",
            &[|rows| {
                Box::pin(async move {
                    let removed = rows.write(async |work: &mut Work| {
                        work.remove_tickets_of_user(&UserId::new("auth0|1"), TicketKind::Unblock)
                            .await
                    });
                    removed.await.unwrap() as usize
                })
            }],
        ),
        (
            "remove_expired_tickets",
            &[|rows| {
                Box::pin(async move {
                    rows.remove_expired_tickets(rows::at(1_000_000), 9)
                        .await
                        .unwrap() as usize
                })
            }],
        ),
        (
            "take_digest",
            &[|rows| {
                Box::pin(async move {
                    // A first one is taken by anybody, and leaves a row.
                    let Some(known) = rows.find_digest("daily").await.unwrap() else {
                        return 0;
                    };
                    let taken = rows.write(async move |work: &mut Work| {
                        work.take_digest("daily", known + 1).await
                    });
                    let before = Some(known);
                    usize::from(taken.await.unwrap() == TakenDigest::Taken { before })
                })
            }],
        ),
        write!(remove_breaches_before(9), 1),
        (
            "move_log_mark",
            &[|rows| {
                Box::pin(async move {
                    // A first one is made by anybody, and leaves a row.
                    let Some(known) = rows.find_log_mark(LogMark::Counted).await.unwrap() else {
                        return 0;
                    };
                    let next = LogId::new(format!("{known}0"));
                    let moved = rows.write(async move |work: &mut Work| {
                        work.move_log_mark(LogMark::Counted, Some(&known), &next)
                            .await
                    });
                    usize::from(moved.await.unwrap())
                })
            }],
        ),
        (
            "drop_events",
            &[|rows| {
                Box::pin(async move {
                    // It leaves a mark, where there are events to drop or not.
                    let (first, last) = (LogId::new(""), rows::log_id(9));
                    if rows
                        .list_log_ids(&first, &last, 9)
                        .await
                        .unwrap()
                        .is_empty()
                    {
                        return 0;
                    }
                    let dropped = rows.write(async move |work: &mut Work| {
                        work.drop_events(&first, &last, &[]).await
                    });
                    dropped.await.unwrap() as usize
                })
            }],
        ),
        write!(remove_user(&UserId::new("auth0|1")), true),
        write!(remove_connection(&ConnectionId::new("con")), true),
        write!(remove_client_grant(&ClientGrantId::new("cgr")), true),
        write!(remove_client(&ClientId::new("client")), true),
        write!(remove_resource_server(&ResourceServerId::new("rs")), true),
        write!(close_tenant(), true),
        write!(remove_tenant(), true),
        (
            "remove_expired_access_tokens",
            &[|rows| {
                Box::pin(async move {
                    rows.remove_expired_access_tokens(rows::at(1_000_000), 9)
                        .await
                        .unwrap() as usize
                })
            }],
        ),
        (
            "remove_expired_jobs",
            &[|rows| {
                Box::pin(async move {
                    rows.remove_expired_jobs(rows::at(1_000_000), 9)
                        .await
                        .unwrap() as usize
                })
            }],
        ),
        (
            "take_expired_meters",
            &[|rows| {
                Box::pin(async move {
                    let at = rows::at(99_000_000_000);
                    let taken = rows
                        .write(async move |work: &mut Work| work.take_expired_meters(at, 9).await);
                    taken.await.unwrap().len()
                })
            }],
        ),
        (
            "remove_rows",
            &[|rows| Box::pin(async move { rows.remove_rows().await.unwrap() as usize })],
        ),
    ]
}

/// Adds one of everything; each is new in its tenant, whatever another has.
const ADDED: [&str; 22] = [
    "add_tenant",
    "add_client",
    "add_resource_server",
    "add_client_grant",
    "add_connection",
    "add_user",
    "add_events",
    "add_past_events",
    "add_breach",
    "add_day_counts",
    "note_active_users",
    "add_signing_key",
    "add_access_token",
    "write_meters",
    "enqueue_mail",
    "add_email_provider",
    "add_email_template",
    "add_ticket",
    "sign_up",
    "remember_password",
    "add_job",
    "add_log_stream",
];

async fn furnish(rows: &TenantStore) {
    rows.write(async move |work: &mut Work| {
        let id = work.tenant_id().as_str().to_owned();
        let added = [
            work.add_tenant(&rows::tenant(&id, &format!("{id}.example.com")))
                .await?,
            work.add_client(&rows::client("client")).await?,
            work.add_resource_server(&rows::resource_server("rs", "https://api"))
                .await?,
            work.add_client_grant(&rows::grant("cgr", "client", "https://api"))
                .await?,
            work.add_connection(&rows::connection("con", "Users"))
                .await?,
            work.add_user(&rows::user("auth0|1", "con", "ana@example.com"))
                .await?,
            work.add_signing_key(&rows::signing_key("kid", SigningKeyState::Current))
                .await?,
            work.add_email_provider(&rows::email_provider()).await?,
            work.add_email_template(&rows::email_template("verify_email"))
                .await?,
            work.add_log_stream(&rows::log_stream("lst_1")).await?,
        ];
        assert_eq!(added, [Added::Done; 10]);
        work.add_ticket(&rows::ticket(1)).await?;
        let of_another_kind = TicketRecord {
            kind: TicketKind::PasswordReset,
            ..rows::ticket(2)
        };
        work.add_ticket(&of_another_kind).await?;
        work.add_events(&[rows::event(1), rows::decision(2, "brute_force")])
            .await?;
        work.add_breach(&rows::breach(1, 0, true)).await?;
        work.take_digest("daily", 1).await?;
        work.move_log_mark(LogMark::Counted, None, &rows::log_id(0))
            .await?;
        work.add_day_counts(&rows::day_counts(1), rows::at(0))
            .await?;
        work.note_active_users(1, &[UserId::new("auth0|1")]).await?;
        work.add_access_token(&rows::access_token(1)).await?;
        let eve = Identifier::of("eve@example.com");
        let signed_up = rows::user("auth0|3", "con", eve.as_str());
        let signed_up = work.sign_up(&signed_up, &eve, None).await?;
        assert_eq!(signed_up, SignedUp::Done);
        let ana = UserId::new("auth0|1");
        work.remember_password(&ana, "hash", rows::at(0), 3).await?;
        work.add_job(&rows::job("job_1")).await?;
        work.enqueue_mail(&rows::mail("m1", 0)).await?;
        work.enqueue_mail(&rows::mail("m2", 0)).await?;
        work.write_meters(&[MeterWrite {
            revision_read: 0,
            ..rows::meter([7; 32])
        }])
        .await
    })
    .await
    .unwrap();
}

/// Rows of each table that the schema says has tenants: of the one, of the other.
fn counts(stage: &Stage) -> BTreeMap<String, [usize; 2]> {
    let of_both = |table: &str, count: &dyn Fn(&str) -> String| {
        ["ten_one", "ten_other"].map(|tenant| {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE tenant_id = '{tenant}'");
            count(&sql).parse().unwrap()
        })
    };
    if stage.engine == Engine::Sqlite {
        let database = rusqlite::Connection::open(stage.path()).unwrap();
        let sql = "SELECT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
                   WHERE t.type = 'table' AND c.name = 'tenant_id'";
        let mut select = database.prepare(sql).unwrap();
        let tables = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let count = |sql: &str| {
            let number = database.query_row(sql, [], |row| row.get::<_, i64>(0));
            number.unwrap().to_string()
        };
        let tables = tables.map(Result::unwrap);
        return tables
            .map(|table| (table.clone(), of_both(&table, &count)))
            .collect();
    }
    let tables = stage.sql(
        "SELECT table_name FROM information_schema.columns \
         WHERE table_schema = 'public' AND column_name = 'tenant_id'",
    );
    let count = |sql: &str| stage.sql(sql);
    tables
        .lines()
        .map(|table| (table.to_owned(), of_both(table, &count)))
        .collect()
}

both_engines! {
    async fn the_handle_of_another_tenant_sees_and_changes_nothing(stage: Stage) {
        furnish(&stage.rows).await;
        for (name, asks) in asked() {
            for ask in asks {
                assert_eq!(ask(stage.other.clone()).await, 0, "{name} through another tenant's handle");
            }
        }
        for (name, asks) in asked() {
            for ask in asks {
                assert!(ask(stage.rows.clone()).await > 0, "{name} through the owner's handle");
            }
        }
    }

    async fn of_a_tenant_that_is_removed_nothing_stays(stage: Stage) {
        furnish(&stage.rows).await;
        furnish(&stage.other).await;
        let before = counts(&stage);
        assert!(before.len() >= 14, "{before:?}");
        assert!(before.values().all(|&[own, others]| own > 0 && own == others), "{before:?}");

        // As the command does it: closed first, and the tenant itself last.
        assert!(stage.rows.write(async |work: &mut Work| work.close_tenant().await).await.unwrap());
        assert_eq!(stage.store.find_tenant_by_host("ten_one.example.com").await, Ok(None));
        assert!(stage.rows.find_tenant().await.unwrap().is_some(), "it can be found again");
        assert!(stage.rows.remove_rows().await.unwrap() >= 10);
        let removed = stage.rows.write(async |work: &mut Work| work.remove_tenant().await).await;
        assert!(removed.unwrap());

        let expected = before.into_iter().map(|(table, [_, others])| (table, [0, others])).collect();
        assert_eq!(counts(&stage), expected);
        for (name, asks) in asked() {
            for ask in asks {
                assert_eq!(ask(stage.rows.clone()).await, 0, "{name} of a tenant that is gone");
            }
        }
        assert_eq!(stage.rows.remove_rows().await.unwrap(), 0);
        for (name, asks) in asked() {
            for ask in asks {
                assert!(ask(stage.other.clone()).await > 0, "{name} of the tenant that stays");
            }
        }
    }

    async fn two_tenants_may_have_rows_of_the_same_names(stage: Stage) {
        furnish(&stage.rows).await;
        furnish(&stage.other).await;
        let before = stage.other.find_user(&UserId::new("auth0|1")).await.unwrap();
        for (_, asks) in asked() {
            for ask in asks {
                ask(stage.rows.clone()).await;
            }
        }
        assert_eq!(stage.other.find_user(&UserId::new("auth0|1")).await.unwrap(), before);
        for (name, asks) in asked() {
            for ask in asks {
                assert!(ask(stage.other.clone()).await > 0, "{name}");
            }
        }
    }
}

#[test]
fn the_list_has_every_function() {
    let mut declared = BTreeSet::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut declared,
    );
    assert!(declared.len() > 40, "{declared:?}");
    let listed: BTreeSet<String> = asked()
        .iter()
        .map(|(name, _)| *name)
        .chain(ADDED)
        .map(str::to_owned)
        .collect();
    // Of the deployment, or no query.
    let others = [
        "write",
        "open",
        "migrate",
        "pending_migrations",
        "check",
        "check_durability",
        "ports",
        "clock",
        "find_check_value",
        "set_check_value",
        "find_tenant_by_host",
        "list_tenants",
        "list_tenants_with_due_mail",
        "list_active_log_streams",
        "count_queued_mails",
    ];
    let missing: Vec<_> = declared
        .difference(&listed)
        .filter(|name| !others.contains(&name.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "not shown to respect tenants: {missing:?}"
    );
    assert!(
        listed.is_subset(&declared),
        "{:?}",
        listed.difference(&declared).collect::<Vec<_>>()
    );
}

/// Names of public functions: `pub async fn name(`, and `first name(` or `all name(` in `reads!`.
fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, names);
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let line = line.trim_start();
            let rest = ["pub async fn ", "first ", "all "]
                .iter()
                .find_map(|start| line.strip_prefix(start));
            let name = rest.and_then(|rest| rest.split(['(', '<']).next());
            if let Some(name) = name
                && name
                    .chars()
                    .all(|letter| letter.is_ascii_lowercase() || letter == '_')
            {
                names.insert(name.to_owned());
            }
        }
    }
}
