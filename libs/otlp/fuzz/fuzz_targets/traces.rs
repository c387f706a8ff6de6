//! Any bytes as a request with spans: prost agrees with the verdict, and whatever is done to an accepted request
//! gives a request that is accepted again, with as many spans.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tollgate_columns::{Attribute, Edits, Kind, Texts};
use tollgate_otlp::{Limits, Reads, RequestWriter, ScanError, TraceRequest};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let theirs = ExportTraceServiceRequest::decode(bytes);
    let request = match TraceRequest::scan(bytes, &limits) {
        Ok(request) => request,
        Err(ScanError::Repeated { .. } | ScanError::TooDeep { .. } | ScanError::TooManyItems { .. }) => return,
        Err(error) => return assert!(theirs.is_err(), "{error}"),
    };
    assert!(theirs.is_ok());
    let items = request.len() as u32;
    let reads = Reads::compile(&["span:name", "span:duration", "a", "resource:a", "scope:name"]).expect("names");
    assert_eq!(request.project(&reads).check(items, 5), Ok(()));

    let mut edits = Edits::new(items);
    for row in 0..items {
        edits.text(row, 0, "new");
    }
    let edited = request.apply(&edits.finish(), &[Attribute::new("a", Kind::Text)]).expect("edits");
    assert_eq!(TraceRequest::scan(&edited, &limits).map(|edited| edited.len()), Ok(request.len()));

    let set = request.texts();
    let mut changed = Texts::default();
    for (row, _) in set.texts().iter() {
        changed.push(row, "*");
    }
    let replaced = request.replace(&set, &changed).expect("texts of this request");
    let after = TraceRequest::scan(&replaced, &limits).expect("a request").texts();
    assert!(after.texts().iter().all(|(_, text)| text == "*"));

    let mut writer = RequestWriter::new();
    request.spans().for_each(|span| writer.copy(&span));
    assert_eq!(TraceRequest::scan(&writer.finish(), &limits).map(|copy| copy.len()), Ok(request.len()));
    assert_eq!(TraceRequest::scan(&request.accepted(), &limits).map(|rest| rest.refused()), Ok(0));
});
