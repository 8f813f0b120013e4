//! The file of a breach list: a header, the fingerprints of its filters, a directory of them.
//!
//! ```text
//! header      128 bytes: magic, version, kind, entries, ranges, min count, made at, directory's place and length, checksum
//! filters     one after the other, 2 bytes a fingerprint
//! directory   32 bytes a filter: its first key, its place in the file, its shape
//! ```
//!
//! All numbers are little-endian. The checksum is SHA-256 of all that follows the header, then of the header up to it:
//! it finds damage, not forgery, since whoever can write the file can compute it.

use crate::Kind;
use crate::filter::Shape;

pub(crate) const MAGIC: [u8; 16] = *b"portcullis-list\n";
/// The version this code writes, and the only one it reads.
pub(crate) const VERSION: u32 = 1;
pub(crate) const HEADER_BYTES: u64 = 128;
pub(crate) const CHECKSUM_AT: usize = 96;
pub(crate) const ENTRY_BYTES: usize = 32;

/// What the list is about, and where its directory lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    /// Hashes in the list.
    pub(crate) entries: u64,
    /// How many of the 2^20 ranges of the corpus the source had.
    pub(crate) ranges: u32,
    /// Hashes seen less often were left out.
    pub(crate) min_count: u64,
    /// Seconds since 1970.
    pub(crate) made_at: i64,
    pub(crate) directory_at: u64,
    pub(crate) filters: u32,
    pub(crate) checksum: [u8; 32],
}

/// Why the beginning of a file is no header of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    Foreign,
    Version(u32),
    Damaged,
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES as usize] {
        let kind: u32 = match self.kind {
            Kind::Sha1 => 1,
            Kind::Ntlm => 2,
        };
        let mut bytes = Vec::with_capacity(HEADER_BYTES as usize);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&kind.to_le_bytes());
        bytes.extend_from_slice(&self.entries.to_le_bytes());
        bytes.extend_from_slice(&self.min_count.to_le_bytes());
        bytes.extend_from_slice(&self.made_at.to_le_bytes());
        bytes.extend_from_slice(&self.directory_at.to_le_bytes());
        bytes.extend_from_slice(&self.filters.to_le_bytes());
        bytes.extend_from_slice(&self.ranges.to_le_bytes());
        bytes.resize(CHECKSUM_AT, 0);
        bytes.extend_from_slice(&self.checksum);
        bytes
            .try_into()
            .expect("the fields above and the padding make up the header")
    }

    pub(crate) fn decode(bytes: &[u8; HEADER_BYTES as usize]) -> Result<Self, HeaderFault> {
        let mut fields = Fields(bytes);
        if fields.take::<16>() != MAGIC {
            return Err(HeaderFault::Foreign);
        }
        match fields.u32() {
            VERSION => {}
            other => return Err(HeaderFault::Version(other)),
        }
        let kind = match fields.u32() {
            1 => Kind::Sha1,
            2 => Kind::Ntlm,
            _ => return Err(HeaderFault::Damaged),
        };
        let header = Self {
            kind,
            entries: fields.u64(),
            min_count: fields.u64(),
            made_at: i64::from_le_bytes(fields.take()),
            directory_at: fields.u64(),
            filters: fields.u32(),
            ranges: fields.u32(),
            checksum: {
                fields.take::<32>();
                fields.take()
            },
        };
        Ok(header)
    }

    /// Bytes of the directory.
    pub(crate) fn directory_bytes(&self) -> usize {
        self.filters as usize * ENTRY_BYTES
    }

    /// Bytes of the whole file; none when no file can be that large.
    pub(crate) fn file_bytes(&self) -> Option<u64> {
        self.directory_at.checked_add(self.directory_bytes() as u64)
    }
}

/// One filter in the directory. It holds the keys from `first` up to the next filter's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) first: u64,
    /// Where its fingerprints begin, in bytes from the beginning of the file.
    pub(crate) at: u64,
    pub(crate) shape: Shape,
}

impl Entry {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ENTRY_BYTES);
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(&self.at.to_le_bytes());
        bytes.extend_from_slice(&self.shape.seed.to_le_bytes());
        bytes.extend_from_slice(&self.shape.window.to_le_bytes());
        bytes.extend_from_slice(&self.shape.spread.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut fields = Fields(bytes);
        Self {
            first: fields.u64(),
            at: fields.u64(),
            shape: Shape {
                seed: fields.u64(),
                window: fields.u32(),
                spread: fields.u32(),
            },
        }
    }
}

/// Reads a directory; `None` when its filters do not lie one after the other from the header to the directory,
/// or are not in the order of their keys.
pub(crate) fn directory(header: &Header, bytes: &[u8]) -> Option<Vec<Entry>> {
    let entries: Vec<Entry> = bytes.chunks_exact(ENTRY_BYTES).map(Entry::decode).collect();
    let mut at = HEADER_BYTES;
    for entry in &entries {
        if entry.at != at {
            return None;
        }
        at = at.checked_add(u64::from(entry.shape.fingerprints()?) * 2)?;
    }
    let ordered = entries.is_sorted_by(|one, next| one.first < next.first);
    (at == header.directory_at && ordered).then_some(entries)
}

/// Takes numbers from the front.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .expect("headers and directory entries have a fixed length");
        self.0 = rest;
        *taken
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            kind: Kind::Ntlm,
            entries: 3,
            ranges: 2,
            min_count: 10,
            made_at: 1_800_000_000,
            directory_at: 152,
            filters: 1,
            checksum: [7; 32],
        }
    }

    #[test]
    fn a_header_is_read_as_it_was_written() {
        assert_eq!(Header::decode(&header().encode()), Ok(header()));
    }

    #[test]
    fn other_files_and_other_versions_are_told_apart() {
        let mut foreign = header().encode();
        foreign[0] = b'P';
        assert_eq!(Header::decode(&foreign), Err(HeaderFault::Foreign));
        for version in [0, 2, u32::MAX] {
            let mut other = header().encode();
            other[16..20].copy_from_slice(&version.to_le_bytes());
            assert_eq!(Header::decode(&other), Err(HeaderFault::Version(version)));
        }
        let mut kind = header().encode();
        kind[20] = 3;
        assert_eq!(Header::decode(&kind), Err(HeaderFault::Damaged));
    }

    #[test]
    fn a_directory_with_gaps_overlaps_or_disorder_is_none() {
        let entry = |first, at| Entry {
            first,
            at,
            shape: Shape {
                seed: 5,
                window: 4,
                spread: 4,
            },
        };
        let read = |entries: &[Entry], directory_at| {
            let header = Header {
                directory_at,
                ..header()
            };
            let bytes: Vec<u8> = entries.iter().flat_map(Entry::encode).collect();
            directory(&header, &bytes)
        };
        let good = [entry(1, 128), entry(9, 152)];
        assert_eq!(read(&good, 176).unwrap(), good);
        assert_eq!(read(&good, 177), None);
        assert_eq!(read(&[entry(1, 128), entry(9, 150)], 174), None);
        assert_eq!(read(&[entry(9, 128), entry(9, 152)], 176), None);
        assert_eq!(read(&[entry(1, 0)], 24), None);
    }
}
