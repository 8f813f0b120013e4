//! What the machine gives: file system, space, open files, memory. Facts are gathered in one place and judged in others.
//!
//! Where the machine does not tell something, the check is skipped.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Resource;

use super::finding::Outcome;
use crate::settings::Settings;

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct Machine {
    /// Permission bits of the data directory, where it exists.
    pub(super) data_dir_mode: Option<u32>,
    pub(super) file_system: Option<FileSystem>,
    /// Bytes free for the server's user, and bytes in all.
    pub(super) disk: Option<(u64, u64)>,
    /// Files a process of this session may have open at once.
    pub(super) open_files: Option<u64>,
    /// Bytes that a process may use: the machine's, or its control group's where that is less.
    pub(super) memory: Option<u64>,
}

/// What keeps the data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileSystem {
    Local,
    /// Shared by machines; its name.
    Network(&'static str),
    /// Gone with a restart of machine or container; its name.
    Temporary(&'static str),
}

impl Machine {
    /// Looks at this machine and the data directory, which need not exist yet.
    pub(super) fn look(data_dir: &Path) -> Self {
        let mode = fs::metadata(data_dir).map(|found| found.permissions().mode() & 0o777);
        let existing = data_dir.ancestors().find(|ancestor| ancestor.exists());
        let existing = existing.unwrap_or(Path::new("."));
        let space = rustix::fs::statvfs(existing);
        Self {
            data_dir_mode: mode.ok(),
            file_system: file_system(existing),
            disk: space.ok().map(|space| {
                let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
                (bytes(space.f_bavail), bytes(space.f_blocks))
            }),
            open_files: rustix::process::getrlimit(Resource::Nofile).current,
            memory: usable_memory(),
        }
    }
}

/// Whether the data directory keeps what is written to it, from others too.
pub(super) fn data_dir(machine: &Machine, settings: &Settings) -> Outcome {
    let shown = settings.server.data_dir.display();
    if settings.database.url.is_some() {
        return Outcome::skip("PostgreSQL has the data");
    }
    let remedy = "Move the data directory to a local disk that stays, or use PostgreSQL";
    match machine.file_system {
        Some(FileSystem::Network(name)) => {
            return Outcome::fail(
                format!("{shown} is on a network file system ({name})"),
                "SQLite's locks and syncs do not hold there: logins can be lost and the database torn",
                remedy,
            );
        }
        Some(FileSystem::Temporary(name)) => {
            return Outcome::warn(
                format!("{shown} is on {name}"),
                "everything is lost when the machine or container restarts",
                remedy,
            );
        }
        Some(FileSystem::Local) | None => {}
    }
    match machine.data_dir_mode {
        None => Outcome::ok(format!("{shown} is made at the first start")),
        Some(mode) if mode & 0o077 != 0 => Outcome::warn(
            format!("{shown} has mode {mode:04o}"),
            "other users of this machine see into it; password hashes are in there",
            format!("chmod 700 {shown}"),
        ),
        Some(_) => Outcome::ok(format!("{shown} is its owner's alone")),
    }
}

/// Whether what comes can still be written.
pub(super) fn disk(machine: &Machine, settings: &Settings) -> Outcome {
    if settings.database.url.is_some() {
        return Outcome::skip("PostgreSQL has the data");
    }
    let Some((free, all)) = machine.disk else {
        return Outcome::skip("the file system does not tell");
    };
    let percent = free.saturating_mul(100) / all.max(1);
    let told = format!("{} MiB free, {percent} %", free / MIB);
    if free < GIB || percent < 10 {
        return Outcome::warn(
            told,
            "once it is full, no attempt can be counted and so nobody can log in",
            "Make room, or move the data directory to a larger disk",
        );
    }
    Outcome::Ok(told)
}

/// Whether many connections fit.
pub(super) fn open_files(machine: &Machine) -> Outcome {
    match machine.open_files {
        Some(limit) if limit < 1_024 => Outcome::warn(
            format!("a process may have {limit} files open"),
            "each connection is one; beyond that, applications cannot connect",
            "Raise it to 65536: LimitNOFILE= of the systemd unit, or ulimit -n",
        ),
        Some(limit) => Outcome::ok(format!("{limit}")),
        None => Outcome::ok("no limit"),
    }
}

/// Whether all workers can hash at once.
pub(super) fn memory(machine: &Machine, memory_kib: u32, workers: usize) -> Outcome {
    let Some(all) = machine.memory else {
        return Outcome::skip("this system does not tell");
    };
    let needed = u64::from(memory_kib).saturating_mul(1_024 * workers as u64);
    let told = format!(
        "{workers} workers with {} MiB each need {} of {} MiB",
        memory_kib / 1_024,
        needed / MIB,
        all / MIB
    );
    let remedy = "Lower hashing.workers, or argon2.memory_kib with more argon2.passes";
    if needed > all {
        let effect = "the system ends the server as soon as many users log in at once";
        return Outcome::fail(told, effect, remedy);
    }
    if needed > all / 2 {
        let effect = "little is left for everything else when many users log in at once";
        return Outcome::warn(told, effect, remedy);
    }
    Outcome::Ok(told)
}

/// Whether a stolen hash costs enough to guess: OWASP's least expensive choices come to this product.
pub(super) fn hash_cost(memory_kib: u32, passes: u32) -> Outcome {
    let told = format!("Argon2id with {memory_kib} KiB and {passes} passes");
    if u64::from(memory_kib) * u64::from(passes) < 35_840 {
        return Outcome::warn(
            told,
            "new passwords are cheaper to guess than OWASP advises, should the database be stolen",
            "Set argon2.memory_kib = 19456 and argon2.passes = 2 or more",
        );
    }
    Outcome::Ok(told)
}

#[cfg(target_os = "linux")]
fn usable_memory() -> Option<u64> {
    let system = rustix::system::sysinfo();
    let machine = system.totalram.saturating_mul(u64::from(system.mem_unit));
    // A container's limit; absent or `max` where there is none.
    let group = fs::read_to_string("/sys/fs/cgroup/memory.max");
    let group = group.ok().and_then(|limit| limit.trim().parse().ok());
    Some(group.map_or(machine, |group: u64| group.min(machine)))
}

#[cfg(not(target_os = "linux"))]
fn usable_memory() -> Option<u64> {
    None
}

/// By its magic number (statfs(2)).
#[cfg(target_os = "linux")]
fn file_system(path: &Path) -> Option<FileSystem> {
    let found = rustix::fs::statfs(path).ok()?;
    // The type's width and sign differ between machines; the number does not.
    Some(match found.f_type as u32 {
        0x6969 => FileSystem::Network("NFS"),
        0x517b => FileSystem::Network("SMB"),
        0xff53_4d42 => FileSystem::Network("CIFS"),
        0xfe53_4d42 => FileSystem::Network("SMB2"),
        0x00c3_6400 => FileSystem::Network("Ceph"),
        0x5346_414f => FileSystem::Network("AFS"),
        0x0102_1994 => FileSystem::Temporary("tmpfs, which is memory"),
        0x8584_58f6 => FileSystem::Temporary("ramfs, which is memory"),
        0x794c_7630 => FileSystem::Temporary("overlayfs, a container's own layer"),
        _ => FileSystem::Local,
    })
}

#[cfg(not(target_os = "linux"))]
fn file_system(_: &Path) -> Option<FileSystem> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::says;

    fn healthy() -> Machine {
        Machine {
            data_dir_mode: Some(0o700),
            file_system: Some(FileSystem::Local),
            disk: Some((50 * GIB, 100 * GIB)),
            open_files: Some(65_536),
            memory: Some(8 * GIB),
        }
    }

    #[test]
    fn a_healthy_machine_is_ok_everywhere() {
        let (machine, settings) = (healthy(), Settings::default());
        says(&data_dir(&machine, &settings), "ok", "owner");
        says(&disk(&machine, &settings), "ok", "50 %");
        says(&open_files(&machine), "ok", "65536");
        says(&memory(&machine, 19_456, 8), "ok", "8 workers");
        says(&hash_cost(19_456, 2), "ok", "19456");
        says(&hash_cost(7_168, 5), "ok", "7168");
    }

    #[test]
    fn a_directory_that_does_not_keep_is_named() {
        let settings = Settings::default();
        let on = |file_system| Machine {
            file_system: Some(file_system),
            ..healthy()
        };
        says(
            &data_dir(&on(FileSystem::Network("NFS")), &settings),
            "fail",
            "NFS",
        );
        says(
            &data_dir(&on(FileSystem::Temporary("tmpfs")), &settings),
            "warn",
            "tmpfs",
        );
        let open = Machine {
            data_dir_mode: Some(0o755),
            ..healthy()
        };
        says(&data_dir(&open, &settings), "warn", "0755");
        let mut elsewhere = Settings::default();
        elsewhere.database.url = Some("postgres://localhost/x".to_owned());
        says(
            &data_dir(&on(FileSystem::Network("NFS")), &elsewhere),
            "skip",
            "PostgreSQL",
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_that_poses_as_a_disk_is_recognised() {
        let Some(FileSystem::Temporary(name)) = file_system(Path::new("/dev/shm")) else {
            panic!("/dev/shm is a tmpfs on Linux");
        };
        assert!(name.contains("memory"), "{name}");
        assert_eq!(file_system(Path::new("/proc")), Some(FileSystem::Local));
    }

    #[test]
    fn too_little_of_anything_is_named() {
        let settings = Settings::default();
        let disk_of = |free, all| Machine {
            disk: Some((free, all)),
            ..healthy()
        };
        says(
            &disk(&disk_of(GIB - 1, 5 * GIB), &settings),
            "warn",
            "1023 MiB",
        );
        says(
            &disk(&disk_of(9 * GIB, 100 * GIB), &settings),
            "warn",
            "9 %",
        );
        let few = Machine {
            open_files: Some(256),
            ..healthy()
        };
        says(&open_files(&few), "warn", "256");
        says(&memory(&healthy(), 1 << 20, 5), "warn", "5120 of 8192");
        says(&memory(&healthy(), 1 << 20, 9), "fail", "9216 of 8192");
        says(&hash_cost(64, 1), "warn", "64 KiB");
    }

    #[test]
    fn this_machine_tells_what_it_has() {
        let machine = Machine::look(&std::env::temp_dir().join("not/made/yet"));
        assert_eq!(machine.data_dir_mode, None);
        assert!(
            machine
                .disk
                .is_some_and(|(free, all)| free <= all && all > 0)
        );
    }
}
