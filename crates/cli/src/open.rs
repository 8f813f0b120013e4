//! From settings to an open store and a running application: the wiring that all commands share.

use std::sync::Arc;
use std::time::Duration;

use credentials::{Argon2Implementation, HashingPool, PoolSettings, Scheme};
use http::HeaderName;
use keys::{Entropy, RootKey, SystemEntropy};
use model::{Tenant, TenantId};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use server::breach::{BreachSettings, BreachSources};
use server::{
    App, Clock, ConnectionSettings, MailSettings, OutgoingSettings, Secrets, ServerSettings,
    SystemClock, WaitingSettings, bootstrap,
};
use storage::{Database, Store, StoreSettings};

use crate::settings::{self, Settings};
use crate::{Failure, data_dir, open_files};

/// A store that is ready for use, with the tenant of the public address.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) root: RootKey,
    pub(crate) tenant: Tenant,
}

/// Opens the database; SQLite is migrated at once, PostgreSQL only by `portcullis migrate`.
pub(crate) async fn store(settings: &Settings) -> Result<Store, Failure> {
    if settings.database.url.is_none() {
        data_dir::make(&settings.server.data_dir)?;
    }
    Ok(Store::open(&store_settings(settings)).await?)
}

/// Which database the settings name.
pub(crate) fn store_settings(settings: &Settings) -> StoreSettings {
    let database = match &settings.database.url {
        Some(url) => Database::Postgres {
            url: url.clone(),
            pooler: settings.database.pooler,
            max_connections: settings.database.max_connections,
        },
        None => Database::Sqlite {
            path: data_dir::database(&settings.server.data_dir),
        },
    };
    StoreSettings { database }
}

/// Opens the database and makes sure of schema and key; its tenants are left as they are.
pub(crate) async fn deployment(settings: &Settings) -> Result<(Store, RootKey), Failure> {
    let root = data_dir::root_key(settings)?;
    let store = store(settings).await?;
    if settings.database.url.is_none() {
        store.migrate().await?;
        bootstrap::add_missing_scopes(&store, SystemClock.now()).await?;
    } else if store.pending_migrations().await? > 0 {
        return Err(Failure::new(
            "the database has an older schema; run `portcullis migrate` first",
        ));
    }
    bootstrap::check_root_key(&store, &root).await?;
    Ok((store, root))
}

/// The same, with the tenant that is meant; a first one is made.
pub(crate) async fn open(settings: &Settings, fallback_domain: &str) -> Result<Opened, Failure> {
    let (store, root) = deployment(settings).await?;
    let tenant = match the_tenant(settings, &store).await? {
        Some(tenant) => tenant,
        None => {
            let domain = settings.domain(fallback_domain)?;
            let secrets = Secrets::of(&root);
            let now = SystemClock.now();
            let id =
                bootstrap::ensure_tenant(&store, &secrets, &SystemEntropy, now, &domain).await?;
            store
                .tenant(&id)
                .find_tenant()
                .await?
                .ok_or_else(|| Failure::new("the tenant vanished"))?
        }
    };
    Ok(Opened {
        store,
        root,
        tenant,
    })
}

/// Opens the database to look at it, beside whoever serves it, with the tenant that is named or meant.
pub(crate) async fn look(
    settings: &Settings,
    tenant: Option<&str>,
) -> Result<(Store, Tenant), Failure> {
    let file = data_dir::database(&settings.server.data_dir);
    if settings.database.url.is_none() && !file.exists() {
        return Err(Failure::new(format!(
            "{} does not exist; name the data directory with --data-dir",
            file.display()
        )));
    }
    let store = Store::inspect(&store_settings(settings))?;
    if store.pending_migrations().await? > 0 {
        return Err(Failure::new(
            "the database has an older schema; start the server of this version first, or run `portcullis migrate`",
        ));
    }
    let tenant = match tenant {
        Some(named) => Some(find_tenant(&store, named).await?),
        None => match the_tenant(settings, &store).await? {
            Some(tenant) => Some(tenant),
            None => store.find_tenant_by_host(&settings.domain("")?).await?,
        },
    };
    let tenant = tenant.ok_or_else(|| {
        Failure::new("no tenant answers on the public address; `portcullis tenant list` names them")
    })?;
    Ok((store, tenant))
}

/// The tenant that is meant where no public address says it: the default one, or the only one. None if the address
/// says it, or there is no tenant yet.
async fn the_tenant(settings: &Settings, store: &Store) -> Result<Option<Tenant>, Failure> {
    if settings.server.public_url.is_some() {
        return Ok(None);
    }
    if let Some(named) = &settings.server.default_tenant {
        return find_tenant(store, named).await.map(Some);
    }
    let mut tenants = store.list_tenants().await?;
    if tenants.len() > 1 {
        return Err(Failure::new(format!(
            "there are several tenants ({}); say which one is meant: --public-url, server.default_tenant, or --tenant NAME",
            names(&tenants)
        )));
    }
    Ok(tenants.pop())
}

/// The tenant of this name, host or id, looked for in the database.
pub(crate) async fn find_tenant(store: &Store, named: &str) -> Result<Tenant, Failure> {
    let tenants = store.list_tenants().await?;
    the_one_called(&tenants, named).cloned()
}

/// The tenant of this name, host or id. Where several may be meant, none is taken: it might be removed.
pub(crate) fn the_one_called<'t>(
    tenants: &'t [Tenant],
    named: &str,
) -> Result<&'t Tenant, Failure> {
    let is_meant = |tenant: &&Tenant| {
        let words = [tenant.id.as_str(), &tenant.name, &tenant.domain];
        words.contains(&named) || tenant.aliases.iter().any(|alias| alias == named)
    };
    let meant: Vec<&Tenant> = tenants.iter().filter(is_meant).collect();
    match meant[..] {
        [one] => Ok(one),
        [] => Err(Failure::new(format!(
            "no tenant is called `{named}`; there are: {}",
            names(tenants)
        ))),
        _ => {
            let told = meant
                .iter()
                .map(|tenant| format!("{} ({})", tenant.id.as_str(), tenant.domain));
            Err(Failure::new(format!(
                "`{named}` may be any of {}; say the domain or the id",
                told.collect::<Vec<_>>().join(", ")
            )))
        }
    }
}

fn names(tenants: &[Tenant]) -> String {
    let mut names: Vec<&str> = tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    names.sort_unstable();
    names.join(", ")
}

/// How many threads hash.
pub(crate) fn hashing_workers(settings: &Settings) -> usize {
    match settings.hashing.workers {
        0 => std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
        workers => workers,
    }
}

/// Starts the hashing pool and puts the application together.
pub(crate) async fn app(
    settings: &Settings,
    opened: Opened,
    mail: MailSettings,
) -> Result<Arc<App>, Failure> {
    let scheme = Scheme::Argon2id {
        memory_kib: settings.argon2.memory_kib,
        passes: settings.argon2.passes,
        lanes: 1,
    };
    let workers = hashing_workers(settings);
    let pool = HashingPool::start(PoolSettings {
        workers,
        capacity: settings.hashing.queue,
        deadline: Duration::from_millis(settings.hashing.deadline_ms),
        argon2: match settings.argon2.implementation {
            settings::Argon2Implementation::Simd => Argon2Implementation::Simd,
            settings::Argon2Implementation::RustCrypto => Argon2Implementation::RustCrypto,
        },
    });
    tracing::info!(
        workers,
        memory_kib = settings.argon2.memory_kib,
        "hashing pool started"
    );
    let default_tenant = default_tenant(settings, &opened).await?;
    let server = ServerSettings {
        trusted_proxies: settings.server.trusted_proxies.clone(),
        client_ip_header: header(&settings.server.client_ip_header)?,
        default_tenant: Some(default_tenant),
        password_scheme: scheme,
        waiting: WaitingSettings::default(),
        connections: ConnectionSettings {
            most: open_files::connections_that_fit(settings.server.max_connections),
            handshake: Duration::from_secs(settings.server.handshake_timeout_seconds),
            head: Duration::from_secs(settings.server.header_timeout_seconds),
            body: Duration::from_secs(settings.server.body_timeout_seconds),
            write: Duration::from_secs(settings.server.write_timeout_seconds),
        },
        mail,
        breach: Arc::new(breach_sources(settings)?),
        outgoing: outgoing(settings)?,
    };
    let entropy: Arc<dyn Entropy + Send + Sync> = Arc::new(SystemEntropy);
    Ok(App::new(
        server,
        opened.store,
        &opened.root,
        pool,
        Arc::new(SystemClock),
        entropy,
    ))
}

/// Where breached passwords are looked up; the list is opened when the server starts.
pub(crate) fn breach_sources(settings: &Settings) -> Result<BreachSources, Failure> {
    let breach = &settings.breach;
    let sources = BreachSettings {
        built_in: breach.built_in,
        list_file: breach.list_file.clone(),
        online_url: breach.online_url.clone(),
        online_timeout: Duration::from_millis(breach.online_timeout_ms),
    };
    let now = tokio::time::Instant::now().into_std();
    BreachSources::new(&sources, &outgoing(settings)?, now).map_err(|refused| {
        let url = breach.online_url.as_deref().unwrap_or_default();
        Failure::new(format!("breach.online_url: `{url}` {refused}"))
    })
}

/// Whom outgoing requests may reach, and who vouches for them.
pub(crate) fn outgoing(settings: &Settings) -> Result<OutgoingSettings, Failure> {
    let authorities = match &settings.outgoing.ca_file {
        None => Vec::new(),
        Some(file) => {
            let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
            let unreadable = |why: &dyn std::fmt::Display| {
                Failure::new(format!("outgoing.ca_file: {}: {why}", file.display()))
            };
            let authorities: Vec<_> = read.map_err(|error| unreadable(&error))?;
            if authorities.is_empty() {
                return Err(unreadable(&"holds no certificate in PEM"));
            }
            authorities
        }
    };
    Ok(OutgoingSettings {
        authorities,
        allow_private: settings.outgoing.allow_private,
    })
}

async fn default_tenant(settings: &Settings, opened: &Opened) -> Result<TenantId, Failure> {
    match &settings.server.default_tenant {
        None => Ok(opened.tenant.id.clone()),
        Some(named) => match find_tenant(&opened.store, named).await {
            Ok(tenant) => Ok(tenant.id),
            Err(missing) => Err(Failure::new(format!("server.default_tenant: {missing}"))),
        },
    }
}

pub(crate) fn header(name: &str) -> Result<HeaderName, Failure> {
    name.to_ascii_lowercase().parse().map_err(|_| {
        Failure::new(format!(
            "server.client_ip_header: `{name}` is not a header name"
        ))
    })
}
