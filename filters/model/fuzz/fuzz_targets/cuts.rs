//! An answer in any chunks: every byte goes on as it came, and what is counted does not depend on the chunks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use tollgate_envoy_model::{Answer, Model, Request, run};
use tollgate_filter::filter::Filter;

const PATHS: [&str; 6] = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/messages",
    "/v1beta/models/gemini:streamGenerateContent",
    "/model/m/converse-stream",
    "/api/chat",
];

/// What was counted, by the name of each metric, and the bytes that went on.
fn through(path: &str, chunks: &[&[u8]]) -> (BTreeMap<String, i64>, Vec<u8>) {
    let (model, mut filter) = (Model::default(), Filter::default());
    assert!(model.configure(&mut filter, r#"{"access_log": "off"}"#));
    let request = Request::post(path, r#"{"model": "m", "stream": true, "messages": []}"#);
    let passed = run(&model, &mut filter, &request, &Answer::events(chunks));
    let counters = model.metric_names().into_iter().filter(|name| !name.contains("_ms"));
    let counted = counters
        .map(|name| {
            let sum = model.sum(&name);
            (name, sum)
        })
        .collect();
    (counted, passed.answer.concat())
}

fuzz_target!(|data: &[u8]| {
    let [path, first, second, body @ ..] = data else { return };
    let path = PATHS[usize::from(*path) % PATHS.len()];
    let whole = through(path, &[body]);
    assert_eq!(whole.1, body);
    let mut chunks = Vec::new();
    let mut rest = body;
    for cut in [first, second].into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, after) = rest.split_at((usize::from(*cut) + 1).min(rest.len()));
        chunks.push(chunk);
        rest = after;
    }
    if chunks.is_empty() {
        return;
    }
    let cut = through(path, &chunks);
    assert_eq!(cut.1, body);
    assert_eq!(cut.0, whole.0);
});
