//! Scores as the scores API of Langfuse takes them, and what it answers.
//!
//! Source: the reference of `POST /api/public/scores`, and the models of the PyPI package `langfuse`: a list of scores, 202
//! where all were accepted and 207 with counts where some were not, which is not to be sent again.

use crate::{About, Score, Value, hexadecimal};
use serde_json::{Map, Value as Json, json};
use tollgate_otlp::iso8601;

/// Most scores of a request.
pub const MOST: usize = 100;

/// Most characters of a label, which Langfuse takes for a text score up to here.
const LABEL: usize = 500;

/// A score as JSON. It has the same id and the same timestamp whenever it is sent, by which Langfuse knows it again.
#[must_use]
pub fn score(score: &Score) -> Json {
    let mut body = Map::new();
    let mut set = |key: &str, value: Json| body.insert(key.to_owned(), value);
    set("id", score.id().into());
    match &score.about {
        About::Span { trace_id, span_id } => {
            set("traceId", hexadecimal(trace_id).into());
            set("observationId", hexadecimal(span_id).into());
        }
        About::Trace(trace_id) => {
            set("traceId", hexadecimal(trace_id).into());
        }
        About::Session(session) => {
            set("sessionId", session.as_str().into());
        }
    }
    set("name", score.name.as_str().into());
    let mut metadata = json!({"source": score.source});
    match &score.value {
        Value::Number(number) | Value::Labelled(number, _) => {
            set("value", json!(number));
            set("dataType", "NUMERIC".into());
        }
        Value::Label(label) => {
            set("value", label.chars().take(LABEL).collect::<String>().into());
            set("dataType", "CATEGORICAL".into());
        }
    }
    if let (Value::Labelled(_, label), Json::Object(metadata)) = (&score.value, &mut metadata) {
        metadata.insert("label".to_owned(), label.as_str().into());
    }
    set("metadata", metadata);
    if let Some(comment) = &score.comment {
        set("comment", comment.as_str().into());
    }
    if score.time > 0 {
        set("timestamp", iso8601(score.time).into());
    }
    Json::Object(body)
}

/// Scores as the body of a request.
#[must_use]
pub fn body(scores: &[Score]) -> String {
    Json::Array(scores.iter().map(score).collect()).to_string()
}

/// What an answer with success says: how many scores were rejected, and why the first one was. An answer that cannot be
/// read rejected none.
#[must_use]
pub fn rejected(answer: &[u8]) -> (u64, String) {
    let answer: Json = serde_json::from_slice(answer).unwrap_or_default();
    let errors = answer.get("errors").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
    let count = answer.get("rejected").and_then(Json::as_u64).unwrap_or(errors.len() as u64);
    let words = errors.first().and_then(|error| error.get("message")?.as_str()).unwrap_or_default();
    (count, words.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_langfuse_are_read() {
        for (answer, expected) in [
            (r#"{"status":"accepted"}"#, (0, "")),
            (r#"{"accepted":1,"rejected":2,"errors":[{"message":"no trace"},{"message":"x"}]}"#, (2, "no trace")),
            (r#"{"errors":[{"message":"bad"}]}"#, (1, "bad")),
            ("[]", (0, "")),
            ("no json", (0, "")),
        ] {
            assert_eq!(rejected(answer.as_bytes()), (expected.0, expected.1.to_owned()), "{answer}");
        }
    }
}
