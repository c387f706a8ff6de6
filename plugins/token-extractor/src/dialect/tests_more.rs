//! Totals that leave parts out, and content.

use super::V::{I, T};
use super::{BILLABLE, CHAT, REPORTED, check};

#[test]
fn totals_that_leave_out_a_part_are_found_by_arithmetic() {
    check(
        "{}",
        &[
            (
                "OpenInference for LangChain on Bedrock: the cached part is larger than the whole",
                &[
                    ("openinference.span.kind", T("LLM")),
                    ("llm.token_count.prompt", I(3)),
                    ("llm.token_count.completion", I(50)),
                    ("llm.token_count.prompt_details.cache_read", I(2_000)),
                    ("llm.token_count.prompt_details.cache_write", I(100)),
                ],
                &[
                    CHAT,
                    ("~usage.input_tokens", "2103"),
                    ("~usage.output_tokens", "50"),
                    ("~usage.cache_read.input_tokens", "2000"),
                    ("~usage.cache_write.input_tokens", "100"),
                    REPORTED,
                    BILLABLE,
                ],
            ),
            (
                "under the current name what stood there is kept",
                &[
                    ("gen_ai.operation.name", T("chat")),
                    ("gen_ai.usage.input_tokens", I(500)),
                    ("gen_ai.usage.output_tokens", I(50)),
                    ("gen_ai.usage.cache_read.input_tokens", I(400)),
                    ("gen_ai.usage.total_tokens", I(950)),
                ],
                &[("~usage.input_tokens", "900"), ("!usage.reported_input_tokens", "500"), REPORTED, BILLABLE],
            ),
            (
                "what a seat of Tollgate has counted is never touched",
                &[
                    ("gen_ai.operation.name", T("chat")),
                    ("gen_ai.usage.input_tokens", I(3)),
                    ("gen_ai.usage.cache_read.input_tokens", I(2_000)),
                    ("tollgate.usage.source", T("partial")),
                ],
                &[BILLABLE],
            ),
            (
                "AI SDK 5 passes on Anthropic's count",
                &[
                    ("ai.operationId", T("ai.generateText.doGenerate")),
                    ("gen_ai.system", T("anthropic.messages")),
                    ("gen_ai.usage.input_tokens", I(200)),
                    ("gen_ai.usage.output_tokens", I(70)),
                    (
                        "ai.response.providerMetadata",
                        T(
                            r#"{"anthropic":{"usage":{"input_tokens":200,"output_tokens":70,"cache_creation_input_tokens":20,
                        "cache_read_input_tokens":100,"cache_creation":{"ephemeral_5m_input_tokens":5,
                        "ephemeral_1h_input_tokens":15}}}}"#,
                        ),
                    ),
                ],
                &[
                    CHAT,
                    ("~provider.name", "anthropic"),
                    ("~usage.input_tokens", "320"),
                    ("!usage.reported_input_tokens", "200"),
                    ("~usage.cache_read.input_tokens", "100"),
                    ("~usage.cache_write.input_tokens", "20"),
                    ("!usage.cache_write_5m_tokens", "5"),
                    ("!usage.cache_write_1h_tokens", "15"),
                    REPORTED,
                    BILLABLE,
                ],
            ),
            (
                "ADK leaves Gemini's thoughts out of the output",
                &[
                    ("scope:name", T("gcp.vertex.agent")),
                    ("gen_ai.system", T("gcp.vertex.agent")),
                    ("gen_ai.request.model", T("gemini-2.5-flash")),
                    ("gen_ai.usage.input_tokens", I(100)),
                    ("gen_ai.usage.output_tokens", I(20)),
                    ("gcp.vertex.agent.session_id", T("s")),
                    (
                        "gcp.vertex.agent.llm_response",
                        T(r#"{"usage_metadata":{"prompt_token_count":100,"candidates_token_count":20,
                        "thoughts_token_count":30,"cached_content_token_count":40,"total_token_count":150}}"#),
                    ),
                ],
                &[
                    ("~operation.name", "generate_content"),
                    ("~provider.name", "gcp.gen_ai"),
                    ("~conversation.id", "s"),
                    ("~usage.output_tokens", "50"),
                    ("!usage.reported_output_tokens", "20"),
                    ("~usage.cache_read.input_tokens", "40"),
                    ("~usage.reasoning.output_tokens", "30"),
                    REPORTED,
                    BILLABLE,
                ],
            ),
        ],
    );
}

#[test]
fn content_is_turned_into_messages_where_it_is_asked_for() {
    let config = r#"{"content": true}"#;
    check(
        config,
        &[
            (
                "a family of OpenInference",
                &[
                    ("openinference.span.kind", T("LLM")),
                    (
                        "llm.input_messages.*",
                        T(r#"{"1.message.content":"Why?","0.message.role":"system","0.message.content":"Be brief.",
                        "1.message.role":"user","4000000000.message.content":"far"}"#),
                    ),
                    (
                        "llm.output_messages.*",
                        T(r#"{"0.message.role":"assistant","0.message.tool_calls.0.tool_call.id":"c",
                        "0.message.tool_calls.0.tool_call.function.name":"look_up",
                        "0.message.tool_calls.0.tool_call.function.arguments":"{\"text\":\"blue\"}"}"#),
                    ),
                ],
                &[
                    CHAT,
                    BILLABLE,
                    (
                        "~input.messages",
                        r#"[{"parts":[{"content":"Be brief.","type":"text"}],"role":"system"},{"parts":[{"content":"Why?","type":"text"}],"role":"user"},{"parts":[{"content":"far","type":"text"}],"role":"user"}]"#,
                    ),
                    (
                        "~output.messages",
                        r#"[{"parts":[{"arguments":{"text":"blue"},"id":"c","name":"look_up","type":"tool_call"}],"role":"assistant"}]"#,
                    ),
                ],
            ),
            (
                "Gemini's contents",
                &[
                    ("scope:name", T("gcp.vertex.agent")),
                    (
                        "gcp.vertex.agent.llm_request",
                        T(r#"{"model":"g","config":{"system_instruction":"Be brief."},
                        "contents":[{"role":"model","parts":[{"text":"Hm","thought":true}]}]}"#),
                    ),
                ],
                &[
                    ("~operation.name", "generate_content"),
                    ("~request.model", "g"),
                    BILLABLE,
                    ("~system_instructions", r#"[{"content":"Be brief.","type":"text"}]"#),
                    ("~input.messages", r#"[{"parts":[{"content":"Hm","type":"reasoning"}],"role":"assistant"}]"#),
                ],
            ),
            (
                "messages that are there stay",
                &[
                    ("gen_ai.operation.name", T("chat")),
                    ("gen_ai.input.messages", T("[]")),
                    ("gen_ai.prompt", T("Why?")),
                ],
                &[BILLABLE],
            ),
        ],
    );
}
