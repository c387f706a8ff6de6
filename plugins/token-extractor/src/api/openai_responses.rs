//! OpenAI Responses.
//!
//! Document: `id`, `model`, `status`, `service_tier`, `usage`, `error`, `output[].content[].text`.
//! Stream: typed events. `response.created` and `response.in_progress` hold the document so far, the deltas hold text
//! in `delta`, and one of `response.completed`, `response.incomplete` and `response.failed` holds the whole document
//! at the end. That last event repeats the whole answer and may be far larger than any other. `error` events are flat:
//! `{"type": "error", "code": ..}`.

use super::Reading;
use crate::content::Part;
use crate::facts::{Facts, keep, node};
use tollgate_json::{Kind, Node, Reader, Scalar, Text, Visitor, Want};

const ROOT: Node = Reader::ROOT;
const RESPONSE: Node = 1;
const TYPE: Node = 2;
const STATUS: Node = 3;
const DELTA: Node = 4;
const OUTPUT: Node = 5;
const ITEM: Node = 6;
const CONTENT: Node = 7;
const PART: Node = 8;
const TEXT: Node = 9;

#[derive(Debug, Default)]
pub(crate) struct Responses {
    facts: Facts,
    /// The type of the event being read: by its name, until the data says it.
    kind: Kinds,
    status: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kinds {
    #[default]
    Other,
    Error,
    OutputText,
}

impl Kinds {
    fn of(word: &[u8]) -> Self {
        match word {
            b"error" => Self::Error,
            b"response.output_text.delta" => Self::OutputText,
            _ => Self::Other,
        }
    }
}

impl Reading for Responses {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    fn begin_event(&mut self, name: &[u8]) {
        self.kind = Kinds::of(name);
    }

    fn end_document(&mut self) {
        if std::mem::take(&mut self.kind) == Kinds::Error {
            self.facts.has_error = true;
            self.facts.ended = true;
        }
        let Some(status) = self.status.take() else { return };
        let terminal = matches!(status.as_str(), "completed" | "incomplete" | "failed" | "cancelled");
        self.facts.has_error |= status == "failed";
        self.facts.ended |= terminal;
        if terminal || !self.facts.stream {
            self.facts.finish(0, status);
        }
    }
}

impl Visitor for Responses {
    #[inline]
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        match (at, key) {
            (ROOT, b"type") => Want::Take(TYPE),
            (ROOT, b"response") => Want::Take(RESPONSE),
            (ROOT, b"delta") if self.captures_delta() => Want::Take(DELTA),
            (ROOT, b"delta") => self.facts.want_output(),
            (ROOT, b"code") => Want::Take(node::FLAT_CODE),
            (ROOT | RESPONSE, b"id") if self.facts.id.is_none() => Want::Take(node::ID),
            (ROOT | RESPONSE, b"model") if self.facts.model.is_none() => Want::Take(node::MODEL),
            (ROOT | RESPONSE, b"service_tier") => Want::Take(node::TIER),
            (ROOT | RESPONSE, b"status") => Want::Take(STATUS),
            (ROOT | RESPONSE, b"usage") => Want::Take(node::USAGE),
            (ROOT | RESPONSE, b"error") => Want::Take(node::ERROR),
            (ROOT, b"output") if self.facts.text.wanted() && !self.facts.stream => Want::Take(OUTPUT),
            (ITEM, b"content") => Want::Take(CONTENT),
            (PART, b"text") => Want::Take(TEXT),
            (..node::OWN_END, _) => Want::Skip,
            _ => self.facts.key(at, key),
        }
    }

    fn item(&mut self, at: Node) -> Want {
        match at {
            OUTPUT => Want::Take(ITEM),
            CONTENT => Want::Take(PART),
            _ => self.facts.item(at),
        }
    }

    fn begin(&mut self, at: Node, kind: Kind) {
        if at == node::USAGE {
            self.facts.counts_final = true;
        }
        self.facts.begin(at, kind);
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        match (at, value) {
            (TYPE, Scalar::Text(text)) => {
                self.kind = Kinds::of(text.bytes);
                // Other servers of this API have errors that are flat.
                if !self.facts.stream {
                    self.facts.scalar(node::FLAT_TYPE, value);
                }
            }
            (STATUS, Scalar::Text(status)) => keep(&mut self.status, status, &mut self.facts.notes),
            (DELTA | TEXT, Scalar::Text(text)) => self.write(text),
            (..node::OWN_END, _) => {}
            _ => self.facts.scalar(at, value),
        }
    }
}

impl Responses {
    /// Whether the delta of this event is text to capture. Where the data has its type behind the delta, the name of
    /// the event has told it before.
    fn captures_delta(&self) -> bool {
        self.kind == Kinds::OutputText && self.facts.text.wanted()
    }

    fn write(&mut self, text: Text<'_>) {
        self.facts.output |= !text.bytes.is_empty();
        self.facts.text.push(0, Part::Text, text);
    }
}
