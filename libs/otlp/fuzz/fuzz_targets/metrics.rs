//! Any bytes as a request with metrics: prost agrees with the verdict, and texts can be replaced.
#![no_main]

use libfuzzer_sys::fuzz_target;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use tollgate_columns::Texts;
use tollgate_otlp::{Limits, MetricsRequest, ScanError};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let theirs = ExportMetricsServiceRequest::decode(bytes);
    let request = match MetricsRequest::scan(bytes, &limits) {
        Ok(request) => request,
        Err(ScanError::Repeated { .. } | ScanError::TooDeep { .. } | ScanError::TooManyItems { .. }) => return,
        Err(error) => return assert!(theirs.is_err(), "{error}"),
    };
    assert!(theirs.is_ok());
    let set = request.texts();
    let mut changed = Texts::default();
    for (row, _) in set.texts().iter() {
        changed.push(row, "*");
    }
    let replaced = request.replace(&set, &changed).expect("texts of this request");
    let after = MetricsRequest::scan(&replaced, &limits).expect("a request").texts();
    assert!(after.texts().iter().all(|(_, text)| text == "*"));
});
