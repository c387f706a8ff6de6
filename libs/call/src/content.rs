//! What was said in a call, captured only where the user asked for it.

use serde::{Deserialize, Serialize};

/// How much of a conversation may be held, in bytes. Zero captures nothing, which is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContentLimits {
    /// Most bytes that are kept of a request, for system instructions, messages and tool definitions together. Counted
    /// are texts, and 16 bytes for each value; of binary data only type, size and hash are kept, whatever its size.
    pub input_bytes: usize,
    /// Most bytes of output that are kept, over all choices: texts, and ids, names and arguments of tool calls.
    pub output_bytes: usize,
}

/// What was said in a call, each as the JSON text that the attribute of the GenAI conventions holds; `None` where
/// nothing was captured.
///
/// Parts of messages are `text`, `reasoning`, `tool_call`, `tool_call_response`, `server_tool_call`,
/// `server_tool_call_response`, `blob`, `uri` and `file`, as the conventions have them, and others by the provider's
/// word for them. A `blob` has `size` in bytes and `sha256` in hexadecimal digits in place of its content. A part that a
/// limit cut has a member `"truncated": true`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Content {
    /// `gen_ai.system_instructions`: array of parts.
    pub system_instructions: Option<String>,
    /// `gen_ai.input.messages`: array of `{role, parts}`.
    pub input_messages: Option<String>,
    /// `gen_ai.output.messages`: array of `{role, parts}`, one for each choice.
    pub output_messages: Option<String>,
    /// `gen_ai.tool.definitions`: array of `{type, name, description, parameters}`.
    pub tool_definitions: Option<String>,
    /// Whether this is not all that was said.
    pub truncated: bool,
}
