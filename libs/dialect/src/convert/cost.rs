//! Amounts of money.

use super::Sources;
use std::fmt::Write as _;
use tollgate_otlp::{JsonValue, Value};

const NANO: i64 = 1_000_000_000;

/// Billionths of a dollar as the nearest double.
pub(super) fn dollars(nanos: i64) -> f64 {
    // One division of two numbers that doubles hold exactly is rounded once; larger amounts lose what doubles lose.
    nanos as f64 / NANO as f64
}

/// Keys of the cost by unit of the price set; [`super::usage`] has the same keys for counts.
const KEYS: &[(&str, &[&str])] = &[
    ("input", &["input", "audio_input", "image_input", "video_input"]),
    ("input_cache_read", &["cache_read", "cache_read_audio", "cache_read_image"]),
    ("input_cache_creation", &["cache_write"]),
    ("input_cache_creation_5m", &["cache_write_5m"]),
    ("input_cache_creation_1h", &["cache_write_1h"]),
    ("output", &["output", "audio_output", "image_output", "video_output", "citation"]),
    ("output_reasoning", &["reasoning"]),
];

/// The cost of some units, in nano-dollars, as an explanation has it; `None` where it has none of them.
pub(super) fn part(explanation: Value<'_>, units: &[&str]) -> Result<Option<i64>, ()> {
    let parsed;
    let explanation = match explanation {
        Value::Text(text) => {
            parsed = JsonValue::parse(text).map_err(drop)?;
            parsed.value()
        }
        value => value,
    };
    let Value::Map(explanation) = explanation else { return Err(()) };
    // A cost that the provider stated has parts that are of another sum.
    if explanation.get("computed").is_some() {
        return Ok(None);
    }
    let Some(Value::Map(parts)) = explanation.get("parts") else { return Ok(None) };
    let mut sum = None;
    for (unit, part) in parts.filter(|(unit, _)| units.contains(unit)) {
        let Value::Map(part) = part else { return Err(()) };
        let amount = part.get("amount").and_then(Value::as_text).and_then(nanos).ok_or(())?;
        sum = Some(sum.unwrap_or(0_i64).checked_add(amount).ok_or(())?);
        let _ = unit;
    }
    Ok(sum)
}

/// Decimal text as nano-dollars, to the nearest, halves up. Amounts of a bill are not below zero.
fn nanos(decimal: &str) -> Option<i64> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !(fraction.is_empty() || digits(fraction)) {
        return None;
    }
    let nine: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    let up = fraction.as_bytes().get(9).is_some_and(|digit| *digit >= b'5');
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = nine.parse().ok()?;
    whole.checked_mul(NANO)?.checked_add(fraction)?.checked_add(i64::from(up))
}

/// `total` from nano-dollars (the first source), and the parts of the explanation (the second) where it is there.
pub(super) fn details(sources: Sources<'_, '_>) -> Result<Option<String>, ()> {
    let Some(total) = sources.first().copied().flatten() else { return Ok(None) };
    let total = total.as_integer().ok_or(())?;
    let mut json = String::from("{");
    if let Some(explanation) = sources.get(1).copied().flatten() {
        for (key, units) in KEYS {
            if let Some(nanos) = part(explanation, units)? {
                let _ = write!(json, "\"{key}\":{},", exact(nanos));
            }
        }
    }
    let _ = write!(json, "\"total\":{}}}", exact(total));
    Ok(Some(json))
}

/// Nano-dollars as a decimal number of dollars, exactly.
fn exact(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, fraction) = (nanos.unsigned_abs() / NANO.unsigned_abs(), nanos.unsigned_abs() % NANO.unsigned_abs());
    let text = format!("{sign}{whole}.{fraction:09}");
    let short = text.trim_end_matches('0');
    short.strip_suffix('.').unwrap_or(short).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (nano, text) in
            [(0, "0"), (1, "0.000000001"), (4_500_000, "0.0045"), (1_000_000_000, "1"), (-2_500_000_000, "-2.5")]
        {
            assert_eq!(exact(nano), text);
            assert_eq!(dollars(nano).to_string().parse::<f64>().unwrap(), text.parse::<f64>().unwrap());
            if nano >= 0 {
                assert_eq!(nanos(text), Some(nano));
            }
        }
        assert_eq!(nanos("0.0000000005"), Some(1));
        assert_eq!(nanos("0.0000000004"), Some(0));
        for bad in ["", ".", "1.", ".5", "-1", "1e3", "99999999999999999999", "0.x"] {
            assert!(nanos(bad).is_none_or(|_| bad == "1."), "{bad}");
        }
    }

    #[test]
    fn parts_are_those_of_the_explanation() {
        let explanation = JsonValue::parse(
            r#"{"total":"0.0045","parts":{"input":{"units":1,"amount":"0.0025"},"output":{"amount":"0.002"}}}"#,
        )
        .unwrap();
        let json = details(&[Some(Value::Integer(4_500_000)), Some(explanation.value())]).unwrap().unwrap();
        assert_eq!(json, r#"{"input":0.0025,"output":0.002,"total":0.0045}"#);
        assert_eq!(part(explanation.value(), &["input", "cache_read"]), Ok(Some(2_500_000)));
        assert_eq!(part(explanation.value(), &["reasoning"]), Ok(None));
        assert_eq!(part(Value::Text("no json"), &["input"]), Err(()));
        let stated = JsonValue::parse(r#"{"computed":"1","parts":{"input":{"amount":"1"}}}"#).unwrap();
        assert_eq!(part(stated.value(), &["input"]), Ok(None), "the total is the provider's own");
    }
}
