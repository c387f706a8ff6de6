//! Dialects of outputs, and Langfuse: what the backend is given, by the real binary and a server that is as strict as the
//! vendor's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

#[allow(dead_code, reason = "made for the tests of outputs, of which this uses a part")]
#[path = "support/backend.rs"]
mod backend;
#[path = "support/langfuse.rs"]
mod langfuse;
mod support;

use backend::{Answer, Backend};
use langfuse::{Langfuse, PUBLIC_KEY, SECRET_KEY};
use serde_json::json;
use support::{Host, attribute, chat, request};
use tollgate_dialect::{Dialect, Overrides, Preset};
use tollgate_host::config::Config;
use tollgate_otlp::{Envelope, Limits, LogWriter, RequestWriter, Severity, SpanWriter, TraceRequest};
use tollgate_score::{About, Score, Value};

const FOUR_MIB: usize = 4 << 20;

/// A call with what dialects convert: cache, messages, and messages that are none.
fn call(span: u8, messages: &str) -> SpanWriter {
    let mut call = chat(1, span);
    call.set("gen_ai.usage.cache_read.input_tokens", 600_u64).set("gen_ai.usage.cache_write.input_tokens", 300_u64);
    call.set("gen_ai.input.messages", messages).set("gen_ai.conversation.id", "conv-7").set("app.tier", "gold");
    call
}

const MESSAGES: &str = r#"[{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#;

fn problems(yaml: &str) -> Vec<String> {
    let problems = Config::parse(yaml).expect_err("is refused");
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_wrong_with_a_dialect_is_said_with_the_names_there_are() {
    let yaml = |dialect: &str| {
        format!(
            "receivers: {{otlp: {{protocols: {{http: }}}}}}\noutputs:\n  otlp_http: {{endpoint: \"http://a\", dialect: {dialect}}}\n"
        )
    };
    let names = "otel, otel-1.36, langfuse, openinference, datadog";
    for (dialect, problem) in [
        ("open-inference", format!("3: outputs.otlp_http.dialect: \"open-inference\" is not one of {names} (did you mean \"openinference\"?)")),
        ("[otel]", "3: outputs.otlp_http.dialect: expected text, found a list".to_owned()),
        ("{preset: x}", format!("3: outputs.otlp_http.dialect.preset: \"x\" is not one of {names}")),
        ("{renames: {a: b}}", "3: outputs.otlp_http.dialect.renames: is not a known key (did you mean \"rename\"?); known here: preset, rename, copy, drop".to_owned()),
        ("{rename: {a: c}, copy: {b: c}}", "3: outputs.otlp_http.dialect.rename: two names lead to \"c\"; an attribute has one value".to_owned()),
    ] {
        assert_eq!(problems(&yaml(dialect)), [problem], "{dialect}");
    }
    let config = Config::parse(&yaml("{preset: langfuse, rename: {a: b}, drop: [c]}")).unwrap();
    let dialect = &config.outputs.otlp_http[0].dialect;
    assert_eq!((dialect.preset, dialect.overrides.drop.len()), (Preset::Langfuse, 1));
    assert_eq!(Config::parse(&yaml("")).unwrap().outputs.otlp_http[0].dialect.preset, Preset::Otel);
}

#[test]
fn what_is_wrong_with_langfuse_is_said() {
    let yaml =
        |keys: &str| format!("receivers: {{otlp: {{protocols: {{http: }}}}}}\noutputs:\n  langfuse: {{{keys}}}\n");
    let keys = "public_key: pk-lf-a, secret_key: sk-lf-b";
    for (keys, problem) in [
        ("secret_key: a".to_owned(), "3: outputs.langfuse.public_key: is missing: the public key of the project, pk-lf-...".to_owned()),
        ("public_key: sk-lf-b, secret_key: pk-lf-a".to_owned(), "3: outputs.langfuse.public_key: the keys are the wrong way round: public keys begin with pk-lf-, secret keys with sk-lf-".to_owned()),
        (format!("{keys}, endpoint: \"https://a/api/public/otel\""), "3: outputs.langfuse.endpoint: \"https://a/api/public/otel\" has the path of the API, which is added; write https://a".to_owned()),
        (format!("{keys}, endpoint: a"), "3: outputs.langfuse.endpoint: \"a\" is not a URL: relative URL without a base".to_owned()),
    ] {
        assert_eq!(problems(&yaml(&keys)), [problem], "{keys}");
    }
    let config = Config::parse(&yaml(keys)).unwrap();
    let langfuse = &config.outputs.langfuse[0];
    assert_eq!(langfuse.otlp.endpoint, "https://cloud.langfuse.com/api/public/otel");
    assert_eq!(langfuse.scores, "https://cloud.langfuse.com/api/public/scores");
    assert_eq!(langfuse.otlp.dialect.preset, Preset::Langfuse);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_output_speaks_its_own_dialect() {
    let backends = [
        Backend::start(FOUR_MIB, None).await,
        Backend::start(FOUR_MIB, None).await,
        Backend::start(FOUR_MIB, None).await,
    ];
    let [plain, over_http, over_grpc] = &backends;
    // The first attempt fails, so that what is sent is sent twice.
    over_http.answer([Answer::Http(503, vec![("retry-after", "0".to_owned())], vec![])]);
    let host = Host::start(&format!(
        "outputs:\n  otlp_http/plain: {{endpoint: \"http://{}\", compression: none}}\n  otlp_http/old: {{endpoint: \"http://{}\", \
         compression: none, dialect: otel-1.36, retry: {{initial_interval: 1ms}}}}\n  otlp_grpc/changed:\n    endpoint: \"http://{}\"\n    dialect:\n      preset: openinference\n      rename: {{app.tier: tier}}\n      copy: {{gen_ai.usage.input_tokens: in}}\n      drop: [gen_ai.conversation.id]\n",
        plain.address, over_http.address, over_grpc.address
    ));
    let bytes = request(&[call(1, MESSAGES), call(2, "no JSON")]);
    assert_eq!(host.post("/v1/traces", bytes.clone()).await.0, 200);
    for backend in [plain, over_grpc] {
        backend.until_seen(1).await;
    }
    over_http.until_seen(2).await;
    host.until_metric("tollgate_output_sent_total{output=\"otlp_grpc/changed\"} 2").await;
    let page = host.until_metric("tollgate_output_sent_total{output=\"otlp_http/old\"} 2").await;

    assert_eq!(plain.taken()[0].body, bytes, "as it came, byte for byte");
    let pair = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let overrides = Overrides {
        rename: vec![pair("app.tier", "tier")],
        copy: vec![pair("gen_ai.usage.input_tokens", "in")],
        drop: vec!["gen_ai.conversation.id".to_owned()],
    };
    for (backend, preset, overrides) in
        [(over_http, Preset::Otel136, &Overrides::default()), (over_grpc, Preset::OpenInference, &overrides)]
    {
        let expected = Dialect::new(preset, overrides).unwrap().apply(&bytes).unwrap().bytes;
        assert!(backend.seen().iter().all(|seen| seen.body == *expected), "{}", preset.name());
    }
    // Messages that are no JSON, once for each rule that wants them, however often they were sent.
    for line in [
        "tollgate_output_unconverted_total{output=\"otlp_http/old\"} 1",
        "tollgate_output_unconverted_total{output=\"otlp_grpc/changed\"} 2",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} in\n{page}");
    }
    assert!(!page.contains("tollgate_output_unconverted_total{output=\"otlp_http/plain\"}"), "{page}");

    // Logs and metrics are sent as they are.
    let mut log = LogWriter::event("gen_ai.choice", 1, Severity::Info);
    log.attributes().set("gen_ai.provider.name", "x_ai");
    let mut writer = RequestWriter::new();
    writer.push(&Envelope::new(&[], "tests", "1"), log.bytes());
    let logs = writer.finish();
    assert_eq!(host.post("/v1/logs", logs.clone()).await.0, 200);
    over_http.until_seen(3).await;
    assert_eq!((over_http.seen()[2].path.as_str(), &over_http.seen()[2].body[..]), ("/v1/logs", logs.as_slice()));
    assert!(host.stop().0.success());
}

/// A host that sends to Langfuse. What is sent is small, so that one request has little in it.
fn host(langfuse: &Langfuse, keys: &str) -> Host {
    Host::start(&format!(
        "outputs:\n  langfuse: {{endpoint: \"http://{}\", public_key: {PUBLIC_KEY}, secret_key: {SECRET_KEY}, retry: {{initial_interval: \
         5ms, max_interval: 10ms}}{keys}}}\n",
        langfuse.address
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn langfuse_is_given_what_it_wants() {
    let langfuse = Langfuse::start().await;
    let host = host(&langfuse, "");
    let spans = [call(1, MESSAGES), call(2, "no JSON")];
    assert_eq!(host.post("/v1/traces", request(&spans)).await.0, 200);
    let page = host.until_metric("tollgate_output_sent_total{output=\"langfuse\"} 2").await;
    assert!(page.lines().any(|line| line == "tollgate_output_unconverted_total{output=\"langfuse\"} 1"), "{page}");
    let taken = langfuse.traces();
    assert_eq!(taken.len(), 1, "in one request");
    let observations = support::spans(&taken);
    let of = |span: usize, name: &str| attribute(&observations[span], name);
    assert_eq!(of(0, "langfuse.observation.type"), Some("generation".into()));
    assert_eq!(of(0, "session.id"), Some("conv-7".into()));
    let usage = of(0, "langfuse.observation.usage_details").unwrap();
    let usage: serde_json::Value = serde_json::from_str(usage.as_str().unwrap()).unwrap();
    assert_eq!(
        usage,
        json!({"input": 100, "input_cache_read": 600, "input_cache_creation": 300, "output": 200, "total": 1200})
    );
    assert_eq!(of(0, "langfuse.observation.input"), Some(r#"[{"role":"user","content":"hi"}]"#.into()));
    assert_eq!(of(0, "gen_ai.usage.cache_write.input_tokens"), None, "which Langfuse would count once more");
    assert_eq!(of(1, "gen_ai.input.messages"), Some("no JSON".into()), "as it was");
    assert!(host.stop().0.success());
}

/// A request of log records.
fn logs(logs: &[LogWriter]) -> Vec<u8> {
    let mut writer = RequestWriter::new();
    logs.iter().for_each(|log| writer.push(&Envelope::new(&[], "judge", "1"), log.bytes()));
    writer.finish()
}

fn score(name: &str, value: Value) -> Score {
    let about = About::Span { trace_id: [1; 16], span_id: [2; 8] };
    Score::new(about, name, value, "judge-v2", 1_790_000_000_000_000_000)
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_evaluations_become_scores_once() {
    let langfuse = Langfuse::start().await;
    // The first attempts fail, after the scores were taken: what is sent again must not become new scores.
    langfuse.answer_after_taking([500, 502]);
    let host = host(&langfuse, "");
    let scores = [score("relevance", Value::Number(0.5)), score("tone", Value::Label("kind".into()))];
    let events: Vec<_> = scores.iter().map(|score| score.event().unwrap()).collect();
    let other = LogWriter::event("app.started", 1, Severity::Info);
    let all = [vec![other], events].concat();
    assert_eq!(host.post("/v1/logs", logs(&all)).await.0, 200);
    let page = host.until_metric("tollgate_output_sent_total{output=\"langfuse\"} 2").await;
    let not_wanted = "tollgate_output_dropped_total{output=\"langfuse\",reason=\"not_wanted\"} 1";
    assert!(page.lines().any(|line| line == not_wanted), "{page}");
    assert_eq!(langfuse.attempts(), 3);
    let kept = langfuse.scores();
    assert_eq!(kept.len(), 2, "{kept:?}");
    for score in &scores {
        assert_eq!(kept[&score.id()], tollgate_score::langfuse::score(score), "{}", score.name);
    }
    // A later word of the same source on the same span is a new version of the score.
    let later = score("relevance", Value::Labelled(0.75, "good".into()));
    assert_eq!(host.post("/v1/logs", logs(&[later.event().unwrap()])).await.0, 200);
    host.until_metric("tollgate_output_sent_total{output=\"langfuse\"} 3").await;
    assert_eq!(langfuse.scores().len(), 2);
    assert_eq!(langfuse.scores()[&later.id()]["value"], 0.75);
    assert!(host.stop().0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_that_langfuse_does_not_take_are_not_sent_again() {
    let langfuse = Langfuse::start().await;
    let host = host(&langfuse, "");
    // The server refuses numbers that are no score of its own making, as it would one that does not fit its configuration.
    let scores = [score("relevance", Value::Number(0.5)), score("refused", Value::Number(1.0))];
    let mut events: Vec<_> = scores.iter().map(|score| score.event().unwrap()).collect();
    let mut nameless = LogWriter::event("gen_ai.evaluation.result", 1, Severity::Info);
    nameless.within([1; 16], [2; 8], 1);
    events.push(nameless);
    assert_eq!(host.post("/v1/logs", logs(&events)).await.0, 200);
    host.until_metric("tollgate_output_sent_total{output=\"langfuse\"} 1").await;
    let rejected = "tollgate_output_dropped_total{output=\"langfuse\",reason=\"rejected\"} 2";
    host.until_metric(rejected).await;
    host.until_said("Langfuse did not take all scores", 1).await;
    host.until_said("the result of an evaluation is no score", 1).await;
    assert_eq!((langfuse.attempts(), langfuse.scores().len()), (1, 1));
    assert!(host.stop().0.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_langfuse_leads_to_what_it_means() {
    let langfuse = Langfuse::start().await;
    // Passing trouble: all of it is sent again until it is taken.
    langfuse.answer([429, 500, 502, 503]);
    let host = host(&langfuse, "");
    assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200);
    let page = host.until_metric("tollgate_output_sent_total{output=\"langfuse\"} 1").await;
    assert!(page.lines().any(|line| line == "tollgate_output_retries_total{output=\"langfuse\"} 4"), "{page}");
    assert_eq!(langfuse.waited(), Some(1), "429 said to wait a second, and that was kept");

    // Too large: in halves, down to what the server takes.
    langfuse.take_up_to(2_000);
    let spans: Vec<_> = (1..=8).map(|span| call(span, MESSAGES)).collect();
    assert_eq!(host.post("/v1/traces", request(&spans)).await.0, 200);
    host.until_metric("tollgate_output_sent_total{output=\"langfuse\"} 9").await;
    langfuse.take_up_to(usize::MAX);

    // A last word: counted as lost, and what comes next goes on.
    langfuse.answer([403]);
    assert_eq!(host.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200);
    host.until_metric("tollgate_output_dropped_total{output=\"langfuse\",reason=\"refused\"} 1").await;
    assert!(host.stop().0.success());

    // Keys that are not those of the project.
    let wrong = Host::start(&format!(
        "outputs:\n  langfuse: {{endpoint: \"http://{}\", public_key: pk-lf-other, secret_key: {SECRET_KEY}}}\n",
        langfuse.address
    ));
    assert_eq!(wrong.post("/v1/traces", request(&[chat(1, 1)])).await.0, 200);
    wrong.until_metric("tollgate_output_dropped_total{output=\"langfuse\",reason=\"refused\"} 1").await;
    wrong.until_said("Invalid credentials", 1).await;
    assert!(wrong.stop().0.success());
}

#[test]
fn a_dialect_is_not_applied_to_what_it_cannot_read() {
    use tollgate_host::outputs::{Delivery, InDialect, Prepare};
    use tollgate_host::receivers::Signal;
    let dialect = Dialect::new(Preset::Langfuse, &Overrides::default()).unwrap();
    let garbled = Delivery { signal: Signal::Traces, bytes: vec![0xff; 9].into(), items: 3 };
    let prepared = InDialect(std::sync::Arc::new(dialect)).prepare(garbled.clone());
    assert_eq!((prepared.delivery, prepared.unconverted), (Some(garbled), 3));
    assert!(TraceRequest::scan(&[0xff; 9], &Limits::default()).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_becomes_a_score() {
    let langfuse = Langfuse::start().await;
    let host = host(&langfuse, "");
    let secret = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let token = tollgate_feedback::Token { trace_id: [1; 16], span_id: [2; 8], expires: u32::MAX };
    let token = tollgate_feedback::sign(&tollgate_feedback::Key::read(0, secret).unwrap(), &token);
    for (value, sent) in [("1", 1), ("-1", 2)] {
        let given = ["feedback", "event", "--key", secret, "--value", value, "--comment", "the city", &token];
        let output = support::run(&given, b"");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let post = support::client().post(format!("{}/v1/logs", host.http)).header("content-type", "application/json");
        assert_eq!(post.body(output.stdout).send().await.unwrap().status(), 200);
        // Requests of one output may overtake each other.
        host.until_metric(&format!("tollgate_output_sent_total{{output=\"langfuse\"}} {sent}")).await;
    }
    let scores: Vec<_> = langfuse.scores().into_values().collect();
    assert_eq!(scores.len(), 1, "the user has thought better of it");
    let found = |key: &str| scores[0][key].clone();
    assert_eq!([found("traceId"), found("observationId")], [json!("01".repeat(16)), json!("02".repeat(8))]);
    assert_eq!(
        [found("name"), found("value"), found("comment")],
        [json!("user_feedback"), json!(-1.0), json!("the city")]
    );
    let forged =
        support::run(&["feedback", "event", "--key", &secret.replace("00", "11"), "--value", "1", &token], b"");
    assert!(!forged.status.success() && forged.stdout.is_empty());
    assert!(host.stop().0.success());
}
