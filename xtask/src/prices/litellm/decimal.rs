//! Numbers of the table, exactly.

use tollgate_cost_calculator::Rate;

/// Reads a JSON number as it is written, such as `8.39233e-08`, and multiplies it. `None` where it is not a number that
/// a rate can be, or has more digits than a rate holds.
pub(super) fn times(text: &str, factor: u64) -> Option<Rate> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut digits = digits.parse::<u128>().ok()?.checked_mul(u128::from(factor))?;
    let mut decimals = i64::try_from(fraction.len()).ok()? - exponent.parse::<i64>().ok().filter(|e| e.abs() < 40)?;
    while decimals > 0 && digits % 10 == 0 && digits > 0 {
        digits /= 10;
        decimals -= 1;
    }
    while decimals < 0 {
        digits = digits.checked_mul(10)?;
        decimals += 1;
    }
    if digits == 0 {
        return Some(Rate::default());
    }
    let places = usize::try_from(decimals).ok()?;
    let text = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = text.split_at_checked(text.len().checked_sub(places)?)?;
    if fraction.is_empty() { Rate::parse(whole) } else { Rate::parse(&format!("{whole}.{fraction}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_multiplied_in_decimal() {
        for (text, factor, product) in [
            ("1.43e-07", 1_000_000, Some("0.143")),
            ("2E-6", 1_000_000, Some("2")),
            ("0.00025", 3_600, Some("0.9")),
            ("7.167e-05", 3_600, Some("0.258012")),
            ("0.0002833333333333333", 3_600, Some("1.01999999999999988")),
            ("1.59263611e-07", 1_048_576, Some("0.167000000167936")),
            ("5", 1_000, Some("5000")),
            ("1e2", 1, Some("100")),
            ("0.0", 1_000_000, Some("0")),
            ("0e-30", 1, Some("0")),
            ("1e-19", 1, None),
            ("-1e-6", 1, None),
            ("NaN", 1, None),
            ("1e-99", 1, None),
            ("", 1, None),
            (".5", 1, None),
        ] {
            let found = times(text, factor).map(|rate| rate.to_string());
            assert_eq!(found.as_deref(), product, "{text}");
        }
    }
}
