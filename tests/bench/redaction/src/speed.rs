//! Megabytes a second and time a text.
//!
//! The redactor is timed by the clock and the best of several passes counts; Presidio by its time on a processor in one
//! pass, which favours it on a loaded machine. Each text is a call of its own; then the texts of a set are joined with
//! line ends to texts of some length, which is what a conversation is like.

use crate::body::Body;
use crate::detector::Detector;
use crate::prose::Set;

/// Passes of a detector that is fast.
const PASSES: usize = 9;
/// A detector that takes longer than this for a pass, in seconds, gets no other.
const SLOW: f64 = 1.0;
/// Bytes of texts that were joined.
const JOINED: usize = 16 * 1024;

/// Prints speeds of each set, and the ratio to the first detector's.
pub(crate) fn report(sets: &[Set], detectors: &mut [&mut dyn Detector]) -> Result<(), String> {
    println!("\n=== speed");
    println!("{:<44} {:>9} {:>12} {:>12} {:>9}", "", "MB/s", "p50, us", "p99, us", "ratio");
    for set in sets {
        let texts: Vec<&str> = set.rows.iter().map(|row| row.text.as_str()).collect();
        let joined = join(&texts);
        let bodies: Vec<String> = joined.iter().map(|text| Body::plain(text).text).collect();
        for (form, texts) in [
            ("a text a call", texts),
            ("joined to 16 KiB", joined.iter().map(String::as_str).collect()),
            ("joined, in bodies", bodies.iter().map(String::as_str).collect()),
        ] {
            let mut first = None;
            for detector in &mut *detectors {
                let (speed, [median, highest]) = measure(&texts, &mut **detector)?;
                let ratio = *first.get_or_insert(speed) / speed;
                println!(
                    "{:<44} {speed:>9.3} {median:>12.1} {highest:>12.1} {ratio:>8.0}x",
                    format!("{}: {}, {form}", set.name, detector.name())
                );
            }
        }
    }
    Ok(())
}

/// Texts of about [`JOINED`] bytes.
fn join(texts: &[&str]) -> Vec<String> {
    let mut joined = vec![String::new()];
    for text in texts {
        if joined.last().is_none_or(|last| last.len() >= JOINED) {
            joined.push(String::new());
        }
        if let Some(last) = joined.last_mut() {
            last.push_str(text);
            last.push('\n');
        }
    }
    joined
}

/// Megabytes a second of the best pass; median and 99th percentile of the times of texts, of each the best pass, in
/// microseconds.
fn measure(texts: &[&str], detector: &mut dyn Detector) -> Result<(f64, [f64; 2]), String> {
    let size: usize = texts.iter().map(|text| text.len()).sum();
    let mut best = detector.find(texts)?.seconds;
    let mut fastest: f64 = best.iter().sum();
    for _ in 1..PASSES {
        if fastest > SLOW {
            break;
        }
        let again = detector.find(texts)?.seconds;
        fastest = fastest.min(again.iter().sum());
        best.iter_mut().zip(again).for_each(|(best, again)| *best = best.min(again));
    }
    best.sort_by(f64::total_cmp);
    let percentile = |part: usize| best.get((best.len() * part / 100).min(best.len().saturating_sub(1)));
    let times = [50, 99].map(|part| percentile(part).copied().unwrap_or_default() * 1e6);
    #[expect(clippy::cast_precision_loss, reason = "sizes of some megabytes")]
    let size = size as f64 / 1e6;
    Ok((size / fastest, times))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_texts_hold_every_text_once() {
        let long = "x".repeat(JOINED);
        let texts = ["a", &long, "b", &long, "c"];
        let joined = join(&texts);
        assert_eq!(joined.concat(), texts.map(|text| format!("{text}\n")).concat());
        assert_eq!(joined.len(), 3);
    }
}
