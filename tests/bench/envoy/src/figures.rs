//! Figures of several rounds, and the tables that are printed.

use std::time::Duration;

/// What one round says of one variant and one kind of traffic. Microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Envoy's processor time an exchange.
    pub(crate) cpu: f64,
    /// Time that half of the exchanges, or of the steps, stay below.
    pub(crate) half: f64,
    /// Time that 99 of 100 stay below.
    pub(crate) most: f64,
}

/// What all rounds say of one variant and one kind of traffic.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(pub(crate) Vec<Sample>);

impl Series {
    /// Median of what was measured.
    pub(crate) fn median(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        median(self.0.iter().map(of).collect())
    }

    /// Median of what this takes more than another in the same round.
    pub(crate) fn added(&self, base: &Self, of: impl Fn(&Sample) -> f64) -> f64 {
        median(self.0.iter().zip(&base.0).map(|(own, base)| of(own) - of(base)).collect())
    }

    /// Least of what was measured.
    pub(crate) fn least(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        self.0.iter().map(of).fold(f64::INFINITY, f64::min)
    }
}

/// The middle of some values; not a number where there are none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    if values.len().is_multiple_of(2) { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) } else { at(middle) }
}

/// Microseconds that `share` of the times stay below, 0 to 1.
pub(crate) fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let place = ((times.len() as f64 * share).ceil() as usize).saturating_sub(1);
    times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
}

/// Mebibytes.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal place")]
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles() {
        assert!((median(vec![9.0, 1.0, 3.0]) - 3.0).abs() < 1e-9);
        assert!((median(vec![9.0, 1.0, 3.0, 5.0]) - 4.0).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
        let mut times: Vec<Duration> = (1..=200).rev().map(Duration::from_micros).collect();
        assert!((percentile(&mut times, 0.5) - 100.0).abs() < 1e-9);
        assert!((percentile(&mut times, 0.99) - 198.0).abs() < 1e-9);
        assert!(percentile(&mut [], 0.5).is_nan());
    }

    #[test]
    fn what_is_added_is_told_within_a_round() {
        let series = |values: [f64; 3]| Series(values.map(|cpu| Sample { cpu, half: 0.0, most: 0.0 }).to_vec());
        let (base, own) = (series([100.0, 200.0, 300.0]), series([110.0, 215.0, 305.0]));
        assert!((own.added(&base, |sample| sample.cpu) - 10.0).abs() < 1e-9);
        assert!((own.least(|sample| sample.cpu) - 110.0).abs() < 1e-9);
    }
}
