use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tollgate_otlp::{Envelope, LogWriter, Severity, SpanWriter};

const ALL: Keys =
    Keys { traces_by_id: true, logs_by_trace_id: false, logs_by_resource: true, metrics_by_resource: true };
const NONE: Keys =
    Keys { traces_by_id: false, logs_by_trace_id: false, logs_by_resource: false, metrics_by_resource: false };

/// Spans as `(trace, span, bytes of name)`, each third of another service.
fn traces(spans: &[(u8, u8, usize)]) -> Vec<u8> {
    let mut writer = RequestWriter::new();
    for (at, &(trace, span, length)) in spans.iter().enumerate() {
        let service = if at % 3 == 0 { "shop" } else { "cart" };
        let envelope = Envelope::new(&[("service.name", service.into())], "tests", "1");
        writer.push(&envelope, SpanWriter::new([trace; 16], [span; 8], &"n".repeat(length)).bytes());
    }
    writer.finish()
}

fn logs(traces: &[Option<u8>]) -> Vec<u8> {
    let envelope = Envelope::new(&[("service.name", "shop".into())], "tests", "1");
    let mut writer = RequestWriter::new();
    for trace in traces {
        let mut log = LogWriter::event("e", 1, Severity::Info);
        if let Some(trace) = trace {
            log.within([*trace; 16], [1; 8], 1);
        }
        writer.push(&envelope, log.bytes());
    }
    writer.finish()
}

/// Every span of a request, with what is around it.
fn read(bytes: &[u8]) -> Vec<(Vec<u8>, String, Option<String>)> {
    let request = TraceRequest::scan(bytes, &NO_LIMITS).unwrap();
    let service = |span: &tollgate_otlp::Span<'_>| {
        let mut resource = span.resource();
        resource.find(|(name, _)| *name == "service.name").and_then(|(_, value)| value.as_text().map(str::to_owned))
    };
    request.spans().map(|span| (span.bytes().to_vec(), span.scope_name().to_owned(), service(&span))).collect()
}

#[test]
fn a_trace_is_one_record_whose_key_is_its_id_in_hexadecimal() {
    let request = traces(&[(1, 1, 3), (0xab, 2, 3), (1, 3, 3)]);
    let cuts = cut(&request, Items::Spans, ALL, 1_000_000).unwrap();
    let found: Vec<_> = cuts.records.iter().map(|record| (record.key.clone().unwrap(), record.items)).collect();
    assert_eq!(found, [(Bytes::from("01".repeat(16)), 2), (Bytes::from("ab".repeat(16)), 1)]);
    assert_eq!(cuts.too_large, 0);
    let whole = cut(&request, Items::Spans, NONE, 1_000_000).unwrap();
    assert_eq!(whole.records, [Record { key: None, value: request.into(), items: 3 }], "byte by byte");
}

#[test]
fn what_is_larger_than_a_record_is_cut_and_a_span_that_is_larger_by_itself_is_counted() {
    let request = traces(&[(1, 1, 400), (1, 2, 400), (1, 3, 5_000), (2, 4, 400)]);
    let cuts = cut(&request, Items::Spans, ALL, 700 + OVERHEAD).unwrap();
    let found: Vec<_> = cuts.records.iter().map(|record| (record.key.clone().unwrap(), record.items)).collect();
    let (one, two) = (Bytes::from("01".repeat(16)), Bytes::from("02".repeat(16)));
    assert_eq!(found, [(one.clone(), 1), (one, 1), (two, 1)]);
    assert_eq!(cuts.too_large, 1);
    assert!(cuts.records.iter().all(|record| record.value.len() <= 700));
}

#[test]
fn logs_go_by_their_trace_or_by_their_resource() {
    let request = logs(&[Some(1), None, Some(1), Some(2), None]);
    let by_trace = Keys { logs_by_trace_id: true, logs_by_resource: false, ..ALL };
    let cuts = cut(&request, Items::LogRecords, by_trace, 1_000_000).unwrap();
    let found: Vec<_> = cuts.records.iter().map(|record| (record.key.clone(), record.items)).collect();
    let key = |trace: &str| Some(Bytes::from(trace.repeat(16)));
    assert_eq!(found, [(key("01"), 2), (None, 2), (key("02"), 1)]);

    let other = Envelope::new(&[("service.name", "cart".into())], "tests", "1");
    let mut writer = RequestWriter::new();
    writer.push(&other, LogWriter::event("e", 1, Severity::Info).bytes());
    let both = [request.clone(), writer.finish(), request.clone()].concat();
    let cuts = cut(&both, Items::LogRecords, ALL, 1_000_000).unwrap();
    let keys: Vec<_> = cuts.records.iter().map(|record| record.key.clone().unwrap()).collect();
    assert_eq!(cuts.records.iter().map(|record| record.items).collect::<Vec<_>>(), [5, 1, 5]);
    assert!(keys[0] == keys[2] && keys[0] != keys[1], "{keys:?}");
    assert_eq!(keys[0].len(), 8);
}

#[test]
fn what_is_no_request_is_an_error() {
    assert!(matches!(cut(b"\xff\xff", Items::Spans, ALL, 1_000), Err(CutError::Unreadable(_))));
    assert!(matches!(cut(b"\xff\xff", Items::LogRecords, NONE, 1_000), Err(CutError::Unreadable(_))));
    assert_eq!(cut(b"", Items::Spans, ALL, 1_000), Ok(Cuts::default()));
}

proptest! {
    /// Nothing is lost, nothing changes, and all of a trace has one key.
    #[test]
    fn records_hold_every_span_that_fits(
        spans in prop::collection::vec((1..5_u8, 1..255_u8, 0..600_usize), 0..60),
        most in 400..3_000_usize,
    ) {
        let request = traces(&spans);
        let cuts = cut(&request, Items::Spans, ALL, most + OVERHEAD).unwrap();
        let mut keys: BTreeMap<Vec<u8>, BTreeSet<Bytes>> = BTreeMap::new();
        let mut found = Vec::new();
        for record in &cuts.records {
            prop_assert!(record.value.len() <= most);
            let scanned = TraceRequest::scan(&record.value, &NO_LIMITS).unwrap();
            for span in scanned.spans() {
                keys.entry(span.trace_id().to_vec()).or_default().insert(record.key.clone().unwrap());
            }
            let spans = read(&record.value);
            prop_assert_eq!(spans.len() as u64, record.items);
            found.extend(spans);
        }
        prop_assert!(keys.values().all(|keys| keys.len() == 1), "one trace, one key");
        let mut expected = read(&request);
        prop_assert_eq!(found.len() as u64 + cuts.too_large, expected.len() as u64);
        if cuts.too_large == 0 {
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected);
        }
    }

    /// Any bytes are answered, and a resource that is found lies within them.
    #[test]
    fn resources_of_anything(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let total: usize = resources(&bytes).iter().map(|(_, whole)| whole.len()).sum();
        prop_assert!(total <= bytes.len());
    }
}
