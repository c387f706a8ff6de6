//! Chat completions, as OpenAI defines them and many providers speak them.
//!
//! Document: `id`, `model`, `service_tier`, `choices[].{index, finish_reason, message}`, `usage`, `error`.
//! Stream: the same with `delta` for `message`; `usage` comes in a last chunk where `include_usage` asked for it, is
//! `null` in the others, and with some servers comes in every chunk. Groq also sends it as `x_groq.usage`, Moonshot as
//! `choices[].usage`. The stream ends with the data `[DONE]`, which some servers leave out. An error after the answer
//! began is an event with `error`.

use super::{Memory, Reading};
use crate::content::Part;
use crate::facts::{Facts, keep, node};
use tollgate_json::{Kind, Node, Reader, Scalar, Visitor, Want};

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

#[derive(Debug, Default)]
pub(crate) struct Chat {
    facts: Facts,
    /// The choice being read: its place, until its `index` says otherwise, and its finish reason.
    choice: u64,
    choices: u64,
    finish: Option<String>,
    tool: u64,
    tools: u64,
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
            (
                DELTA,
                b"content" | b"reasoning_content" | b"reasoning" | b"reasoning_details" | b"refusal" | b"audio",
            ) => self.facts.want_output(),
            (TOOL_CALL, b"function") => Want::Take(FUNCTION),
            (FUNCTION, b"name") => Want::Take(FUNCTION_NAME),
            (TOOL_CALL, b"index") if self.facts.text.wanted() => Want::Take(TOOL_INDEX),
            (TOOL_CALL, b"id") if self.facts.text.wanted() => Want::Take(TOOL_ID),
            (FUNCTION, b"arguments") if self.facts.text.wanted() => Want::Take(ARGUMENTS),
            (FUNCTION, b"arguments") => self.facts.want_output(),
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
            CONTENT => Want::Skip,
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
            }
            node::USAGE => self.facts.counts_final = true,
            _ => self.facts.begin(at, kind),
        }
    }

    fn end(&mut self, at: Node) {
        if at == CHOICE
            && let Some(reason) = self.finish.take()
        {
            self.facts.finish(self.choice, reason);
        }
        self.facts.end(at);
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        match (at, value) {
            (FINISH, Scalar::Text(reason)) => keep(&mut self.finish, reason, &mut self.facts.notes),
            (INDEX, Scalar::Number(number)) => self.choice = number.parse().unwrap_or(self.choice),
            (TOOL_INDEX, Scalar::Number(number)) => self.tool = number.parse().unwrap_or(self.tool),
            (CONTENT, Scalar::Text(text)) => self.write(Part::Text, text),
            (TOOL_ID, Scalar::Text(text)) => self.write(Part::ToolId(self.tool), text),
            (FUNCTION_NAME, Scalar::Text(text)) => {
                self.facts.called(text);
                self.write(Part::ToolName(self.tool), text);
            }
            (ARGUMENTS, Scalar::Text(text)) => self.write(Part::ToolArguments(self.tool), text),
            (..node::OWN_END, _) => {}
            _ => self.facts.scalar(at, value),
        }
    }
}

impl Chat {
    fn write(&mut self, part: Part, text: tollgate_json::Text<'_>) {
        self.facts.output |= !text.bytes.is_empty();
        self.facts.text.push(self.choice, part, text);
    }
}
