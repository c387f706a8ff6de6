//! What is written is what prost reads: log records, flags; and answers of receivers the other way round.

use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::*;
use prost::Message;
use tollgate_otlp::{LogWriter, Severity, SpanWriter, rejected};

#[test]
fn a_log_record_is_an_event_within_its_span() {
    let mut writer = LogWriter::event("shop.sold", 7, Severity::Debug);
    writer.within([1; 16], [2; 8], 3);
    writer.attributes().set("shop.item", "tea").set_json("shop.prices", r#"[{"size": 1}]"#).unwrap();
    assert!(writer.attributes().set_json("shop.bad", "[").is_err());

    let record = LogRecord::decode(writer.bytes()).unwrap();
    assert_eq!((record.time_unix_nano, record.observed_time_unix_nano), (7, 7));
    assert_eq!((record.severity_number(), record.event_name.as_str()), (SeverityNumber::Debug, "shop.sold"));
    assert_eq!((record.trace_id, record.span_id, record.flags), (vec![1; 16], vec![2; 8], 3));
    assert_eq!(record.body, None);
    let keys: Vec<_> = record.attributes.iter().map(|pair| pair.key.as_str()).collect();
    assert_eq!(keys, ["shop.item", "shop.prices"]);
    let prices = record.attributes[1].value.clone().unwrap().value;
    assert!(matches!(&prices, Some(Value::ArrayValue(list)) if list.values.len() == 1), "{prices:?}");
}

#[test]
fn severities_have_the_numbers_of_the_protocol() {
    for (severity, number) in [
        (Severity::Trace, SeverityNumber::Trace),
        (Severity::Debug, SeverityNumber::Debug),
        (Severity::Info, SeverityNumber::Info),
        (Severity::Warn, SeverityNumber::Warn),
        (Severity::Error, SeverityNumber::Error),
        (Severity::Fatal, SeverityNumber::Fatal),
    ] {
        assert_eq!(severity as i32, number as i32);
    }
}

#[test]
fn a_span_has_its_flags() {
    let mut writer = SpanWriter::new([1; 16], [2; 8], "name");
    writer.flags(0x301).set("a", 1_i64);
    assert_eq!(Span::decode(writer.bytes()).unwrap().flags, 0x301);
}

#[test]
fn what_a_receiver_did_not_take() {
    for (count, taken_for) in [(0, 0), (1, 1), (300, 300), (i64::MAX, i64::MAX.unsigned_abs()), (-1, 0), (i64::MIN, 0)]
    {
        let error_message = "too old".to_owned();
        let partial = ExportTracePartialSuccess { rejected_spans: count, error_message: error_message.clone() };
        let spans = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
        let partial = ExportLogsPartialSuccess { rejected_log_records: count, error_message };
        let logs = ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
        assert_eq!((rejected(&spans), rejected(&logs)), (taken_for, taken_for), "{count}");
        // Cut anywhere, it is not a message any more, or one that says nothing.
        for end in 0..spans.len() {
            assert_eq!(rejected(&spans[..end]), 0, "{count}, {end} bytes");
        }
    }
    for other in [&b"{}"[..], b"{\"partialSuccess\":{\"rejectedSpans\":\"3\"}}", b"ok", b"\x0a\x00", b"\x08\x05"] {
        assert_eq!(rejected(other), 0, "{other:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_for_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = rejected(&bytes);
    }
}
