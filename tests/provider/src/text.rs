//! Text and its length in tokens: simple, the same on every run.

use serde_json::Value;

/// Bytes a token stands for. Real tokenizers average about four for English; only being deterministic matters here.
const BYTES_A_TOKEN: u64 = 4;
/// Most pieces that an answer is streamed in.
const MOST_PIECES: usize = 4096;
/// Deepest nesting of a request that is searched for text; JSON parsing itself stops a little deeper.
const DEEPEST: usize = 64;

/// Tokens of a text of that many bytes.
pub(crate) fn tokens(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX).div_ceil(BYTES_A_TOKEN)
}

/// Bytes of all strings in a JSON value, keys not counted.
pub(crate) fn text_bytes(value: &Value) -> usize {
    fn walk(value: &Value, depth: usize) -> usize {
        match value {
            Value::String(text) => text.len(),
            Value::Array(items) if depth < DEEPEST => items.iter().map(|item| walk(item, depth + 1)).sum(),
            Value::Object(fields) if depth < DEEPEST => fields.values().map(|item| walk(item, depth + 1)).sum(),
            _ => 0,
        }
    }
    walk(value, 0)
}

/// A text of exactly that many bytes.
pub(crate) fn filler(bytes: usize) -> String {
    "The quick brown fox jumps over the lazy dog. ".chars().cycle().take(bytes).collect()
}

/// The answer where the request wishes for none in particular.
pub(crate) fn default_reply(input_tokens: u64) -> String {
    format!("This is a simulated answer to a request of {input_tokens} tokens, streamed word by word.")
}

/// Cuts a text into the pieces of a stream: words with the space before them, grouped where there are very many.
pub(crate) fn pieces(text: &str) -> Vec<&str> {
    let smallest = text.len() / MOST_PIECES;
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, character) in text.char_indices() {
        if character == ' ' && at - start > smallest {
            pieces.push(text.get(start..at).unwrap_or_default());
            start = at;
        }
    }
    if start < text.len() {
        pieces.push(text.get(start..).unwrap_or_default());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn four_bytes_are_a_token_and_a_rest_is_one_more() {
        let counts: Vec<_> = [0, 1, 4, 5, 8].into_iter().map(tokens).collect();
        assert_eq!(counts, [0, 1, 1, 2, 2]);
    }

    #[test]
    fn only_the_strings_of_a_request_count() {
        let request = json!([{"role": "user", "content": [{"type": "text", "text": "hello"}], "n": 12, "x": null}]);
        assert_eq!(text_bytes(&request), "user".len() + "text".len() + "hello".len());
    }

    #[test]
    fn pieces_are_words_and_join_to_the_text() {
        assert_eq!(pieces("one two  three"), ["one", " two", " ", " three"]);
        assert_eq!(pieces(""), Vec::<&str>::new());
        for text in ["é à ü", " lead", "trail ", &filler(3_000_000)] {
            assert_eq!(pieces(text).concat(), text);
            assert!(pieces(text).len() <= MOST_PIECES);
        }
    }

    #[test]
    fn filler_has_the_length_asked_for() {
        assert_eq!(filler(100).len(), 100);
    }
}
