//! Tallies of breached passwords, and digests that are taken once.

use storage::{BreachCount, TakenDigest, Work};

use crate::both_engines;
use crate::rows;

fn count(stage: &str, found: u64, refused: u64) -> BreachCount {
    BreachCount {
        stage: stage.to_owned(),
        found,
        refused,
    }
}

both_engines! {
    async fn tallies_are_summed_over_days_and_shards(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            for (day, shard, refused) in [(1, 0, true), (1, 0, false), (1, 7, true), (2, 3, true), (3, 0, true)] {
                work.add_breach(&rows::breach(day, shard, refused)).await?;
            }
            Ok(())
        }).await.unwrap();
        assert_eq!(stage.rows.count_breaches(1, 3).await, Ok(vec![count("login", 4, 3)]));
        assert_eq!(stage.rows.count_breaches(2, 3).await, Ok(vec![count("login", 1, 1)]));
        assert_eq!(stage.rows.count_breaches(4, 9).await, Ok(vec![]));
        let removed = stage.rows.write(async |work: &mut Work| work.remove_breaches_before(2).await);
        assert_eq!(removed.await, Ok(2));
        assert_eq!(stage.rows.count_breaches(0, 9).await, Ok(vec![count("login", 2, 2)]));
    }

    async fn many_at_once_are_all_counted(stage: Stage) {
        let adding = (0..40).map(|_| stage.rows.write(async |work: &mut Work| {
            work.add_breach(&rows::breach(1, 0, false)).await
        }));
        for added in futures_util::future::join_all(adding).await {
            added.unwrap();
        }
        assert_eq!(stage.rows.count_breaches(1, 2).await, Ok(vec![count("login", 40, 0)]));
    }

    async fn a_digest_is_taken_once_and_tells_up_to_where_the_last_one_told(stage: Stage) {
        use TakenDigest::{Spent, Taken};
        let take = async |until: i64| {
            stage.rows.write(async move |work: &mut Work| work.take_digest("daily", until).await).await.unwrap()
        };
        assert_eq!(take(5).await, Taken { before: None });
        assert_eq!(take(5).await, Spent);
        assert_eq!(take(4).await, Spent);
        assert_eq!(take(9).await, Taken { before: Some(5) });
        assert_eq!(stage.rows.find_digest("daily").await, Ok(Some(9)));
        assert_eq!(stage.rows.find_digest("weekly").await, Ok(None));
    }

    async fn of_many_who_take_a_digest_at_once_one_gets_it(stage: Stage) {
        for until in [5, 9] {
            let takers = (0..20).map(|_| stage.rows.write(async move |work: &mut Work| {
                work.take_digest("daily", until).await
            }));
            let taken = futures_util::future::join_all(takers).await;
            let got = taken.into_iter().filter(|taken| matches!(taken, Ok(TakenDigest::Taken { .. })));
            assert_eq!(got.count(), 1, "{until}");
        }
    }
}
