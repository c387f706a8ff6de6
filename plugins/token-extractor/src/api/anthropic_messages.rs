//! Anthropic messages.
//!
//! Document: `id`, `model`, `stop_reason`, `usage`, `error`, `content[].text`.
//! Stream: typed events. `message_start` holds the document so far, with the input's counts and a placeholder for the
//! output's; `content_block_delta` holds output; `message_delta` holds `delta.stop_reason` and the final `usage`, some
//! or all of its fields; `message_stop` ends the stream. `ping` may come anywhere, and so may `error`.
//!
//! Content is a list of typed blocks: `text`, `thinking`, `redacted_thinking`, `tool_use`, and those of the tools that
//! Anthropic runs, `server_tool_use` and `web_search_tool_result` and the like. In a stream `content_block_start` begins
//! a block, and deltas by its `index` add to it; arguments of tools come as `input: {}` and then as `partial_json`.

use super::{Memory, Reading};
use crate::content::{PartKind, Place, Slot};
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
const BLOCK_TYPE: Node = 12;
const THINKING: Node = 13;

#[derive(Debug, Default)]
pub(crate) struct Messages {
    facts: Facts,
    stop: Option<String>,
    /// The content block that is read, or that the event is about.
    block: u64,
    /// How many pieces of content waited when the block of a document began.
    mark: Option<usize>,
    /// The kinds of the blocks so far that are not told by what is in them, and what Anthropic calls the last of them.
    kind: Option<PartKind>,
    kinds: Vec<(u64, PartKind)>,
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
        self.settle_block();
        self.facts.text.commit(0);
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
            (DELTA | BLOCK, b"thinking") if self.facts.text.wanted() => Want::Take(THINKING),
            (DELTA, b"partial_json") | (BLOCK, b"input") if self.facts.text.wanted() => Want::Pieces(ARGUMENTS),
            (BLOCK, b"id" | b"tool_use_id") if self.facts.text.wanted() => Want::Take(TOOL_ID),
            (BLOCK, b"type") if self.facts.text.wanted() => Want::Take(BLOCK_TYPE),
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
            node::USAGE => {
                self.facts.counts_final |= self.at_root;
                self.facts.begin(at, kind);
            }
            CONTENT => self.block = 0,
            BLOCK => {
                self.mark = Some(self.facts.text.waiting());
                self.kind = None;
            }
            _ => self.facts.begin(at, kind),
        }
    }

    fn end(&mut self, at: Node) {
        // The number of a block in a stream may stand behind it.
        if at == BLOCK && !self.facts.stream {
            self.settle_block();
            self.block += 1;
        }
        self.facts.end(at);
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        match (at, value) {
            (TYPE, Scalar::Text(text)) => match text.bytes {
                b"message_stop" => {
                    self.facts.say();
                    self.facts.ended = true;
                }
                b"error" => {
                    self.facts.say();
                    self.facts.has_error = true;
                    self.facts.ended = true;
                }
                // Other servers of this API have errors that are flat.
                _ if !self.facts.stream => self.facts.scalar(node::FLAT_TYPE, value),
                _ => {}
            },
            (STOP, Scalar::Text(reason)) => keep(&mut self.stop, reason, &mut self.facts.notes),
            (INDEX, Scalar::Number(number)) => self.block = number.parse().unwrap_or(self.block),
            (TEXT, Scalar::Text(text)) => self.write(PartKind::Text, Slot::Body, text),
            (THINKING, Scalar::Text(text)) => self.write(PartKind::Reasoning, Slot::Body, text),
            (TOOL_ID, Scalar::Text(text)) => self.write(PartKind::ToolCall, Slot::Id, text),
            (TOOL_NAME, Scalar::Text(text)) => {
                self.facts.called(text);
                self.write(PartKind::ToolCall, Slot::Name, text);
            }
            (BLOCK_TYPE, Scalar::Text(text)) => self.begin_kind(text),
            (..node::OWN_END, _) => {}
            _ => self.facts.scalar(at, value),
        }
    }

    fn piece(&mut self, at: Node, piece: &[u8]) {
        if at == ARGUMENTS {
            self.write(PartKind::ToolCall, Slot::Body, Text { bytes: piece, whole: true });
        }
    }
}

/// Content blocks of which kinds are kept.
const MAX_KINDS: usize = 256;

impl Messages {
    fn write(&mut self, kind: PartKind, slot: Slot, text: Text<'_>) {
        // An id alone is no output.
        self.facts.output |= !text.bytes.is_empty() && slot != Slot::Id;
        self.facts.text.push(kind, UNPLACED, slot, text);
    }

    /// The block says what it is.
    fn begin_kind(&mut self, word: Text<'_>) {
        let kind = match word.bytes {
            b"redacted_thinking" => PartKind::Redacted,
            b"server_tool_use" | b"mcp_tool_use" => PartKind::ServerToolCall,
            bytes if bytes.ends_with(b"_tool_result") => PartKind::ServerToolResult,
            _ => return,
        };
        self.kind = Some(kind);
        match kind {
            PartKind::Redacted => self.facts.text.touch(kind, UNPLACED),
            _ => self.facts.text.push(kind, UNPLACED, Slot::Type, word),
        }
    }

    /// What waits since the block began belongs to it.
    fn settle_block(&mut self) {
        let since = if self.facts.stream { Some(0) } else { self.mark.take() };
        let Some(since) = since.filter(|_| self.facts.text.wanted()) else { return };
        let block = self.block;
        if let Some(kind) = self.kind.take()
            && self.kinds.len() < MAX_KINDS
        {
            self.kinds.push((block, kind));
        }
        // Arguments of a call that Anthropic runs come as those of any other do.
        let known = self.kinds.iter().rfind(|(known, _)| *known == block).map(|(_, kind)| *kind);
        self.facts.text.revise(since, |piece| {
            piece.place = Place::Block(block);
            if let (PartKind::ToolCall, Some(known)) = (piece.kind, known) {
                piece.kind = known;
            }
            true
        });
    }
}

/// The place of pieces whose block is not known yet.
const UNPLACED: Place = Place::Block(u64::MAX);
