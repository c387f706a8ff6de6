//! Spans whose content follows from their number, so that what arrives can be compared to the byte.

use crate::random::Random;
use crate::spans::{number, resource, span_id, trace_id};
use crate::wire::{Fields, bytes, fixed64, integer, integer_attribute, text_attribute};

/// What is wrong with a span that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Its span id is none that was sent.
    Foreign,
    /// The span of that number has other content.
    Content(u64),
}

/// A request with those spans.
pub(crate) fn request(first: u64, spans: u64, seed: u64) -> Vec<u8> {
    let (mut scope, mut inside, mut request) = (Vec::new(), Vec::new(), Vec::new());
    for number in first..first + spans {
        bytes(&mut scope, 2, &span(number, seed));
    }
    bytes(&mut inside, 1, &resource());
    bytes(&mut inside, 2, &scope);
    bytes(&mut request, 1, &inside);
    request
}

/// The span of a number: a few attributes of any length, among them bytes that are not ASCII.
pub(crate) fn span(number: u64, seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let mut out = Vec::new();
    bytes(&mut out, 1, &trace_id(number));
    bytes(&mut out, 2, &span_id(number));
    bytes(&mut out, 5, format!("call {number}").as_bytes());
    integer(&mut out, 6, 1 + random.below(5));
    let start = 1_790_000_000_000_000_000 + number;
    fixed64(&mut out, 7, start);
    fixed64(&mut out, 8, start + random.below(1 << 32));
    for attribute in 0..random.below(6) {
        let most = 1 << random.below(11);
        let length = random.below(most);
        let text: String =
            (0..length).map(|_| random.of(&['a', 'k', 'z', ' ', '"', 'é', '語']).copied().unwrap_or('-')).collect();
        text_attribute(&mut out, 9, &format!("test.attribute.{attribute}"), &text);
    }
    integer_attribute(&mut out, 9, "test.number", number);
    out
}

/// Compares a span that arrived with the one that was sent, and gives its number. The host may have added attributes of
/// its own and a trace state, and nothing else.
///
/// # Errors
/// It differs.
pub(crate) fn compare(arrived: &[u8], seed: u64) -> Result<u64, Difference> {
    let (mut id, mut rest) = (None, Vec::new());
    for field in Fields(arrived) {
        let field = field.map_err(|_| Difference::Foreign)?;
        match field.number {
            // Span.trace_state = 3, Span.attributes = 9, KeyValue.key = 1.
            3 => continue,
            9 if Fields(field.inner).flatten().any(|key| key.number == 1 && key.inner.starts_with(b"tollgate.")) => {
                continue;
            }
            2 => id = number(field.inner),
            _ => {}
        }
        rest.extend_from_slice(field.whole);
    }
    let id = id.ok_or(Difference::Foreign)?;
    if rest == span(id, seed) { Ok(id) } else { Err(Difference::Content(id)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_host_adds_may_differ() {
        let sent = span(77, 1);
        assert_eq!(compare(&sent, 1), Ok(77));
        assert_eq!(compare(&sent, 2), Err(Difference::Content(77)));
        let mut sampled = sent.clone();
        bytes(&mut sampled, 3, b"ot=th:0");
        text_attribute(&mut sampled, 9, "tollgate.sampling.rule", "all");
        assert_eq!(compare(&sampled, 1), Ok(77));
        text_attribute(&mut sampled, 9, "other", "all");
        assert_eq!(compare(&sampled, 1), Err(Difference::Content(77)));
        for at in 0..sent.len() {
            let mut changed = sent.clone();
            changed[at] ^= 1;
            assert!(compare(&changed, 1).is_err(), "{at}");
            assert!(compare(&sent[..at], 1).is_err(), "{at}");
        }
    }
}
