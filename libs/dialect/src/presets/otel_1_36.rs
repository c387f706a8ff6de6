//! `otel-1.36`.

use super::{double, rename};
use crate::rule::{Action, Conversion, Others, Rule};

pub(super) const ABOUT: &str = "The names of version 1.36 of the semantic conventions, the last before \
    `gen_ai.provider.name` and before messages became attributes; its `gen_ai.usage.input_tokens` and `output_tokens` are \
    those of today (`prompt_tokens` and `completion_tokens` went with 1.27: copy them where a backend is that old). What \
    1.36 has no name for stays under its current name, which such a backend passes over.";

const CONTENT: &str = "Version 1.36 had messages as events of their own; as attributes backends of its time show the \
                       deprecated `gen_ai.prompt` and `gen_ai.completion`, JSON of chat messages.";

pub(super) const RULES: &[Rule] = &[
    rename(
        &["gen_ai.provider.name"],
        "gen_ai.system",
        Action::Values(&[("x_ai", "xai")], Others::Same),
        "The attribute and one of its values were renamed in 1.37.",
    ),
    rename(
        &["gen_ai.input.messages", "gen_ai.system_instructions"],
        "gen_ai.prompt",
        Action::Convert(Conversion::ChatMessages),
        CONTENT,
    ),
    rename(&["gen_ai.output.messages"], "gen_ai.completion", Action::Convert(Conversion::ChatMessages), CONTENT),
    rename(
        &["openai.request.service_tier"],
        "gen_ai.openai.request.service_tier",
        Action::Same,
        "What is OpenAI's own was below `gen_ai.openai` until 1.37.",
    ),
    rename(
        &["openai.response.service_tier"],
        "gen_ai.openai.response.service_tier",
        Action::Same,
        "What is OpenAI's own was below `gen_ai.openai` until 1.37.",
    ),
    rename(
        &["openai.response.system_fingerprint"],
        "gen_ai.openai.response.system_fingerprint",
        Action::Same,
        "What is OpenAI's own was below `gen_ai.openai` until 1.37.",
    ),
    double(
        &["gen_ai.usage.cache_read.input_tokens"],
        "gen_ai.usage.cache_read_input_tokens",
        Action::Same,
        "1.36 had no name for tokens from the cache; instrumentations of its time wrote this one.",
    ),
    double(
        &["gen_ai.usage.cache_write.input_tokens"],
        "gen_ai.usage.cache_creation_input_tokens",
        Action::Same,
        "1.36 had no name for tokens that were written to the cache; instrumentations of its time wrote this one.",
    ),
];
