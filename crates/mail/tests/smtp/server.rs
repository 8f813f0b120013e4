//! The SMTP server of the tests: aiosmtpd in a process of its own, with a certificate made for the test.
//!
//! It lives as long as its value. Without the PyPI packages a test is skipped and says so; in CI that is a failure.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use mail::{Credentials, Roots, Security, Smtp, SmtpSettings, Transport};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tempfile::TempDir;

/// What protects the connections of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    None,
    StartTls,
    Tls,
}

pub(crate) struct Server {
    process: Child,
    said: Receiver<String>,
    port: u16,
    protection: Protection,
    authority: Vec<u8>,
    _directory: TempDir,
}

impl Server {
    /// Starts a server whose transactions behave so in turn, the last for ever; none where it cannot be run.
    pub(crate) fn start(protection: Protection, behaviours: &[&str]) -> Option<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python = root.join("e2e/.venv/bin/python");
        if !root.join("e2e/.venv/.installed").exists() {
            #[expect(clippy::disallowed_methods, reason = "only CI must have everything")]
            let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(
                !in_ci,
                "the SMTP server of the tests is missing: make setup"
            );
            eprintln!("SKIPPED: mails to a real SMTP server: e2e/.venv is missing (make setup)");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let (authority, certificate, key) = certificates();
        let (certificate_file, key_file) = (
            directory.path().join("server.pem"),
            directory.path().join("key.pem"),
        );
        std::fs::write(&certificate_file, certificate).unwrap();
        std::fs::write(&key_file, key).unwrap();
        let mut process = Command::new(python)
            .arg(root.join("crates/mail/tests/smtp/server.py"))
            .arg(match protection {
                Protection::None => "none",
                Protection::StartTls => "starttls",
                Protection::Tls => "tls",
            })
            .args([certificate_file, key_file])
            .args(behaviours)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = heard(process.stdout.take().unwrap());
        let line = said.recv().unwrap();
        let port = line
            .strip_prefix("ready ")
            .expect("the server listens")
            .parse()
            .unwrap();
        Some(Self {
            process,
            said,
            port,
            protection,
            authority: authority.into_bytes(),
            _directory: directory,
        })
    }

    /// Who vouches for this server.
    pub(crate) fn roots(&self) -> Roots {
        Roots::Pem(self.authority.clone())
    }

    /// The same as a file has it.
    pub(crate) fn authority(&self) -> &[u8] {
        &self.authority
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Settings that fit.
    pub(crate) fn settings(&self) -> SmtpSettings {
        let roots = self.roots();
        let credentials = Credentials {
            user: "shop".to_owned(),
            password: "correct horse".to_owned(),
        };
        SmtpSettings {
            host: "localhost".to_owned(),
            port: self.port,
            security: match self.protection {
                Protection::None => Security::None,
                Protection::StartTls => Security::StartTls(roots),
                Protection::Tls => Security::Tls(roots),
            },
            credentials: (self.protection != Protection::None).then_some(credentials),
            hello: "one.example.com".to_owned(),
            timeout: Duration::from_secs(20),
        }
    }

    pub(crate) fn transport(&self) -> Transport {
        Transport::Smtp(Smtp::new(self.settings()).unwrap())
    }

    /// What the server says next: a mail it took, or a transaction it let fail.
    pub(crate) fn next(&mut self) -> Value {
        let line = self.said.recv().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Ends the server and answers what it said that nobody has heard.
    pub(crate) fn rest(mut self) -> Vec<Value> {
        drop(self.process.stdin.take());
        let lines = self.said.iter();
        lines
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect()
    }
}

/// What is said, line by line. It is heard at once: a full pipe would silence the server.
fn heard(said: ChildStdout) -> Receiver<String> {
    let (hear, heard) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            if hear.send(line).is_err() {
                return;
            }
        }
    });
    heard
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An authority and a certificate of it for `localhost`, with its key.
fn certificates() -> (String, String, String) {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority = parameters.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(parameters, authority_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &issuer).unwrap();
    (authority.pem(), certificate.pem(), key.serialize_pem())
}
