//! One call to price as a line of JSON, and the answer as another.

use crate::price_set::{Call, PriceSet};
use crate::timestamp;
use crate::unpriced::Unpriced;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tollgate_call::Usage;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    usage: Option<Map<String, Value>>,
    at: String,
    #[serde(default)]
    tier: Option<String>,
}

/// Answers `{"id", "provider", "model", "usage": {..}, "at": RFC 3339, "tier"}` with `{"id", "cost": {..}}` or with
/// `{"id", "unpriced": REASON}`. `usage` has the fields of [`Usage`]; `provider` and `tier` may be left out. `at` is
/// required: there is no clock here, and a price without a moment would be a guess.
///
/// # Errors
/// A sentence that says why the line is not such a line.
pub fn price_line(prices: &PriceSet, line: &str) -> Result<String, String> {
    let line: Line = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let at = timestamp::parse(&line.at).ok_or_else(|| format!("at: `{}` is not an RFC 3339 moment", line.at))?;
    let usage = match line.usage.map(|usage| serde_json::from_value::<Usage>(Value::Object(usage))) {
        None => Err(Unpriced::MissingUsage),
        Some(usage) => usage.map_err(|_| Unpriced::MalformedUsage),
    };
    let cost = usage.as_ref().map_err(|reason| *reason).and_then(|usage| {
        let model = line.model.as_deref().unwrap_or_default();
        let (provider, tier) = (line.provider.as_deref(), line.tier.as_deref());
        prices.price(&Call { provider, model, usage, at_unix_seconds: at, tier })
    });
    let answer = match cost {
        Ok(cost) => json!({"id": line.id, "cost": cost}),
        Err(reason) => json!({"id": line.id, "unpriced": reason.as_str()}),
    };
    Ok(answer.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &str) -> Value {
        serde_json::from_str(&price_line(PriceSet::builtin(), line).unwrap()).unwrap()
    }

    #[test]
    fn a_line_is_answered_with_the_whole_bill() {
        let line = r#"{"id":"a","provider":"openai","model":"gpt-4o-2024-08-06","at":"2026-11-01T12:00:00Z",
            "usage":{"input_tokens":1000,"cache_read_tokens":400,"output_tokens":200,"reasoning_tokens":0}}"#;
        let price =
            json!({"set": PriceSet::builtin().label(), "row": "openai/gpt-4o", "tier": "base", "source": "local"});
        let parts = json!({
            "input": {"units": 600, "rate": "2.5", "per": 1_000_000, "amount": "0.0015"},
            "cache_read": {"units": 400, "rate": "1.25", "per": 1_000_000, "amount": "0.0005"},
            "output": {"units": 200, "rate": "10", "per": 1_000_000, "amount": "0.002"}});
        let cost = json!({"total": "0.004", "currency": "USD", "parts": parts, "price": price});
        assert_eq!(answer(line), json!({"id": "a", "cost": cost}));
    }

    #[test]
    fn what_cannot_be_priced_is_answered_with_the_reason() {
        for (fields, reason) in [
            (r#""model":"no-such-model","usage":{"input_tokens":1}"#, "unknown_model"),
            (r#""model":"no-such-model","provider":"nobody","usage":{"input_tokens":1}"#, "unknown_provider"),
            (r#""model":"gpt-4o","provider":"openai""#, "missing_usage"),
            (r#""model":"gpt-4o","provider":"openai","usage":{}"#, "missing_usage"),
            (r#""model":"gpt-4o","usage":{"input_tokens":-1}"#, "malformed_usage"),
            (r#""model":"gpt-4o","usage":{"input_tokens":1.5}"#, "malformed_usage"),
            (r#""model":"gpt-4o","usage":{"input_tokens":1,"cache_read_tokens":2}"#, "inconsistent_usage"),
            (r#""provider":"openai","usage":{"input_tokens":1}"#, "missing_model"),
        ] {
            let line = format!(r#"{{"id":7,"at":"2026-11-01T12:00:00Z",{fields}}}"#);
            assert_eq!(answer(&line), json!({"id": 7, "unpriced": reason}), "{fields}");
        }
    }

    #[test]
    fn a_line_that_is_not_one_is_refused_with_the_field() {
        for (line, says) in [
            ("{}", "missing field `at`"),
            (r#"{"at":"yesterday"}"#, "at: `yesterday` is not an RFC 3339 moment"),
            (r#"{"at":"2026-11-01T12:00:00Z","modle":"x"}"#, "unknown field `modle`"),
        ] {
            let error = price_line(PriceSet::builtin(), line).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
