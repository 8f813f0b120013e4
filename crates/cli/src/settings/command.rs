//! `portcullis settings …`: prints settings and what they may be; changes nothing.

use std::net::SocketAddr;

use clap::{Args, Subcommand};

use super::{load, reference, schema, show};
use crate::Failure;
use crate::arguments::Database;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the settings in force and who set each: default, file, environment or flag.
    Show(Show),
    /// Print the JSON Schema of all settings.
    Schema(Schema),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    database: Database,
    /// Address to listen on, as for `serve`.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Vec<SocketAddr>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Print the reference page docs/reference/settings.md instead.
    #[arg(long)]
    markdown: bool,
}

/// Runs one of the commands.
pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Show(options) => {
            let loaded = load::read(&options.database, &options.listen)?;
            println!("{}", show::show(&loaded, options.json)?);
        }
        Command::Schema(Schema { markdown: true }) => print!("{}", reference::markdown()),
        Command::Schema(Schema { markdown: false }) => {
            println!("{}", serde_json::to_string_pretty(&schema::schema())?);
        }
    }
    Ok(())
}
