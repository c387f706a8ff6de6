//! Exponential buckets, which Prometheus calls native.
//!
//! Source: OpenTelemetry metrics data model, exponential histograms: at scale `s` bucket `i` holds what is greater than
//! `base^i` and at most `base^(i+1)`, where `base` is `2^(2^-s)`. Prometheus' schema is the scale, and its index is one
//! more. When a value would need more buckets than there may be, neighbours are joined, which lowers the scale by one.

use crate::number::Scale;
use std::collections::VecDeque;

/// Scale of a histogram that has seen nothing: the finest that Prometheus has.
const FINEST: u8 = 8;

/// Fewest buckets that may be asked for. At scale -4, the coarsest that Prometheus has, a bucket spans 16 powers of two,
/// and what a 64-bit number of ones or billionths can be spans 94.
pub const MIN_SIZE: usize = 8;

/// Counts of values above 0 by exponential buckets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exponential {
    /// How many times neighbours were joined.
    joined: u8,
    /// Index of the first bucket.
    first: i32,
    counts: VecDeque<u64>,
    zeros: u64,
}

impl Exponential {
    pub(crate) const fn new() -> Self {
        Self { joined: 0, first: 0, counts: VecDeque::new(), zeros: 0 }
    }

    pub(crate) fn scale(&self) -> i32 {
        i32::from(FINEST) - i32::from(self.joined)
    }

    pub(crate) fn first(&self) -> i32 {
        self.first
    }

    pub(crate) fn zeros(&self) -> u64 {
        self.zeros
    }

    pub(crate) fn counts(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.counts.iter().copied()
    }

    /// Counts a value by its [`index`].
    pub(crate) fn add(&mut self, index: Option<i32>, max_size: usize) {
        let Some(index) = index else {
            self.zeros += 1;
            return;
        };
        let mut index = index >> self.joined;
        let last = self.first + length(&self.counts) - 1;
        let (mut low, mut high) = (index, index);
        if !self.counts.is_empty() {
            (low, high) = (index.min(self.first), index.max(last));
        }
        let most = i32::try_from(max_size).unwrap_or(i32::MAX);
        while high - low >= most {
            self.join();
            (index, low, high) = (index >> 1, low >> 1, high >> 1);
        }
        if self.counts.is_empty() {
            self.first = index;
        }
        while index < self.first {
            self.counts.push_front(0);
            self.first -= 1;
        }
        while index >= self.first + length(&self.counts) {
            self.counts.push_back(0);
        }
        let place = usize::try_from(index - self.first).unwrap_or(usize::MAX);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
    }

    /// Joins each bucket of an even index with the one behind it.
    fn join(&mut self) {
        let mut joined = VecDeque::with_capacity(self.counts.len() / 2 + 1);
        let first = self.first >> 1;
        for (index, count) in (self.first..).zip(&self.counts) {
            let place = usize::try_from((index >> 1) - first).unwrap_or(usize::MAX);
            match joined.get_mut(place) {
                Some(sum) => *sum += count,
                None => joined.push_back(*count),
            }
        }
        (self.first, self.counts, self.joined) = (first, joined, self.joined + 1);
    }
}

fn length(counts: &VecDeque<u64>) -> i32 {
    i32::try_from(counts.len()).unwrap_or(i32::MAX)
}

/// The bucket of a value at the finest scale; `None` for 0.
///
/// A power of two is the upper bound of its bucket, exactly; other values may be off by one where they differ from a
/// bound by less than a double tells apart, which the data model allows.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the exponent of a double has 11 bits, and the rest lies within 0 to 256"
)]
pub(crate) fn index(value: u64, scale: Scale) -> Option<i32> {
    if value == 0 {
        return None;
    }
    let bits = scale.real(value.into()).to_bits();
    // Neither 0 nor subnormal, since the least there is is a billionth.
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1023;
    let fraction = bits & ((1 << 52) - 1);
    let steps = 1_i32 << FINEST;
    if fraction == 0 {
        return Some(exponent * steps - 1);
    }
    let mantissa = f64::from_bits(fraction | (1023 << 52));
    let within = (mantissa.log2() * f64::from(steps)).ceil() as i32 - 1;
    Some(exponent * steps + within.clamp(0, steps - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bound(scale: i32, index: i32) -> f64 {
        (f64::from(index) * (-f64::from(scale)).exp2()).exp2()
    }

    #[test]
    fn powers_of_two_are_upper_bounds() {
        for power in 0..64 {
            let index = index(1 << power, Scale::One).unwrap();
            assert_eq!(index, power * 256 - 1, "2^{power}");
        }
        assert_eq!(index(0, Scale::One), None);
        assert_eq!(index(500_000_000, Scale::Billionth), Some(-257));
    }

    #[test]
    fn the_least_size_holds_every_value_at_a_scale_that_prometheus_has() {
        let mut buckets = Exponential::new();
        for value in [1, u64::MAX] {
            buckets.add(index(value, Scale::One), MIN_SIZE);
            buckets.add(index(value, Scale::Billionth), MIN_SIZE);
        }
        assert!(buckets.scale() >= -4, "{}", buckets.scale());
        assert_eq!(buckets.counts().sum::<u64>(), 4);
    }

    proptest! {
        #[test]
        fn every_value_is_in_the_bucket_that_the_data_model_says(
            values in proptest::collection::vec((0_u32..64).prop_flat_map(|bits| 0..=u64::MAX >> bits), 1..200),
            size in MIN_SIZE..200,
        ) {
            let mut buckets = Exponential::new();
            for value in &values {
                buckets.add(index(*value, Scale::Billionth), size);
                prop_assert!(buckets.counts().len() <= size);
            }
            let scale = buckets.scale();
            let mut expected = vec![0; buckets.counts().len()];
            let mut zeros = 0;
            for value in &values {
                let real = Scale::Billionth.real((*value).into());
                if *value == 0 { zeros += 1; continue; }
                let found = (0..).zip(expected.iter_mut()).find(|(place, _)| {
                    let slack = 1.0 + 4.0 * f64::EPSILON;
                    let index = buckets.first() + place;
                    real > bound(scale, index) / slack && real <= bound(scale, index + 1) * slack
                });
                *found.unwrap().1 += 1;
            }
            prop_assert_eq!(zeros, buckets.zeros());
            prop_assert_eq!(expected, buckets.counts().collect::<Vec<_>>());
        }
    }
}
