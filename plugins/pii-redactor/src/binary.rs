//! Binary content in base64: pictures, sound, documents, vectors. Its digits and letters mean nothing, and changing
//! any would break it, so it is stepped over, and how much is counted.

use crate::text::{Text, before, cut, run_start, slice};

/// Shortest run that is taken for content rather than for a value.
pub(crate) const SHORTEST: usize = 128;

/// Bytes of what stands before a run that tell what it is.
const LABEL: usize = 48;

/// Keys under which the APIs of providers carry content in base64, by their references: `data` (Anthropic, Gemini,
/// OpenAI audio), `file_data` and `b64_json` (OpenAI), `bytes` (Bedrock), `result` (Responses, generated pictures),
/// `embedding` (vectors on request), `image`, `images` and `audio` (Ollama, Cohere and others).
const KEYS: &[&[u8]] =
    &[b"data", b"file_data", b"b64_json", b"bytes", b"result", b"embedding", b"image", b"images", b"audio"];

/// End of the base64 run around `place`, where it is content.
///
/// Content is a run of at least [`SHORTEST`] characters that stands under a key for content, or behind `;base64,` of
/// a data URL with a type that is not text, or that has capitals, small letters and digits as encoded bytes have.
pub(crate) fn skip(text: &Text<'_>, place: usize) -> Option<usize> {
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let rest = cut(text.bytes(), place, text.len());
    let length = rest.iter().position(|byte| !base64(*byte));
    let end = place + length.unwrap_or(rest.len());
    let start = run_start(text, place, SHORTEST, base64);
    if end - start < SHORTEST {
        if length.is_none() {
            text.pass();
        }
        return None;
    }
    let run = cut(text.bytes(), start, (start + SHORTEST).min(end));
    let any = |class: fn(&u8) -> bool| run.iter().any(class);
    let encoded = any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase) && any(u8::is_ascii_digit);
    (encoded || is_content(text, start)).then_some(end)
}

/// Whether what stands before `start` says that content follows.
fn is_content(text: &Text<'_>, start: usize) -> bool {
    let label = slice(text, start.saturating_sub(LABEL), start);
    if let Some(head) = label.strip_suffix(b";base64,") {
        let media = head.iter().rposition(|byte| *byte == b':').and_then(|colon| head.get(colon + 1..));
        return media.is_some_and(|media| !media.starts_with(b"text/"));
    }
    let quoted = before(text, start, 1) == b'"';
    let key = label.strip_suffix(b"\"").map(|label| label.trim_ascii_end()).and_then(|label| {
        let label = label.strip_suffix(b"[").map_or(label, <[u8]>::trim_ascii_end);
        label.strip_suffix(b":").map(<[u8]>::trim_ascii_end)?.strip_suffix(b"\"")
    });
    quoted && key.is_some_and(|key| KEYS.iter().any(|name| key.ends_with(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base64 of bytes that mean nothing.
    fn content(length: usize) -> String {
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ13812345678".chars().cycle().take(length).collect()
    }

    #[test]
    fn long_runs_are_content() {
        let run = content(300);
        let digits = "1".repeat(300);
        let cases: &[(&str, String, bool)] = &[
            ("a data URL", format!("data:image/png;base64,{run}"), true),
            ("bare", run.clone(), true),
            ("too short", content(120), false),
            ("digits alone", digits.clone(), false),
            ("digits under a key for content", format!("{{\"data\": \"{digits}"), true),
            ("digits under another key", format!("{{\"note\": \"{digits}"), false),
            ("digits in a data URL", format!("data:audio/wav;base64,{digits}"), true),
            ("digits in a data URL of text", format!("data:text/plain;base64,{digits}"), false),
        ];
        for (name, text, expected) in cases {
            let given = format!("{text}\", 1");
            let place = text.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |last| last.min(text.len() - 20));
            let text_end = text.len();
            let found = skip(&Text::whole(given.as_bytes()), place + 5);
            assert_eq!(found, expected.then_some(text_end), "{name}");
        }
    }
}
