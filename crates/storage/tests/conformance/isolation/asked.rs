//! Every function that looks for rows, as it is asked through a handle.

use std::future::Future;
use std::pin::Pin;

use model::{
    ClientGrantId, ClientId, ConnectionId, EventFilter, EventType, Identifier, LogId, LogStreamId,
    ResourceServerId, SubjectType, TicketKind, UserId,
};
use storage::{
    ConnectionFilter, DecisionFilter, EventQuery, EventRange, GrantFilter, LogMark, LogStreamClaim,
    LogStreamOutcome, Page, Searched, Settled, StoreError, TakenDigest, TenantStore, UserFilter,
    Work,
};

use crate::rows;

/// A function, asked through a handle: how many rows it saw or changed.
pub(super) type Ask = fn(TenantStore) -> Pin<Box<dyn Future<Output = usize> + Send>>;

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
pub(super) fn asked() -> Vec<(&'static str, &'static [Ask])> {
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
