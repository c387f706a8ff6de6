//! Which texts of an event are pieces of a longer one, and when that one is at its end.
//!
//! | API | pieces | end |
//! |---|---|---|
//! | OpenAI chat completions and its likes | every text in `choices[].delta` | `finish_reason` of the choice, `[DONE]` |
//! | completions | `choices[].text` | the same |
//! | OpenAI Responses | `delta` of events `response.*.delta` | any `.done` event, `response.completed` and its likes |
//! | Anthropic messages | every text in `delta` of `content_block_delta`, and what `content_block_start` begins with | `content_block_stop`, `message_delta`, `message_stop` |
//! | Gemini | `candidates[].content.parts[].text`, thoughts apart | the end of the stream |
//! | Bedrock Converse, Nova | every text in `delta` | the stop of the block or message |
//! | Bedrock InvokeModel | `outputText`, `generation`, `completion`, `outputs[].text`, `text` | its reason, the end of the stream |
//! | Cohere | every text in `delta`; v1: `text`, `tool_call_delta.parameters` | `content-end`, `tool-call-end`, `message-end`; `is_finished` |
//! | Ollama | `message.content`, `message.thinking`, `response`, `thinking` | `done` |
//!
//! A model writes one thing at a time, so a text is also at its end where another field of the same choice has
//! something to say.

use super::fields::{self, Class, Realm};
use super::tree::{Kind, Tree};
use std::borrow::Cow;

/// A text of an event that continues one from before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delta {
    /// Where in the event it stands.
    pub(crate) node: usize,
    /// What it continues: the same for all pieces of a text.
    pub(crate) id: String,
    /// The choice that it is of.
    pub(crate) group: String,
    /// Whether the whole is JSON: the arguments of a tool.
    pub(crate) json: bool,
}

/// Texts that an event ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Nothing,
    /// Those of these choices.
    Groups(Vec<String>),
    All,
}

impl Ended {
    pub(crate) fn has(&self, group: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Groups(groups) => groups.iter().any(|name| name == group),
            Self::All => true,
        }
    }
}

/// Members that tell apart what pieces belong to.
const IDENTITY: &[&str] =
    &["index", "contentBlockIndex", "output_index", "content_index", "summary_index", "item_id", "thought"];

/// Parts of a `delta` that come whole.
const WHOLE: &[&str] =
    &["citation", "citations", "annotations", "annotation", "stop_sequence", "stop", "error", "sources"];

/// The pieces in an event, in the order of its text.
pub(crate) fn deltas(tree: &Tree<'_>) -> Vec<Delta> {
    let texts = tree.all().filter(|number| tree.node(*number).is_some_and(|node| node.kind == Kind::Text));
    texts.filter_map(|number| delta(tree, number)).collect()
}

fn delta(tree: &Tree<'_>, number: usize) -> Option<Delta> {
    let path = tree.path(number);
    let names: Vec<Cow<'_, str>> = path.iter().skip(1).map(|step| step_name(tree, *step)).collect();
    let keys: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let json = is_piece(tree, &keys)?;
    let (realm, class) = fields::value_in(tree, number, &path);
    if class == Class::Protocol || realm != Realm::Api {
        return None;
    }
    Some(Delta { node: number, id: id(tree, &path, &keys), group: group(tree, &path), json })
}

/// The name of a member; `[]` for an element.
fn step_name<'a>(tree: &Tree<'a>, number: usize) -> Cow<'a, str> {
    match tree.node(number) {
        Some(node) if node.key_range().is_empty() => Cow::Borrowed("[]"),
        _ => tree.key(number),
    }
}

/// Whether the value at this path is a piece; and if so, whether of JSON.
fn is_piece(tree: &Tree<'_>, keys: &[&str]) -> Option<bool> {
    let has = |name| tree.member(0, name).is_some();
    let kind = || tree.member(0, "type").map(|number| tree.text(number).into_owned()).unwrap_or_default();
    match keys {
        ["delta"] => {
            let kind = kind();
            let sound = kind.ends_with("audio.delta");
            (kind.ends_with(".delta") && !sound).then(|| kind.contains("arguments"))
        }
        ["content_block", "text" | "thinking"] => Some(false),
        ["choices", "[]", "text"]
        | ["candidates", "[]", "content", "parts", "[]", "text"]
        | ["outputText" | "generation" | "completion"]
        | ["outputs", "[]", "text"] => Some(false),
        ["message", "content" | "thinking"] | ["response" | "thinking"] if has("done") => Some(false),
        ["text"] if !has("type") => Some(false),
        ["tool_call_delta", "parameters"] => Some(true),
        _ => {
            let place = keys.iter().position(|key| *key == "delta")?;
            let within = keys.get(place + 1..)?;
            let last = within.last()?;
            if within.iter().any(|key| WHOLE.contains(key)) {
                return None;
            }
            let tool = within.iter().any(|key| key.starts_with("tool"));
            Some(matches!(*last, "arguments" | "partial_json") || (*last == "input" && tool))
        }
    }
}

/// What the value at this path continues.
fn id(tree: &Tree<'_>, path: &[usize], keys: &[&str]) -> String {
    let mut id = String::new();
    let gemini = keys.first() == Some(&"candidates");
    for (number, key) in path.iter().zip(std::iter::once(&"").chain(keys)) {
        // What a block begins with is continued by its deltas.
        id.push_str(if *key == "content_block" { "delta" } else { key });
        let identified = identity(tree, *number, &mut id);
        if !identified && *key == "[]" && !gemini {
            id.push_str(&tree.node(*number).map(|node| node.position).unwrap_or(0).to_string());
        }
        id.push('/');
    }
    if keys == ["delta"]
        && let Some(kind) = tree.member(0, "type")
    {
        id.push_str(tree.raw(kind));
    }
    id
}

/// Appends what tells an object from its likes; whether there is something.
fn identity(tree: &Tree<'_>, number: usize, id: &mut String) -> bool {
    if tree.node(number).is_none_or(|node| node.kind != Kind::Object) {
        return false;
    }
    let before = id.len();
    for child in tree.children(number) {
        let key = tree.key(child);
        let scalar = tree.node(child).is_some_and(|node| node.kind != Kind::Object);
        if IDENTITY.contains(&key.as_ref()) && scalar && !matches!(tree.raw(child), "false" | "null") {
            id.push_str(&format!(";{key}={}", tree.raw(child)));
        }
    }
    id.len() > before
}

/// The choice that a value is of; empty where an answer has but one.
pub(crate) fn group(tree: &Tree<'_>, path: &[usize]) -> String {
    let mut group = String::new();
    if let [_, list, element, ..] = path
        && matches!(tree.key(*list).as_ref(), "choices" | "candidates" | "outputs")
    {
        group.push_str(&tree.key(*list));
        let index = tree.member(*element, "index").map(|index| tree.raw(index).to_owned());
        let position = || tree.node(*element).map_or(0, |node| node.position).to_string();
        group.push_str(&index.unwrap_or_else(position));
    }
    group
}

/// Names of members that say why a choice, or the answer, is at its end.
const FINISH: &[&str] = &["finish_reason", "stop_reason", "stopReason", "completionReason", "done_reason"];

/// Types of events that end whatever is under way.
const ENDS: &[&str] = &[
    "content_block_stop",
    "message_stop",
    "content-end",
    "tool-call-end",
    "tool-plan-end",
    "message-end",
    "stream-end",
    "error",
    "response.completed",
    "response.failed",
    "response.incomplete",
    "response.cancelled",
    "response.output_item.added",
    "response.content_part.added",
];

/// The texts that an event ends.
pub(crate) fn ended(tree: &Tree<'_>) -> Ended {
    let kind = |name| tree.member(0, name).map(|number| tree.text(number)).unwrap_or_default();
    let has = |name| tree.member(0, name).is_some();
    for name in ["type", "event_type"] {
        let kind = kind(name);
        if ENDS.contains(&kind.as_ref()) || kind.ends_with(".done") {
            return Ended::All;
        }
    }
    let stop = has("contentBlockIndex") && !has("delta") && !has("start");
    if stop || has("contentBlockStop") || has("messageStop") || has("error") {
        return Ended::All;
    }
    let mut groups = Vec::new();
    for number in tree.all() {
        let Some(node) = tree.node(number).filter(|node| !node.range().is_empty()) else { continue };
        let key = tree.key(number);
        let finished = match node.kind {
            Kind::Text => FINISH.contains(&key.as_ref()),
            Kind::Word => matches!(key.as_ref(), "done" | "is_finished") && tree.raw(number) == "true",
            _ => false,
        };
        if finished {
            match group(tree, &tree.path(number)) {
                group if group.is_empty() => return Ended::All,
                group => groups.push(group),
            }
        }
    }
    if groups.is_empty() { Ended::Nothing } else { Ended::Groups(groups) }
}

/// Whether the event may be the last of a Gemini stream: some servers say so in every event, and only the end of the
/// stream tells.
pub(crate) fn may_be_last(tree: &Tree<'_>) -> bool {
    let Some(candidates) = tree.member(0, "candidates") else { return false };
    tree.children(candidates).any(|candidate| tree.member(candidate, "finishReason").is_some())
}

#[cfg(test)]
mod tests {
    use super::super::tree::Detail;
    use super::*;

    fn pieces(text: &str) -> Vec<(String, bool)> {
        let tree = Tree::of(text, Detail::Values).unwrap();
        deltas(&tree).into_iter().map(|delta| (tree.text(delta.node).into_owned(), delta.json)).collect()
    }

    #[test]
    fn pieces_of_every_api() {
        let cases: &[(&str, &[(&str, bool)])] = &[
            (r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"X"}}]}"#, &[("X", false)]),
            (r#"{"choices":[{"delta":{"content":null,"reasoning_content":"X"}}]}"#, &[("X", false)]),
            (
                r#"{"choices":[{"delta":{"reasoning_details":[{"type":"reasoning.text","text":"X"}]}}]}"#,
                &[("X", false)],
            ),
            (
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"X"}}]}}]}"#,
                &[("X", true)],
            ),
            (r#"{"choices":[{"delta":{"content":[{"type":"text","text":"X"}]}}]}"#, &[("X", false)]),
            (r#"{"choices":[{"index":0,"text":"X","finish_reason":null}]}"#, &[("X", false)]),
            (r#"{"type":"response.output_text.delta","item_id":"m","delta":"X"}"#, &[("X", false)]),
            (r#"{"type":"response.function_call_arguments.delta","item_id":"m","delta":"X"}"#, &[("X", true)]),
            (r#"{"type":"response.audio.delta","delta":"X"}"#, &[]),
            (r#"{"type":"response.output_text.done","text":"X"}"#, &[]),
            (r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"X"}}"#, &[("X", false)]),
            (r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"X"}}"#, &[("X", false)]),
            (
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"X"}}"#,
                &[("X", true)],
            ),
            (
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"X"}}"#,
                &[("X", false)],
            ),
            (r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"X"}}"#, &[]),
            (r#"{"type":"content_block_delta","delta":{"type":"citations_delta","citation":{"cited_text":"X"}}}"#, &[]),
            (r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"X"}}"#, &[]),
            (
                r#"{"candidates":[{"content":{"parts":[{"text":"X"},{"text":"Y","thought":true}],"role":"model"}}]}"#,
                &[("X", false), ("Y", false)],
            ),
            (r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"text":"X"}}}]}}]}"#, &[]),
            (r#"{"contentBlockIndex":0,"delta":{"text":"X"},"p":"abc"}"#, &[("X", false)]),
            (r#"{"contentBlockIndex":0,"delta":{"toolUse":{"input":"X"}}}"#, &[("X", true)]),
            (r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"X"}}}"#, &[("X", false)]),
            (r#"{"contentBlockDelta":{"delta":{"text":"X"},"contentBlockIndex":0}}"#, &[("X", false)]),
            (r#"{"outputText":"X","index":0,"completionReason":null}"#, &[("X", false)]),
            (r#"{"generation":"X"}"#, &[("X", false)]),
            (r#"{"completion":"X","stop_reason":null}"#, &[("X", false)]),
            (r#"{"outputs":[{"text":"X","stop_reason":null}]}"#, &[("X", false)]),
            (r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"X"}}}}"#, &[("X", false)]),
            (
                r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"X"}}}}}"#,
                &[("X", true)],
            ),
            (r#"{"is_finished":false,"event_type":"text-generation","text":"X"}"#, &[("X", false)]),
            (r#"{"model":"m","message":{"role":"assistant","content":"X"},"done":false}"#, &[("X", false)]),
            (r#"{"model":"m","response":"X","done":false}"#, &[("X", false)]),
            (r#"{"message":{"content":"X"}}"#, &[]),
            (r#"{"type":"ping"}"#, &[]),
        ];
        for (text, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|(text, json)| ((*text).to_owned(), *json)).collect();
            assert_eq!(pieces(text), expected, "{text}");
        }
    }

    #[test]
    fn pieces_of_one_text_have_one_id() {
        let id = |text: &str| {
            let tree = Tree::of(text, Detail::Values).unwrap();
            let mut deltas = deltas(&tree);
            assert_eq!(deltas.len(), 1, "{text}");
            deltas.remove(0).id
        };
        for (one, two, same) in [
            (
                r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#,
                r#"{"choices":[{"delta":{"content":"b"},"index":0}]}"#,
                true,
            ),
            (
                r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#,
                r#"{"choices":[{"index":1,"delta":{"content":"a"}}]}"#,
                false,
            ),
            (
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"a"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"a"}}]}}]}"#,
                false,
            ),
            (
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"a"}}"#,
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"b"}}"#,
                true,
            ),
            (
                r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"a"}"#,
                r#"{"type":"response.output_text.delta","output_index":0,"content_index":1,"delta":"a"}"#,
                false,
            ),
            (
                r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#,
                r#"{"candidates":[{"content":{"parts":[{"text":"a","thought":true}]}}]}"#,
                false,
            ),
            (
                r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}"#,
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}},{"text":"a"}]}}]}"#,
                true,
            ),
        ] {
            assert_eq!(id(one) == id(two), same, "{one} {two}");
        }
    }

    #[test]
    fn what_ends() {
        for (text, expected) in [
            (r#"{"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}"#, Ended::Groups(vec!["choices1".into()])),
            (r#"{"choices":[{"index":1,"delta":{},"finish_reason":null}]}"#, Ended::Nothing),
            (r#"{"type":"content_block_stop","index":0}"#, Ended::All),
            (r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#, Ended::All),
            (r#"{"type":"ping"}"#, Ended::Nothing),
            (r#"{"type":"response.output_text.done","text":"x"}"#, Ended::All),
            (r#"{"type":"response.in_progress"}"#, Ended::Nothing),
            (r#"{"contentBlockIndex":0,"p":"a"}"#, Ended::All),
            (r#"{"contentBlockIndex":0,"delta":{"text":"a"}}"#, Ended::Nothing),
            (r#"{"stopReason":"end_turn"}"#, Ended::All),
            (r#"{"message":{"content":""},"done":true}"#, Ended::All),
            (r#"{"message":{"content":""},"done":false}"#, Ended::Nothing),
            (r#"{"error":{"message":"x"}}"#, Ended::All),
        ] {
            assert_eq!(ended(&Tree::of(text, Detail::Values).unwrap()), expected, "{text}");
        }
    }
}
