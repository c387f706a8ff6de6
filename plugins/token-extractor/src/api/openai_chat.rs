//! Chat completions, as OpenAI defines them and many providers speak them.
//!
//! Document: `id`, `model`, `service_tier`, `choices[].{index, finish_reason, message}`, `usage`, `error`.
//! Stream: the same with `delta` for `message`; `usage` comes in a last chunk where `include_usage` asked for it, is
//! `null` in the others, and with some servers comes in every chunk. Groq also sends it as `x_groq.usage`, Moonshot as
//! `choices[].usage`. The stream ends with the data `[DONE]`, which some servers leave out. An error after the answer
//! began is an event with `error`.
//!
//! What a message says is in `content`, a text or, with Mistral, a list of parts `text` and `thinking`; in `refusal`;
//! in `reasoning_content` or `reasoning`, with some servers in both; in `audio.transcript`; and in `tool_calls`, of
//! which a stream gives each by its `index`, or `function_call`, as it was before there were tools.

use super::{Memory, Reading};
use crate::content::{PartKind, Place, Slot};
use crate::facts::{Facts, keep, node};
use tollgate_json::{Kind, Node, Reader, Scalar, Text, Visitor, Want};

const ROOT: Node = Reader::ROOT;
const CHOICES: Node = 1;
const CHOICE: Node = 2;
const INDEX: Node = 3;
const FINISH: Node = 4;
const DELTA: Node = 5;
const X_GROQ: Node = 6;
const CONTENT: Node = 7;
const TOOL_CALLS: Node = 8;
const TOOL_CALL: Node = 9;
const TOOL_INDEX: Node = 10;
const TOOL_ID: Node = 11;
const FUNCTION: Node = 12;
const FUNCTION_NAME: Node = 13;
const ARGUMENTS: Node = 14;
const PART: Node = 15;
const PART_TEXT: Node = 16;
const THINKING: Node = 17;
const THOUGHT: Node = 18;
const REFUSAL: Node = 19;
const REASONING: Node = 20;
const REASONING_TOO: Node = 21;
const AUDIO: Node = 22;
const TRANSCRIPT: Node = 23;
const AUDIO_DATA: Node = 24;

/// The call that is not in a list of them.
const ONLY_CALL: Place = Place::Block(u64::MAX);

#[derive(Debug, Default)]
pub(crate) struct Chat {
    facts: Facts,
    /// The choice being read: its place, until its `index` says otherwise, and its finish reason.
    choice: u64,
    choices: u64,
    finish: Option<String>,
    tool: u64,
    tools: u64,
    /// How many pieces of content waited when the call began.
    tool_mark: usize,
    /// Parts of content in lists, over the whole answer.
    parts: u64,
    /// The member that has the reasoning, if not the content has.
    reasoning: Option<Node>,
}

impl Reading for Chat {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn facts_mut(&mut self) -> &mut Facts {
        &mut self.facts
    }

    fn memory(&self) -> Option<Memory> {
        let Self { choice, choices, tool, tools, .. } = *self;
        self.facts.memory([choice, choices, tool, tools]).filter(|_| self.finish.is_none())
    }

    fn recall(&mut self, memory: &Memory) {
        [self.choice, self.choices, self.tool, self.tools] = memory.own;
        self.finish = None;
        self.facts.output = memory.output;
    }

    fn end_document(&mut self) {
        // A choice that was cut has no end.
        self.settle_content();
    }
}

impl Visitor for Chat {
    #[inline]
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        match (at, key) {
            (ROOT, b"choices") => Want::Take(CHOICES),
            (ROOT, b"id") if self.facts.id.is_none() => Want::Take(node::ID),
            (ROOT, b"model") if self.facts.model.is_none() => Want::Take(node::MODEL),
            (ROOT, b"service_tier") if self.facts.tier.is_none() => Want::Take(node::TIER),
            (ROOT | X_GROQ | CHOICE, b"usage") => self.facts.usage("usage"),
            (ROOT, b"system_fingerprint") if self.facts.fingerprint.is_none() => Want::Take(node::FINGERPRINT),
            // Groq tells of an error on a stream in a member of its own.
            (ROOT | X_GROQ, b"error") => Want::Take(node::ERROR),
            (ROOT, b"x_groq") => Want::Take(X_GROQ),
            // Errors that are flat: of Mistral and vLLM, and of text-generation-inference.
            (ROOT, b"type" | b"error_type") => Want::Take(node::FLAT_TYPE),
            (ROOT, b"code") => Want::Take(node::FLAT_CODE),
            (CHOICE, b"delta" | b"message") => Want::Take(DELTA),
            // Completions have their text here.
            (CHOICE, b"text") if self.facts.text.wanted() => Want::Take(CONTENT),
            (CHOICE, b"text") => self.facts.want_output(),
            (CHOICE, b"finish_reason") => Want::Take(FINISH),
            (CHOICE, b"index") => Want::Take(INDEX),
            (DELTA, b"content") if self.facts.text.wanted() => Want::Take(CONTENT),
            (DELTA, b"tool_calls") => Want::Take(TOOL_CALLS),
            (DELTA, b"function_call") => Want::Take(FUNCTION),
            (DELTA, b"refusal") if self.facts.text.wanted() => Want::Take(REFUSAL),
            (DELTA, b"reasoning_content") if self.facts.text.wanted() => Want::Take(REASONING),
            (DELTA, b"reasoning") if self.facts.text.wanted() => Want::Take(REASONING_TOO),
            (DELTA, b"audio") if self.facts.text.wanted() => Want::Take(AUDIO),
            (
                DELTA,
                b"content" | b"reasoning_content" | b"reasoning" | b"reasoning_details" | b"refusal" | b"audio",
            ) => self.facts.want_output(),
            (TOOL_CALL, b"function") => Want::Take(FUNCTION),
            (FUNCTION, b"name") => Want::Take(FUNCTION_NAME),
            (TOOL_CALL, b"index") if self.facts.text.wanted() => Want::Take(TOOL_INDEX),
            (TOOL_CALL, b"id") if self.facts.text.wanted() => Want::Take(TOOL_ID),
            (TOOL_CALL, b"custom") => Want::Take(FUNCTION),
            (FUNCTION, b"arguments" | b"input") if self.facts.text.wanted() => Want::Pieces(ARGUMENTS),
            (FUNCTION, b"arguments" | b"input") => self.facts.want_output(),
            (PART, b"text") => Want::Take(PART_TEXT),
            (PART, b"thinking") => Want::Take(THINKING),
            (PART, b"refusal") => Want::Take(REFUSAL),
            (THOUGHT, b"text") => Want::Take(THINKING),
            (AUDIO, b"transcript") => Want::Take(TRANSCRIPT),
            // Each event of a stream has a part of the recording.
            (AUDIO, b"data") if self.facts.stream => self.facts.want_output(),
            (AUDIO, b"data") => Want::Stream(AUDIO_DATA),
            (..node::OWN_END, _) => Want::Skip,
            _ => self.facts.key(at, key),
        }
    }

    #[inline]
    fn item(&mut self, at: Node) -> Want {
        match at {
            CHOICES => Want::Take(CHOICE),
            TOOL_CALLS => Want::Take(TOOL_CALL),
            // Content in parts, as some servers send it.
            CONTENT if self.facts.text.wanted() => Want::Take(PART),
            CONTENT => Want::Skip,
            THINKING => Want::Take(THOUGHT),
            _ => self.facts.item(at),
        }
    }

    #[inline]
    fn begin(&mut self, at: Node, kind: Kind) {
        match at {
            CHOICES => self.choices = 0,
            CHOICE => {
                self.choice = self.choices;
                self.choices += 1;
                self.finish = None;
            }
            TOOL_CALLS => self.tools = 0,
            TOOL_CALL => {
                self.tool = self.tools;
                self.tools += 1;
                self.tool_mark = self.facts.text.waiting();
            }
            PART => self.parts += 1,
            node::USAGE => {
                self.facts.counts_final = true;
                self.facts.begin(at, kind);
            }
            _ => self.facts.begin(at, kind),
        }
    }

    fn end(&mut self, at: Node) {
        match at {
            CHOICE => {
                if let Some(reason) = self.finish.take() {
                    self.facts.finish(self.choice, reason);
                }
                self.settle_content();
            }
            TOOL_CALL if self.facts.text.wanted() => {
                let tool = Place::Block(self.tool);
                self.facts.text.revise(self.tool_mark, |piece| {
                    piece.place = tool;
                    true
                });
            }
            AUDIO_DATA => self.facts.text.end_binary(Place::Block(0), "audio"),
            _ => self.facts.end(at),
        }
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        match (at, value) {
            (FINISH, Scalar::Text(reason)) => keep(&mut self.finish, reason, &mut self.facts.notes),
            (INDEX, Scalar::Number(number)) => self.choice = number.parse().unwrap_or(self.choice),
            (TOOL_INDEX, Scalar::Number(number)) => self.tool = number.parse().unwrap_or(self.tool),
            (CONTENT | TRANSCRIPT, Scalar::Text(text)) => self.write(PartKind::Text, Place::Last, Slot::Body, text),
            (PART | PART_TEXT, Scalar::Text(text)) => self.write(PartKind::Text, self.place(), Slot::Body, text),
            (THINKING | THOUGHT, Scalar::Text(text)) => {
                self.write(PartKind::Reasoning, self.place(), Slot::Body, text);
            }
            (REFUSAL, Scalar::Text(text)) => self.write(PartKind::Refusal, Place::Last, Slot::Body, text),
            (REASONING | REASONING_TOO, Scalar::Text(text)) if !text.bytes.is_empty() => {
                if *self.reasoning.get_or_insert(at) == at {
                    self.write(PartKind::Reasoning, Place::Last, Slot::Body, text);
                }
            }
            (TOOL_ID, Scalar::Text(text)) => self.write(PartKind::ToolCall, ONLY_CALL, Slot::Id, text),
            (FUNCTION_NAME, Scalar::Text(text)) => {
                self.facts.called(text);
                self.write(PartKind::ToolCall, ONLY_CALL, Slot::Name, text);
            }
            (..node::OWN_END, _) => {}
            _ => self.facts.scalar(at, value),
        }
    }

    fn piece(&mut self, at: Node, piece: &[u8]) {
        match at {
            ARGUMENTS => {
                self.write(PartKind::ToolCall, ONLY_CALL, Slot::Body, Text { bytes: piece, whole: true });
            }
            AUDIO_DATA => self.facts.text.push_binary(piece),
            _ => self.facts.output |= !piece.is_empty(),
        }
    }
}

impl Chat {
    fn write(&mut self, kind: PartKind, place: Place, slot: Slot, text: Text<'_>) {
        // An id alone is no output.
        self.facts.output |= !text.bytes.is_empty() && slot != Slot::Id;
        self.facts.text.push(kind, place, slot, text);
    }

    /// Where a part of content in a list belongs: of a stream, to what came before.
    fn place(&self) -> Place {
        if self.facts.stream { Place::Last } else { Place::Block(self.parts) }
    }

    /// What was said belongs to the choice that has been read. Of a message that has its reasoning beside the content
    /// it is what came first, wherever it stands.
    fn settle_content(&mut self) {
        if !self.facts.text.wanted() {
            return;
        }
        if self.reasoning.is_some() {
            self.facts.text.lead(0, PartKind::Reasoning);
        }
        self.facts.text.commit(self.choice);
    }
}
