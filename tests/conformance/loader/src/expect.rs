//! Comparing what was read with what a case expects.

use serde_json::{Map, Value};

/// Everything in which `actual` is not as expected, a line each: `usage.input_tokens is 7, not 10`.
///
/// Only what is expected is looked at. Objects are compared member by member, so that an expected `usage` may name some
/// counts and leave others open. `null` and an empty list mean that there is nothing, and so does a member that is
/// missing. Lists and everything else have to be equal.
#[must_use]
pub fn differences(expect: &Map<String, Value>, actual: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    compare_members("", expect, actual, &mut found);
    found
}

fn compare_members(prefix: &str, expect: &Map<String, Value>, actual: &Map<String, Value>, found: &mut Vec<String>) {
    for (name, expected) in expect {
        compare(&format!("{prefix}{name}"), expected, actual.get(name).unwrap_or(&Value::Null), found);
    }
}

fn compare(at: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            compare_members(&format!("{at}."), expected, actual, found);
        }
        _ if expected == actual || (is_nothing(expected) && is_nothing(actual)) => {}
        _ => found.push(format!("{at} is {actual}, not {expected}")),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_expected_is_compared() {
        let actual =
            json!({"model": "m", "usage": {"input_tokens": 1, "output_tokens": 2}, "notes": [], "stream": false});
        let differ = |expect: Value| differences(expect.as_object().unwrap(), actual.as_object().unwrap());
        for same in [
            json!({}),
            json!({"usage": {"input_tokens": 1, "cache_read_tokens": null}}),
            json!({"notes": null, "id": null, "finish_reasons": []}),
        ] {
            assert_eq!(differ(same), Vec::<String>::new());
        }
        let other = json!({"model": null, "usage": {"input_tokens": 2, "cache_read_tokens": 0}, "stream": null});
        assert_eq!(
            differ(other),
            [
                "model is \"m\", not null",
                "stream is false, not null",
                "usage.cache_read_tokens is null, not 0",
                "usage.input_tokens is 1, not 2"
            ]
        );
        assert_eq!(differ(json!({"usage": null})).len(), 1);
    }
}
