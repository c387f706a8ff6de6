//! `langfuse`.

use super::{AGGREGATE, USAGE, double, drop, only, rename};
use crate::rule::{Action, Conversion, Keep, Others, Rule, When};

pub(super) const ABOUT: &str = "Langfuse reads the GenAI conventions too, but its own attributes (`langfuse.*`) go before, \
    and say what the conventions cannot. Source: property mapping of its OpenTelemetry documentation, and the attributes \
    of its SDK. `user.id`, `session.id`, `tag.tags`, `langfuse.trace.tags`, `langfuse.trace.name`, `langfuse.release`, \
    `langfuse.environment` and `deployment.environment.name` are read as they are.";

const PARAMETERS: Action = Action::Convert(Conversion::Object(&[
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "frequency_penalty",
    "presence_penalty",
    "stop",
    "seed",
    "n",
    "reasoning_effort",
    "service_tier",
]));

pub(super) const RULES: &[Rule] = &[
    only(
        When::Aggregates,
        double(
            &["gen_ai.operation.name"],
            "langfuse.observation.type",
            Action::Values(&super::calls("span"), Others::Unwritten),
            "A wrapper or a duplicate of a call is no generation: Langfuse would count its tokens by itself, where none \
             are given.",
        ),
    ),
    double(
        &["gen_ai.operation.name"],
        "langfuse.observation.type",
        Action::Values(
            &[
                ("chat", "generation"),
                ("text_completion", "generation"),
                ("generate_content", "generation"),
                ("rerank", "generation"),
                ("moderation", "generation"),
                ("embeddings", "embedding"),
                ("retrieval", "retriever"),
                ("execute_tool", "tool"),
                ("create_agent", "agent"),
                ("invoke_agent", "agent"),
                ("invoke_workflow", "chain"),
                ("plan", "chain"),
                ("fetch_response", "span"),
            ],
            Others::Unwritten,
        ),
        "Langfuse knows some operations only, and makes any span that names a model a generation, `fetch_response` too, \
         which has no usage of its own.",
    ),
    only(
        When::Counts,
        double(
            &["gen_ai.response.model", "gen_ai.request.model"],
            "langfuse.observation.model.name",
            Action::Same,
            "The model that answered, by which Langfuse groups and prices.",
        ),
    ),
    double(
        &[
            "gen_ai.request.temperature",
            "gen_ai.request.top_p",
            "gen_ai.request.top_k",
            "gen_ai.request.max_tokens",
            "gen_ai.request.frequency_penalty",
            "gen_ai.request.presence_penalty",
            "gen_ai.request.stop_sequences",
            "gen_ai.request.seed",
            "gen_ai.request.choice.count",
            "gen_ai.request.reasoning.level",
            "tollgate.request.service_tier",
        ],
        "langfuse.observation.model.parameters",
        PARAMETERS,
        "Model parameters, under the names that providers give them.",
    ),
    Rule {
        from: &[
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_write.input_tokens",
            "tollgate.usage.cache_write_5m_tokens",
            "tollgate.usage.cache_write_1h_tokens",
            "gen_ai.usage.reasoning.output_tokens",
        ],
        to: "langfuse.observation.usage_details",
        action: Action::Convert(Conversion::UsageDetails),
        keep: Keep::Without(&["gen_ai.usage.*tokens"]),
        when: When::Counts,
        why: "Langfuse takes each count for a part of its own, and adds up all whose key has `input` in it. By the current \
              names it does not know that the written cache (`cache_write`) and the modalities are within the input, and \
              counts them twice. Here the parts do not overlap: `input` leaves out what the cache is read and written \
              for. The counts of the conventions go, so that nothing is left to be added.",
    },
    Rule {
        from: &["tollgate.cost.nano_usd", "tollgate.cost.explanation"],
        to: "langfuse.observation.cost_details",
        action: Action::Convert(Conversion::CostDetails),
        keep: Keep::Stay,
        when: When::Counts,
        why: "With a cost of ours Langfuse does not compute one by prices of its own. Its parts come with it where the \
              cost calculator writes `tollgate.cost.explanation`.",
    },
    only(When::Aggregates, drop(USAGE, AGGREGATE)),
    rename(
        &["gen_ai.input.messages", "gen_ai.system_instructions"],
        "langfuse.observation.input",
        Action::Convert(Conversion::ChatMessages),
        "Langfuse shows chat messages as a conversation; of the parts that the conventions have it shows the JSON. The \
         source goes, because Langfuse would keep it as metadata, a second time.",
    ),
    rename(
        &["gen_ai.output.messages"],
        "langfuse.observation.output",
        Action::Convert(Conversion::ChatMessages),
        "As for the input.",
    ),
    rename(
        &["gen_ai.tool.call.arguments", "gen_ai.retrieval.query.text"],
        "langfuse.observation.input",
        Action::Convert(Conversion::Text),
        "What a tool or a search was asked is its input.",
    ),
    rename(
        &["gen_ai.tool.call.result", "gen_ai.retrieval.documents"],
        "langfuse.observation.output",
        Action::Convert(Conversion::Text),
        "What a tool or a search gave is its output.",
    ),
    double(
        &["gen_ai.response.time_to_first_chunk"],
        "langfuse.observation.completion_start_time",
        Action::Convert(Conversion::DateAfterStart),
        "From this Langfuse computes the time to the first token.",
    ),
    double(
        &["gen_ai.conversation.id"],
        "session.id",
        Action::Same,
        "Langfuse calls a conversation a session, and does not read it from the conventions.",
    ),
    double(
        &["resource:service.version"],
        "langfuse.release",
        Action::Same,
        "The version of the application is what Langfuse calls its release.",
    ),
    double(
        &["tollgate.usage.source"],
        "langfuse.observation.metadata.usage_source",
        Action::Same,
        "Only what is below `langfuse.observation.metadata` can be filtered by.",
    ),
    double(
        &["tollgate.cost.price_row"],
        "langfuse.observation.metadata.price_row",
        Action::Same,
        "Only what is below `langfuse.observation.metadata` can be filtered by.",
    ),
    double(
        &["tollgate.cost.unpriced"],
        "langfuse.observation.metadata.unpriced",
        Action::Same,
        "Only what is below `langfuse.observation.metadata` can be filtered by.",
    ),
    double(
        &["error.type"],
        "langfuse.observation.metadata.error_type",
        Action::Same,
        "Only what is below `langfuse.observation.metadata` can be filtered by.",
    ),
];
