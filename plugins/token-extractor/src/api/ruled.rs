//! Answers whose format is just places in JSON documents, read by rules that are data: those of the APIs built in
//! (see [`crate::format`]) and those that a configuration adds.

use super::{Memory, Reading};
use crate::content::{PartKind, Place, Slot};
use crate::facts::{Facts, keep, node};
use crate::format::Format;
use crate::tree::Elements;
use crate::usage::Merge;
use std::sync::Arc;
use tollgate_json::{Kind, Node, Reader, Scalar, Text, Visitor, Want};

/// What a place in an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Id of the answer.
    Id,
    /// Model that answered.
    Model,
    /// Service tier that was served.
    Tier,
    /// Fingerprint of the serving system.
    Fingerprint,
    /// Why the model stopped.
    Finish,
    /// Number of the choice, where it is not its place among them.
    ChoiceIndex,
    /// Number of the block of content, where it is not its place among them.
    BlockIndex,
    /// Something the model wrote, which is not captured.
    Output,
    /// Text the model wrote.
    Text,
    /// Text of its reasoning.
    Reasoning,
    /// A tool that the model calls.
    ToolId,
    ToolName,
    ToolArguments,
    /// Text that is reasoning where this is `true` beside it.
    Thought,
    /// Reasoning that only the provider can read.
    Redacted,
    /// Base64 of data that the model made, and its media type.
    Blob,
    BlobType,
    /// An object of counts, called so in native names.
    Usage(Box<str>),
    /// A count, under this native name.
    Count(Box<str>),
    /// A count to be added up over the document.
    Sum(Box<str>),
    /// A count that later events of a stream may say smaller.
    Most(Box<str>),
    /// A list whose elements are counted, under this native name.
    Items(Box<str>),
    /// An error is there: an object, or a text that is not empty.
    Error,
    ErrorType,
    ErrorCode,
    /// The stream is at its end, if this is there, or if it has this value.
    End(Option<Box<str>>),
}

/// Reads answers by the rules of a format.
#[derive(Debug)]
pub(crate) struct Ruled {
    format: Arc<Format>,
    facts: Facts,
    choice: u64,
    choices: u64,
    block: u64,
    blocks: u64,
    /// Blocks before the document, the number the document gives its block, and whether its text is reasoning.
    blocks_before: u64,
    numbered: Option<u64>,
    thought: bool,
    /// How many pieces of content waited when the block began.
    mark: usize,
    finish: Option<String>,
    /// Elements of the list being counted.
    items: u64,
    /// Whether the usage being read is there only at the end of a stream.
    usage_ends: bool,
}

impl Ruled {
    pub(crate) fn new(format: Arc<Format>) -> Self {
        Self {
            format,
            facts: Facts::default(),
            choice: 0,
            choices: 0,
            block: 0,
            blocks: 0,
            blocks_before: 0,
            numbered: None,
            thought: false,
            mark: 0,
            finish: None,
            items: 0,
            usage_ends: false,
        }
    }

    /// How the value of a place is wanted.
    fn want(&mut self, place: Node) -> Want {
        let format = Arc::clone(&self.format);
        let fields = format.response.fields(place);
        let Some(first) = fields.first() else { return Want::Take(place) };
        let captures = self.facts.text.wanted();
        match first {
            Field::Usage(name) => {
                self.usage_ends = fields.contains(&Field::End(None));
                self.facts.usage(name)
            }
            Field::Id if self.facts.id.is_some() => Want::Skip,
            Field::Model if self.facts.model.is_some() => Want::Skip,
            Field::ToolArguments if captures => Want::Pieces(place),
            Field::Blob if captures => Want::Stream(place),
            Field::Text | Field::Reasoning if captures => Want::Take(place),
            Field::ToolId | Field::BlockIndex | Field::Thought | Field::BlobType | Field::Redacted if captures => {
                Want::Take(place)
            }
            Field::ToolId | Field::BlockIndex | Field::Thought | Field::BlobType | Field::Redacted => Want::Skip,
            Field::Output | Field::Blob | Field::Text | Field::Reasoning | Field::ToolArguments
                if fields.len() == 1 =>
            {
                self.facts.want_output()
            }
            _ => Want::Take(place),
        }
    }

    fn write(&mut self, kind: PartKind, slot: Slot, text: Text<'_>) {
        // An id or a media type alone is no output.
        self.facts.output |= !text.bytes.is_empty() && slot != Slot::Id && kind != PartKind::Blob;
        self.facts.text.push(kind, self.place(kind), slot, text);
    }

    /// Which part a piece of a block belongs to. Text that a document begins with goes on where the last one ended:
    /// what a stream says in several documents is one text.
    fn place(&self, kind: PartKind) -> Place {
        let text = matches!(kind, PartKind::Text | PartKind::Reasoning);
        if text && self.block <= self.blocks_before { Place::Last } else { Place::Block(self.block) }
    }

    fn settle_block(&mut self) {
        let thought = std::mem::take(&mut self.thought);
        if thought {
            self.facts.text.revise(self.mark, |piece| {
                if piece.kind == PartKind::Text {
                    piece.kind = PartKind::Reasoning;
                }
                true
            });
        }
    }

    fn settle_finish(&mut self) {
        if let Some(reason) = self.finish.take() {
            self.facts.finish(self.choice, reason);
            self.facts.ended |= !self.format.says_end;
        }
    }

    fn take(&mut self, field: &Field, value: Scalar<'_>) {
        match (field, value) {
            (Field::Id, _) => self.facts.scalar(node::ID, value),
            (Field::Model, _) => self.facts.scalar(node::MODEL, value),
            (Field::Tier, _) => self.facts.scalar(node::TIER, value),
            (Field::Fingerprint, _) => self.facts.scalar(node::FINGERPRINT, value),
            (Field::Finish, Scalar::Text(reason)) => {
                keep(&mut self.finish, reason, &mut self.facts.notes);
            }
            (Field::ChoiceIndex, Scalar::Number(number)) => self.choice = number.parse().unwrap_or(self.choice),
            (Field::BlockIndex, Scalar::Number(number)) => self.numbered = number.parse().ok().or(self.numbered),
            (Field::Thought, Scalar::Bool(thought)) => self.thought = thought,
            (Field::Redacted, _) => self.facts.text.touch(PartKind::Redacted, Place::Block(self.block)),
            (Field::BlobType, Scalar::Text(text)) => self.write(PartKind::Blob, Slot::Name, text),
            (Field::Output, Scalar::Text(text)) => self.facts.output |= !text.bytes.is_empty(),
            (Field::Output, Scalar::Number(_)) => self.facts.output = true,
            (Field::Text, Scalar::Text(text)) => self.write(PartKind::Text, Slot::Body, text),
            (Field::Reasoning, Scalar::Text(text)) => self.write(PartKind::Reasoning, Slot::Body, text),
            (Field::ToolId, Scalar::Text(text)) => self.write(PartKind::ToolCall, Slot::Id, text),
            (Field::ToolName, Scalar::Text(text)) => {
                self.facts.called(text);
                self.write(PartKind::ToolCall, Slot::Name, text);
            }
            (Field::Count(name), _) => self.facts.count(name, value, Merge::Last),
            (Field::Sum(name), _) => self.facts.count(name, value, Merge::Sum),
            (Field::Most(name), _) => self.facts.count(name, value, Merge::Most),
            (Field::Error, _) => self.facts.scalar(node::ERROR, value),
            (Field::ErrorType, _) => self.facts.scalar(node::ERROR_TYPE, value),
            (Field::ErrorCode, _) => self.facts.scalar(node::ERROR_CODE, value),
            (Field::End(expected), _) => self.end_if(expected.as_deref(), value),
            _ => {}
        }
    }

    fn end_if(&mut self, expected: Option<&str>, value: Scalar<'_>) {
        let is = match (expected, value) {
            (None, value) => value != Scalar::Null,
            (Some(expected), Scalar::Text(text)) => text.bytes == expected.as_bytes(),
            (Some(expected), Scalar::Bool(value)) => expected.parse() == Ok(value),
            (Some(expected), Scalar::Number(number)) => expected == number,
            (Some(_), Scalar::Null) => false,
        };
        if is {
            self.facts.say();
            self.facts.ended = true;
        }
    }
}

impl Reading for Ruled {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    fn memory(&self) -> Option<Memory> {
        let Self { choice, choices, block, items, .. } = *self;
        self.facts.memory([choice, choices, block, items]).filter(|_| self.finish.is_none())
    }

    fn recall(&mut self, memory: &Memory) {
        [self.choice, self.choices, self.block, self.items] = memory.own;
        self.facts.output = memory.output;
    }

    fn end_document(&mut self) {
        self.settle_finish();
        self.settle_block();
        self.mark = 0;
        if let Some(number) = self.numbered.take() {
            self.facts.text.revise(0, |piece| {
                piece.place = Place::Block(number);
                true
            });
        }
        self.facts.text.commit(self.choice);
        self.choice = 0;
        // Of numbered blocks every document has its own; the others follow on one another.
        self.blocks_before = self.blocks.saturating_add(1);
        self.block = 0;
    }
}

impl Visitor for Ruled {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        if at >= node::OWN_END {
            return self.facts.key(at, key);
        }
        match self.format.response.key(at, key) {
            Some(place) => self.want(place),
            None => Want::Skip,
        }
    }

    fn item(&mut self, at: Node) -> Want {
        if at >= node::OWN_END {
            return self.facts.item(at);
        }
        self.items = self.items.saturating_add(1);
        match self.format.response.item(at) {
            Some((_, place)) => self.want(place),
            // A document that is a list is read element by element.
            None if at == Reader::ROOT => Want::Take(Reader::ROOT),
            None => Want::Skip,
        }
    }

    fn begin(&mut self, at: Node, kind: Kind) {
        if at >= node::OWN_END {
            self.facts.counts_final |= at == node::USAGE;
            self.facts.ended |= at == node::USAGE && self.usage_ends;
            self.facts.begin(at, kind);
            return;
        }
        self.items = 0;
        let format = Arc::clone(&self.format);
        for field in format.response.fields(at) {
            match field {
                Field::Error if kind == Kind::Object => {
                    self.facts.say();
                    self.facts.has_error = true;
                }
                Field::End(None) => {
                    self.facts.say();
                    self.facts.ended = true;
                }
                _ => {}
            }
        }
        if let (Kind::Array, Some((Elements::Choices, _))) = (kind, format.response.item(at)) {
            self.choices = 0;
        }
        match format.element_of(at) {
            Some(Elements::Choices) => {
                self.choice = self.choices;
                self.choices += 1;
                self.finish = None;
                self.blocks_before = self.blocks.saturating_add(1);
                self.mark = 0;
            }
            Some(Elements::Blocks) => {
                self.blocks += 1;
                self.block = self.blocks;
                self.mark = self.facts.text.waiting();
            }
            Some(Elements::Any) | None => {}
        }
    }

    fn end(&mut self, at: Node) {
        if at >= node::OWN_END {
            self.facts.end(at);
            return;
        }
        let format = Arc::clone(&self.format);
        match format.element_of(at) {
            Some(Elements::Choices) => {
                self.settle_finish();
                self.facts.text.commit(self.choice);
            }
            Some(Elements::Blocks) => {
                self.settle_block();
                self.block = 0;
            }
            Some(Elements::Any) | None => {}
        }
        for field in format.response.fields(at) {
            match field {
                Field::Items(name) => {
                    let items = std::mem::take(&mut self.items);
                    self.facts.put_count(name, items);
                }
                Field::Blob => {
                    let place = self.place(PartKind::Blob);
                    self.facts.text.end_binary(place, "image");
                }
                _ => {}
            }
        }
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        if at >= node::OWN_END {
            self.facts.scalar(at, value);
            return;
        }
        let format = Arc::clone(&self.format);
        for field in format.response.fields(at) {
            self.take(field, value);
        }
    }

    fn piece(&mut self, at: Node, piece: &[u8]) {
        match self.format.response.fields(at) {
            fields if fields.contains(&Field::ToolArguments) => {
                self.write(PartKind::ToolCall, Slot::Body, Text { bytes: piece, whole: true });
            }
            fields if fields.contains(&Field::Blob) => {
                self.facts.output |= !piece.is_empty();
                self.facts.text.push_binary(piece);
            }
            _ => {}
        }
    }
}
