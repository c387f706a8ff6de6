//! Which values of an exchange's documents are content, and which belong to the protocol.
//!
//! Everything is content, names of members included, but what the APIs' references say to be a name, a reference, a
//! state, a time or a measure: changing one of those would break the call and hide nothing that a model reads. What
//! callers and models make up (arguments, results of tools, metadata, documents) is content whatever its names are.
//! Of JSON schemas the words of the schema language and the names of properties stay, since arguments repeat them.
//!
//! Sources: the API references of OpenAI (chat completions, completions, Responses, embeddings), Anthropic (messages),
//! Google (Gemini `generateContent`), AWS (Bedrock `Converse`, `InvokeModel`), Cohere (chat v1 and v2), Mistral and
//! Ollama; JSON Schema 2020-12 for schemas.

use super::tree::{Kind, Tree};
use std::borrow::Cow;

/// What a value or a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Somebody may have said it: it is looked at.
    Content,
    /// Where something is: an address stays, anything else in it does not.
    Reference,
    /// It stays as it is.
    Protocol,
}

/// What the names within a container mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Realm {
    /// What the API says.
    Api,
    /// What the caller or the model likes.
    Free,
    /// JSON Schema.
    Schema,
    /// Names of properties, each a schema.
    Properties,
    /// Nothing that a person said.
    Protocol,
}

/// Names whose texts stay: models, roles, states, formats, signatures, times.
const PROTOCOL: &[&str] = &[
    "model",
    "models",
    "model_id",
    "modelVersion",
    "object",
    "type",
    "role",
    "id",
    "status",
    "event",
    "event_type",
    "finish_reason",
    "finishReason",
    "native_finish_reason",
    "stop_reason",
    "stopReason",
    "completionReason",
    "done_reason",
    "blockReason",
    "reason",
    "service_tier",
    "serviceTier",
    "reasoning_effort",
    "effort",
    "encoding_format",
    "encoding_formats",
    "embedding_types",
    "input_type",
    "truncation",
    "truncate",
    "tool_choice",
    "mode",
    "include",
    "modalities",
    "responseModalities",
    "voice",
    "format",
    "media_type",
    "mediaType",
    "mimeType",
    "mime_type",
    "detail",
    "signature",
    "thoughtSignature",
    "thought_signature",
    "encrypted_content",
    "redactedContent",
    "system_fingerprint",
    "fingerprint",
    "anthropic_version",
    "anthropic_beta",
    "ttl",
    "obfuscation",
    "p",
    "created",
    "created_at",
    "completed_at",
    "createTime",
    "expires_at",
    "keep_alive",
    "quality",
    "size",
    "background",
    "style",
    "category",
    "threshold",
    "probability",
    "severity",
    "allowed_tools",
    "allowedFunctionNames",
    "provider",
];

/// Names that say where something is.
const REFERENCES: &[&str] = &[
    "url",
    "uri",
    "image_url",
    "file_url",
    "fileUri",
    "file_uri",
    "server_url",
    "video_url",
    "audio_url",
    "$ref",
    "source_url",
    "link",
    "startUri",
    "licenseUri",
];

/// Names under which encoded bytes stand; see [`is_encoded`].
const ENCODED: &[&str] = &["data", "bytes", "b64_json", "file_data", "partial_image_b64", "result", "audio", "delta"];

/// Numbers that stay: times, measures, seeds, counts and places.
const NUMBERS: &[&str] = &[
    "created",
    "created_at",
    "completed_at",
    "expires_at",
    "timestamp",
    "seed",
    "index",
    "n",
    "dimensions",
    "logprob",
    "start",
    "end",
    "start_index",
    "end_index",
    "startIndex",
    "endIndex",
    "sequence_number",
    "num_ctx",
    "num_predict",
    "billed_units",
    "latencyMs",
    "avgLogprobs",
    "invocationLatency",
    "firstByteLatency",
];

/// What numbers that stay end in.
const NUMBER_ENDS: &[&str] =
    &["_index", "Index", "tokens", "Tokens", "TokenCount", "_count", "Count", "_duration", "_time", "_bytes", "_ms"];

/// Containers in which names and texts are the caller's or the model's. `input` is one where it is an object: the input
/// of a tool; a list of that name is a conversation. `response` and `outputs` are, where they are a tool's.
const FREE: &[&str] =
    &["arguments", "args", "metadata", "variables", "documents", "json", "action", "environment", "responseBody"];

/// Containers that hold measures, options and codes.
const PROTOCOL_TREES: &[&str] = &[
    "usage",
    "usageMetadata",
    "usage_metadata",
    "meta",
    "metrics",
    "cache_control",
    "cachePoint",
    "safetyRatings",
    "safetySettings",
    "context",
    "embedding",
    "embeddings",
    "token_ids",
    "logit_bias",
    "stream_options",
    "billed_units",
    "amazon-bedrock-invocationMetrics",
    "tokens",
];

/// Containers that hold a schema.
const SCHEMAS: &[&str] = &[
    "parameters",
    "input_schema",
    "inputSchema",
    "schema",
    "responseSchema",
    "response_schema",
    "parametersJsonSchema",
    "responseJsonSchema",
    "parameters_json_schema",
    "format",
];

/// Words of a schema whose values are words of the schema language, or names of properties.
const SCHEMA_WORDS: &[&str] = &[
    "type",
    "format",
    "pattern",
    "required",
    "$ref",
    "$schema",
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "contentEncoding",
    "contentMediaType",
    "propertyOrdering",
    "nullable",
];

/// Words of a schema under which values are given.
const SCHEMA_VALUES: &[&str] = &["enum", "const", "default", "examples", "example"];

/// Words of a schema under which each name is one of the user's and each value a schema.
const SCHEMA_NAMES: &[&str] = &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/// What the names in the container `path.last()` mean, told from the root down.
pub(crate) fn realm(tree: &Tree<'_>, path: &[usize]) -> Realm {
    let mut realm = Realm::Api;
    for (depth, &number) in path.iter().enumerate().skip(1) {
        let Some(node) = tree.node(number) else { return realm };
        if !matches!(node.kind, Kind::Object | Kind::Array) {
            return realm;
        }
        // An element of a list is what the list is.
        if node.key_range().is_empty() {
            continue;
        }
        let key = tree.key(number);
        let key = key.as_ref();
        realm = match realm {
            Realm::Api => within_api(tree, number, key, node.kind, depth),
            Realm::Schema if SCHEMA_NAMES.contains(&key) => Realm::Properties,
            Realm::Schema if SCHEMA_VALUES.contains(&key) => Realm::Free,
            Realm::Schema | Realm::Properties => Realm::Schema,
            Realm::Free => Realm::Free,
            Realm::Protocol => Realm::Protocol,
        };
    }
    realm
}

fn within_api(tree: &Tree<'_>, number: usize, key: &str, kind: Kind, depth: usize) -> Realm {
    let object = kind == Kind::Object;
    let is = |names: &[&str]| names.contains(&key);
    // Bedrock has the schema of a tool one level down, under the name that results of tools have too.
    let schema_below = || tree.parent(number).is_some_and(|parent| tree.key(parent) == "inputSchema");
    if key == "json" && schema_below() {
        return Realm::Schema;
    }
    let below = (object && matches!(key, "input" | "response")) || key == "outputs";
    if is(FREE) || (below && depth > 1) {
        return Realm::Free;
    }
    if object && is(SCHEMAS) {
        // A schema may be one level down; and `parameters` are those of a call, too.
        let below = ["schema", "json"].iter().any(|name| tree.member(number, name).is_some());
        let empty = tree.children(number).next().is_none();
        return match below || empty {
            true => Realm::Api,
            false if is_schema(tree, number) => Realm::Schema,
            false => Realm::Free,
        };
    }
    if is(PROTOCOL_TREES) { Realm::Protocol } else { Realm::Api }
}

/// Whether an object is a schema, by the words that one begins with.
fn is_schema(tree: &Tree<'_>, number: usize) -> bool {
    const TYPES: &[&str] = &["object", "array", "string", "number", "integer", "boolean", "null"];
    tree.children(number).any(|child| match tree.key(child).as_ref() {
        "properties" | "$ref" | "$defs" | "anyOf" | "oneOf" | "allOf" => true,
        "type" => TYPES.iter().any(|name| name.eq_ignore_ascii_case(tree.raw(child))),
        _ => false,
    })
}

/// What a value is.
pub(crate) fn value(tree: &Tree<'_>, number: usize) -> Class {
    value_in(tree, number, &tree.path(number)).1
}

/// What a value is at the end of its path, and what the names around it mean.
pub(crate) fn value_in(tree: &Tree<'_>, number: usize, path: &[usize]) -> (Realm, Class) {
    let realm = realm(tree, path);
    let Some(node) = tree.node(number) else { return (realm, Class::Content) };
    let key = name_of(tree, path);
    let key = key.as_ref();
    let class = match realm {
        Realm::Free | Realm::Properties => Class::Content,
        Realm::Protocol => Class::Protocol,
        Realm::Schema if SCHEMA_WORDS.contains(&key) => Class::Protocol,
        Realm::Schema => Class::Content,
        Realm::Api if node.kind == Kind::Number => {
            let stays = NUMBERS.contains(&key) || NUMBER_ENDS.iter().any(|end| key.ends_with(end));
            if stays || is_id(key) { Class::Protocol } else { Class::Content }
        }
        Realm::Api if REFERENCES.contains(&key) => Class::Reference,
        Realm::Api => {
            let encoded = ENCODED.contains(&key) && is_encoded(tree.raw(number));
            let named = key == "name" && is_name(tree.raw(number)) && !is_message(tree, path);
            if PROTOCOL.contains(&key) || is_id(key) || encoded || named { Class::Protocol } else { Class::Content }
        }
    };
    (realm, class)
}

/// What the name of a value is.
pub(crate) fn name(tree: &Tree<'_>, number: usize) -> Class {
    let Some(container) = tree.parent(number) else { return Class::Content };
    match realm(tree, &tree.path(container)) {
        Realm::Schema | Realm::Properties | Realm::Protocol => Class::Protocol,
        Realm::Api | Realm::Free => Class::Content,
    }
}

/// The name of a value, or of the list that it is in.
fn name_of<'a>(tree: &Tree<'a>, path: &[usize]) -> Cow<'a, str> {
    let named = path.iter().rev().find(|number| tree.node(**number).is_some_and(|node| !node.key_range().is_empty()));
    named.map_or(Cow::Borrowed(""), |number| tree.key(*number))
}

fn is_id(key: &str) -> bool {
    key.ends_with("_id") || key.ends_with("_ids") || key.ends_with("Id") || key.ends_with("Ids")
}

/// The name of a tool, a function or a schema: an identifier, which digits alone are not.
fn is_name(text: &str) -> bool {
    text.len() <= 128
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '_' | '$'))
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$' | b':' | b'/'))
}

/// Whether the value is in a message of the caller, where a name is that of a person.
fn is_message(tree: &Tree<'_>, path: &[usize]) -> bool {
    let [.., list, _, _] = path else { return false };
    path.len() == 4 && tree.key(*list) == "messages"
}

/// Whether a text is bytes in base64, and too long to be a value.
fn is_encoded(text: &str) -> bool {
    const SHORTEST: usize = 64;
    text.len() >= SHORTEST
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'='))
}

#[cfg(test)]
mod tests {
    use super::super::tree::Detail;
    use super::*;

    /// Every place of `VALUE` in the document, as value or as name.
    fn classes(text: &str) -> Vec<Class> {
        let tree = Tree::of(text, Detail::Values).unwrap();
        text.match_indices("VALUE")
            .map(|(place, _)| match tree.at(place).unwrap() {
                (number, true) => name(&tree, number),
                (number, false) => value(&tree, number),
            })
            .collect()
    }

    #[test]
    fn what_is_said_is_content_and_what_the_protocol_needs_is_not() {
        use Class::{Content, Protocol, Reference};
        let long = "VALUE".repeat(20);
        let encoded = format!(r#"{{"messages":[{{"content":[{{"source":{{"data":"{long}"}}}}]}}]}}"#);
        let cases: &[(&str, Class)] = &[
            (r#"{"model":"VALUE"}"#, Protocol),
            (r#"{"messages":[{"role":"VALUE"}]}"#, Protocol),
            (r#"{"messages":[{"content":"VALUE"}]}"#, Content),
            (r#"{"messages":[{"name":"VALUE"}]}"#, Content),
            (r#"{"messages":[{"content":[{"type":"text","text":"VALUE"}]}]}"#, Content),
            (r#"{"messages":[{"tool_calls":[{"id":"VALUE"}]}]}"#, Protocol),
            (r#"{"messages":[{"tool_call_id":"VALUE"}]}"#, Protocol),
            (r#"{"messages":[{"tool_calls":[{"function":{"name":"VALUE"}}]}]}"#, Protocol),
            (r#"{"messages":[{"tool_calls":[{"function":{"name":"VALUE x"}}]}]}"#, Content),
            (r#"{"messages":[{"tool_calls":[{"function":{"arguments":"{\"id\":\"VALUE\"}"}}]}]}"#, Content),
            (r#"{"messages":[{"tool_calls":[{"function":{"arguments":{"id":"VALUE"}}}]}]}"#, Content),
            (r#"{"messages":[{"content":[{"type":"tool_use","input":{"model":["VALUE"]}}]}]}"#, Content),
            (r#"{"messages":[{"content":[{"type":"tool_use","input":{"VALUE":1}}]}]}"#, Content),
            (r#"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"VALUE"}}]}]}"#, Reference),
            (r#"{"input":[{"type":"message","id":"VALUE"}]}"#, Protocol),
            (r#"{"input":[{"type":"message","content":"VALUE"}]}"#, Content),
            (r#"{"input":"VALUE"}"#, Content),
            (r#"{"input":["VALUE"]}"#, Content),
            (r#"{"previous_response_id":"VALUE"}"#, Protocol),
            (r#"{"user":"VALUE"}"#, Content),
            (r#"{"stop":["VALUE"]}"#, Content),
            (r#"{"metadata":{"user_id":"VALUE"}}"#, Content),
            (r#"{"include":["VALUE"]}"#, Protocol),
            (r#"{"tools":[{"function":{"parameters":{"type":"object","properties":{"VALUE":{}}}}}]}"#, Protocol),
            (r#"{"tools":[{"function":{"parameters":{"properties":{"a":{"type":"VALUE"}}}}}]}"#, Protocol),
            (r#"{"tools":[{"function":{"parameters":{"properties":{"a":{"description":"VALUE"}}}}}]}"#, Content),
            (r#"{"tools":[{"function":{"parameters":{"properties":{"default":{"type":"VALUE"}}}}}]}"#, Protocol),
            (r#"{"tools":[{"function":{"parameters":{"properties":{"a":{"enum":["VALUE"]}}}}}]}"#, Content),
            (r#"{"tools":[{"function":{"parameters":{"type":"object","required":["VALUE"]}}}]}"#, Protocol),
            (r#"{"response_format":{"json_schema":{"name":"VALUE","schema":{"type":"object"}}}}"#, Protocol),
            (r#"{"response_format":{"json_schema":{"schema":{"type":"object","required":["VALUE"]}}}}"#, Protocol),
            (r#"{"text":{"format":{"schema":{"type":"object","title":"VALUE"}}}}"#, Content),
            (r#"{"toolConfig":{"tools":[{"toolSpec":{"inputSchema":{"json":{"required":["VALUE"]}}}}]}}"#, Protocol),
            (r#"{"contents":[{"parts":[{"functionCall":{"args":{"id":"VALUE"}}}]}]}"#, Content),
            (r#"{"contents":[{"parts":[{"functionResponse":{"response":{"id":"VALUE"}}}]}]}"#, Content),
            (r#"{"contents":[{"parts":[{"thoughtSignature":"VALUE"}]}]}"#, Protocol),
            (r#"{"messages":[{"content":[{"source":{"type":"text","data":"VALUE"}}]}]}"#, Content),
            (r#"{"tool_results":[{"call":{"parameters":{"id":"VALUE"}},"outputs":[{"model":"VALUE"}]}]}"#, Content),
            (r#"{"id":"VALUE","choices":[]}"#, Protocol),
            (r#"{"VALUE":1}"#, Content),
            (&encoded, Protocol),
        ];
        for (text, expected) in cases {
            assert!(classes(text).iter().all(|class| class == expected), "{text}: {:?}", classes(text));
        }
    }

    #[test]
    fn numbers_that_count_stay() {
        let class = |text: &str| {
            let tree = Tree::of(text, Detail::Values).unwrap();
            value(&tree, tree.at(text.find("1700000000").unwrap()).unwrap().0)
        };
        for text in
            [r#"{"created":1700000000}"#, r#"{"usage":{"x":1700000000}}"#, r#"{"a":{"prompt_tokens":1700000000}}"#]
        {
            assert_eq!(class(text), Class::Protocol, "{text}");
        }
        for text in [r#"{"card":1700000000}"#, r#"{"metadata":{"created":1700000000}}"#, r#"[1700000000]"#] {
            assert_eq!(class(text), Class::Content, "{text}");
        }
    }
}
