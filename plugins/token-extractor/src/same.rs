//! Comparing texts, many times for each event.

/// Whether two texts are the same. In wasm, comparing slices is a loop over bytes; this one is over vectors, of which the
/// last may overlap the one before.
#[inline]
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    const WIDTH: usize = 16;
    const HALF: usize = 8;
    if one.len() != other.len() {
        return false;
    }
    let (Some(one_end), Some(other_end)) = (one.last_chunk::<WIDTH>(), other.last_chunk::<WIDTH>()) else {
        let halves = (one.split_first_chunk::<HALF>(), one.last_chunk::<HALF>());
        let others = (other.split_first_chunk::<HALF>(), other.last_chunk::<HALF>());
        let ((Some((first, _)), Some(last)), (Some((other_first, _)), Some(other_last))) = (halves, others) else {
            return one.iter().zip(other).fold(0, |differ, (one, other)| differ | (one ^ other)) == 0;
        };
        let bits = |half: &[u8; HALF]| u64::from_ne_bytes(*half);
        return (bits(first) ^ bits(other_first)) | (bits(last) ^ bits(other_last)) == 0;
    };
    let bits = |part: &[u8; WIDTH]| u128::from_ne_bytes(*part);
    let mut differ = bits(one_end) ^ bits(other_end);
    for (one, other) in one.as_chunks().0.iter().zip(other.as_chunks().0) {
        differ |= bits(one) ^ bits(other);
    }
    differ == 0
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn texts_are_compared_to_the_last_byte() {
        for length in 0..70 {
            let text: Vec<u8> = (0..length).collect();
            assert!(same(&text, &text.clone()));
            assert!(!same(&text, &[text.as_slice(), b"x"].concat()));
            for at in 0..text.len() {
                let mut other = text.clone();
                other[at] ^= 1;
                assert!(!same(&text, &other), "{length} {at}");
            }
        }
    }
}
