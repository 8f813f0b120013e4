//! `portcullis logs export FILE`: the events of a tenant as JSON lines, the oldest first, each once.
//!
//! Only events that nothing older can join any more are written, so that going on after the last one misses none.
//! Going on is by the file alone: whatever broke the export off, the same command ends it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use model::{EventFilter, LogId, wire_time};
use server::{Clock, SystemClock};
use storage::{EventQuery, EventRange, LogMark, TenantStore};
use tokio::time::Instant;

use super::export_file::ExportFile;
use super::text::json_line;
use super::{Whose, moment};
use crate::Failure;

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file to write, or to go on with; `-` is standard output.
    file: PathBuf,
    #[command(flatten)]
    whose: Whose,
    /// Leave out events before this time, such as 2026-01-31T12:00:00Z or 2026-01-31.
    #[arg(long, value_parser = moment)]
    from: Option<Timestamp>,
    /// Leave out events at this time and later.
    #[arg(long, value_parser = moment)]
    to: Option<Timestamp>,
    /// Leave out events up to the one with this id.
    #[arg(long, value_name = "LOG_ID")]
    after: Option<String>,
}

/// Events that are read and written at once.
const PAGE: u32 = 1_000;
/// What is added is made durable at least so often, and told as often.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Writes what is missing and says how much that was.
pub(super) async fn run(options: &Export) -> Result<(), Failure> {
    if let (Some(from), Some(to)) = (options.from, options.to)
        && from >= to
    {
        return Err(Failure::new("--from is not before --to"));
    }
    let (store, tenant) = options.whose.open().await?;
    let rows = store.tenant(&tenant.id);
    let (mut target, last) = Target::open(&options.file)?;
    let after = options.after.as_deref().map(LogId::new);
    let from = options.from.map(LogId::first_of);
    if let Some(last) = &last {
        check_is_of(&rows, last, &options.file, &tenant.name).await?;
        eprintln!("{} goes on after {last}", options.file.display());
    }
    let mut position = [last, after, from].into_iter().flatten().max();
    tell_of_gap(&rows, position.as_ref()).await?;

    let (mut written, mut synced_at) = (0_u64, Instant::now());
    loop {
        let page = settled(&rows, position.clone()).await?;
        let is_last = page.len() < PAGE as usize;
        let wanted = page
            .iter()
            .take_while(|event| options.to.is_none_or(|to| event.date < to));
        let (mut lines, mut count) = (String::new(), 0);
        for event in wanted {
            lines.push_str(&json_line(event));
            position = Some(event.log_id.clone());
            count += 1;
        }
        target.add(&lines)?;
        written += count as u64;
        if is_last || count < page.len() {
            break;
        }
        if synced_at.elapsed() >= SYNC_EVERY {
            target.sync()?;
            let reached = page.last().map(|event| wire_time(event.date));
            // Nothing depends on whether anybody reads it.
            let _ = writeln!(
                io::stderr(),
                "{written} events, up to {}",
                reached.unwrap_or_default()
            );
            synced_at = Instant::now();
        }
    }
    target.end()?;
    eprintln!(
        "{}: {written} events written{}",
        options.file.display(),
        position
            .map(|last| format!(", up to {last}"))
            .unwrap_or_default()
    );
    Ok(())
}

/// The next events of which none can come late any more.
async fn settled(rows: &TenantStore, from: Option<LogId>) -> Result<Vec<model::LogEvent>, Failure> {
    let range = EventRange::Checkpoint {
        from,
        take: PAGE,
        now: SystemClock.now(),
    };
    let filter = EventFilter::default();
    Ok(rows.list_events(&EventQuery { range, filter }).await?.items)
}

/// Refuses to go on with the export of another log.
async fn check_is_of(
    rows: &TenantStore,
    last: &LogId,
    file: &Path,
    tenant: &str,
) -> Result<(), Failure> {
    if rows.find_event(last).await?.is_some() {
        return Ok(());
    }
    match rows.find_log_mark(LogMark::Dropped).await? {
        Some(dropped) if *last <= dropped => Ok(()),
        _ => Err(Failure::new(format!(
            "{} ends with the event {last}, which the log of `{tenant}` never had. It is left as it is; name another \
             file, or the tenant it belongs to",
            file.display()
        ))),
    }
}

/// Says so where events may have been dropped that were to be exported.
async fn tell_of_gap(rows: &TenantStore, position: Option<&LogId>) -> Result<(), Failure> {
    if let Some(dropped) = rows.find_log_mark(LogMark::Dropped).await?
        && position.is_none_or(|position| *position < dropped)
    {
        eprintln!(
            "events up to {dropped} are older than the tenant keeps them; what was dropped of them is missing here"
        );
    }
    Ok(())
}

/// Where lines go.
enum Target {
    File(ExportFile),
    Stdout,
}

impl Target {
    fn open(path: &Path) -> Result<(Self, Option<LogId>), Failure> {
        if path == Path::new("-") {
            return Ok((Self::Stdout, None));
        }
        let (file, last) = ExportFile::open(path)?;
        Ok((Self::File(file), last))
    }

    fn add(&mut self, lines: &str) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.add(lines),
            Self::Stdout => Ok(io::stdout().write_all(lines.as_bytes())?),
        }
    }

    fn sync(&self) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.sync(),
            Self::Stdout => Ok(()),
        }
    }

    fn end(self) -> Result<(), Failure> {
        match self {
            Self::File(file) => file.end(),
            Self::Stdout => Ok(io::stdout().flush()?),
        }
    }
}
