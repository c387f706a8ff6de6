//! The messages of a call in, the tokens of their text out.
//!
//! Messages are read in the shape of the GenAI conventions (`gen-ai-input-messages.json`, `gen-ai-output-messages.json`
//! and `gen-ai-system-instructions.json` of the semantic conventions), `[{"role", "parts": [{"type", ..}]}]`; and, because
//! emitters put them into the same attributes, in those of the chat completions and Anthropic APIs, where parts are
//! called `content` and calls `tool_calls`. A text that is no JSON is one message.

use crate::overhead::Overhead;
use crate::tally::Tally;
use crate::unestimated::Unestimated;
use crate::value_text::ValueText;
use tollgate_json::{Kind, Node, Reader, Scalar, Visitor, Want};

/// What a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Messages, with their parts in them.
    Messages,
    /// The parts of a single message.
    Parts,
}

/// Types of part that are text and nothing else. `blob`, `file` and `uri` are not, nor is a type that is not known: what
/// it costs cannot be told from text.
const TEXTUAL: &[&str] = &[
    "text",
    "reasoning",
    "tool_call",
    "tool_call_response",
    "server_tool_call",
    "server_tool_call_response",
    // OpenAI.
    "input_text",
    "output_text",
    "summary_text",
    "refusal",
    "function",
    "function_call",
    "function_call_output",
    // Anthropic.
    "thinking",
    "tool_use",
    "tool_result",
];

/// Places in the JSON text.
mod node {
    use tollgate_json::{Node, Reader};
    pub(super) const ROOT: Node = Reader::ROOT;
    pub(super) const MESSAGE: Node = 1;
    pub(super) const ROLE: Node = 2;
    pub(super) const NAME: Node = 3;
    pub(super) const PARTS: Node = 4;
    pub(super) const PART: Node = 5;
    pub(super) const TYPE: Node = 6;
    pub(super) const FUNCTION: Node = 7;
    /// A value that is text: a string, or JSON.
    pub(super) const VALUE: Node = 8;
    /// What is in such a value.
    pub(super) const INSIDE: Node = 9;
}

/// Counts the messages of `json`. With an `overhead`, what stands around each message is counted too, and the role that
/// it names, or else `role`. Says how many messages there were.
pub(crate) fn count(
    json: &str,
    shape: Shape,
    role: &str,
    overhead: Option<Overhead>,
    tally: &mut Tally,
) -> Result<u64, Unestimated> {
    let text = json.trim_start();
    let value = ValueText::default();
    let mut messages =
        Messages { tally, overhead, shape, role, said: false, part: None, single: false, value, count: 0 };
    if shape == Shape::Parts {
        messages.begin_message();
    }
    if text.starts_with(['[', '{', '"']) {
        let mut reader = Reader::new(messages.tally.room());
        reader.push(text.as_bytes(), &mut messages).map_err(|_| Unestimated::MalformedContent)?;
        reader.finish(&mut messages).map_err(|_| Unestimated::MalformedContent)?;
    } else if !text.is_empty() {
        messages.whole_message(json);
    }
    if shape == Shape::Parts {
        messages.end_message();
    }
    Ok(messages.count)
}

struct Messages<'t> {
    tally: &'t mut Tally,
    overhead: Option<Overhead>,
    shape: Shape,
    /// The role of a message that names none.
    role: &'t str,
    /// Whether the message has named its role.
    said: bool,
    /// The part that is being read: the count before it, and whether its type is text.
    part: Option<(Tally, bool)>,
    /// Whether the whole text is one message.
    single: bool,
    value: ValueText,
    count: u64,
}

impl Messages<'_> {
    fn begin_message(&mut self) {
        self.said = false;
    }

    fn end_message(&mut self) {
        self.count += 1;
        if let Some(overhead) = self.overhead {
            self.tally.add(overhead.message);
            if !self.said {
                self.tally.text(self.role);
            }
        }
    }

    /// A message that is a string, or the one message of a list of parts.
    fn whole_message(&mut self, text: &str) {
        self.tally.text(text);
        if self.shape == Shape::Messages {
            self.begin_message();
            self.end_message();
        }
    }

    fn begin_part(&mut self) {
        self.part = Some((*self.tally, true));
    }

    /// Ends a part. What was counted of one that is not text is taken back: it may be an image in base64, and its
    /// type need not come first.
    fn end_part(&mut self) {
        if let Some((before, false)) = self.part.take() {
            self.tally.take_back(&before);
            self.tally.lower_bound = true;
        }
    }

    fn is_textual(&self) -> bool {
        self.part.is_none_or(|(_, textual)| textual)
    }

    fn end_container(&mut self) {
        if self.value.end() {
            self.end_value();
        }
    }

    fn end_value(&mut self) {
        self.tally.lower_bound |= self.value.left_out;
        match self.value.get() {
            Some(text) => self.tally.text(text),
            None => self.tally.overrun(),
        }
    }

    fn string(&mut self, value: Scalar<'_>, take: impl FnOnce(&mut Self, &str)) {
        if let Scalar::Text(text) = value {
            if text.whole {
                take(self, &text.to_str());
            } else {
                self.tally.overrun();
            }
        }
    }

    fn key_of_message(key: &[u8]) -> Want {
        match key {
            b"role" => Want::Take(node::ROLE),
            b"name" => Want::Take(node::NAME),
            b"parts" | b"content" | b"tool_calls" => Want::Take(node::PARTS),
            b"reasoning" | b"reasoning_content" | b"refusal" => Want::Take(node::VALUE),
            _ => Want::Skip,
        }
    }

    fn key_of_part(&mut self, key: &[u8]) -> Want {
        match key {
            b"type" => Want::Take(node::TYPE),
            b"function" => Want::Take(node::FUNCTION),
            b"name" | b"content" | b"text" | b"thinking" | b"refusal" | b"arguments" | b"input" | b"response"
            | b"result" | b"output" => Want::Take(node::VALUE),
            // Shapes whose parts name no type have one of these where they are not text.
            b"inline_data" | b"inlineData" | b"file_data" | b"fileData" | b"image_url" | b"file_id" | b"uri" => {
                self.tally.lower_bound = true;
                Want::Skip
            }
            _ => Want::Skip,
        }
    }
}

impl Visitor for Messages<'_> {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        let want = match at {
            node::ROOT if self.shape == Shape::Parts => self.key_of_part(key),
            node::ROOT | node::MESSAGE => Self::key_of_message(key),
            node::PARTS | node::PART => self.key_of_part(key),
            node::FUNCTION if matches!(key, b"name" | b"arguments") => Want::Take(node::VALUE),
            node::VALUE | node::INSIDE => {
                self.value.key(key);
                Want::Take(node::INSIDE)
            }
            _ => Want::Skip,
        };
        match want {
            // Nothing is copied of a part that is known not to be text.
            Want::Take(node::VALUE | node::FUNCTION) if !self.is_textual() => Want::Skip,
            want => want,
        }
    }

    fn item(&mut self, at: Node) -> Want {
        match at {
            node::ROOT if self.shape == Shape::Parts => Want::Take(node::PART),
            node::ROOT => Want::Take(node::MESSAGE),
            node::PARTS => Want::Take(node::PART),
            node::VALUE | node::INSIDE => Want::Take(node::INSIDE),
            _ => Want::Skip,
        }
    }

    fn begin(&mut self, at: Node, kind: Kind) {
        match (at, kind) {
            (node::ROOT, Kind::Object) if self.shape == Shape::Messages => {
                self.single = true;
                self.begin_message();
            }
            (node::MESSAGE, Kind::Object) => self.begin_message(),
            (node::ROOT | node::PARTS | node::PART, Kind::Object) => self.begin_part(),
            (node::VALUE, kind) => {
                self.value.reset(self.tally.room());
                self.value.begin(kind);
            }
            (node::INSIDE, kind) => self.value.begin(kind),
            _ => {}
        }
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        match at {
            node::ROLE => self.string(value, |messages, role| {
                messages.said = true;
                if messages.overhead.is_some() {
                    messages.tally.text(role);
                }
            }),
            node::NAME => self.string(value, |messages, name| {
                if let Some(overhead) = messages.overhead {
                    messages.tally.text(name);
                    messages.tally.add(overhead.name);
                }
            }),
            node::TYPE => self.string(value, |messages, name| {
                if let Some((_, textual)) = &mut messages.part {
                    *textual = TEXTUAL.contains(&name);
                }
            }),
            node::ROOT | node::MESSAGE => self.string(value, Self::whole_message),
            node::PARTS | node::PART => self.string(value, |messages, text| messages.tally.text(text)),
            node::VALUE => {
                self.value.reset(self.tally.room());
                self.value.scalar(value);
                self.end_value();
            }
            node::INSIDE => {
                self.value.scalar(value);
            }
            _ => {}
        }
    }

    fn end(&mut self, at: Node) {
        match at {
            node::ROOT if self.single => self.end_message(),
            node::MESSAGE => self.end_message(),
            node::ROOT | node::PARTS | node::PART => self.end_part(),
            node::VALUE | node::INSIDE => self.end_container(),
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
