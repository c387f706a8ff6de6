//! What was said in a call, captured only where the user asked for it.

use serde::{Deserialize, Serialize};

/// How much of a conversation may be held, in bytes of JSON text. Zero captures nothing, which is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContentLimits {
    /// Most bytes of request body that are kept to read the input messages from.
    pub input_bytes: usize,
    /// Most bytes of output text that are kept, over all choices.
    pub output_bytes: usize,
}

/// Messages of a call, as the JSON text that `gen_ai.input.messages` and `gen_ai.output.messages` hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// JSON array of `{role, parts: [{type, content}]}`; `None` where nothing was captured.
    pub input_messages: Option<String>,
    /// JSON array of `{role, parts: [{type, content}]}`; `None` where nothing was captured.
    pub output_messages: Option<String>,
    /// Whether a limit cut something off.
    pub truncated: bool,
}
