//! A table of names that is asked once for every attribute of every span.

/// Names, each with a number. A name may have several.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Ascending by bucket, then by name, so that a bucket of any size is searched in logarithmic time.
    entries: Vec<(Box<[u8]>, u16)>,
    /// One more than there are buckets: bucket `b` is `entries[starts[b]..starts[b + 1]]`.
    starts: Vec<u32>,
    /// Bits of the hash that are not part of the bucket's number.
    shift: u32,
}

impl Names {
    /// A table of names with their numbers.
    pub fn new<'n>(names: impl Iterator<Item = (&'n str, u16)>) -> Self {
        let mut entries: Vec<(Box<[u8]>, u16)> = names.map(|(name, number)| (name.as_bytes().into(), number)).collect();
        if entries.is_empty() {
            return Self::default();
        }
        let buckets = (entries.len() * 4).next_power_of_two();
        let shift = 32 - buckets.trailing_zeros();
        entries.sort_by(|(a, number_a), (b, number_b)| {
            (hash(a) >> shift, a, number_a).cmp(&(hash(b) >> shift, b, number_b))
        });
        let starts = (0..=buckets as u32)
            .map(|bucket| entries.partition_point(|(name, _)| hash(name) >> shift < bucket) as u32)
            .collect();
        Self { entries, starts, shift }
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The numbers of a name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> impl Iterator<Item = u16> {
        self.bucket(name).iter().map(|(_, number)| *number)
    }

    #[inline]
    fn bucket(&self, name: &[u8]) -> &[(Box<[u8]>, u16)] {
        if self.entries.is_empty() {
            return &[];
        }
        let bucket = (hash(name) >> self.shift) as usize;
        let (Some(&start), Some(&end)) = (self.starts.get(bucket), self.starts.get(bucket + 1)) else {
            return &[];
        };
        let entries = self.entries.get(start as usize..end as usize).unwrap_or_default();
        match entries {
            [] => entries,
            [(only, _)] => {
                if **only == *name {
                    entries
                } else {
                    &[]
                }
            }
            _ => {
                let first = entries.partition_point(|(known, _)| **known < *name);
                let last = entries.partition_point(|(known, _)| **known <= *name);
                entries.get(first..last).unwrap_or_default()
            }
        }
    }
}

/// Names of one convention begin alike and differ in length or at the end.
#[inline]
fn hash(name: &[u8]) -> u32 {
    let tail = match name.last_chunk::<8>() {
        Some(tail) => u64::from_le_bytes(*tail),
        None => name.iter().fold(0, |tail, &byte| tail << 8 | u64::from(byte)),
    };
    let mixed = (tail ^ (name.len() as u64).rotate_left(57)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        let many: Vec<String> = (0..2000).map(|n| format!("attribute.{n}.tokens")).collect();
        let names = Names::new(many.iter().zip(0..).map(|(name, number)| (name.as_str(), number)));
        for (name, number) in many.iter().zip(0u16..) {
            assert_eq!(names.find(name.as_bytes()).collect::<Vec<_>>(), [number], "{name}");
        }
        for other in ["", "a", "attribute.2000.tokens", "attribute.1.token"] {
            assert_eq!(names.find(other.as_bytes()).count(), 0, "{other}");
        }
        assert_eq!(Names::new(std::iter::empty()).find(b"a").count(), 0);
    }

    #[test]
    fn a_name_may_have_several_numbers() {
        let names = Names::new([("a", 3), ("b", 1), ("a", 0)].into_iter());
        assert_eq!(names.find(b"a").collect::<Vec<_>>(), [0, 3]);
    }
}
