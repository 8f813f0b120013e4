//! The release binary under load: started on a throw-away directory or PostgreSQL database, stopped, killed and started
//! again on the same data.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use storage::{Database, StoreSettings};
use tempfile::TempDir;
use temporary_postgres::TemporaryPostgres;
use tokio::time::Instant;

use crate::Failure;

/// Which database a server keeps its rows in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// Cost of a password hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Argon2 {
    pub(crate) memory_kib: u32,
    pub(crate) passes: u32,
}

impl Argon2 {
    /// What the server has by itself.
    pub(crate) const DEFAULT: Self = Self {
        memory_kib: 19_456,
        passes: 2,
    };
    /// For scenarios in which no hash is to be seen.
    pub(crate) const SMALL: Self = Self {
        memory_kib: 64,
        passes: 1,
    };
}

/// A server and its data.
pub(crate) struct Node {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The client with which an administrator begins.
    pub(crate) keys: Value,
    argon2: Argon2,
    metrics: SocketAddr,
    database_url: Option<String>,
    root_key: String,
    directory: TempDir,
}

/// The folder of this very program, where the server's binary is too.
pub(crate) fn sibling(name: &str) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    Ok(own.parent().ok_or("the program has no folder")?.join(name))
}

/// A free address on loopback.
pub(crate) fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Starts a program and waits until it says that it listens.
pub(crate) fn start(command: &mut Command) -> Result<Child, Failure> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    match BufReader::new(output).lines().next() {
        Some(Ok(line)) if line.starts_with("listening on") => Ok(child),
        other => Err(format!("the program did not start: {other:?}").into()),
    }
}

impl Node {
    /// Makes the data and starts a server on it.
    pub(crate) fn start(engine: Engine, argon2: Argon2) -> Result<Self, Failure> {
        let root_key = Command::new(sibling("portcullis")?)
            .args(["keys", "root"])
            .output()?;
        let mut node = Self {
            child: Command::new("true").spawn()?,
            address: free_address()?,
            keys: Value::Null,
            argon2,
            metrics: free_address()?,
            database_url: match engine {
                Engine::Sqlite => None,
                Engine::Postgres => Some(TemporaryPostgres::shared().create_database()),
            },
            root_key: String::from_utf8(root_key.stdout)?.trim().to_owned(),
            directory: tempfile::tempdir()?,
        };
        node.child.wait()?;
        if engine == Engine::Postgres {
            node.command(&["migrate"])?.output()?;
        }
        let made = node
            .command(&["admin", "create-client", "--json"])?
            .output()?;
        node.keys = serde_json::from_slice(&made.stdout)
            .map_err(|_| String::from_utf8_lossy(&made.stderr).into_owned())?;
        node.child = start(&mut node.serve()?)?;
        Ok(node)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to end, and waits until it has.
    pub(crate) fn stop(&mut self) -> Result<(), Failure> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.ok_or("no process")?, Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }

    /// Ends the server as a crash would.
    pub(crate) fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again on the same data; answers how long it took to its first answer.
    pub(crate) async fn start_again(&mut self) -> Result<Duration, Failure> {
        const PATIENCE: Duration = Duration::from_secs(30);
        let mut command = self.serve()?;
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let started = Instant::now();
        self.child = command.spawn()?;
        while started.elapsed() < PATIENCE {
            if crate::load::answers(self.address).await {
                return Ok(started.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Err("the server did not come back".into())
    }

    /// Its database, for whoever opens it while the server is stopped.
    pub(crate) fn store(&self) -> StoreSettings {
        StoreSettings {
            database: match &self.database_url {
                None => Database::Sqlite {
                    path: self.directory.path().join("portcullis.db"),
                },
                Some(url) => Database::Postgres {
                    url: url.clone(),
                    pooler: false,
                    max_connections: 2,
                },
            },
        }
    }

    fn serve(&self) -> Result<Command, Failure> {
        let address = self.address.to_string();
        self.command(&["serve", "--no-tls", "--listen", &address])
    }

    fn command(&self, arguments: &[&str]) -> Result<Command, Failure> {
        let public_url = format!("https://localhost:{}/", self.address.port());
        let mut command = Command::new(sibling("portcullis")?);
        command
            .args(arguments)
            .arg("--data-dir")
            .arg(self.directory.path())
            .args(["--public-url", &public_url])
            .env(
                "PORTCULLIS_ARGON2__MEMORY_KIB",
                self.argon2.memory_kib.to_string(),
            )
            .env("PORTCULLIS_ARGON2__PASSES", self.argon2.passes.to_string())
            .env("PORTCULLIS_METRICS__LISTEN", self.metrics.to_string())
            .env("RUST_LOG", "warn");
        if let Some(url) = &self.database_url {
            command
                .args(["--database-url", url])
                .env("PORTCULLIS_SERVER__ROOT_KEY", &self.root_key);
        }
        Ok(command)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
