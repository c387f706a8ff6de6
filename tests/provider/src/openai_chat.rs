//! OpenAI chat completions: the completion object and its chunks (the API reference of `/v1/chat/completions`).

use crate::answer::{Answer, Frame};
use crate::fault::{Fault, Vendor};
use crate::ledger::ServedUsage;
use crate::plan::{Plan, Reply};
use crate::text;
use serde_json::{Value, json};

/// The fields of a request that the model reads.
pub(crate) const PROMPT_FIELDS: &[&str] = &["messages", "tools"];

/// The answer in frames: one JSON body, or the chunks and `[DONE]`.
pub(crate) fn answer(plan: &Plan) -> Answer {
    let frames = if plan.stream { stream(plan) } else { vec![whole(plan)] };
    Answer { id: plan.id("chatcmpl-"), frames }
}

/// The data line that stands in the stream for an error.
pub(crate) fn error_event(fault: &Fault) -> Frame {
    Frame::event(None, &fault.body(Vendor::OpenAi, "")).with_error(fault.kind(Vendor::OpenAi))
}

fn whole(plan: &Plan) -> Frame {
    let message = match &plan.reply {
        Reply::Text(text) => json!({"role": "assistant", "content": text, "refusal": null, "annotations": []}),
        Reply::Tool { name, arguments } => json!({
            "role": "assistant", "content": null, "refusal": null,
            "tool_calls": [{
                "id": plan.id("call_"), "type": "function", "function": {"name": name, "arguments": arguments},
            }],
        }),
    };
    let mut completion = json!({
        "id": plan.id("chatcmpl-"),
        "object": "chat.completion",
        "created": plan.created,
        "model": plan.model,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason(plan)}],
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
    });
    if plan.report_usage
        && let Value::Object(fields) = &mut completion
    {
        fields.insert("usage".into(), usage(plan));
    }
    Frame::body(&completion).with_usage(plan.report_usage.then(|| served(plan)))
}

fn stream(plan: &Plan) -> Vec<Frame> {
    let mut frames = Vec::new();
    match &plan.reply {
        Reply::Text(text) => {
            frames.push(delta(plan, &json!({"role": "assistant", "content": "", "refusal": null})));
            frames.extend(text::pieces(text).into_iter().map(|piece| delta(plan, &json!({ "content": piece }))));
        }
        Reply::Tool { name, arguments } => {
            let call = json!({
                "index": 0, "id": plan.id("call_"), "type": "function", "function": {"name": name, "arguments": ""},
            });
            frames.push(delta(plan, &json!({"role": "assistant", "content": null, "tool_calls": [call]})));
            frames.extend(
                text::pieces(arguments)
                    .into_iter()
                    .map(|piece| delta(plan, &json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}))),
            );
        }
    }
    frames.push(chunk(
        plan,
        &json!([{"index": 0, "delta": {}, "logprobs": null, "finish_reason": finish_reason(plan)}]),
        Value::Null,
    ));
    if includes_usage(plan) {
        // The usage comes in a chunk of its own, whose choices are empty, just before the end.
        frames.push(chunk(plan, &json!([]), usage(plan)).with_usage(Some(served(plan))));
    }
    frames.push(Frame::raw_event(None, "[DONE]"));
    frames
}

fn delta(plan: &Plan, delta: &Value) -> Frame {
    chunk(plan, &json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": null}]), Value::Null)
}

/// A chunk. With `include_usage` every chunk has a `usage` field, null in all but the last.
fn chunk(plan: &Plan, choices: &Value, usage: Value) -> Frame {
    let mut chunk = json!({
        "id": plan.id("chatcmpl-"),
        "object": "chat.completion.chunk",
        "created": plan.created,
        "model": plan.model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
        "choices": choices,
    });
    if includes_usage(plan)
        && let Value::Object(fields) = &mut chunk
    {
        fields.insert("usage".into(), usage);
    }
    Frame::event(None, &chunk)
}

fn includes_usage(plan: &Plan) -> bool {
    let asked = plan.request.get("stream_options").and_then(|options| options.get("include_usage"));
    plan.report_usage && asked.and_then(Value::as_bool).unwrap_or(false)
}

fn finish_reason(plan: &Plan) -> &'static str {
    match plan.reply {
        Reply::Text(_) => "stop",
        Reply::Tool { .. } => "tool_calls",
    }
}

/// Native counts: prompt tokens include cached ones, completion tokens include reasoning.
fn usage(plan: &Plan) -> Value {
    let counts = plan.counts;
    json!({
        "prompt_tokens": counts.input,
        "completion_tokens": counts.output,
        "total_tokens": counts.input + counts.output,
        "prompt_tokens_details": {
            "cached_tokens": counts.cached, "cache_write_tokens": counts.cache_write, "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": counts.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

fn served(plan: &Plan) -> ServedUsage {
    plan.counts.whole()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::tests::events;
    use crate::directives::Directives;

    fn plan(extra: Value, wishes: Directives) -> Plan {
        let mut request = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]});
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let Value::Object(request) = request else { unreachable!() };
        Plan::new(7, 1_700_000_000, request, &wishes, "messages", PROMPT_FIELDS).unwrap()
    }

    fn says_hi() -> Directives {
        Directives { reply: Some("hi there".into()), cached_tokens: 10, reasoning_tokens: 4, ..Directives::default() }
    }

    #[test]
    fn the_completion_object() {
        let answer = answer(&plan(json!({}), says_hi()));
        let body: Value = serde_json::from_slice(&answer.frames[0].bytes).unwrap();
        let expected = json!({
            "id": "chatcmpl-sim000000000007",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "gpt-4o-2024-08-06",
            "choices": [{
                "index": 0,
                "message": {"role": "assistant", "content": "hi there", "refusal": null, "annotations": []},
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "service_tier": "default",
            "system_fingerprint": "fp_simulated",
            "usage": {
                "prompt_tokens": 16, "completion_tokens": 6, "total_tokens": 22,
                "prompt_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {
                    "reasoning_tokens": 4, "audio_tokens": 0,
                    "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
                },
            },
        });
        assert_eq!(body, expected);
        assert_eq!(answer.frames[0].usage.unwrap().input_tokens, Some(16));
    }

    #[test]
    fn a_stream_reports_usage_in_its_last_chunk_only_where_asked() {
        let asked = answer(&plan(json!({"stream": true, "stream_options": {"include_usage": true}}), says_hi()));
        let chunks = events(&asked.frames);
        assert_eq!(chunks.last().unwrap().1, json!("[DONE]"));
        let usages: Vec<_> = chunks[..chunks.len() - 1].iter().map(|(_, chunk)| chunk["usage"].is_null()).collect();
        assert_eq!(usages, [true, true, true, true, false]);
        assert_eq!(chunks[chunks.len() - 2].1["choices"], json!([]));
        assert!(asked.frames[..asked.frames.len() - 2].iter().all(|frame| frame.usage.is_none()));

        let not_asked = answer(&plan(json!({"stream": true}), says_hi()));
        assert!(not_asked.frames.iter().all(|frame| frame.usage.is_none()));
        assert!(events(&not_asked.frames).iter().all(|(_, chunk)| chunk.get("usage").is_none()));
    }

    #[test]
    fn the_deltas_join_to_the_text_and_the_last_names_the_reason() {
        let answer = answer(&plan(json!({"stream": true}), says_hi()));
        let chunks = events(&answer.frames);
        let text: String =
            chunks.iter().filter_map(|(_, chunk)| chunk["choices"][0]["delta"]["content"].as_str()).collect();
        assert_eq!(text, "hi there");
        assert_eq!(chunks[0].1["choices"][0]["delta"]["role"], "assistant");
        assert_eq!(chunks[chunks.len() - 2].1["choices"][0]["finish_reason"], "stop");
    }

    #[test]
    fn a_tool_call_is_streamed_as_name_then_arguments() {
        let tools = json!({"stream": true, "tools": [{"type": "function", "function": {"name": "look_up"}}]});
        let answer = answer(&plan(tools, Directives { tool_call: true, ..says_hi() }));
        let calls: Vec<_> = events(&answer.frames)
            .into_iter()
            .map(|(_, chunk)| chunk["choices"][0]["delta"]["tool_calls"][0]["function"].clone())
            .filter(|function| !function.is_null())
            .collect();
        assert_eq!(calls[0], json!({"name": "look_up", "arguments": ""}));
        let arguments: String = calls.iter().filter_map(|call| call["arguments"].as_str()).collect();
        assert_eq!(arguments, r#"{"text":"hi there"}"#);
    }
}
