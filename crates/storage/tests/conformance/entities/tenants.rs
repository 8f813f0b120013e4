//! Tenants, their hosts, and the deployment's check value.

use model::TenantId;
use storage::{Added, Work, Written};

use crate::both_engines;
use crate::rows;

both_engines! {
    async fn a_tenant_is_found_by_its_domain_and_aliases(stage: Stage) {
        let tenant = rows::tenant("ten_one", "one.example.com");
        assert_eq!(stage.store.add_tenant(&tenant).await, Ok(Added::Done));
        for host in ["one.example.com", "alias.one.example.com"] {
            assert_eq!(stage.store.find_tenant_by_host(host).await, Ok(Some(tenant.clone())), "{host}");
        }
        for host in ["example.com", "ONE.example.com", "one.example.com:8443", ""] {
            assert_eq!(stage.store.find_tenant_by_host(host).await, Ok(None), "{host}");
        }
        assert_eq!(stage.store.list_tenants().await, Ok(vec![tenant.clone()]));
        assert_eq!(stage.rows.find_tenant().await, Ok(Some(tenant)));
    }

    async fn a_host_leads_to_one_tenant(stage: Stage) {
        let tenant = rows::tenant("ten_one", "one.example.com");
        stage.store.add_tenant(&tenant).await.unwrap();
        assert_eq!(stage.store.add_tenant(&tenant).await, Ok(Added::IdTaken));
        let mut second = rows::tenant("ten_other", "other.example.com");
        second.aliases.push("one.example.com".to_owned());
        assert_eq!(stage.store.add_tenant(&second).await, Ok(Added::IdentifierTaken));
        assert_eq!(stage.store.find_tenant_by_host("other.example.com").await, Ok(None));
        assert_eq!(stage.store.list_tenants().await.unwrap().len(), 1);
        second.aliases.pop();
        assert_eq!(stage.store.add_tenant(&second).await, Ok(Added::Done));
        second.aliases.push("one.example.com".to_owned());
        let changed = second.clone();
        let taken = stage.other.write(async move |work: &mut Work| work.set_tenant(&changed).await);
        assert_eq!(taken.await, Ok(Written::IdentifierTaken));
        assert_eq!(stage.store.find_tenant_by_host("one.example.com").await, Ok(Some(tenant)));
    }

    async fn a_change_is_guarded_by_the_version(stage: Stage) {
        let mut tenant = rows::tenant("ten_one", "one.example.com");
        stage.store.add_tenant(&tenant).await.unwrap();
        tenant.settings.default_audience = Some("https://api".to_owned());
        tenant.attack_protection.brute_force.max_attempts = 3;
        tenant.domain = "new.example.com".to_owned();
        let changed = tenant.clone();
        let set = stage.rows.write(async move |work: &mut Work| {
            Ok([work.set_tenant(&changed).await?, work.set_tenant(&changed).await?])
        });
        assert_eq!(set.await, Ok([Written::Done, Written::Moved]));
        tenant.version = 2;
        assert_eq!(stage.store.find_tenant_by_host("new.example.com").await, Ok(Some(tenant.clone())));
        assert_eq!(stage.store.find_tenant_by_host("one.example.com").await, Ok(None));
        let missing = stage.other.write(async move |work: &mut Work| work.set_tenant(&tenant).await);
        assert_eq!(missing.await, Ok(Written::Missing));
        assert_eq!(stage.store.tenant(&TenantId::new("none")).find_tenant().await, Ok(None));
    }

    async fn the_first_check_value_stays(stage: Stage) {
        assert_eq!(stage.store.find_check_value().await, Ok(None));
        assert_eq!(stage.store.set_check_value(&[1, 2]).await, Ok(vec![1, 2]));
        assert_eq!(stage.store.set_check_value(&[3]).await, Ok(vec![1, 2]));
        assert_eq!(stage.store.find_check_value().await, Ok(Some(vec![1, 2])));
    }
}
