//! Recognises an API by the shape of its answers, where the path says nothing.
//!
//! Only strong markers count: what could as well stand in the answer of something else decides nothing.

use super::Reading;
use crate::facts::Facts;
use tollgate_json::{Node, Reader, Scalar, Visitor, Want};

const ROOT: Node = Reader::ROOT;
const OBJECT: Node = 1;
const TYPE: Node = 2;
const ROLE: Node = 3;
const EVENT_TYPE: Node = 4;

/// Members of a document that, all of them together, are those of one API only.
const MEMBERS: &[(&[&[u8]], &str)] = &[
    (&[b"candidates", b"usageMetadata"], "generateContent"),
    (&[b"candidates", b"modelVersion"], "generateContent"),
    (&[b"output", b"stopReason", b"usage"], "converse"),
    (&[b"model", b"created_at", b"done"], "ollama"),
    (&[b"finish_reason", b"message", b"usage"], "cohere.chat"),
    (&[b"generation_id", b"text", b"meta"], "cohere.chat"),
];

#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// Name of the format.
    pub(crate) format: Option<&'static str>,
    facts: Facts,
    is_message: bool,
    is_assistant: bool,
    /// Which of the [`MEMBERS`] the document has, by row a bit for each.
    seen: [u8; MEMBERS.len()],
}

impl Reading for Shape {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    fn end_document(&mut self) {
        (self.is_message, self.is_assistant) = (false, false);
        self.seen = Default::default();
    }
}

impl Visitor for Shape {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        if at == ROOT {
            self.see(key);
        }
        match (at, key) {
            (ROOT, b"object") => Want::Take(OBJECT),
            (ROOT, b"type") => Want::Take(TYPE),
            (ROOT, b"role") => Want::Take(ROLE),
            (ROOT, b"event_type") => Want::Take(EVENT_TYPE),
            _ => Want::Skip,
        }
    }

    fn item(&mut self, at: Node) -> Want {
        // A document that is a list of documents, as Gemini streams them.
        if at == ROOT { Want::Take(ROOT) } else { Want::Skip }
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        let Scalar::Text(text) = value else { return };
        let format = match (at, text.bytes) {
            (OBJECT, b"chat.completion" | b"chat.completion.chunk") => Some("chat.completions"),
            (OBJECT, b"text_completion" | b"text_completion.chunk") => Some("completions"),
            (OBJECT, b"response") => Some("responses"),
            (TYPE, b"response.created" | b"response.queued" | b"response.in_progress") => Some("responses"),
            (TYPE, b"message_start") => Some("anthropic.messages"),
            (TYPE, b"message-start") | (EVENT_TYPE, b"stream-start") => Some("cohere.chat"),
            (TYPE, b"message") => {
                self.is_message = true;
                None
            }
            (ROLE, b"assistant") => {
                self.is_assistant = true;
                None
            }
            _ => None,
        };
        let message = (self.is_message && self.is_assistant).then_some("anthropic.messages");
        self.format = self.format.or(format).or(message);
    }
}

impl Shape {
    /// A member of the document.
    fn see(&mut self, key: &[u8]) {
        for ((members, format), seen) in MEMBERS.iter().zip(&mut self.seen) {
            if let Some(place) = members.iter().position(|member| *member == key) {
                *seen |= 1 << place;
                if self.format.is_none() && seen.count_ones() as usize == members.len() {
                    self.format = Some(format);
                }
            }
        }
    }
}
