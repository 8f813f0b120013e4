//! What must be there before the first request: the root key's check value, a tenant, its signing key, the Management API.
//!
//! Every step is guarded, so that several nodes may start at once; what exists is only added to.

use std::sync::Arc;

use jiff::Timestamp;
use keys::{Binding, Entropy, RootKey, SecretDigest, SigningKey};
use model::{
    AttackProtection, Client, ClientGrant, ClientGrantId, ClientId, ClientRecord, HeaderTrust,
    JwtConfiguration, LogSettings, ResourceServer, ResourceServerId, ResourceServerScope,
    SigningAlgorithm, SubjectType, SubjectTypeAuthorization, Tenant, TenantId, TenantSettings,
    TokenEndpointAuthMethod,
};
use serde_json::{Map, Value, json};
use storage::{
    Added, ResourceServerRecord, SigningKeyRecord, SigningKeyState, Store, StoreError, TenantStore,
    Work, Written,
};

use crate::app::Secrets;
use crate::directory::PRIVATE_KEY_FIELD;
use crate::management_scopes::MANAGEMENT_SCOPES;

/// Name of the sealed field that holds an application's secret.
pub const CLIENT_SECRET_FIELD: &str = "client_secret";

/// Name of the sealed field that holds the secret of an API's HS256 tokens.
pub const SIGNING_SECRET_FIELD: &str = "signing_secret";

/// Why a server cannot start on this database.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// Another root key made this database.
    #[error(
        "this database was made with another root key; start with the key it was made with \
         (server.root_key_file, or secrets/root.key in the data directory)"
    )]
    OtherRootKey,
    /// The domain was taken and given up again while this node started.
    #[error(
        "the tenant of this domain was made and removed by another node at the same moment; start again"
    )]
    TenantTaken,
    /// A signing key could not be made.
    #[error("a signing key could not be made: {0}")]
    SigningKey(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Refuses a node whose root key is not the one this database was made with.
pub async fn check_root_key(store: &Store, root: &RootKey) -> Result<(), BootstrapError> {
    let mine = root.check_value();
    let kept = match store.find_check_value().await? {
        Some(kept) => kept,
        None => store.set_check_value(mine.as_bytes()).await?,
    };
    if kept == mine.as_bytes() {
        Ok(())
    } else {
        Err(BootstrapError::OtherRootKey)
    }
}

/// The tenant of a domain, made where it is missing.
pub async fn ensure_tenant(
    store: &Store,
    secrets: &Secrets,
    entropy: &dyn Entropy,
    now: Timestamp,
    domain: &str,
) -> Result<TenantId, BootstrapError> {
    if let Some(tenant) = store.find_tenant_by_host(domain).await? {
        return Ok(tenant.id);
    }
    let name = domain.split([':', '.']).next().unwrap_or(domain);
    match add_tenant(store, secrets, entropy, now, name, domain, &[]).await? {
        Some(tenant) => Ok(tenant.id),
        // Another node was first; its tenant counts.
        None => {
            let winner = store.find_tenant_by_host(domain).await?;
            winner
                .map(|tenant| tenant.id)
                .ok_or(BootstrapError::TenantTaken)
        }
    }
}

/// A new tenant with its signing key and Management API; none if a host of it leads to another tenant.
pub async fn add_tenant(
    store: &Store,
    secrets: &Secrets,
    entropy: &dyn Entropy,
    now: Timestamp,
    name: &str,
    domain: &str,
    aliases: &[String],
) -> Result<Option<Tenant>, BootstrapError> {
    let tenant = Tenant {
        id: TenantId::new(keys::prefixed_id("ten_", 16, entropy)),
        name: name.to_owned(),
        domain: domain.to_owned(),
        aliases: aliases.to_vec(),
        settings: TenantSettings::default(),
        attack_protection: AttackProtection::default(),
        logs: LogSettings::default(),
        version: 1,
    };
    let key = new_signing_key(secrets, entropy, now, &tenant)?;
    let api = management_api(&tenant, entropy, now);
    let made = tenant.clone();
    // One unit: a tenant without its key, left behind by a crash, could never sign anything.
    let added = store
        .tenant(&tenant.id)
        .write(async move |work: &mut Work| {
            let added = work.add_tenant(&made).await?;
            if added == Added::Done {
                work.add_signing_key(&key).await?;
                work.add_resource_server(&api).await?;
            }
            Ok(added)
        })
        .await?;
    Ok((added == Added::Done).then_some(tenant))
}

fn new_signing_key(
    secrets: &Secrets,
    entropy: &dyn Entropy,
    now: Timestamp,
    tenant: &Tenant,
) -> Result<SigningKeyRecord, BootstrapError> {
    let key = SigningKey::generate(&tenant.domain, entropy)
        .map_err(|error| BootstrapError::SigningKey(error.to_string()))?;
    let binding = Binding {
        tenant: tenant.id.as_str(),
        row: key.kid(),
        field: PRIVATE_KEY_FIELD,
    };
    Ok(SigningKeyRecord {
        kid: key.kid().to_owned(),
        private_sealed: secrets.sealer.seal(&binding, &key.to_pkcs8(), entropy),
        certificate_der: key.certificate_der().to_vec(),
        state: SigningKeyState::Current,
        created_at: now,
    })
}

fn management_api(tenant: &Tenant, entropy: &dyn Entropy, now: Timestamp) -> ResourceServerRecord {
    let scopes = MANAGEMENT_SCOPES
        .iter()
        .map(|value| management_scope(value));
    ResourceServerRecord {
        resource_server: ResourceServer {
            id: ResourceServerId::new(keys::hex24(entropy)),
            name: Some("Auth0 Management API".to_owned()),
            identifier: tenant.management_audience(),
            is_system: true,
            scopes: scopes.collect(),
            signing_alg: SigningAlgorithm::RS256,
            allow_offline_access: false,
            token_lifetime: 86_400,
            enforce_policies: false,
            token_dialect: None,
            subject_type_authorization: SubjectTypeAuthorization::default(),
            rest: Map::from_iter([
                ("token_lifetime_for_web".to_owned(), json!(7_200)),
                (
                    "skip_consent_for_verifiable_first_party_clients".to_owned(),
                    Value::Bool(false),
                ),
            ]),
        },
        signing_secret_sealed: None,
        created_at: now,
        updated_at: now,
        version: 1,
    }
}

/// Adds to every tenant's Management API the scopes that an older version did not have; how many tenants lacked some.
/// No application gets any: that is a matter of its grants.
pub async fn add_missing_scopes(store: &Store, now: Timestamp) -> Result<usize, StoreError> {
    let mut lacking = 0;
    for tenant in store.list_tenants().await? {
        let audience = tenant.management_audience();
        let rows = store.tenant(&tenant.id);
        let added = rows.write(async move |work: &mut Work| {
            let found = work.find_resource_server_by_identifier(&audience).await?;
            let Some(mut api) = found else {
                return Ok(false);
            };
            let scopes = &mut api.resource_server.scopes;
            let before = scopes.len();
            for value in MANAGEMENT_SCOPES {
                if scopes.iter().all(|scope| scope.value != *value) {
                    scopes.push(management_scope(value));
                }
            }
            if scopes.len() == before {
                return Ok(false);
            }
            api.updated_at = now;
            match work.set_resource_server(&api).await? {
                Written::Done => Ok(true),
                Written::Moved => Err(StoreError::Rerun),
                Written::Missing | Written::IdentifierTaken => Ok(false),
            }
        });
        lacking += usize::from(added.await?);
    }
    Ok(lacking)
}

fn management_scope(value: &str) -> ResourceServerScope {
    ResourceServerScope {
        value: value.to_owned(),
        description: None,
    }
}

/// A machine-to-machine application with every Management API scope, and its secret in clear for this once.
pub async fn create_management_client(
    rows: &TenantStore,
    secrets: &Secrets,
    entropy: &Arc<dyn Entropy + Send + Sync>,
    now: Timestamp,
    tenant: &Tenant,
    name: &str,
) -> Result<(ClientId, String), StoreError> {
    let id = ClientId::new(keys::client_id(&**entropy));
    let secret = keys::client_secret(&**entropy);
    let binding = Binding {
        tenant: tenant.id.as_str(),
        row: id.as_str(),
        field: CLIENT_SECRET_FIELD,
    };
    let record = ClientRecord {
        secret_digest: SecretDigest::of(&secret).to_bytes(),
        secret_sealed: secrets.sealer.seal(&binding, secret.as_bytes(), &**entropy),
        header_trust: HeaderTrust::default(),
        client: Client {
            client_id: id.clone(),
            name: name.to_owned(),
            app_type: Some(model::ApplicationType::NonInteractive),
            token_endpoint_auth_method: Some(TokenEndpointAuthMethod::ClientSecretPost),
            is_token_endpoint_ip_header_trusted: false,
            grant_types: vec!["client_credentials".to_owned()],
            is_first_party: true,
            jwt_configuration: JwtConfiguration::default(),
            rest: Map::from_iter([("oidc_conformant".to_owned(), Value::Bool(true))]),
        },
        created_at: now,
        updated_at: now,
        version: 1,
    };
    let grant = ClientGrant {
        id: ClientGrantId::new(keys::prefixed_id("cgr_", 16, &**entropy)),
        client_id: id.clone(),
        audience: tenant.management_audience(),
        scope: MANAGEMENT_SCOPES
            .iter()
            .map(|scope| (*scope).to_owned())
            .collect(),
        allow_all_scopes: false,
        subject_type: SubjectType::Client,
        rest: Map::new(),
    };
    rows.write(async move |work: &mut Work| {
        work.add_client(&record).await?;
        work.add_client_grant(&grant).await?;
        Ok(())
    })
    .await?;
    Ok((id, secret))
}
