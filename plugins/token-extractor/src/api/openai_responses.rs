//! OpenAI Responses.
//!
//! Document: `id`, `model`, `status`, `service_tier`, `usage`, `error`, `output[].content[].text`.
//! Stream: typed events. `response.created` and `response.in_progress` hold the document so far, the deltas hold text
//! in `delta`, and one of `response.completed`, `response.incomplete` and `response.failed` holds the whole document
//! at the end. That last event repeats the whole answer and may be far larger than any other. `error` events are flat:
//! `{"type": "error", "code": ..}`.
//!
//! Content is in items of `output`: messages with parts `output_text` and `refusal`, `reasoning` with a summary and
//! sometimes the text, calls of tools of the caller's, and of tools that OpenAI runs. Of a stream it is taken from the
//! deltas, which name item and part by number; what no delta told of, from the items as they begin and end, and from the
//! last event.

use super::{Memory, Reading};
use crate::content::{PartKind, Place, Slot};
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
/// The item that an event is about.
const EVENT_ITEM: Node = 12;
const OUTPUT_INDEX: Node = 13;
const PART_INDEX: Node = 14;
const CALL_ID: Node = 15;
const ITEM_ID: Node = 16;
const ARGUMENTS: Node = 17;
const SUMMARY: Node = 18;
const SUMMARY_PART: Node = 19;
const SUMMARY_TEXT: Node = 20;
const REFUSAL: Node = 21;
const IMAGE: Node = 22;

/// Numbers of parts within an item. Those of the answer have the number of the item, and one more, above them.
const PARTS: u64 = 1 << 16;
/// The text of reasoning has numbers of its own, beside those of its summary.
const REASONING_TEXT: u64 = 1 << 15;

#[derive(Debug, Default)]
pub(crate) struct Responses {
    facts: Facts,
    /// The type of the event being read: by its name, until the data says it.
    kind: Kinds,
    status: Option<String>,
    /// The output item being read: its type and its name.
    item: Item,
    name: Option<String>,
    /// How many pieces of content waited when the item began.
    mark: usize,
    /// Items of `output` so far, and parts of the item.
    items: u64,
    parts: u64,
    /// The item and the part that the event is about.
    output_index: u64,
    part_index: u64,
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
    Reasoning,
    /// A call of a tool that the provider runs, by its place in [`SERVER_TOOLS`].
    ServerTool(usize),
}

impl Item {
    fn of(kind: &[u8]) -> Self {
        match (kind, SERVER_TOOLS.iter().position(|(known, _)| *known == kind)) {
            (_, Some(place)) => Self::ServerTool(place),
            (b"function_call" | b"custom_tool_call", None) => Self::Call,
            (b"reasoning", None) => Self::Reasoning,
            _ => Self::Other,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kinds {
    /// Not said yet.
    #[default]
    Unknown,
    Other,
    Error,
    /// A piece of a part of this kind, whose number begins here.
    Delta(PartKind, u64),
}

impl Kinds {
    fn of(word: &[u8]) -> Self {
        match word {
            b"" => Self::Unknown,
            b"error" => Self::Error,
            b"response.output_text.delta" | b"response.audio.transcript.delta" => Self::Delta(PartKind::Text, 0),
            b"response.refusal.delta" => Self::Delta(PartKind::Refusal, 0),
            b"response.reasoning_summary_text.delta" => Self::Delta(PartKind::Reasoning, 0),
            b"response.reasoning_text.delta" => Self::Delta(PartKind::Reasoning, REASONING_TEXT),
            b"response.function_call_arguments.delta" | b"response.custom_tool_call_input.delta" => {
                Self::Delta(PartKind::ToolCall, 0)
            }
            b"response.mcp_call_arguments.delta" | b"response.code_interpreter_call_code.delta" => {
                Self::Delta(PartKind::ServerToolCall, 0)
            }
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
        let is_error = u64::from(self.kind == Kinds::Error);
        self.facts.memory([is_error, 0, 0, 0]).filter(|_| self.status.is_none())
    }

    fn recall(&mut self, memory: &Memory) {
        // What else a kind tells is of content, of which nothing is captured here.
        let [is_error, ..] = memory.own;
        self.kind = if is_error == 1 { Kinds::Error } else { Kinds::Other };
        self.facts.output = memory.output;
    }

    fn end_document(&mut self) {
        let kind = std::mem::take(&mut self.kind);
        self.settle_event(kind);
        if kind == Kinds::Error {
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
            (ROOT, b"item") if self.facts.text.wanted() => Want::Take(EVENT_ITEM),
            (ROOT, b"output_index") if self.facts.text.wanted() => Want::Take(OUTPUT_INDEX),
            (ROOT, b"content_index" | b"summary_index") if self.facts.text.wanted() => Want::Take(PART_INDEX),
            (ROOT, b"code") => Want::Take(node::FLAT_CODE),
            (ROOT | RESPONSE, b"id") if self.facts.id.is_none() => Want::Take(node::ID),
            (ROOT | RESPONSE, b"model") if self.facts.model.is_none() => Want::Take(node::MODEL),
            (ROOT | RESPONSE, b"service_tier") => Want::Take(node::TIER),
            (ROOT | RESPONSE, b"status") => Want::Take(STATUS),
            (ROOT | RESPONSE, b"usage") => self.facts.usage("usage"),
            (ROOT | RESPONSE, b"error") => Want::Take(node::ERROR),
            (ROOT | RESPONSE, b"output") => Want::Take(OUTPUT),
            (ITEM | EVENT_ITEM, b"type") => Want::Take(ITEM_TYPE),
            (ITEM | EVENT_ITEM, b"name") => Want::Take(ITEM_NAME),
            (ITEM | EVENT_ITEM, key) if self.facts.text.wanted() => match key {
                b"content" => Want::Take(CONTENT),
                b"summary" => Want::Take(SUMMARY),
                b"call_id" => Want::Take(CALL_ID),
                b"id" => Want::Take(ITEM_ID),
                b"arguments" | b"input" | b"code" => Want::Pieces(ARGUMENTS),
                b"result" => Want::Stream(IMAGE),
                _ => Want::Skip,
            },
            (PART, b"text") => Want::Take(TEXT),
            (PART, b"refusal") => Want::Take(REFUSAL),
            (SUMMARY_PART, b"text") => Want::Take(SUMMARY_TEXT),
            (..node::OWN_END, _) => Want::Skip,
            _ => self.facts.key(at, key),
        }
    }

    fn item(&mut self, at: Node) -> Want {
        match at {
            OUTPUT => Want::Take(ITEM),
            CONTENT => Want::Take(PART),
            SUMMARY => Want::Take(SUMMARY_PART),
            _ => self.facts.item(at),
        }
    }

    fn begin(&mut self, at: Node, kind: Kind) {
        match at {
            node::USAGE => self.facts.counts_final = true,
            OUTPUT => (self.server_tools, self.items) = Default::default(),
            ITEM | EVENT_ITEM => {
                (self.item, self.name) = (Item::Other, None);
                self.mark = self.facts.text.waiting();
            }
            CONTENT | SUMMARY => self.parts = 0,
            _ => {}
        }
        self.facts.begin(at, kind);
    }

    fn end(&mut self, at: Node) {
        match at {
            ITEM => {
                self.end_item();
                self.settle_item();
                let item = self.items;
                self.items += 1;
                self.place(self.mark, item);
                self.facts.text.fill(0);
            }
            EVENT_ITEM => self.settle_item(),
            PART | SUMMARY_PART => self.parts += 1,
            IMAGE => self.facts.text.end_binary(Place::Block(0), "image"),
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
            (DELTA, Scalar::Text(text)) => {
                // Whether it is text, and of which part, may show behind it.
                let kind = if let Kinds::Delta(kind, _) = self.kind { kind } else { PartKind::Text };
                self.facts.output |= !text.bytes.is_empty();
                self.facts.text.push(kind, Place::Last, Slot::Body, text);
            }
            (TEXT, Scalar::Text(text)) => self.write(PartKind::Text, self.parts, Slot::Body, text),
            (REFUSAL, Scalar::Text(text)) => self.write(PartKind::Refusal, self.parts, Slot::Body, text),
            (SUMMARY_TEXT, Scalar::Text(text)) => self.write(PartKind::Reasoning, self.parts, Slot::Body, text),
            (OUTPUT_INDEX, Scalar::Number(number)) => self.output_index = number.parse().unwrap_or_default(),
            (PART_INDEX, Scalar::Number(number)) => self.part_index = number.parse().unwrap_or_default(),
            (CALL_ID, Scalar::Text(text)) => self.write(PartKind::ToolCall, 0, Slot::Id, text),
            (ITEM_ID, Scalar::Text(text)) => self.write(PartKind::ServerToolCall, 0, Slot::Id, text),
            (ITEM_TYPE, Scalar::Text(text)) => {
                self.item = Item::of(text.bytes);
                if let Item::ServerTool(_) = self.item {
                    self.write(PartKind::ServerToolCall, 0, Slot::Type, text);
                }
            }
            (ITEM_NAME, Scalar::Text(text)) => {
                keep(&mut self.name, text, &mut self.facts.notes);
                self.write(PartKind::ToolCall, 0, Slot::Name, text);
            }
            (..node::OWN_END, _) => {}
            _ => self.facts.scalar(at, value),
        }
    }

    fn piece(&mut self, at: Node, piece: &[u8]) {
        match at {
            ARGUMENTS => self.write(PartKind::ToolCall, 0, Slot::Body, Text { bytes: piece, whole: true }),
            IMAGE => self.facts.text.push_binary(piece),
            _ => {}
        }
    }
}

impl Responses {
    /// Whether the delta of this event may be content. Where the data has its type behind the delta, the name of the
    /// event has told it before; where there is no name, it shows when the event is at its end.
    fn captures_delta(&self) -> bool {
        matches!(self.kind, Kinds::Delta(..) | Kinds::Unknown) && self.facts.text.wanted()
    }

    /// What an item is decides what was said in it.
    fn settle_item(&mut self) {
        let item = self.item;
        self.facts.text.revise(self.mark, |piece| {
            match (item, piece.kind) {
                (Item::Reasoning, PartKind::Text) => {
                    piece.kind = PartKind::Reasoning;
                    if let Place::Block(number) = &mut piece.place {
                        *number |= REASONING_TEXT;
                    }
                }
                // These are told by the id of the item, the caller's by the id of the call.
                (Item::ServerTool(_), PartKind::ToolCall) if piece.slot != Slot::Id => {
                    piece.kind = PartKind::ServerToolCall;
                }
                (Item::Call, PartKind::ServerToolCall) | (Item::ServerTool(_), PartKind::ToolCall) => return false,
                (Item::Other | Item::Reasoning, PartKind::ToolCall | PartKind::ServerToolCall) => return false,
                _ => {}
            }
            true
        });
    }

    /// Puts what waits since a mark, and has no item yet, into this one.
    fn place(&mut self, since: usize, item: u64) {
        let above = item.saturating_add(1).saturating_mul(PARTS);
        self.facts.text.revise(since, |piece| {
            if let Place::Block(number @ ..PARTS) = &mut piece.place {
                *number = number.saturating_add(above);
            }
            true
        });
    }

    /// An event, or the document, has been read.
    fn settle_event(&mut self, kind: Kinds) {
        let (item, part) = (std::mem::take(&mut self.output_index), std::mem::take(&mut self.part_index));
        if !self.facts.text.wanted() {
            return;
        }
        if let Kinds::Delta(kind, first) = kind {
            self.facts.text.revise(0, |piece| {
                piece.kind = kind;
                piece.place = Place::Block(first | (part % REASONING_TEXT));
                true
            });
            self.place(0, item);
            self.facts.text.commit(0);
        } else {
            // What an event of another kind calls its delta is no content.
            self.facts.text.revise(0, |piece| piece.place != Place::Last);
            self.place(0, item);
            self.facts.text.fill(0);
        }
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
            Item::Other | Item::Reasoning => {}
        }
    }

    fn write(&mut self, kind: PartKind, part: u64, slot: Slot, text: Text<'_>) {
        self.facts.text.push(kind, Place::Block(part), slot, text);
    }
}
