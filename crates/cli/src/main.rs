//! The binary `portcullis`: settings, commands, wiring.
//!
//! Only this crate reads the settings file, the environment and the command line.
//! Every failure ends in one clear line on standard error and a non-zero exit.

mod admin;
mod arguments;
mod backup;
mod breach_list;
mod data_dir;
mod demo;
mod doctor;
mod logs;
mod mailing;
mod migrate;
mod open;
mod open_files;
mod serve;
mod settings;
mod tenant;
mod tls;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command, Keys};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("portcullis: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    // The provider is the same library that signs tokens; a second one would be a second thing to trust.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(format!("no runtime: {error}")))?;
    runtime.block_on(async {
        match arguments.command {
            Command::Serve(options) => serve::run(&options).await,
            Command::Demo(options) => demo::run(&options).await,
            Command::Admin(command) => admin::run(&command).await,
            Command::Tenant(command) => tenant::run(&command).await,
            Command::Migrate(options) => migrate::run(&options).await,
            Command::Doctor(options) => doctor::run(&options).await,
            Command::Logs(command) => logs::run(&command).await,
            Command::Backup(options) => backup::run(&options),
            Command::BreachList(command) => breach_list::run(&command),
            Command::Settings(command) => settings::run(&command),
            Command::Keys(Keys::Root) => {
                println!(
                    "{}",
                    *keys::RootKey::generate(&keys::SystemEntropy).to_base64_line()
                );
                Ok(())
            }
        }
    })
}

/// Why a command failed: one sentence for the person at the terminal.
#[derive(Debug)]
struct Failure(String);

impl Failure {
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}
