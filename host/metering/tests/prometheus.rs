//! A real Prometheus scrapes pages of calls, and answers what a count of the calls one by one gives.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "helpers of tests fail as tests do"
)]

mod peers;

use peers::Prometheus;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use tollgate_metering::{Bounds, Call, Calls, CallsOptions, Format, Names, Origin, Registry};

/// What one call was.
struct Sent {
    model: &'static str,
    error: &'static str,
    nanos: u64,
    tokens: u64,
    cost: u64,
    trace_id: [u8; 16],
}

/// Calls with models, errors and sizes as they come, the same every time.
fn sent() -> Vec<Sent> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let call = |number: u64| Sent {
        model: ["gpt-4o", "claude-opus-4", "gemini \"2\"\\"][usize::try_from(next() % 3).unwrap()],
        error: ["", "", "", "timeout"][usize::try_from(next() % 4).unwrap()],
        nanos: 1_000_000 + (next() % 1_000_000) * (1 << (next() % 16)),
        tokens: next() % (1 << (next() % 20)),
        cost: next() % 1_000_000_000,
        trace_id: (u128::from(number) + 1).to_be_bytes(),
    };
    (0..2_000).map(call).collect()
}

fn metered(sent: &[Sent]) -> Arc<Registry> {
    let registry = Arc::new(Registry::new(Bounds::default(), vec![("service.name".into(), "t".into())]));
    let names = vec![Names::Client, Names::LlmApp];
    let calls = Calls::new(Arc::clone(&registry), &CallsOptions { names, ..CallsOptions::default() });
    for one in sent {
        let now = tollgate_metering::now();
        let call = Call {
            operation: "chat",
            provider: "p",
            request_model: one.model,
            error_type: one.error,
            billable: true,
            operates: true,
            duration: Some(one.nanos),
            tokens: [Some(one.tokens), None, None, None, None],
            cost: Some(one.cost),
            origin: Some(Origin { trace_id: one.trace_id, span_id: [7; 8], time: now }),
            ..Call::default()
        };
        calls.count(&call, now);
    }
    registry
}

/// Serves the page in the form that is asked for, and gives the address.
fn serve(registry: Arc<Registry>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(stream, &registry)));
    address
}

fn answer(mut stream: TcpStream, registry: &Registry) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let accept = head.iter().find_map(|line| line.strip_prefix("Accept: ")).unwrap_or_default();
    let format = Format::accepted(accept);
    let body = registry.page(format, tollgate_metering::now());
    let (kind, length) = (format.content_type(), body.len());
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(&body);
}

fn by_model(sent: &[Sent], value: impl Fn(&Sent) -> u64) -> Vec<(String, f64)> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    sent.iter().for_each(|one| *sums.entry(one.model.to_owned()).or_default() += value(one));
    sums.into_iter().map(|(model, sum)| (model, sum as f64)).collect()
}

/// The `q`-quantile: the least value that is not less than that share of all.
fn quantile(sent: &[Sent], share: f64) -> f64 {
    let mut all: Vec<_> = sent.iter().map(|one| one.nanos).collect();
    all.sort_unstable();
    let wanted = all.iter().enumerate().find(|(place, _)| (place + 1) as f64 >= share * all.len() as f64);
    *wanted.unwrap().1 as f64 / 1e9
}

#[track_caller]
fn assert_near(found: f64, expected: f64, relative: f64, what: &str) {
    assert!((found - expected).abs() <= relative * expected.abs(), "{what}: {found}, not {expected}");
}

#[test]
fn prometheus_answers_what_was_sent_from_classic_and_from_native_histograms() {
    let sent = sent();
    let address = serve(metered(&sent));
    for native in [false, true] {
        let Some(prometheus) = Prometheus::start(&address, native) else { return };
        let all = prometheus.until("tollgate_operation_calls_total", "gen_ai_request_model", |found| found.len() == 3);
        assert_eq!(all, by_model(&sent, |_| 1));
        for (query, expected) in [
            ("tollgate_operation_errors_total", by_model(&sent, |one| u64::from(!one.error.is_empty()))),
            ("tollgate_tokens_total", by_model(&sent, |one| one.tokens)),
            ("tollgate_cost_nano_usd_total", by_model(&sent, |one| one.cost)),
        ] {
            assert_eq!(prometheus.query(query, "gen_ai_request_model"), expected, "{query}");
        }
        let total: u64 = sent.iter().map(|one| one.cost).sum();
        assert_near(prometheus.query("sum(llm_app_cost_usd_total)", "")[0].1, total as f64 / 1e9, 1e-12, "dollars");
        assert_eq!(prometheus.query("target_info", "service_name"), [("t".to_owned(), 1.0)]);

        let name = "gen_ai_client_operation_duration_seconds";
        let seconds = sent.iter().map(|one| one.nanos).sum::<u64>() as f64 / 1e9;
        if native {
            let one = |query: String| prometheus.query(&query, "")[0].1;
            assert_eq!(one(format!("histogram_count(sum({name}))")), sent.len() as f64);
            assert_near(one(format!("histogram_sum(sum({name}))")), seconds, 1e-9, "sum");
            for share in [0.01, 0.5, 0.9, 0.99] {
                // Durations span 16 powers of two, which 160 buckets hold at 8 a power: 2^(1/8) is 9 %.
                let found = one(format!("histogram_quantile({share}, sum({name}))"));
                assert_near(found, quantile(&sent, share), 0.095, "quantile");
            }
            let tokens = one("histogram_count(sum(gen_ai_client_token_usage))".to_owned());
            assert_eq!(tokens, sent.len() as f64);
        } else {
            assert_eq!(prometheus.query(&format!("sum({name}_count)"), "")[0].1, sent.len() as f64);
            assert_near(prometheus.query(&format!("sum({name}_sum)"), "")[0].1, seconds, 1e-9, "sum");
            for (bound, nanos) in [("0.08", 80_000_000), ("1.28", 1_280_000_000), ("+Inf", u64::MAX)] {
                let expected = sent.iter().filter(|one| one.nanos <= nanos).count() as f64;
                let found = prometheus.query(&format!("sum({name}_bucket{{le=\"{bound}\"}})"), "")[0].1;
                assert_eq!(found, expected, "at most {bound}");
            }
        }
        let selectors = ["tollgate_operation_calls_total", "llm_app_cost_usd_total"].map(str::to_owned);
        let histogram = if native { name.to_owned() } else { format!("{name}_bucket") };
        for selector in selectors.into_iter().chain([histogram]) {
            let exemplars = prometheus.exemplars(&selector);
            assert!(!exemplars.is_empty(), "{selector} has no exemplars");
            for exemplar in exemplars {
                let id = u128::from_str_radix(&exemplar, 16).unwrap().to_be_bytes();
                assert!(sent.iter().any(|one| one.trace_id == id), "{selector}: {exemplar} was not sent");
            }
        }
    }
}

#[test]
fn promtool_finds_nothing_wrong_with_the_page() {
    let page = metered(&sent()).page(Format::Text, 0);
    let Some(said) = peers::promtool(&page) else { return };
    assert_eq!(said, "", "{}", String::from_utf8_lossy(&page));
}

#[test]
fn the_official_parser_reads_the_open_metrics_page() {
    let sent = sent();
    let Some(samples) = peers::open_metrics(&metered(&sent).page(Format::OpenMetrics, 0)) else { return };
    let samples = samples.as_array().unwrap();
    let calls = samples.iter().filter(|sample| sample[0] == "tollgate_operation_calls_total");
    let mut calls: Vec<_> = calls
        .map(|sample| {
            let id = u128::from_str_radix(sample[3].as_str().unwrap(), 16).unwrap().to_be_bytes();
            let model = sample[1]["gen_ai_request_model"].as_str().unwrap().to_owned();
            assert!(sent.iter().any(|one| one.trace_id == id && one.model == model), "{sample}");
            (model, sample[2].as_f64().unwrap())
        })
        .collect();
    calls.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(calls, by_model(&sent, |_| 1));
    let buckets =
        samples.iter().filter(|sample| sample[0] == "gen_ai_client_token_usage_bucket" && !sample[3].is_null());
    assert!(buckets.count() > 10, "buckets have exemplars");
}
