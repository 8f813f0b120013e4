//! Races: what may happen once happens once, however many try at the same time.

use std::future::Future;

use futures_util::future::join_all;
use jiff::Timestamp;
use model::{ClientId, ConnectionId, Identifier, UserId};
use storage::{
    Added, MeterKey, MeterWrite, SigningKeyState, StoreError, TenantStore, Work, Written,
};

use crate::both_engines;
use crate::rows;

/// Runs so many at once, on several threads.
#[expect(clippy::disallowed_methods, reason = "the racers end within the test")]
async fn race<T, F>(count: usize, racer: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let racers: Vec<_> = (0..count)
        .map(|number| tokio::spawn(racer(number)))
        .collect();
    join_all(racers)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

/// Charges every meter while each is below the budget; whether it did.
pub(crate) async fn charge(
    rows: &TenantStore,
    keys: Vec<MeterKey>,
    budget: u32,
) -> Result<bool, StoreError> {
    rows.write(async move |work: &mut Work| {
        let read = work.read_meters(&keys).await?;
        let mut writes = Vec::new();
        for (key, before) in keys.iter().zip(read) {
            let (mut row, revision_read) = before.unwrap_or_default();
            if row.charged >= budget {
                return Ok(false);
            }
            row.charged += 1;
            row.written_at = row.written_at.max(rows::at(0));
            writes.push(MeterWrite {
                row,
                revision_read,
                ..rows::meter(*key)
            });
        }
        work.write_meters(&writes).await?;
        Ok(true)
    })
    .await
}

fn admitted(outcomes: &[Result<bool, StoreError>]) -> usize {
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    outcomes
        .iter()
        .filter(|outcome| **outcome == Ok(true))
        .count()
}

both_engines! {
    async fn a_hundred_charges_of_one_meter_pass_exactly_as_often_as_the_budget_says(stage: Stage) {
        let outcomes = race(100, |_| {
            let rows = stage.rows.clone();
            async move { charge(&rows, vec![[7; 32]], 10).await }
        }).await;
        assert_eq!(admitted(&outcomes), 10);
        let meters = stage.rows.list_meters_of_account(&[1; 32]).await.unwrap();
        assert_eq!(meters.iter().map(|meter| meter.row.charged).collect::<Vec<_>>(), [10]);
    }

    async fn charges_of_several_meters_take_all_or_none(stage: Stage) {
        let outcomes = race(100, |number| {
            let rows = stage.rows.clone();
            // One shared by all, one of five, in both orders.
            let own = [10 + (number % 5) as u8; 32];
            let keys = if number % 2 == 0 { vec![[1; 32], own] } else { vec![own, [1; 32]] };
            async move { charge(&rows, keys, 7).await }
        }).await;
        assert_eq!(admitted(&outcomes), 7);
        let meters = stage.rows.list_meters_of_account(&[1; 32]).await.unwrap();
        let charged: u32 = meters.iter().map(|meter| meter.row.charged).sum();
        assert_eq!(charged, 14, "{meters:?}");
    }

    async fn the_guard_holds_where_rows_were_read_without_a_lock(stage: Stage) {
        let outcomes = race(40, |_| {
            let rows = stage.rows.clone();
            async move {
                loop {
                    // Read outside of the unit: by the time of the write anybody may have been here.
                    let before = rows.list_meters_of_account(&[1; 32]).await?.into_iter().next();
                    let (mut row, revision_read) =
                        before.map(|meter| (meter.row, meter.revision)).unwrap_or_default();
                    if row.charged >= 10 {
                        return Ok(false);
                    }
                    row.charged += 1;
                    row.written_at = rows::at(0);
                    let write = MeterWrite { row, revision_read, ..rows::meter([7; 32]) };
                    let written = rows.write(async move |work: &mut Work| work.write_meters(std::slice::from_ref(&write)).await);
                    match written.await {
                        Ok(()) => return Ok(true),
                        Err(StoreError::Contended) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }).await;
        assert_eq!(admitted(&outcomes), 10);
    }

    async fn every_mail_is_claimed_by_one_of_many(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            for number in 0..60 {
                work.enqueue_mail(&rows::mail(&format!("m{number:02}"), 0)).await?;
            }
            Ok(())
        }).await.unwrap();
        let outcomes = race(20, |_| {
            let rows = stage.rows.clone();
            async move {
                let mut claimed = Vec::new();
                loop {
                    let more = rows.claim_mails(rows::at(1), 4, rows::at(100)).await.unwrap();
                    if more.is_empty() {
                        return claimed;
                    }
                    claimed.extend(more);
                }
            }
        }).await;
        let mut claimed: Vec<_> = outcomes.into_iter().flatten().collect();
        // A loser of the race for the last ones may have gone empty-handed while others were still claiming.
        claimed.extend(stage.rows.claim_mails(rows::at(1), 60, rows::at(100)).await.unwrap());
        assert!(claimed.iter().all(|claimed| claimed.attempt == 1), "{claimed:?}");
        let mut ids: Vec<_> = claimed.into_iter().map(|claimed| claimed.mail.mail_id).collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..60).map(|number| format!("m{number:02}")).collect::<Vec<_>>());
    }

    async fn one_of_many_gets_an_identifier(stage: Stage) {
        let outcomes = race(30, |number| {
            let rows = stage.rows.clone();
            async move {
                let mut user = rows::user(&format!("auth0|{number}"), "con_1", "ana@example.com");
                user.identifiers.push(Identifier::of(&format!("ana{number}")));
                rows.write(async move |work: &mut Work| work.add_user(&user).await).await.unwrap()
            }
        }).await;
        assert_eq!(outcomes.iter().filter(|added| **added == Added::Done).count(), 1);
        assert!(outcomes.iter().all(|added| *added != Added::IdTaken));
        let users = stage.rows.find_users_by_email(&Identifier::of("ana@example.com")).await.unwrap();
        assert_eq!(users.len(), 1);
        let winner = outcomes.iter().position(|added| *added == Added::Done).unwrap();
        for number in 0..30 {
            let connection = ConnectionId::new("con_1");
            let found = stage.rows.find_user_by_identifier(&connection, &Identifier::of(&format!("ana{number}"))).await;
            assert_eq!(found.unwrap().is_some(), number == winner, "losers leave nothing behind");
        }
        let mix = stage.rows.list_password_mix(&ConnectionId::new("con_1")).await.unwrap();
        assert_eq!(mix, [("argon2id-64-1-1".to_owned(), 1)]);
    }

    async fn users_who_swap_identifiers_never_share_one(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            for number in 0..4 {
                work.add_user(&rows::user(&format!("auth0|{number}"), "con_1", &format!("u{number}@example.com"))).await?;
            }
            Ok(())
        }).await.unwrap();
        let outcomes = race(40, |number| {
            let rows = stage.rows.clone();
            async move {
                let id = UserId::new(format!("auth0|{}", number % 4));
                let mut user = rows.find_user(&id).await.unwrap().unwrap();
                user.identifiers.push(Identifier::of("wanted"));
                rows.write(async move |work: &mut Work| work.set_user(&user).await).await.unwrap()
            }
        }).await;
        let owner = stage.rows.find_user_by_identifier(&ConnectionId::new("con_1"), &Identifier::of("wanted")).await;
        let owner = owner.unwrap().unwrap();
        assert!(owner.identifiers.contains(&Identifier::of("wanted")));
        assert!(outcomes.contains(&Written::IdentifierTaken));
        for number in 0..4 {
            let user = stage.rows.find_user(&UserId::new(format!("auth0|{number}"))).await.unwrap().unwrap();
            let has = user.identifiers.contains(&Identifier::of("wanted"));
            assert_eq!(has, user.user.user_id == owner.user.user_id);
        }
    }

    async fn one_of_many_changes_of_the_same_version_is_done(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            work.add_client(&rows::client("a")).await?;
            work.add_connection(&rows::connection("con_1", "Users")).await?;
            work.add_resource_server(&rows::resource_server("rs", "https://api")).await?;
            work.add_user(&rows::user("auth0|1", "con_1", "ana@example.com")).await?;
            work.add_tenant(&rows::tenant("ten_one", "one.example.com")).await
        }).await.unwrap();
        let outcomes = race(20, |number| {
            let rows = stage.rows.clone();
            async move {
                rows.write(async move |work: &mut Work| {
                    let mut tenant = rows::tenant("ten_one", "one.example.com");
                    tenant.aliases = vec![format!("{number}.example.com")];
                    Ok([
                        work.set_client(&rows::client("a")).await?,
                        work.set_connection(&rows::connection("con_1", "Users")).await?,
                        work.set_resource_server(&rows::resource_server("rs", "https://api")).await?,
                        work.set_user(&rows::user("auth0|1", "con_1", "ana@example.com")).await?,
                        work.set_tenant(&tenant).await?,
                    ])
                }).await.unwrap()
            }
        }).await;
        for what in 0..5 {
            let done = outcomes.iter().filter(|written| written[what] == Written::Done).count();
            let moved = outcomes.iter().filter(|written| written[what] == Written::Moved).count();
            assert_eq!((done, moved), (1, 19), "{what}");
        }
        assert_eq!(stage.rows.find_client(&ClientId::new("a")).await.unwrap().unwrap().version, 2);
    }

    async fn one_of_many_gets_a_name_an_audience_a_host_or_the_current_key(stage: Stage) {
        let outcomes = race(20, |number| {
            let (rows, store) = (stage.rows.clone(), stage.store.clone());
            async move {
                let tenant = rows::tenant(&format!("ten_{number}"), "one.example.com");
                let host = store.add_tenant(&tenant).await.unwrap();
                let check = store.set_check_value(&[number as u8]).await.unwrap();
                let rest = rows.write(async move |work: &mut Work| {
                    let id = number.to_string();
                    Ok([
                        work.add_connection(&rows::connection(&id, "Users")).await?,
                        work.add_resource_server(&rows::resource_server(&id, "https://api")).await?,
                        work.add_client_grant(&rows::grant(&id, "client", "https://api")).await?,
                        work.add_signing_key(&rows::signing_key(&id, SigningKeyState::Current)).await?,
                    ])
                }).await.unwrap();
                (host, check, rest)
            }
        }).await;
        type Outcome = (Added, Vec<u8>, [Added; 4]);
        let done = |of: &dyn Fn(&Outcome) -> Added| {
            let taken = outcomes.iter().filter(|outcome| of(outcome) == Added::IdentifierTaken).count();
            let done = outcomes.iter().filter(|outcome| of(outcome) == Added::Done).count();
            (done, taken)
        };
        assert_eq!(done(&|outcome| outcome.0), (1, 19));
        for what in 0..4 {
            assert_eq!(done(&|outcome| outcome.2[what]), (1, 19), "{what}");
        }
        assert!(outcomes.iter().all(|outcome| outcome.1 == outcomes[0].1), "all answer the one that is kept");
        assert_eq!(stage.store.list_tenants().await.unwrap().len(), 1);
    }

    async fn logins_are_counted_while_the_user_is_changed(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            let mut user = rows::user("auth0|1", "con_1", "ana@example.com");
            user.logins_count = 0;
            work.add_user(&user).await
        }).await.unwrap();
        race(60, |number| {
            let rows = stage.rows.clone();
            async move {
                let id = UserId::new("auth0|1");
                if number % 3 == 0 {
                    let mut user = rows.find_user(&id).await.unwrap().unwrap();
                    user.user.name = Some(number.to_string());
                    rows.write(async move |work: &mut Work| work.set_user(&user).await).await.unwrap();
                } else {
                    rows.write(async move |work: &mut Work| work.record_login(&id, rows::at(9), "192.0.2.9").await)
                        .await
                        .unwrap();
                }
            }
        }).await;
        let user = stage.rows.find_user(&UserId::new("auth0|1")).await.unwrap().unwrap();
        assert_eq!((user.logins_count, user.last_login), (40, Some(rows::at(9))));
        assert!(user.version > 1);
    }

    async fn the_mix_counts_every_user_while_many_come_and_go(stage: Stage) {
        race(40, |number| {
            let rows = stage.rows.clone();
            async move {
                let id = UserId::new(format!("auth0|{number}"));
                let mut user = rows::user(id.as_str(), "con_1", &format!("u{number}@example.com"));
                let added = user.clone();
                rows.write(async move |work: &mut Work| work.add_user(&added).await).await.unwrap();
                match number % 4 {
                    0 => {}
                    1 => {
                        rows.write(async move |work: &mut Work| work.remove_user(&id).await).await.unwrap();
                    }
                    2 => {
                        user.password_scheme = Some("bcrypt-10".to_owned());
                        rows.write(async move |work: &mut Work| work.set_user(&user).await).await.unwrap();
                    }
                    _ => {
                        user.password_scheme = None;
                        rows.write(async move |work: &mut Work| work.set_user(&user).await).await.unwrap();
                    }
                }
            }
        }).await;
        let mix = stage.rows.list_password_mix(&ConnectionId::new("con_1")).await.unwrap();
        assert_eq!(mix, [("argon2id-64-1-1".to_owned(), 10), ("bcrypt-10".to_owned(), 10)]);
    }

    async fn a_sweep_takes_no_meter_that_is_charged_at_the_same_time(stage: Stage) {
        let expired: Timestamp = rows::at(0);
        let later = rows::at(7_200_000_000);
        for key in 0..10 {
            let write = MeterWrite { expires_at: expired, ..rows::meter([key; 32]) };
            stage.rows.write(async move |work: &mut Work| work.write_meters(std::slice::from_ref(&write)).await).await.unwrap();
        }
        let swept_at = later;
        let outcomes = race(20, |number| {
            let rows = stage.rows.clone();
            async move {
                if number >= 10 {
                    let taken = rows.write(async move |work: &mut Work| work.take_expired_meters(swept_at, 3).await);
                    return taken.await.map(|_| false);
                }
                let key = [number as u8; 32];
                rows.write(async move |work: &mut Work| {
                    let (row, revision_read) = work.read_meters(&[key]).await?.remove(0).unwrap_or_default();
                    let expires_at = later + std::time::Duration::from_secs(7_200);
                    let row = guard::Row { failed: 9, ..row };
                    work.write_meters(&[MeterWrite { row, revision_read, expires_at, ..rows::meter(key) }]).await?;
                    Ok(true)
                }).await
            }
        }).await;
        assert_eq!(admitted(&outcomes), 10);
        let meters = stage.rows.list_meters_of_account(&[1; 32]).await.unwrap();
        assert_eq!(meters.iter().filter(|meter| meter.row.failed == 9).count(), 10);
    }
}
