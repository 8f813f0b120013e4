//! Users, their identifiers and the password mix.

use model::{ConnectionId, Identifier, UserId};
use storage::{Added, Page, UserFilter, Work, Written};

use crate::both_engines;
use crate::rows;

both_engines! {
    async fn a_user_is_kept_whole_and_found_by_each_identifier(stage: Stage) {
        let mut record = rows::user("auth0|1", "con_1", "Ana@Example.com");
        record.identifiers = vec![Identifier::of("ana@example.com"), Identifier::of("ANA")];
        let added = record.clone();
        let outcome = stage.rows.write(async move |work: &mut Work| {
            let mut same = rows::user("auth0|2", "con_1", "other@example.com");
            same.identifiers.push(Identifier::of("ana"));
            Ok([work.add_user(&added).await?, work.add_user(&added).await?, work.add_user(&same).await?])
        });
        assert_eq!(outcome.await, Ok([Added::Done, Added::IdTaken, Added::IdentifierTaken]));
        record.identifiers.sort_unstable_by(|left, right| left.as_str().cmp(right.as_str()));
        assert_eq!(stage.rows.find_user(&UserId::new("auth0|1")).await, Ok(Some(record.clone())));
        let connection = ConnectionId::new("con_1");
        for typed in ["ana@EXAMPLE.com", "ana"] {
            let found = stage.rows.find_user_by_identifier(&connection, &Identifier::of(typed)).await;
            assert_eq!(found, Ok(Some(record.clone())), "{typed}");
        }
        let elsewhere = ConnectionId::new("con_2");
        assert_eq!(stage.rows.find_user_by_identifier(&elsewhere, &Identifier::of("ana")).await, Ok(None));
        let found = stage.rows.find_user_by_identifier(&connection, &Identifier::of("other@example.com")).await;
        assert_eq!(found, Ok(None), "who was not added left nothing");
        let found = stage.rows.find_users_by_email(&Identifier::of("ANA@example.com")).await;
        assert_eq!(found, Ok(vec![record]));
    }

    async fn one_identifier_may_be_in_two_connections_and_twice_in_one_record(stage: Stage) {
        let outcome = stage.rows.write(async |work: &mut Work| {
            let mut twice = rows::user("auth0|1", "con_1", "ana@example.com");
            twice.identifiers.push(Identifier::of("ana@example.com"));
            Ok([
                work.add_user(&twice).await?,
                work.add_user(&rows::user("auth0|2", "con_2", "ana@example.com")).await?,
            ])
        });
        assert_eq!(outcome.await, Ok([Added::Done, Added::Done]));
        let found = stage.rows.find_users_by_email(&Identifier::of("ana@example.com")).await.unwrap();
        assert_eq!(found.iter().map(|user| user.user.user_id.as_str()).collect::<Vec<_>>(), ["auth0|1", "auth0|2"]);
        assert_eq!(found[0].identifiers, [Identifier::of("ana@example.com")]);
    }

    async fn a_change_moves_identifiers_and_keeps_logins(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            work.add_user(&rows::user("auth0|1", "con_1", "ana@example.com")).await?;
            work.add_user(&rows::user("auth0|2", "con_1", "eve@example.com")).await?;
            work.record_login(&UserId::new("auth0|1"), rows::at(50), "2001:db8::1").await
        }).await.unwrap();
        let id = UserId::new("auth0|1");
        let mut record = rows::user("auth0|1", "con_1", "new@example.com");
        record.identifiers.push(Identifier::of("eve@example.com"));
        let taken = record.clone();
        let set = stage.rows.write(async move |work: &mut Work| work.set_user(&taken).await);
        assert_eq!(set.await, Ok(Written::IdentifierTaken));
        let connection = ConnectionId::new("con_1");
        let found = stage.rows.find_user_by_identifier(&connection, &Identifier::of("new@example.com")).await;
        assert_eq!(found, Ok(None), "nothing was written");
        record.identifiers.pop();
        record.password_hash = None;
        record.password_scheme = None;
        record.last_password_reset = None;
        record.updated_at = rows::at(60);
        let changed = record.clone();
        let set = stage.rows.write(async move |work: &mut Work| {
            let missing = work.set_user(&rows::user("none", "con_1", "x@example.com")).await?;
            Ok([work.set_user(&changed).await?, work.set_user(&changed).await?, missing])
        });
        assert_eq!(set.await, Ok([Written::Done, Written::Moved, Written::Missing]));
        record.version = 2;
        record.last_login = Some(rows::at(50));
        record.last_ip = Some("2001:db8::1".to_owned());
        record.logins_count = 5;
        assert_eq!(stage.rows.find_user(&id).await, Ok(Some(record.clone())));
        let found = stage.rows.find_user_by_identifier(&connection, &Identifier::of("new@example.com")).await;
        assert_eq!(found, Ok(Some(record)));
        let found = stage.rows.find_user_by_identifier(&connection, &Identifier::of("ana@example.com")).await;
        assert_eq!(found, Ok(None), "the old one is free");
        assert_eq!(stage.rows.find_users_by_email(&Identifier::of("ana@example.com")).await, Ok(Vec::new()));
    }

    async fn a_removed_user_leaves_nothing(stage: Stage) {
        let id = UserId::new("auth0|1");
        let removed = stage.rows.write(async move |work: &mut Work| {
            work.add_user(&rows::user("auth0|1", "con_1", "ana@example.com")).await?;
            Ok([work.remove_user(&id).await?, work.remove_user(&id).await?])
        });
        assert_eq!(removed.await, Ok([true, false]));
        assert_eq!(stage.rows.list_password_mix(&ConnectionId::new("con_1")).await, Ok(Vec::new()));
        let again = stage.rows.write(async |work: &mut Work| {
            work.add_user(&rows::user("auth0|1", "con_1", "ana@example.com")).await
        });
        assert_eq!(again.await, Ok(Added::Done));
    }

    async fn the_mix_follows_the_users(stage: Stage) {
        let connection = ConnectionId::new("con_1");
        stage.rows.write(async |work: &mut Work| {
            for number in 0..20 {
                let mut user = rows::user(&format!("auth0|{number}"), "con_1", &format!("u{number}@example.com"));
                user.password_scheme = match number % 4 {
                    0 => Some("bcrypt-10".to_owned()),
                    1 => None,
                    _ => Some("argon2id-64-1-1".to_owned()),
                };
                work.add_user(&user).await?;
            }
            work.add_user(&rows::user("auth0|x", "con_2", "x@example.com")).await
        }).await.unwrap();
        let mix = stage.rows.list_password_mix(&connection).await.unwrap();
        assert_eq!(mix, [("argon2id-64-1-1".to_owned(), 10), ("bcrypt-10".to_owned(), 5)]);
        stage.rows.write(async |work: &mut Work| {
            for number in (0..20).step_by(4) {
                let id = UserId::new(format!("auth0|{number}"));
                let mut user = work.find_user(&id).await?.unwrap();
                user.password_scheme = Some("argon2id-64-1-1".to_owned());
                assert_eq!(work.set_user(&user).await?, Written::Done);
            }
            Ok(())
        }).await.unwrap();
        let mix = stage.rows.list_password_mix(&connection).await.unwrap();
        assert_eq!(mix, [("argon2id-64-1-1".to_owned(), 15)], "rows that reach zero are gone");
    }

    async fn lists_filter_by_connection_and_email(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            for (number, connection) in ["con_2", "con_1", "con_1"].into_iter().enumerate() {
                let mut user = rows::user(&format!("auth0|{number}"), connection, &format!("u{number}@example.com"));
                user.created_at = rows::at(-(number as i64));
                work.add_user(&user).await?;
            }
            Ok(())
        }).await.unwrap();
        let ids = async |page, filter: UserFilter| {
            let listed = stage.rows.list_users(page, &filter).await.unwrap();
            let ids: Vec<String> = listed.items.iter().map(|user| user.user.user_id.to_string()).collect();
            (ids.join(" "), listed.total)
        };
        let all = UserFilter::default();
        assert_eq!(ids(Page::ALL, all.clone()).await, ("auth0|2 auth0|1 auth0|0".to_owned(), 3));
        assert_eq!(ids(Page::numbered(1, 2), all).await, ("auth0|0".to_owned(), 3));
        let one = UserFilter { connection_id: Some(ConnectionId::new("con_1")), email: None };
        assert_eq!(ids(Page::ALL, one.clone()).await, ("auth0|2 auth0|1".to_owned(), 2));
        let email = UserFilter { email: Some(Identifier::of("u1@example.com")), ..one };
        assert_eq!(ids(Page::ALL, email).await, ("auth0|1".to_owned(), 1));
    }

    async fn a_look_up_is_the_same_statement_whether_it_hits_or_misses(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            work.add_user(&rows::user("auth0|1", "con_1", "ana@example.com")).await
        }).await.unwrap();
        let connection = ConnectionId::new("con_1");
        let mut traces = Vec::new();
        for (typed, hit) in [("ana@example.com", true), ("eve@example.com", false)] {
            let before = stage.store.statement_trace();
            let found = stage.rows.find_user_by_identifier(&connection, &Identifier::of(typed)).await.unwrap();
            assert_eq!(found.is_some(), hit);
            traces.push(stage.store.statement_trace().since(&before));
        }
        assert_eq!(traces[0], traces[1]);
        assert_eq!(traces[0].iter().count(), 1);
    }
}
