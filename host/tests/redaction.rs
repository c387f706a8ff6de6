//! What happens to texts that a redactor cannot see, and what it is told of those that it sees.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use std::path::Path;
use support::{Folder, Host, attribute, build, chat, request, spans};
use tollgate_host::config::Config;
use tollgate_host::metrics::Metrics;
use tollgate_host::plugins;
use tollgate_host::stages::redact::{Redact, Rules};
use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};

/// Fields that are not known.
fn unknown(request: &[u8]) -> u32 {
    tollgate_otlp::TraceRequest::scan(request, &tollgate_otlp::Limits::default()).unwrap().unknown_fields()
}

/// Every way in which a redactor can fail, with the word for it.
const FAILURES: [(&str, &str); 7] = [
    ("trap", "trap"),
    ("loop", "deadline"),
    ("grow", "memory"),
    ("refuse", "refused"),
    ("finding outside the text", "malformed"),
    ("type that was not declared", "malformed"),
    ("reason that is no word", "malformed"),
];

fn hostile(build: &Path, on_error: &str, mode: &str) -> String {
    format!(
        "redact:\n  - path: {}/tests/hostile.wasm\n    limits: {{memory: 16MiB, deadline: 100ms}}\n    \
         config: {{mode: {mode}}}\n    {on_error}\n",
        build.display()
    )
}

fn said() -> Vec<u8> {
    let mut span = chat(1, 1);
    span.set("gen_ai.input.messages", "I am ada@example.com").set("tollgate.call.role", "billable");
    span.set("mail of ada@example.com", true).trace_state("vendor=ada@example.com");
    request(&[span])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_redactor_failed_on_goes_nowhere() {
    let Some(build) = build() else { return };
    for (mode, kind) in FAILURES {
        let host = Host::start(&hostile(&build, "", mode));
        assert_eq!(host.post("/v1/traces", said()).await.0, 503, "{mode}: the sender keeps it");
        let labels = r#"plugin="hostile",stage="redact""#;
        let page = host.until_metric(&format!("tollgate_plugin_blocked_total{{{labels}}} 1")).await;
        assert!(page.contains(&format!("tollgate_plugin_failures_total{{{labels},kind=\"{kind}\"}} 1\n")), "{page}");
        assert!(
            page.contains("tollgate_redaction_skipped_total{reason=\"plugin_failed\",action=\"blocked\"} "),
            "{page}"
        );
        assert!(page.contains("tollgate_spans_received_total 0\n"), "{page}");
        assert_eq!(host.stop().1.len(), 0, "{mode}: nothing is delivered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_redactor_failed_on_passes_where_that_is_asked_for() {
    let Some(build) = build() else { return };
    for (mode, kind) in FAILURES {
        let host = Host::start(&hostile(&build, "on_error: pass", mode));
        assert_eq!(host.post("/v1/traces", said()).await.0, 200, "{mode}");
        let labels = r#"plugin="hostile",stage="redact""#;
        let page = host.until_metric(&format!("tollgate_plugin_bypassed_total{{{labels}}} 1")).await;
        assert!(page.contains(&format!("tollgate_plugin_failures_total{{{labels},kind=\"{kind}\"}} 1\n")), "{page}");
        // Scope and service, the span's name, prompt and trace state, the key; the rest are words of the conventions.
        assert!(
            page.contains("tollgate_redaction_skipped_total{reason=\"plugin_failed\",action=\"passed\"} 8\n"),
            "{page}"
        );
        let written = spans(&host.stop().1);
        assert_eq!(attribute(&written[0], "gen_ai.input.messages").unwrap(), "I am ada@example.com", "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_redactor_failed_on_is_masked_where_that_is_asked_for() {
    let Some(build) = build() else { return };
    for (mode, kind) in FAILURES {
        let host = Host::start(&hostile(&build, "on_error: mask_all", mode));
        assert_eq!(host.post("/v1/traces", said()).await.0, 200, "{mode}");
        let labels = r#"plugin="hostile",stage="redact""#;
        let page = host.until_metric(&format!("tollgate_plugin_masked_total{{{labels}}} 1")).await;
        for line in [
            format!("tollgate_plugin_failures_total{{{labels},kind=\"{kind}\"}} 1"),
            "tollgate_redaction_skipped_total{reason=\"plugin_failed\",action=\"masked\"} 8".to_owned(),
            "tollgate_redactions_total{type=\"UNSCANNED\",place=\"span.name\"} 1".to_owned(),
            // The call is metered: operation and provider are words of the conventions.
            "tollgate_tokens_total{gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"openai\",\
             gen_ai_request_model=\"<UNSCANNED>\",gen_ai_token_type=\"input\"} 1000"
                .to_owned(),
        ] {
            assert!(page.lines().any(|found| found == line), "{mode}: no line {line} in\n{page}");
        }
        let written = spans(&host.stop().1);
        let span = &written[0];
        assert!(!span.to_string().contains("ada@example.com"), "{span}");
        for (name, value) in [
            ("gen_ai.input.messages", "<UNSCANNED>"),
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.request.model", "<UNSCANNED>"),
            ("gen_ai.usage.input_tokens", "1000"),
            ("tollgate.call.role", "billable"),
            ("tollgate.redaction.UNSCANNED", "5"),
            ("tollgate.redaction.count", "5"),
            ("tollgate.redaction.shared.count", "3"),
        ] {
            assert_eq!(attribute(span, name).unwrap(), value, "{mode}: {name} of {span}");
        }
        assert_eq!(span["name"], "<UNSCANNED>");
        assert_eq!(span.get("traceState").and_then(|state| state.as_str()).unwrap_or_default(), "");
    }
}

/// The redact stage alone, and what its files changing does.
struct Stage {
    redact: Redact,
    watched: Vec<plugins::Watched>,
    metrics: Metrics,
}

impl Stage {
    fn new(redact: &str) -> Self {
        let metrics = Metrics::new(1000);
        let yaml = format!("receivers: {{otlp: {{protocols: {{http: }}}}}}\noutputs: {{prometheus: }}\n{redact}");
        let config = Config::parse(&yaml).unwrap();
        let opened = plugins::open(&config, &metrics).unwrap();
        let wait = std::time::Duration::from_secs(1);
        let redact = Redact::new(opened.redact, Rules::of(&config.redact), wait, &metrics).unwrap();
        Self { redact, watched: opened.watched, metrics }
    }

    fn texts(&self, request: Vec<u8>) -> Vec<String> {
        let unknown = unknown(&request);
        let (out, _) = self.redact.traces(request.into(), unknown).unwrap();
        let scanned = tollgate_otlp::TraceRequest::scan(&out, &tollgate_otlp::Limits::default()).unwrap();
        let texts = scanned.texts();
        let own = |text: &&str| !text.starts_with("tollgate.redaction.");
        texts.texts().iter().map(|(_, text)| text).filter(own).map(str::to_owned).collect()
    }

    fn counter(&self, name: &str) -> u64 {
        let page = self.metrics.page();
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or(0)
    }
}

fn span(id: u8, conversation: &str, prompt: &str) -> SpanWriter {
    let mut span = SpanWriter::new([id; 16], [id; 8], "chat");
    span.set("gen_ai.conversation.id", conversation).set("gen_ai.input.messages", prompt);
    span
}

fn batch(spans: &[SpanWriter]) -> Vec<u8> {
    let mut writer = RequestWriter::new();
    let envelope = Envelope::new(&[("host.name", "h".into())], "s", "");
    spans.iter().for_each(|span| writer.push(&envelope, span.bytes()));
    writer.finish()
}

#[test]
fn a_redactor_is_told_places_and_groups() {
    let Some(build) = build() else { return };
    let stage = Stage::new(&hostile(&build, "", "places and groups"));
    let seen = stage.texts(batch(&[span(1, "c", "one"), span(2, "d", "two"), span(3, "c", "three")]));
    let expected = [
        "resource.attributes#0",
        "resource.attributes.host.name#0",
        "scope.name#0",
        "span.name#1",
        "span.attributes#0",
        // Both keys have become one, and so the second value is at the place of the first.
        "span.attributes.gen_ai.conversation.id#1",
        "span.attributes.gen_ai.input.messages#1",
        "span.name#2",
        "span.attributes.gen_ai.conversation.id#2",
        "span.attributes.gen_ai.input.messages#2",
        "span.name#1",
        "span.attributes.gen_ai.conversation.id#1",
        "span.attributes.gen_ai.input.messages#1",
    ];
    assert_eq!(seen, expected);
    assert_eq!(stage.counter(r#"tollgate_redaction_skipped_total{reason="seen_texts",plugin="hostile"}"#), 14);
}

#[test]
fn what_names_things_is_asked_about_once() {
    let Some(build) = build() else { return };
    let folder = Folder::new();
    let file = folder.write("mode", "count");
    let yaml = |most: usize| {
        format!(
            "redact:\n  max_known_names: {most}\n  plugins:\n    - path: {}/tests/hostile.wasm\n      files: {{mode: {}}}\n",
            build.display(),
            file.display()
        )
    };
    let seen = r#"tollgate_redaction_skipped_total{reason="seen_texts",plugin="hostile"}"#;
    let request = || batch(&[span(1, "c", "one"), span(2, "d", "two")]);
    let mut stage = Stage::new(&yaml(100));
    stage.texts(request());
    // Of the resource and the scope three, two keys, and of each span three.
    assert_eq!(stage.counter(seen), 3 + 2 + 6);
    stage.texts(request());
    // The value of `host.name` is content; the two keys, that of the resource and the scope's name are known.
    assert_eq!(stage.counter(seen), 11 + 1 + 6);
    assert_eq!(stage.counter(r#"tollgate_redaction_known_names{plugin="hostile"}"#), 4);

    // A configuration that changes may find what the one before did not.
    folder.write("mode", "places and groups");
    stage.watched.iter_mut().for_each(|watched| watched.look(&stage.metrics));
    assert!(stage.texts(request()).contains(&"span.attributes#0".to_owned()), "keys are asked about again");

    folder.write("mode", "count");
    let stage = Stage::new(&yaml(0));
    stage.texts(request());
    stage.texts(request());
    assert_eq!(stage.counter(seen), 22, "nothing is remembered");
}

#[test]
fn what_was_found_clean_before_stays_when_texts_are_masked() {
    let Some(build) = build() else { return };
    let stage = Stage::new(&hostile(&build, "on_error: mask_all", "refuse a word"));
    let tagged = |prompt: &str| {
        let mut span = span(1, "c", prompt);
        span.set("acme.team", "search").set("service.name", "shop");
        batch(&[span])
    };
    assert!(stage.texts(tagged("fine")).contains(&"fine".to_owned()));
    let mut other = span(2, "c", "refuse");
    other.set("acme.team", "search").set("acme.tier", "gold").set("service.name", "shop");
    let texts = stage.texts(batch(&[other]));
    for (text, stays) in
        [("acme.team", true), ("shop", true), ("search", true), ("acme.tier", false), ("refuse", false)]
    {
        assert_eq!(texts.contains(&text.to_owned()), stays, "{text} in {texts:?}");
    }
}

#[test]
fn a_text_that_is_too_large_is_masked_blocked_or_passed() {
    let Some(build) = build() else { return };
    let stage = |policy: &str| {
        Stage::new(&format!(
            "redact:\n  max_text_size: 1KiB\n  {policy}\n  plugins: [{{path: {}/plugins/pii_redactor.wasm}}]\n",
            build.display()
        ))
    };
    let fits = format!("ada@example.com {}", "x".repeat(1024 - 16));
    let large = format!("{fits}x");
    let skipped =
        |action: &str| format!("tollgate_redaction_skipped_total{{reason=\"oversize_texts\",action=\"{action}\"}}");
    let both = || batch(&[span(1, "c", &fits), span(2, "c", &large)]);

    for policy in ["", "on_oversize: mask"] {
        let stage = stage(policy);
        let texts = stage.texts(both());
        assert!(texts.contains(&"<UNSCANNED>".to_owned()) && !texts.contains(&large), "{policy}");
        assert!(texts.iter().any(|text| text.starts_with("<EMAIL_ADDRESS> xx")), "{policy}: one that fits is redacted");
        assert_eq!(stage.counter(&skipped("masked")), 1);
        assert_eq!(stage.counter(r#"tollgate_redactions_total{type="UNSCANNED",place="span.attributes"}"#), 1);
    }

    let passing = stage("on_oversize: pass");
    assert!(passing.texts(both()).contains(&large));
    assert_eq!(passing.counter(&skipped("passed")), 1);

    let blocking = stage("on_oversize: block");
    let refused = blocking.redact.traces(both().into(), 0).unwrap_err();
    assert_eq!(refused.http_status(), 400, "it will be as large when it is sent again");
    assert!(refused.to_string().contains("1025 bytes") && !refused.to_string().contains("ada@"), "{refused}");
    assert_eq!(blocking.counter(&skipped("blocked")), 1);
}

#[test]
fn as_much_as_a_call_may_hold_fits_the_limits_that_plugins_have() {
    let Some(build) = build() else { return };
    let stage = Stage::new(&format!("redact: [{{path: {}/plugins/pii_redactor.wasm}}]\n", build.display()));
    // JSON with escapes, which is what takes most memory, in one text of the limit, and in a conversation of the limit.
    let plain = r#"{"role":"user","content":"\u4f60\u597d and \"hi\""},"#.repeat(1000);
    let message = format!(r#"{{"role":"user","content":"\u0061da\u0040example.com says so"}},{plain}"#);
    let json = |size: usize| format!("[{}1]", message.repeat(size / message.len()));
    let texts = stage.texts(batch(&[span(1, "c", &json(4 << 20))]));
    assert!(texts.iter().all(|text| !text.contains("ada")), "the whole text is redacted");
    assert!(texts.iter().any(|text| text.len() > 1 << 20), "and not masked");
    let spans: Vec<_> = (1..=4).map(|id| span(id, "c", &json(1 << 20))).collect();
    assert_eq!(stage.texts(batch(&spans)).iter().filter(|text| text.len() > 1 << 18).count(), 4);
    assert_eq!(stage.counter("tollgate_redaction_split_groups_total"), 0);
    let spans: Vec<_> = (1..=5).map(|id| span(id, "c", &json(1 << 20))).collect();
    assert_eq!(stage.texts(batch(&spans)).iter().filter(|text| text.len() > 1 << 18).count(), 5);
    assert_eq!(stage.counter("tollgate_redaction_split_groups_total"), 1, "more than a call may hold");
}
