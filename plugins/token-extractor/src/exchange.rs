//! One exchange, read as it passes.

use crate::body::Body;
use crate::content::InputBody;
use crate::decode::Decoder;
use crate::extractor::Limits;
use crate::facts::{Facts, MAX_NAME};
use crate::notes::{self, Notes};
use crate::path;
use crate::request::Request;
use tollgate_call::{Api, Content, ContentLimits, Outcome, Reading, Record, Skipped, Timing, Usage, UsageSource};

/// What is to be done with an exchange, as its request line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Read it in this API. `sure` where host or configuration vouch for it; else what is said must confirm it.
    Read { api: Api, sure: bool },
    /// Read it if the shape of the answer is that of an API.
    Recognise,
    /// Leave it.
    Skip { why: Skipped, unsupported: bool },
}

/// One HTTP exchange with an LLM API, fed with bytes as they pass. Nothing that it is fed can make it fail.
///
/// What it holds does not grow with the exchange: two JSON readers, names of at most 256 bytes, at most 64 counts;
/// 4 KiB of the answer while its API is unknown; what decoding takes where the answer is
/// compressed, about 50 KiB and, for `br` and `zstd`, up to the window that the encoding asks for; and of
/// content as much as [`ContentLimits`] allow.
#[derive(Debug)]
pub struct Exchange {
    plan: Plan,
    provider: Option<String>,
    /// The model that the path names, for APIs where it does.
    path_model: Option<String>,
    limits: Limits,
    request: Request,
    input: InputBody,
    status: Option<u16>,
    decoder: Decoder,
    body: Body,
    elapsed: u64,
    timing: Timing,
}

impl Exchange {
    pub(crate) fn new(plan: Plan, provider: Option<String>, request_path: &str, limits: Limits) -> Self {
        let api = match plan {
            Plan::Read { api, .. } => Some(api),
            Plan::Recognise | Plan::Skip { .. } => None,
        };
        Self {
            plan,
            provider,
            path_model: path::deployment(request_path).map(beginning),
            limits,
            request: Request::new(),
            input: InputBody::new(limits.content.input_bytes),
            status: None,
            decoder: Decoder::new(limits.expansion, limits.window),
            body: Body::new(api, limits.content),
            elapsed: 0,
            timing: Timing::default(),
        }
    }

    /// Whether the bodies are looked at. Where not, a seat may spare itself the copies; sizes are then not counted.
    #[must_use]
    pub fn reads_bodies(&self) -> bool {
        !matches!(self.plan, Plan::Skip { .. })
    }

    /// The next bytes of the request's body.
    pub fn request_body(&mut self, chunk: &[u8]) {
        self.timing.request_bytes = self.timing.request_bytes.saturating_add(chunk.len() as u64);
        if self.reads_bodies() {
            self.request.push(chunk);
            self.input.push(chunk);
        }
    }

    /// Status, or 0 where there is none, and headers of the answer. Of the headers only `content-encoding` is looked at, whatever case it is
    /// in: whether a body is a stream is told by the body itself, since servers name it wrongly.
    pub fn response_head<'h>(&mut self, status: u16, headers: impl IntoIterator<Item = (&'h str, &'h [u8])>) {
        // Envoy has no status to tell of where no answer came.
        self.status = (status != 0).then_some(status);
        self.decoder = Decoder::new(self.limits.expansion, self.limits.window);
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("content-encoding") {
                self.decoder.add(value);
            }
        }
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
        self.body.end(cut, self.elapsed, &mut self.timing);
        let mut facts = self.body.take_facts();
        let (api, sure) = match self.plan {
            Plan::Read { api, sure } => (Some(api), sure),
            Plan::Recognise => (self.body.api(), true),
            Plan::Skip { why, unsupported } => {
                if unsupported {
                    notes.add(notes::UNSUPPORTED_API);
                }
                return self.skipped(why, notes);
            }
        };
        let confirmed = sure || self.request.model().is_some() || facts.model.is_some();
        let Some(api) = api.filter(|_| confirmed) else { return self.skipped(Skipped::NotAnLlmCall, notes) };

        if let Some(note) = undecoded.filter(|note| outcome.is_complete() || *note != notes::TRUNCATED_ENCODING) {
            notes.add(note);
        }
        let content = self.content(api, &facts);
        let error_type = self.error_type(&mut facts, outcome);
        if !cut && facts.stream && !facts.ended && error_type.is_none() && api != Api::ChatCompletions {
            notes.add(notes::UNTERMINATED_STREAM);
        }
        let finish_reasons = facts.take_finish_reasons();
        let (usage, usage_source) = usage(&mut facts, api, outcome);
        if usage.as_ref().is_some_and(Usage::total_disagrees) {
            notes.add(notes::TOTAL_DISAGREES);
        }
        let asked_for_stream = self.request.wants_stream() && self.status.is_none_or(|status| status < 400);
        let record = Record {
            provider: self.provider,
            api: Some(api),
            request_model: self.request.model().map(str::to_owned).or(self.path_model),
            response_model: facts.model,
            response_id: facts.id,
            finish_reasons,
            stream: self.body.is_stream().unwrap_or(asked_for_stream),
            status: self.status,
            usage,
            usage_source,
            service_tier: facts.tier,
            error_type,
            outcome,
            ..Record::default()
        };
        notes.merge(facts.notes);
        notes.merge(self.request.into_notes());
        Reading { record: Ok(record), timing: self.timing, content, notes: notes.into_sorted() }
    }

    fn skipped(self, why: Skipped, notes: Notes) -> Reading {
        let content = Content::default();
        Reading { record: Err(why), timing: self.timing, content, notes: notes.into_sorted() }
    }

    fn content(&self, api: Api, facts: &Facts) -> Content {
        let ContentLimits { input_bytes, .. } = self.limits.content;
        Content {
            input_messages: if input_bytes > 0 { self.input.messages(api) } else { None },
            output_messages: facts.text.messages(),
            truncated: self.input.truncated() || facts.text.truncated(),
        }
    }

    /// `error.type`: the provider's word, else the status, else how the exchange broke off.
    fn error_type(&self, facts: &mut Facts, outcome: Outcome) -> Option<String> {
        /// What the conventions say for an error that nothing names.
        const OTHER: &str = "_OTHER";
        let status = self.status.filter(|status| *status >= 400);
        if facts.has_error || status.is_some() {
            let word = facts.take_error().or_else(|| status.map(|status| status.to_string()));
            return Some(word.unwrap_or_else(|| OTHER.to_owned()));
        }
        (!outcome.is_complete() && !facts.ended).then(|| outcome.as_str().to_owned())
    }
}

/// As much of a name in the path as is kept of any name.
fn beginning(name: &str) -> String {
    name.get(..name.floor_char_boundary(MAX_NAME)).unwrap_or_default().to_owned()
}

/// The usage, and how far it can be relied on.
fn usage(facts: &mut Facts, api: Api, outcome: Outcome) -> (Option<Usage>, Option<UsageSource>) {
    let counts = std::mem::take(&mut facts.counts);
    let malformed = counts.malformed();
    let Some(usage) = counts.into_usage(api) else { return (None, None) };
    let whole = usage.input_tokens.is_some() && usage.output_tokens.is_some() && !malformed;
    let source = if !outcome.is_complete() && !facts.ended {
        UsageSource::Aborted
    } else if whole && facts.counts_final {
        UsageSource::Reported
    } else {
        UsageSource::Partial
    };
    (Some(usage), Some(source))
}
