//! Each query of docs/CLICKHOUSE.md gives what a plain count of the same traffic gives.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod common;

use common::traffic::{self, Call, START, dollars};
use common::{Server, insert_spans, run, schema, table};
use std::collections::BTreeMap;
use tollgate_clickhouse::migrate::migrate;

/// The queries of the page by name.
fn queries() -> BTreeMap<String, String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLICKHOUSE.md")).unwrap();
    let named = page.split("<!-- query: ").skip(1).map(|part| {
        let (name, rest) = part.split_once(" -->").unwrap();
        let (_, rest) = rest.split_once("```sql\n").unwrap();
        (name.to_owned(), rest.split_once("```").unwrap().0.to_owned())
    });
    named.collect()
}

/// A plain sum of something by something.
#[derive(Clone, Debug, Default)]
struct Sum {
    calls: u64,
    nano: i128,
    priced: u64,
    input: u64,
    output: u64,
    cache_read: u64,
    errors: u64,
    durations: Vec<u64>,
    first_chunks: Vec<f64>,
    first: u64,
    last: u64,
}

impl Sum {
    fn add(&mut self, call: &Call) {
        self.first = if self.calls == 0 { call.start } else { self.first.min(call.start) };
        self.last = self.last.max(call.start);
        self.calls += 1;
        self.nano += i128::from(call.cost.unwrap_or(0));
        self.priced += u64::from(call.cost.is_some());
        self.input += call.input.unwrap_or(0);
        self.output += call.output.unwrap_or(0);
        self.cache_read += call.cache_read.unwrap_or(0);
        self.errors += u64::from(call.error.is_some());
        self.durations.push(call.duration);
        self.first_chunks.extend(call.first_chunk);
    }

    fn usd(&self) -> String {
        if self.priced == 0 { "\\N".to_owned() } else { dollars(self.nano) }
    }

    fn unpriced(&self) -> u64 {
        self.calls - self.priced
    }

    /// The value below which a share of all lie, as `quantileExact` has it.
    fn duration(&self, share: f64) -> u64 {
        let mut all = self.durations.clone();
        all.sort_unstable();
        all[((share * all.len() as f64) as usize).min(all.len() - 1)]
    }
}

fn by<K: Ord>(calls: &[&Call], key: impl Fn(&Call) -> Option<K>) -> BTreeMap<K, Sum> {
    let mut sums: BTreeMap<K, Sum> = BTreeMap::new();
    for call in calls {
        if let Some(key) = key(call) {
            sums.entry(key).or_default().add(call);
        }
    }
    sums
}

fn texts(cells: &[&dyn std::fmt::Display]) -> Vec<String> {
    cells.iter().map(ToString::to_string).collect()
}

const MINUTE: u64 = 60_000_000_000;

/// `2026-03-01 23:20:00` and so on: the traffic is of two days.
fn clock(time: u64) -> String {
    let seconds = (time - START) / 1_000_000_000 + 23 * 3_600 + 20 * 60;
    let (day, seconds) = (1 + seconds / 86_400, seconds % 86_400);
    format!("2026-03-{day:02} {:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

fn of_first_day(call: &Call) -> bool {
    clock(call.start).starts_with("2026-03-01")
}

/// The dearest first, those without a price last.
fn dearest<K: Clone>(sums: &BTreeMap<K, Sum>) -> Vec<(K, Sum)> {
    let mut all: Vec<_> = sums.iter().map(|(key, sum)| (key.clone(), sum.clone())).collect();
    all.sort_by_key(|(_, sum)| (sum.priced == 0, -sum.nano));
    all
}

fn expected(name: &str, all: &[Call]) -> Vec<Vec<String>> {
    let calls: Vec<&Call> = all.iter().filter(|call| call.is_billable()).collect();
    match name {
        "cost_by_model" => {
            let first: Vec<&Call> = calls.iter().copied().filter(|call| of_first_day(call)).collect();
            let sums = by(&first, |call| Some((call.provider, call.known_model())));
            let row = |((provider, model), s): ((&str, &str), Sum)| {
                texts(&[&provider, &model, &s.calls, &s.usd(), &s.unpriced(), &s.input, &s.output])
            };
            dearest(&sums).into_iter().map(row).collect()
        }
        "cost_by_team" => by(&calls, |call| Some(call.team.unwrap_or("")))
            .iter()
            .map(|(team, s)| texts(&[team, &s.usd(), &s.calls, &s.unpriced()]))
            .collect(),
        "cost_by_minute" | "cost_by_minute_exact" => {
            by(&calls, |call| Some((call.start / MINUTE * MINUTE, call.known_model())))
                .iter()
                .map(|((minute, model), s)| texts(&[&clock(*minute), model, &dollars(s.nano), &s.calls]))
                .collect()
        }
        "tokens_by_tenant" => by(&calls, |call| Some(call.tenant.unwrap_or("")))
            .iter()
            .map(|(tenant, s)| texts(&[tenant, &s.input, &s.cache_read, &s.output]))
            .collect(),
        "durations" => by(&calls, |call| Some(call.provider))
            .iter()
            .map(|(provider, s)| texts(&[provider, &s.calls, &s.duration(0.5), &s.duration(0.95), &s.duration(0.99)]))
            .collect(),
        "first_chunk" => by(&calls, |call| Some(call.model))
            .iter()
            .map(|(model, s)| {
                let mut chunks = s.first_chunks.clone();
                chunks.sort_by(f64::total_cmp);
                let at = ((0.9 * chunks.len() as f64) as usize).min(chunks.len() - 1);
                texts(&[model, &chunks.len(), &chunks[at]])
            })
            .collect(),
        "errors" => by(&calls, |call| Some((call.provider, call.error?)))
            .iter()
            .map(|((provider, error), s)| texts(&[provider, error, &s.calls]))
            .collect(),
        "error_rate" => by(&calls, |call| Some(call.service))
            .iter()
            .map(|(service, s)| texts(&[service, &s.errors, &s.calls]))
            .collect(),
        "sessions" => {
            let sums = by(&calls, |call| call.session.clone());
            let precise = |time: u64| format!("{}.{:09}", clock(time), time % 1_000_000_000);
            let row = |(session, s): (String, Sum)| {
                texts(&[&session, &s.calls, &s.usd(), &precise(s.first), &precise(s.last)])
            };
            dearest(&sums).into_iter().take(20).map(row).collect()
        }
        "users" => {
            let sums = by(&calls, |call| call.user.clone());
            let row = |(user, s): (String, Sum)| texts(&[&user, &s.usd(), &s.calls]);
            dearest(&sums).into_iter().take(10).map(row).collect()
        }
        "unpriced" => {
            let sums = by(&calls, |call| call.cost.is_none().then_some((call.provider, call.model)));
            let mut rows: Vec<_> = sums.into_iter().collect();
            rows.sort_by_key(|(_, s)| std::cmp::Reverse(s.calls));
            rows.iter().map(|((provider, model), s)| texts(&[&"unknown_model", provider, model, &s.calls])).collect()
        }
        "cost_of_trace" => {
            let trace = |call: &Call| call.trace == *b"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x01";
            let sum = by(&calls, |call| trace(call).then_some(())).remove(&()).unwrap_or_default();
            vec![texts(&[&sum.calls, &sum.usd()])]
        }
        other => panic!("the page has a query {other:?}, and nobody counts what it counts"),
    }
}

#[test]
fn queries_of_the_page_are_exact_to_the_nano_dollar() {
    let Some(server) = Server::start() else { return };
    let client = server.client();
    let calls = traffic::calls(7, 3_000);
    let queries = queries();
    assert!(queries.len() >= 14, "{:?}", queries.keys());
    run(async {
        migrate(&client, &schema(), None).await.unwrap();
        for part in calls.chunks(500) {
            // Each comes twice, as after an answer that was lost.
            insert_spans(&client, &traffic::request(part)).await.unwrap();
            insert_spans(&client, &traffic::request(part)).await.unwrap();
        }
        for (name, query) in &queries {
            if name == "durations_estimated" {
                continue;
            }
            assert_eq!(table(&client, query).await, expected(name, &calls), "{name}:\n{query}");
        }
        estimated(&client, &queries["durations_estimated"], &calls).await;

        // Spans that come once more in other requests, as after a crash: the calls are exact nevertheless.
        insert_spans(&client, &traffic::request(&calls[250..750])).await.unwrap();
        for (name, query) in queries.iter().filter(|(_, query)| !query.contains("by_minute")) {
            assert_eq!(table(&client, query).await, expected(name, &calls), "{name}:\n{query}");
        }
        let sums = table(&client, &queries["cost_by_minute"]).await;
        assert_ne!(sums, expected("cost_by_minute", &calls), "the page says that sums count these twice");
    });
}

async fn estimated(client: &tollgate_clickhouse::Client, query: &str, calls: &[Call]) {
    let calls: Vec<&Call> = calls.iter().filter(|call| call.is_billable()).collect();
    let exact = by(&calls, |call| Some(call.provider));
    let rows = table(client, query).await;
    assert_eq!(rows.len(), exact.len());
    for (row, (provider, sum)) in rows.iter().zip(exact) {
        assert_eq!(row[0], provider);
        let estimates = row[1].trim_matches(['[', ']']).split(',').map(|text| text.parse::<f64>().unwrap());
        for (estimate, share) in estimates.zip([0.5, 0.9, 0.95, 0.99]) {
            let exact = sum.duration(share) as f64 / 1e9;
            assert!((estimate - exact).abs() / exact < 0.03, "{provider} {share}: {estimate}, exact {exact}");
        }
    }
}
