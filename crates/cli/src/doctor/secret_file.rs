//! Whether a file with a secret is kept from others on this machine.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::finding::Outcome;

/// What is wrong with the file's mode; none where only its owner reads it, or where it cannot be seen.
pub(super) fn too_open(file: &Path, what: &str) -> Option<Outcome> {
    let mode = file.metadata().ok()?.permissions().mode() & 0o777;
    let problem = format!("{what} {} has mode {mode:04o}", file.display());
    let remedy = format!("chmod 600 {}", file.display());
    if mode & 0o007 != 0 {
        let effect = "every user of this machine can read it, and may have; \
                      replace it if others have accounts here";
        return Some(Outcome::fail(problem, effect, remedy));
    }
    if mode & 0o070 != 0 {
        let effect = "the members of its group can read it";
        return Some(Outcome::warn(problem, effect, remedy));
    }
    None
}
