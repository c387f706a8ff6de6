//! `openinference`.

use super::{AGGREGATE, USAGE, double, drop, only, rename};
use crate::rule::{Action, Conversion, Others, Rule, When};

pub(super) const ABOUT: &str = "The semantic conventions of OpenInference, which Phoenix and Arize read. Source: their \
    specification, version 0.1.42. `user.id`, `session.id`, `metadata` and `tag.tags` are read as they are.";

const COUNT: &str = "Phoenix counts tokens under the names of OpenInference.";
const COST: &str = "Phoenix and Arize read cost under `llm.cost` only; the parts come from `tollgate.cost.explanation`, \
                    where the cost calculator writes it.";

const fn count(from: &'static [&'static str], to: &'static str) -> Rule {
    only(When::Counts, double(from, to, Action::Convert(Conversion::Count), COUNT))
}

const fn cost(units: &'static [&'static str], to: &'static str) -> Rule {
    let action = Action::Convert(Conversion::CostOf(units));
    only(When::Counts, double(&["tollgate.cost.explanation"], to, action, COST))
}

pub(super) const RULES: &[Rule] = &[
    only(
        When::Aggregates,
        double(
            &["gen_ai.operation.name"],
            "openinference.span.kind",
            Action::Values(&super::calls("CHAIN"), Others::Unwritten),
            "A wrapper or a duplicate of a call is no call: Phoenix would count it as one more.",
        ),
    ),
    double(
        &["gen_ai.operation.name"],
        "openinference.span.kind",
        Action::Values(
            &[
                ("chat", "LLM"),
                ("text_completion", "LLM"),
                ("generate_content", "LLM"),
                ("embeddings", "EMBEDDING"),
                ("rerank", "RERANKER"),
                ("moderation", "GUARDRAIL"),
                ("retrieval", "RETRIEVER"),
                ("execute_tool", "TOOL"),
                ("create_agent", "AGENT"),
                ("invoke_agent", "AGENT"),
                ("invoke_workflow", "CHAIN"),
                ("plan", "CHAIN"),
                ("fetch_response", "CHAIN"),
            ],
            Others::Unwritten,
        ),
        "OpenInference requires a kind; a span without one is of kind UNKNOWN, and is not counted.",
    ),
    only(
        When::Operation(&["embeddings"]),
        double(
            &["gen_ai.response.model", "gen_ai.request.model"],
            "embedding.model_name",
            Action::Same,
            "Models of embeddings have a name of their own.",
        ),
    ),
    double(
        &["gen_ai.response.model", "gen_ai.request.model"],
        "llm.model_name",
        Action::Same,
        "The model that answered, by which Phoenix groups and prices.",
    ),
    double(
        &["gen_ai.provider.name"],
        "llm.provider",
        Action::Values(
            &[
                ("aws.bedrock", "aws"),
                ("azure.ai.inference", "azure"),
                ("azure.ai.openai", "azure"),
                ("gcp.gemini", "google"),
                ("gcp.gen_ai", "google"),
                ("gcp.vertex_ai", "google"),
                ("mistral_ai", "mistralai"),
                ("moonshot_ai", "moonshot"),
                ("x_ai", "xai"),
            ],
            Others::Same,
        ),
        "Whose service it is, in the words of OpenInference.",
    ),
    double(
        &["gen_ai.provider.name"],
        "llm.system",
        Action::Values(
            &[
                ("openai", "openai"),
                ("azure.ai.openai", "openai"),
                ("anthropic", "anthropic"),
                ("cohere", "cohere"),
                ("gcp.vertex_ai", "vertexai"),
                ("mistral_ai", "mistralai"),
                ("x_ai", "xai"),
                ("deepseek", "deepseek"),
            ],
            Others::Unwritten,
        ),
        "Whose models they are; where a service has models of several makers, it is left out.",
    ),
    count(&["gen_ai.usage.input_tokens"], "llm.token_count.prompt"),
    count(&["gen_ai.usage.output_tokens"], "llm.token_count.completion"),
    only(
        When::Counts,
        double(
            &["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"],
            "llm.token_count.total",
            Action::Convert(Conversion::Sum),
            COUNT,
        ),
    ),
    count(&["gen_ai.usage.cache_read.input_tokens"], "llm.token_count.prompt_details.cache_read"),
    count(&["gen_ai.usage.cache_write.input_tokens"], "llm.token_count.prompt_details.cache_write"),
    count(&["gen_ai.usage.audio.input_tokens"], "llm.token_count.prompt_details.audio"),
    count(&["gen_ai.usage.reasoning.output_tokens"], "llm.token_count.completion_details.reasoning"),
    count(&["gen_ai.usage.audio.output_tokens"], "llm.token_count.completion_details.audio"),
    only(
        When::Counts,
        double(&["tollgate.cost.nano_usd"], "llm.cost.total", Action::Convert(Conversion::Dollars), COST),
    ),
    cost(
        &[
            "input",
            "cache_read",
            "cache_read_audio",
            "cache_read_image",
            "cache_write",
            "cache_write_5m",
            "cache_write_1h",
            "audio_input",
            "image_input",
            "video_input",
        ],
        "llm.cost.prompt",
    ),
    cost(&["output", "reasoning", "audio_output", "image_output", "video_output", "citation"], "llm.cost.completion"),
    cost(&["input"], "llm.cost.prompt_details.input"),
    cost(&["cache_read", "cache_read_audio", "cache_read_image"], "llm.cost.prompt_details.cache_read"),
    cost(&["cache_write", "cache_write_5m", "cache_write_1h"], "llm.cost.prompt_details.cache_write"),
    cost(&["output"], "llm.cost.completion_details.output"),
    cost(&["reasoning"], "llm.cost.completion_details.reasoning"),
    only(When::Aggregates, drop(USAGE, AGGREGATE)),
    double(
        &["gen_ai.input.messages", "gen_ai.system_instructions"],
        "llm.input_messages.",
        Action::Convert(Conversion::FlatMessages),
        "Phoenix shows messages that are flattened as a conversation.",
    ),
    double(
        &["gen_ai.output.messages"],
        "llm.output_messages.",
        Action::Convert(Conversion::FlatMessages),
        "Phoenix shows messages that are flattened as a conversation.",
    ),
    rename(
        &["gen_ai.input.messages"],
        "input.value",
        Action::Convert(Conversion::TypedJson("input.mime_type")),
        "The messages whole, with the parts that have no flattened name.",
    ),
    rename(
        &["gen_ai.output.messages"],
        "output.value",
        Action::Convert(Conversion::TypedJson("output.mime_type")),
        "The answer whole.",
    ),
    rename(
        &["gen_ai.tool.call.arguments", "gen_ai.retrieval.query.text"],
        "input.value",
        Action::Convert(Conversion::TypedText("input.mime_type")),
        "What a tool or a search was asked is its input.",
    ),
    rename(
        &["gen_ai.tool.call.result", "gen_ai.retrieval.documents"],
        "output.value",
        Action::Convert(Conversion::TypedText("output.mime_type")),
        "What a tool or a search gave is its output.",
    ),
    double(
        &["gen_ai.tool.definitions"],
        "llm.tools.",
        Action::Convert(Conversion::FlatTools),
        "Tools that the model was offered, flattened.",
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
        ],
        "llm.invocation_parameters",
        Action::Convert(Conversion::Object(&[
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
        ])),
        "Model parameters, as JSON.",
    ),
    double(&["gen_ai.tool.name"], "tool.name", Action::Same, "The name of a tool that runs."),
    double(&["gen_ai.tool.description"], "tool.description", Action::Same, "What a tool that runs is for."),
    double(&["gen_ai.agent.name"], "agent.name", Action::Same, "The name of an agent."),
    double(&["gen_ai.conversation.id"], "session.id", Action::Same, "Phoenix and Arize call a conversation a session."),
];
