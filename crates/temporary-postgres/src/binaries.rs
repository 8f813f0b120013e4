//! Where the server's programs are, and as whom they run: PostgreSQL refuses to run as root.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why no cluster could be started.
#[derive(Debug)]
pub enum StartError {
    /// Debian's packages are not installed.
    NoBinaries,
    /// This process is root, and the user that the package makes is not there.
    NoUser,
    /// The cluster did not start.
    Failed(String),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoBinaries => f.write_str(
                "no PostgreSQL programs under /usr/lib/postgresql/*/bin; install Debian's package `postgresql` \
                 (apt-get install postgresql)",
            ),
            Self::NoUser => f.write_str(
                "PostgreSQL does not run as root, and there is no user `postgres`, which Debian's package \
                 `postgresql` makes; install it or run the tests as another user",
            ),
            Self::Failed(cause) => write!(f, "the temporary PostgreSQL did not start: {cause}"),
        }
    }
}

impl std::error::Error for StartError {}

/// The programs of one version and the user they run as.
#[derive(Debug)]
pub(crate) struct Binaries {
    directory: PathBuf,
    user: Option<User>,
}

#[derive(Debug)]
struct User {
    uid: u32,
    gid: u32,
}

impl Binaries {
    /// The newest version that is installed.
    pub(crate) fn find() -> Result<Self, StartError> {
        let versions =
            std::fs::read_dir("/usr/lib/postgresql").map_err(|_| StartError::NoBinaries)?;
        let newest = versions
            .flatten()
            .filter_map(|entry| {
                let version: u32 = entry.file_name().to_str()?.parse().ok()?;
                let directory = entry.path().join("bin");
                directory
                    .join("initdb")
                    .exists()
                    .then_some((version, directory))
            })
            .max();
        let (_, directory) = newest.ok_or(StartError::NoBinaries)?;
        let user = if rustix::process::geteuid().is_root() {
            Some(postgres_user().ok_or(StartError::NoUser)?)
        } else {
            None
        };
        Ok(Self { directory, user })
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A command that runs without privileges.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let Some(user) = &self.user else {
            return Command::new(program.as_ref());
        };
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={}", user.uid))
            .arg(format!("--regid={}", user.gid))
            .args(["--clear-groups", "--"])
            .arg(program.as_ref());
        command
    }

    /// Gives a directory to the user the server runs as.
    pub(crate) fn hand_over(&self, directory: &Path) -> std::io::Result<()> {
        match &self.user {
            Some(user) => chown(directory, Some(user.uid), Some(user.gid)),
            None => Ok(()),
        }
    }
}

fn postgres_user() -> Option<User> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = users.lines().find(|line| line.starts_with("postgres:"))?;
    let mut fields = line.split(':').skip(2);
    Some(User {
        uid: fields.next()?.parse().ok()?,
        gid: fields.next()?.parse().ok()?,
    })
}
