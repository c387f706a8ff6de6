//! What published instrumentations send, enriched: compared with golden files, and with what the provider served.
//!
//! `tests/dialects/captured` holds the spans (see `capture.py` beside it), `tests/dialects/golden` what becomes of them.
//! With `TOLLGATE_BLESS=1` the golden files are written anew; the sums are checked all the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;
use tollgate_link::{Bounds, Call, Links};
use tollgate_otlp::{Limits, Reads, Span, TraceRequest};
use tollgate_semconv::{attribute as name, call_role};
use tollgate_token_extractor::dialect::Enricher;

/// Every file of captured spans.
const EMITTERS: [&str; 8] =
    ["ai-sdk-5", "ai-sdk-6", "ai-sdk-7", "langfuse", "openinference", "openllmetry", "opentelemetry", "pydantic-ai"];

/// Kinds of tokens: in the provider's ledger, and on spans.
const KINDS: [(&str, &str); 5] = [
    ("input_tokens", name::GEN_AI_USAGE_INPUT_TOKENS),
    ("output_tokens", name::GEN_AI_USAGE_OUTPUT_TOKENS),
    ("cache_read_tokens", name::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_write_tokens", name::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("reasoning_tokens", name::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
];

/// What an emitter has nowhere on its spans, so that nobody can count it.
const NOT_SENT: &[(&str, &str)] = &[
    // Version 5 has cached tokens on streams and for Anthropic only, and reasoning nowhere.
    ("ai-sdk-5", "cache_read_tokens"),
    ("ai-sdk-5", "reasoning_tokens"),
    ("ai-sdk-7", "reasoning_tokens"),
    ("opentelemetry", "cache_read_tokens"),
    ("opentelemetry", "reasoning_tokens"),
];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/dialects"))
}

/// One request, as it was sent and with what the enricher adds.
struct Enriched {
    before: Vec<u8>,
    after: Vec<u8>,
}

fn enriched(enricher: &Enricher, request: &Value) -> Enriched {
    let request: ExportTraceServiceRequest = serde_json::from_value(request.clone()).unwrap();
    let before = request.encode_to_vec();
    let manifest = enricher.manifest();
    let scanned = TraceRequest::scan(&before, &Limits::default()).unwrap();
    let edits = enricher.enrich(&scanned.project(&Reads::compile(&manifest.reads).unwrap()));
    let after = scanned.apply(&edits, &manifest.writes).unwrap();
    Enriched { before, after }
}

fn text<'a>(span: &Span<'a>, name: &str) -> Option<&'a str> {
    span.attributes().get(name)?.as_text()
}

fn count(span: &Span<'_>, name: &str) -> Option<u64> {
    u64::try_from(span.attributes().get(name)?.as_integer()?).ok()
}

/// Which of the spans that are calls were reported already.
fn duplicates(spans: &[Span<'_>], links: &mut Links) -> Vec<bool> {
    let is_call = |span: &&Span<'_>| {
        call_role::is_billable(text(span, name::TOLLGATE_CALL_ROLE), text(span, name::GEN_AI_OPERATION_NAME))
    };
    let calls: Vec<_> = spans
        .iter()
        .filter(is_call)
        .map(|span| Call {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            parent_id: span.parent_id(),
            response_id: text(span, name::GEN_AI_RESPONSE_ID),
            input: count(span, name::GEN_AI_USAGE_INPUT_TOKENS),
            output: count(span, name::GEN_AI_USAGE_OUTPUT_TOKENS),
            gateway: false,
        })
        .collect();
    let mut found = links.duplicates(Duration::ZERO, &calls).into_iter();
    spans.iter().map(|span| is_call(&span) && found.next().unwrap()).collect()
}

fn shown(value: &str) -> String {
    let cut: String = value.chars().take(160).collect();
    if cut.len() < value.len() { format!("{cut}…") } else { cut }
}

/// The page of one emitter, and the tokens that count.
fn page(file: &Value) -> (String, BTreeMap<&'static str, u64>) {
    let enricher = Enricher::configure(r#"{"content": true}"#).unwrap();
    let mut links = Links::new(Bounds { most: 1_000, ttl: Duration::from_secs(60) });
    let mut page = String::new();
    for (emitter, version) in file["emitter"].as_object().unwrap() {
        writeln!(page, "{emitter} {}", version.as_str().unwrap()).unwrap();
    }
    let mut sums = BTreeMap::from(KINDS.map(|(kind, _)| (kind, 0)));
    for request in file["requests"].as_array().unwrap() {
        let request = enriched(&enricher, request);
        let before = TraceRequest::scan(&request.before, &Limits::default()).unwrap();
        let after = TraceRequest::scan(&request.after, &Limits::default()).unwrap();
        let spans: Vec<_> = after.spans().collect();
        for ((old, new), duplicate) in before.spans().zip(&spans).zip(duplicates(&spans, &mut links)) {
            let role = match text(new, name::TOLLGATE_CALL_ROLE) {
                Some(_) if duplicate => call_role::DUPLICATE,
                role => role.unwrap_or("-"),
            };
            writeln!(page, "\n{} [{}]: {role}", new.name(), new.scope_name()).unwrap();
            if role == call_role::BILLABLE {
                for (kind, attribute) in KINDS {
                    *sums.get_mut(kind).unwrap() += count(new, attribute).unwrap_or(0);
                }
            }
            let json: Value = serde_json::from_str(&new.attributes().to_json()).unwrap();
            for (key, value) in json.as_object().unwrap() {
                let had = old.attributes().get(key);
                if had == new.attributes().get(key) || key == name::TOLLGATE_CALL_ROLE {
                    continue;
                }
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let sign = if had.is_some() { '!' } else { '+' };
                writeln!(page, "  {sign} {key} = {}", shown(&value)).unwrap();
            }
        }
    }
    writeln!(page, "\nbillable: {sums:?}").unwrap();
    (page, sums)
}

/// What the provider served, by kind.
fn served(file: &Value, kind: &str) -> u64 {
    file["served"].as_array().unwrap().iter().filter_map(|call| call["usage"][kind].as_u64()).sum()
}

#[test]
fn captured_spans_become_what_the_golden_files_say_and_sum_up_to_what_was_served() {
    let bless = std::env::var_os("TOLLGATE_BLESS").is_some_and(|value| value == "1");
    for emitter in EMITTERS {
        let captured = folder().join("captured").join(format!("{emitter}.json"));
        let file: Value = serde_json::from_str(&std::fs::read_to_string(captured).unwrap()).unwrap();
        let (page, sums) = page(&file);
        let golden = folder().join("golden").join(format!("{emitter}.txt"));
        if bless {
            std::fs::write(&golden, &page).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap();
        assert!(page == expected, "{emitter} differs from {}:\n{page}", golden.display());
        for (kind, _) in KINDS {
            if NOT_SENT.contains(&(emitter, kind)) {
                assert!(sums[kind] < served(&file, kind), "{emitter} sends {kind} after all");
            } else {
                assert_eq!(sums[kind], served(&file, kind), "{emitter}: {kind}");
            }
        }
    }
}

#[test]
fn a_span_that_was_enriched_is_not_enriched_again() {
    let enricher = Enricher::configure(r#"{"content": true}"#).unwrap();
    for emitter in EMITTERS {
        let captured = folder().join("captured").join(format!("{emitter}.json"));
        let file: Value = serde_json::from_str(&std::fs::read_to_string(captured).unwrap()).unwrap();
        for request in file["requests"].as_array().unwrap() {
            let once = enriched(&enricher, request).after;
            let scanned = TraceRequest::scan(&once, &Limits::default()).unwrap();
            let manifest = enricher.manifest();
            let edits = enricher.enrich(&scanned.project(&Reads::compile(&manifest.reads).unwrap()));
            assert!(
                edits.texts.is_empty() && edits.integers.is_empty() && edits.reals.is_empty(),
                "{emitter}: {edits:?}"
            );
        }
    }
}
