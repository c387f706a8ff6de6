//! OpenAI Responses: the response object and its events (the API reference of `/v1/responses`).

use crate::answer::{Answer, Frame};
use crate::fault::{Fault, Vendor};
use crate::plan::{Plan, Reply};
use crate::text;
use serde_json::{Value, json};

/// The fields of a request that the model reads.
pub(crate) const PROMPT_FIELDS: &[&str] = &["input", "instructions", "tools"];

/// The answer in frames: one JSON body, or the numbered events.
pub(crate) fn answer(plan: &Plan) -> Answer {
    let usage = plan.report_usage.then(|| plan.counts.whole());
    let frames = if plan.stream {
        stream(plan)
    } else {
        vec![Frame::body(&response(plan, Progress::Completed)).with_usage(usage)]
    };
    Answer { id: plan.id("resp_"), frames }
}

/// The event that stands in the stream for an error.
pub(crate) fn error_event(fault: &Fault, sequence_number: usize) -> Frame {
    let mut data = fault.responses_event();
    if let Value::Object(fields) = &mut data {
        fields.insert("type".into(), json!("error"));
        fields.insert("sequence_number".into(), json!(sequence_number));
    }
    Frame::event(Some("error"), &data).with_error(fault.kind(Vendor::OpenAi))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    InProgress,
    Completed,
}

/// The whole response object, as both the JSON body and three of the events carry it.
fn response(plan: &Plan, progress: Progress) -> Value {
    let completed = progress == Progress::Completed;
    json!({
        "id": plan.id("resp_"),
        "object": "response",
        "created_at": plan.created,
        "status": if completed { "completed" } else { "in_progress" },
        "background": false,
        "error": null,
        "incomplete_details": null,
        "instructions": plan.echo("instructions"),
        "max_output_tokens": plan.echo("max_output_tokens"),
        "metadata": or(plan.echo("metadata"), json!({})),
        "model": plan.model,
        "output": if completed { json!([item(plan, progress)]) } else { json!([]) },
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null},
        "service_tier": "default",
        "store": true,
        "temperature": or(plan.echo("temperature"), json!(1.0)),
        "text": {"format": {"type": "text"}},
        "tool_choice": or(plan.echo("tool_choice"), json!("auto")),
        "tools": or(plan.echo("tools"), json!([])),
        "top_p": or(plan.echo("top_p"), json!(1.0)),
        "truncation": "disabled",
        "usage": if completed && plan.report_usage { usage(plan) } else { Value::Null },
        "user": plan.echo("user"),
    })
}

fn or(value: Value, otherwise: Value) -> Value {
    if value.is_null() { otherwise } else { value }
}

fn item_id(plan: &Plan) -> String {
    match plan.reply {
        Reply::Text(_) => plan.id("msg_"),
        Reply::Tool { .. } => plan.id("fc_"),
    }
}

/// The one output item: a message or a function call, empty while in progress.
fn item(plan: &Plan, progress: Progress) -> Value {
    let completed = progress == Progress::Completed;
    let status = if completed { "completed" } else { "in_progress" };
    match &plan.reply {
        Reply::Text(text) => json!({
            "id": item_id(plan), "type": "message", "status": status, "role": "assistant",
            "content": if completed { json!([part(text)]) } else { json!([]) },
        }),
        Reply::Tool { name, arguments } => json!({
            "id": item_id(plan), "type": "function_call", "status": status, "call_id": plan.id("call_"), "name": name,
            "arguments": if completed { arguments } else { "" },
        }),
    }
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn stream(plan: &Plan) -> Vec<Frame> {
    let id = item_id(plan);
    let mut events = Events::default();
    events.push("response.created", json!({"response": response(plan, Progress::InProgress)}));
    events.push("response.in_progress", json!({"response": response(plan, Progress::InProgress)}));
    events.push("response.output_item.added", json!({"output_index": 0, "item": item(plan, Progress::InProgress)}));
    match &plan.reply {
        Reply::Text(text) => {
            let at = json!({"item_id": id, "output_index": 0, "content_index": 0});
            events.push("response.content_part.added", with(&at, json!({"part": part("")})));
            for piece in text::pieces(text) {
                events.push("response.output_text.delta", with(&at, json!({"delta": piece, "logprobs": []})));
            }
            events.push("response.output_text.done", with(&at, json!({"text": text, "logprobs": []})));
            events.push("response.content_part.done", with(&at, json!({"part": part(text)})));
        }
        Reply::Tool { arguments, .. } => {
            let at = json!({"item_id": id, "output_index": 0});
            for piece in text::pieces(arguments) {
                events.push("response.function_call_arguments.delta", with(&at, json!({ "delta": piece })));
            }
            events.push("response.function_call_arguments.done", with(&at, json!({ "arguments": arguments })));
        }
    }
    events.push("response.output_item.done", json!({"output_index": 0, "item": item(plan, Progress::Completed)}));
    events.push("response.completed", json!({"response": response(plan, Progress::Completed)}));
    let usage = plan.report_usage.then(|| plan.counts.whole());
    if let Some(last) = events.frames.last_mut() {
        last.usage = usage;
    }
    events.frames
}

/// Numbers the events as they come.
#[derive(Default)]
struct Events {
    frames: Vec<Frame>,
}

impl Events {
    fn push(&mut self, kind: &str, data: Value) {
        let numbered = with(&json!({"type": kind, "sequence_number": self.frames.len()}), data);
        self.frames.push(Frame::event(Some(kind), &numbered));
    }
}

/// The fields of both objects.
fn with(first: &Value, second: Value) -> Value {
    let mut fields = first.as_object().cloned().unwrap_or_default();
    if let Value::Object(more) = second {
        fields.extend(more);
    }
    Value::Object(fields)
}

/// Native counts: input tokens include cached ones, output tokens include reasoning.
fn usage(plan: &Plan) -> Value {
    let counts = plan.counts;
    json!({
        "input_tokens": counts.input,
        "input_tokens_details": {"cached_tokens": counts.cached, "cache_write_tokens": counts.cache_write},
        "output_tokens": counts.output,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning},
        "total_tokens": counts.input + counts.output,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::tests::events;
    use crate::directives::Directives;

    fn plan(extra: Value, wishes: &Directives) -> Plan {
        let request = with(&json!({"model": "gpt-4.1", "input": "hello"}), extra);
        Plan::new(3, 1_700_000_000, request.as_object().unwrap().clone(), wishes, "input", PROMPT_FIELDS).unwrap()
    }

    fn says_hi() -> Directives {
        Directives { reply: Some("hi there".into()), ..Directives::default() }
    }

    #[test]
    fn a_text_stream_has_the_events_of_the_reference_in_order() {
        let answer = answer(&plan(json!({"stream": true}), &says_hi()));
        let events = events(&answer.frames);
        let names: Vec<_> = events.iter().map(|(name, _)| name.as_deref().unwrap()).collect();
        assert_eq!(
            names,
            [
                "response.created",
                "response.in_progress",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.delta",
                "response.output_text.delta",
                "response.output_text.done",
                "response.content_part.done",
                "response.output_item.done",
                "response.completed",
            ]
        );
        for (number, (name, data)) in events.iter().enumerate() {
            assert_eq!(data["type"].as_str(), name.as_deref());
            assert_eq!(data["sequence_number"], number);
        }
    }

    #[test]
    fn only_the_completed_response_reports_usage() {
        let answer = answer(&plan(json!({"stream": true}), &says_hi()));
        let events = events(&answer.frames);
        assert!(events[0].1["response"]["usage"].is_null());
        let last = &events.last().unwrap().1["response"];
        assert_eq!(last["usage"]["total_tokens"], 2 + 3 + 2);
        assert_eq!(last["output"][0]["content"][0]["text"], "hi there");
        let (last, others) = answer.frames.split_last().unwrap();
        assert_eq!(last.usage.unwrap().output_tokens, Some(2));
        assert!(others.iter().all(|frame| frame.usage.is_none()));
    }

    #[test]
    fn a_body_is_the_response_of_the_completed_event() {
        let body = answer(&plan(json!({}), &says_hi()));
        let streamed = answer(&plan(json!({"stream": true}), &says_hi()));
        let body: Value = serde_json::from_slice(&body.frames[0].bytes).unwrap();
        assert_eq!(body, events(&streamed.frames).last().unwrap().1["response"]);
    }

    #[test]
    fn without_usage_the_field_is_null() {
        let answer = answer(&plan(json!({}), &Directives { no_usage: true, ..says_hi() }));
        let body: Value = serde_json::from_slice(&answer.frames[0].bytes).unwrap();
        assert!(body["usage"].is_null());
        assert_eq!(answer.frames[0].usage, None);
    }

    #[test]
    fn a_function_call_is_streamed_as_arguments() {
        let tools = json!({"stream": true, "tools": [{"type": "function", "name": "look_up"}]});
        let answer = answer(&plan(tools, &Directives { tool_call: true, ..says_hi() }));
        let events = events(&answer.frames);
        let arguments: String = events
            .iter()
            .filter(|(name, _)| name.as_deref() == Some("response.function_call_arguments.delta"))
            .filter_map(|(_, data)| data["delta"].as_str())
            .collect();
        assert_eq!(arguments, r#"{"text":"hi there"}"#);
        assert_eq!(events[2].1["item"]["name"], "look_up");
    }
}
