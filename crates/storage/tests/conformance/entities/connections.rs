//! Connections and their realms.

use model::{ConnectionId, Identifier, UserId};
use storage::{Added, ConnectionFilter, Page, UserFilter, Work, Written};

use crate::both_engines;
use crate::rows;

both_engines! {
    async fn a_connection_is_found_by_id_name_and_realm(stage: Stage) {
        let mut record = rows::connection("con_1", "Users");
        let added = record.clone();
        let outcome = stage.rows.write(async move |work: &mut Work| {
            Ok([
                work.add_connection(&added).await?,
                work.add_connection(&added).await?,
                work.add_connection(&rows::connection("con_2", "Users")).await?,
            ])
        });
        assert_eq!(outcome.await, Ok([Added::Done, Added::IdTaken, Added::IdentifierTaken]));
        let id = ConnectionId::new("con_1");
        assert_eq!(stage.rows.find_connection(&id).await, Ok(Some(record.clone())));
        assert_eq!(stage.rows.find_connection_by_name("Users").await, Ok(Some(record.clone())));
        assert_eq!(stage.rows.find_connection_by_name("users").await, Ok(None));
        assert_eq!(stage.rows.find_connection_by_realm("Users").await, Ok(Some(record.clone())), "by default the name");
        record.connection.realms = vec!["staff".to_owned(), "staff".to_owned(), "partners".to_owned()];
        let changed = record.clone();
        let set = stage.rows.write(async move |work: &mut Work| {
            let missing = work.set_connection(&rows::connection("none", "x")).await?;
            Ok([work.set_connection(&changed).await?, work.set_connection(&changed).await?, missing])
        });
        assert_eq!(set.await, Ok([Written::Done, Written::Moved, Written::Missing]));
        record.version = 2;
        for realm in ["staff", "partners"] {
            assert_eq!(stage.rows.find_connection_by_realm(realm).await, Ok(Some(record.clone())), "{realm}");
        }
        assert_eq!(stage.rows.find_connection_by_realm("Users").await, Ok(None));
    }

    async fn of_several_connections_of_one_realm_the_lowest_id_answers(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            for id in ["con_c", "con_a", "con_b"] {
                let mut record = rows::connection(id, id);
                record.connection.realms = vec!["staff".to_owned()];
                work.add_connection(&record).await?;
            }
            Ok(())
        }).await.unwrap();
        let found = stage.rows.find_connection_by_realm("staff").await.unwrap().unwrap();
        assert_eq!(found.connection.id, ConnectionId::new("con_a"));
    }

    async fn lists_filter_by_strategy_and_name(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            let mut social = rows::connection("con_3", "google-oauth2");
            social.connection.strategy = "google-oauth2".to_owned();
            work.add_connection(&social).await?;
            work.add_connection(&rows::connection("con_2", "Others")).await?;
            work.add_connection(&rows::connection("con_1", "Users")).await
        }).await.unwrap();
        let names = async |strategy: Option<&str>, name: Option<&str>| {
            let filter = ConnectionFilter { strategy: strategy.map(str::to_owned), name: name.map(str::to_owned) };
            let listed = stage.rows.list_connections(Page::ALL, &filter).await.unwrap();
            assert_eq!(listed.total, listed.items.len() as u64);
            listed.items.into_iter().map(|item| item.connection.name).collect::<Vec<_>>()
        };
        assert_eq!(names(None, None).await, ["Users", "Others", "google-oauth2"]);
        assert_eq!(names(Some("auth0"), None).await, ["Users", "Others"]);
        assert_eq!(names(Some("auth0"), Some("Others")).await, ["Others"]);
        assert!(names(Some("google-oauth2"), Some("Others")).await.is_empty());
        let databases = stage.rows.list_database_connections().await.unwrap();
        assert_eq!(databases.iter().map(|item| item.connection.name.as_str()).collect::<Vec<_>>(), ["Users", "Others"]);
    }

    async fn removing_a_connection_takes_its_users(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            for (connection, user) in [("con_1", "auth0|1"), ("con_1", "auth0|2"), ("con_2", "auth0|3")] {
                work.add_connection(&rows::connection(connection, connection)).await?;
                work.add_user(&rows::user(user, connection, &format!("{user}@example.com"))).await?;
            }
            Ok(())
        }).await.unwrap();
        let id = ConnectionId::new("con_1");
        let removed = stage.rows.write(async move |work: &mut Work| {
            Ok([work.remove_connection(&id).await?, work.remove_connection(&id).await?])
        });
        assert_eq!(removed.await, Ok([true, false]));
        let left = stage.rows.list_users(Page::ALL, &UserFilter::default()).await.unwrap();
        assert_eq!(left.items.iter().map(|user| &user.user.user_id).collect::<Vec<_>>(), [&UserId::new("auth0|3")]);
        let id = ConnectionId::new("con_1");
        let identifier = Identifier::of("auth0|1@example.com");
        assert_eq!(stage.rows.find_user_by_identifier(&id, &identifier).await, Ok(None));
        assert_eq!(stage.rows.list_password_mix(&id).await, Ok(Vec::new()));
        assert_eq!(stage.rows.find_connection_by_realm("con_1").await, Ok(None));
        let back = stage.rows.write(async |work: &mut Work| {
            work.add_user(&rows::user("auth0|1", "con_1", "auth0|1@example.com")).await
        });
        assert_eq!(back.await, Ok(Added::Done), "its identifiers are free again");
    }
}
