//! Each preset on spans as an instrumentation sends them, against the identity, which costs nothing, and against decoding
//! and encoding the request with `prost`, which is where a translator of decoded spans begins:
//! `cargo bench -p tollgate-dialect`.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use std::hint::black_box;
use std::time::Instant;
use tollgate_dialect::{Dialect, Overrides, Preset};
use tollgate_otlp::{Envelope, RequestWriter, SpanKind, SpanWriter};

const SPANS: u32 = 1_000;
const ROUNDS: u32 = 40;

fn main() -> Result<(), String> {
    let overrides = Overrides {
        rename: vec![("server.address".to_owned(), "net.peer.name".to_owned())],
        copy: vec![("gen_ai.usage.input_tokens".to_owned(), "gen_ai.usage.prompt_tokens".to_owned())],
        drop: vec!["gen_ai.response.id".to_owned()],
    };
    for content in [false, true] {
        let bytes = request(content);
        let what = if content { "with 3.6 kB of messages" } else { "without content" };
        println!("{SPANS} spans of {} bytes, {what}", bytes.len() / SPANS as usize);
        let prost = best(|| {
            ExportTraceServiceRequest::decode(black_box(&*bytes)).map_or(0, |request| request.encode_to_vec().len())
        });
        println!("{:<24} {prost:>9.1} ns/span", "prost decode and encode");
        for preset in Preset::ALL {
            let dialect = Dialect::new(preset, &Overrides::default()).map_err(|error| error.to_string())?;
            print(preset.name(), prost, &dialect, &bytes);
        }
        let dialect = Dialect::new(Preset::Otel, &overrides).map_err(|error| error.to_string())?;
        print("otel with 3 overrides", prost, &dialect, &bytes);
    }
    Ok(())
}

fn print(name: &str, prost: f64, dialect: &Dialect, bytes: &[u8]) {
    let time = best(|| dialect.apply(black_box(bytes)).map_or(0, |translated| translated.bytes.len()));
    println!("{name:<24} {time:>9.1} ns/span {:>7.2} of prost", time / prost);
}

/// The shortest time of a span, over some rounds.
fn best(mut work: impl FnMut() -> usize) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(work());
        best = best.min(start.elapsed().as_nanos() as f64 / f64::from(SPANS));
    }
    best
}

fn request(content: bool) -> Vec<u8> {
    let envelope = Envelope::new(&[("service.name", "shop".into()), ("service.version", "1.2.3".into())], "sdk", "2.4");
    let say = "hello, world; what is the price of a ticket to the moon? ".repeat(28);
    let messages = format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{say}"}}]}}]"#);
    let mut writer = RequestWriter::new();
    for number in 0..SPANS {
        let mut span = SpanWriter::new([1; 16], u64::from(number + 1).to_be_bytes(), "chat gpt-4o-mini");
        span.parent([3; 8]).kind(SpanKind::Client).times(1_790_000_000_000_000_000, 1_790_000_001_000_000_000);
        span.set("gen_ai.operation.name", "chat").set("gen_ai.provider.name", "openai");
        span.set("gen_ai.request.model", "gpt-4o-mini").set("gen_ai.response.model", "gpt-4o-mini-2024-07-18");
        span.set("gen_ai.response.id", "chatcmpl-9J3uIL87gldCFtiIbyaOvTeYBRA3l").set("server.port", 443_i64);
        span.set("gen_ai.request.temperature", 0.7).set("gen_ai.request.max_tokens", 1024_i64);
        span.set("gen_ai.response.finish_reasons", &["stop"][..]).set("server.address", "api.openai.com");
        span.set("gen_ai.usage.input_tokens", 1234_i64).set("gen_ai.usage.output_tokens", 567_i64);
        span.set("gen_ai.usage.cache_read.input_tokens", 1024_i64).set("tollgate.cost.nano_usd", 400_000_i64);
        span.set("gen_ai.conversation.id", "conv-7").set("tollgate.call.role", "billable");
        if content {
            span.set("gen_ai.input.messages", messages.as_str()).set("gen_ai.output.messages", messages.as_str());
        }
        writer.push(&envelope, span.bytes());
    }
    writer.finish()
}
