//! Our prices of the models that are used most against the table of LiteLLM, read by a grammar of its own: differences
//! of more than one per cent are those of `litellm_waivers.txt`, and no others.
//!
//! Runs where `TOLLGATE_LITELLM` names the table, a file of JSON; fails without it where `TOLLGATE_REQUIRE_DATA=1`.

#![expect(clippy::panic, reason = "a test fails by panicking")]

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tollgate_call::Usage;
use tollgate_cost_calculator::{Call, PriceSet, Served};

const MODELS: &str = include_str!("most_used.txt");
const WAIVERS: &str = include_str!("litellm_waivers.txt");
/// Noon of the day of import.
const AT: i64 = 1_795_694_400;

/// A usual usage.
struct Case {
    name: &'static str,
    input: u64,
    cache_read: u64,
    cache_write: u64,
    cache_write_1h: u64,
    output: u64,
    /// The end of the table's fields for calls served so.
    served: &'static str,
    /// What such a call says.
    tier: Option<&'static str>,
    /// The field that has to be there for the table to say anything about the case.
    needs: &'static str,
}

const PLAIN: Case = Case {
    name: "plain",
    input: 10_000,
    cache_read: 0,
    cache_write: 0,
    cache_write_1h: 0,
    output: 1_000,
    served: "",
    tier: None,
    needs: "input_cost_per_token",
};

const READ: &str = "cache_read_input_token_cost";
const WRITE: &str = "cache_creation_input_token_cost";
const WRITE_1H: &str = "cache_creation_input_token_cost_above_1hr";

const CASES: &[Case] = &[
    PLAIN,
    Case { name: "cached", cache_read: 8_000, needs: READ, ..PLAIN },
    Case { name: "write", cache_write: 8_000, needs: WRITE, ..PLAIN },
    Case { name: "write_1h", cache_write_1h: 8_000, needs: WRITE_1H, ..PLAIN },
    Case { name: "long", input: 300_000, ..PLAIN },
    Case { name: "long_cached", input: 300_000, cache_read: 200_000, needs: READ, ..PLAIN },
    Case { name: "batch", served: "_batches", tier: Some("batch"), needs: "input_cost_per_token_batches", ..PLAIN },
    Case { name: "flex", served: "_flex", tier: Some("flex"), needs: "input_cost_per_token_flex", ..PLAIN },
    Case {
        name: "priority",
        served: "_priority",
        tier: Some("priority"),
        needs: "input_cost_per_token_priority",
        ..PLAIN
    },
];

impl Case {
    fn usage(&self, fields: &Map<String, Value>) -> Usage {
        Usage {
            input_tokens: Some(self.input),
            output_tokens: Some(self.output(fields)),
            cache_read_tokens: Some(self.cache_read),
            cache_write_tokens: Some(self.cache_write + self.cache_write_1h),
            cache_write_5m_tokens: Some(self.cache_write),
            cache_write_1h_tokens: Some(self.cache_write_1h),
            ..Usage::default()
        }
    }

    /// Nothing is written where texts are embedded.
    fn output(&self, fields: &Map<String, Value>) -> u64 {
        if fields.get("mode").and_then(Value::as_str) == Some("embedding") { 0 } else { self.output }
    }

    /// US dollars by the table; `None` where it says nothing about the case.
    fn by_table(&self, fields: &Map<String, Value>) -> Option<f64> {
        let field = |name: &str| match fields.get(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        field(self.needs).filter(|rate| *rate > 0.0)?;
        if field("max_input_tokens").is_some_and(|most| most < self.input as f64) {
            return None;
        }
        let above = fields.keys().filter_map(|name| {
            name.strip_prefix("input_cost_per_token_above_")?.strip_suffix("k_tokens")?.parse::<u64>().ok()
        });
        let above = above.filter(|thousands| self.input > thousands * 1_000).max();
        let above = above.map(|thousands| format!("_above_{thousands}k_tokens")).unwrap_or_default();
        let rate = |name: &str| {
            let names = [format!("{name}{above}{}", self.served), format!("{name}{}", self.served), name.to_owned()];
            names.iter().find_map(|name| field(name))
        };
        let input = rate("input_cost_per_token")?;
        let parts = [
            (self.input - self.cache_read - self.cache_write - self.cache_write_1h, input),
            (self.cache_read, rate(READ).unwrap_or(input)),
            (self.cache_write, rate(WRITE).unwrap_or(input)),
            (self.cache_write_1h, rate(WRITE_1H).unwrap_or(input)),
            (self.output(fields), rate("output_cost_per_token").unwrap_or(0.0)),
        ];
        Some(parts.iter().map(|(tokens, rate)| *tokens as f64 * rate).sum())
    }
}

/// The lines of a file that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Waived cases as `KEY CASE`, from lines `KEY CASE,CASE: WHY`.
fn waived() -> BTreeSet<String> {
    let mut waived = BTreeSet::new();
    for line in lines(WAIVERS) {
        let (what, why) = line.split_once(": ").unwrap_or_else(|| panic!("no reason: {line}"));
        let (key, cases) = what.split_once(' ').unwrap_or_else(|| panic!("no cases: {line}"));
        assert!(!why.trim().is_empty() && lines(MODELS).any(|model| model.split(' ').next() == Some(key)), "{line}");
        for case in cases.split(',') {
            assert!(waived.insert(format!("{key} {case}")), "{key} {case} is waived twice");
        }
    }
    waived
}

#[test]
fn what_is_used_most_costs_what_litellm_says() {
    let Some(path) = std::env::var_os("TOLLGATE_LITELLM") else {
        assert!(std::env::var("TOLLGATE_REQUIRE_DATA").as_deref() != Ok("1"), "TOLLGATE_LITELLM is not set");
        eprintln!("SKIPPED: the comparison with LiteLLM; set TOLLGATE_LITELLM to its table");
        return;
    };
    let table: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(lines(MODELS).collect::<BTreeSet<_>>().len(), 150, "so many models are to be compared, each once");
    let mut waived = waived();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    let mut differences = Vec::new();
    for model in lines(MODELS) {
        let words: Vec<_> = model.split(' ').collect();
        let [key, provider, name] = words.as_slice() else { panic!("{model} is not a key, a provider and a model") };
        let fields = table.get(key).and_then(Value::as_object).unwrap_or_else(|| panic!("the table has no {key}"));
        for case in CASES {
            let Some(theirs) = case.by_table(fields) else {
                *counts.entry("not in the table").or_default() += 1;
                continue;
            };
            let usage = case.usage(fields);
            let served = Served::tier(case.tier);
            let call = Call { provider: Some(provider), model: name, usage: &usage, at_unix_seconds: AT, served };
            let ours = PriceSet::builtin().price(&call).map(|cost| cost.total.as_f64());
            let is_equal = ours.is_ok_and(|ours| (ours - theirs).abs() <= theirs * 0.01);
            let outcome = match (is_equal, waived.remove(&format!("{key} {}", case.name))) {
                (true, false) => "equal",
                (false, true) => "waived",
                (true, true) => {
                    differences.push(format!("{key} {}: waived, but equal", case.name));
                    "waived, but equal"
                }
                (false, false) => {
                    differences.push(format!("{key} {}: ours {ours:?}, theirs {theirs}", case.name));
                    "different"
                }
            };
            *counts.entry(outcome).or_default() += 1;
        }
    }
    eprintln!("\ncompared with LiteLLM, {} models: {counts:?}", lines(MODELS).count());
    differences.extend(waived.iter().map(|what| format!("{what}: waived, but not compared")));
    assert!(differences.is_empty(), "{} problems:\n{}", differences.len(), differences.join("\n"));
    assert!(counts.get("equal").is_some_and(|&equal| equal > 300), "too little was compared: {counts:?}");
}
