//! How many files this process may have open, and so how many connections it can serve.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For the database, the log and whatever else is no connection.
const OTHERS: u64 = 256;

/// Raises the limit as far as the system lets it, and answers how many of the wanted connections it leaves room for.
pub(crate) fn connections_that_fit(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let _ = setrlimit(Resource::Nofile, raised);
    let Some(files) = getrlimit(Resource::Nofile).current else {
        return wanted;
    };
    let room = usize::try_from(files.saturating_sub(OTHERS)).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(
            files,
            connections = room.max(1),
            "the limit on open files leaves room for fewer connections than server.max_connections; raise it (ulimit -n)"
        );
    }
    wanted.min(room.max(1))
}
