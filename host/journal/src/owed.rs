//! What the sidecar of a segment says: which records are done, and which parts of the others.

use crate::disk::Disk;
use crate::format::{Id, MARK, Mark};
use crate::segment::most_records;
use std::io;

/// Bytes that are read at once: a multiple of a mark.
const CHUNK: usize = 4096 * MARK as usize;

/// What the sidecar of one segment says. It takes a bit for each record that the segment can hold, and eight bytes for
/// each part that is marked.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    done: Vec<u64>,
    /// Ordinal and part, ascending.
    parts: Vec<(u32, u32)>,
    /// Marks that could not be understood.
    pub(crate) damaged: u64,
}

impl Marks {
    /// Reads a sidecar of this length, of a segment of that length.
    pub(crate) fn read(disk: &dyn Disk, id: Id, length: u64, segment: u64) -> io::Result<Self> {
        let mut marks = Self::default();
        let records = most_records(segment);
        marks.done.resize(usize::try_from(records.div_ceil(64)).unwrap_or(0), 0);
        let whole = length - length % MARK;
        if whole == 0 {
            return Ok(marks);
        }
        let file = disk.open(&id.marks())?;
        let (mut offset, mut buffer) = (0, Vec::new());
        while offset < whole {
            buffer.resize(usize::try_from(whole - offset).unwrap_or(usize::MAX).min(CHUNK), 0);
            file.read_at(offset, &mut buffer)?;
            offset += buffer.len() as u64;
            for bytes in buffer.chunks(MARK as usize) {
                match id.parse_mark(bytes).filter(|&(ordinal, _)| u64::from(ordinal) < records) {
                    Some((ordinal, Mark::Done)) => {
                        if let Some(word) = marks.done.get_mut(ordinal as usize / 64) {
                            *word |= 1 << (ordinal % 64);
                        }
                    }
                    Some((ordinal, Mark::Part(part))) => marks.parts.push((ordinal, part)),
                    None => marks.damaged += 1,
                }
            }
        }
        marks.parts.sort_unstable();
        marks.parts.dedup();
        Ok(marks)
    }

    /// A sidecar of this length that the disk does not give: all its records are owed.
    pub(crate) fn unreadable(length: u64) -> Self {
        Self { damaged: length / MARK, ..Self::default() }
    }

    pub(crate) fn done(&self, ordinal: u32) -> bool {
        self.done.get(ordinal as usize / 64).is_some_and(|word| word >> (ordinal % 64) & 1 == 1)
    }

    pub(crate) fn parts(&self, ordinal: u32) -> Vec<u32> {
        let from = self.parts.partition_point(|&(other, _)| other < ordinal);
        self.parts.iter().skip(from).take_while(|&&(other, _)| other == ordinal).map(|&(_, part)| part).collect()
    }
}
