//! A migrated store of a test's own, with handles of two tenants.

use model::TenantId;
use storage::{Database, Store, StoreSettings, TenantStore};
use tempfile::TempDir;
use temporary_postgres::TemporaryPostgres;
use tokio::sync::OnceCell;

/// What a story runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
    /// PostgreSQL without named statements.
    Pooler,
}

pub(crate) struct Stage {
    pub(crate) store: Store,
    pub(crate) rows: TenantStore,
    pub(crate) other: TenantStore,
    pub(crate) engine: Engine,
    pub(crate) settings: StoreSettings,
    directory: TempDir,
}

impl Stage {
    /// A store that is migrated.
    pub(crate) async fn open(engine: Engine) -> Self {
        let url = match engine {
            Engine::Sqlite => None,
            Engine::Postgres | Engine::Pooler => Some(migrated_database().await),
        };
        let stage = Self::on(engine, url).await;
        stage.store.migrate().await.unwrap();
        stage
    }

    /// A store on an empty database.
    pub(crate) async fn unmigrated(engine: Engine) -> Self {
        let url = match engine {
            Engine::Sqlite => None,
            Engine::Postgres | Engine::Pooler => Some(new_database().await),
        };
        Self::on(engine, url).await
    }

    async fn on(engine: Engine, url: Option<String>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = match url {
            None => Database::Sqlite {
                path: directory.path().join("test.db"),
            },
            Some(url) => postgres(url, engine == Engine::Pooler),
        };
        let settings = StoreSettings { database };
        let store = Store::open(&settings).await.unwrap();
        Self {
            rows: store.tenant(&TenantId::new("ten_one")),
            other: store.tenant(&TenantId::new("ten_other")),
            store,
            engine,
            settings,
            directory,
        }
    }

    /// A second store on the same PostgreSQL, as another node has it.
    pub(crate) async fn second(&self) -> Store {
        Store::open(&self.settings).await.unwrap()
    }

    /// The URL of the PostgreSQL database.
    pub(crate) fn url(&self) -> &str {
        match &self.settings.database {
            Database::Postgres { url, .. } => url,
            Database::Sqlite { .. } => panic!("SQLite has no URL"),
        }
    }

    /// Runs SQL beside the store.
    pub(crate) fn sql(&self, sql: &str) -> String {
        match &self.settings.database {
            Database::Postgres { url, .. } => TemporaryPostgres::shared().sql(url, sql),
            Database::Sqlite { path } => {
                rusqlite::Connection::open(path)
                    .unwrap()
                    .execute_batch(sql)
                    .unwrap();
                String::new()
            }
        }
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("test.db")
    }
}

pub(crate) async fn new_database() -> String {
    tokio::task::spawn_blocking(|| TemporaryPostgres::shared().create_database())
        .await
        .unwrap()
}

/// A copy of a database that was migrated once in this process.
async fn migrated_database() -> String {
    static MIGRATED: OnceCell<String> = OnceCell::const_new();
    let migrated = MIGRATED.get_or_init(async || {
        let url = new_database().await;
        let database = postgres(url.clone(), false);
        let store = Store::open(&StoreSettings { database }).await.unwrap();
        store.migrate().await.unwrap();
        url
    });
    let migrated = migrated.await;
    tokio::task::spawn_blocking(|| TemporaryPostgres::shared().copy_database(migrated))
        .await
        .unwrap()
}

fn postgres(url: String, pooler: bool) -> Database {
    Database::Postgres {
        url,
        pooler,
        max_connections: 5,
    }
}
