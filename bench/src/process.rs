//! What a process has used, from `/proc`: CPU time and memory.

use std::time::Duration;

/// User and system time, in steps of 10 ms.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces; the fields after it are numbered from 3.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or_default()
    };
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

/// Resident memory now, in MB of 10^6 bytes.
pub(crate) fn resident(pid: u32) -> f64 {
    megabytes(pid, "VmRSS:")
}

/// The most resident memory since the process began, in MB of 10^6 bytes.
pub(crate) fn most_resident(pid: u32) -> f64 {
    megabytes(pid, "VmHWM:")
}

/// What the server may use under load: a block of Argon2 memory a worker, 64 MB, and 50 kB a connection.
pub(crate) fn memory_budget(memory_kib: u32, connections: usize) -> f64 {
    let workers = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    workers * f64::from(memory_kib) * 1_024.0 / 1e6 + 64.0 + connections as f64 * 0.05
}

fn megabytes(pid: u32, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) * 1_024.0 / 1e6
}
