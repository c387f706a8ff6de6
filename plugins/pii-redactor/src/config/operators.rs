//! `operator`, `operators` and `pseudonym`.

use super::fields::{Fields, kind};
use crate::kind::Kind;
use crate::operator::{Key, NAMES, Operator};
use crate::rules::Rules;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;
use zeroize::Zeroizing;

/// Bytes of a key: at least the strength that 128 bits give.
const SHORTEST_KEY: usize = 16;
const LONGEST_KEY: usize = 1024;

/// An operator by its name, or as an object with its options: `"mask"`, `{"mask": {"keep_last": 4}}`.
pub(super) fn one(fields: &mut Fields<'_>, field: &'static str) -> Option<Operator> {
    let value = fields.value(field)?;
    read(fields, field, value)
}

fn read(fields: &mut Fields<'_>, path: &str, value: &Value) -> Option<Operator> {
    if let Some(operator) = value.as_str().and_then(Operator::from_name) {
        return Some(operator);
    }
    let Some(options) = value.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("mask"))
    else {
        fields.problem(path, format!("must be one of {NAMES}, or {{\"mask\": {{\"keep_last\": 4}}}}"));
        return None;
    };
    let keep_last = options.get("keep_last").and_then(Value::as_u64).filter(|count| *count <= 64);
    let Some(keep_last) = keep_last.and_then(|count| usize::try_from(count).ok()) else {
        fields.problem(&format!("{path}.mask.keep_last"), "must be a whole number from 0 to 64");
        return None;
    };
    Some(Operator::Mask { keep_last: Some(keep_last) })
}

/// Operators by type.
pub(super) fn by_type(fields: &mut Fields<'_>, rules: &Rules) -> Vec<(Kind, Operator)> {
    let mut operators = Vec::new();
    let Some(value) = fields.value("operators") else { return operators };
    let Some(object) = value.as_object() else {
        fields.problem("operators", "must be an object from names of types to operators");
        return operators;
    };
    for (name, value) in object {
        let path = format!("operators.{name}");
        match kind(name, rules) {
            Some(kind) => operators.extend(read(fields, &path, value).map(|operator| (kind, operator))),
            None => fields.problem(&path, "is no type; docs/REDACTION.md lists them"),
        }
    }
    operators
}

/// The key of pseudonyms.
pub(super) fn key(fields: &mut Fields<'_>) -> Option<Key> {
    let mut key = None;
    fields.object("pseudonym", |fields| {
        let id = fields.text("key_id");
        let secret = fields.text("key");
        if id.is_none() || secret.is_none() {
            return fields.problem("", "needs key_id and key");
        }
        let id = id.filter(|id| id.len() <= 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let secret = secret.and_then(decode).filter(|secret| (SHORTEST_KEY..=LONGEST_KEY).contains(&secret.len()));
        if id.is_none() {
            fields.problem("key_id", "must be at most 16 letters and digits");
        }
        if secret.is_none() {
            fields.problem("key", format!("must be base64 of {SHORTEST_KEY} to {LONGEST_KEY} bytes"));
        }
        key = id.zip(secret).map(|(id, secret)| Key { id: id.to_owned(), secret });
    });
    key
}

/// Base64 with or without padding (RFC 4648, section 4).
fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok().map(Zeroizing::new)
}
