//! From a request to what will be answered, before it takes the shape of an API.

use crate::directives::Directives;
use crate::fault::Fault;
use crate::ledger::ServedUsage;
use crate::{models, text};
use serde_json::{Map, Value, json};

/// Tokens that the frame of a message costs besides its text.
const TOKENS_A_REQUEST: u64 = 3;

/// One answer, decided.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Number of the call, for ids.
    pub(crate) number: u64,
    /// Unix time of the answer in seconds.
    pub(crate) created: u64,
    /// The request's fields.
    pub(crate) request: Map<String, Value>,
    /// The model as the answer names it.
    pub(crate) model: String,
    pub(crate) stream: bool,
    pub(crate) reply: Reply,
    pub(crate) counts: Counts,
    /// Whether the answer reports its usage.
    pub(crate) report_usage: bool,
}

/// What the model says.
#[derive(Debug)]
pub(crate) enum Reply {
    Text(String),
    /// A call of the request's first tool, with JSON text as arguments.
    Tool {
        name: String,
        arguments: String,
    },
}

/// Canonical token counts of the whole answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) input: u64,
    pub(crate) cached: u64,
    pub(crate) cache_write: u64,
    pub(crate) output: u64,
    pub(crate) reasoning: u64,
}

impl Plan {
    /// Decides the answer. `prompt_fields` are the request fields whose text the model reads, `messages_field` the
    /// one that must be there.
    pub(crate) fn new(
        number: u64,
        created: u64,
        request: Map<String, Value>,
        wishes: &Directives,
        messages_field: &str,
        prompt_fields: &[&str],
    ) -> Result<Self, Fault> {
        let Some(requested) = request.get("model").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            return Err(Fault::BadRequest("The request has no model: `model` must be a text.".into()));
        };
        if !matches!(request.get(messages_field), Some(Value::Array(_) | Value::String(_))) {
            return Err(Fault::BadRequest(format!("The request has no `{messages_field}`.")));
        }
        let model = models::answered_as(requested).to_owned();
        let stream = request.get("stream").and_then(Value::as_bool).unwrap_or(false);
        let read: usize = prompt_fields.iter().filter_map(|field| request.get(*field)).map(text::text_bytes).sum();
        let kept = wishes.cached_tokens + wishes.cache_write_tokens;
        let input = wishes.input_tokens.unwrap_or(text::tokens(read) + TOKENS_A_REQUEST + kept).max(kept);
        let reply = reply(&request, wishes, input);
        let written = text::tokens(reply.text().len()) + wishes.reasoning_tokens;
        let output = wishes.output_tokens.unwrap_or(written).max(wishes.reasoning_tokens);
        Ok(Self {
            number,
            created,
            model,
            stream,
            reply,
            counts: Counts {
                input,
                cached: wishes.cached_tokens,
                cache_write: wishes.cache_write_tokens,
                output,
                reasoning: wishes.reasoning_tokens,
            },
            report_usage: !wishes.no_usage,
            request,
        })
    }

    /// An id with the prefix of its kind.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}sim{:012}", self.number)
    }

    /// A request field, or null.
    pub(crate) fn echo(&self, field: &str) -> Value {
        self.request.get(field).cloned().unwrap_or(Value::Null)
    }
}

impl Reply {
    /// What is streamed in pieces: the text, or the arguments.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Tool { arguments: text, .. } => text,
        }
    }
}

impl Counts {
    /// The counts of an answer served whole.
    pub(crate) fn whole(&self) -> ServedUsage {
        ServedUsage {
            input_tokens: Some(self.input),
            output_tokens: Some(self.output),
            cache_read_tokens: Some(self.cached),
            cache_write_tokens: Some(self.cache_write),
            reasoning_tokens: Some(self.reasoning),
        }
    }
}

fn reply(request: &Map<String, Value>, wishes: &Directives, input_tokens: u64) -> Reply {
    let text = match (&wishes.reply, wishes.reply_bytes) {
        (Some(text), _) => text.clone(),
        (None, Some(bytes)) => text::filler(bytes),
        (None, None) => text::default_reply(input_tokens),
    };
    match wishes.tool_call.then(|| first_tool(request)).flatten() {
        Some(name) => Reply::Tool { name, arguments: json!({ "text": text }).to_string() },
        None => Reply::Text(text),
    }
}

/// The name of the request's first tool: below `function` in chat completions, at the top in the other two.
fn first_tool(request: &Map<String, Value>) -> Option<String> {
    let tool = request.get("tools")?.get(0)?;
    let name = tool.get("function").and_then(|function| function.get("name")).or_else(|| tool.get("name"))?;
    name.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(request: Value, wishes: &Directives) -> Result<Plan, Fault> {
        let Value::Object(request) = request else { panic!("an object") };
        Plan::new(1, 0, request, wishes, "messages", &["messages"])
    }

    fn hello() -> Value {
        json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello you"}]})
    }

    #[test]
    fn counts_follow_from_the_text_and_the_wishes() {
        let base = Counts { input: 4 + 3, cached: 0, cache_write: 0, output: 2, reasoning: 0 };
        let says_hi = Directives { reply: Some("hi there".into()), ..Directives::default() };
        for (wishes, counts) in [
            (says_hi.clone(), base),
            (Directives { cached_tokens: 100, ..says_hi.clone() }, Counts { input: 107, cached: 100, ..base }),
            (
                Directives { input_tokens: Some(50), cache_write_tokens: 60, ..says_hi.clone() },
                Counts { input: 60, cache_write: 60, ..base },
            ),
            (Directives { reasoning_tokens: 9, ..says_hi.clone() }, Counts { output: 11, reasoning: 9, ..base }),
            (Directives { output_tokens: Some(500), ..says_hi }, Counts { output: 500, ..base }),
        ] {
            assert_eq!(plan(hello(), &wishes).unwrap().counts, counts, "{wishes:?}");
        }
    }

    #[test]
    fn a_request_without_model_or_messages_is_bad() {
        for request in [json!({"messages": []}), json!({"model": 4, "messages": []}), json!({"model": "gpt-4o"})] {
            assert!(matches!(plan(request, &Directives::default()), Err(Fault::BadRequest(_))));
        }
    }

    #[test]
    fn the_first_tool_is_called_where_asked_for_and_there_is_one() {
        let wishes = Directives { tool_call: true, ..Directives::default() };
        assert!(matches!(plan(hello(), &wishes).unwrap().reply, Reply::Text(_)));
        for tool in [json!({"type": "function", "function": {"name": "look_up"}}), json!({"name": "look_up"})] {
            let mut request = hello();
            request["tools"] = json!([tool]);
            assert!(matches!(plan(request, &wishes).unwrap().reply, Reply::Tool { name, .. } if name == "look_up"));
        }
    }
}
