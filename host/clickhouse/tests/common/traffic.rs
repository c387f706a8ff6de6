//! Calls made at random from a seed, as requests and as plain values.

use tollgate_otlp::{Envelope, RequestWriter, SpanKind, SpanWriter, StatusCode};

/// A call, or another span that says something of one.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) trace: [u8; 16],
    pub(crate) span: [u8; 8],
    pub(crate) start: u64,
    pub(crate) duration: u64,
    pub(crate) service: &'static str,
    pub(crate) provider: &'static str,
    pub(crate) model: &'static str,
    pub(crate) answered: Option<&'static str>,
    pub(crate) role: Option<&'static str>,
    pub(crate) operation: &'static str,
    pub(crate) team: Option<&'static str>,
    pub(crate) tenant: Option<&'static str>,
    pub(crate) session: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) input: Option<u64>,
    pub(crate) output: Option<u64>,
    pub(crate) cache_read: Option<u64>,
    pub(crate) cost: Option<i64>,
    pub(crate) error: Option<&'static str>,
    pub(crate) first_chunk: Option<f64>,
}

/// 2026-03-01 23:20:00: some of the calls are of the next day.
pub(crate) const START: u64 = 1_772_407_200_000_000_000;
/// How long the calls go on, in nanoseconds: an hour and a half.
pub(crate) const SPAN: u64 = 90 * 60 * 1_000_000_000;

/// Numbers that look random, the same from the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below `limit`. Source: the generator SplitMix64.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// Calls, and spans that are none.
pub(crate) fn calls(seed: u64, count: usize) -> Vec<Call> {
    let mut random = Random(seed);
    (0..count as u64).map(|number| call(&mut random, seed, number)).collect()
}

fn call(random: &mut Random, seed: u64, number: u64) -> Call {
    let mut trace = [0; 16];
    trace[..8].copy_from_slice(&(seed + 1).to_be_bytes());
    trace[8..].copy_from_slice(&(number / 3 + 1).to_be_bytes());
    let role =
        random.one(&[Some("billable"), Some("billable"), None, Some("aggregate"), Some("wrapper"), Some("duplicate")]);
    let operation = match role {
        Some("aggregate") => "invoke_agent",
        None => random.one(&["chat", "embeddings", "invoke_agent", "execute_tool"]),
        _ => random.one(&["chat", "embeddings", "text_completion"]),
    };
    let model = random.one(&["gpt-4o", "claude-sonnet-4-5", "gemini-2.5-pro", "a`model'with \"quotes\""]);
    let error = (random.below(9) == 0).then(|| random.one(&["429", "timeout"]));
    let priced = random.below(8) > 0;
    Call {
        trace,
        span: (number + 1).to_be_bytes(),
        start: START + random.below(SPAN),
        duration: 1_000_000 + random.below(30_000_000_000),
        service: random.one(&["shop", "search"]),
        provider: random.one(&["openai", "anthropic"]),
        model,
        answered: (random.below(4) > 0).then_some(model),
        role,
        operation,
        team: random.one(&[Some("red"), Some("blue"), None]),
        tenant: random.one(&[Some("acme"), None]),
        session: (random.below(3) > 0).then(|| format!("session-{}", random.below(40))),
        user: (random.below(2) > 0).then(|| format!("user-{}", random.below(20))),
        input: (random.below(10) > 0).then(|| random.below(200_000)),
        output: (random.below(10) > 0).then(|| random.below(8_000)),
        cache_read: (random.below(3) == 0).then(|| random.below(1_000)),
        // Up to 4 dollars, and a few of nanodollars, and a few of billions of dollars.
        cost: priced.then(|| match random.below(20) {
            0 => random.below(10) as i64,
            1 => 4_000_000_000_000_000_000 + random.below(1_000_000_000_000) as i64,
            _ => random.below(4_000_000_000) as i64,
        }),
        error,
        first_chunk: (random.below(2) > 0).then(|| random.below(4_000) as f64 / 1000.0),
    }
}

impl Call {
    pub(crate) fn is_billable(&self) -> bool {
        match self.role {
            Some(role) => role == "billable",
            None => matches!(self.operation, "chat" | "embeddings"),
        }
    }

    /// The model that answered, else the one that was asked for.
    pub(crate) fn known_model(&self) -> &'static str {
        self.answered.unwrap_or(self.model)
    }

    fn write(&self) -> SpanWriter {
        let mut span = SpanWriter::new(self.trace, self.span, &format!("{} {}", self.operation, self.model));
        span.kind(SpanKind::Client).times(self.start, self.start + self.duration);
        span.set("gen_ai.operation.name", self.operation).set("gen_ai.provider.name", self.provider);
        span.set("gen_ai.request.model", self.model);
        let texts = [
            ("gen_ai.response.model", self.answered),
            ("tollgate.call.role", self.role),
            ("team", self.team),
            ("gen_ai.conversation.id", self.session.as_deref()),
            ("user.id", self.user.as_deref()),
            ("error.type", self.error),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                span.set(key, text);
            }
        }
        let counts = [
            ("gen_ai.usage.input_tokens", self.input),
            ("gen_ai.usage.output_tokens", self.output),
            ("gen_ai.usage.cache_read.input_tokens", self.cache_read),
        ];
        for (key, count) in counts {
            if let Some(count) = count {
                span.set(key, count);
            }
        }
        match self.cost {
            Some(nano) => {
                span.set("tollgate.cost.nano_usd", nano).set("tollgate.cost.source", "local");
            }
            None => {
                span.set("tollgate.cost.unpriced", "unknown_model");
            }
        }
        if let Some(seconds) = self.first_chunk {
            span.set("gen_ai.response.time_to_first_chunk", seconds);
        }
        span.set("gen_ai.response.finish_reasons", &["stop"][..]);
        if self.error.is_some() {
            span.status(StatusCode::Error, "failed");
        }
        span
    }
}

/// The calls as one `ExportTraceServiceRequest`.
pub(crate) fn request(calls: &[Call]) -> Vec<u8> {
    let mut writer = RequestWriter::new();
    for call in calls {
        let mut resource = vec![("service.name", call.service.into())];
        if let Some(tenant) = call.tenant {
            resource.push(("tenant.id", tenant.into()));
        }
        writer.push(&Envelope::new(&resource, "traffic", "1"), call.write().bytes());
    }
    writer.finish()
}

/// Nano-dollars as the decimal that ClickHouse writes: no zeroes at the end.
pub(crate) fn dollars(nano: i128) -> String {
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
