//! The file of an export: whole lines, added at its end, synced; what a break left of a line is cut off.
//!
//! A file that is not an export is left as it is.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use model::LogId;
use serde_json::Value;
use server::failpoint;

use crate::Failure;

/// How much is read at once when the last line is looked for.
const BLOCK: u64 = 64 * 1024;

/// An open export; nobody else can have it open as one.
pub(super) struct ExportFile {
    path: PathBuf,
    file: File,
}

impl ExportFile {
    /// Opens the file, or makes it, and tells the event of its last whole line.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<LogId>), Failure> {
        let refused = |error: &dyn std::fmt::Display| {
            Failure::new(format!("{} cannot be written: {error}", path.display()))
        };
        // Only its owner can read it: it holds names and addresses of users.
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(|error| refused(&error))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => refused(&"another export is writing to it"),
            TryLockError::Error(error) => refused(&error),
        })?;
        let (end, last) = last_line(&mut file).map_err(|error| refused(&error))?;
        let last = match last {
            None => None,
            Some(line) => Some(log_id(&line).ok_or_else(|| {
                Failure::new(format!(
                    "{} is no export: its last line has no log_id. It is left as it is; name another file",
                    path.display()
                ))
            })?),
        };
        if last.is_none() && file.metadata()?.len() > 0 && !begins_a_line(&mut file)? {
            return Err(Failure::new(format!(
                "{} is no export. It is left as it is; name another file",
                path.display()
            )));
        }
        file.set_len(end).map_err(|error| refused(&error))?;
        file.seek(SeekFrom::End(0))
            .map_err(|error| refused(&error))?;
        let path = path.to_owned();
        Ok((Self { path, file }, last))
    }

    /// Adds lines.
    pub(super) fn add(&mut self, lines: &str) -> Result<(), Failure> {
        // In two halves, so that a test can break it off within a line.
        let within = (lines.len() / 2 + 1).min(lines.len());
        let (first, second) = lines.as_bytes().split_at(within);
        let mut written = self.file.write_all(first);
        failpoint::pass("export_half_written");
        if written.is_ok() {
            written = self.file.write_all(second);
        }
        written.map_err(|error| self.broken(&error))
    }

    /// Makes durable what was added.
    pub(super) fn sync(&self) -> Result<(), Failure> {
        self.file.sync_data().map_err(|error| self.broken(&error))
    }

    /// Makes the file durable with its name.
    pub(super) fn end(self) -> Result<(), Failure> {
        let synced = self.file.sync_all();
        synced.map_err(|error| self.broken(&error))?;
        let directory = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &std::io::Error) -> Failure {
        Failure::new(format!(
            "{} cannot be written: {error}; the same command goes on where it ends",
            self.path.display()
        ))
    }
}

/// Where the last whole line ends, and that line.
fn last_line(file: &mut File) -> std::io::Result<(u64, Option<Vec<u8>>)> {
    let length = file.metadata()?.len();
    let (mut tail, mut start) = (Vec::new(), length);
    loop {
        let mut ends = tail
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, byte)| **byte == b'\n');
        let (last, before) = (ends.next(), ends.next());
        if let Some((last, _)) = last
            && (before.is_some() || start == 0)
        {
            let begin = before.map_or(0, |(before, _)| before + 1);
            let end = start + last as u64 + 1;
            return Ok((end, Some(tail[begin..last].to_vec())));
        }
        if start == 0 {
            return Ok((0, None));
        }
        let block = BLOCK.min(start);
        start -= block;
        file.seek(SeekFrom::Start(start))?;
        let mut read = Vec::with_capacity(tail.len() + block as usize);
        file.take(block).read_to_end(&mut read)?;
        read.append(&mut tail);
        tail = read;
    }
}

fn log_id(line: &[u8]) -> Option<LogId> {
    let event: Value = serde_json::from_slice(line).ok()?;
    event.get("log_id")?.as_str().map(LogId::new)
}

/// Whether a file without a whole line is the beginning of an export's first one.
fn begins_a_line(file: &mut File) -> std::io::Result<bool> {
    const BEGINNING: &[u8] = b"{\"_id\":\"";
    file.seek(SeekFrom::Start(0))?;
    let mut first = Vec::new();
    file.take(BEGINNING.len() as u64).read_to_end(&mut first)?;
    Ok(BEGINNING.starts_with(&first))
}

#[cfg(test)]
mod tests {
    use super::super::text::json_line;
    use super::super::text::tests::event;
    use super::*;

    fn opened(
        content: &[u8],
    ) -> (
        tempfile::TempDir,
        Result<(ExportFile, Option<LogId>), Failure>,
    ) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.jsonl");
        std::fs::write(&path, content).unwrap();
        let opened = ExportFile::open(&path);
        (directory, opened)
    }

    fn content(directory: &tempfile::TempDir) -> Vec<u8> {
        std::fs::read(directory.path().join("events.jsonl")).unwrap()
    }

    #[test]
    fn a_file_goes_on_after_its_last_whole_line_wherever_it_was_broken_off() {
        let long = "x".repeat(200_000);
        let lines = [
            json_line(&event("1", "a")),
            json_line(&event("2", &long)),
            json_line(&event("3", "c")),
        ];
        let whole = lines.concat();
        let ends: Vec<usize> = lines
            .iter()
            .scan(0, |end, line| {
                *end += line.len();
                Some(*end)
            })
            .collect();
        let places = (0..whole.len())
            .filter(|place| place % 9_973 == 0 || ends.iter().any(|end| end.abs_diff(*place) < 3));
        for place in places.chain([whole.len()]) {
            let (directory, opened) = opened(&whole.as_bytes()[..place]);
            let (mut file, last) = opened.unwrap();
            let done = ends.iter().filter(|end| **end <= place).count();
            assert_eq!(
                last,
                (done > 0).then(|| LogId::new(done.to_string())),
                "{place}"
            );
            file.add(&lines[done..].concat()).unwrap();
            file.end().unwrap();
            assert_eq!(content(&directory), whole.as_bytes(), "{place}");
        }
    }

    #[test]
    fn what_is_no_export_is_left_as_it_is() {
        for text in [
            "hello\n",
            "hello",
            "{}\n",
            "{\"id\":1}",
            "{\"log_id\":1}\nhalf",
            "\0\0\n",
        ] {
            let (directory, opened) = opened(text.as_bytes());
            let refused = opened.map(drop).unwrap_err().to_string();
            assert!(refused.contains("no export"), "{refused}");
            assert_eq!(content(&directory), text.as_bytes());
        }
    }

    #[test]
    fn a_second_export_into_the_same_file_is_refused() {
        let (directory, first) = opened(b"");
        let (_first, _) = first.unwrap();
        let second = ExportFile::open(&directory.path().join("events.jsonl"));
        assert!(
            second
                .map(drop)
                .unwrap_err()
                .to_string()
                .contains("another export")
        );
    }
}
