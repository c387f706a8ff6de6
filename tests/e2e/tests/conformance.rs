//! The conformance corpus in the seats beside the library: each case gives the record that the library gives, in the
//! component under wasmtime and, where it is a whole exchange, in the filter inside real Envoy.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use tollgate_call::{Outcome, Record};
use tollgate_conformance::{Case, corpus, load};
use tollgate_e2e::{Answer, Envoy, Settings, Upstream, build_output, client};
use tollgate_token_extractor::{Extractor, RequestHead};

/// Header by which the upstream knows which case to answer.
const NUMBER: &str = "x-case";

fn outcome(case: &Case) -> Outcome {
    match case.outcome() {
        tollgate_conformance::Outcome::Complete => Outcome::Complete,
        tollgate_conformance::Outcome::ClientAborted => Outcome::ClientAborted,
        tollgate_conformance::Outcome::UpstreamAborted => Outcome::UpstreamAborted,
        tollgate_conformance::Outcome::TimedOut => Outcome::TimedOut,
    }
}

fn json(record: Option<&Record>) -> Value {
    record.map_or(Value::Null, |record| serde_json::to_value(record).unwrap())
}

fn in_library(extractor: &Extractor, case: &Case) -> Value {
    let request = &case.request;
    let content_type = request.headers.iter().find(|(name, _)| name == "content-type");
    let mut exchange = extractor.exchange(RequestHead {
        method: &request.method,
        host: &request.host,
        path: &request.path,
        content_type: content_type.map(|(_, value)| value.as_bytes()),
    });
    exchange.request_body(&request.body);
    if let Some(response) = &case.response {
        let headers = response.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        exchange.response_head(response.status, headers);
    }
    exchange.response_body(case.transferred(), 0);
    json(exchange.end(outcome(case)).record.as_ref().ok())
}

fn in_component(extractor: &mut tollgate_engine::Extractor, case: &Case) -> Value {
    let borrowed = |headers: &[(String, String)]| -> Vec<(String, Vec<u8>)> {
        headers.iter().map(|(name, value)| (name.clone(), value.as_bytes().to_vec())).collect()
    };
    let request = &case.request;
    let headers = borrowed(&request.headers);
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let head = tollgate_engine::RequestHead {
        method: &request.method,
        host: &request.host,
        path: &request.path,
        headers: &headers,
    };
    let mut exchange = extractor.exchange(head).unwrap();
    exchange.request_body(&request.body).unwrap();
    if let Some(response) = &case.response {
        let headers = borrowed(&response.headers);
        let headers: Vec<(&str, &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        exchange.response_head(response.status, &headers).unwrap();
    }
    for chunk in case.transferred().chunks(50) {
        exchange.response_body(chunk, 0).unwrap();
    }
    json(exchange.end(outcome(case)).unwrap().call.as_ref().ok())
}

#[test]
fn every_case_gives_the_same_record_in_the_component() {
    let Some(module) = build_output("plugins/token_extractor.wasm") else { return };
    let engine = tollgate_engine::Engine::new(tollgate_engine::EngineConfig::default()).unwrap();
    let plugin = engine.load(&fs::read(module).unwrap()).unwrap();
    let mut component = plugin.extractor("{}").unwrap();
    let library = Extractor::default();
    for case in load(corpus()).unwrap() {
        assert_eq!(in_component(&mut component, &case), in_library(&library, &case), "{}: component", case.file);
    }
}

/// Whether a case is an exchange that HTTP carries from end to end as it stands.
fn is_whole(case: &Case) -> bool {
    case.cut.is_none() && case.response.as_ref().is_some_and(|response| response.status >= 200)
}

/// What the provider of a case answers: some with their length, some in chunks.
fn answer(case: &Case, number: usize) -> Answer {
    let response = case.response.as_ref().unwrap();
    let headers: Vec<(&str, &str)> =
        response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    match number % 3 {
        0 => Answer::sized(response.status, &headers, &response.body),
        chunks => Answer::chunked(response.status, &headers, response.body.chunks(37 * chunks)).end(),
    }
}

#[test]
fn every_whole_case_gives_the_same_record_in_envoy() {
    let cases: Vec<Case> = load(corpus()).unwrap().into_iter().filter(is_whole).collect();
    let cases = Arc::new(cases);
    let answered = Arc::clone(&cases);
    let upstream = Upstream::start(move |request| {
        let number: usize = request.header(NUMBER).unwrap().parse().unwrap();
        answer(&answered[number], number)
    });
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port())) else { return };
    for (number, case) in cases.iter().enumerate() {
        let number = number.to_string();
        let mut headers: Vec<(&str, &[u8])> = vec![
            ("host", case.request.host.as_bytes()),
            ("x-request-id", number.as_bytes()),
            (NUMBER, number.as_bytes()),
        ];
        let own = case.request.headers.iter().filter(|(name, _)| name != "host");
        headers.extend(own.map(|(name, value)| (name.as_str(), value.as_bytes())));
        let request = &case.request;
        let response = client::request(envoy.port(), &request.method, &request.path, &headers, &request.body);
        assert!(response.whole, "{} was cut", case.file);
        assert_eq!(response.body, case.response.as_ref().unwrap().body, "{}: a byte changed", case.file);
    }
    let in_envoy: BTreeMap<usize, Value> = envoy
        .access_log(cases.len())
        .iter()
        .map(|line| {
            let number = line["request_id"].as_str().unwrap().parse().unwrap();
            (number, line["record"].as_str().map_or(Value::Null, |text| serde_json::from_str(text).unwrap()))
        })
        .collect();
    let library = Extractor::default();
    for (number, case) in cases.iter().enumerate() {
        assert_eq!(in_envoy[&number], in_library(&library, case), "{}: filter in Envoy", case.file);
    }
}
