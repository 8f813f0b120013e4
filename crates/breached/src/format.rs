//! The file of a breach list: a header, blocks of one length, the first key of each block.
//!
//! ```text
//! header      128 bytes: magic, version, kind, entries, min count, made at, blocks, ranges, checksum
//! blocks      one after the other in the order of their keys, 3,596 bytes each (`block`)
//! first keys  8 bytes a block
//! ```
//!
//! All numbers are little-endian. The checksum is SHA-256 of all that follows the header, then of the header up to it:
//! it finds damage, not forgery, since whoever can write the file can compute it.

use crate::Kind;
use crate::block;
use crate::first_keys::FIRST_KEY_BYTES;

pub(crate) const MAGIC: [u8; 16] = *b"portcullis-list\n";
/// The version this code writes, and the only one it reads.
pub(crate) const VERSION: u32 = 2;
pub(crate) const HEADER_BYTES: u64 = 128;
pub(crate) const CHECKSUM_AT: usize = 96;

/// What the list is about, and how many blocks it has.
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
    pub(crate) blocks: u32,
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
        bytes.extend_from_slice(&self.blocks.to_le_bytes());
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
            blocks: fields.u32(),
            ranges: fields.u32(),
            checksum: {
                fields.take::<40>();
                fields.take()
            },
        };
        Ok(header)
    }

    /// Where the first keys begin, in bytes from the beginning of the file.
    pub(crate) fn first_keys_at(&self) -> u64 {
        block_at(self.blocks as usize)
    }

    pub(crate) fn first_keys_bytes(&self) -> usize {
        self.blocks as usize * FIRST_KEY_BYTES
    }

    /// Bytes of the whole file.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.first_keys_at() + self.first_keys_bytes() as u64
    }
}

/// Where a block begins, in bytes from the beginning of the file.
pub(crate) fn block_at(index: usize) -> u64 {
    HEADER_BYTES + index as u64 * block::BYTES as u64
}

/// Takes numbers from the front.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .expect("headers and blocks have a fixed length");
        self.0 = rest;
        *taken
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    pub(crate) fn u64(&mut self) -> u64 {
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
            blocks: 1,
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
        for version in [0, 1, 3, u32::MAX] {
            let mut other = header().encode();
            other[16..20].copy_from_slice(&version.to_le_bytes());
            assert_eq!(Header::decode(&other), Err(HeaderFault::Version(version)));
        }
        let mut kind = header().encode();
        kind[20] = 3;
        assert_eq!(Header::decode(&kind), Err(HeaderFault::Damaged));
    }

    #[test]
    fn no_number_of_blocks_is_beyond_counting() {
        let blocks = |blocks| Header { blocks, ..header() }.file_bytes();
        assert_eq!(blocks(0), 128);
        assert_eq!(blocks(2), 128 + 2 * (3_596 + 8));
        assert_eq!(blocks(u32::MAX), 128 + u64::from(u32::MAX) * (3_596 + 8));
    }
}
