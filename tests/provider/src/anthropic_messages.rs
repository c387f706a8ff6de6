//! Anthropic messages: the message object and its events (the API reference of `/v1/messages`).

use crate::answer::{Answer, Frame};
use crate::fault::{Fault, Vendor};
use crate::ledger::ServedUsage;
use crate::plan::{Plan, Reply};
use crate::text;
use serde_json::{Value, json};

/// The fields of a request that the model reads.
pub(crate) const PROMPT_FIELDS: &[&str] = &["system", "messages", "tools"];

/// Output tokens that `message_start` reports before anything is written.
const FIRST_OUTPUT_TOKENS: u64 = 1;

/// The answer in frames: one JSON body, or the named events.
pub(crate) fn answer(plan: &Plan) -> Answer {
    let frames = if plan.stream { stream(plan) } else { vec![whole(plan)] };
    Answer { id: plan.id("msg_"), frames }
}

/// The event that stands in the stream for an error.
pub(crate) fn error_event(fault: &Fault, request_id: &str) -> Frame {
    Frame::event(Some("error"), &fault.body(Vendor::Anthropic, request_id)).with_error(fault.kind(Vendor::Anthropic))
}

fn whole(plan: &Plan) -> Frame {
    let block = match &plan.reply {
        Reply::Text(text) => json!({"type": "text", "text": text}),
        Reply::Tool { name, arguments } => {
            let input: Value = serde_json::from_str(arguments).unwrap_or_default();
            json!({"type": "tool_use", "id": plan.id("toolu_"), "name": name, "input": input})
        }
    };
    let message = message(plan, &json!([block]), json!(stop_reason(plan)), plan.counts.output);
    Frame::body(&message).with_usage(served(plan, plan.counts.output))
}

fn stream(plan: &Plan) -> Vec<Frame> {
    let start = message(plan, &json!([]), Value::Null, FIRST_OUTPUT_TOKENS);
    let mut frames =
        vec![event(json!({"type": "message_start", "message": start})).with_usage(served(plan, FIRST_OUTPUT_TOKENS))];
    let (block, delta): (Value, fn(&str) -> Value) = match &plan.reply {
        Reply::Text(_) => (json!({"type": "text", "text": ""}), |piece| json!({"type": "text_delta", "text": piece})),
        Reply::Tool { name, .. } => (
            json!({"type": "tool_use", "id": plan.id("toolu_"), "name": name, "input": {}}),
            |piece| json!({"type": "input_json_delta", "partial_json": piece}),
        ),
    };
    frames.push(event(json!({"type": "content_block_start", "index": 0, "content_block": block})));
    frames.push(event(json!({"type": "ping"})));
    for piece in text::pieces(plan.reply.text()) {
        frames.push(event(json!({"type": "content_block_delta", "index": 0, "delta": delta(piece)})));
    }
    frames.push(event(json!({"type": "content_block_stop", "index": 0})));
    let mut ending = json!({
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason(plan), "stop_sequence": null},
    });
    if plan.report_usage
        && let Value::Object(fields) = &mut ending
    {
        // Cumulative: it replaces the count of message_start.
        fields.insert("usage".into(), json!({"output_tokens": plan.counts.output}));
    }
    frames.push(event(ending).with_usage(served(plan, plan.counts.output)));
    frames.push(event(json!({"type": "message_stop"})));
    frames
}

fn event(data: Value) -> Frame {
    Frame::event(data.get("type").and_then(Value::as_str), &data)
}

fn message(plan: &Plan, content: &Value, stop_reason: Value, output_tokens: u64) -> Value {
    let mut message = json!({
        "id": plan.id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": plan.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
    });
    if plan.report_usage
        && let Value::Object(fields) = &mut message
    {
        fields.insert("usage".into(), usage(plan, output_tokens));
    }
    message
}

fn stop_reason(plan: &Plan) -> &'static str {
    match plan.reply {
        Reply::Text(_) => "end_turn",
        Reply::Tool { .. } => "tool_use",
    }
}

/// Native counts: `input_tokens` is only what came neither from the cache nor went into it. Thinking is not told
/// apart from other output here.
fn usage(plan: &Plan, output_tokens: u64) -> Value {
    let counts = plan.counts;
    json!({
        "input_tokens": counts.input - counts.cached - counts.cache_write,
        "cache_creation_input_tokens": counts.cache_write,
        "cache_read_input_tokens": counts.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": counts.cache_write, "ephemeral_1h_input_tokens": 0},
        "output_tokens": output_tokens,
        "service_tier": "standard",
    })
}

fn served(plan: &Plan, output_tokens: u64) -> Option<ServedUsage> {
    let whole = ServedUsage { output_tokens: Some(output_tokens), reasoning_tokens: None, ..plan.counts.whole() };
    plan.report_usage.then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::tests::events;
    use crate::directives::Directives;

    fn plan(extra: &Value, wishes: &Directives) -> Plan {
        let mut request = json!({
            "model": "claude-sonnet-4-5", "max_tokens": 64, "messages": [{"role": "user", "content": "hello"}],
        });
        request.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let Value::Object(request) = request else { unreachable!() };
        Plan::new(5, 1_700_000_000, request, wishes, "messages", PROMPT_FIELDS).unwrap()
    }

    fn says_hi() -> Directives {
        Directives {
            reply: Some("hi there".into()),
            cached_tokens: 100,
            cache_write_tokens: 20,
            ..Directives::default()
        }
    }

    #[test]
    fn the_message_object_leaves_cached_tokens_out_of_the_input() {
        let answer = answer(&plan(&json!({}), &says_hi()));
        let body: Value = serde_json::from_slice(&answer.frames[0].bytes).unwrap();
        let expected = json!({
            "id": "msg_sim000000000005",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5-20250929",
            "content": [{"type": "text", "text": "hi there"}],
            "stop_reason": "end_turn",
            "stop_sequence": null,
            "usage": {
                "input_tokens": 6,
                "cache_creation_input_tokens": 20,
                "cache_read_input_tokens": 100,
                "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 0},
                "output_tokens": 2,
                "service_tier": "standard",
            },
        });
        assert_eq!(body, expected);
        assert_eq!(answer.frames[0].usage.unwrap().input_tokens, Some(126));
    }

    #[test]
    fn a_stream_has_the_events_of_the_reference_in_order() {
        let answer = answer(&plan(&json!({"stream": true}), &says_hi()));
        let events = events(&answer.frames);
        let names: Vec<_> = events.iter().map(|(name, _)| name.as_deref().unwrap()).collect();
        assert_eq!(
            names,
            [
                "message_start",
                "content_block_start",
                "ping",
                "content_block_delta",
                "content_block_delta",
                "content_block_stop",
                "message_delta",
                "message_stop",
            ]
        );
        for (name, data) in &events {
            assert_eq!(data["type"].as_str(), name.as_deref());
        }
        assert_eq!(events[0].1["message"]["usage"]["output_tokens"], FIRST_OUTPUT_TOKENS);
        assert_eq!(events[6].1["usage"], json!({"output_tokens": 2}));
    }

    #[test]
    fn a_stream_reports_its_input_first_and_its_output_last() {
        let answer = answer(&plan(&json!({"stream": true}), &says_hi()));
        let reported: Vec<_> = answer
            .frames
            .iter()
            .enumerate()
            .filter_map(|(at, frame)| frame.usage.map(|usage| (at, usage.input_tokens, usage.output_tokens)))
            .collect();
        assert_eq!(reported, [(0, Some(126), Some(1)), (6, Some(126), Some(2))]);
    }

    #[test]
    fn a_tool_is_called_with_an_object() {
        let tools = json!({"tools": [{"name": "look_up", "input_schema": {"type": "object"}}]});
        let answer = answer(&plan(&tools, &Directives { tool_call: true, ..says_hi() }));
        let body: Value = serde_json::from_slice(&answer.frames[0].bytes).unwrap();
        assert_eq!(body["stop_reason"], "tool_use");
        assert_eq!(body["content"][0]["input"], json!({"text": "hi there"}));
    }
}
