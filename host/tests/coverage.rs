//! No string that OTLP has leaves the redact stage unseen: a marker in every position, by the descriptors that OTLP
//! comes with, and none of them in what comes out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use bytes::Bytes;
use std::time::Duration;
use support::build;
use tollgate_host::config::Config;
use tollgate_host::metrics::Metrics;
use tollgate_host::plugins;
use tollgate_host::stages::redact::{Redact, Rules};
use tollgate_otlp::{Limits, LogsRequest, MetricsRequest, TraceRequest};
use tollgate_otlp_positions::{Position, Signal, holds, positions, together};

/// The redact stage as a configuration has it.
fn stage(redact: &str, metrics: &Metrics) -> Redact {
    let yaml = format!("receivers: {{otlp: {{protocols: {{http: }}}}}}\noutputs: {{prometheus: }}\n{redact}");
    let config = Config::parse(&yaml).unwrap();
    let opened = plugins::open(&config, metrics).unwrap();
    Redact::new(opened.redact, Rules::of(&config.redact), Duration::from_secs(1), metrics).unwrap()
}

fn run(stage: &Redact, signal: Signal, request: Vec<u8>) -> Bytes {
    match signal {
        Signal::Traces => {
            let unknown = TraceRequest::scan(&request, &Limits::default()).unwrap().unknown_fields();
            stage.traces(request.into(), unknown).unwrap().0
        }
        Signal::Logs => {
            let unknown = LogsRequest::scan(&request, &Limits::default()).unwrap().unknown_fields();
            stage.logs(request.into(), unknown).unwrap()
        }
        Signal::Metrics => {
            let unknown = MetricsRequest::scan(&request, &Limits::default()).unwrap().unknown_fields();
            stage.metrics(request.into(), unknown).unwrap()
        }
    }
}

/// The positions whose markers come out of the stage, and the requests together.
fn survivors(stage: &Redact, signal: Signal) -> Vec<String> {
    let positions = positions(signal).unwrap();
    let survives = |position: &Position| holds(&run(stage, signal, position.request.clone()), "@marker");
    let mut survivors: Vec<_> = positions.iter().filter(|p| survives(p)).map(|p| p.path.clone()).collect();
    if holds(&run(stage, signal, together(&positions)), "@marker") {
        survivors.push("all of them together".to_owned());
    }
    survivors
}

#[test]
fn no_text_leaves_unseen() {
    let Some(build) = build() else { return };
    let metrics = Metrics::new(1000);
    // Fields that are not known are kept, so that one that nobody handles is seen here.
    let redact = format!(
        "redact:\n  unknown_fields: keep\n  plugins:\n    - path: {}/plugins/pii_redactor.wasm\n",
        build.display()
    );
    let stage = stage(&redact, &metrics);
    for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
        assert_eq!(survivors(&stage, signal), Vec::<String>::new(), "{signal:?}");
    }
    let page = metrics.page();
    let places =
        page.lines().filter(|line| line.starts_with("tollgate_redactions_total{type=\"EMAIL_ADDRESS\",place=\""));
    assert_eq!(places.count(), tollgate_otlp::Place::ALL.len(), "{page}");
}

#[test]
fn no_text_leaves_where_the_redactor_fails_and_texts_are_masked() {
    let Some(build) = build() else { return };
    let redact = format!(
        "redact:\n  on_error: mask_all\n  unknown_fields: keep\n  plugins:\n    - path: {}/tests/hostile.wasm\n      \
         config: {{mode: refuse}}\n",
        build.display()
    );
    let stage = stage(&redact, &Metrics::new(1000));
    for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
        assert_eq!(survivors(&stage, signal), Vec::<String>::new(), "{signal:?}");
    }
}

#[test]
fn fields_that_are_not_known_go_unless_they_are_to_stay() {
    let Some(build) = build() else { return };
    // Field 2000 of the request, of a resource and of a log record: what a later OTLP may have.
    let field = b"\x82\x7d\x11a@marker.example.";
    let mut record = field.to_vec();
    record.splice(0..0, *b"\x1a\x04INFO");
    let inside =
        |number: u8, content: Vec<u8>| [vec![number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat();
    let resource = inside(1, field.to_vec());
    let scope = inside(2, inside(2, record));
    let request = [inside(1, [resource, scope].concat()), field.to_vec()].concat();
    for (option, left, action) in
        [("", 0, "dropped"), ("unknown_fields: drop", 0, "dropped"), ("unknown_fields: keep", 3, "passed")]
    {
        let metrics = Metrics::new(100);
        let redact =
            format!("redact:\n  plugins: [{{path: {}/plugins/pii_redactor.wasm}}]\n  {option}\n", build.display());
        let out = stage(&redact, &metrics).logs(request.clone().into(), 3).unwrap();
        assert_eq!(out.windows(7).filter(|window| window == b"@marker").count(), left, "{option}");
        assert!(holds(&out, "INFO"), "what is known stays");
        let line = format!("tollgate_redaction_skipped_total{{reason=\"unknown_fields\",action=\"{action}\"}} 3");
        assert!(metrics.page().lines().any(|found| found == line), "{option}\n{}", metrics.page());
    }
    // Without a redactor there is nothing that could not be seen.
    let out = stage("", &Metrics::new(100)).logs(request.clone().into(), 3).unwrap();
    assert_eq!(out, request);
}
