//! Statistics: added to once for each stretch of the log, and users who move from day to day.

use model::{EventType, LogId, UserId};
use storage::{Added, DayCounts, LogMark, TenantStore, Work};

use crate::both_engines;
use crate::rows;
use crate::stage::Stage;

async fn add_users(stage: &Stage, count: usize) -> Vec<UserId> {
    let mut users = Vec::new();
    for number in 0..count {
        let id = format!("auth0|{number}");
        let user = rows::user(&id, "con", &format!("user-{number}@example.com"));
        let added = stage
            .rows
            .write(async move |work: &mut Work| work.add_user(&user).await);
        assert_eq!(added.await.unwrap(), Added::Done);
        users.push(UserId::new(id));
    }
    users
}

/// One step of whoever follows the log: these users were active on a day.
async fn step(rows: &TenantStore, from: Option<i64>, to: i64, day: i64, users: &[UserId]) -> bool {
    let (from, to, users) = (from.map(rows::log_id), rows::log_id(to), users.to_vec());
    let stepped = rows.write(async move |work: &mut Work| {
        let moved = work.move_log_mark(LogMark::Counted, from.as_ref(), &to);
        if !moved.await? {
            return Ok(false);
        }
        let counts = DayCounts {
            logins: users.len() as u32,
            ..rows::day_counts(day)
        };
        work.add_day_counts(&counts, rows::at(99)).await?;
        work.note_active_users(day, &users).await?;
        Ok(true)
    });
    stepped.await.unwrap()
}

async fn active(rows: &TenantStore, since: i64) -> u64 {
    rows.count_active_users(since).await.unwrap().unwrap()
}

async fn remove(rows: &TenantStore, user: &UserId) {
    let user = user.clone();
    let removed = rows.write(async move |work: &mut Work| work.remove_user(&user).await);
    assert!(removed.await.unwrap());
}

both_engines! {
    async fn heads_are_read_in_order_from_one_event_to_another(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            let mut events: Vec<_> = (0..5).rev().map(rows::event).collect();
            events[0].user_id = None;
            work.add_events(&events).await
        }).await.unwrap();
        let heads = stage.rows.list_log_heads(&rows::log_id(0), &rows::log_id(4), 3).await.unwrap();
        assert_eq!(heads.iter().map(|head| head.log_id.clone()).collect::<Vec<_>>(), [1, 2, 3].map(rows::log_id));
        assert_eq!((heads[0].date, heads[0].event_type), (rows::at(1), Some(EventType::WrongPassword)));
        let all = stage.rows.list_log_heads(&LogId::new(""), &rows::log_id(4), 9).await.unwrap();
        assert_eq!((all.len(), &all[4].user_id), (5, &None));

        stage.sql("UPDATE events SET event_type = 'of_a_later_version'");
        let heads = stage.rows.list_log_heads(&rows::log_id(0), &rows::log_id(4), 1).await.unwrap();
        assert_eq!(heads[0].event_type, None, "a follower does not stop at it");
    }

    async fn figures_of_a_day_are_added_up(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            work.add_day_counts(&rows::day_counts(5), rows::at(10)).await?;
            work.add_day_counts(&rows::day_counts(5), rows::at(20)).await?;
            work.add_day_counts(&rows::day_counts(-1), rows::at(20)).await
        }).await.unwrap();
        let days = stage.rows.list_daily_statistics(-1, 5).await.unwrap();
        let figures: Vec<_> = days.iter().map(|day| (day.day, day.logins, day.signups)).collect();
        assert_eq!(figures, [(-1, 1, 2), (5, 2, 4)]);
        assert_eq!((days[1].created_at, days[1].updated_at), (rows::at(5), rows::at(20)));
        assert_eq!(stage.rows.list_daily_statistics(0, 4).await, Ok(vec![]));
    }

    async fn of_many_who_count_the_same_events_one_does(stage: Stage) {
        let users = add_users(&stage, 3).await;
        for (from, to) in [(None, 1), (Some(1), 2)] {
            let steps = (0..10).map(|_| step(&stage.rows, from, to, 7, &users));
            let counted = futures_util::future::join_all(steps).await;
            assert_eq!(counted.into_iter().filter(|counted| *counted).count(), 1);
        }
        assert!(!step(&stage.rows, Some(1), 2, 7, &users).await, "of an old mark nothing counts");
        let days = stage.rows.list_daily_statistics(7, 7).await.unwrap();
        assert_eq!(days[0].logins, 6);
        assert_eq!(active(&stage.rows, 7).await, 3);
    }

    async fn a_user_counts_once_however_many_days_he_comes(stage: Stage) {
        let users = add_users(&stage, 5).await;
        assert!(step(&stage.rows, None, 1, 10, &users[..3]).await);
        assert_eq!(active(&stage.rows, 10).await, 3);
        assert!(step(&stage.rows, Some(1), 2, 11, &users[2..]).await);
        assert_eq!((active(&stage.rows, 10).await, active(&stage.rows, 11).await), (5, 3));
        assert!(step(&stage.rows, Some(2), 3, 10, &users).await, "days may come in any order");
        assert_eq!((active(&stage.rows, 10).await, active(&stage.rows, 11).await), (5, 3));
        assert!(step(&stage.rows, Some(3), 4, 12, &[UserId::new("auth0|gone"), users[0].clone()]).await);
        assert_eq!(active(&stage.rows, 10).await, 5, "who is gone does not count");
        assert_eq!((active(&stage.rows, 11).await, active(&stage.rows, 12).await), (4, 1));
    }

    async fn a_user_who_is_removed_is_no_active_one(stage: Stage) {
        let users = add_users(&stage, 3).await;
        remove(&stage.rows, &users[2]).await;
        assert_eq!(active(&stage.rows, 0).await, 0, "nothing was counted by then");
        let mark = stage.rows.find_log_mark(LogMark::Counted).await.unwrap();
        assert_eq!(mark, Some(LogId::new("")), "held by who removes, before the first event");
        let users = users[..2].to_vec();
        let moved = stage.rows.write(async move |work: &mut Work| {
            work.move_log_mark(LogMark::Counted, Some(&LogId::new("")), &rows::log_id(1)).await?;
            work.add_day_counts(&rows::day_counts(3), rows::at(0)).await?;
            work.note_active_users(3, &users).await
        });
        moved.await.unwrap();
        assert_eq!(active(&stage.rows, 3).await, 2);
        remove(&stage.rows, &UserId::new("auth0|0")).await;
        assert_eq!(active(&stage.rows, 3).await, 1);
    }

    async fn removing_users_while_they_are_counted_leaves_no_ghosts(stage: Stage) {
        let users = add_users(&stage, 24).await;
        assert!(step(&stage.rows, None, 1, 1, &users[..12]).await);
        let counting = async {
            for number in 1..12 {
                assert!(step(&stage.rows, Some(number), number + 1, 1 + number, &users).await);
            }
        };
        let removing = async {
            for user in users.iter().step_by(2) {
                remove(&stage.rows, user).await;
            }
        };
        tokio::join!(counting, removing);
        assert_eq!((active(&stage.rows, 0).await, active(&stage.rows, 12).await), (12, 12));
    }
}
