//! Building a breach list: one pass over a sorted corpus, one block after the other.
//!
//! A block is closed as soon as it is full, so that nothing of the corpus is kept but the first key of each.
//! The file is written under another name, synced and only then given its own: who can open it has all of it.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use jiff::Timestamp;

use crate::Kind;
use crate::block;
use crate::corpus::{Corpus, Fault};
use crate::format::{CHECKSUM_AT, HEADER_BYTES, Header};

/// Hashes between two words about progress.
const TELL_EVERY: u64 = 1 << 24;
/// The ranges of a whole corpus.
const RANGES: u32 = 1 << 20;

/// What to build.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// A folder of range files, or one sorted file.
    pub from: &'a Path,
    pub kind: Kind,
    /// The file to write.
    pub out: &'a Path,
    /// Leaves out hashes that were seen less often.
    pub min_count: u64,
    pub coverage: Coverage,
    pub existing: Existing,
    pub made_at: Timestamp,
}

/// Whether the source has to be a whole corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Every one of the 2^20 ranges has a hash, as in the published corpus.
    Whole,
    /// Gaps are left.
    Part,
}

/// What happens to a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    Keep,
    Replace,
}

/// How far the reading is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    pub hashes: u64,
    /// 0 to 1 of the space of hashes, which a corpus fills evenly.
    pub share: f64,
}

/// What was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Built {
    /// Hashes in the list.
    pub entries: u64,
    /// Hashes left out because they were seen too seldom.
    pub left_out: u64,
    /// How many of the 2^20 ranges the source had.
    pub ranges: u32,
    /// Length of the file.
    pub bytes: u64,
}

/// Why nothing was built; a file that was there is as it was.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("{} exists and is left as it is; name another file, or give --force to replace it", .0.display())]
    Exists(PathBuf),
    #[error("{}{}: {fault}", path.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Source {
        path: PathBuf,
        line: Option<u64>,
        fault: Fault,
    },
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{} cannot be written: {error}", path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    #[error("no hash was seen {0} times or more; give a lower --min-count")]
    NothingLeft(u64),
    #[error(
        "no block could be built of {0} hashes, which chance does not explain; please report it"
    )]
    NoBlock(usize),
}

impl BuildError {
    pub(crate) fn source(path: &Path, line: Option<u64>, fault: Fault) -> Self {
        Self::Source {
            path: path.to_owned(),
            line,
            fault,
        }
    }

    pub(crate) fn unreadable(path: &Path, error: io::Error) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            error,
        }
    }
}

/// Builds a list. Blocks for minutes on a whole corpus.
pub fn build(options: &Build<'_>, progress: impl FnMut(Progress)) -> Result<Built, BuildError> {
    let Build { from, out, .. } = *options;
    // Said before the work; the renaming refuses again.
    if options.existing == Existing::Keep && out.symlink_metadata().is_ok() {
        return Err(BuildError::Exists(out.to_owned()));
    }
    let corpus = Corpus::open(from, options.kind)?;
    let unwritable = |error| BuildError::Unwritable {
        path: out.to_owned(),
        error,
    };
    let directory = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // There is no secret in it, and the server may be another user.
    let file = tempfile::Builder::new()
        .prefix(".portcullis-breach-list-")
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(directory)
        .map_err(unwritable)?;
    let built = Writer::new(options, file.as_file())
        .map_err(unwritable)?
        .write(corpus, progress)?;
    file.as_file().sync_all().map_err(unwritable)?;
    match options.existing {
        Existing::Replace => file.persist(out),
        Existing::Keep => file.persist_noclobber(out),
    }
    .map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => BuildError::Exists(out.to_owned()),
        _ => unwritable(error.error),
    })?;
    // The name is durable once its directory is.
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(unwritable)?;
    Ok(built)
}

/// Writes the blocks as they become full, their first keys after them, and the header last.
struct Writer<'a> {
    options: &'a Build<'a>,
    file: BufWriter<&'a File>,
    sum: digest::Context,
    at: u64,
    first_keys: Vec<u64>,
    keys: Vec<u64>,
    built: Built,
}

impl<'a> Writer<'a> {
    fn new(options: &'a Build<'a>, file: &'a File) -> io::Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 18, file);
        file.write_all(&[0; HEADER_BYTES as usize])?;
        Ok(Self {
            options,
            file,
            sum: digest::Context::new(&digest::SHA256),
            at: HEADER_BYTES,
            first_keys: Vec::new(),
            keys: Vec::with_capacity(block::KEYS),
            built: Built {
                entries: 0,
                left_out: 0,
                ranges: 0,
                bytes: 0,
            },
        })
    }

    fn write(
        mut self,
        mut corpus: Corpus,
        mut progress: impl FnMut(Progress),
    ) -> Result<Built, BuildError> {
        let mut due_range = 0;
        let mut last_key = None;
        let mut hashes: u64 = 0;
        while let Some((hash, count)) = corpus.next()? {
            let range = hash.range();
            self.whole(&corpus, due_range, range)?;
            if range >= due_range {
                self.built.ranges += 1;
                due_range = range + 1;
            }
            hashes += 1;
            if hashes.is_multiple_of(TELL_EVERY) {
                progress(Progress {
                    hashes,
                    share: f64::from(range) / f64::from(RANGES),
                });
            }
            if count < self.options.min_count {
                self.built.left_out += 1;
                continue;
            }
            self.built.entries += 1;
            let key = hash.key();
            // Two hashes may begin alike, and a block's keys are distinct.
            if last_key.replace(key) == Some(key) {
                continue;
            }
            if self.keys.len() == block::KEYS {
                self.close_block()?;
            }
            self.keys.push(key);
        }
        if hashes == 0 {
            return Err(BuildError::source(self.options.from, None, Fault::Empty));
        }
        self.whole(&corpus, due_range, RANGES)?;
        if self.keys.is_empty() {
            return Err(BuildError::NothingLeft(self.options.min_count));
        }
        self.close_block()?;
        self.finish()
    }

    /// Refuses a gap between the range that is due and the one that came.
    fn whole(&self, corpus: &Corpus, due: u32, range: u32) -> Result<(), BuildError> {
        if self.options.coverage == Coverage::Whole && range > due {
            return Err(corpus.fault(Fault::Gap {
                from: due,
                to: range - 1,
            }));
        }
        Ok(())
    }

    fn close_block(&mut self) -> Result<(), BuildError> {
        let block = block::of(&self.keys).ok_or(BuildError::NoBlock(self.keys.len()))?;
        self.first_keys.extend(self.keys.first());
        self.keys.clear();
        self.put(&block)
    }

    fn finish(mut self) -> Result<Built, BuildError> {
        let mut header = Header {
            kind: self.options.kind,
            entries: self.built.entries,
            ranges: self.built.ranges,
            min_count: self.options.min_count.max(1),
            made_at: self.options.made_at.as_second(),
            blocks: self.first_keys.len() as u32,
            checksum: [0; 32],
        };
        for key in std::mem::take(&mut self.first_keys) {
            self.put(&key.to_le_bytes())?;
        }
        let mut sum = self.sum.clone();
        sum.update(header.encode().get(..CHECKSUM_AT).unwrap_or_default());
        header.checksum.copy_from_slice(sum.finish().as_ref());
        self.file
            .rewind()
            .and_then(|()| self.file.write_all(&header.encode()))
            .and_then(|()| self.file.flush())
            .map_err(|error| self.unwritable(error))?;
        self.built.bytes = self.at;
        Ok(self.built)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), BuildError> {
        self.sum.update(bytes);
        self.at += bytes.len() as u64;
        self.file
            .write_all(bytes)
            .map_err(|error| self.unwritable(error))
    }

    fn unwritable(&self, error: io::Error) -> BuildError {
        BuildError::Unwritable {
            path: self.options.out.to_owned(),
            error,
        }
    }
}
