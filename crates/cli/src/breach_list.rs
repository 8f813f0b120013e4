//! `portcullis breach-list …`: makes the list of breached passwords of a downloaded corpus, shows it, asks it.
//!
//! The list and its building are the crate `breached`; here are its words. See `docs/operate/breach-list.md`.

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;

use breached::{BreachList, Build, BuiltIn, Coverage, Existing};
use clap::{Args, Subcommand, ValueEnum};
use credentials::Password;
use server::{Clock, SystemClock};

use crate::Failure;

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a list of a Have I Been Pwned download.
    Build(Building),
    /// Say what a list holds and whether it is whole.
    Show(Show),
    /// Ask a list for the password on standard input.
    Check(Check),
}

#[derive(Debug, Args)]
pub(crate) struct Building {
    /// The download: a folder of range files, or one sorted file of HASH:COUNT lines.
    #[arg(long, value_name = "PATH")]
    from: PathBuf,
    /// Which hashes the download holds.
    #[arg(long)]
    kind: Kind,
    /// The file to write; the server follows it when it is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave out passwords that were seen less often.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    min_count: u64,
    /// Replace the file if it exists.
    #[arg(long)]
    force: bool,
    /// Take a download with gaps; what is missing is never found.
    #[arg(long)]
    partial: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Sha1,
    Ntlm,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    file: PathBuf,
}

/// The ranges of a whole corpus: five hex digits.
const RANGES: u32 = 1 << 20;

/// Runs one of the commands.
pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Build(options) => build(options),
        Command::Show(Show { file }) => {
            show(&BreachList::open(file)?);
            Ok(())
        }
        Command::Check(Check { file }) => check(&BreachList::open(file)?),
    }
}

fn build(options: &Building) -> Result<(), Failure> {
    let begun = SystemClock.now();
    let building = Build {
        from: &options.from,
        kind: match options.kind {
            Kind::Sha1 => breached::Kind::Sha1,
            Kind::Ntlm => breached::Kind::Ntlm,
        },
        out: &options.out,
        min_count: options.min_count,
        coverage: if options.partial {
            Coverage::Part
        } else {
            Coverage::Whole
        },
        existing: if options.force {
            Existing::Replace
        } else {
            Existing::Keep
        },
        made_at: begun,
    };
    let built = breached::build(&building, |progress| {
        // Nothing depends on whether anybody reads it.
        let _ = writeln!(
            io::stderr(),
            "{:.0} % read, {} hashes",
            progress.share * 100.0,
            progress.hashes
        );
    })?;
    println!(
        "{}: {} {} hashes, {} bytes, built in {} s",
        options.out.display(),
        built.entries,
        building.kind,
        built.bytes,
        SystemClock.now().duration_since(begun).as_secs(),
    );
    if built.left_out > 0 {
        println!(
            "Left out: {} hashes seen fewer than {} times.",
            built.left_out, options.min_count
        );
    }
    if built.ranges < RANGES {
        println!(
            "It is a part of the corpus: {} of {RANGES} ranges. Passwords in the others are not found.",
            built.ranges
        );
    }
    Ok(())
}

fn show(list: &BreachList) {
    let age = SystemClock.now().duration_since(list.made_at());
    println!("file       {}", list.path().display());
    println!("hashes     {} {}", list.entries(), list.kind());
    println!("seen       {} times or more", list.min_count());
    println!("ranges     {} of {RANGES}", list.ranges());
    println!(
        "made at    {}, {} days ago",
        list.made_at(),
        age.as_hours() / 24
    );
    println!("bytes      {}", list.bytes());
    println!("checksum   right");
}

fn check(list: &BreachList) -> Result<(), Failure> {
    let mut line = String::new();
    // A password has at most 1,024 bytes; more would be read for nothing.
    io::stdin()
        .lock()
        .take(2_048)
        .read_line(&mut line)
        .map_err(|error| {
            Failure::new(format!(
                "the password cannot be read as UTF-8 text: {error}"
            ))
        })?;
    while line.ends_with(['\n', '\r']) {
        line.pop();
    }
    let password = Password::new(line)?;
    if list.contains(password.expose())? {
        println!("found in the list");
    } else {
        println!("not found in the list");
    }
    match breached::built_in(password.expose()) {
        Some(BuiltIn::TestPassword) => println!("a test password: always breached"),
        Some(BuiltIn::Common) => println!("found among the built-in common passwords"),
        None => {}
    }
    Ok(())
}
