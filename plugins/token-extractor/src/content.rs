//! What was said, captured within limits, as the messages of the GenAI conventions: JSON text of
//! `[{"role": .., "parts": [{"type": "text", "content": ..}]}]`.
//!
//! Nothing is captured unless the configuration says how many bytes may be held.

mod input;

pub(crate) use input::InputBody;

use serde_json::{Map, Value, json};
use tollgate_json::Text;

/// Choices that are captured.
const MAX_CHOICES: usize = 16;
/// Tool calls that are captured of a choice.
const MAX_TOOLS: usize = 64;

/// What a piece of output belongs to; tool calls by their number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Text,
    Reasoning,
    ToolId(u64),
    ToolName(u64),
    ToolArguments(u64),
}

/// The output of an answer, gathered piece by piece.
#[derive(Debug, Default)]
pub(crate) struct OutputText {
    limit: usize,
    used: usize,
    truncated: bool,
    choices: Vec<Choice>,
}

#[derive(Debug, Default)]
struct Choice {
    number: u64,
    text: String,
    reasoning: String,
    tools: Vec<Tool>,
}

#[derive(Debug, Default)]
struct Tool {
    number: u64,
    id: String,
    name: String,
    arguments: String,
}

impl OutputText {
    /// Captures up to `limit` bytes of text, over all choices.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Whether anything is captured at all.
    pub(crate) fn wanted(&self) -> bool {
        self.limit > 0
    }

    /// Whether a limit cut something off.
    pub(crate) fn truncated(&self) -> bool {
        self.truncated
    }

    /// The next piece of a part of a choice.
    pub(crate) fn push(&mut self, choice: u64, part: Part, text: Text<'_>) {
        if !self.wanted() || text.bytes.is_empty() {
            return;
        }
        let piece = text.to_str();
        let room = self.limit.saturating_sub(self.used);
        let fits = piece.get(..piece.floor_char_boundary(room)).unwrap_or_default();
        if fits.len() < piece.len() || !text.whole {
            // What comes later might fit again; but a text with a hole in it is not what was said.
            self.truncated = true;
            self.limit = self.used + fits.len();
        }
        if fits.is_empty() {
            return;
        }
        let Some(place) = self.place(choice, part) else {
            self.truncated = true;
            return;
        };
        place.push_str(fits);
        self.used += fits.len();
    }

    fn place(&mut self, choice: u64, part: Part) -> Option<&mut String> {
        let fresh = || Choice { number: choice, ..Choice::default() };
        let choice = numbered(&mut self.choices, MAX_CHOICES, |known| known.number == choice, fresh)?;
        Some(match part {
            Part::Text => &mut choice.text,
            Part::Reasoning => &mut choice.reasoning,
            Part::ToolId(number) => &mut choice.tool(number)?.id,
            Part::ToolName(number) => &mut choice.tool(number)?.name,
            Part::ToolArguments(number) => &mut choice.tool(number)?.arguments,
        })
    }

    /// The messages as JSON text; `None` where nothing was captured.
    pub(crate) fn messages(&self) -> Option<String> {
        if self.choices.is_empty() {
            return None;
        }
        let messages: Vec<_> = self.choices.iter().map(Choice::message).collect();
        Some(Value::Array(messages).to_string())
    }

    /// Bytes of memory that the texts have allocated.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.choices.iter().map(Choice::heap_bytes).sum()
    }
}

impl Choice {
    fn tool(&mut self, number: u64) -> Option<&mut Tool> {
        let fresh = || Tool { number, ..Tool::default() };
        numbered(&mut self.tools, MAX_TOOLS, |known| known.number == number, fresh)
    }

    fn message(&self) -> Value {
        let mut parts = Vec::new();
        if !self.text.is_empty() {
            parts.push(text_part(&self.text));
        }
        for tool in &self.tools {
            // A content block may have an id without being a tool call; a call has a name.
            if !tool.name.is_empty() {
                parts.push(tool_call(&tool.id, &tool.name, &tool.arguments));
            }
        }
        json!({"role": "assistant", "parts": parts})
    }

    fn heap_bytes(&self) -> usize {
        let tools: usize =
            self.tools.iter().map(|tool| tool.id.capacity() + tool.name.capacity() + tool.arguments.capacity()).sum();
        self.text.capacity() + self.tools.capacity() * size_of::<Tool>() + tools
    }
}

/// The entry with a number, made where there is none and room for it.
fn numbered<T>(
    entries: &mut Vec<T>,
    most: usize,
    is_it: impl Fn(&T) -> bool,
    fresh: impl FnOnce() -> T,
) -> Option<&mut T> {
    let at = match entries.iter().position(is_it) {
        Some(at) => at,
        None if entries.len() < most => {
            entries.push(fresh());
            entries.len() - 1
        }
        None => return None,
    };
    entries.get_mut(at)
}

fn text_part(text: &str) -> Value {
    json!({"type": "text", "content": text})
}

/// A tool call. Arguments that are JSON are given as such, others as the text they are.
fn tool_call(id: &str, name: &str, arguments: &str) -> Value {
    let mut part = Map::new();
    part.insert("type".to_owned(), json!("tool_call"));
    if !id.is_empty() {
        part.insert("id".to_owned(), json!(id));
    }
    part.insert("name".to_owned(), json!(name));
    if !arguments.is_empty() {
        part.insert("arguments".to_owned(), serde_json::from_str(arguments).unwrap_or_else(|_| json!(arguments)));
    }
    Value::Object(part)
}
