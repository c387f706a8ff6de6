//! To which partition a key belongs. Those who write to the same topic have to agree on it.

use krafka::producer::Partitioner;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How the partition of a key is found: `record_partitioner.sticky_key.hasher` of the Collector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hasher {
    /// FNV-1a, as the Collector does unless it is told otherwise.
    #[default]
    SaramaCompat,
    /// Murmur2, as the clients of Java do.
    Murmur2,
}

/// The partition of a key as the Go library Sarama finds it: FNV-1a of 32 bits as a signed number, its remainder, without
/// its sign. 0 where there are no partitions.
#[must_use]
pub fn sarama_partition(key: &[u8], partitions: usize) -> i32 {
    let hash = key.iter().fold(0x811c_9dc5_u32, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let Some(partitions) = i64::try_from(partitions).ok().filter(|partitions| *partitions > 0) else { return 0 };
    let signed = i64::from(i32::from_ne_bytes(hash.to_ne_bytes()));
    i32::try_from((signed % partitions).abs()).unwrap_or(0)
}

/// Keys by FNV-1a; records without a key go to one partition after the other.
#[derive(Debug, Default)]
pub(crate) struct SaramaCompat {
    next: AtomicUsize,
}

impl Partitioner for SaramaCompat {
    fn partition(&self, _topic: &str, key: Option<&[u8]>, partitions: usize) -> i32 {
        match key {
            Some(key) => sarama_partition(key, partitions),
            None => {
                let turn = self.next.fetch_add(1, Ordering::Relaxed);
                i32::try_from(turn.checked_rem(partitions).unwrap_or(0)).unwrap_or(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a of "" is its offset basis, 0x811c9dc5, -2128831035 as a signed number; of "a" it is 0xe40c292c, -468965076,
    /// and of "foobar" 0xbf9cf968, -1080231576 (the reference vectors of FNV).
    #[test]
    fn partitions_are_the_remainder_without_its_sign() {
        for (key, partitions, expected) in [
            ("", 10, 5),
            ("a", 10, 6),
            ("a", 7, 468_965_076 % 7),
            ("foobar", 100, 76),
            ("foobar", 1, 0),
            ("foobar", 0, 0),
        ] {
            assert_eq!(sarama_partition(key.as_bytes(), partitions), expected, "{key:?} of {partitions}");
        }
    }

    #[test]
    fn records_without_a_key_take_turns() {
        let partitioner = SaramaCompat::default();
        let turns: Vec<_> = (0..4).map(|_| partitioner.partition("t", None, 3)).collect();
        assert_eq!(turns, [0, 1, 2, 0]);
    }
}
