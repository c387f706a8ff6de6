//! The `ot` member of a trace state: how probable it was that a span was kept.
//!
//! Source: OpenTelemetry, "TraceState: Probability Sampling" and "TraceState Handling"; W3C Trace Context for the list
//! around it. `th` is the rejection threshold: 1 to 14 hexadecimal digits, trailing zeroes left out, of a number below
//! 2^56; an item is kept where its randomness is at least the threshold. `rv` is explicit randomness, 14 digits.
//! Without `rv` the randomness is the last seven bytes of the trace id.

/// One more than the largest threshold and randomness: 2^56.
pub const RANGE: u64 = 1 << 56;

/// Characters that the value of a member may have.
const MEMBER_LIMIT: usize = 256;
/// Members that a trace state may have.
const MEMBERS_LIMIT: usize = 32;

/// What a trace state says about sampling. Values that break the rules are as if they were not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sampling {
    /// Threshold, below 2^56: of 2^56 items with uniform randomness, this many were dropped.
    pub threshold: Option<u64>,
    /// Explicit randomness, below 2^56.
    pub randomness: Option<u64>,
}

impl Sampling {
    /// How many items each kept one stands for; `None` where there is no threshold.
    #[must_use]
    pub fn adjusted_count(self) -> Option<f64> {
        let kept = RANGE.checked_sub(self.threshold?).filter(|kept| *kept > 0)?;
        Some(RANGE as f64 / kept as f64)
    }
}

/// Reads the `ot` member.
///
/// ```
/// use tollgate_otlp::trace_state;
/// let sampling = trace_state::read("vendor=1,ot=th:c;rv:d29d6a7215ced0");
/// assert_eq!(sampling.adjusted_count(), Some(4.0));
/// assert_eq!(sampling.randomness, Some(0xd2_9d6a_7215_ced0));
/// ```
#[must_use]
pub fn read(trace_state: &str) -> Sampling {
    let Some(value) = ot_member(trace_state) else {
        return Sampling::default();
    };
    let mut sampling = Sampling::default();
    for (key, value) in value.split(';').filter_map(|part| part.split_once(':')) {
        match key {
            "th" => sampling.threshold = digits(value).map(|number| number << (4 * (14 - value.len()))),
            "rv" => sampling.randomness = digits(value).filter(|_| value.len() == 14),
            _ => {}
        }
    }
    sampling
}

/// The randomness of a span: the explicit one, else the last seven bytes of the trace id. Below 2^56.
#[must_use]
pub fn randomness(trace_state: &str, trace_id: [u8; 16]) -> u64 {
    let implicit = u128::from_be_bytes(trace_id) as u64 & (RANGE - 1);
    read(trace_state).randomness.unwrap_or(implicit)
}

/// The trace state with the threshold set, or taken out for `None`. Other members and other parts of `ot` stay; `ot`
/// moves to the front, as a member that was changed does. A threshold of 2^56 or more keeps nothing, which cannot be
/// said; it is taken for the largest that can.
///
/// ```
/// use tollgate_otlp::trace_state;
/// assert_eq!(trace_state::with_threshold("vendor=1,ot=rv:d29d6a7215ced0", Some(3 << 54)),
///            "ot=th:c;rv:d29d6a7215ced0,vendor=1");
/// ```
#[must_use]
pub fn with_threshold(trace_state: &str, threshold: Option<u64>) -> String {
    let kept = ot_member(trace_state).unwrap_or_default();
    let kept = kept.split(';').filter(|part| !part.is_empty() && !part.starts_with("th:"));
    let mut ot = threshold.map(|threshold| format!("th:{}", hex(threshold.min(RANGE - 1)))).unwrap_or_default();
    for part in kept {
        if ot.len() + 1 + part.len() <= MEMBER_LIMIT {
            if !ot.is_empty() {
                ot.push(';');
            }
            ot.push_str(part);
        }
    }
    let ours = (!ot.is_empty()).then(|| format!("ot={ot}"));
    let others = members(trace_state).filter(|member| !member.starts_with("ot="));
    let mut out = String::new();
    for member in ours.as_deref().into_iter().chain(others).take(MEMBERS_LIMIT) {
        if !out.is_empty() {
            out.push(',');
        }
        out.push_str(member);
    }
    out
}

fn members(trace_state: &str) -> impl Iterator<Item = &str> {
    trace_state.split(',').map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty())
}

fn ot_member(trace_state: &str) -> Option<&str> {
    members(trace_state).find_map(|member| member.strip_prefix("ot="))
}

/// One to fourteen lower-case hexadecimal digits.
fn digits(text: &str) -> Option<u64> {
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (lower && (1..=14).contains(&text.len())).then(|| u64::from_str_radix(text, 16).ok())?
}

/// Fourteen digits without the zeroes at the end, of which one is left.
fn hex(threshold: u64) -> String {
    let digits = format!("{threshold:014x}");
    let short = digits.trim_end_matches('0');
    if short.is_empty() { "0".to_owned() } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read_as_the_specification_says() {
        let cases: &[(&str, Option<u64>)] = &[
            ("ot=th:0", Some(0)),
            ("ot=th:8", Some(1 << 55)),
            ("ot=th:c", Some(3 << 54)),
            ("ot=th:00000000000001", Some(1)),
            ("a=b, ot=rv:00000000000000;th:4 ,c=d", Some(1 << 54)),
            ("", None),
            ("ot=", None),
            ("ot=th:", None),
            ("ot=th:C", None),
            ("ot=th:+8", None),
            ("ot=th:000000000000001", None),
            ("xot=th:8", None),
        ];
        for (trace_state, threshold) in cases {
            assert_eq!(read(trace_state).threshold, *threshold, "{trace_state}");
        }
    }

    #[test]
    fn randomness_is_explicit_or_the_end_of_the_trace_id() {
        let mut id = [0xff; 16];
        id[9..].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(randomness("", id), 0x0001_0203_0405_0607);
        assert_eq!(randomness("ot=rv:0000000000000a", id), 10);
        assert_eq!(randomness("ot=rv:a", id), 0x0001_0203_0405_0607, "not fourteen digits");
    }

    #[test]
    fn setting_a_threshold_keeps_the_rest() {
        let cases = [
            ("", Some(0), "ot=th:0"),
            ("", None, ""),
            ("ot=th:8", None, ""),
            ("ot=th:8", Some(1), "ot=th:00000000000001"),
            ("a=1,ot=th:8;x:y,b=2", Some(1 << 55), "ot=th:8;x:y,a=1,b=2"),
            ("a=1", Some(u64::MAX), "ot=th:ffffffffffffff,a=1"),
        ];
        for (before, threshold, after) in cases {
            assert_eq!(with_threshold(before, threshold), after, "{before}");
        }
    }

    #[test]
    fn the_limits_of_a_trace_state_hold() {
        let full = (0..32).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
        let state = with_threshold(&full, Some(0));
        assert_eq!(state.split(',').count(), 32);
        assert!(state.starts_with("ot=th:0,k0=v,") && state.ends_with("k30=v"));
        let long = format!("ot=x:{}", "y".repeat(300));
        assert_eq!(with_threshold(&long, Some(0)), "ot=th:0");
    }
}
