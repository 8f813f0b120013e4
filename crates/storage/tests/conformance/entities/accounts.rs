//! Signing somebody up, remembered passwords, and jobs that can be looked up.

use model::{Identifier, UserId};
use storage::{SignedUp, Work};

use crate::both_engines;
use crate::rows;

both_engines! {
    async fn a_sign_up_with_an_address_in_use_leaves_nothing_and_runs_the_same_statements(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            work.add_user(&rows::user("auth0|1", "con_1", "ana@example.com")).await.map(drop)
        }).await.unwrap();
        let mix = stage.rows.list_password_mix(&rows::user("auth0|1", "con_1", "x").connection_id).await.unwrap();
        let mut ran = Vec::new();
        for (id, email, expected) in [
            ("auth0|2", "ana@example.com", SignedUp::AddressTaken),
            ("auth0|3", "eve@example.com", SignedUp::Done),
        ] {
            let before = stage.store.statement_trace();
            let signed_up = stage.rows.write(async move |work: &mut Work| {
                let record = rows::user(id, "con_1", email);
                work.sign_up(&record, &Identifier::of(email), None).await
            });
            assert_eq!(signed_up.await, Ok(expected));
            let trace = stage.store.statement_trace().since(&before);
            let runs: Vec<(String, u64)> = trace.iter().map(|(text, tally)| (text.to_owned(), tally.runs)).collect();
            ran.push(runs);
        }
        assert_eq!(ran[0], ran[1]);
        assert_eq!(stage.rows.find_user(&UserId::new("auth0|2")).await, Ok(None));
        let connection = rows::user("auth0|1", "con_1", "x").connection_id;
        let ana = stage.rows.find_user_by_identifier(&connection, &Identifier::of("ana@example.com")).await.unwrap();
        assert_eq!(ana.unwrap().user.user_id.as_str(), "auth0|1");
        assert!(stage.rows.find_user(&UserId::new("auth0|3")).await.unwrap().is_some());
        let now = stage.rows.list_password_mix(&connection).await.unwrap();
        let total = |mix: &[(String, i64)]| mix.iter().map(|(_, users)| users).sum::<i64>();
        assert_eq!(total(&now), total(&mix) + 1);
        let decoy = Identifier::of("auth0|2 -");
        assert_eq!(stage.rows.find_user_by_identifier(&connection, &decoy).await, Ok(None));
    }

    async fn a_user_name_in_use_is_told_first_and_a_free_one_is_not_kept_with_an_address_in_use(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            let mut ana = rows::user("auth0|1", "con_1", "ana@example.com");
            ana.identifiers.push(Identifier::of("ana"));
            work.add_user(&ana).await.map(drop)
        }).await.unwrap();
        for (name, email, expected) in [
            ("ana", "ana@example.com", SignedUp::UsernameTaken),
            ("ana", "eve@example.com", SignedUp::UsernameTaken),
            ("eve", "ana@example.com", SignedUp::AddressTaken),
            ("eve", "eve@example.com", SignedUp::Done),
        ] {
            let signed_up = stage.rows.write(async move |work: &mut Work| {
                let mut record = rows::user("auth0|2", "con_1", email);
                record.identifiers = vec![Identifier::of(email), Identifier::of(name)];
                work.sign_up(&record, &Identifier::of(email), Some(&Identifier::of(name))).await
            });
            assert_eq!(signed_up.await, Ok(expected), "{name} {email}");
        }
    }

    async fn of_many_who_sign_up_with_one_address_at_once_one_does(stage: Stage) {
        let many = (0..20).map(|number| stage.rows.write(async move |work: &mut Work| {
            let record = rows::user(&format!("auth0|{number}"), "con_1", "eve@example.com");
            work.sign_up(&record, &Identifier::of("eve@example.com"), None).await
        }));
        let told = futures_util::future::join_all(many).await;
        let done = told.iter().filter(|told| **told == Ok(SignedUp::Done)).count();
        let taken = told.iter().filter(|told| **told == Ok(SignedUp::AddressTaken)).count();
        assert_eq!((done, taken), (1, 19), "{told:?}");
    }

    async fn the_latest_passwords_are_remembered_and_go_with_their_user(stage: Stage) {
        let user = UserId::new("auth0|1");
        stage.rows.write(async |work: &mut Work| {
            work.add_user(&rows::user("auth0|1", "con_1", "ana@example.com")).await?;
            for number in 0..5 {
                let hash = format!("hash {number}");
                work.remember_password(&UserId::new("auth0|1"), &hash, rows::at(number), 3).await?;
            }
            work.remember_password(&UserId::new("auth0|2"), "other", rows::at(0), 3).await
        }).await.unwrap();
        let remembered = stage.rows.list_password_history(&user).await.unwrap();
        assert_eq!(remembered, ["hash 4", "hash 3", "hash 2"]);
        let id = user.clone();
        stage.rows.write(async move |work: &mut Work| work.remove_user(&id).await).await.unwrap();
        assert!(stage.rows.list_password_history(&user).await.unwrap().is_empty());
        assert_eq!(stage.rows.list_password_history(&UserId::new("auth0|2")).await.unwrap(), ["other"]);
    }

    async fn a_job_is_kept_for_its_time(stage: Stage) {
        let job = rows::job("job_1");
        let added = job.clone();
        stage.rows.write(async move |work: &mut Work| work.add_job(&added).await).await.unwrap();
        assert_eq!(stage.rows.find_job("job_1", rows::at(99)).await, Ok(Some(job)));
        assert_eq!(stage.rows.find_job("job_1", rows::at(100)).await, Ok(None));
        assert_eq!(stage.rows.find_job("job_2", rows::at(0)).await, Ok(None));
        assert_eq!(stage.rows.remove_expired_jobs(rows::at(99), 10).await, Ok(0));
        assert_eq!(stage.rows.remove_expired_jobs(rows::at(100), 10).await, Ok(1));
    }
}
