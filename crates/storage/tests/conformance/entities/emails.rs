//! A tenant's mail provider and templates: one of each name, changed only as they were read.

use model::EmailTemplate;
use storage::{Added, EmailProviderRecord, EmailTemplateRecord, Work, Written};

use crate::both_engines;
use crate::rows;

both_engines! {
    async fn a_tenant_has_one_provider_that_changes_only_as_it_was_read(stage: Stage) {
        let store = &stage.rows;
        assert_eq!(store.find_email_provider().await, Ok(None));
        let add = || store.write(async |work: &mut Work| work.add_email_provider(&rows::email_provider()).await);
        assert_eq!(add().await, Ok(Added::Done));
        assert_eq!(add().await, Ok(Added::IdTaken));
        assert_eq!(store.find_email_provider().await, Ok(Some(rows::email_provider())));

        let mut changed = rows::email_provider();
        changed.provider.enabled = false;
        changed.password_sealed = None;
        let set = |record: EmailProviderRecord| {
            store.write(async move |work: &mut Work| work.set_email_provider(&record).await)
        };
        assert_eq!(set(changed.clone()).await, Ok(Written::Done));
        assert_eq!(set(rows::email_provider()).await, Ok(Written::Moved));
        changed.version = 2;
        assert_eq!(store.find_email_provider().await, Ok(Some(changed.clone())));

        let remove = || store.write(async |work: &mut Work| work.remove_email_provider().await);
        assert_eq!(remove().await, Ok(true));
        assert_eq!(remove().await, Ok(false));
        assert_eq!(set(changed).await, Ok(Written::Missing));
    }

    async fn a_tenant_has_one_template_of_a_name_that_changes_only_as_it_was_read(stage: Stage) {
        let store = &stage.rows;
        let add = |name: &'static str| {
            store.write(async move |work: &mut Work| work.add_email_template(&rows::email_template(name)).await)
        };
        assert_eq!(add("verify_email").await, Ok(Added::Done));
        assert_eq!(add("verify_email").await, Ok(Added::IdTaken));
        assert_eq!(add("reset_email").await, Ok(Added::Done));
        let kept = EmailTemplateRecord { template: rows::email_template("verify_email"), version: 1 };
        assert_eq!(store.find_email_template("verify_email").await, Ok(Some(kept.clone())));
        assert_eq!(store.find_email_template("welcome_email").await, Ok(None));

        let set = |name: &'static str, version| {
            let record = EmailTemplateRecord {
                template: EmailTemplate { enabled: false, ..rows::email_template(name) },
                version,
            };
            store.write(async move |work: &mut Work| work.set_email_template(&record).await)
        };
        assert_eq!(set("verify_email", 1).await, Ok(Written::Done));
        assert_eq!(set("verify_email", 1).await, Ok(Written::Moved));
        assert_eq!(set("welcome_email", 1).await, Ok(Written::Missing));
        let after = store.find_email_template("verify_email").await.unwrap().unwrap();
        assert_eq!((after.version, after.template.enabled), (2, false));
        assert!(store.find_email_template("reset_email").await.unwrap().unwrap().template.enabled);
    }
}
