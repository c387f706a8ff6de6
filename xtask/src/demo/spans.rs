//! The spans that the host wrote as JSON lines (OTLP/JSON), as far as the demo reads them.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the demo wants to know of the spans in a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Spans {
    /// How many there are.
    pub(crate) count: u64,
    /// Their trace ids, in hexadecimal.
    pub(crate) trace_ids: BTreeSet<String>,
    /// Cost in billionths of a US dollar, by `business.team`.
    pub(crate) team_costs: BTreeMap<String, i64>,
}

impl Spans {
    /// Reads the lines of a file.
    pub(crate) fn read(lines: &str) -> Result<Self, String> {
        let mut spans = Self::default();
        for (number, line) in lines.lines().enumerate() {
            let request: Value =
                serde_json::from_str(line).map_err(|error| format!("line {} is not JSON: {error}", number + 1))?;
            for resource in list(&request, "resourceSpans") {
                for scope in list(resource, "scopeSpans") {
                    list(scope, "spans").for_each(|span| spans.add(span));
                }
            }
        }
        Ok(spans)
    }

    fn add(&mut self, span: &Value) {
        self.count += 1;
        if let Some(id) = span.get("traceId").and_then(Value::as_str) {
            self.trace_ids.insert(id.to_ascii_lowercase());
        }
        if let Some(team) = attribute(span, "business.team").and_then(|value| value.get("stringValue")?.as_str()) {
            // OTLP/JSON writes 64-bit integers as texts; a number is as good.
            let cost = attribute(span, "tollgate.cost.nano_usd").and_then(|value| {
                let value = value.get("intValue")?;
                value.as_i64().or_else(|| value.as_str()?.parse().ok())
            });
            *self.team_costs.entry(team.to_owned()).or_default() += cost.unwrap_or(0);
        }
    }
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn attribute<'a>(span: &'a Value, key: &str) -> Option<&'a Value> {
    list(span, "attributes").find(|attribute| attribute.get("key").and_then(Value::as_str) == Some(key))?.get("value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_counted_and_their_costs_added_by_team() {
        let line = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[
            {"traceId":"0A","attributes":[{"key":"business.team","value":{"stringValue":"search"}},{"key":"tollgate.cost.nano_usd","value":{"intValue":"700"}}]},
            {"traceId":"0b","attributes":[{"key":"business.team","value":{"stringValue":"search"}},{"key":"tollgate.cost.nano_usd","value":{"intValue":50}}]},
            {"traceId":"0b","attributes":[]}]}]}]}"#
            .replace('\n', "");
        let spans = Spans::read(&format!("{line}\n{line}\n")).unwrap();
        assert_eq!(spans.count, 6);
        assert_eq!(spans.trace_ids, BTreeSet::from(["0a".to_owned(), "0b".to_owned()]));
        assert_eq!(spans.team_costs, BTreeMap::from([("search".to_owned(), 1500)]));
        assert!(Spans::read("{\n").is_err());
    }
}
