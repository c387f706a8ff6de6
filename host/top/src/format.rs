//! Figures as people read them.

/// What stands for what is not known.
pub(crate) const UNKNOWN: &str = "-";

/// A length of time in nanoseconds: `350ms`, `1.20s`, `2m05s`.
pub(crate) fn time(nanos: Option<u64>) -> String {
    let Some(nanos) = nanos else { return UNKNOWN.to_owned() };
    match nanos {
        0..1_000_000 => format!("{}us", nanos / 1_000),
        1_000_000..1_000_000_000 => format!("{}ms", nanos / 1_000_000),
        1_000_000_000..60_000_000_000 => {
            format!("{}.{:02}s", nanos / 1_000_000_000, nanos / 10_000_000 % 100)
        }
        _ => format!("{}m{:02}s", nanos / 60_000_000_000, nanos / 1_000_000_000 % 60),
    }
}

/// An amount in dollars, decimal text, to cents; small ones to their first two digits that are not 0.
pub(crate) fn money(usd: Option<&str>) -> String {
    let Some(amount) = usd.and_then(|usd| usd.parse::<f64>().ok()).filter(|amount| amount.is_finite()) else {
        return UNKNOWN.to_owned();
    };
    if amount == 0.0 {
        return "$0".to_owned();
    }
    let places = (2..9).find(|places| amount * 10_f64.powi(places - 2) >= 1.0 || *places == 8).unwrap_or(8);
    let places = usize::try_from(places).unwrap_or(2);
    format!("${amount:.places$}")
}

/// A number in three digits or four: `17`, `1.2k`, `34k`, `5.6M`.
pub(crate) fn count(number: f64) -> String {
    for (unit, scale) in [("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)] {
        if number >= scale {
            let scaled = number / scale;
            return if scaled < 10.0 { format!("{scaled:.1}{unit}") } else { format!("{scaled:.0}{unit}") };
        }
    }
    format!("{number:.0}")
}

/// A rate: `0.20`, `3.4`, `120`.
pub(crate) fn rate(number: Option<f64>) -> String {
    match number {
        None => UNKNOWN.to_owned(),
        Some(number) if number < 1.0 => format!("{number:.2}"),
        Some(number) if number < 10.0 => format!("{number:.1}"),
        Some(number) => count(number),
    }
}

/// A part of calls: `5.0%`.
#[expect(clippy::cast_precision_loss, reason = "shown to one place")]
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return UNKNOWN.to_owned();
    }
    format!("{:.1}%", part as f64 * 100.0 / whole as f64)
}

/// The time of day of a moment in RFC 3339: `14:13:12`.
pub(crate) fn clock(moment: &str) -> &str {
    moment.get(11..19).unwrap_or(UNKNOWN)
}

/// What a terminal may be given of a text from outside: no character that moves its cursor or changes its state.
pub(crate) fn safe(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        for (nanos, text) in [
            (None, "-"),
            (Some(0), "0us"),
            (Some(950_000), "950us"),
            (Some(350_000_000), "350ms"),
            (Some(1_204_000_000), "1.20s"),
            (Some(59_999_000_000), "59.99s"),
            (Some(125_000_000_000), "2m05s"),
        ] {
            assert_eq!(time(nanos), text);
        }
        for (usd, text) in [
            (None, "-"),
            (Some("x"), "-"),
            (Some("0"), "$0"),
            (Some("12.5"), "$12.50"),
            (Some("1.44"), "$1.44"),
            (Some("0.25"), "$0.250"),
            (Some("0.0045"), "$0.00450"),
            (Some("0.000000001"), "$0.00000000"),
            (Some("123456.789"), "$123456.79"),
        ] {
            assert_eq!(money(usd), text, "{usd:?}");
        }
        for (number, text) in
            [(0.0, "0"), (999.0, "999"), (1_200.0, "1.2k"), (34_000.0, "34k"), (5.6e6, "5.6M"), (1e13, "10T")]
        {
            assert_eq!(count(number), text);
        }
        assert_eq!([None, Some(0.2), Some(3.44), Some(120.0)].map(rate), ["-", "0.20", "3.4", "120"]);
        assert_eq!((share(1, 20).as_str(), share(0, 0).as_str()), ("5.0%", "-"));
        assert_eq!((clock("2026-09-21T14:13:12Z"), clock("é")), ("14:13:12", "-"));
        assert_eq!(safe("a\x1b[2J\u{9b}b\n"), "a?[2J?b?");
    }
}
