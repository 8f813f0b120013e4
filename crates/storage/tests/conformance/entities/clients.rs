//! Applications, APIs and the grants between them.

use model::{ClientGrantId, ClientId, ResourceServerId, SubjectType};
use storage::{Added, GrantFilter, Page, Work, Written};

use crate::both_engines;
use crate::rows;

both_engines! {
    async fn an_application_is_kept_whole_and_changed_by_version(stage: Stage) {
        let mut record = rows::client("a");
        let added = record.clone();
        stage.rows.write(async move |work: &mut Work| work.add_client(&added).await).await.unwrap();
        let id = ClientId::new("a");
        assert_eq!(stage.rows.find_client(&id).await, Ok(Some(record.clone())));
        record.client.name = "b".to_owned();
        record.secret_digest = [8; 32];
        record.secret_sealed = Vec::new();
        record.updated_at = rows::at(9);
        let changed = record.clone();
        let set = stage.rows.write(async move |work: &mut Work| {
            let missing = work.set_client(&rows::client("none")).await?;
            Ok([work.set_client(&changed).await?, work.set_client(&changed).await?, missing])
        });
        assert_eq!(set.await, Ok([Written::Done, Written::Moved, Written::Missing]));
        record.version = 2;
        assert_eq!(stage.rows.find_client(&id).await, Ok(Some(record)));
    }

    async fn lists_come_in_pages_the_oldest_first(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            for number in [3, 1, 2, 0, 4] {
                let mut record = rows::client(&format!("c{number}"));
                record.created_at = rows::at(number / 2);
                work.add_client(&record).await?;
            }
            Ok(())
        }).await.unwrap();
        let mut seen = Vec::new();
        for page in 0..4 {
            let listed = stage.rows.list_clients(Page::numbered(page, 2)).await.unwrap();
            assert_eq!(listed.total, 5);
            seen.push(listed.items.iter().map(|item| item.client.client_id.to_string()).collect::<Vec<_>>().join(" "));
        }
        assert_eq!(seen, ["c0 c1", "c2 c3", "c4", ""]);
        let far = stage.rows.list_clients(Page::numbered(u32::MAX, u32::MAX)).await.unwrap();
        assert_eq!((far.items.len(), far.total), (0, 5));
    }

    async fn removing_an_application_takes_its_grants_and_its_place_in_connections(stage: Stage) {
        stage.rows.write(async |work: &mut Work| {
            for id in ["a", "b"] {
                work.add_client(&rows::client(id)).await?;
                work.add_client_grant(&rows::grant(id, id, "https://api")).await?;
            }
            let mut connection = rows::connection("con_1", "Users");
            connection.connection.enabled_clients = vec![ClientId::new("a"), ClientId::new("b")];
            work.add_connection(&connection).await?;
            work.add_connection(&rows::connection("con_2", "Others")).await
        }).await.unwrap();
        let removed = stage.rows.write(async |work: &mut Work| {
            Ok([work.remove_client(&ClientId::new("a")).await?, work.remove_client(&ClientId::new("a")).await?])
        });
        assert_eq!(removed.await, Ok([true, false]));
        assert_eq!(stage.rows.find_client(&ClientId::new("a")).await, Ok(None));
        let grants = stage.rows.list_client_grants(Page::ALL, &GrantFilter::default()).await.unwrap();
        assert_eq!(grants.items, [rows::grant("b", "b", "https://api")]);
        let connection = stage.rows.find_connection_by_name("Users").await.unwrap().unwrap();
        assert_eq!((connection.connection.enabled_clients, connection.version), (vec![ClientId::new("b")], 2));
        assert_eq!(stage.rows.find_connection_by_name("Others").await.unwrap().unwrap().version, 1);
    }

    async fn an_api_is_kept_whole_and_its_identifier_never_changes(stage: Stage) {
        let mut record = rows::resource_server("rs", "https://api");
        let added = record.clone();
        let outcome = stage.rows.write(async move |work: &mut Work| {
            Ok([
                work.add_resource_server(&added).await?,
                work.add_resource_server(&added).await?,
                work.add_resource_server(&rows::resource_server("other", "https://api")).await?,
            ])
        });
        assert_eq!(outcome.await, Ok([Added::Done, Added::IdTaken, Added::IdentifierTaken]));
        let id = ResourceServerId::new("rs");
        assert_eq!(stage.rows.find_resource_server(&id).await, Ok(Some(record.clone())));
        assert_eq!(stage.rows.find_resource_server_by_identifier("https://api").await, Ok(Some(record.clone())));
        assert_eq!(stage.rows.find_resource_server_by_identifier("https://api/").await, Ok(None));
        record.signing_secret_sealed = None;
        let changed = record.clone();
        let set = stage.rows.write(async move |work: &mut Work| {
            let missing = work.set_resource_server(&rows::resource_server("none", "x")).await?;
            Ok([work.set_resource_server(&changed).await?, work.set_resource_server(&changed).await?, missing])
        });
        assert_eq!(set.await, Ok([Written::Done, Written::Moved, Written::Missing]));
        record.version = 2;
        let listed = stage.rows.list_resource_servers(Page::ALL).await.unwrap();
        assert_eq!((listed.items, listed.total), (vec![record], 1));
        let removed = stage.rows.write(async |work: &mut Work| {
            work.add_client_grant(&rows::grant("g", "a", "https://api")).await?;
            work.add_client_grant(&rows::grant("h", "a", "https://else")).await?;
            let id = ResourceServerId::new("rs");
            Ok([work.remove_resource_server(&id).await?, work.remove_resource_server(&id).await?])
        });
        assert_eq!(removed.await, Ok([true, false]));
        let grants = stage.rows.list_client_grants(Page::ALL, &GrantFilter::default()).await.unwrap();
        assert_eq!(grants.items, [rows::grant("h", "a", "https://else")]);
    }

    async fn a_grant_is_one_for_each_application_audience_and_subject(stage: Stage) {
        let mut of_user = rows::grant("g2", "a", "https://api");
        of_user.subject_type = SubjectType::User;
        let second = of_user.clone();
        let added = stage.rows.write(async move |work: &mut Work| {
            Ok([
                work.add_client_grant(&rows::grant("g1", "a", "https://api")).await?,
                work.add_client_grant(&rows::grant("g1", "a", "https://api")).await?,
                work.add_client_grant(&rows::grant("g3", "a", "https://api")).await?,
                work.add_client_grant(&second).await?,
                work.add_client_grant(&rows::grant("g4", "b", "https://api")).await?,
            ])
        });
        let expected = [Added::Done, Added::IdTaken, Added::IdentifierTaken, Added::Done, Added::Done];
        assert_eq!(added.await, Ok(expected));
        let client = ClientId::new("a");
        let found = stage.rows.find_client_grant_for(&client, "https://api", SubjectType::User).await;
        assert_eq!(found, Ok(Some(of_user.clone())));
        let count = async |filter: GrantFilter| {
            stage.rows.list_client_grants(Page::numbered(0, 1), &filter).await.unwrap().total
        };
        assert_eq!(count(GrantFilter::default()).await, 3);
        assert_eq!(count(GrantFilter { client_id: Some(client.clone()), ..GrantFilter::default() }).await, 2);
        assert_eq!(count(GrantFilter { audience: Some("https://api".to_owned()), ..GrantFilter::default() }).await, 3);
        let both = GrantFilter { client_id: Some(client), subject_type: Some(SubjectType::User), audience: None };
        assert_eq!(count(both).await, 1);
        of_user.scope = Vec::new();
        let changed = of_user.clone();
        let set = stage.rows.write(async move |work: &mut Work| {
            Ok([work.set_client_grant(&changed).await?, work.set_client_grant(&rows::grant("none", "a", "x")).await?])
        });
        assert_eq!(set.await, Ok([true, false]));
        let id = ClientGrantId::new("g2");
        assert_eq!(stage.rows.find_client_grant(&id).await, Ok(Some(of_user)));
        let removed = stage.rows.write(async move |work: &mut Work| {
            Ok([work.remove_client_grant(&id).await?, work.remove_client_grant(&id).await?])
        });
        assert_eq!(removed.await, Ok([true, false]));
    }
}
