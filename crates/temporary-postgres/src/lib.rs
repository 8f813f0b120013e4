//! A private PostgreSQL cluster for tests, from Debian's binaries, gone with the process that started it.
//!
//! It runs with the server's default durability, because what tests show must hold in earnest.
//! A shell stands between: it waits for its standard input to close, which the kernel does however this process ends,
//! then stops the server and removes its directory.

mod binaries;
mod cluster;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

pub use binaries::StartError;
use cluster::Cluster;

/// A running cluster.
#[derive(Debug)]
pub struct TemporaryPostgres {
    cluster: Cluster,
    databases: AtomicU32,
}

impl TemporaryPostgres {
    /// The one cluster of this process, started at its first use.
    ///
    /// # Panics
    /// When it cannot be started; the message says what is missing.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<TemporaryPostgres> = OnceLock::new();
        SHARED.get_or_init(|| match Self::start() {
            Ok(started) => started,
            Err(error) => panic!("{error}"),
        })
    }

    /// Starts a cluster of its own, for a test that stops or restarts it.
    pub fn start() -> Result<Self, StartError> {
        Ok(Self {
            cluster: Cluster::start()?,
            databases: AtomicU32::new(0),
        })
    }

    /// Makes an empty database and answers its URL.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn create_database(&self) -> String {
        self.create("template1")
    }

    /// Makes a copy of a database, such as one that was migrated once, and answers its URL.
    ///
    /// # Panics
    /// When the server refuses, because somebody is still connected to the original.
    pub fn copy_database(&self, url: &str) -> String {
        self.create(url.rsplit('/').next().unwrap_or(url))
    }

    fn create(&self, template: &str) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        self.cluster.run("createdb", &["-T", template, &name]);
        self.cluster.url(&name)
    }

    /// Runs SQL as the cluster's owner in the database of a URL, and answers what it prints: one line a row, `|` between.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn sql(&self, url: &str, sql: &str) -> String {
        self.cluster
            .run("psql", &["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, url])
    }

    /// Ends the server as a crash would and starts it again on the same port; it recovers from its log.
    ///
    /// # Panics
    /// When the server does not come back.
    pub fn crash_and_restart(&self) {
        self.cluster.restart();
    }

    /// The process id of the server.
    ///
    /// # Panics
    /// When the server has not written one, because it has stopped.
    pub fn server_pid(&self) -> u32 {
        self.cluster.server_pid()
    }
}
