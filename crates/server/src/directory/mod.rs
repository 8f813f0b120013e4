//! What requests look up again and again: tenants, applications, connections, APIs, signing keys.
//!
//! Every entry is right within a second of any change anywhere, without a message, and at once on the node that changed it.
//! The caches are bounded; evicting an entry costs one database read.

pub(crate) mod cache;
mod signing_keys;

use std::sync::Arc;

use bytes::Bytes;
use model::{Client, ClientId, Connection, HeaderTrust, ResourceServer, Tenant, TenantId};
use storage::{StoreError, TenantStore};

use crate::app::App;
use crate::protection::policy::policy_of;
use cache::Cache;
pub use signing_keys::open_signing_key;
pub(crate) use signing_keys::{KeySet, PRIVATE_KEY_FIELD, signing_keys};

/// A tenant with its shields as the guard understands them.
#[derive(Debug)]
pub(crate) struct TenantFacts {
    pub tenant: Tenant,
    pub policy: guard::Policy,
    /// For directories whose own brute-force switch is off.
    pub policy_without_brute_force: guard::Policy,
    /// The discovery document.
    pub configuration: Bytes,
}

impl TenantFacts {
    fn of(tenant: Tenant) -> Self {
        let policy = policy_of(&tenant.attack_protection);
        let mut policy_without_brute_force = policy.clone();
        policy_without_brute_force.brute_force.shield = guard::Shield::Off;
        let configuration = protocol::discovery::configuration(&tenant.issuer());
        Self {
            configuration: Bytes::from(configuration.to_string()),
            tenant,
            policy,
            policy_without_brute_force,
        }
    }
}

/// A user directory with the formats and costs of its password hashes.
#[derive(Debug)]
pub(crate) struct ConnectionFacts {
    pub connection: Connection,
    pub mix: credentials::Mix,
}

/// An application with what its secret is compared with, and the secret itself, sealed.
#[derive(Debug)]
pub(crate) struct ClientFacts {
    pub client: Arc<Client>,
    pub secret_digest: [u8; 32],
    pub secret_sealed: Vec<u8>,
    pub header_trust: HeaderTrust,
}

/// An API with the sealed secret of its HS256 tokens.
#[derive(Debug)]
pub(crate) struct ApiFacts {
    pub server: Arc<ResourceServer>,
    pub signing_secret_sealed: Option<Vec<u8>>,
}

/// The caches of one node.
#[derive(Default)]
pub(crate) struct Directory {
    tenants: Cache<String, Option<Arc<TenantFacts>>>,
    clients: Cache<(TenantId, ClientId), Option<Arc<ClientFacts>>>,
    connections: Cache<(TenantId, ConnectionName), Option<Arc<ConnectionFacts>>>,
    resource_servers: Cache<(TenantId, String), Option<Arc<ApiFacts>>>,
    pub(super) signing_keys: Cache<TenantId, Arc<KeySet>>,
}

/// By which name a connection is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ConnectionName {
    Name(String),
    Realm(String),
}

impl Directory {
    /// Forgets everything; the next request reads anew.
    pub(crate) fn forget(&self) {
        self.tenants.forget();
        self.clients.forget();
        self.connections.forget();
        self.resource_servers.forget();
        self.signing_keys.forget();
    }

    /// The tenant that owns the host, or the default tenant.
    pub(crate) async fn tenant_by_host(
        &self,
        app: &App,
        host: &str,
    ) -> Result<Option<Arc<TenantFacts>>, StoreError> {
        self.tenants
            .get_or_load(host.to_owned(), async {
                let owner = match app.store.find_tenant_by_host(host).await? {
                    Some(tenant) => Some(tenant),
                    None => match &app.settings.default_tenant {
                        Some(id) => app.tenant(id).find_tenant().await?,
                        None => None,
                    },
                };
                Ok(owner.map(|tenant| Arc::new(TenantFacts::of(tenant))))
            })
            .await
    }

    /// The application with this id.
    pub(crate) async fn client(
        &self,
        store: &TenantStore,
        tenant: &TenantId,
        id: &ClientId,
    ) -> Result<Option<Arc<ClientFacts>>, StoreError> {
        self.clients
            .get_or_load((tenant.clone(), id.clone()), async {
                Ok(store.find_client(id).await?.map(|record| {
                    Arc::new(ClientFacts {
                        client: Arc::new(record.client),
                        secret_digest: record.secret_digest,
                        secret_sealed: record.secret_sealed,
                        header_trust: record.header_trust,
                    })
                }))
            })
            .await
    }

    /// The connection of this name or realm.
    pub(crate) async fn connection(
        &self,
        app: &App,
        store: &TenantStore,
        tenant: &TenantId,
        name: ConnectionName,
    ) -> Result<Option<Arc<ConnectionFacts>>, StoreError> {
        self.connections
            .get_or_load((tenant.clone(), name.clone()), async {
                let found = match &name {
                    ConnectionName::Name(name) => store.find_connection_by_name(name).await?,
                    ConnectionName::Realm(realm) => store.find_connection_by_realm(realm).await?,
                };
                let Some(record) = found else { return Ok(None) };
                let counted = store.list_password_mix(&record.connection.id).await?;
                let mix = credentials::Mix::new(
                    counted.iter().filter_map(|(scheme, count)| {
                        Some((scheme.parse().ok()?, u64::try_from(*count).ok()?))
                    }),
                    app.settings.password_scheme,
                );
                Ok(Some(Arc::new(ConnectionFacts {
                    connection: record.connection,
                    mix,
                })))
            })
            .await
    }

    /// The API with this identifier.
    pub(crate) async fn resource_server(
        &self,
        store: &TenantStore,
        tenant: &TenantId,
        identifier: &str,
    ) -> Result<Option<Arc<ApiFacts>>, StoreError> {
        self.resource_servers
            .get_or_load((tenant.clone(), identifier.to_owned()), async {
                let found = store.find_resource_server_by_identifier(identifier).await?;
                Ok(found.map(|record| {
                    Arc::new(ApiFacts {
                        server: Arc::new(record.resource_server),
                        signing_secret_sealed: record.signing_secret_sealed,
                    })
                }))
            })
            .await
    }
}
