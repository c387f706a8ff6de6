//! Arize Phoenix as a backend: LLM spans go through the host, over HTTP and over gRPC, and are read back by its API.
//!
//! Phoenix is a package of Python. `TOLLGATE_PHOENIX` names the folder that it is installed in; `cargo xtask test`
//! installs it and sets that. Its version is of 2026, and derives tokens and kinds from the GenAI conventions itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Folder, Host, build, chat, client, request};
use tollgate_otlp::SpanWriter;

/// Phoenix begins by making its database, which takes long on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running Phoenix, with a database of its own.
struct Phoenix {
    child: Child,
    _folder: Folder,
    http: u16,
    grpc: u16,
}

impl Phoenix {
    /// Starts it, or skips loudly where it is not installed.
    async fn start() -> Option<Self> {
        let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
        let Some(packages) = std::env::var_os("TOLLGATE_PHOENIX").map(PathBuf::from) else {
            assert!(!required, "TOLLGATE_PHOENIX is not set; run `cargo xtask test`");
            eprintln!("SKIPPED: TOLLGATE_PHOENIX is not set; run `cargo xtask test`");
            return None;
        };
        let folder = Folder::new();
        let [http, grpc] = free_ports();
        let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
        let log = std::fs::File::create(folder.path("phoenix.log")).unwrap();
        let child = Command::new(python)
            .args(["-m", "phoenix.server.main", "serve"])
            .env("PYTHONPATH", packages)
            .env("PHOENIX_WORKING_DIR", folder.path(""))
            .env("PHOENIX_HOST", "127.0.0.1")
            .env("PHOENIX_PORT", http.to_string())
            .env("PHOENIX_GRPC_PORT", grpc.to_string())
            .env("PHOENIX_TELEMETRY_ENABLED", "false")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("Python starts");
        let mut phoenix = Self { child, _folder: folder, http, grpc };
        let start = Instant::now();
        loop {
            let asked = client().get(phoenix.url("/healthz")).send().await;
            if asked.is_ok_and(|response| response.status() == 200) {
                return Some(phoenix);
            }
            let ended = phoenix.child.try_wait().unwrap();
            let said = || std::fs::read_to_string(phoenix._folder.path("phoenix.log")).unwrap_or_default();
            assert!(ended.is_none(), "Phoenix ended:\n{}", said());
            assert!(start.elapsed() < PATIENCE, "Phoenix did not start:\n{}", said());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.http)
    }

    /// A span as the REST API gives it.
    async fn rest(&self, span: &str) -> Value {
        let start = Instant::now();
        loop {
            let response = client().get(self.url("/v1/projects/default/spans?limit=100")).send().await.unwrap();
            // The project is made with the first span.
            let spans: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
            let mut spans = spans["data"].as_array().cloned().unwrap_or_default().into_iter();
            if let Some(found) = spans.find(|found| found["context"]["span_id"] == span) {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "span {span} did not arrive");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Tokens and traces of a session, as the user interface shows them.
    async fn sums(&self, session: &str) -> Value {
        let query = "query($id: String!) { getProjectSessionById(sessionId: $id) { numTraces tokenUsage { prompt completion } } }";
        let body = json!({"query": query, "variables": {"id": session}});
        let response = client().post(self.url("/graphql")).json(&body).send().await.unwrap();
        let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
        let found = &answer["data"]["getProjectSessionById"];
        assert!(found.is_object(), "{answer}");
        let usage = &found["tokenUsage"];
        // Sums are doubles there.
        let count = |value: &Value| value.as_f64();
        json!({"prompt": count(&usage["prompt"]), "completion": count(&usage["completion"]), "traces": found["numTraces"]})
    }

    /// Kind, tokens and cost of a span as the user interface shows them. Costs are computed behind the span.
    async fn graphql(&self, span: &str) -> Value {
        let query = "query($id: String!) { getSpanByOtelId(spanId: $id) { spanKind tokenCountPrompt tokenCountCompletion \
                     costSummary { total { cost tokens } } } }";
        let start = Instant::now();
        loop {
            let body = json!({"query": query, "variables": {"id": span}});
            let response = client().post(self.url("/graphql")).json(&body).send().await.unwrap();
            let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
            let found = &answer["data"]["getSpanByOtelId"];
            if !found["costSummary"]["total"]["tokens"].is_null() || found["spanKind"] == "tool" {
                return found.clone();
            }
            assert!(start.elapsed() < PATIENCE, "no cost of {span}: {answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Phoenix {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two ports that were free a moment ago.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_cost_and_kinds_are_read_back() {
    let Some(build) = build() else { return };
    let Some(phoenix) = Phoenix::start().await else { return };
    let plugins = build.join("plugins");
    let prices = Folder::new();
    let overlay = prices.write(
        "acme.prices",
        "overlay acme 1 2026-01-01\nprovider acme\nmodel acme-1\n    match equals:acme-1\n    price input=10 output=20\n",
    );
    let stages = |output: &str| {
        format!(
            "enrich:\n  - path: {plugins}/token_extractor.wasm\n  - path: {plugins}/cost_calculator.wasm\n    \
             config: {{names: [llm.cost.*]}}\n    files: {{overlay: {overlay}}}\noutputs:\n  {output}\n",
            plugins = plugins.display(),
            overlay = overlay.display(),
        )
    };
    for (trace, output) in [
        (1, format!("otlp_http/phoenix: {{endpoint: \"http://127.0.0.1:{}\"}}", phoenix.http)),
        (2, format!("otlp_grpc/phoenix: {{endpoint: \"http://127.0.0.1:{}\"}}", phoenix.grpc)),
    ] {
        // A call by the conventions, one in OpenInference's own names, one of a model with a price of ours, and a tool.
        let by_convention = chat(trace, trace * 16 + 1);
        let mut open_inference = SpanWriter::new([trace; 16], [trace * 16 + 2; 8], "ChatCompletion");
        open_inference.times(1_790_000_000_000_000_000, 1_790_000_002_000_000_000);
        for (name, value) in
            [("openinference.span.kind", "LLM"), ("llm.model_name", "gpt-4o"), ("llm.provider", "openai")]
        {
            open_inference.set(name, value);
        }
        open_inference.set("llm.token_count.prompt", 1_000_u64).set("llm.token_count.completion", 200_u64);
        let mut of_acme = SpanWriter::new([trace; 16], [trace * 16 + 3; 8], "chat acme-1");
        of_acme.times(1_790_000_000_000_000_000, 1_790_000_001_000_000_000);
        for (name, value) in
            [("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "acme"), ("gen_ai.request.model", "acme-1")]
        {
            of_acme.set(name, value);
        }
        of_acme.set("gen_ai.usage.input_tokens", 1_000_u64).set("gen_ai.usage.output_tokens", 200_u64);
        let mut tool = SpanWriter::new([trace; 16], [trace * 16 + 4; 8], "execute_tool search");
        tool.times(1_790_000_000_000_000_000, 1_790_000_001_000_000_000);
        tool.set("gen_ai.operation.name", "execute_tool").set("gen_ai.tool.name", "search");

        let host = Host::start(&stages(&output));
        let spans = [by_convention, open_inference, of_acme, tool];
        assert_eq!(host.post("/v1/traces", request(&spans)).await.0, 200);
        let name = output.split_once(':').unwrap().0;
        host.until_metric(&format!("tollgate_output_sent_total{{output=\"{name}\"}} 4")).await;

        let id = |span: u8| hex(trace * 16 + span);
        // What the host computed arrives, for every call; what Phoenix itself makes of it is below.
        for (span, cost) in [(1, 0.0045), (2, 0.0045), (3, 0.014)] {
            let found = phoenix.rest(&id(span)).await;
            let attributes = &found["attributes"];
            assert_eq!(found["span_kind"], "LLM", "{name} {span}: {found}");
            assert_eq!(attributes["llm.token_count.prompt"], 1_000, "{name} {span}: {found}");
            assert_eq!(attributes["llm.token_count.completion"], 200, "{name} {span}: {found}");
            let total = attributes["llm.cost.total"].as_f64();
            assert!(total.is_some_and(|total| (total - cost).abs() < 1e-12), "{name} {span}: {found}");
            assert_eq!(attributes["gen_ai.usage.input_tokens"], 1_000, "{name} {span}: {found}");
        }
        assert_eq!(phoenix.rest(&id(4)).await["span_kind"], "TOOL");

        // The sums of its user interface are by prices of its own: they agree where it knows the model, and it has none
        // where only our overlay does, whatever `llm.cost.total` says.
        for (span, cost) in [(1, Some(0.0045)), (2, Some(0.0045)), (3, None)] {
            let found = phoenix.graphql(&id(span)).await;
            assert_eq!(found["spanKind"], "llm", "{found}");
            assert_eq!((&found["tokenCountPrompt"], &found["tokenCountCompletion"]), (&json!(1_000), &json!(200)));
            let shown = found["costSummary"]["total"]["cost"].as_f64();
            assert_eq!(shown.map(|shown| (shown * 1e9).round()), cost.map(|cost: f64| (cost * 1e9).round()), "{found}");
        }
        assert!(host.stop().0.success());
    }
}

/// A trace as agents make it: what it says of usage once is counted once, under the names that Phoenix reads.
#[tokio::test(flavor = "multi_thread")]
async fn with_its_dialect_all_is_counted_once() {
    let Some(phoenix) = Phoenix::start().await else { return };
    let host = Host::start(&format!(
        "outputs:\n  otlp_http/phoenix: {{endpoint: \"http://127.0.0.1:{}\", dialect: openinference}}\n",
        phoenix.http
    ));
    let span = |id: u8, name: &str, operation: &str| {
        let mut span = SpanWriter::new([9; 16], [id; 8], name);
        span.times(1_790_000_000_000_000_000 + u64::from(id), 1_790_000_001_000_000_000);
        if id > 1 {
            span.parent([1; 8]);
        }
        span.set("gen_ai.operation.name", operation).set("gen_ai.conversation.id", "conv-7").set("user.id", "u-1");
        span
    };
    let usage = |span: &mut SpanWriter, input: u64, output: u64| {
        span.set("gen_ai.usage.input_tokens", input).set("gen_ai.usage.output_tokens", output);
    };
    let mut agent = span(1, "invoke_agent planner", "invoke_agent");
    usage(&mut agent, 1_100, 70);
    let mut call = span(2, "chat acme-1", "chat");
    usage(&mut call, 1_000, 50);
    call.set("gen_ai.usage.cache_read.input_tokens", 600_u64).set("gen_ai.usage.cache_write.input_tokens", 300_u64);
    call.set("gen_ai.provider.name", "acme").set("gen_ai.request.model", "acme-1");
    call.set("tollgate.cost.nano_usd", 1_234_567_i64);
    let explanation =
        r#"{"total":"0.001234567","parts":{"input":{"amount":"0.001"},"output":{"amount":"0.000234567"}}}"#;
    call.set_json("tollgate.cost.explanation", explanation).unwrap();
    call.set("gen_ai.input.messages", r#"[{"role":"user","parts":[{"type":"text","content":"Where to?"}]}]"#);
    call.set_json("gen_ai.output.messages", r#"[{"role":"assistant","parts":[{"type":"text","content":"Lyon."}]}]"#)
        .unwrap();
    // Another span has reported this call too.
    let mut wrapper = span(3, "chat acme-1", "chat");
    usage(&mut wrapper, 1_000, 50);
    wrapper.set("tollgate.call.role", "duplicate").set("gen_ai.request.model", "acme-1");
    let mut embedding = span(4, "embeddings acme-e", "embeddings");
    usage(&mut embedding, 100, 20);
    embedding.set("gen_ai.request.model", "acme-e");
    let mut tool = span(5, "execute_tool search", "execute_tool");
    tool.set("gen_ai.tool.name", "search").set("gen_ai.tool.call.result", "found");
    assert_eq!(host.post("/v1/traces", request(&[agent, call, wrapper, embedding, tool])).await.0, 200);
    host.until_metric("tollgate_output_sent_total{output=\"otlp_http/phoenix\"} 5").await;

    for (id, kind) in [(1, "AGENT"), (2, "LLM"), (3, "CHAIN"), (4, "EMBEDDING"), (5, "TOOL")] {
        let found = phoenix.rest(&hex(id)).await;
        assert_eq!(found["span_kind"], kind, "{found}");
        assert_eq!(found["attributes"]["session.id"], "conv-7", "{found}");
        assert_eq!(found["attributes"]["user.id"], "u-1", "{found}");
        let counted = matches!(id, 2 | 4);
        assert_eq!(!found["attributes"]["llm.token_count.total"].is_null(), counted, "{found}");
    }
    let call = phoenix.rest(&hex(2)).await;
    for (name, value) in [
        ("llm.model_name", json!("acme-1")),
        ("llm.provider", json!("acme")),
        ("llm.token_count.prompt", json!(1_000)),
        ("llm.token_count.completion", json!(50)),
        ("llm.token_count.total", json!(1_050)),
        ("llm.token_count.prompt_details.cache_read", json!(600)),
        ("llm.token_count.prompt_details.cache_write", json!(300)),
        ("llm.cost.total", json!(0.001234567)),
        ("llm.cost.prompt", json!(0.001)),
        ("llm.cost.completion", json!(0.000234567)),
        ("llm.input_messages.0.message.content", json!("Where to?")),
        ("llm.output_messages.0.message.content", json!("Lyon.")),
    ] {
        assert_eq!(call["attributes"][name], value, "{name}: {call}");
    }
    assert_eq!(phoenix.rest(&hex(5)).await["attributes"]["output.value"], "found");

    // The sums of a session are those of calls to models of language, not of agents, wrappers and embeddings.
    let sums = phoenix.sums("conv-7").await;
    assert_eq!(sums, json!({"prompt": 1_000.0, "completion": 50.0, "traces": 1}));
    assert!(host.stop().0.success());
}

/// A span id of eight equal bytes.
fn hex(byte: u8) -> String {
    format!("{byte:02x}").repeat(8)
}
