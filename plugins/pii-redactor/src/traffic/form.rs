//! An event made in the form of another: what names the answer and the text stays, everything else that the other one
//! said is left out.

use super::delta;
use super::tree::{Detail, Kind, Tree};

/// Members of objects on the way to the text that say which text it is.
const STAY: &[&str] =
    &["index", "contentBlockIndex", "output_index", "content_index", "summary_index", "item_id", "type", "thought"];

/// Members of a choice that are there in every event, and empty in those that end nothing.
const EMPTY: &[&str] = &["finish_reason", "stop_reason", "completionReason", "logprobs"];

/// Data in the form of `last` with `text`, written as it is between quotation marks, in the place of the piece `id`; and
/// the name that such an event has, where it is another than that of `last`.
pub(crate) fn event(last: &str, id: &str, text: &str) -> Option<(String, Option<&'static str>)> {
    let tree = Tree::of(last, Detail::All).ok()?;
    let piece = delta::deltas(&tree).into_iter().find(|piece| piece.id == id)?;
    let path = tree.path(piece.node);
    if path.get(1).is_some_and(|step| tree.key(*step) == "content_block") {
        return Some((block(&tree, piece.node, text), Some("content_block_delta")));
    }
    let mut out = String::with_capacity(last.len());
    write(&tree, &path, 0, text, &mut out);
    Some((out, None))
}

/// Anthropic: what a block began with goes on as a delta of it.
fn block(tree: &Tree<'_>, node: usize, text: &str) -> String {
    let field = tree.key(node);
    let index = tree.member(0, "index").map_or("0", |index| tree.raw(index));
    format!(r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"{field}_delta","{field}":"{text}"}}}}"#)
}

/// Writes the container `path[depth]`, of its members those that stay and the one on the way.
fn write(tree: &Tree<'_>, path: &[usize], depth: usize, text: &str, out: &mut String) {
    let Some(&number) = path.get(depth) else { return };
    let Some(node) = tree.node(number) else { return };
    let next = path.get(depth + 1).copied();
    match node.kind {
        Kind::Object => {
            out.push('{');
            let begins = out.len();
            for child in tree.children(number) {
                let key = tree.key(child);
                let kind = tree.node(child).map_or(Kind::Word, |child| child.kind);
                let scalar = matches!(kind, Kind::Text | Kind::Number | Kind::Word);
                let on_the_way = Some(child) == next;
                let parts = depth > 0 && tree.key(number) == "content" && key == "role";
                let empty = EMPTY.contains(&key.as_ref()) && depth > 0;
                let stays = scalar && (depth == 0 || STAY.contains(&key.as_ref()) || parts);
                let list = depth == 0 && kind == Kind::Array && key == "logprobs";
                if !on_the_way && !stays && !empty && !list {
                    continue;
                }
                if out.len() > begins {
                    out.push(',');
                }
                out.push('"');
                out.push_str(&super::texts::quoted(&key));
                out.push_str("\":");
                if on_the_way {
                    write(tree, path, depth + 1, text, out);
                } else if empty {
                    out.push_str("null");
                } else if list {
                    out.push_str("[]");
                } else if kind == Kind::Text {
                    // Other texts of the answer have been said.
                    let said = delta::deltas(tree).iter().any(|piece| piece.node == child);
                    out.push('"');
                    out.push_str(if said { "" } else { tree.raw(child) });
                    out.push('"');
                } else {
                    out.push_str(tree.raw(child));
                }
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            write(tree, path, depth + 1, text, out);
            out.push(']');
        }
        Kind::Text | Kind::Number | Kind::Word => {
            out.push('"');
            out.push_str(text);
            out.push('"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(last: &str) -> String {
        let tree = Tree::of(last, Detail::Values).unwrap();
        let id = delta::deltas(&tree).pop().unwrap().id;
        event(last, &id, "REST").unwrap_or_else(|| panic!("{id} in {last}")).0
    }

    #[test]
    fn the_form_of_the_last_event_stays() {
        let cases = [
            (
                r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":1,"delta":{"role":"assistant","content":"X"},"logprobs":null,"finish_reason":null}],"usage":{"prompt_tokens":1}}"#,
                r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":1,"delta":{"content":"REST"},"logprobs":null,"finish_reason":null}]}"#,
            ),
            (
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":2,"id":"call","type":"function","function":{"name":"f","arguments":"X"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":2,"type":"function","function":{"arguments":"REST"}}]}}]}"#,
            ),
            (
                r#"{"type":"response.output_text.delta","sequence_number":7,"item_id":"m","output_index":0,"content_index":0,"delta":"X","logprobs":[{"token":"X"}]}"#,
                r#"{"type":"response.output_text.delta","sequence_number":7,"item_id":"m","output_index":0,"content_index":0,"delta":"REST","logprobs":[]}"#,
            ),
            (
                r#"{"type":"content_block_start","index":3,"content_block":{"type":"text","text":"X"}}"#,
                r#"{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"REST"}}"#,
            ),
            (
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}},{"text":"X"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":1},"modelVersion":"g"}"#,
                r#"{"candidates":[{"content":{"parts":[{"text":"REST"}],"role":"model"},"index":0}],"modelVersion":"g"}"#,
            ),
            (
                r#"{"contentBlockIndex":0,"delta":{"text":"X"},"p":"ab"}"#,
                r#"{"contentBlockIndex":0,"delta":{"text":"REST"},"p":"ab"}"#,
            ),
            (
                r#"{"model":"m","created_at":"t","message":{"role":"assistant","content":"X"},"done":false}"#,
                r#"{"model":"m","created_at":"t","message":{"content":"REST"},"done":false}"#,
            ),
        ];
        for (last, expected) in cases {
            assert_eq!(made(last), expected);
        }
    }
}
