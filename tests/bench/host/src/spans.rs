//! Requests of spans, made once and given new ids for each sending, so that the generator costs little.
//!
//! A span has a number. From it follow its span id (the number and one), its trace id, and the id of the response; four
//! spans in a row are a trace.

use crate::random::Random;
use crate::wire::{bytes, fixed64, integer, integer_attribute, text_attribute};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// Spans of a trace.
pub(crate) const TRACE: u64 = 4;

/// What the spans are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Content {
    /// Model calls, an agent and a tool with the attributes of the GenAI conventions, about 1 kB, and no content
    Typical,
    /// The same with the messages of both sides, a few kB, in which personal data stands now and then
    Messages,
}

/// What in a request follows from the number of a span.
#[derive(Clone, Copy, Debug)]
enum Part {
    Trace,
    Span,
    Response,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    span: u64,
    part: Part,
}

/// A request whose ids are to be filled in.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    places: Vec<Place>,
    spans: u64,
}

impl Template {
    /// A request of so many spans, a multiple of [`TRACE`], that ended just now.
    pub(crate) fn new(content: Content, spans: u64, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut scope = Vec::new();
        let mut named = Vec::new();
        bytes(&mut named, 1, b"opentelemetry.instrumentation.openai_v2");
        bytes(&mut named, 2, b"2.3b0");
        bytes(&mut scope, 1, &named);
        let mut places = Vec::new();
        for span in 0..spans {
            let (encoded, inside) = one(content, span, &mut random);
            bytes(&mut scope, 2, &encoded);
            let start = scope.len() - encoded.len();
            places.extend(inside.into_iter().map(|(at, part)| Place { at: start + at, span, part }));
        }
        let mut resource = Vec::new();
        bytes(&mut resource, 1, &self::resource());
        bytes(&mut resource, 2, &scope);
        let mut request = Vec::new();
        bytes(&mut request, 1, &resource);
        let shift = request.len() - scope.len();
        places.iter_mut().for_each(|place| place.at += shift);
        Self { bytes: request, places, spans }
    }

    pub(crate) const fn spans(&self) -> u64 {
        self.spans
    }

    /// Bytes of the encoded request.
    pub(crate) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The request with the spans from this number on; `before` bytes are left free in front of it.
    pub(crate) fn numbered(&self, first: u64, before: usize) -> Vec<u8> {
        let mut request = Vec::with_capacity(before + self.bytes.len());
        request.resize(before, 0);
        request.extend_from_slice(&self.bytes);
        for place in &self.places {
            let number = first + place.span;
            let at = before + place.at;
            match place.part {
                Part::Trace => put(&mut request, at, &trace_id(number)),
                Part::Span => put(&mut request, at, &span_id(number)),
                Part::Response => put(&mut request, at, format!("{number:016x}").as_bytes()),
            }
        }
        request
    }
}

fn put(request: &mut [u8], at: usize, value: &[u8]) {
    if let Some(there) = request.get_mut(at..at + value.len()) {
        there.copy_from_slice(value);
    }
}

/// The span id of a number.
pub(crate) const fn span_id(number: u64) -> [u8; 8] {
    (number + 1).to_be_bytes()
}

/// The number of a span id.
pub(crate) fn number(span_id: &[u8]) -> Option<u64> {
    u64::from_be_bytes(span_id.try_into().ok()?).checked_sub(1)
}

/// The id of the trace that the span of that number belongs to. Its low bytes look random, as samplers expect.
pub(crate) fn trace_id(number: u64) -> [u8; 16] {
    let mut random = Random::new(number / TRACE);
    let mut id = [0; 16];
    id.as_chunks_mut::<8>().0.iter_mut().for_each(|half| *half = random.next().to_be_bytes());
    id
}

/// The resource that every request has.
pub(crate) fn resource() -> Vec<u8> {
    let mut resource = Vec::new();
    for (key, value) in [
        ("service.name", "support-assistant"),
        ("service.version", "4.12.1"),
        ("deployment.environment.name", "production"),
        ("telemetry.sdk.language", "python"),
        ("telemetry.sdk.name", "opentelemetry"),
        ("telemetry.sdk.version", "1.37.0"),
        ("k8s.pod.name", "support-assistant-6c9f7d7b5-x2x8q"),
    ] {
        text_attribute(&mut resource, 1, key, value);
    }
    resource
}

/// Seconds that a span took.
const TOOK: u64 = 2;

/// One span, and where in it its ids stand. The second and the fourth of a trace are calls of a model.
fn one(content: Content, span: u64, random: &mut Random) -> (Vec<u8>, Vec<(usize, Part)>) {
    let place = span % TRACE;
    let call = place % 2 == 1;
    let mut places = Vec::new();
    let mut out = Vec::new();
    let id = |out: &mut Vec<u8>, places: &mut Vec<_>, field, length, part| {
        bytes(out, field, &vec![1; length]);
        places.push((out.len() - length, part));
    };
    id(&mut out, &mut places, 1, 16, Part::Trace);
    id(&mut out, &mut places, 2, 8, Part::Span);
    if place > 0 {
        // Some parent that is not in the request, as where an application sends spans when they end.
        bytes(&mut out, 4, &[place.to_le_bytes()[0] + 1; 8]);
    }
    let (operation, name) = match place {
        0 => ("invoke_agent", "invoke_agent support-assistant"),
        2 => ("execute_tool", "execute_tool lookup_order"),
        _ => ("chat", "chat gpt-4o"),
    };
    bytes(&mut out, 5, name.as_bytes());
    integer(&mut out, 6, if call { 3 } else { 1 });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let end = u64::try_from(now.as_nanos()).unwrap_or(0);
    fixed64(&mut out, 7, end - TOOK * 1_000_000_000);
    fixed64(&mut out, 8, end);
    let mut text = |key: &str, value: &str| text_attribute(&mut out, 9, key, value);
    text("gen_ai.operation.name", operation);
    text("gen_ai.provider.name", "openai");
    text("gen_ai.agent.name", "support-assistant");
    text("gen_ai.agent.id", "asst_5j66UpCpwteGg4YSxUnt7lPY");
    text("gen_ai.conversation.id", "conv_5j66UpCpwteGg4YSxUnt7lPY");
    text("user.id", "0d3cf8e6-7d0b-4a80-9c35-1ad2f08c1b5e");
    text("session.id", "8f4c9a7e-6a35-4d0c-b9a2-0a3e7a1bb3f4");
    text("enduser.pseudo.id", "QdH5CAWJgqVT4rOr0qtumf");
    text("app.feature", "order status and returns");
    text("code.function.name", "assistant.orchestrator.Orchestrator.run_step");
    text("code.file.path", "/srv/assistant/orchestrator/steps.py");
    text("thread.name", "asyncio_0");
    if call {
        text("gen_ai.request.model", "gpt-4o");
        text("gen_ai.response.model", "gpt-4o-2024-08-06");
        text("gen_ai.output.type", "text");
        text("server.address", "api.openai.com");
        text("openai.response.service_tier", "default");
        text("openai.response.system_fingerprint", "fp_9dfbf3b2a1");
        text("http.request.header.x_request_id", "req_2f2a3c54d19b4c3f8d30a2c2bd4c7d6e");
        text_attribute(&mut out, 9, "gen_ai.response.id", "chatcmpl-0000000000000000");
        places.push((out.len() - 16, Part::Response));
        for (key, value) in [
            ("server.port", 443),
            ("gen_ai.request.max_tokens", 1024),
            ("gen_ai.request.seed", 7),
            ("gen_ai.usage.input_tokens", 900 + random.below(900)),
            ("gen_ai.usage.output_tokens", 100 + random.below(400)),
            ("gen_ai.usage.cache_read.input_tokens", 512),
        ] {
            integer_attribute(&mut out, 9, key, value);
        }
    } else {
        text("gen_ai.tool.name", "lookup_order");
        text("gen_ai.tool.call.id", "call_mszuSIzqtI65i1wAUOE8w5H4");
        text(
            "gen_ai.tool.description",
            "Looks up the state of an order by its number and the postal code of its address",
        );
        text("app.tool.endpoint", "http://orders.internal.example/v3/orders/lookup");
    }
    if content == Content::Messages {
        messages(&mut out, call, random);
    }
    (out, places)
}

/// What was said, as JSON in the form of the conventions.
fn messages(out: &mut Vec<u8>, call: bool, random: &mut Random) {
    let (asked, answered) = if call { (28, 8) } else { (6, 6) };
    let message = |role: &str, sentences: u64, random: &mut Random| {
        let said = prose(sentences, random);
        format!(r#"[{{"role":"{role}","parts":[{{"type":"text","content":"{said}"}}]}}]"#)
    };
    text_attribute(out, 9, "gen_ai.input.messages", &message("user", asked, random));
    text_attribute(out, 9, "gen_ai.output.messages", &message("assistant", answered, random));
}

/// Sentences as a JSON string has them; one in sixteen has something personal in it.
fn prose(sentences: u64, random: &mut Random) -> String {
    const OPENINGS: [&str; 6] = [
        "The customer asks whether",
        "According to the warehouse,",
        "Please tell me if",
        "I checked the order and",
        "Our policy says that",
        "In the meantime",
    ];
    const MIDDLES: [&str; 6] = [
        "the parcel with the blue lamp",
        "a refund for the second item",
        "the invoice of last month",
        "an exchange for the larger size",
        "the subscription that ends in May",
        "the delivery to the new address",
    ];
    const ENDS: [&str; 6] = [
        "was handed to the carrier on Tuesday.",
        "can be arranged within 14 days.",
        "needs a confirmation by a person.\\nThank you!",
        "is still waiting for \\\"quality control\\\".",
        "costs 12.90 EUR more than before.",
        "has been closed without a comment.",
    ];
    let mut text = String::new();
    for _ in 0..sentences {
        for part in [OPENINGS, MIDDLES, ENDS] {
            text.push_str(random.of(&part).copied().unwrap_or_default());
            text.push(' ');
        }
        match random.below(48) {
            0 => text.push_str("Write to ada.lovelace@example.com about it. "),
            1 => text.push_str("The card was 4111 1111 1111 1111. "),
            2 => text.push_str("Call +49 30 901820 before noon. "),
            _ => {}
        }
    }
    text
}

/// A request in gzip, at the level that senders use by default; `before` bytes are left free in front of it.
///
/// # Errors
/// Never, for memory takes everything.
pub(crate) fn gzip(request: &[u8], before: usize) -> std::io::Result<Vec<u8>> {
    let mut writer = GzEncoder::new(vec![0; before], Compression::default());
    writer.write_all(request)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Fields, each_span};
    use std::collections::BTreeSet;

    #[test]
    fn every_span_of_every_request_has_ids_of_its_own() {
        let template = Template::new(Content::Typical, 8, 1);
        let (mut spans, mut traces, mut responses) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for first in [0, 8] {
            let request = template.numbered(first, 5);
            each_span(&request[5..], |span| {
                for field in Fields(span).map(Result::unwrap) {
                    match field.number {
                        1 => drop(traces.insert(field.inner.to_vec())),
                        2 => drop(spans.insert(number(field.inner).unwrap())),
                        9 if field.inner.windows(9).any(|window| window == b"chatcmpl-") => {
                            responses.insert(field.inner.to_vec());
                        }
                        _ => {}
                    }
                }
            })
            .unwrap();
        }
        assert_eq!(spans, (0..16).collect());
        assert_eq!((traces.len(), responses.len()), (4, 8));
    }

    #[test]
    fn sizes_are_what_the_help_says() {
        let span = |content| Template::new(content, 400, 1).len() / 400;
        assert!((800..1300).contains(&span(Content::Typical)), "{}", span(Content::Typical));
        assert!((2000..5000).contains(&span(Content::Messages)), "{}", span(Content::Messages));
    }
}
