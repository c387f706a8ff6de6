//! `datadog`.

use super::{AGGREGATE, USAGE, double, drop, only, rename};
use crate::rule::{Action, Conversion, Rule, When};

pub(super) const ABOUT: &str = "Datadog LLM Observability reads the GenAI conventions from version 1.37 on, over OTLP/HTTP \
    with the headers `dd-api-key` and `dd-otlp-source: llmobs`, which the output needs beside this. Source: its \
    documentation of OpenTelemetry instrumentation. It computes cost by prices of its own, and reads none.";

const TEXT: &str = "On spans the conventions have messages as JSON text; Datadog reads no structured attributes.";
const JSON: Action = Action::Convert(Conversion::Json);

pub(super) const RULES: &[Rule] = &[
    double(
        &["gen_ai.usage.cache_write.input_tokens"],
        "gen_ai.usage.cache_creation.input_tokens",
        Action::Same,
        "The name was `cache_creation` until the conventions had a repository of their own; Datadog reads it as it came \
         with version 1.38.",
    ),
    only(When::Aggregates, drop(USAGE, AGGREGATE)),
    rename(&["gen_ai.input.messages"], "gen_ai.input.messages", JSON, TEXT),
    rename(&["gen_ai.output.messages"], "gen_ai.output.messages", JSON, TEXT),
    rename(&["gen_ai.system_instructions"], "gen_ai.system_instructions", JSON, TEXT),
    rename(&["gen_ai.tool.definitions"], "gen_ai.tool.definitions", JSON, TEXT),
    rename(&["gen_ai.tool.call.arguments"], "gen_ai.tool.call.arguments", Action::Convert(Conversion::Text), TEXT),
    rename(&["gen_ai.tool.call.result"], "gen_ai.tool.call.result", Action::Convert(Conversion::Text), TEXT),
];
