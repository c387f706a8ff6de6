//! What has to hold of a run, each failure a sentence.

use super::configs::Folder;
use super::seen::{ENVOY_METRICS, HOST_METRICS, SPANS, Seen};
use super::tally::{self, By, Tally};
use crate::clients::{Planted, Report};
use std::collections::BTreeMap;
use std::fs;

/// What was sent, by either way.
pub(crate) struct Sent {
    /// Calls of the official clients.
    pub(crate) through_envoy: Report,
    /// Spans of applications.
    pub(crate) from_sdk: Report,
}

/// Everything that does not hold.
///
/// # Errors
/// An output that cannot be read.
pub(crate) fn problems(seen: &Seen, sent: &Sent, folder: &Folder) -> Result<Vec<String>, String> {
    let mut problems = sent.through_envoy.unexpected.clone();
    problems.extend(counts_through_envoy(seen, &sent.through_envoy)?);
    problems.extend(counts_from_sdk(seen, &sent.from_sdk)?);
    problems.extend(spans(seen, sent));
    problems.extend(unredacted("the filter", &sent.through_envoy.planted, &seen.redacted_by_filter()));
    problems.extend(unredacted("the host", &sent.from_sdk.planted, &seen.redacted_by_host()));
    let planted: Vec<_> = sent.through_envoy.planted.iter().chain(&sent.from_sdk.planted).cloned().collect();
    for name in [SPANS, HOST_METRICS, ENVOY_METRICS, "host.log", "envoy.log"] {
        let file = folder.file(name);
        let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        problems.extend(leaks(&planted, name, &text));
    }
    Ok(problems)
}

/// The provider's ledger beside the counts of Envoy and of the host.
fn counts_through_envoy(seen: &Seen, report: &Report) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let served = tally::served(&seen.ledger, By::Answering)?;
    let calls: u64 = served.values().map(|counts| counts.calls).sum();
    if calls != report.calls {
        problems.push(format!("the clients made {} calls, the provider served {calls}", report.calls));
    }
    let (host, envoy) = (tally::host(&seen.host_of_envoy, By::Answering), tally::envoy(&seen.envoy));
    for (who, counted) in [("the host counted", &host), ("Envoy counted", &envoy)] {
        problems.extend(tally::differences(("the provider served", &served), (who, counted)));
    }
    problems.extend(tally::price_differences(("the host", &host), ("Envoy", &envoy)));
    problems.extend(unpriced("through Envoy", &host));
    Ok(problems)
}

/// What the applications sent beside what the host counted of it.
fn counts_from_sdk(seen: &Seen, report: &Report) -> Result<Vec<String>, String> {
    let sent = tally::served(&report.ledger, By::Answering)?;
    let host = tally::host(&seen.host_of_sdk, By::Answering);
    let mut problems = tally::differences(("the applications sent", &sent), ("the host counted", &host));
    problems.extend(unpriced("from the SDK", &host));
    Ok(problems)
}

fn unpriced(way: &str, tally: &Tally) -> Option<String> {
    tally.values().all(|counts| counts.cost_nano_usd == 0).then(|| format!("no call {way} has a price"))
}

/// The spans that the host wrote: as many as it kept, those that had to be, and the tags of the example plugin.
fn spans(seen: &Seen, sent: &Sent) -> Vec<String> {
    let mut problems = Vec::new();
    let kept = seen.host("tollgate_spans_kept_total");
    if seen.spans.count != kept {
        problems.push(format!("the host kept {kept} spans and wrote {}", seen.spans.count));
    }
    let wanted = sent.through_envoy.kept_trace_ids.iter().chain(&sent.from_sdk.kept_trace_ids);
    for id in wanted.filter(|id| !seen.spans.trace_ids.contains(*id)) {
        problems.push(format!("the trace {id}, which sampling has to keep, is on no span"));
    }
    if seen.spans.team_costs.is_empty() {
        problems.push("no span has a business.team; the example plugin adds it".to_owned());
    }
    for team in sent.from_sdk.teams.iter().filter(|team| seen.spans.team_costs.get(*team).is_none_or(|cost| *cost <= 0))
    {
        problems.push(format!("the team {team} has dear calls and no cost"));
    }
    problems
}

/// Sentences for types that were planted more often than found.
fn unredacted(who: &str, planted: &[Planted], found: &BTreeMap<String, u64>) -> Vec<String> {
    let mut wanted: BTreeMap<&str, u64> = BTreeMap::new();
    for planted in planted {
        *wanted.entry(&planted.kind).or_default() += 1;
    }
    wanted
        .into_iter()
        .map(|(kind, wanted)| (kind, wanted, found.get(kind).copied().unwrap_or(0)))
        .filter(|(_, wanted, found)| found < wanted)
        .map(|(kind, wanted, found)| format!("{kind} was planted {wanted} times and redacted by {who} {found} times"))
        .collect()
}

/// Sentences for planted texts that a file holds.
fn leaks(planted: &[Planted], name: &str, text: &str) -> Vec<String> {
    let mut values: Vec<_> = planted.iter().map(|planted| (&planted.kind, &planted.value)).collect();
    values.sort();
    values.dedup();
    values
        .into_iter()
        .filter(|(_, value)| text.contains(value.as_str()))
        .map(|(kind, value)| format!("{name} holds the planted {kind} {value:?}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::exposition::Page;
    use crate::demo::spans::Spans;

    /// A host that counted one call of an SDK with 10 tokens, at a price.
    fn seen() -> Seen {
        let host_of_sdk = r#"gen_ai_client_operation_duration_seconds_count{gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o"} 1
tollgate_tokens_total{gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o",gen_ai_token_type="input"} 10
tollgate_cost_nano_usd_total{gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o"} 25000
tollgate_spans_kept_total 2
"#;
        Seen {
            ledger: String::new(),
            envoy: Page::default(),
            host_of_envoy: Page::default(),
            host_of_sdk: Page::read(host_of_sdk),
            spans: Spans::default(),
        }
    }

    #[test]
    fn the_host_has_to_count_what_the_sdk_sent() {
        let report = |tokens: u64| Report {
            ledger: format!(
                r#"{{"provider":"openai","request_model":"gpt-4o","usage":{{"input_tokens":{tokens}}},"error":null}}"#
            ),
            ..Report::default()
        };
        assert_eq!(counts_from_sdk(&seen(), &report(10)).unwrap(), Vec::<String>::new());
        let told = counts_from_sdk(&seen(), &report(11)).unwrap();
        assert_eq!(told, ["openai gpt-4o: the applications sent 11 input tokens, the host counted 10"]);
    }

    #[test]
    fn spans_that_are_missing_are_told() {
        let from_sdk =
            Report { kept_trace_ids: vec!["0a".to_owned()], teams: vec!["search".to_owned()], ..Report::default() };
        assert_eq!(
            spans(&seen(), &Sent { through_envoy: Report::default(), from_sdk }),
            [
                "the host kept 2 spans and wrote 0",
                "the trace 0a, which sampling has to keep, is on no span",
                "no span has a business.team; the example plugin adds it",
                "the team search has dear calls and no cost",
            ]
        );
    }

    fn planted() -> Vec<Planted> {
        ["a@example.com", "a@example.com", "b@example.com"]
            .map(|value| Planted { kind: "EMAIL_ADDRESS".into(), value: value.into() })
            .to_vec()
    }

    #[test]
    fn a_leak_is_told_once_a_text() {
        assert_eq!(leaks(&planted(), "spans.jsonl", "nothing"), Vec::<String>::new());
        let told = leaks(&planted(), "spans.jsonl", "to a@example.com and a@example.com");
        assert_eq!(told, ["spans.jsonl holds the planted EMAIL_ADDRESS \"a@example.com\""]);
    }

    #[test]
    fn a_type_that_is_found_less_often_than_planted_is_told() {
        let found = |count| BTreeMap::from([("EMAIL_ADDRESS".to_owned(), count)]);
        assert_eq!(unredacted("the host", &planted(), &found(3)), Vec::<String>::new());
        let told = unredacted("the host", &planted(), &found(2));
        assert_eq!(told, ["EMAIL_ADDRESS was planted 3 times and redacted by the host 2 times"]);
    }
}
