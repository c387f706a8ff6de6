//! One exchange, read as it passes.

use crate::body::Body;
use crate::content::{Input, InputContent};
use crate::extractor::Limits;
use crate::facts::{Facts, MAX_NAME};
use crate::format::{Format, Formats};
use crate::notes::{self, Notes};
use crate::request::Request;
use std::sync::Arc;
use tollgate_call::{Api, Content, Outcome, Reading, Record, Skipped, Timing, Usage, UsageSource};
use tollgate_decoding::Decoder;
use tollgate_semconv::error_type;

/// What is to be done with an exchange, as its request line says.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// Read it in this format. `sure` where host or configuration vouch for it; else what is said must confirm it.
    Read { format: Arc<Format>, sure: bool },
    /// Read it if the shape of the answer is that of an API.
    Recognise,
    /// Leave it.
    Skip { why: Skipped, unsupported: bool },
}

/// What an exchange begins with.
pub(crate) struct Opening<'a> {
    pub(crate) plan: Plan,
    pub(crate) provider: Option<String>,
    /// The model that the path names.
    pub(crate) path_model: Option<String>,
    /// Whether the path asks for a stream.
    pub(crate) stream: bool,
    pub(crate) request: Request,
    pub(crate) formats: &'a Arc<Formats>,
    pub(crate) limits: Limits,
}

/// Headers of an answer by which Bedrock tells the counts of `InvokeModel`, whatever the family of the model.
const BEDROCK_COUNTS: [&str; 4] = [
    "x-amzn-bedrock-input-token-count",
    "x-amzn-bedrock-output-token-count",
    "x-amzn-bedrock-cache-read-input-token-count",
    "x-amzn-bedrock-cache-write-input-token-count",
];
/// The status of an answer after which the connection speaks another protocol (RFC 9110, section 15.2.2).
const SWITCHING_PROTOCOLS: u16 = 101;
/// The header by which AWS names an error.
const AWS_ERROR: &str = "x-amzn-errortype";

/// One HTTP exchange with an LLM API, fed with bytes as they pass. Nothing that it is fed can make it fail.
///
/// What it holds does not grow with the exchange: two JSON readers, names of at most 256 bytes, at most 64 counts;
/// 4 KiB of the answer while its API is unknown; what decoding takes where the answer is
/// compressed, about 50 KiB and, for `br` and `zstd`, up to the window that the encoding asks for; and of
/// content as much as [`ContentLimits`](tollgate_call::ContentLimits) allow.
#[derive(Debug)]
pub struct Exchange {
    plan: Plan,
    provider: Option<String>,
    /// The model that the path names, for APIs where it does.
    path_model: Option<String>,
    /// Whether the path asks for a stream.
    stream: bool,
    limits: Limits,
    request: Request,
    input: InputContent,
    status: Option<u16>,
    /// Counts in the headers of the answer, in the order of [`BEDROCK_COUNTS`].
    counts: [Option<u64>; BEDROCK_COUNTS.len()],
    error_header: Option<String>,
    decoder: Decoder,
    body: Body,
    elapsed: u64,
    timing: Timing,
}

impl Exchange {
    pub(crate) fn new(opening: Opening<'_>) -> Self {
        let Opening { plan, provider, path_model, stream, request, formats, limits } = opening;
        // What is only searched, embedded, ranked or judged is no message.
        let input = match &plan {
            Plan::Read { format, .. } if !format.operation.writes() => 0,
            Plan::Read { .. } | Plan::Recognise => limits.content.input_bytes,
            Plan::Skip { .. } => 0,
        };
        let body = match &plan {
            Plan::Read { format, .. } => Body::of(Arc::clone(format), limits.content),
            Plan::Recognise => Body::unknown(formats, limits.content),
            Plan::Skip { .. } => Body::unread(),
        };
        Self {
            plan,
            provider,
            path_model: path_model.map(|name| beginning(&name)),
            stream,
            limits,
            request,
            input: InputContent::new(input),
            status: None,
            counts: [None; BEDROCK_COUNTS.len()],
            error_header: None,
            decoder: Decoder::new(limits.expansion, limits.window),
            body,
            elapsed: 0,
            timing: Timing::default(),
        }
    }

    /// The API that the request line, the host or the configuration says; `None` where only the answer can tell, or
    /// where the exchange is left alone.
    #[must_use]
    pub fn api(&self) -> Option<&Api> {
        match &self.plan {
            Plan::Read { format, .. } => Some(&format.api),
            Plan::Recognise | Plan::Skip { .. } => None,
        }
    }

    /// The provider that the host or the configuration says.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    /// Whether it is a call of an LLM API for sure, whatever the answer will say: host or configuration vouch for it, or
    /// the request, as far as it has been read, or its path names a model.
    #[must_use]
    pub fn is_call(&self) -> bool {
        let named = || self.request.model().is_some() || self.path_model.is_some();
        matches!(&self.plan, Plan::Read { sure, .. } if *sure || named())
    }

    /// Whether the request, as far as it has been read, or its path asks for a stream, and the answer is none of failure.
    #[must_use]
    pub fn asks_for_stream(&self) -> bool {
        (self.request.stream() == Some(true) || self.stream) && self.status.is_none_or(|status| status < 400)
    }

    /// Whether the bodies are looked at. Where not, a seat may spare itself the copies; sizes are then not counted.
    #[must_use]
    pub fn reads_bodies(&self) -> bool {
        !matches!(self.plan, Plan::Skip { .. })
    }

    /// Names of the headers of the answer that are looked at, for seats where reading a header has a price.
    #[must_use]
    pub fn response_headers(&self) -> &'static [&'static str] {
        /// The last ones are of Bedrock only.
        const NAMES: [&str; 6] = {
            let [a, b, c, d] = BEDROCK_COUNTS;
            ["content-encoding", AWS_ERROR, a, b, c, d]
        };
        let of_aws = |format: &Format| matches!(format.api.as_str(), "invoke" | "converse" | "converse-stream");
        match &self.plan {
            Plan::Read { format, .. } if of_aws(format) || format.wrapped => &NAMES,
            Plan::Read { .. } | Plan::Recognise => NAMES.split_at(1).0,
            Plan::Skip { .. } => &[],
        }
    }

    /// The next bytes of the request's body.
    pub fn request_body(&mut self, chunk: &[u8]) {
        self.timing.request_bytes = self.timing.request_bytes.saturating_add(chunk.len() as u64);
        if self.reads_bodies() {
            self.request.push(chunk);
            self.input.push(chunk);
        }
    }

    /// Status, or 0 where there is none, and headers of the answer, whatever case their names are in. Of the headers only
    /// [`response_headers`](Self::response_headers) are looked at: whether a body is a stream is told by the body itself,
    /// since servers name it wrongly.
    pub fn response_head<'h>(&mut self, status: u16, headers: impl IntoIterator<Item = (&'h str, &'h [u8])>) {
        // Envoy has no status to tell of where no answer came.
        self.status = (status != 0).then_some(status);
        if status == SWITCHING_PROTOCOLS {
            self.leave();
        }
        self.decoder = Decoder::new(self.limits.expansion, self.limits.window);
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("content-encoding") {
                self.decoder.add(value);
            } else if name.eq_ignore_ascii_case(AWS_ERROR) {
                // The name may have the address of its definition behind it.
                let word = String::from_utf8_lossy(value);
                self.error_header = word.split(':').next().map(beginning);
            } else if let Some((_, count)) =
                (BEDROCK_COUNTS.iter().zip(&mut self.counts)).find(|(known, _)| name.eq_ignore_ascii_case(known))
            {
                *count = str::from_utf8(value).ok().and_then(|text| text.trim().parse().ok());
            }
        }
    }

    /// Reads no further: what follows is of another protocol.
    fn leave(&mut self) {
        if !matches!(self.plan, Plan::Skip { why: Skipped::Realtime, .. }) {
            self.plan = Plan::Skip { why: Skipped::Upgrade, unsupported: false };
        }
        self.body = Body::unread();
    }

    /// The next bytes of the answer's body, as transferred. `elapsed_ns` is nanoseconds since the request began, by
    /// the seat's own clock.
    pub fn response_body(&mut self, chunk: &[u8], elapsed_ns: u64) {
        self.timing.response_bytes = self.timing.response_bytes.saturating_add(chunk.len() as u64);
        self.elapsed = elapsed_ns;
        if self.reads_bodies() {
            let Self { decoder, body, timing, .. } = self;
            decoder.push(chunk, |plain| body.push(plain, elapsed_ns, timing));
        }
    }

    /// Bytes of memory that the exchange has allocated, besides itself.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.decoder.heap_bytes() + self.request.heap_bytes() + self.input.heap_bytes() + self.body.heap_bytes()
    }

    /// Ends the exchange and says what it was.
    #[must_use]
    pub fn end(mut self, outcome: Outcome) -> Reading {
        let mut notes = Notes::default();
        let undecoded = self.decoder.note();
        // What does not come whole through its encoding, or at all, is not to blame for being incomplete.
        let cut = !outcome.is_complete() || undecoded.is_some();
        let asked = self.asks_for_stream();
        self.body.end(cut, asked, self.elapsed, &mut self.timing);
        let mut facts = self.body.take_facts();
        let (format, sure) = match &self.plan {
            Plan::Read { format, sure } => (Some(Arc::clone(format)), *sure),
            Plan::Recognise => (self.body.format().cloned(), true),
            Plan::Skip { why, unsupported } => {
                let why = *why;
                if *unsupported {
                    notes.add(notes::UNSUPPORTED_API);
                }
                return self.skipped(why, notes);
            }
        };
        let named = self.request.model().is_some() || facts.model.is_some() || self.path_model.is_some();
        let Some(format) = format.filter(|_| sure || named) else {
            if self.provider.is_some() {
                notes.add(notes::UNSUPPORTED_API);
            }
            return self.skipped(Skipped::NotAnLlmCall, notes);
        };

        if let Some(note) = undecoded.filter(|note| outcome.is_complete() || *note != notes::TRUNCATED_ENCODING) {
            notes.add(note);
        }
        for (name, count) in BEDROCK_COUNTS.iter().zip(self.counts) {
            count.into_iter().for_each(|count| facts.put_count(name, count));
        }
        let content = self.content(&facts, &mut notes);
        let (error_type, error_code) = self.error(&mut facts, outcome);
        let unended = facts.stream && self.body.is_stream(asked) && !facts.ended;
        if !cut && unended && error_type.is_none() && format.ends_streams() {
            notes.add(notes::UNTERMINATED_STREAM);
        }
        let finish_reasons = facts.take_finish_reasons();
        let (usage, usage_source) = usage(&mut facts, &format, outcome);
        if usage.as_ref().is_some_and(Usage::total_disagrees) {
            notes.add(notes::TOTAL_DISAGREES);
        }
        let mut parameters = self.request.take_parameters();
        parameters.output_type = parameters.output_type.or(format.output_type.map(str::to_owned));
        let record = Record {
            provider: self.provider.or(format.provider.map(str::to_owned)),
            operation: format.operation,
            api: Some(format.api.clone()),
            parameters,
            request_model: self.request.model().map(str::to_owned).or(self.path_model),
            response_model: facts.model,
            response_id: facts.id,
            finish_reasons,
            tools_called: facts.tools,
            stream: self.body.is_stream(asked),
            status: self.status,
            usage,
            usage_source,
            service_tier: facts.tier,
            speed: facts.speed,
            inference_geo: facts.inference_geo,
            system_fingerprint: facts.fingerprint,
            error_type,
            error_code,
            outcome,
        };
        notes.merge(facts.notes);
        notes.merge(self.request.into_notes());
        Reading { record: Ok(record), timing: self.timing, content, notes: notes.into_sorted() }
    }

    fn skipped(self, why: Skipped, notes: Notes) -> Reading {
        let content = Content::default();
        Reading { record: Err(why), timing: self.timing, content, notes: notes.into_sorted() }
    }

    fn content(&mut self, facts: &Facts, notes: &mut Notes) -> Content {
        let Input { system_instructions, messages, tool_definitions, truncated } = self.input.finish(notes);
        let (output_messages, cut) = facts.text.finish(notes);
        Content {
            system_instructions,
            input_messages: messages,
            output_messages,
            tool_definitions,
            truncated: truncated || cut,
        }
    }

    /// `error.type` and the provider's code beside it. The type is the provider's word, else the status, else how the
    /// exchange broke off.
    fn error(&mut self, facts: &mut Facts, outcome: Outcome) -> (Option<String>, Option<String>) {
        let status = self.status.filter(|status| *status >= 400);
        if facts.has_error || status.is_some() {
            let (word, code) = facts.take_error();
            let word = word.or_else(|| self.error_header.take()).or_else(|| status.map(|status| status.to_string()));
            let word = word.unwrap_or_else(|| error_type::OTHER.to_owned());
            return (Some(word.clone()), code.filter(|code| *code != word));
        }
        ((!outcome.is_complete() && !facts.ended).then(|| outcome.as_str().to_owned()), None)
    }
}

/// As much of a name in the path as is kept of any name.
fn beginning(name: &str) -> String {
    name.get(..name.floor_char_boundary(MAX_NAME)).unwrap_or_default().to_owned()
}

/// The usage, and how far it can be relied on.
fn usage(facts: &mut Facts, format: &Format, outcome: Outcome) -> (Option<Usage>, Option<UsageSource>) {
    let counts = std::mem::take(&mut facts.counts);
    let malformed = counts.malformed();
    let Some(usage) = counts.into_usage(&format.counts) else { return (None, None) };
    let written = usage.output_tokens.is_some() || !format.operation.writes();
    // What is billed by something else than tokens has none to report.
    let counts_no_tokens =
        usage.input_tokens.is_none() && usage.output_tokens.is_none() && !usage.other_units.is_empty();
    let whole = (usage.input_tokens.is_some() && written || counts_no_tokens) && !malformed;
    let source = if !outcome.is_complete() && !facts.ended {
        UsageSource::Aborted
    } else if whole && facts.counts_final {
        UsageSource::Reported
    } else {
        UsageSource::Partial
    };
    (Some(usage), Some(source))
}
