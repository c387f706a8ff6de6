//! Figures of several rounds.

use std::time::Duration;

/// The middle of some values; not a number where there are none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    if values.len().is_multiple_of(2) { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) } else { at(middle) }
}

/// Milliseconds that `share` of the times stay below, 0 to 1.
pub(crate) fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let place = ((times.len() as f64 * share).ceil() as usize).saturating_sub(1);
    times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// Mebibytes.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal place")]
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A count as a number with which one can divide.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
pub(crate) fn count(count: u64) -> f64 {
    count as f64
}

/// Slope of the straight line with the least squares through the points.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    let number = count(points.len() as u64);
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / number, y + point.1 / number));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum::<f64>() / spread
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_percentiles_and_slopes() {
        assert!((median(vec![9.0, 1.0, 3.0]) - 3.0).abs() < 1e-9);
        assert!((median(vec![9.0, 1.0, 3.0, 5.0]) - 4.0).abs() < 1e-9);
        assert!(median(Vec::new()).is_nan());
        let mut times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert!((percentile(&mut times, 0.5) - 100.0).abs() < 1e-9);
        assert!((percentile(&mut times, 0.99) - 198.0).abs() < 1e-9);
        assert!((slope(&[(0.0, 5.0), (1.0, 7.0), (2.0, 9.0)]) - 2.0).abs() < 1e-9);
    }
}
