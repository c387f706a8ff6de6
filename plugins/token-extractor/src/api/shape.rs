//! Recognises an API by the shape of its answers, where the path says nothing.
//!
//! Only strong markers count: what could as well stand in the answer of something else decides nothing.

use super::Reading;
use crate::facts::Facts;
use tollgate_call::Api;
use tollgate_json::{Node, Reader, Scalar, Visitor, Want};

const ROOT: Node = Reader::ROOT;
const OBJECT: Node = 1;
const TYPE: Node = 2;
const ROLE: Node = 3;

#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub(crate) api: Option<Api>,
    facts: Facts,
    is_message: bool,
    is_assistant: bool,
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
    }
}

impl Visitor for Shape {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        match (at, key) {
            (ROOT, b"object") => Want::Take(OBJECT),
            (ROOT, b"type") => Want::Take(TYPE),
            (ROOT, b"role") => Want::Take(ROLE),
            _ => Want::Skip,
        }
    }

    fn item(&mut self, _at: Node) -> Want {
        Want::Skip
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        let Scalar::Text(text) = value else { return };
        let api = match (at, text.bytes) {
            (OBJECT, b"chat.completion" | b"chat.completion.chunk") => Some(Api::ChatCompletions),
            (OBJECT, b"response") => Some(Api::Responses),
            (TYPE, b"response.created" | b"response.queued" | b"response.in_progress") => Some(Api::Responses),
            (TYPE, b"message_start") => Some(Api::AnthropicMessages),
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
        let message = (self.is_message && self.is_assistant).then_some(Api::AnthropicMessages);
        self.api = self.api.or(api).or(message);
    }
}
