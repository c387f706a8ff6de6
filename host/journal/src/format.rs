//! The bytes on disk: names of files, the header of a segment, the header of a record, a mark.
//!
//! All numbers are little-endian. Every checksum is CRC32C (RFC 3720, appendix B.4). The checksums of headers and marks
//! begin with the salt of the segment, a random number that only the file's name holds: bytes of a payload that look
//! like a header are not taken for one, nor is a mark of another segment.
//!
//! ```text
//! segment  magic 8 | version 4 | checksum 4                                       then records
//! record   magic 4 | length 4 | sequence 8 | kind 1, zeros 3 | checksum of payload 4 | checksum 4 | payload
//! mark     ordinal 4 | part 4 | what 4 | checksum 4
//! ```

use crc32c::{crc32c, crc32c_append};

pub(crate) const SEGMENT_HEADER: u64 = 16;
pub(crate) const RECORD_HEADER: u64 = 28;
pub(crate) const MARK: u64 = 16;
pub(crate) const VERSION: u32 = 1;

const SEGMENT_MAGIC: [u8; 8] = *b"tollgjnl";
/// What a record begins with. After damage the next one is looked for by it.
pub(crate) const RECORD_MAGIC: [u8; 4] = [0xa5, b'T', b'R', 0x1e];

/// What tells a segment from every other: its first sequence number, and its salt. Both are in the names of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) first: u64,
    pub(crate) salt: u64,
}

impl Id {
    pub(crate) fn segment(self) -> String {
        format!("{:016x}-{:016x}.segment", self.first, self.salt)
    }

    pub(crate) fn marks(self) -> String {
        format!("{:016x}-{:016x}.marks", self.first, self.salt)
    }

    /// The id in the name of a file with this extension.
    pub(crate) fn parse(name: &str, extension: &str) -> Option<Self> {
        let (first, salt) = name.strip_suffix(extension)?.strip_suffix('.')?.split_once('-')?;
        let number = |text: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
            (text.len() == 16 && digits).then(|| u64::from_str_radix(text, 16).ok()).flatten()
        };
        Some(Self { first: number(first)?, salt: number(salt)? })
    }

    fn checksum(self, bytes: &[u8]) -> u32 {
        crc32c_append(crc32c(&self.salt.to_le_bytes()), bytes)
    }

    pub(crate) fn segment_header(self) -> [u8; SEGMENT_HEADER as usize] {
        let mut bytes = [0; SEGMENT_HEADER as usize];
        put(&mut bytes, 0, &SEGMENT_MAGIC);
        put(&mut bytes, 8, &VERSION.to_le_bytes());
        self.seal(&mut bytes);
        bytes
    }

    /// The version in the header of a segment, when the header is undamaged.
    pub(crate) fn version(self, bytes: &[u8]) -> Option<u32> {
        let rest = self.unseal(bytes)?.strip_prefix(&SEGMENT_MAGIC)?;
        rest.first_chunk().map(|chunk| u32::from_le_bytes(*chunk))
    }

    pub(crate) fn record_header(self, record: &RecordHeader) -> [u8; RECORD_HEADER as usize] {
        let mut bytes = [0; RECORD_HEADER as usize];
        put(&mut bytes, 0, &RECORD_MAGIC);
        put(&mut bytes, 4, &record.length.to_le_bytes());
        put(&mut bytes, 8, &record.sequence.to_le_bytes());
        put(&mut bytes, 16, &[record.kind]);
        put(&mut bytes, 20, &record.checksum.to_le_bytes());
        self.seal(&mut bytes);
        bytes
    }

    pub(crate) fn parse_record(self, bytes: &[u8]) -> Option<RecordHeader> {
        let mut rest = self.unseal(bytes)?.strip_prefix(&RECORD_MAGIC)?;
        let length = u32::from_le_bytes(take(&mut rest)?);
        let sequence = u64::from_le_bytes(take(&mut rest)?);
        let [kind, 0, 0, 0] = take(&mut rest)? else { return None };
        let checksum = u32::from_le_bytes(take(&mut rest)?);
        Some(RecordHeader { length, sequence, kind, checksum })
    }

    pub(crate) fn mark(self, ordinal: u32, mark: Mark) -> [u8; MARK as usize] {
        let (what, part) = match mark {
            Mark::Part(part) => (1_u32, part),
            Mark::Done => (2, 0),
        };
        let mut bytes = [0; MARK as usize];
        put(&mut bytes, 0, &ordinal.to_le_bytes());
        put(&mut bytes, 4, &part.to_le_bytes());
        put(&mut bytes, 8, &what.to_le_bytes());
        self.seal(&mut bytes);
        bytes
    }

    pub(crate) fn parse_mark(self, bytes: &[u8]) -> Option<(u32, Mark)> {
        let mut rest = self.unseal(bytes)?;
        let ordinal = u32::from_le_bytes(take(&mut rest)?);
        let part = u32::from_le_bytes(take(&mut rest)?);
        match u32::from_le_bytes(take(&mut rest)?) {
            1 => Some((ordinal, Mark::Part(part))),
            2 if part == 0 => Some((ordinal, Mark::Done)),
            _ => None,
        }
    }

    /// Writes the checksum of what stands before the last four bytes into them.
    fn seal(self, bytes: &mut [u8]) {
        if let Some((body, checksum)) = bytes.split_last_chunk_mut::<4>() {
            *checksum = self.checksum(body).to_le_bytes();
        }
    }

    /// What stands before the checksum, when the checksum is right.
    fn unseal(self, bytes: &[u8]) -> Option<&[u8]> {
        let (body, checksum) = bytes.split_last_chunk::<4>()?;
        (self.checksum(body) == u32::from_le_bytes(*checksum)).then_some(body)
    }
}

/// What stands in front of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub(crate) length: u32,
    pub(crate) sequence: u64,
    pub(crate) kind: u8,
    /// CRC32C of the payload.
    pub(crate) checksum: u32,
}

impl RecordHeader {
    /// Bytes of the record in its file.
    pub(crate) fn size(&self) -> u64 {
        RECORD_HEADER + u64::from(self.length)
    }
}

/// What a sidecar says of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// One of those that the record is owed to has it.
    Part(u32),
    /// Nobody needs the record any more.
    Done,
}

/// CRC32C over the parts of a payload.
pub(crate) fn payload_checksum(parts: &[&[u8]]) -> u32 {
    parts.iter().fold(0, |checksum, part| crc32c_append(checksum, part))
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(target) = bytes.get_mut(at..at + value.len()) {
        target.copy_from_slice(value);
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (chunk, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Id = Id { first: 7, salt: 0xfeed };

    #[test]
    fn names_are_read_back_and_others_are_not_ours() {
        assert_eq!(Id::parse(&ID.segment(), "segment"), Some(ID));
        assert_eq!(Id::parse(&ID.marks(), "marks"), Some(ID));
        for name in ["", "a.segment", "0000000000000007-000000000000feed.marks", "7-feed.segment", "journal.lock"] {
            assert_eq!(Id::parse(name, "segment"), None, "{name}");
        }
        assert_eq!(Id::parse("000000000000000A-000000000000feed.segment", "segment"), None, "one name for one id");
    }

    #[test]
    fn every_changed_bit_is_seen_and_another_salt_reads_nothing() {
        let record = RecordHeader { length: 5, sequence: 9, kind: 3, checksum: payload_checksum(&[b"he", b"llo"]) };
        let (header, mark, segment) = (ID.record_header(&record), ID.mark(4, Mark::Part(2)), ID.segment_header());
        assert_eq!(ID.parse_record(&header), Some(record));
        assert_eq!(ID.parse_mark(&mark), Some((4, Mark::Part(2))));
        assert_eq!(ID.parse_mark(&ID.mark(4, Mark::Done)), Some((4, Mark::Done)));
        assert_eq!(ID.version(&segment), Some(VERSION));
        let other = Id { salt: 1, ..ID };
        assert_eq!((other.parse_record(&header), other.parse_mark(&mark), other.version(&segment)), (None, None, None));
        let flip = |bytes: &[u8], bit: usize| {
            let mut bytes = bytes.to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            bytes
        };
        assert!((0..header.len() * 8).all(|bit| ID.parse_record(&flip(&header, bit)).is_none()));
        assert!((0..mark.len() * 8).all(|bit| ID.parse_mark(&flip(&mark, bit)).is_none()));
        assert!((0..segment.len() * 8).all(|bit| ID.version(&flip(&segment, bit)).is_none()));
    }

    #[test]
    fn the_checksum_is_crc32c() {
        // RFC 3720, appendix B.4: 32 bytes of zeros.
        assert_eq!(payload_checksum(&[&[0; 32]]), 0x8a91_36aa);
    }
}
