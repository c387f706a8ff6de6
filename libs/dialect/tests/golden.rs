//! Requests in each dialect, in OTLP/JSON for reading. `golden/request.json` is what the host sends on; the others are
//! named after the preset that it was put into. Written anew by `TOLLGATE_WRITE_GOLDEN=1`, to be read before they are kept.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use std::path::{Path, PathBuf};
use tollgate_dialect::{Dialect, Overrides, Preset};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.json"))
}

fn request() -> Vec<u8> {
    let json = std::fs::read_to_string(path("request")).unwrap();
    serde_json::from_str::<ExportTraceServiceRequest>(&json).unwrap().encode_to_vec()
}

fn check(name: &str, dialect: &Dialect, unconverted: u64) {
    let bytes = request();
    let translated = dialect.apply(&bytes).unwrap();
    let read = ExportTraceServiceRequest::decode(&*translated.bytes).unwrap();
    let json = serde_json::to_string_pretty(&read).unwrap() + "\n";
    if std::env::var_os("TOLLGATE_WRITE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(path(name), &json).unwrap();
    }
    assert_eq!(json, std::fs::read_to_string(path(name)).unwrap_or_default(), "{name}");
    assert_eq!(translated.unconverted, unconverted, "{name}");
}

#[test]
fn each_preset() {
    for (preset, unconverted) in [
        (Preset::Otel, 0),
        (Preset::Otel136, 1),
        (Preset::Langfuse, 2),
        (Preset::OpenInference, 3),
        (Preset::Datadog, 0),
    ] {
        let dialect = Dialect::new(preset, &Overrides::default()).unwrap();
        check(preset.name(), &dialect, unconverted);
    }
}

#[test]
fn overrides() {
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let overrides = Overrides {
        rename: vec![pair("gen_ai.conversation.id", "session.id"), pair("gen_ai.input.messages", "my.messages")],
        copy: vec![pair("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")],
        drop: vec!["langfuse.observation.input".to_owned(), "nowhere".to_owned()],
    };
    check("langfuse-overridden", &Dialect::new(Preset::Langfuse, &overrides).unwrap(), 2);
}
