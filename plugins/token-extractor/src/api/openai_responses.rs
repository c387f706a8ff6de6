//! OpenAI Responses.
//!
//! Document: `id`, `model`, `status`, `service_tier`, `usage`, `error`, `output[].content[].text`.
//! Stream: typed events. `response.created` and `response.in_progress` hold the document so far, the deltas hold text
//! in `delta`, and one of `response.completed`, `response.incomplete` and `response.failed` holds the whole document
//! at the end. That last event repeats the whole answer and may be far larger than any other. `error` events are flat:
//! `{"type": "error", "code": ..}`.

use super::{Memory, Reading};
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
const ITEM_TYPE: Node = 10;
const ITEM_NAME: Node = 11;

#[derive(Debug, Default)]
pub(crate) struct Responses {
    facts: Facts,
    /// The type of the event being read: by its name, until the data says it.
    kind: Kinds,
    status: Option<String>,
    /// The output item being read: its type and its name.
    item: Item,
    name: Option<String>,
    /// Calls of tools that the provider runs, in the order of [`SERVER_TOOLS`].
    server_tools: [u64; SERVER_TOOLS.len()],
}

/// Types of output items that are calls of tools that the provider runs, with the native names of their counts.
const SERVER_TOOLS: [(&[u8], &str); 6] = [
    (b"web_search_call", "output.web_search_call"),
    (b"file_search_call", "output.file_search_call"),
    (b"code_interpreter_call", "output.code_interpreter_call"),
    (b"image_generation_call", "output.image_generation_call"),
    (b"computer_call", "output.computer_call"),
    (b"mcp_call", "output.mcp_call"),
];

#[derive(Clone, Copy, Debug, Default)]
enum Item {
    #[default]
    Other,
    /// A call of a tool of the caller's.
    Call,
    /// A call of a tool that the provider runs, by its place in [`SERVER_TOOLS`].
    ServerTool(usize),
}

impl Item {
    fn of(kind: &[u8]) -> Self {
        match (kind, SERVER_TOOLS.iter().position(|(known, _)| *known == kind)) {
            (_, Some(place)) => Self::ServerTool(place),
            (b"function_call" | b"custom_tool_call", None) => Self::Call,
            _ => Self::Other,
        }
    }
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

    fn memory(&self) -> Option<Memory> {
        self.facts.memory([self.kind as u64, 0, 0, 0]).filter(|_| self.status.is_none())
    }

    fn recall(&mut self, memory: &Memory) {
        let kinds = [Kinds::Other, Kinds::Error, Kinds::OutputText];
        let [own, ..] = memory.own;
        self.kind = kinds.into_iter().find(|kind| *kind as u64 == own).unwrap_or_default();
        self.facts.output = memory.output;
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
            (ROOT | RESPONSE, b"usage") => self.facts.usage("usage"),
            (ROOT | RESPONSE, b"error") => Want::Take(node::ERROR),
            (ROOT | RESPONSE, b"output") => Want::Take(OUTPUT),
            (ITEM, b"type") => Want::Take(ITEM_TYPE),
            (ITEM, b"name") => Want::Take(ITEM_NAME),
            (ITEM, b"content") if self.facts.text.wanted() && !self.facts.stream => Want::Take(CONTENT),
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
        match at {
            node::USAGE => self.facts.counts_final = true,
            OUTPUT => self.server_tools = Default::default(),
            ITEM => (self.item, self.name) = (Item::Other, None),
            _ => {}
        }
        self.facts.begin(at, kind);
    }

    fn end(&mut self, at: Node) {
        match at {
            ITEM => self.end_item(),
            OUTPUT => {
                let made = SERVER_TOOLS.iter().zip(self.server_tools).filter(|(_, calls)| *calls > 0);
                made.for_each(|((_, name), calls)| self.facts.put_count(name, calls));
            }
            _ => self.facts.end(at),
        }
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
            (ITEM_TYPE, Scalar::Text(text)) => self.item = Item::of(text.bytes),
            (ITEM_NAME, Scalar::Text(text)) => keep(&mut self.name, text, &mut self.facts.notes),
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

    fn end_item(&mut self) {
        match self.item {
            Item::ServerTool(place) => {
                if let Some(calls) = self.server_tools.get_mut(place) {
                    *calls = calls.saturating_add(1);
                }
            }
            Item::Call => {
                if let Some(name) = self.name.take() {
                    self.facts.called(Text { bytes: name.as_bytes(), whole: true });
                }
            }
            Item::Other => {}
        }
    }

    fn write(&mut self, text: Text<'_>) {
        self.facts.output |= !text.bytes.is_empty();
        self.facts.text.push(0, Part::Text, text);
    }
}
