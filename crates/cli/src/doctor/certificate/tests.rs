use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::ToSpan;
use rcgen::{CertificateParams, Issuer, KeyPair};
use tempfile::TempDir;

use super::*;
use crate::doctor::finding::says;

/// A chain of leaf and issuer for `id.example.com` that is good for 90 days from `day 0`, and its key.
struct Desk {
    directory: TempDir,
    made: Timestamp,
}

impl Desk {
    fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let desk = Self {
            directory: tempfile::tempdir().unwrap(),
            made: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let time = |timestamp: Timestamp| {
            rcgen::date_time_ymd(1970, 1, 1)
                + std::time::Duration::from_secs(timestamp.as_second().unsigned_abs())
        };
        let (begin, end) = (time(desk.made), time(desk.day(90)));
        let issuer_key = KeyPair::generate().unwrap();
        let mut issuer = CertificateParams::new(Vec::new()).unwrap();
        (issuer.not_before, issuer.not_after) = (begin, end);
        issuer
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Example CA");
        let top = issuer.self_signed(&issuer_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec!["id.example.com".to_owned()]).unwrap();
        (leaf.not_before, leaf.not_after) = (begin, end);
        let leaf = leaf
            .signed_by(&key, &Issuer::new(issuer, issuer_key))
            .unwrap()
            .pem();
        desk.write("chain.pem", &format!("{leaf}{top}"));
        desk.write("doubled.pem", &format!("{leaf}{leaf}"));
        desk.write("key.pem", &key.serialize_pem());
        desk.write("other.pem", &KeyPair::generate().unwrap().serialize_pem());
        desk.write("letter.pem", "Dear reader");
        desk
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        self.chmod(name, 0o600);
    }

    fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn files(&self, chain: &str, key: &str) -> Files {
        Files::Given(self.path(chain), self.path(key))
    }

    fn day(&self, day: i64) -> Timestamp {
        self.made + (day * 24).hours()
    }

    /// What is said of the chain on this day.
    fn certificate(&self, chain: &str, public: &str, tenant: &str, day: i64) -> Outcome {
        let hosts = Hosts {
            public: Some(public.to_owned()),
            tenants: vec![tenant.to_owned()],
        };
        certificate(&self.files(chain, "key.pem"), &hosts, self.day(day))
    }
}

const HOST: &str = "id.example.com";

#[test]
fn a_certificate_is_judged_by_its_days() {
    let desk = Desk::new();
    for (day, level, word) in [
        (-1, "fail", "not valid yet"),
        (0, "ok", "90 days left"),
        (69, "ok", "21 days left"),
        (70, "warn", "expires in 20 days"),
        (97, "fail", "expired 7 days ago"),
    ] {
        says(&desk.certificate("chain.pem", HOST, HOST, day), level, word);
    }
}

#[test]
fn a_certificate_must_be_good_for_the_hosts() {
    let desk = Desk::new();
    let with_port = "id.example.com:8443";
    says(
        &desk.certificate("chain.pem", with_port, HOST, 1),
        "ok",
        "2 in the chain",
    );
    says(
        &desk.certificate("chain.pem", "login.example.com", HOST, 1),
        "fail",
        "login.example.com",
    );
    says(
        &desk.certificate("chain.pem", HOST, "other.example.com", 1),
        "warn",
        "other.example.com",
    );
}

#[test]
fn a_chain_out_of_order_and_files_that_hold_none_are_named() {
    let desk = Desk::new();
    says(
        &desk.certificate("doubled.pem", HOST, HOST, 1),
        "warn",
        "did not issue it",
    );
    for file in ["letter.pem", "missing.pem"] {
        says(&desk.certificate(file, HOST, HOST, 1), "fail", file);
    }
}

#[test]
fn a_key_must_fit_and_be_its_owners_alone() {
    let desk = Desk::new();
    says(&key(&desk.files("chain.pem", "key.pem")), "ok", "fits");
    says(
        &key(&desk.files("chain.pem", "other.pem")),
        "fail",
        "does not fit",
    );
    for unreadable in ["letter.pem", "missing.pem"] {
        says(
            &key(&desk.files("chain.pem", unreadable)),
            "fail",
            unreadable,
        );
    }
    desk.chmod("key.pem", 0o640);
    says(
        &key(&desk.files("chain.pem", "key.pem")),
        "warn",
        "mode 0640",
    );
    desk.chmod("key.pem", 0o644);
    says(
        &key(&desk.files("chain.pem", "key.pem")),
        "fail",
        "mode 0644",
    );
}

#[test]
fn without_flags_nothing_is_claimed() {
    let desk = Desk::new();
    let hosts = Hosts {
        public: None,
        tenants: Vec::new(),
    };
    let of = |flags: &[&str]| {
        let files = Files::of(&crate::doctor::options(flags), desk.directory.path());
        certificate(&files, &hosts, desk.day(0))
    };
    says(&of(&[]), "skip", "--tls-cert");
    says(&of(&["--no-tls"]), "skip", "proxy");
    says(&of(&["--tls-dev"]), "ok", "first start");
    tls::ensure_dev_ca(desk.directory.path()).unwrap();
    says(&of(&["--tls-dev"]), "ok", "Portcullis development CA");
}
