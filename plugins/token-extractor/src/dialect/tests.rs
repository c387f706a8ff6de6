use super::*;
use std::collections::BTreeSet;

#[path = "tests_more.rs"]
mod more;

/// One value of a span attribute.
enum V {
    T(&'static str),
    I(i64),
    R(f64),
}
use V::{I, R, T};

/// Enriches one span, and gives the attributes it gets, as text, ascending by name.
fn enriched(config: &str, attributes: &[(&str, V)]) -> Vec<(String, String)> {
    let enricher = Enricher::configure(config).unwrap();
    let manifest = enricher.manifest();
    let mut edits = Edits::new(1);
    for (name, value) in attributes {
        let place = manifest.reads.iter().position(|read| read == name).unwrap_or_else(|| panic!("{name}"));
        let place = u16::try_from(place).unwrap();
        match value {
            T(text) => edits.text(0, place, *text),
            I(integer) => edits.integer(0, place, *integer),
            R(real) => edits.real(0, place, *real),
        }
    }
    let added = enricher.enrich(&edits.finish());
    assert_eq!(added.check(1, manifest.writes.len()), Ok(()));
    let row = added.rows().next().unwrap();
    let value = |place| {
        let number = row.integer(place).map(|value| value.to_string());
        row.text(place).map(str::to_owned).or(number).or(row.real(place).map(|value| value.to_string()))
    };
    let mut added: Vec<_> = (0..)
        .zip(&manifest.writes)
        .filter_map(|(place, written)| Some((written.name.clone(), value(place)?)))
        .collect();
    added.sort();
    added
}

/// What it is, the span's attributes, the attributes it gets.
type Case<'a> = (&'a str, &'a [(&'a str, V)], &'a [(&'a str, &'a str)]);

/// A table of cases; `gen_ai.` and `tollgate.` are left out of expected names as `~` and `!`.
fn check(config: &str, cases: &[Case<'_>]) {
    for (what, attributes, expected) in cases {
        let added = enriched(config, attributes);
        let added: Vec<_> = added.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let long = |name: &str| name.replace('~', "gen_ai.").replace('!', "tollgate.");
        let mut expected: Vec<_> = expected.iter().map(|(name, value)| (long(name), *value)).collect();
        expected.sort();
        let expected: Vec<_> = expected.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(added, expected, "{what}");
    }
}

const REPORTED: (&str, &str) = ("!usage.source", "reported");
const BILLABLE: (&str, &str) = ("!call.role", "billable");
const AGGREGATE: (&str, &str) = ("!call.role", "aggregate");
const WRAPPER: (&str, &str) = ("!call.role", "wrapper");
const CHAT: (&str, &str) = ("~operation.name", "chat");

#[test]
fn conventions_of_today_and_yesterday() {
    check(
        "{}",
        &[
            (
                "current names stay, and the source is said",
                &[("gen_ai.usage.input_tokens", I(5)), ("gen_ai.usage.prompt_tokens", I(6))],
                &[REPORTED],
            ),
            (
                "a known source stays",
                &[("gen_ai.usage.input_tokens", I(5)), ("tollgate.usage.source", T("aborted"))],
                &[],
            ),
            (
                "a known role stays",
                &[("gen_ai.operation.name", T("chat")), ("tollgate.call.role", T("duplicate"))],
                &[],
            ),
            (
                "a call without an operation",
                &[("gen_ai.usage.input_tokens", I(5)), ("gen_ai.request.model", T("m"))],
                &[REPORTED, BILLABLE],
            ),
            (
                "an operation that nobody knows",
                &[("gen_ai.operation.name", T("handle_conversation_turn"))],
                &[AGGREGATE],
            ),
            ("a step of version 7 of the AI SDK", &[("gen_ai.operation.name", T("agent_step"))], &[AGGREGATE]),
            (
                "fetching reports no tokens",
                &[("gen_ai.operation.name", T("fetch_response")), ("gen_ai.usage.prompt_tokens", I(5))],
                &[AGGREGATE],
            ),
            (
                "older conventions",
                &[
                    ("gen_ai.system", T("vertex_ai")),
                    ("gen_ai.usage.prompt_tokens", I(10)),
                    ("gen_ai.usage.completion_tokens", T("3")),
                    ("gen_ai.usage.cache_creation.input_tokens", I(4)),
                    ("gen_ai.usage.cache_read_input_tokens", I(2)),
                    ("gen_ai.response.stop_reason", T("end_turn")),
                    ("gen_ai.openai.request.response_format", T("json_schema")),
                    ("gen_ai.openai.request.seed", I(7)),
                    ("llm.is_streaming", T("true")),
                ],
                &[
                    ("~provider.name", "gcp.vertex_ai"),
                    ("~request.stream", "1"),
                    ("~usage.cache_read.input_tokens", "2"),
                    ("~usage.cache_write.input_tokens", "4"),
                    ("~usage.input_tokens", "10"),
                    ("~usage.output_tokens", "3"),
                    ("~response.finish_reasons", r#"["end_turn"]"#),
                    ("~output.type", "json"),
                    ("~request.seed", "7"),
                    REPORTED,
                ],
            ),
            (
                "what is no count is not taken over",
                &[
                    ("gen_ai.usage.prompt_tokens", I(-1)),
                    ("llm.token_count.prompt", T("many")),
                    ("ai.usage.promptTokens", R(1.5)),
                    ("openinference.span.kind", T("CHAIN")),
                ],
                &[AGGREGATE],
            ),
            (
                "the next name counts where the first has nothing usable",
                &[("gen_ai.usage.prompt_tokens", I(-1)), ("llm.token_count.prompt", I(7))],
                &[("~usage.input_tokens", "7"), REPORTED],
            ),
            ("spans of other things get nothing", &[("session.id", T("s")), ("scope:name", T("http"))], &[]),
            ("nor do words that gateways use too", &[("backend_name", T("b")), ("response_model", T("m"))], &[]),
        ],
    );
}

#[test]
fn dialects_read_as_the_conventions() {
    check(
        "{}",
        &[
            (
                "OpenInference",
                &[
                    ("openinference.span.kind", T("LLM")),
                    ("llm.provider", T("azure")),
                    ("llm.system", T("openai")),
                    ("llm.model_name", T("gpt-4o-2024-08-06")),
                    ("llm.invocation_parameters", T(r#"{"model":"gpt-4o","temperature":0.5,"stop":"END","n":2}"#)),
                    ("llm.token_count.prompt", I(100)),
                    ("llm.token_count.completion", I(20)),
                    ("llm.token_count.prompt_details.cache_read", I(60)),
                    ("llm.token_count.completion_details.reasoning", I(8)),
                    ("output.value", T(r#"{"id":"chatcmpl-1","choices":[{"id":3}]}"#)),
                    ("session.id", T("s-1")),
                ],
                &[
                    CHAT,
                    ("~provider.name", "azure.ai.openai"),
                    ("~request.model", "gpt-4o"),
                    ("~response.model", "gpt-4o-2024-08-06"),
                    ("~response.id", "chatcmpl-1"),
                    ("~request.temperature", "0.5"),
                    ("~request.stop_sequences", r#"["END"]"#),
                    ("~request.choice.count", "2"),
                    ("~conversation.id", "s-1"),
                    ("~usage.cache_read.input_tokens", "60"),
                    ("~usage.input_tokens", "100"),
                    ("~usage.output_tokens", "20"),
                    ("~usage.reasoning.output_tokens", "8"),
                    REPORTED,
                    BILLABLE,
                ],
            ),
            (
                "a chain of OpenInference that repeats the usage of its call",
                &[("openinference.span.kind", T("CHAIN")), ("llm.token_count.prompt", I(100))],
                &[("~usage.input_tokens", "100"), REPORTED, WRAPPER],
            ),
            (
                "OpenLLMetry",
                &[
                    ("llm.request.type", T("completion")),
                    ("llm.usage.prompt_tokens", I(1)),
                    ("llm.usage.completion_tokens", I(0)),
                    ("llm.usage.reasoning_tokens", I(0)),
                    ("traceloop.association.properties.user_id", T("u")),
                ],
                &[
                    ("~operation.name", "text_completion"),
                    ("~usage.input_tokens", "1"),
                    ("~usage.output_tokens", "0"),
                    ("~usage.reasoning.output_tokens", "0"),
                    ("user.id", "u"),
                    REPORTED,
                    BILLABLE,
                ],
            ),
            ("a task of OpenLLMetry", &[("traceloop.span.kind", T("task"))], &[AGGREGATE]),
            (
                "Langfuse's own keys, which exclude each other",
                &[
                    ("langfuse.observation.type", T("generation")),
                    ("langfuse.observation.model.name", T("claude-sonnet-4-5")),
                    (
                        "langfuse.observation.usage_details",
                        T(
                            r#"{"input":200,"output":70,"cache_read_input_tokens":2000,"cache_creation_input_tokens":300}"#,
                        ),
                    ),
                    ("langfuse.session.id", T("s")),
                ],
                &[
                    CHAT,
                    ("~request.model", "claude-sonnet-4-5"),
                    ("~usage.input_tokens", "2500"),
                    ("~usage.output_tokens", "70"),
                    ("~usage.cache_read.input_tokens", "2000"),
                    ("~usage.cache_write.input_tokens", "300"),
                    ("~conversation.id", "s"),
                    REPORTED,
                    BILLABLE,
                ],
            ),
            ("a span of Langfuse", &[("langfuse.observation.type", T("span"))], &[AGGREGATE]),
            (
                "Vercel AI SDK, the call itself",
                &[
                    ("ai.operationId", T("ai.streamText.doStream")),
                    ("ai.model.provider", T("anthropic.messages")),
                    ("ai.model.id", T("claude-sonnet-4")),
                    ("ai.usage.promptTokens", R(12.0)),
                    ("ai.usage.completionTokens", R(3.0)),
                    ("ai.response.msToFirstChunk", R(250.0)),
                ],
                &[
                    CHAT,
                    ("~provider.name", "anthropic"),
                    ("~request.model", "claude-sonnet-4"),
                    ("~request.stream", "1"),
                    ("~response.time_to_first_chunk", "0.25"),
                    ("~usage.input_tokens", "12"),
                    ("~usage.output_tokens", "3"),
                    REPORTED,
                    BILLABLE,
                ],
            ),
            (
                "Vercel AI SDK, embeddings",
                &[("ai.operationId", T("ai.embed.doEmbed")), ("ai.usage.tokens", I(9))],
                &[("~operation.name", "embeddings"), ("~usage.input_tokens", "9"), REPORTED, BILLABLE],
            ),
            (
                "Vercel AI SDK, the wrapper around calls is no call",
                &[("ai.operationId", T("ai.generateText"))],
                &[("~operation.name", "invoke_agent"), WRAPPER],
            ),
            (
                "agentgateway before the conventions",
                &[
                    ("llm.provider", T("openai")),
                    ("llm.request.model", T("gpt-4o")),
                    ("llm.request.tokens", I(11)),
                    ("llm.response.tokens", I(331)),
                ],
                &[
                    CHAT,
                    ("~provider.name", "openai"),
                    ("~request.model", "gpt-4o"),
                    ("~usage.input_tokens", "11"),
                    ("~usage.output_tokens", "331"),
                    REPORTED,
                    BILLABLE,
                ],
            ),
            (
                "tags from the metadata of Envoy AI Gateway",
                &[
                    ("llm_input_token", T("11")),
                    ("llm_output_token", T("5")),
                    ("backend_name", T("openai")),
                    ("response_model", T("gpt-4o")),
                ],
                &[
                    CHAT,
                    ("~provider.name", "openai"),
                    ("~response.model", "gpt-4o"),
                    ("~usage.input_tokens", "11"),
                    ("~usage.output_tokens", "5"),
                    REPORTED,
                    BILLABLE,
                ],
            ),
        ],
    );
}

#[test]
fn rows_are_told_apart() {
    let enricher = Enricher::configure("").unwrap();
    let manifest = enricher.manifest();
    let place = |name: &str| u16::try_from(manifest.reads.iter().position(|read| read == name).unwrap()).unwrap();
    let mut edits = Edits::new(3);
    edits.integer(0, place("gen_ai.usage.input_tokens"), 1);
    edits.integer(0, place("gen_ai.usage.prompt_tokens"), 9);
    edits.integer(2, place("gen_ai.usage.prompt_tokens"), 3);
    let added = enricher.enrich(&edits.finish());
    let rows: Vec<_> = added.rows().map(|row| (row.integer(to::INPUT), row.text(to::USAGE_SOURCE))).collect();
    assert_eq!(rows, [(None, Some("reported")), (None, None), (Some(3), Some("reported"))]);
}

#[test]
fn names_are_read_once_and_written_once_and_content_only_where_wanted() {
    for (content, has_content) in [("{}", false), (r#"{"content": true}"#, true)] {
        let manifest = Enricher::configure(content).unwrap().manifest();
        let reads: BTreeSet<_> = manifest.reads.iter().collect();
        let writes: BTreeSet<_> = manifest.writes.iter().map(|attribute| &attribute.name).collect();
        assert_eq!((reads.len(), writes.len()), (manifest.reads.len(), manifest.writes.len()));
        let content = ["gen_ai.input.messages", "gen_ai.prompt.*", "ai.prompt.messages", "langfuse.observation.input"];
        for name in content {
            assert_eq!(manifest.reads.iter().any(|read| read == name), has_content, "{name}");
        }
    }
}

#[test]
fn a_configuration_with_anything_else_in_it_is_refused() {
    assert!(Enricher::configure(" ").is_ok());
    assert!(Enricher::configure("[]").is_err());
    let error = Enricher::configure(r#"{"a": 1, "content": 2}"#).unwrap_err();
    assert_eq!(error.to_string(), "a: is not known; there is `content`; content: write true or false");
}
