//! One server, one tenant, a database of its own, and a clock that stands.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use credentials::{Argon2Implementation, HashCounts, HashingPool, PoolSettings, Scheme};
use http::{HeaderName, Request};
use jiff::Timestamp;
use keys::{Entropy, RootKey, SeededEntropy, SystemEntropy};
use mail::{Message, Outbox, Roots};
use model::{Tenant, TenantId};
use server::breach::{BreachSettings, BreachSources};
use server::courier::{Courier, DefaultWay, route};
use server::{
    App, Clock, ConnectionSettings, MailSettings, OutgoingSettings, Secrets, ServerSettings,
    WaitingSettings, bootstrap,
};
use storage::{Database, Store, StoreSettings};
use tempfile::TempDir;
use temporary_postgres::TemporaryPostgres;
use tower::ServiceExt;

use crate::{Admin, Answer, Backend, HandClock, Mailbox, Visitor};

/// Which database a story runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// What a story may want otherwise.
#[derive(Debug, Clone)]
pub struct WorldSettings {
    pub scheme: Scheme,
    pub hashing_workers: usize,
    pub hashing_queue: usize,
    pub hashing_deadline: Duration,
    pub trusted_proxies: Vec<&'static str>,
    pub waiting: WaitingSettings,
    /// Whether the tenant answers on hosts that nobody owns.
    pub takes_other_hosts: bool,
    /// Who vouches for mail servers.
    pub mail_roots: Roots,
    /// Where mails of tenants without a provider go: by default nowhere but [`World::mails`].
    pub default_way: Option<DefaultWay>,
    /// Where breached passwords are looked up.
    pub breach: BreachSettings,
    pub outgoing: OutgoingSettings,
}

impl Default for WorldSettings {
    fn default() -> Self {
        Self {
            // Small enough that a thousand logins take seconds; the real cost is measured by the benches.
            scheme: Scheme::Argon2id {
                memory_kib: 64,
                passes: 1,
                lanes: 1,
            },
            hashing_workers: 2,
            hashing_queue: 1_024,
            hashing_deadline: Duration::from_secs(5),
            trusted_proxies: Vec::new(),
            waiting: WaitingSettings::default(),
            takes_other_hosts: true,
            mail_roots: Roots::System,
            default_way: None,
            breach: BreachSettings::default(),
            outgoing: OutgoingSettings::default(),
        }
    }
}

/// A running server and everything a story does with it.
pub struct World {
    pub app: Arc<App>,
    pub clock: Arc<HandClock>,
    pub tenant: Tenant,
    /// Mails of all tenants that have no provider of their own.
    outbox: Outbox,
    router: Router,
    database: Database,
    root: [u8; 32],
    settings: WorldSettings,
    management: (String, String),
    _directory: Arc<TempDir>,
}

/// The host every world answers on; a neighbour has another one.
const DOMAIN: &str = "login.example.com";
const ROOT: [u8; 32] = [42; 32];

impl World {
    /// A world with the ordinary settings.
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, WorldSettings::default()).await
    }

    /// A world with settings of its own.
    pub async fn start_with(engine: Engine, settings: WorldSettings) -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory can be made"));
        let database = match engine {
            Engine::Sqlite => Database::Sqlite {
                path: directory.path().join("portcullis.db"),
            },
            Engine::Postgres => Database::Postgres {
                url: tokio::task::spawn_blocking(|| TemporaryPostgres::shared().create_database())
                    .await
                    .expect("PostgreSQL starts"),
                pooler: false,
                max_connections: 8,
            },
        };
        let clock = Arc::new(HandClock::default());
        Self::open(database, directory, clock, settings, None).await
    }

    /// A second node on the same PostgreSQL, with the same clock.
    pub async fn second_node(&self) -> Self {
        self.second_node_with(self.settings.outgoing.clone()).await
    }

    /// The same, whose outgoing requests may reach others.
    pub async fn second_node_with(&self, outgoing: OutgoingSettings) -> Self {
        assert!(
            matches!(self.database, Database::Postgres { .. }),
            "SQLite has one node"
        );
        Self::open(
            self.database.clone(),
            Arc::clone(&self._directory),
            Arc::clone(&self.clock),
            WorldSettings {
                outgoing,
                ..self.settings.clone()
            },
            Some(self.management.clone()),
        )
        .await
    }

    async fn open(
        database: Database,
        directory: Arc<TempDir>,
        clock: Arc<HandClock>,
        settings: WorldSettings,
        management: Option<(String, String)>,
    ) -> Self {
        let root = RootKey::from_bytes(ROOT);
        let store = Store::open(&StoreSettings {
            database: database.clone(),
        })
        .await
        .expect("the store opens");
        store.migrate().await.expect("the store migrates");
        bootstrap::check_root_key(&store, &root)
            .await
            .expect("the root key fits");
        let secrets = Secrets::of(&root);
        let now = clock.now();
        let id: TenantId = bootstrap::ensure_tenant(&store, &secrets, &SystemEntropy, now, DOMAIN)
            .await
            .expect("a tenant");
        let tenant = store
            .tenant(&id)
            .find_tenant()
            .await
            .expect("readable")
            .expect("just made");
        let entropy: Arc<dyn Entropy + Send + Sync> = Arc::new(SystemEntropy);
        let management = match management {
            Some(known) => known,
            None => administrator(&store, &secrets, &entropy, now, &tenant).await,
        };
        let pool = HashingPool::start(PoolSettings {
            workers: settings.hashing_workers,
            capacity: settings.hashing_queue,
            deadline: settings.hashing_deadline,
            argon2: Argon2Implementation::Simd,
        });
        let outbox = Outbox::default();
        let server = ServerSettings {
            trusted_proxies: settings
                .trusted_proxies
                .iter()
                .map(|net| net.parse().expect("a network"))
                .collect(),
            client_ip_header: HeaderName::from_static("x-forwarded-for"),
            default_tenant: settings.takes_other_hosts.then_some(id),
            password_scheme: settings.scheme,
            waiting: settings.waiting,
            connections: ConnectionSettings::default(),
            mail: MailSettings {
                roots: settings.mail_roots.clone(),
                default_way: settings
                    .default_way
                    .clone()
                    .unwrap_or_else(|| DefaultWay::Outbox(outbox.clone())),
            },
            breach: breach_sources(&settings).await,
            outgoing: settings.outgoing.clone(),
        };
        let as_clock: Arc<dyn Clock> = Arc::clone(&clock) as Arc<dyn Clock>;
        let app = App::new(server, store, &root, pool, as_clock, entropy);
        let router = server::router(Arc::clone(&app));
        Self {
            app,
            clock,
            tenant,
            outbox,
            router,
            database,
            root: ROOT,
            settings,
            management,
            _directory: directory,
        }
    }

    /// Another tenant on the same server, under its own host and an alias.
    pub async fn neighbour(&self, name: &str) -> Self {
        let secrets = Secrets::of(&RootKey::from_bytes(self.root));
        let entropy: Arc<dyn Entropy + Send + Sync> = Arc::new(SystemEntropy);
        let (store, now) = (&self.app.store, self.clock.now());
        let (domain, alias) = (
            format!("{name}.example.com"),
            format!("alias.{name}.example.com"),
        );
        let made =
            bootstrap::add_tenant(store, &secrets, &*entropy, now, name, &domain, &[alias]).await;
        let tenant = made.expect("a tenant").expect("hosts that nobody has");
        Self {
            app: Arc::clone(&self.app),
            clock: Arc::clone(&self.clock),
            management: administrator(store, &secrets, &entropy, now, &tenant).await,
            tenant,
            outbox: self.outbox.clone(),
            router: self.router.clone(),
            database: self.database.clone(),
            root: self.root,
            settings: self.settings.clone(),
            _directory: Arc::clone(&self._directory),
        }
    }

    /// The host of this world's tenant.
    pub fn domain(&self) -> &str {
        &self.tenant.domain
    }

    /// Sends one request from an address, through the real router.
    pub async fn send(&self, from: &str, request: Request<Body>) -> Answer {
        let mut request = request;
        let address: IpAddr = from.parse().expect("an address");
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::new(address, 40_000)));
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("the router always answers");
        Answer::of(response).await
    }

    /// The administrator, with a token for the Management API.
    pub async fn admin(&self) -> Admin<'_> {
        Admin::sign_in(self, &self.management.0, &self.management.1).await
    }

    /// A server-side application in an ordinary tenant: API, directory, the password grant.
    pub async fn backend(&self, trusted: bool) -> Backend<'_> {
        Backend::install(self, trusted).await
    }

    /// Sends every mail that is due, and answers all that were sent so far and not over a provider, the oldest first.
    pub async fn mails(&self) -> Vec<Message> {
        let courier = Courier::new(&self.app, route(&self.app));
        courier.deliver_due().await.expect("the queue is readable");
        self.outbox.mails()
    }

    /// The mailbox of an address.
    pub fn mailbox(&self, address: &str) -> Mailbox<'_> {
        Mailbox::of(self, address)
    }

    /// Somebody with a browser at an address.
    pub fn visitor(&self, address: &str) -> Visitor<'_> {
        Visitor::at(self, address)
    }

    /// Every run of a password hash so far.
    pub fn hashes(&self) -> HashCounts {
        self.app.pool.counts()
    }

    /// The database, for a test that opens it itself.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Some randomness that is the same in every run.
    pub fn seeded(&self) -> SeededEntropy {
        SeededEntropy::new(u64::from(self.root[0]))
    }
}

/// The sources of breached passwords, with the list opened if there is one.
async fn breach_sources(settings: &WorldSettings) -> Arc<BreachSources> {
    let now = tokio::time::Instant::now().into_std();
    let sources = BreachSources::new(&settings.breach, &settings.outgoing, now);
    let sources = Arc::new(sources.expect("good settings"));
    let opened = Arc::clone(&sources);
    let renewed = tokio::task::spawn_blocking(move || opened.renew(now));
    renewed.await.expect("renewing does not panic");
    sources
}

/// An application with every scope of the tenant's Management API: its id and secret.
async fn administrator(
    store: &Store,
    secrets: &Secrets,
    entropy: &Arc<dyn Entropy + Send + Sync>,
    now: Timestamp,
    tenant: &Tenant,
) -> (String, String) {
    let rows = store.tenant(&tenant.id);
    let name = "Administration";
    let made = bootstrap::create_management_client(&rows, secrets, entropy, now, tenant, name);
    let (id, secret) = made.await.expect("an administrator's client");
    (id.as_str().to_owned(), secret)
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}
