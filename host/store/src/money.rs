//! Nano-dollars as decimal text in US dollars, exact.

/// US dollars: `4500000` is `0.0045`.
#[must_use]
pub fn usd(nanos: u128) -> String {
    let (whole, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if fraction == 0 {
        return whole.to_string();
    }
    format!("{whole}.{fraction:09}").trim_end_matches('0').to_owned()
}

/// US dollars, which may be below 0.
#[must_use]
pub fn signed_usd(nanos: i128) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    format!("{sign}{}", usd(nanos.unsigned_abs()))
}

/// Nano-dollars of decimal text in US dollars; `None` where it is none, or has more than nine places.
#[must_use]
pub fn nanos(usd: &str) -> Option<u64> {
    let (whole, fraction) = usd.split_once('.').unwrap_or((usd, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = format!("{fraction:0<9}").parse().ok()?;
    whole.checked_mul(1_000_000_000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_text_is_nano_dollars() {
        for (text, expected) in [
            ("0", Some(0)),
            ("0.05", Some(50_000_000)),
            ("12.5", Some(12_500_000_000)),
            ("0.000000001", Some(1)),
            ("0.0000000001", None),
            ("-1", None),
            ("1e3", None),
            (".5", None),
            ("5.", None),
            ("", None),
            ("99999999999999", None),
        ] {
            assert_eq!(nanos(text), expected, "{text:?}");
        }
    }

    #[test]
    fn nano_dollars_are_decimal_text() {
        for (nanos, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (4_500_000, "0.0045"),
            (1_000_000_000, "1"),
            (12_500_000_000, "12.5"),
            (u128::MAX, "340282366920938463463374607431.768211455"),
        ] {
            assert_eq!(usd(nanos), text);
        }
        assert_eq!(signed_usd(-250_000_000), "-0.25");
        assert_eq!(signed_usd(0), "0");
        assert_eq!(signed_usd(i128::MIN), "-170141183460469231731687303715.884105728");
    }
}
