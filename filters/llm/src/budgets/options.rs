//! The field `budgets` of the configuration.

use crate::fields::Fields;
use serde_json::Value;
use std::collections::BTreeSet;

/// Most budgets: each is in the sums of every consumer.
const MOST_LIMITS: usize = 8;

/// Longest window: a year.
const MOST_PERIOD: u64 = 366 * 86_400;

/// Headers with credentials. They never enter the module's memory.
const CREDENTIALS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-amz-security-token",
];

/// What consumers may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Header that names the consumer.
    pub key_header: String,
    /// The budgets that each consumer has.
    pub limits: Vec<Limit>,
    /// Consumers whose sums are kept at most.
    pub keys: usize,
    /// Whether calls are refused here; else filter state alone says that they are to be.
    pub refuse: bool,
}

/// A budget.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Its name, in answers, filter state and counters.
    pub name: String,
    /// What it is counted in.
    pub unit: Unit,
    /// How much of that; calls are refused from there on.
    pub most: u64,
    /// Seconds of its window.
    pub period_s: u32,
}

/// What a budget is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Tokens, input and output.
    Tokens,
    /// Billionths of a US dollar.
    NanoUsd,
}

/// Reads the field.
pub(crate) fn options(fields: &mut Fields<'_>) -> Option<Options> {
    let value = fields.value("budgets")?;
    let mut fields = fields.child("budgets", value);
    let key_header = fields.header_name("key_header");
    match key_header.as_deref() {
        None => {
            fields.wrong::<()>("key_header", "must name the header that says who calls, for example \"x-consumer\"");
        }
        Some(name) if CREDENTIALS.contains(&name) => {
            let why = "has credentials, which are never read; let a filter before this one put the consumer's name into \
                       a header, for example jwt_authn with claim_to_headers, or api_key_auth with forwarding";
            fields.wrong::<()>("key_header", why);
        }
        Some(_) => {}
    }
    let limits = limits(&mut fields);
    let keys = fields.whole("keys", 1, 100_000).and_then(|n| n.try_into().ok()).unwrap_or(10_000);
    let refuse = fields.truth("refuse").unwrap_or(true);
    fields.finish();
    Some(Options { key_header: key_header?, limits: limits?, keys, refuse })
}

fn limits(fields: &mut Fields<'_>) -> Option<Vec<Limit>> {
    let list = match fields.value("limits") {
        Some(Value::Array(list)) if (1..=MOST_LIMITS).contains(&list.len()) => list,
        _ => return fields.wrong("limits", &format!("must be a list of 1 to {MOST_LIMITS} budgets")),
    };
    let mut names = BTreeSet::new();
    let mut limits = Vec::new();
    for (place, value) in list.into_iter().enumerate() {
        let mut fields = fields.child(&format!("limits[{place}]"), value);
        if let Some(limit) = limit(&mut fields) {
            if !names.insert(limit.name.clone()) {
                fields.wrong::<()>("name", "is the name of a budget before it");
            }
            limits.push(limit);
        }
        fields.finish();
    }
    Some(limits)
}

fn limit(fields: &mut Fields<'_>) -> Option<Limit> {
    let name = fields.text("name").filter(|name| {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=64).contains(&name.len()) && name.bytes().all(word)
    });
    if name.is_none() {
        fields.wrong::<()>("name", "must be 1 to 64 letters, digits, - or _");
    }
    let tokens = fields.whole("tokens", 1, 1_000_000_000_000_000);
    let usd = fields.value("usd").map(|value| nanos(&value));
    let period_s = fields.whole("period_s", 1, MOST_PERIOD).and_then(|n| n.try_into().ok());
    if period_s.is_none() {
        fields.wrong::<()>("period_s", "must be the seconds of the window, for example 60 or 86400");
    }
    let (unit, most) = match (tokens, usd) {
        (Some(tokens), None) => (Unit::Tokens, tokens),
        (None, Some(Some(nanos))) => (Unit::NanoUsd, nanos),
        (None, Some(None)) => return fields.wrong("usd", "must be an amount of US dollars from 0.000001 to 1000000"),
        _ => return fields.wrong("tokens", "or usd must be set, and only one of them"),
    };
    Some(Limit { name: name?, unit, most, period_s: period_s? })
}

/// Billionths of a dollar, of a number of dollars.
fn nanos(value: &Value) -> Option<u64> {
    let dollars = value.as_f64().filter(|dollars| (0.000_001..=1e6).contains(dollars))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
    let nanos = (dollars * 1e9).round() as u64;
    Some(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn every_field_is_read() {
        let config = Config::parse(
            br#"{"budgets": {"key_header": "X-Consumer", "keys": 7, "refuse": false, "limits": [
                {"name": "minute", "tokens": 1000.0, "period_s": 60}, {"name": "day", "usd": 0.3, "period_s": 86400}]}}"#,
        );
        let limits = vec![
            Limit { name: "minute".into(), unit: Unit::Tokens, most: 1000, period_s: 60 },
            Limit { name: "day".into(), unit: Unit::NanoUsd, most: 300_000_000, period_s: 86_400 },
        ];
        let expected = Options { key_header: "x-consumer".into(), limits, keys: 7, refuse: false };
        assert_eq!(config.unwrap().budgets, Some(expected));
        assert_eq!(Config::parse(b"{}").unwrap().budgets, None);
    }

    #[test]
    fn every_problem_has_its_path() {
        let day = r#"{"name": "day", "usd": 1, "period_s": 86400}"#;
        for (text, path) in [
            (format!(r#"{{"limits": [{day}]}}"#), "budgets.key_header"),
            (format!(r#"{{"key_header": "Authorization", "limits": [{day}]}}"#), "budgets.key_header"),
            (format!(r#"{{"key_header": "a b", "limits": [{day}]}}"#), "budgets.key_header"),
            (r#"{"key_header": "x"}"#.to_owned(), "budgets.limits"),
            (r#"{"key_header": "x", "limits": []}"#.to_owned(), "budgets.limits"),
            (format!(r#"{{"key_header": "x", "limits": [{day}, {day}]}}"#), "budgets.limits[1].name"),
            (
                format!(r#"{{"key_header": "x", "limits": [{}]}}"#, day.replace("day", "a day")),
                "budgets.limits[0].name",
            ),
            (
                format!(r#"{{"key_header": "x", "limits": [{}]}}"#, day.replace("86400", "0")),
                "budgets.limits[0].period_s",
            ),
            (format!(r#"{{"key_header": "x", "limits": [{}]}}"#, day.replace('1', "0")), "budgets.limits[0].usd"),
            (
                format!(
                    r#"{{"key_header": "x", "limits": [{}]}}"#,
                    day.replace("\"usd\": 1", "\"usd\": 1, \"tokens\": 1")
                ),
                "budgets.limits[0].tokens",
            ),
            (format!(r#"{{"key_header": "x", "keys": 0, "limits": [{day}]}}"#), "budgets.keys"),
            (format!(r#"{{"key_header": "x", "key": 0, "limits": [{day}]}}"#), "budgets.key"),
        ] {
            let refusal = Config::parse(format!(r#"{{"budgets": {text}}}"#).as_bytes()).unwrap_err();
            let paths: BTreeSet<_> = refusal.problems.iter().map(|problem| problem.path.as_str()).collect();
            assert!(paths.contains(path), "{text}: {refusal}");
        }
    }
}
