//! `portcullis logs …`: a tenant's log events on the command line, read straight from the database beside a running server.
//!
//! It never writes to the database, and needs neither the root key nor the server. See `docs/operate/logs.md`.

mod export;
mod export_file;
mod tail;
mod text;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use model::Tenant;
use storage::Store;

use crate::arguments::Database;
use crate::{Failure, open, settings};

#[derive(Debug, Subcommand)]
pub(crate) enum Logs {
    /// Write events to a file, one JSON object a line, the oldest first; the same command again goes on where it ends.
    Export(export::Export),
    /// Show events as they are written.
    Tail(tail::Tail),
}

/// Whose log it is.
#[derive(Debug, Args)]
struct Whose {
    #[command(flatten)]
    database: Database,
    /// Name, domain or id of the tenant, where there are several.
    #[arg(long, conflicts_with = "public_url")]
    tenant: Option<String>,
}

impl Whose {
    async fn open(&self) -> Result<(Store, Tenant), Failure> {
        let settings = settings::load(&self.database)?;
        open::look(&settings, self.tenant.as_deref()).await
    }
}

/// Runs one of the commands.
pub(crate) async fn run(command: &Logs) -> Result<(), Failure> {
    match command {
        Logs::Export(options) => export::run(options).await,
        Logs::Tail(options) => tail::run(options).await,
    }
}

/// A moment of UTC, or the beginning of a day.
fn moment(text: &str) -> Result<Timestamp, String> {
    let day = || {
        let date: Date = text.parse().ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let moment = text.parse().ok().or_else(day);
    moment.ok_or_else(|| "write 2026-01-31T12:00:00Z, or 2026-01-31 for its beginning".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_times_or_days() {
        assert_eq!(
            moment("2026-01-31"),
            Ok("2026-01-31T00:00:00Z".parse().unwrap())
        );
        assert_eq!(
            moment("2026-01-31T12:00:00+02:00"),
            Ok("2026-01-31T10:00:00Z".parse().unwrap())
        );
        assert!(moment("yesterday").is_err());
    }
}
