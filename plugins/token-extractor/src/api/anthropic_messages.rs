//! Anthropic messages.
//!
//! Document: `id`, `model`, `stop_reason`, `usage`, `error`, `content[].text`.
//! Stream: typed events. `message_start` holds the document so far, with the input's counts and a placeholder for the
//! output's; `content_block_delta` holds output; `message_delta` holds `delta.stop_reason` and the final `usage`, some
//! or all of its fields; `message_stop` ends the stream. `ping` may come anywhere, and so may `error`.

use super::{Memory, Reading};
use crate::content::Part;
use crate::facts::{Facts, keep, node};
use tollgate_json::{Kind, Node, Reader, Scalar, Text, Visitor, Want};

const ROOT: Node = Reader::ROOT;
const MESSAGE: Node = 1;
const TYPE: Node = 2;
const DELTA: Node = 3;
const STOP: Node = 4;
const BLOCK: Node = 5;
const INDEX: Node = 6;
const CONTENT: Node = 7;
const TEXT: Node = 8;
const TOOL_ID: Node = 9;
const TOOL_NAME: Node = 10;
const ARGUMENTS: Node = 11;

#[derive(Debug, Default)]
pub(crate) struct Messages {
    facts: Facts,
    stop: Option<String>,
    /// The content block that the event is about.
    block: u64,
    /// Whether the usage being read stands outside of `message_start`.
    at_root: bool,
}

impl Reading for Messages {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    fn memory(&self) -> Option<Memory> {
        self.facts.memory([self.block, u64::from(self.at_root), 0, 0]).filter(|_| self.stop.is_none())
    }

    fn recall(&mut self, memory: &Memory) {
        let [block, at_root, ..] = memory.own;
        (self.block, self.at_root) = (block, at_root != 0);
        self.facts.output = memory.output;
    }

    fn end_document(&mut self) {
        if let Some(reason) = self.stop.take() {
            self.facts.finish(0, reason);
        }
    }
}

impl Visitor for Messages {
    #[inline]
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        match (at, key) {
            (ROOT, b"type") => Want::Take(TYPE),
            (ROOT, b"delta") => Want::Take(DELTA),
            (ROOT, b"index") if self.facts.text.wanted() => Want::Take(INDEX),
            (ROOT, b"message") => Want::Take(MESSAGE),
            (ROOT, b"content_block") => Want::Take(BLOCK),
            (ROOT, b"error") => Want::Take(node::ERROR),
            (ROOT, b"code") => Want::Take(node::FLAT_CODE),
            (ROOT | MESSAGE, b"usage") => {
                self.at_root = at == ROOT;
                self.facts.usage("usage")
            }
            (ROOT | MESSAGE, b"id") if self.facts.id.is_none() => Want::Take(node::ID),
            (ROOT | MESSAGE, b"model") if self.facts.model.is_none() => Want::Take(node::MODEL),
            (ROOT | MESSAGE | DELTA, b"stop_reason") => Want::Take(STOP),
            (ROOT, b"content") => Want::Take(CONTENT),
            // Bedrock's own counts, beside those of the last event.
            (ROOT, b"amazon-bedrock-invocationMetrics") => {
                self.at_root = true;
                self.facts.usage("amazon-bedrock-invocationMetrics")
            }
            (DELTA | BLOCK, b"text") if self.facts.text.wanted() => Want::Take(TEXT),
            (DELTA, b"partial_json") if self.facts.text.wanted() => Want::Take(ARGUMENTS),
            (BLOCK, b"id") if self.facts.text.wanted() => Want::Take(TOOL_ID),
            (BLOCK, b"name") => Want::Take(TOOL_NAME),
            (DELTA, b"text" | b"thinking" | b"partial_json") => self.facts.want_output(),
            (..node::OWN_END, _) => Want::Skip,
            _ => self.facts.key(at, key),
        }
    }

    fn item(&mut self, at: Node) -> Want {
        match at {
            CONTENT => Want::Take(BLOCK),
            _ => self.facts.item(at),
        }
    }

    fn begin(&mut self, at: Node, kind: Kind) {
        match at {
            node::USAGE => self.facts.counts_final |= self.at_root,
            CONTENT => self.block = 0,
            _ => self.facts.begin(at, kind),
        }
    }

    fn end(&mut self, at: Node) {
        if at == BLOCK && !self.facts.stream {
            self.block += 1;
        }
        self.facts.end(at);
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        match (at, value) {
            (TYPE, Scalar::Text(text)) => match text.bytes {
                b"message_stop" => self.facts.ended = true,
                b"error" => {
                    self.facts.said = true;
                    self.facts.has_error = true;
                    self.facts.ended = true;
                }
                // Other servers of this API have errors that are flat.
                _ if !self.facts.stream => self.facts.scalar(node::FLAT_TYPE, value),
                _ => {}
            },
            (STOP, Scalar::Text(reason)) => keep(&mut self.stop, reason, &mut self.facts.notes),
            (INDEX, Scalar::Number(number)) => self.block = number.parse().unwrap_or(self.block),
            (TEXT, Scalar::Text(text)) => self.write(Part::Text, text),
            (TOOL_ID, Scalar::Text(text)) => self.write(Part::ToolId(self.block), text),
            (TOOL_NAME, Scalar::Text(text)) => {
                self.facts.called(text);
                self.write(Part::ToolName(self.block), text);
            }
            (ARGUMENTS, Scalar::Text(text)) => self.write(Part::ToolArguments(self.block), text),
            (..node::OWN_END, _) => {}
            _ => self.facts.scalar(at, value),
        }
    }
}

impl Messages {
    fn write(&mut self, part: Part, text: Text<'_>) {
        self.facts.output |= !text.bytes.is_empty();
        self.facts.text.push(0, part, text);
    }
}
