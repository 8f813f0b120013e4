//! A breach list as it is asked: one read of one block from the file, found by the blocks' first keys in memory.
//!
//! Opening reads the whole file once, to compare its checksum; the kernel's page cache keeps what it likes of it.
//! A file that is cut short later gives an error at a look-up, never a signal that ends the process.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use jiff::Timestamp;

use crate::Kind;
use crate::block;
use crate::first_keys::FirstKeys;
use crate::format::{self, CHECKSUM_AT, HEADER_BYTES, Header, HeaderFault};

/// How much is read at a time for the checksum.
const READ_BYTES: usize = 1 << 18;

/// An open breach list whose checksum was right when it was opened.
pub struct BreachList {
    path: PathBuf,
    file: File,
    header: Header,
    made_at: Timestamp,
    /// 8 bytes for each 1,322 hashes.
    first_keys: FirstKeys,
    identity: Identity,
}

/// Why a file is not taken as a breach list; the one in use stays.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the breach list {} cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{} is no breach list; make one with portcullis breach-list build", path.display())]
    Foreign { path: PathBuf },
    #[error(
        "the breach list {} has format {found} and this version reads format {}; build it again with portcullis breach-list build",
        path.display(), format::VERSION
    )]
    Version { path: PathBuf, found: u32 },
    #[error(
        "the breach list {} has {found} bytes where {expected} belong: it was cut short or is still being copied; copy it again under another name and rename it",
        path.display()
    )]
    Length {
        path: PathBuf,
        found: u64,
        expected: u64,
    },
    #[error("the breach list {} is damaged: its content does not fit its checksum; copy or build it again", path.display())]
    Damaged { path: PathBuf },
}

impl BreachList {
    /// Opens a list and reads it through once. Blocks for as long as that takes, seconds for a whole corpus.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let unreadable = |error| OpenError::Unreadable {
            path: path.to_owned(),
            error,
        };
        let damaged = || OpenError::Damaged {
            path: path.to_owned(),
        };
        let file = File::open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(OpenError::Foreign {
                path: path.to_owned(),
            });
        }
        let identity = Identity::of(&metadata);
        let bytes = beginning(&file).map_err(unreadable)?;
        let length = |expected| OpenError::Length {
            path: path.to_owned(),
            found: metadata.len(),
            expected,
        };
        if bytes.starts_with(&format::MAGIC) && metadata.len() < HEADER_BYTES {
            return Err(length(HEADER_BYTES));
        }
        let header = Header::decode(&bytes).map_err(|fault| match fault {
            HeaderFault::Foreign => OpenError::Foreign {
                path: path.to_owned(),
            },
            HeaderFault::Version(found) => OpenError::Version {
                path: path.to_owned(),
                found,
            },
            HeaderFault::Damaged => damaged(),
        })?;
        let expected = header.file_bytes();
        if metadata.len() != expected {
            return Err(length(expected));
        }
        if checksum(&file, &bytes, expected).map_err(unreadable)? != header.checksum {
            return Err(damaged());
        }
        let mut first_keys = vec![0; header.first_keys_bytes()];
        file.read_exact_at(&mut first_keys, header.first_keys_at())
            .map_err(unreadable)?;
        Ok(Self {
            path: path.to_owned(),
            first_keys: FirstKeys::decode(&first_keys).ok_or_else(damaged)?,
            made_at: Timestamp::from_second(header.made_at).map_err(|_| damaged())?,
            file,
            header,
            identity,
        })
    }

    /// Whether the list holds the password as it was typed; wrong once in 65,536 for one that it does not hold.
    /// Blocks on one small read; fails only when the file does, or holds no block where one was when it was opened.
    pub fn contains(&self, password: &str) -> io::Result<bool> {
        self.holds(self.header.kind.hash(password).key())
    }

    fn holds(&self, key: u64) -> io::Result<bool> {
        let Some(index) = self.first_keys.block_of(key) else {
            return Ok(false);
        };
        let mut block = [0; block::BYTES];
        self.file
            .read_exact_at(&mut block, format::block_at(index))?;
        block::contains(&block, key).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "a block of the breach list is damaged: copy or build the list again",
            )
        })
    }

    /// The file it was opened from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Hashes in the list.
    pub fn entries(&self) -> u64 {
        self.header.entries
    }

    /// How many of the corpus' 1,048,576 ranges its source had.
    pub fn ranges(&self) -> u32 {
        self.header.ranges
    }

    /// Hashes that the corpus had seen less often were left out; 1 when none were.
    pub fn min_count(&self) -> u64 {
        self.header.min_count
    }

    /// When it was built.
    pub fn made_at(&self) -> Timestamp {
        self.made_at
    }

    /// Which hashes it is made of.
    pub fn kind(&self) -> Kind {
        self.header.kind
    }

    /// Length of the file.
    pub fn bytes(&self) -> u64 {
        self.identity.bytes
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }
}

impl std::fmt::Debug for BreachList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BreachList")
            .field("path", &self.path)
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// What changes when a file is replaced or written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl Identity {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    /// Whether one file was written to between the two.
    pub(crate) fn overwritten_as(&self, later: &Self) -> bool {
        (self.device, self.inode) == (later.device, later.inode) && self != later
    }
}

/// The header's bytes; zeros where the file has none.
fn beginning(file: &File) -> io::Result<[u8; HEADER_BYTES as usize]> {
    let mut bytes = [0; HEADER_BYTES as usize];
    let mut read = 0;
    while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

/// The checksum of what the file holds.
fn checksum(
    file: &File,
    header: &[u8; HEADER_BYTES as usize],
    length: u64,
) -> io::Result<[u8; 32]> {
    let mut sum = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; READ_BYTES];
    let mut at = HEADER_BYTES;
    while at < length {
        let more = usize::try_from(length - at).map_or(READ_BYTES, |left| left.min(READ_BYTES));
        let part = buffer.get_mut(..more).unwrap_or_default();
        file.read_exact_at(part, at)?;
        sum.update(part);
        at += more as u64;
    }
    sum.update(header.get(..CHECKSUM_AT).unwrap_or_default());
    let mut checksum = [0; 32];
    checksum.copy_from_slice(sum.finish().as_ref());
    Ok(checksum)
}
