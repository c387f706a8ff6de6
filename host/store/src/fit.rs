//! Spans that are too large are stored without their largest parts.

use std::ops::Range;
use tollgate_otlp::SpanWriter;
use tollgate_semconv::attribute::TOLLGATE_CONTENT_TRUNCATED;

/// Numbers of the fields of `Span` in OTLP's `trace.proto` that may be left out: attributes, events, links.
const LEAVES: [u64; 3] = [9, 11, 13];

/// What of a span is stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fitted {
    /// It fits as it is.
    Whole,
    /// Without its largest attributes, events and links, and with `tollgate.content.truncated` = true.
    Without(Vec<u8>),
    /// What cannot be left out is too large by itself: names, trace state, message of the status, fields not known here.
    TooLarge,
}

/// Makes an encoded `Span` message fit into `most` bytes. The largest parts go first, so that most of a span stays.
pub(crate) fn fit(span: &[u8], most: usize) -> Fitted {
    if span.len() <= most {
        return Fitted::Whole;
    }
    let Some(fields) = fields(span) else { return Fitted::TooLarge };
    let mark = mark();
    let mut size = span.len() + mark.len();
    let mut large: Vec<_> = fields.iter().filter(|(number, _)| LEAVES.contains(number)).collect();
    large.sort_by_key(|(_, place)| std::cmp::Reverse(place.len()));
    let mut gone = Vec::new();
    for (_, place) in large {
        if size <= most {
            break;
        }
        size -= place.len();
        gone.push(place.start);
    }
    if size > most {
        return Fitted::TooLarge;
    }
    let mut kept = Vec::with_capacity(size);
    for (_, place) in fields.iter().filter(|(_, place)| !gone.contains(&place.start)) {
        kept.extend_from_slice(span.get(place.clone()).unwrap_or_default());
    }
    kept.extend_from_slice(&mark);
    Fitted::Without(kept)
}

/// The attribute that says so, as a field of `Span`.
fn mark() -> Vec<u8> {
    let bare = SpanWriter::new([1; 16], [1; 8], "");
    let mut marked = bare.clone();
    marked.set(TOLLGATE_CONTENT_TRUNCATED, true);
    marked.bytes().get(bare.bytes().len()..).unwrap_or_default().to_vec()
}

/// The fields of a message: number and place, tag included. `None` where the bytes are no message.
fn fields(message: &[u8]) -> Option<Vec<(u64, Range<usize>)>> {
    let (mut fields, mut at) = (Vec::new(), 0);
    while at < message.len() {
        let start = at;
        let tag = varint(message, &mut at)?;
        at = match tag & 7 {
            0 => varint(message, &mut at).map(|_| at)?,
            1 => at.checked_add(8)?,
            2 => {
                let length = usize::try_from(varint(message, &mut at)?).ok()?;
                at.checked_add(length)?
            }
            5 => at.checked_add(4)?,
            _ => return None,
        };
        if at > message.len() {
            return None;
        }
        fields.push((tag >> 3, start..at));
    }
    Some(fields)
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_otlp::{Envelope, Limits, RequestWriter, TraceRequest};

    fn keys(span: &[u8]) -> Vec<String> {
        let mut writer = RequestWriter::new();
        writer.push(&Envelope::default(), span);
        let bytes = writer.finish();
        let request = TraceRequest::scan(&bytes, &Limits::default()).unwrap();
        let span = request.span(0).unwrap();
        assert_eq!((span.trace_id(), span.span_id(), span.end_time()), ([1; 16], [2; 8], 9));
        span.attributes().map(|(key, _)| key.to_owned()).collect()
    }

    #[test]
    fn the_largest_parts_go_first_and_the_span_says_so() {
        let mut span = SpanWriter::new([1; 16], [2; 8], "chat");
        span.set("a", "x").set("large", "y".repeat(5_000).as_str()).set("b", 7_u64);
        span.set("larger", "z".repeat(9_000).as_str()).times(1, 9);
        let whole = span.bytes();
        assert_eq!(fit(whole, whole.len()), Fitted::Whole);
        for (most, expected) in [
            (whole.len() - 1, ["a", "large", "b", TOLLGATE_CONTENT_TRUNCATED].as_slice()),
            (5_500, &["a", "large", "b", TOLLGATE_CONTENT_TRUNCATED]),
            (500, &["a", "b", TOLLGATE_CONTENT_TRUNCATED]),
        ] {
            let Fitted::Without(kept) = fit(whole, most) else { panic!("{most}") };
            assert!(kept.len() <= most);
            assert_eq!(keys(&kept), expected, "{most}");
        }
        assert_eq!(fit(whole, 50), Fitted::TooLarge);
    }

    #[test]
    fn every_limit_gives_what_fits_into_it_or_nothing() {
        let mut span = SpanWriter::new([1; 16], [2; 8], "chat");
        for number in 0_usize..20 {
            span.set(&format!("key.{number}"), "x".repeat(number * 7).as_str());
        }
        span.times(1, 9);
        span.event(5, "event", &[("body", "text".into())]);
        for most in 0..=span.bytes().len() {
            match fit(span.bytes(), most) {
                Fitted::Whole => assert_eq!(most, span.bytes().len()),
                Fitted::Without(kept) => assert!(kept.len() <= most && !keys(&kept).is_empty()),
                Fitted::TooLarge => assert!(most < 150, "{most}"),
            }
        }
    }

    #[test]
    fn what_is_no_message_is_too_large() {
        for bytes in [&[0xff; 20][..], &[0x0a, 0x7f, 1, 2], &[0x0b, 0, 0]] {
            assert_eq!(fit(bytes, 1), Fitted::TooLarge);
        }
    }
}
