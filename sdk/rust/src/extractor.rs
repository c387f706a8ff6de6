//! Extractors: raw HTTP exchanges in, call records out.

use crate::bindings::extractor::exports::tollgate::plugin::extraction;
use crate::state::State;
use std::cell::RefCell;
use tollgate_columns::ConfigError;

pub use extraction::{Call, Header, Manifest as ExtractorManifest, Outcome, Reading, RequestHead, Timing};
pub use extraction::{Parameters, Usage, UsageSource};

/// An extractor. Export it with [`export_extractor!`](crate::export_extractor).
pub trait Extractor: Sized + 'static {
    /// What follows one exchange.
    type Exchange: Exchange;

    /// Reads the configuration, JSON text (`{}` where the user gave none).
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, each with its path.
    fn configure(config: &str) -> Result<Self, ConfigError>;

    /// What the extractor is and which APIs it reads.
    fn manifest(&self) -> ExtractorManifest;

    /// Begins an exchange. It owns what it needs; several may be open at once.
    fn exchange(&mut self, head: &RequestHead) -> Self::Exchange;
}

/// One HTTP exchange. Chunks come in order and may be cut anywhere; what is held must not grow with the length.
pub trait Exchange: Sized + 'static {
    /// The next bytes of the request body.
    fn request_body(&mut self, chunk: &[u8]);

    /// Status and headers of the answer.
    fn response_head(&mut self, status: u16, headers: &[Header]);

    /// The next bytes of the response body, `elapsed` nanoseconds after the request began.
    fn response_body(&mut self, chunk: &[u8], elapsed: u64);

    /// Ends the exchange and gives what was read.
    fn end(self, outcome: Outcome) -> Reading;
}

#[doc(hidden)]
pub fn configure<E: Extractor>(state: &State<E>, config: &str) -> Result<ExtractorManifest, ConfigError> {
    let extractor = E::configure(config)?;
    let manifest = extractor.manifest();
    state.put(extractor);
    Ok(manifest)
}

/// An open exchange, as the component's resource holds it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Open<X>(RefCell<Option<X>>);

impl<X: Exchange> Open<X> {
    #[must_use]
    pub fn begin<E: Extractor<Exchange = X>>(state: &State<E>, head: &RequestHead) -> Self {
        Self(RefCell::new(state.with(|extractor| extractor.exchange(head)).ok()))
    }

    pub fn with(&self, use_it: impl FnOnce(&mut X)) {
        if let Ok(Some(exchange)) = self.0.try_borrow_mut().as_deref_mut() {
            use_it(exchange);
        }
    }

    #[must_use]
    pub fn end(&self, outcome: Outcome) -> Reading {
        match self.0.try_borrow_mut().ok().and_then(|mut open| open.take()) {
            Some(exchange) => exchange.end(outcome),
            None => Reading { call: Err("no_open_exchange".to_owned()), timing: no_timing(), notes: Vec::new() },
        }
    }
}

const fn no_timing() -> Timing {
    Timing {
        time_to_first_chunk: None,
        time_to_last_chunk: None,
        output_chunks: 0,
        request_bytes: 0,
        response_bytes: 0,
    }
}

impl From<tollgate_call::Reading> for Reading {
    fn from(reading: tollgate_call::Reading) -> Self {
        let tollgate_call::Reading { record, timing, content: _, notes } = reading;
        Self {
            call: record.map(Call::from).map_err(|skipped| skipped.as_str().to_owned()),
            timing: Timing {
                time_to_first_chunk: timing.time_to_first_chunk,
                time_to_last_chunk: timing.time_to_last_chunk,
                output_chunks: timing.output_chunks,
                request_bytes: timing.request_bytes,
                response_bytes: timing.response_bytes,
            },
            notes: notes.into_iter().map(str::to_owned).collect(),
        }
    }
}

impl From<tollgate_call::Record> for Call {
    fn from(record: tollgate_call::Record) -> Self {
        Self {
            provider: record.provider,
            operation: record.operation.as_str().to_owned(),
            api: record.api.map(|api| api.as_str().to_owned()),
            parameters: record.parameters.into(),
            request_model: record.request_model,
            response_model: record.response_model,
            response_id: record.response_id,
            finish_reasons: record.finish_reasons,
            tools_called: record.tools_called,
            stream: record.stream,
            status: record.status,
            usage: record.usage.map(Usage::from),
            usage_source: record.usage_source.map(UsageSource::from),
            service_tier: record.service_tier,
            speed: record.speed,
            inference_geo: record.inference_geo,
            system_fingerprint: record.system_fingerprint,
            error_type: record.error_type,
            error_code: record.error_code,
            outcome: record.outcome.into(),
        }
    }
}

impl From<tollgate_call::Parameters> for Parameters {
    fn from(asked: tollgate_call::Parameters) -> Self {
        Self {
            temperature: asked.temperature,
            top_p: asked.top_p,
            top_k: asked.top_k,
            max_tokens: asked.max_tokens,
            choice_count: asked.choice_count,
            seed: asked.seed,
            frequency_penalty: asked.frequency_penalty,
            presence_penalty: asked.presence_penalty,
            stop_sequences: asked.stop_sequences,
            reasoning_level: asked.reasoning_level,
            encoding_formats: asked.encoding_formats,
            dimensions: asked.dimensions,
            output_type: asked.output_type,
            previous_response_id: asked.previous_response_id,
            service_tier: asked.service_tier,
            tools: asked.tools,
            user: asked.user,
            conversation_id: asked.conversation_id,
        }
    }
}

impl From<tollgate_call::Usage> for Usage {
    fn from(usage: tollgate_call::Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_read_tokens: usage.cache_read_tokens,
            cache_write_tokens: usage.cache_write_tokens,
            cache_write_five_minute_tokens: usage.cache_write_5m_tokens,
            cache_write_one_hour_tokens: usage.cache_write_1h_tokens,
            reasoning_tokens: usage.reasoning_tokens,
            audio_input_tokens: usage.audio_input_tokens,
            audio_output_tokens: usage.audio_output_tokens,
            image_input_tokens: usage.image_input_tokens,
            image_output_tokens: usage.image_output_tokens,
            tool_use_input_tokens: usage.tool_use_input_tokens,
            cache_read_audio_tokens: usage.cache_read_audio_tokens,
            cache_read_image_tokens: usage.cache_read_image_tokens,
            other_units: usage.other_units.into_iter().collect(),
            server_tool_calls: usage.server_tool_calls.into_iter().collect(),
            provider_cost_nano_usd: usage.provider_cost_nano_usd,
            provider_total_tokens: usage.provider_total_tokens,
            native: usage.native.into_iter().collect(),
        }
    }
}

impl From<tollgate_call::UsageSource> for UsageSource {
    fn from(source: tollgate_call::UsageSource) -> Self {
        match source {
            tollgate_call::UsageSource::Reported => Self::Reported,
            tollgate_call::UsageSource::Partial => Self::Partial,
            tollgate_call::UsageSource::Aborted => Self::Aborted,
            tollgate_call::UsageSource::Estimated => Self::Estimated,
        }
    }
}

impl From<tollgate_call::Outcome> for Outcome {
    fn from(outcome: tollgate_call::Outcome) -> Self {
        match outcome {
            tollgate_call::Outcome::Complete => Self::Complete,
            tollgate_call::Outcome::ClientAborted => Self::ClientAborted,
            tollgate_call::Outcome::UpstreamAborted => Self::UpstreamAborted,
            tollgate_call::Outcome::TimedOut => Self::TimedOut,
        }
    }
}

impl From<Outcome> for tollgate_call::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete => Self::Complete,
            Outcome::ClientAborted => Self::ClientAborted,
            Outcome::UpstreamAborted => Self::UpstreamAborted,
            Outcome::TimedOut => Self::TimedOut,
        }
    }
}

/// Makes a type that implements [`Extractor`] the component's extractor. Outside wasm it only checks the type.
#[macro_export]
macro_rules! export_extractor {
    ($extractor:ty) => {
        const _: fn(&str) -> Result<$extractor, $crate::ConfigError> = <$extractor as $crate::Extractor>::configure;

        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::extractor::exports::tollgate::plugin::extraction::{
                Guest, GuestExchange, Header, Manifest, Outcome, Reading, RequestHead,
            };

            ::std::thread_local! {
                static STATE: $crate::State<$extractor> = const { $crate::State::new() };
            }

            struct Component;

            impl Guest for Component {
                type Exchange = Open;

                fn configure(config: String) -> Result<Manifest, $crate::ConfigError> {
                    STATE.with(|state| $crate::extractor::configure(state, &config))
                }
            }

            struct Open($crate::extractor::Open<<$extractor as $crate::Extractor>::Exchange>);

            impl GuestExchange for Open {
                fn new(head: RequestHead) -> Self {
                    Self(STATE.with(|state| $crate::extractor::Open::begin(state, &head)))
                }

                fn request_body(&self, chunk: Vec<u8>) {
                    self.0.with(|exchange| $crate::Exchange::request_body(exchange, &chunk));
                }

                fn response_head(&self, status: u16, headers: Vec<Header>) {
                    self.0.with(|exchange| $crate::Exchange::response_head(exchange, status, &headers));
                }

                fn response_body(&self, chunk: Vec<u8>, elapsed: u64) {
                    self.0.with(|exchange| $crate::Exchange::response_body(exchange, &chunk, elapsed));
                }

                fn end(&self, outcome: Outcome) -> Reading {
                    self.0.end(outcome)
                }
            }

    $crate::bindings::extractor::export_extraction!(Component with_types_in $crate::bindings::extractor);
        };
    };
}
