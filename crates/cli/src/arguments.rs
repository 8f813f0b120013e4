//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::backup::Backup;
use crate::breach_list;
use crate::doctor::Doctor;
use crate::logs::Logs;
use crate::settings;
use crate::tenant::Tenant;

/// A self-hosted identity server that speaks Auth0's wire format and guards password login.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server until SIGTERM or Ctrl-C.
    Serve(Serve),
    /// Run a throw-away server, play the login story on it, and keep serving.
    Demo(Demo),
    /// Make what an administrator needs to begin.
    #[command(subcommand)]
    Admin(Admin),
    /// The tenants of this deployment.
    #[command(subcommand)]
    Tenant(Tenant),
    /// Bring the database to this version's schema.
    Migrate(Database),
    /// Say what is wrong with the deployment and how to mend it; takes the flags of serve and changes nothing.
    Doctor(Doctor),
    /// Copy the SQLite database into a file, beside a running server or without one.
    Backup(Backup),
    /// The log events of a tenant: into a file, or as they are written. Works beside a running server.
    #[command(subcommand)]
    Logs(Logs),
    /// The list of breached passwords: made of a Have I Been Pwned download, followed by the server.
    #[command(subcommand)]
    BreachList(breach_list::Command),
    /// What the settings are and what they may be.
    #[command(subcommand)]
    Settings(settings::Command),
    /// Keys of the deployment.
    #[command(subcommand)]
    Keys(Keys),
}

/// Where settings and data are.
#[derive(Debug, Args, Clone)]
pub(crate) struct Database {
    /// Settings file (TOML).
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
    /// Directory of the SQLite database, the root key and the development CA [default: ./portcullis-data].
    #[arg(long)]
    pub(crate) data_dir: Option<PathBuf>,
    /// PostgreSQL instead of SQLite; needs server.root_key_file or server.root_key.
    #[arg(long, value_name = "postgres://…")]
    pub(crate) database_url: Option<String>,
    /// The address users and applications see, as in https://localhost:8443/.
    #[arg(long, value_name = "https://HOST[:PORT]/")]
    pub(crate) public_url: Option<String>,
}

#[derive(Debug, Args, Clone)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) database: Database,
    /// Address to listen on; may be given several times [default: 127.0.0.1:8443].
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Vec<SocketAddr>,
    /// Certificate chain (PEM).
    #[arg(long, requires = "tls_key", conflicts_with_all = ["tls_dev", "no_tls"])]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM).
    #[arg(long, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// TLS with a certificate for localhost from a CA made in the data directory (dev-ca/ca.pem).
    #[arg(long, conflicts_with = "no_tls")]
    pub(crate) tls_dev: bool,
    /// Plain HTTP, for a TLS proxy in front.
    #[arg(long)]
    pub(crate) no_tls: bool,
}

#[derive(Debug, Args, Clone)]
pub(crate) struct Demo {
    /// Address to listen on.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8443")]
    pub(crate) listen: SocketAddr,
    /// End after the story instead of serving on.
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Make a machine-to-machine application with every Management API scope.
    CreateClient(CreateClient),
}

#[derive(Debug, Args, Clone)]
pub(crate) struct CreateClient {
    #[command(flatten)]
    pub(crate) database: Database,
    /// Name, domain or id of the tenant, where there are several.
    #[arg(long, conflicts_with = "public_url")]
    pub(crate) tenant: Option<String>,
    /// The application's name.
    #[arg(long, default_value = "Administration")]
    pub(crate) name: String,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Print a new root key.
    Root,
}
