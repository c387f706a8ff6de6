//! The file commands: JSON lines in, JSON lines out, through the same components as the host.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use base64::Engine as _;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;
use support::{Folder, build, run};

/// Runs a command over lines; gives success and the answers.
fn lines(arguments: &[&str], input: &str) -> (bool, Vec<Value>) {
    let output = run(arguments, input.as_bytes());
    let said = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.is_empty(), "{error}");
    (output.status.success(), said.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Runs a command; gives success and what it says on standard output.
fn output(arguments: &[&str], input: &str) -> (bool, String) {
    let output = run(arguments, input.as_bytes());
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

fn exchange(id: &str, body: &Value) -> Value {
    json!({
        "id": id, "host": "api.openai.com", "method": "POST", "path": "/v1/chat/completions", "status": 200,
        "content_type": "application/json", "request": json!({"model": "gpt-4o", "messages": []}).to_string(),
        "body": body.to_string(),
    })
}

fn answer() -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    })
}

#[test]
fn exchanges_are_read_whole_and_in_chunks_plain_and_in_base64() {
    if build().is_none() {
        return;
    }
    let plain = exchange("a", &answer());
    let mut packed = plain.clone();
    packed["id"] = json!("b");
    packed["body_b64"] = json!(base64::engine::general_purpose::STANDARD.encode(answer().to_string()));
    packed.as_object_mut().unwrap().remove("body");
    let mut other = plain.clone();
    other["id"] = json!("c");
    other["path"] = json!("/v1/files");
    let input = format!("{plain}\n\n{packed}\n{other}\nnot json\n[1]\n{}\n", json!({"id": "d", "path": 7}));
    let (ok, whole) = lines(&["extract", "-"], &input);
    assert!(!ok, "three lines are bad");
    let record = &whole[0]["record"];
    assert_eq!(record["request_model"], "gpt-4o");
    assert_eq!(record["response_model"], "gpt-4o-2024-08-06");
    assert_eq!(record["finish_reasons"], json!(["stop"]));
    assert_eq!(record["usage"]["input_tokens"], 9);
    assert_eq!(record["usage_source"], "reported");
    serde_json::from_value::<tollgate_call::Record>(record.clone()).expect("a record is the library's own");
    assert_eq!(&whole[1]["record"], record);
    assert_eq!((&whole[2]["record"], &whole[2]["reason"]), (&Value::Null, &json!("files")));
    assert_eq!(whole[3]["id"], Value::Null);
    assert!(whole[3]["error"].as_str().unwrap().starts_with("the line is not JSON"));
    assert_eq!(whole[4]["error"], "the line is not a JSON object");
    assert_eq!(whole[5], json!({"id": "d", "error": "path: is not text"}));

    assert_eq!(lines(&["extract", "--chunk", "1"], &input).1, whole);

    let folder = Folder::new();
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain.to_string().as_bytes()).unwrap();
    let file = folder.write("lines.jsonl.gz", encoder.finish().unwrap()).display().to_string();
    let (ok, unpacked) = lines(&["extract", &file], "");
    assert!(ok);
    assert_eq!(unpacked, &whole[..1]);
}

#[test]
fn usage_is_priced_or_said_to_have_no_price() {
    if build().is_none() {
        return;
    }
    let input = [
        json!({"id": 1, "provider": "openai", "model": "gpt-4o-2024-08-06", "at": "2026-11-01T12:00:00Z",
               "usage": {"input_tokens": 1000, "cache_read_tokens": 400, "output_tokens": 200}}),
        json!({"id": 2, "provider": "openai", "model": "no-such-model", "at": "2026-11-01T12:00:00Z",
               "usage": {"input_tokens": 1}}),
        json!({"id": 3, "provider": "openai", "model": "gpt-4o", "at": "2026-11-01T12:00:00Z"}),
        json!({"id": 4, "provider": "openai", "model": "gpt-4o", "at": "2026-11-01T12:00:00Z",
               "usage": {"input_tokens": 1.5}}),
        json!({"id": 5, "provider": "openai", "model": "gpt-4o", "at": "yesterday"}),
    ];
    let (ok, answers) = lines(&["price"], &input.map(|line| line.to_string()).join("\n"));
    assert!(!ok);
    assert_eq!(answers[0]["cost"]["total"], "0.004");
    assert_eq!(answers[0]["cost"]["currency"], "USD");
    assert_eq!(answers[0]["cost"]["price"]["row"], "openai/gpt-4o");
    assert_eq!(answers[0]["cost"]["parts"]["cache_read"]["amount"], "0.0005");
    assert_eq!(answers[1], json!({"id": 2, "unpriced": "unknown_model"}));
    assert_eq!(answers[2], json!({"id": 3, "unpriced": "missing_usage"}));
    assert_eq!(answers[3], json!({"id": 4, "unpriced": "malformed_usage"}));
    assert_eq!(answers[4]["error"], "at: \"yesterday\" is not a moment as RFC 3339 writes it");
}

#[test]
fn a_bill_is_printed_for_people() {
    if build().is_none() {
        return;
    }
    let folder = Folder::new();
    let overlay = folder.write("acme.prices", b"overlay acme 7 2026-11-01\nadjust provider:openai -10%\n");
    let input = json!({"provider": "openai", "model": "gpt-4o-2024-08-06", "at": "2026-11-01T12:00:00Z",
        "usage": {"input_tokens": 1000, "cache_read_tokens": 400, "output_tokens": 200, "provider_cost_nano_usd": 5_000_000}});
    let overlay = overlay.display().to_string();
    let (ok, text) = output(&["price", "--explain", "--overlay", &overlay], &input.to_string());
    assert!(ok);
    for line in [
        "gpt-4o-2024-08-06 at openai",
        "total  $ 0.005 as the provider reports it",
        "computed here it would be $ 0.0036",
        "adjusted *0.9 (line 2)",
        "reading from the cache saved $ 0.00045",
    ] {
        assert!(text.lines().any(|found| found.trim() == line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn price_documents_are_shown_compared_checked_and_exchanged() {
    if build().is_none() {
        return;
    }
    let folder = Folder::new();
    let document = |version: u32, rate: &str| {
        format!(
            "set mine {version} 2026-11-0{version}\nprovider acme\n  model one\n    match equals:one\n    price input={rate} output=1\n"
        )
    };
    let old = folder.write("old.txt", document(1, "1").into_bytes()).display().to_string();
    let new = folder.write("new.txt", document(2, "2").into_bytes()).display().to_string();
    let bad = folder.write("bad.txt", b"overlay acme 7 2026-11-01\nadjust 10%\n").display().to_string();

    let (ok, shown) = output(&["prices", "show", "openai/gpt-4o"], "");
    assert!(ok && shown.contains("  model gpt-4o\n") && shown.contains("price input=2.5"), "{shown}");
    let (ok, shown) = output(&["prices", "show", "--prices", &old], "");
    assert!(ok && shown.contains("mine 1 (2026-11-01)\nacme") && shown.contains("1 models"), "{shown}");

    let (ok, changed) = output(&["prices", "diff", &old, &new], "");
    assert!(ok);
    assert_eq!(
        changed,
        "~ acme/one\n    - price input=1 output=1\n    + price input=2 output=1\n\
         mine 1 -> mine 2: 0 models added, 0 removed, 1 changed, 1 in all\n"
    );
    let (ok, checked) = output(&["prices", "lint", "builtin", &old, &bad], "");
    assert!(!ok);
    assert!(checked.contains("bad.txt:2: 10%: is not a factor"), "{checked}");
    assert!(!checked.contains("old.txt"), "{checked}");

    assert!(!output(&["prices", "update", &old, &bad], "").0, "an overlay is no document");
    assert_eq!(std::fs::read_to_string(&old).unwrap(), document(1, "1"), "and takes no place");
    let (ok, updated) = output(&["prices", "update", &old, &new], "");
    assert!(ok && updated.contains("1 changed"), "{updated}");
    assert_eq!(std::fs::read_to_string(&old).unwrap(), document(2, "2"));
}

#[test]
fn recorded_spans_are_priced_once_more() {
    if build().is_none() {
        return;
    }
    let span = |id: &str, model: &str, cost: Value| {
        let integer = |key: &str, value: i64| json!({"key": key, "value": {"intValue": value.to_string()}});
        let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
        let mut attributes = vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "openai"),
            text("gen_ai.request.model", model),
            integer("gen_ai.usage.input_tokens", 1000),
            integer("gen_ai.usage.output_tokens", 200),
        ];
        match cost {
            Value::Number(nanos) => attributes.push(integer("tollgate.cost.nano_usd", nanos.as_i64().unwrap())),
            Value::String(reason) => attributes.push(text("tollgate.cost.unpriced", &reason)),
            _ => {}
        }
        json!({"traceId": "0b".repeat(16), "spanId": id.repeat(8), "name": "chat", "attributes": attributes,
               "startTimeUnixNano": "1793534400000000000", "endTimeUnixNano": "1793534401000000000"})
    };
    let spans = [
        span("01", "gpt-4o", json!(4_500_000)),
        span("02", "gpt-4o", json!(9_000_000)),
        span("03", "our-model", json!("unknown_model")),
        span("04", "gpt-4o", Value::Null),
    ];
    let line = json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).to_string();
    let (ok, answers) = lines(&["reprice"], &line);
    assert!(ok, "{answers:?}");
    assert_eq!(answers.len(), 2, "one span differs: {answers:?}");
    assert_eq!(answers[0]["span_id"], "02".repeat(8));
    assert_eq!((&answers[0]["before_nano_usd"], &answers[0]["after_nano_usd"]), (&json!(9_000_000), &json!(4_500_000)));
    let total = &answers[1]["summary"]["total"];
    assert_eq!(
        *total,
        json!({"calls": 3, "changed": 1, "unpriced": 1, "before_usd": "0.0135", "after_usd": "0.009", "difference_usd": "-0.0045"})
    );
    let folder = Folder::new();
    let overlay = folder.write("a", b"overlay acme 7 2026-11-01\nalias equals:our-model to openai gpt-4o\n");
    let (ok, answers) = lines(&["reprice", "--overlay", &overlay.display().to_string()], &line);
    assert!(ok, "{answers:?}");
    assert_eq!(answers[2]["summary"]["total"]["after_usd"], "0.0135");
}

#[test]
fn texts_are_redacted_with_byte_positions_of_the_input() {
    if build().is_none() {
        return;
    }
    let input = [json!({"id": "é", "text": "Grüße an ada@example.com"}), json!({"id": 2, "text": "nothing"})];
    let (ok, answers) = lines(&["redact"], &input.map(|line| line.to_string()).join("\n"));
    assert!(ok);
    let finding = json!({"type": "EMAIL_ADDRESS", "start": 11, "end": 26});
    assert_eq!(answers[0], json!({"id": "é", "text": "Grüße an <EMAIL_ADDRESS>", "findings": [finding]}));
    assert_eq!(answers[1], json!({"id": 2, "text": "nothing", "findings": []}));
}

#[test]
fn traces_over_several_lines_get_one_verdict_each() {
    if build().is_none() {
        return;
    }
    let span = |trace: &str, span: &str, code: u8| {
        json!({"resourceSpans": [{"scopeSpans": [{"spans": [{
            "traceId": trace.repeat(16), "spanId": span.repeat(8), "name": "x", "status": {"code": code},
            "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000"}]}]}]})
    };
    let bad = json!({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "", "spanId": "", "name": "x"}]}]}]});
    let input = [span("0b", "01", 0), span("0a", "01", 0), span("0b", "02", 2), bad].map(|line| line.to_string());
    let config =
        r#"{"policies": [{"name": "errors", "type": "status_code", "status_code": {"status_codes": ["ERROR"]}}]}"#;
    let (ok, answers) = lines(&["sample", "-", "--config", config], &input.join("\n"));
    assert!(!ok, "one line is bad");
    assert!(answers[0]["error"].as_str().unwrap().contains("trace id"), "{answers:?}");
    assert_eq!(
        answers[1],
        json!({"trace_id": "0b".repeat(16), "keep": true, "rule": "errors", "probability": 1.0, "th": "0"})
    );
    assert_eq!(answers[2]["trace_id"], "0a".repeat(16));
    assert_eq!((&answers[2]["keep"], &answers[2]["rule"]), (&json!(false), &json!("no policy matched")));
    assert_eq!(answers.len(), 3);
}

#[test]
fn a_plugin_is_shown_as_text_and_as_json() {
    let Some(build) = build() else { return };
    let file = build.join("plugins/cost_calculator.wasm").display().to_string();
    let (ok, _) = {
        let output = run(&["plugin", "inspect", &file], b"");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("package  tollgate:plugin@0.1.0\nworlds   enricher\n"), "{text}");
        assert!(text.contains("tollgate.cost.nano_usd: integer"), "{text}");
        (output.status.success(), ())
    };
    assert!(ok);
    let output = run(&["plugin", "inspect", "--json", &file], b"");
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["worlds"], json!(["enricher"]));
    assert_eq!(shown["size"], std::fs::metadata(&file).unwrap().len());
    assert!(shown["sha256"].as_str().unwrap().starts_with("sha256:"));
    assert!(
        shown["imports"]
            .as_array()
            .unwrap()
            .iter()
            .all(|import| { import.as_str().unwrap().starts_with("tollgate:plugin/") })
    );

    let output = run(&["plugin", "inspect", env!("CARGO_MANIFEST_PATH")], b"");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("not a WebAssembly component"));
}

#[test]
fn a_plain_text_is_redacted_as_a_whole() {
    if build().is_none() {
        return;
    }
    let text = "mail ada@example.com\nor eve@example.com\n";
    let output = run(&["redact", "--text"], text.as_bytes());
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "mail <EMAIL_ADDRESS>\nor <EMAIL_ADDRESS>\n");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "EMAIL_ADDRESS 5..20\nEMAIL_ADDRESS 24..39\n");
    let (ok, said) = self::output(&["redact", "--text", "--explain"], text);
    assert!(ok && said.contains("line 2, bytes 24..39") && said.contains("eve@example.com"), "{said}");
    let lines = r#"{"id":1,"text":"ada@example.com","place":"log.body"}"#;
    let (ok, said) = self::output(&["redact", "--explain"], lines);
    assert!(ok && said.starts_with("1\n") && said.contains("bytes 0..15"), "{said}");
    let refused = run(&["redact", "--explain", "--plugin", "other.wasm"], b"");
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("leave out --plugin"));
    let failed = run(&["redact", "--text"], b"\xff");
    assert!(!failed.status.success() && failed.stdout.is_empty());
}
