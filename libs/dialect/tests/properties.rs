//! What holds of every request: nothing but attributes of spans is touched, of those only what a rule treats, and what
//! comes out is a request that receivers take.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::*;
use prost::Message;
use std::borrow::Cow;
use std::collections::BTreeMap;
use tollgate_dialect::{Action, Dialect, Overrides, Preset, Rule};
use tollgate_otlp::{Envelope, Limits, NewValue, RequestWriter, SpanWriter, TraceRequest};

/// A value of any type.
#[derive(Clone, Debug)]
enum Any {
    Text(String),
    Integer(i64),
    Real(f64),
    Truth(bool),
    Json(&'static str),
}

fn any_value() -> impl Strategy<Value = Any> {
    prop_oneof![
        "[a-z{\\[\"é]{0,6}".prop_map(Any::Text),
        prop::sample::select(vec!["chat", "invoke_agent", "x_ai", "billable", "duplicate", "[]", "{}", "[1]"])
            .prop_map(|text| Any::Text(text.to_owned())),
        any::<i64>().prop_map(Any::Integer),
        (0_i64..1_000).prop_map(Any::Integer),
        any::<f64>().prop_map(Any::Real),
        any::<bool>().prop_map(Any::Truth),
        prop::sample::select(vec![
            r#"[{"role":"user","parts":[{"type":"text","content":"a"},{"type":"blob","modality":"image"},7]}]"#,
            r#"{"parts":{"input":{"amount":"0.5"},"output":{"amount":1}}}"#,
            r#"[[],null,{"role":1,"content":{}}]"#,
        ])
        .prop_map(Any::Json),
    ]
}

/// Names that rules read or write, and names that they do not.
fn any_name() -> impl Strategy<Value = String> {
    let known = Preset::ALL.into_iter().flat_map(Preset::rules).flat_map(|rule| rule.from.iter().chain([&rule.to]));
    let mut known: Vec<String> = known.map(|name| name.replace('*', "x_")).filter(|name| !name.is_empty()).collect();
    known.extend(
        ["tollgate.call.role", "openinference.span.kind", "gen_ai.usage.video.input_tokens"].map(str::to_owned),
    );
    prop_oneof![4 => prop::sample::select(known), 1 => "app\\.[a-z]{1,3}"]
}

fn request(resource: &[(&str, NewValue<'_>)], spans: &[BTreeMap<String, Any>]) -> Vec<u8> {
    let mut writer = RequestWriter::new();
    for (number, attributes) in spans.iter().enumerate() {
        let mut span = SpanWriter::new([1; 16], (number as u64 + 1).to_be_bytes(), "span");
        span.times(1_790_000_000_000_000_000, 1_790_000_001_000_000_000);
        for (name, value) in attributes {
            match value {
                Any::Text(text) => span.set(name, text.as_str()),
                Any::Integer(value) => span.set(name, *value),
                Any::Real(value) => span.set(name, *value),
                Any::Truth(value) => span.set(name, *value),
                Any::Json(json) => span.set_json(name, json).unwrap(),
            };
        }
        span.event(7, "gen_ai.usage.input_tokens", &[("gen_ai.usage.input_tokens", 1_i64.into())]);
        writer.push(&Envelope::new(resource, "gen_ai.usage.input_tokens", "1"), span.bytes());
    }
    writer.finish()
}

fn decode(bytes: &[u8]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(bytes).unwrap()
}

fn spans(request: &mut ExportTraceServiceRequest) -> Vec<&mut Span> {
    let scopes = request.resource_spans.iter_mut().flat_map(|resource| &mut resource.scope_spans);
    scopes.flat_map(|scope| &mut scope.spans).collect()
}

/// Doubles that are no number compare unequal, so that encoded attributes are compared.
fn encoded(attribute: &KeyValue) -> Vec<u8> {
    attribute.encode_to_vec()
}

fn dialects() -> Vec<Dialect> {
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let overrides = Overrides {
        rename: vec![pair("gen_ai.input.messages", "llm.model_name"), pair("app.a", "app.b")],
        copy: vec![pair("gen_ai.usage.input_tokens", "app.c")],
        drop: vec!["session.id".to_owned()],
    };
    let all = Preset::ALL.into_iter();
    all.flat_map(|preset| [Overrides::default(), overrides.clone()].map(|o| Dialect::new(preset, &o).unwrap()))
        .collect()
}

/// Whether a rule may take an attribute out.
fn may_take(rule: &Rule, name: &str) -> bool {
    match rule.keep {
        tollgate_dialect::Keep::Stay => false,
        tollgate_dialect::Keep::Go if !matches!(rule.action, Action::Drop) => rule.from.contains(&name),
        _ => name.starts_with("gen_ai.usage.") || name.starts_with("llm."),
    }
}

proptest! {
    #[test]
    fn the_identity_gives_what_it_was_given(bytes: Vec<u8>) {
        let identity = Dialect::new(Preset::Otel, &Overrides::default()).unwrap();
        prop_assert!(identity.is_identity());
        let translated = identity.apply(&bytes).unwrap();
        prop_assert!(matches!(translated.bytes, Cow::Borrowed(same) if same.as_ptr() == bytes.as_ptr()));
    }

    #[test]
    fn any_bytes_do_no_harm(bytes: Vec<u8>) {
        for dialect in dialects() {
            let _ = dialect.apply(&bytes);
        }
    }

    #[test]
    fn what_no_rule_knows_stays_byte_for_byte(spans in prop::collection::vec(prop::collection::btree_map("app\\.[d-z]{1,3}", any_value(), 0..6), 0..4)) {
        let bytes = request(&[("service.name", "shop".into())], &spans);
        for dialect in dialects() {
            let translated = dialect.apply(&bytes).unwrap();
            prop_assert!(matches!(translated.bytes, Cow::Borrowed(same) if same == bytes));
            prop_assert_eq!(translated.unconverted, 0);
        }
    }

    #[test]
    fn only_attributes_of_spans_are_touched(spans_of in prop::collection::vec(prop::collection::btree_map(any_name(), any_value(), 0..10), 1..4)) {
        let bytes = request(&[("service.name", "shop".into()), ("service.version", "1".into())], &spans_of);
        for dialect in dialects() {
            let translated = dialect.apply(&bytes).unwrap();
            let scanned = TraceRequest::scan(&translated.bytes, &Limits::default());
            prop_assert_eq!(scanned.map(|request| request.len()).ok(), Some(spans_of.len()));
            let (mut before, mut after) = (decode(&bytes), decode(&translated.bytes));
            for (before, after) in spans(&mut before).into_iter().zip(spans(&mut after)) {
                let (old, new) = (std::mem::take(&mut before.attributes), std::mem::take(&mut after.attributes));
                // What stays stands first and in its order; what is new comes behind.
                let stayed = new.iter().take_while(|attribute| old.iter().any(|old| encoded(old) == encoded(attribute)));
                let places: Vec<_> = stayed.map(|new| old.iter().position(|old| encoded(old) == encoded(new))).collect();
                prop_assert!(places.is_sorted(), "{:?}", places);
                let mut names: Vec<_> = new.iter().map(|attribute| &attribute.key).collect();
                names.sort_unstable();
                names.dedup();
                // The media type of an input is written with it, beside one that was there without an input.
                prop_assert!(new.len() - names.len() <= 2, "a name twice: {:?}", new);
            }
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn a_preset_takes_out_what_its_table_says(attributes in prop::collection::btree_map(any_name(), any_value(), 0..12)) {
        let bytes = request(&[], std::slice::from_ref(&attributes));
        for preset in Preset::ALL {
            let translated = Dialect::new(preset, &Overrides::default()).unwrap().apply(&bytes).unwrap();
            let mut after = decode(&translated.bytes);
            let after = &spans(&mut after)[0].attributes;
            for name in attributes.keys().filter(|name| after.iter().all(|attribute| attribute.key != **name)) {
                prop_assert!(preset.rules().iter().any(|rule| may_take(rule, name)), "{} took {name}", preset.name());
            }
        }
    }

    #[test]
    fn parts_of_the_usage_add_up(input in 0_u32..1_000_000, output in 0_u32..1_000_000, shares in [0_u32..=100, 0..=100, 0..=100, 0..=100]) {
        let share = |of: u32, part: u32| u64::from(of) * u64::from(part) / 100;
        let read = share(input, shares[0]);
        let write = (u64::from(input) - read) * u64::from(shares[1]) / 100;
        let hour = write * u64::from(shares[2]) / 100;
        let counts = [
            ("gen_ai.usage.input_tokens", u64::from(input)),
            ("gen_ai.usage.output_tokens", u64::from(output)),
            ("gen_ai.usage.cache_read.input_tokens", read),
            ("gen_ai.usage.cache_write.input_tokens", write),
            ("tollgate.usage.cache_write_1h_tokens", hour),
            ("gen_ai.usage.reasoning.output_tokens", share(output, shares[3])),
            ("gen_ai.usage.text.input_tokens", u64::from(input)),
        ];
        let mut attributes: BTreeMap<_, _> = counts.iter().map(|(name, count)| ((*name).to_owned(), Any::Integer(*count as i64))).collect();
        attributes.insert("gen_ai.operation.name".to_owned(), Any::Text("chat".to_owned()));
        let bytes = request(&[], &[attributes]);
        let translated = Dialect::new(Preset::Langfuse, &Overrides::default()).unwrap().apply(&bytes).unwrap();
        let request = TraceRequest::rescan(&translated.bytes).unwrap();
        let attributes = request.span(0).unwrap().attributes();
        prop_assert!(attributes.into_iter().all(|(name, _)| !name.starts_with("gen_ai.usage.")));
        let details = attributes.get("langfuse.observation.usage_details").and_then(|value| value.as_text()).unwrap();
        let details: BTreeMap<String, u64> = serde_json::from_str(details).unwrap();
        let sum = |word: &str| details.iter().filter(|(key, _)| key.contains(word)).map(|(_, count)| *count).sum::<u64>();
        prop_assert_eq!((sum("input"), sum("output")), (u64::from(input), u64::from(output)), "as its user interface adds");
        prop_assert_eq!(details["total"], u64::from(input) + u64::from(output));
    }
}

#[test]
fn overrides_that_contradict_each_other_are_refused() {
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let refused = |rename: Vec<_>, copy: Vec<_>, drop: Vec<String>| {
        Dialect::new(Preset::Otel, &Overrides { rename, copy, drop }).unwrap_err().to_string()
    };
    assert_eq!(refused(vec![pair("a", "a")], vec![], vec![]), "\"a\" leads to itself; remove it");
    assert_eq!(
        refused(vec![pair("a", "c")], vec![pair("b", "c")], vec![]),
        "two names lead to \"c\"; an attribute has one value"
    );
    assert_eq!(refused(vec![], vec![pair("", "c")], vec![]), "a name is empty");
    assert_eq!(refused(vec![], vec![], vec![String::new()]), "a name is empty");
    let many = (0..10_001).map(|number| format!("n{number}")).collect();
    assert_eq!(refused(vec![], vec![], many), "10001 names; at most 10000 are possible");
}

#[test]
fn a_list_is_flattened_up_to_its_limit() {
    let messages: Vec<_> = (0..1_500).map(|i| format!(r#"{{"role":"user","content":"{i}"}}"#)).collect();
    let messages = format!("[{}]", messages.join(","));
    let attributes = BTreeMap::from([("gen_ai.input.messages".to_owned(), Any::Text(messages.clone()))]);
    let bytes = request(&[], &[attributes]);
    let translated = Dialect::new(Preset::OpenInference, &Overrides::default()).unwrap().apply(&bytes).unwrap();
    assert_eq!(translated.unconverted, 1);
    let request = TraceRequest::rescan(&translated.bytes).unwrap();
    let attributes = request.span(0).unwrap().attributes();
    assert_eq!(attributes.into_iter().filter(|(name, _)| name.starts_with("llm.input_messages.")).count(), 2_000);
    assert_eq!(attributes.get("input.value").and_then(|value| value.as_text()), Some(messages.as_str()), "all of it");
}
