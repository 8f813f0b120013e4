//! One cluster: made, started, watched by a shell that outlives this process by as long as stopping takes.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::StartError;
use crate::binaries::Binaries;

const OWNER: &str = "portcullis";
/// Another process may take the port between our look and the server's start.
const ATTEMPTS: u32 = 3;

/// The shell's orders. `$1` directory, `$2` programs, `$3` port, `$4` owner.
///
/// The server is started by `pg_ctl`, which waits until it answers and gives it no descriptor of ours.
const WATCH: &str = r#"
cd "$1" || exit 1
fail() { cat log 2>/dev/null; rm -rf "$1"; exit 1; }
"$2/initdb" -D data -U "$4" --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >log 2>&1 || fail "$1"
"$2/pg_ctl" -D data -l log -w -t 60 -o "-p $3 -k $1 -c listen_addresses=127.0.0.1 -c max_connections=200" start >/dev/null 2>&1 </dev/null || fail "$1"
echo ready
cat >/dev/null
"$2/pg_ctl" -D data -m immediate -w stop >/dev/null 2>&1
cd / && rm -rf "$1"
"#;

#[derive(Debug)]
pub(crate) struct Cluster {
    binaries: Binaries,
    directory: PathBuf,
    port: u16,
    /// Its standard input is what the shell waits for.
    watch: Child,
}

impl Cluster {
    pub(crate) fn start() -> Result<Self, StartError> {
        let mut last = StartError::Failed(String::new());
        for _ in 0..ATTEMPTS {
            match Self::try_start() {
                Err(error @ StartError::Failed(_)) => last = error,
                outcome => return outcome,
            }
        }
        Err(last)
    }

    fn try_start() -> Result<Self, StartError> {
        let binaries = Binaries::find()?;
        let directory = tempfile::Builder::new().prefix("portcullis-pg-").tempdir();
        // The shell removes it, also when this process is killed.
        let directory = directory.map_err(|error| failed(&error))?.keep();
        binaries
            .hand_over(&directory)
            .map_err(|error| failed(&error))?;
        let port = free_port().map_err(|error| failed(&error))?;
        let mut watch = binaries
            .command("/bin/sh")
            .args(["-c", WATCH, "watch"])
            .arg(&directory)
            .arg(binaries.directory())
            .args([&port.to_string(), OWNER])
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // An interrupt at the terminal is for the tests; the shell learns of their end by its input.
            .process_group(0)
            .spawn()
            .map_err(|error| failed(&error))?;
        let told = watch.stdout.take().expect("standard output was piped");
        let mut told = BufReader::new(told);
        let mut line = String::new();
        told.read_line(&mut line).map_err(|error| failed(&error))?;
        if line.trim() != "ready" {
            // What the server has logged.
            told.read_to_string(&mut line)
                .map_err(|error| failed(&error))?;
            return Err(StartError::Failed(line));
        }
        Ok(Self {
            binaries,
            directory,
            port,
            watch,
        })
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgresql://{OWNER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs one of PostgreSQL's client programs and answers what it prints.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(self.binaries.directory().join(program));
        command
            .env("PGHOST", &self.directory)
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", OWNER)
            .args(arguments);
        finish(command, program)
    }

    pub(crate) fn restart(&self) {
        let mut command = self
            .binaries
            .command(self.binaries.directory().join("pg_ctl"));
        command.current_dir(&self.directory).args([
            "-D",
            "data",
            "-l",
            "log",
            "-m",
            "immediate",
            "-w",
            "-t",
            "60",
            "restart",
        ]);
        finish(command, "pg_ctl");
    }

    pub(crate) fn server_pid(&self) -> u32 {
        let file = std::fs::read_to_string(self.directory.join("data/postmaster.pid"));
        let file = file.unwrap_or_else(|error| panic!("no running server: {error}"));
        let pid = file.lines().next().and_then(|line| line.parse().ok());
        pid.expect("the first line of postmaster.pid is the process id")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        // It ends by itself; waiting only keeps it from being a zombie.
        let _ = self.watch.wait();
    }
}

fn finish(mut command: Command, program: &str) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {problem}");
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn failed(error: &std::io::Error) -> StartError {
    StartError::Failed(error.to_string())
}
