//! The load scenarios of the performance promises, each beside the limit it is measured against, in one run.
//!
//! Machines are shared and noisy: only ratios taken in one run mean anything. Traffic stays on loopback; every loop ends.

mod effort;
mod empty_handler;
mod flood;
mod load;
mod node;
mod populate;
mod process;
mod report;
mod scenarios;
mod shop;

use std::net::SocketAddr;

use clap::{Parser, Subcommand};
use effort::Effort;
use node::{Argon2, Engine};
use populate::Crowd;
use report::{Report, Row};
use scenarios::{
    client_credentials, documents, flooded, footprint, large_database, password_grant,
    refused_guess,
};

type Failure = Box<dyn std::error::Error>;

/// The scenarios of the table, in its order.
const SCENARIOS: [u8; 8] = [1, 2, 3, 4, 6, 7, 8, 10];

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Scenarios to run, by number: `3,7`. A report is written only when all have run.
    #[arg(long, value_delimiter = ',', value_parser = scenario)]
    only: Vec<u8>,
    /// A few seconds each, to see that they run; the figures say nothing.
    #[arg(long)]
    short: bool,
    /// Scenario 8 with 10^6 users and 10^7 log events instead of a tenth of that.
    #[arg(long)]
    large: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the empty handler that other scenarios are measured against.
    #[command(hide = true)]
    EmptyHandler { address: SocketAddr },
    /// Fill the database of a stopped server with users like its first one, and with log events of the last month.
    Populate {
        /// The SQLite file, or the URL of a PostgreSQL database.
        database: String,
        #[arg(long)]
        users: u64,
        #[arg(long)]
        events: u64,
    },
}

fn scenario(text: &str) -> Result<u8, String> {
    let number = text.parse().ok();
    number
        .filter(|number| SCENARIOS.contains(number))
        .ok_or_else(|| format!("there are the scenarios {SCENARIOS:?}"))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::EmptyHandler { address }) => return empty_handler::serve(address).await,
        Some(Command::Populate {
            database,
            users,
            events,
        }) => return populate::named(&database, Crowd { users, events }).await,
        None => {}
    }

    let effort = if arguments.short {
        Effort::Short
    } else {
        Effort::Full
    };
    let chosen = |number: &u8| arguments.only.is_empty() || arguments.only.contains(number);
    let mut report = Report::begin(effort);
    let mut failed = Vec::new();
    for number in SCENARIOS.iter().filter(|number| chosen(number)) {
        match run(*number, effort, arguments.large).await {
            Ok(rows) => rows.iter().for_each(|row| report.add(row)),
            Err(why) => {
                report.add_failure(*number, &*why);
                failed.push(*number);
            }
        }
    }
    if arguments.only.is_empty() && effort == Effort::Full {
        report.finish()?;
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("these scenarios did not come to their end: {failed:?}").into())
    }
}

async fn run(number: u8, effort: Effort, large: bool) -> Result<Vec<Row>, Failure> {
    let keycloak = Argon2 {
        memory_kib: 7_168,
        passes: 5,
    };
    match number {
        1 => {
            let name = "1 password grant, 19 MiB, 2 passes";
            password_grant::run(name, Argon2::DEFAULT, 0.92, effort).await
        }
        2 => {
            let name = "2 password grant, 7 MiB, 5 passes";
            password_grant::run(name, keycloak, 0.88, effort).await
        }
        3 => client_credentials::run(effort).await,
        4 => refused_guess::run(effort).await,
        6 => documents::run(effort).await,
        7 => {
            let mut rows = flooded::run(Engine::Sqlite, effort).await?;
            rows.extend(flooded::run(Engine::Postgres, effort).await?);
            Ok(rows)
        }
        8 => {
            let mut rows = large_database::run(Engine::Sqlite, effort, large).await?;
            rows.extend(large_database::run(Engine::Postgres, effort, large).await?);
            Ok(rows)
        }
        _ => footprint::run(effort).await,
    }
}
