//! The Have I Been Pwned download as a stream of hashes: a folder of range files, or one sorted file.
//!
//! A range file is named by the first five hex digits (`0003F` or `0003F.txt`) and holds `SUFFIX:COUNT` lines;
//! the one file holds `HASH:COUNT` lines. Lines end in LF or CRLF. A count of 0 is padding and stands for nothing.
//! What does not fit is refused with its place, since a list with silent gaps would be worse than none.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::vec;

use crate::hash::Hash;
use crate::{BuildError, Kind};

/// The longest line: 40 digits, a colon, 20 digits and CRLF, with room to spare.
const LINE_BYTES: u64 = 128;
const BUFFER_BYTES: usize = 1 << 17;

/// What is wrong with a source, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error(
        "this is not HASH:COUNT as in the Have I Been Pwned download; give the folder or the file that its downloader wrote"
    )]
    NotALine,
    #[error("these are {0} hashes; give --kind {flag}", flag = match .0 { Kind::Sha1 => "sha1", Kind::Ntlm => "ntlm" })]
    OtherKind(Kind),
    #[error(
        "this hash is not above the one before it; sort the file with LC_ALL=C sort, or download it again"
    )]
    Unsorted,
    #[error("there is nothing in it; download it again")]
    Empty,
    #[error(
        "its name is not five hex digits, with or without .txt, as a range file's is; move it out of the folder"
    )]
    NotARangeFile,
    #[error("there are two files for this range; remove one")]
    RangeTwice,
    #[error(
        "the corpus is incomplete: the ranges {from:05X} to {to:05X} are missing; finish the download, or give --partial to leave the gaps"
    )]
    Gap { from: u32, to: u32 },
}

/// A corpus that is being read.
pub(crate) struct Corpus {
    kind: Kind,
    folder: PathBuf,
    rest: vec::IntoIter<(Option<u32>, OsString)>,
    reading: Option<Reading>,
    last: Option<Hash>,
    line: Vec<u8>,
}

/// A file that is being read.
struct Reading {
    path: PathBuf,
    /// The first five digits of each line, where the file's name holds them.
    prefix: Option<[u8; 5]>,
    text: BufReader<File>,
    number: u64,
}

impl Corpus {
    pub(crate) fn open(path: &Path, kind: Kind) -> Result<Self, BuildError> {
        let unreadable = |error| BuildError::unreadable(path, error);
        let mut files = vec![(None, OsString::new())];
        if path.metadata().map_err(unreadable)?.is_dir() {
            files.clear();
            for entry in path.read_dir().map_err(unreadable)? {
                let name = entry.map_err(unreadable)?.file_name();
                let range = range_of(&name).ok_or_else(|| {
                    BuildError::source(&path.join(&name), None, Fault::NotARangeFile)
                })?;
                files.push((Some(range), name));
            }
            files.sort_unstable();
            if let Some([_, (_, name)]) = files
                .array_windows()
                .find(|[(one, _), (next, _)]| one == next)
            {
                return Err(BuildError::source(
                    &path.join(name),
                    None,
                    Fault::RangeTwice,
                ));
            }
        }
        let mut corpus = Self {
            kind,
            folder: path.to_owned(),
            rest: files.into_iter(),
            reading: None,
            last: None,
            line: Vec::new(),
        };
        if !corpus.next_file()? {
            return Err(BuildError::source(path, None, Fault::Empty));
        }
        Ok(corpus)
    }

    /// The next hash and how often it was seen, at least once; hashes come in ascending order.
    pub(crate) fn next(&mut self) -> Result<Option<(Hash, u64)>, BuildError> {
        loop {
            let Some(reading) = &mut self.reading else {
                return Ok(None);
            };
            reading
                .next_line(&mut self.line)
                .map_err(|error| BuildError::unreadable(&reading.path, error))?;
            if self.line.is_empty() {
                if reading.number == 1 {
                    return Err(BuildError::source(&reading.path, None, Fault::Empty));
                }
                self.next_file()?;
                continue;
            }
            let (hash, count) =
                parse(&self.line, reading.prefix, self.kind).map_err(|fault| self.fault(fault))?;
            if count == 0 {
                continue;
            }
            if self.last.is_some_and(|last| hash <= last) {
                return Err(self.fault(Fault::Unsorted));
            }
            self.last = Some(hash);
            return Ok(Some((hash, count)));
        }
    }

    /// A fault of the line that was read last.
    pub(crate) fn fault(&self, fault: Fault) -> BuildError {
        match &self.reading {
            Some(reading) => BuildError::source(&reading.path, Some(reading.number), fault),
            None => BuildError::source(&self.folder, None, fault),
        }
    }

    /// Opens the next file; false after the last one.
    fn next_file(&mut self) -> Result<bool, BuildError> {
        self.reading = None;
        let Some((range, name)) = self.rest.next() else {
            return Ok(false);
        };
        let path = match range {
            None => self.folder.clone(),
            Some(_) => self.folder.join(name),
        };
        let file = File::open(&path).map_err(|error| BuildError::unreadable(&path, error))?;
        let mut prefix = None;
        if let Some(range) = range {
            prefix = format!("{range:05X}").into_bytes().try_into().ok();
        }
        self.reading = Some(Reading {
            path,
            prefix,
            text: BufReader::with_capacity(BUFFER_BYTES, file),
            number: 0,
        });
        Ok(true)
    }
}

impl Reading {
    /// Reads a line with its end; empty after the last one, and never longer than a line may be.
    fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<()> {
        line.clear();
        self.number += 1;
        self.text
            .by_ref()
            .take(LINE_BYTES)
            .read_until(b'\n', line)?;
        Ok(())
    }
}

/// The range a file's name stands for.
fn range_of(name: &OsString) -> Option<u32> {
    let name = name.to_str()?;
    let digits = name.strip_suffix(".txt").unwrap_or(name);
    let fits = digits.len() == 5 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| fits)
}

/// Reads `DIGITS:COUNT`, with the digits of `prefix` in front.
fn parse(line: &[u8], prefix: Option<[u8; 5]>, kind: Kind) -> Result<(Hash, u64), Fault> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let colon = line.iter().position(|byte| *byte == b':');
    let (digits, count) = colon
        .and_then(|at| line.split_at_checked(at))
        .ok_or(Fault::NotALine)?;
    let prefix = prefix.as_ref().map_or(&[][..], |prefix| &prefix[..]);
    let mut hash = Hash([0; 20]);
    let length = prefix.len() + digits.len();
    if length != 2 * kind.bytes() {
        let other = match kind {
            Kind::Sha1 => Kind::Ntlm,
            Kind::Ntlm => Kind::Sha1,
        };
        return Err(if length == 2 * other.bytes() {
            Fault::OtherKind(other)
        } else {
            Fault::NotALine
        });
    }
    for (at, digit) in prefix.iter().chain(digits).enumerate() {
        let value = char::from(*digit).to_digit(16).ok_or(Fault::NotALine)? as u8;
        if let Some(byte) = hash.0.get_mut(at / 2) {
            *byte = *byte << 4 | value;
        }
    }
    let mut seen: u64 = 0;
    // The colon is still in front of the count.
    let [_, count @ ..] = count else {
        return Err(Fault::NotALine);
    };
    if count.is_empty() {
        return Err(Fault::NotALine);
    }
    for digit in count {
        let value = char::from(*digit).to_digit(10).ok_or(Fault::NotALine)?;
        seen = seen
            .checked_mul(10)
            .and_then(|seen| seen.checked_add(value.into()))
            .ok_or(Fault::NotALine)?;
    }
    Ok((hash, seen))
}
