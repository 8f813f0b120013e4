use std::fs;
use std::os::unix::fs::PermissionsExt;

use model::{Client, ClientId, TenantId};
use storage::Work;
use tempfile::TempDir;

use super::*;
use crate::doctor::finding::says;
use crate::{admin, open};

/// A deployment that was started once, looked at beside its owner.
struct Ward {
    directory: TempDir,
    settings: Settings,
    owner: open::Opened,
    onlooker: Store,
}

impl Ward {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        settings.server.data_dir = directory.path().join("data");
        settings.server.public_url = Some("https://id.example.com/".to_owned());
        let owner = open::open(&settings, "unused").await.unwrap();
        admin::management_client(&owner, "Administration")
            .await
            .unwrap();
        let onlooker = Store::inspect(&open::store_settings(&settings)).unwrap();
        Self {
            directory,
            settings,
            owner,
            onlooker,
        }
    }

    fn key(&self) -> std::path::PathBuf {
        self.settings.server.data_dir.join("secrets/root.key")
    }

    async fn tenants(&self) -> Vec<Tenant> {
        self.onlooker.list_tenants().await.unwrap()
    }

    async fn root_key(&self) -> Outcome {
        let read = read_root_key(&self.settings);
        root_key(&self.settings, read.as_ref(), Some(&self.onlooker)).await
    }
}

#[tokio::test]
async fn a_deployment_with_its_own_key_is_ok() {
    let ward = Ward::new().await;
    let tenants = ward.tenants().await;
    says(&ward.root_key().await, "ok", "belongs to this database");
    says(
        &super::tenants(&ward.settings, &tenants),
        "ok",
        "id.example.com",
    );
    let signing = signing_keys(&ward.onlooker, &ward.owner.root, &tenants).await;
    says(&signing, "ok", "1 keys open");
    says(
        &applications(&ward.onlooker, &tenants).await,
        "ok",
        "1 applications",
    );
}

#[tokio::test]
async fn a_key_that_others_read_is_named() {
    let ward = Ward::new().await;
    for (mode, level) in [
        (0o600, "ok"),
        (0o400, "ok"),
        (0o640, "warn"),
        (0o604, "fail"),
    ] {
        fs::set_permissions(ward.key(), fs::Permissions::from_mode(mode)).unwrap();
        says(&ward.root_key().await, level, "root");
    }
}

#[tokio::test]
async fn a_missing_a_foreign_and_a_made_up_key_are_told_apart() {
    let mut ward = Ward::new().await;
    let away = ward.directory.path().join("away.key");
    fs::rename(ward.key(), &away).unwrap();
    says(
        &ward.root_key().await,
        "fail",
        "is missing but the database exists",
    );
    assert!(!ward.key().exists(), "looking made a key");
    let foreign = RootKey::generate(&keys::SystemEntropy);
    ward.settings.server.root_key = Some((*foreign.to_base64_line()).clone());
    says(&ward.root_key().await, "fail", "another root key");
    let tenants = ward.tenants().await;
    let signing = signing_keys(&ward.onlooker, &foreign, &tenants).await;
    says(
        &signing,
        "fail",
        "id.example.com has no current signing key",
    );
    let made_up = RootKey::from_bytes([42; 32]);
    ward.settings.server.root_key = Some((*made_up.to_base64_line()).clone());
    says(&ward.root_key().await, "fail", "not random");
    ward.settings.server.root_key = Some("short".to_owned());
    says(&ward.root_key().await, "fail", "32 bytes");
    ward.settings.server.root_key = None;
    ward.settings.server.root_key_file = Some(away);
    says(&ward.root_key().await, "ok", "away.key");
}

#[tokio::test]
async fn an_address_without_a_tenant_is_named_before_a_start_makes_one() {
    let mut ward = Ward::new().await;
    let tenants = ward.tenants().await;
    ward.settings.server.public_url = Some("https://id.exmaple.com/".to_owned());
    says(
        &super::tenants(&ward.settings, &tenants),
        "warn",
        "id.exmaple.com",
    );
    ward.settings.server.default_tenant = Some("nobody.example.com".to_owned());
    says(
        &super::tenants(&ward.settings, &tenants),
        "fail",
        "nobody.example.com",
    );
    ward.settings.server.public_url = None;
    for name in [&tenants[0].name, &tenants[0].domain] {
        ward.settings.server.default_tenant = Some(name.clone());
        says(&super::tenants(&ward.settings, &tenants), "ok", "");
    }
}

#[tokio::test]
async fn a_tenant_that_cannot_sign_is_named() {
    let ward = Ward::new().await;
    let mut bare = ward.owner.tenant.clone();
    bare.id = TenantId::new("ten_bare");
    bare.domain = "bare.example.com".to_owned();
    ward.owner.store.add_tenant(&bare).await.unwrap();
    let tenants = ward.tenants().await;
    let signing = signing_keys(&ward.onlooker, &ward.owner.root, &tenants).await;
    says(
        &signing,
        "fail",
        "bare.example.com has no current signing key",
    );
}

#[tokio::test]
async fn a_switch_that_never_counts_is_named() {
    let ward = Ward::new().await;
    let rows = ward.owner.store.tenant(&ward.owner.tenant.id);
    let mut records = rows.list_clients(Page::ALL).await.unwrap().items;
    let template = records.remove(0);
    // More than one page of them, and one that no page may miss.
    for number in 0..120 {
        let mut record = template.clone();
        record.client = Client {
            client_id: ClientId::new(format!("app{number:03}")),
            name: format!("App {number}"),
            is_token_endpoint_ip_header_trusted: true,
            ..record.client
        };
        if number == 119 {
            record.client.token_endpoint_auth_method = None;
            record.client.app_type = Some(model::ApplicationType::Spa);
        }
        rows.write(async move |work: &mut Work| work.add_client(&record).await)
            .await
            .unwrap();
    }
    let outcome = applications(&ward.onlooker, &ward.tenants().await).await;
    says(&outcome, "warn", "\"App 119\" of id.example.com trust");
}
