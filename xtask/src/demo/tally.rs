//! Calls and tokens by provider and model, as each seat counted them, and where two of them differ.

use super::exposition::{Page, Sample};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Provider and model of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) provider: String,
    pub(crate) model: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.provider, self.model)
    }
}

/// Which model a call counts under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The model as the caller named it.
    Requested,
    /// The model that answered, or the requested one where none answered: errors come to lines of their own.
    Answering,
}

impl By {
    fn model(self, requested: &str, answering: &str) -> String {
        match self {
            Self::Answering if !answering.is_empty() => answering.to_owned(),
            _ => requested.to_owned(),
        }
    }
}

/// What was counted of one provider and model. Costs and times are not known to every seat.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    pub(crate) errors: u64,
    pub(crate) input: u64,
    pub(crate) output: u64,
    pub(crate) cached: u64,
    pub(crate) cost_nano_usd: u64,
    pub(crate) unpriced: u64,
    /// Sum and number of times to the first chunk, in seconds.
    pub(crate) first_chunk: (f64, u64),
}

/// The counts of one seat.
pub(crate) type Tally = BTreeMap<Key, Counts>;

/// What the provider served, from the JSON lines of its ledger.
///
/// Of a stream that did not reach its end, the tokens are those that the frames sent until then reported: an observer
/// between client and provider can know no others. A call that was cut off, by either side, is an error.
pub(crate) fn served(ledger: &str, by: By) -> Result<Tally, String> {
    let mut tally = Tally::new();
    for line in ledger.lines() {
        let entry: Value = serde_json::from_str(line).map_err(|error| format!("the provider's ledger: {error}"))?;
        let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let model = by.model(&text("request_model"), &text("model"));
        let counts = tally.entry(Key { provider: text("provider"), model }).or_default();
        let tokens =
            |name: &str| entry.get("usage").and_then(|usage| usage.get(name)).and_then(Value::as_u64).unwrap_or(0);
        counts.calls += 1;
        counts.errors += u64::from(!text("error").is_empty() || !text("cut").is_empty());
        counts.input += tokens("input_tokens");
        counts.output += tokens("output_tokens");
        counts.cached += tokens("cache_read_tokens");
    }
    Ok(tally)
}

/// What the host counted, from its metrics page.
pub(crate) fn host(page: &Page, by: By) -> Tally {
    let mut tally = Tally::new();
    let key = |sample: &Sample| Key {
        provider: sample.label("gen_ai_provider_name").to_owned(),
        model: by.model(sample.label("gen_ai_request_model"), sample.label("gen_ai_response_model")),
    };
    for sample in page.of("gen_ai_client_operation_duration_seconds_count") {
        let counts = tally.entry(key(sample)).or_default();
        counts.calls += whole(sample.value);
        if !sample.label("error_type").is_empty() {
            counts.errors += whole(sample.value);
        }
    }
    for sample in page.of("tollgate_tokens_total") {
        let counts = tally.entry(key(sample)).or_default();
        add_tokens(counts, sample.label("gen_ai_token_type"), whole(sample.value));
    }
    for sample in page.of("tollgate_cost_nano_usd_total") {
        tally.entry(key(sample)).or_default().cost_nano_usd += whole(sample.value);
    }
    for sample in page.of("tollgate_unpriced_calls_total") {
        tally.entry(key(sample)).or_default().unpriced += whole(sample.value);
    }
    for sample in page.of("gen_ai_client_operation_time_to_first_chunk_seconds_sum") {
        tally.entry(key(sample)).or_default().first_chunk.0 += sample.value;
    }
    for sample in page.of("gen_ai_client_operation_time_to_first_chunk_seconds_count") {
        tally.entry(key(sample)).or_default().first_chunk.1 += whole(sample.value);
    }
    tally
}

/// What the filter counted, from Envoy's metrics page: by the answering model.
pub(crate) fn envoy(page: &Page) -> Tally {
    let mut tally = Tally::new();
    for (name, add) in [
        ("calls", (|counts, _, value| counts.calls += value) as fn(&mut Counts, &str, u64)),
        ("errors", |counts, _, value| counts.errors += value),
        ("tokens", add_tokens),
        ("cost_nano_usd", |counts, _, value| counts.cost_nano_usd += value),
        ("unpriced", |counts, _, value| counts.unpriced += value),
    ] {
        for sample in page.of(&format!("tollgate_{name}")) {
            let key = Key { provider: sample.label("provider").into(), model: sample.label("model").into() };
            add(tally.entry(key).or_default(), sample.label("kind"), whole(sample.value));
        }
    }
    tally
}

fn add_tokens(counts: &mut Counts, kind: &str, tokens: u64) {
    match kind {
        "input" => counts.input += tokens,
        "output" => counts.output += tokens,
        "cache_read" => counts.cached += tokens,
        _ => {}
    }
}

/// A count as metrics pages write it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counters are whole and not negative")]
pub(crate) fn whole(value: f64) -> u64 {
    value.round().max(0.0) as u64
}

/// Sentences that say where `seen` differs from `served`. Each comes with its subject and verb.
pub(crate) fn differences((who_served, served): (&str, &Tally), (who_saw, seen): (&str, &Tally)) -> Vec<String> {
    let keys: BTreeSet<_> = served.keys().chain(seen.keys()).collect();
    let mut sentences = Vec::new();
    for key in keys {
        let (served, seen) = (of(served, key), of(seen, key));
        for (what, served, seen) in [
            ("calls", served.calls, seen.calls),
            ("errors", served.errors, seen.errors),
            ("input tokens", served.input, seen.input),
            ("output tokens", served.output, seen.output),
            ("cached tokens", served.cached, seen.cached),
        ] {
            if served != seen {
                sentences.push(format!("{key}: {who_served} {served} {what}, {who_saw} {seen}"));
            }
        }
    }
    sentences
}

/// Sentences that say where two seats priced the same calls differently.
pub(crate) fn price_differences(one: (&str, &Tally), other: (&str, &Tally)) -> Vec<String> {
    let keys: BTreeSet<_> = one.1.keys().chain(other.1.keys()).collect();
    keys.into_iter()
        .map(|key| (key, of(one.1, key).cost_nano_usd, of(other.1, key).cost_nano_usd))
        .filter(|(_, first, second)| first != second)
        .map(|(key, first, second)| {
            format!("{key}: {} priced {first} billionths of a dollar, {} {second}", one.0, other.0)
        })
        .collect()
}

fn of(tally: &Tally, key: &Key) -> Counts {
    tally.get(key).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEDGER: &str = r#"{"provider":"openai","model":"gpt-4o-2024-08-06","request_model":"gpt-4o","usage":{"input_tokens":10,"output_tokens":5,"cache_read_tokens":4},"error":null}
{"provider":"openai","model":null,"request_model":"gpt-4o","usage":null,"error":"requests"}
{"provider":"openai","model":"gpt-4o-2024-08-06","request_model":"gpt-4o","usage":null,"error":null,"cut":"client"}
"#;

    fn key(model: &str) -> Key {
        Key { provider: "openai".into(), model: model.into() }
    }

    #[test]
    fn the_ledger_is_counted_by_either_model() {
        let answering = served(LEDGER, By::Answering).unwrap();
        let answered = Counts { calls: 2, errors: 1, input: 10, output: 5, cached: 4, ..Counts::default() };
        let refused = Counts { calls: 1, errors: 1, ..Counts::default() };
        assert_eq!(answering, Tally::from([(key("gpt-4o-2024-08-06"), answered), (key("gpt-4o"), refused)]));

        let together = Counts { calls: 3, errors: 2, ..answered };
        assert_eq!(served(LEDGER, By::Requested).unwrap(), Tally::from([(key("gpt-4o"), together)]));
    }

    #[test]
    fn both_pages_give_the_tally_of_the_ledger() {
        let host_page = Page::read(
            r#"gen_ai_client_operation_duration_seconds_count{gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o",gen_ai_response_model="gpt-4o-2024-08-06"} 1
gen_ai_client_operation_duration_seconds_count{gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o",gen_ai_response_model="gpt-4o-2024-08-06",error_type="client_aborted"} 1
gen_ai_client_operation_duration_seconds_count{gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o",gen_ai_response_model="",error_type="requests"} 1
tollgate_tokens_total{gen_ai_provider_name="openai",gen_ai_response_model="gpt-4o-2024-08-06",gen_ai_token_type="input"} 10
tollgate_tokens_total{gen_ai_provider_name="openai",gen_ai_response_model="gpt-4o-2024-08-06",gen_ai_token_type="output"} 5
tollgate_tokens_total{gen_ai_provider_name="openai",gen_ai_response_model="gpt-4o-2024-08-06",gen_ai_token_type="cache_read"} 4
"#,
        );
        let envoy_page = Page::read(
            r#"tollgate_calls{provider="openai",model="gpt-4o-2024-08-06",outcome="complete"} 1
tollgate_calls{provider="openai",model="gpt-4o-2024-08-06",outcome="client_aborted"} 1
tollgate_calls{provider="openai",model="gpt-4o",outcome="complete"} 1
tollgate_errors{provider="openai",model="gpt-4o"} 1
tollgate_errors{provider="openai",model="gpt-4o-2024-08-06"} 1
tollgate_tokens{provider="openai",model="gpt-4o-2024-08-06",kind="input"} 10
tollgate_tokens{provider="openai",model="gpt-4o-2024-08-06",kind="output"} 5
tollgate_tokens{provider="openai",model="gpt-4o-2024-08-06",kind="cache_read"} 4
"#,
        );
        let served = served(LEDGER, By::Answering).unwrap();
        for seen in [host(&host_page, By::Answering), envoy(&envoy_page)] {
            assert_eq!(differences(("served", &served), ("counted", &seen)), Vec::<String>::new());
        }
    }

    #[test]
    fn every_difference_is_a_sentence() {
        let mut seen = served(LEDGER, By::Answering).unwrap();
        seen.get_mut(&key("gpt-4o-2024-08-06")).unwrap().output = 6;
        seen.insert(key("other"), Counts { calls: 1, ..Counts::default() });
        let served = served(LEDGER, By::Answering).unwrap();
        let sentences = differences(("the provider served", &served), ("the host counted", &seen));
        assert_eq!(
            sentences,
            [
                "openai gpt-4o-2024-08-06: the provider served 5 output tokens, the host counted 6",
                "openai other: the provider served 0 calls, the host counted 1",
            ]
        );
    }
}
