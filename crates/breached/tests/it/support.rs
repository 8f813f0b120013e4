//! Corpora as the Have I Been Pwned downloader writes them, of passwords made up here.

use std::fs;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use breached::{Build, BuildError, Built, Coverage, Existing, Kind};
use jiff::Timestamp;
use md4::{Digest, Md4};
use tempfile::TempDir;

/// A directory that goes with the test.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Every file and folder directly in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A list of these passwords under this name, in place of what was there.
    pub(crate) fn list(&self, name: &str, passwords: &[&str]) -> PathBuf {
        let passwords = passwords.iter().copied().map(str::to_owned);
        let from = self.write("corpus", one_file(Kind::Sha1, passwords));
        let out = self.path(name);
        breached::build(&part(&from, &out), |_| {}).unwrap();
        out
    }
}

/// The 26th of November 2026.
pub(crate) fn made_at() -> Timestamp {
    "2026-11-26T12:00:00Z".parse().unwrap()
}

/// A SHA-1 list of a part of the corpus, replacing what is there.
pub(crate) fn part<'a>(from: &'a Path, out: &'a Path) -> Build<'a> {
    Build {
        from,
        kind: Kind::Sha1,
        out,
        min_count: 1,
        coverage: Coverage::Part,
        existing: Existing::Replace,
        made_at: made_at(),
    }
}

pub(crate) fn build(options: &Build<'_>) -> Result<Built, BuildError> {
    breached::build(options, |_| {})
}

/// The hash as the corpus writes it.
pub(crate) fn hex(kind: Kind, password: &str) -> String {
    let hash = match kind {
        Kind::Sha1 => digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes())
            .as_ref()
            .to_vec(),
        Kind::Ntlm => {
            let text: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
            Md4::digest(text).to_vec()
        }
    };
    hash.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// One sorted file with CRLF, each password seen once.
pub(crate) fn one_file(kind: Kind, passwords: impl Iterator<Item = String>) -> String {
    let mut lines: Vec<String> = passwords
        .map(|password| format!("{}:1\r\n", hex(kind, &password)))
        .collect();
    lines.sort_unstable();
    lines.concat()
}
