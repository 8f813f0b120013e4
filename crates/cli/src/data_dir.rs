//! The data directory: `portcullis.db`, `secrets/root.key` (mode 0600), `dev-ca/`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use keys::{RootKey, SystemEntropy};

use crate::Failure;
use crate::settings::Settings;

/// Path of the SQLite database.
pub(crate) fn database(directory: &Path) -> PathBuf {
    directory.join("portcullis.db")
}

/// The file of the root key, unless the key itself is a setting.
pub(crate) fn root_key_file(settings: &Settings) -> Option<PathBuf> {
    if settings.server.root_key.is_some() {
        return None;
    }
    let own = || settings.server.data_dir.join("secrets").join("root.key");
    Some(settings.server.root_key_file.clone().unwrap_or_else(own))
}

/// The root key: from the settings, or from the data directory, where it is made at the first start on SQLite.
pub(crate) fn root_key(settings: &Settings) -> Result<RootKey, Failure> {
    if let Some(line) = &settings.server.root_key {
        return RootKey::from_base64_line(line)
            .map_err(|error| Failure::new(format!("server.root_key: {error}")));
    }
    let file = match &settings.server.root_key_file {
        Some(file) => file.clone(),
        None => {
            let file = settings.server.data_dir.join("secrets").join("root.key");
            if !file.exists() {
                if database(&settings.server.data_dir).exists() {
                    return Err(Failure::new(format!(
                        "{} is missing but the database exists; restore the key it was made with",
                        file.display()
                    )));
                }
                write_secret(&file, &RootKey::generate(&SystemEntropy).to_base64_line())?;
            }
            file
        }
    };
    let line = fs::read_to_string(&file).map_err(|error| {
        Failure::new(format!(
            "the root key {} cannot be read: {error}",
            file.display()
        ))
    })?;
    RootKey::from_base64_line(line.trim())
        .map_err(|error| Failure::new(format!("{}: {error}", file.display())))
}

/// Makes the data directory, readable by its owner alone.
pub(crate) fn make(directory: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| Failure::new(format!("{} cannot be made: {error}", directory.display())))
}

/// Writes a file only its owner can read; its directory is made likewise.
pub(crate) fn write_secret(file: &Path, text: &str) -> Result<(), Failure> {
    if let Some(parent) = file.parent() {
        make(parent)?;
    }
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut open| {
            open.write_all(text.as_bytes())
                .and_then(|()| open.sync_all())
        });
    written.map_err(|error| Failure::new(format!("{} cannot be written: {error}", file.display())))
}
