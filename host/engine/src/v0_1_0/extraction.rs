//! The extraction interface: exchanges as resources, and readings.

use super::Store;
use super::bindings::extractor::Extractor as World;
use super::bindings::extractor::exports::tollgate::plugin::extraction as wire;
use crate::extractor::{self, ExtractorManifest, Reading, RequestHead};
use crate::plugin::Plugin;
use crate::seat::Kind;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use tollgate_call::{Api, Outcome, Parameters, Record, Timing, Usage, UsageSource};
use tollgate_columns::ConfigError;
use wasmtime::component::ResourceAny;

/// An instance of an extractor.
pub(crate) struct Extractor(World);

impl Kind for Extractor {
    type Manifest = ExtractorManifest;
    const WORLD: crate::World = crate::World::Extractor;

    fn instantiate(plugin: &Plugin, store: &mut Store) -> Option<wasmtime::Result<Self>> {
        Some(plugin.loaded().worlds.extractor.as_ref()?.instantiate(store).map(Self))
    }

    fn configure(&self, store: &mut Store, config: &str) -> wasmtime::Result<Result<ExtractorManifest, ConfigError>> {
        let configured = self.0.tollgate_plugin_extraction().call_configure(store, config)?;
        // The record of problems is shared with the other worlds.
        Ok(configured.map_err(super::config_error).map(|wire::Manifest { name, version, apis }| ExtractorManifest {
            name,
            version,
            apis,
        }))
    }

    fn check(manifest: &ExtractorManifest) -> Result<(), String> {
        extractor::check(manifest)
    }
}

impl Extractor {
    pub(crate) fn begin(&self, store: &mut Store, head: RequestHead<'_>) -> wasmtime::Result<ResourceAny> {
        let head = wire::RequestHead {
            method: head.method.to_owned(),
            host: head.host.to_owned(),
            path: head.path.to_owned(),
            headers: wire_headers(head.headers),
        };
        self.0.tollgate_plugin_extraction().exchange().call_constructor(store, &head)
    }

    pub(crate) fn request_body(&self, store: &mut Store, open: ResourceAny, chunk: &[u8]) -> wasmtime::Result<()> {
        self.0.tollgate_plugin_extraction().exchange().call_request_body(store, open, chunk)
    }

    pub(crate) fn response_head(
        &self,
        store: &mut Store,
        open: ResourceAny,
        status: u16,
        headers: &[(&str, &[u8])],
    ) -> wasmtime::Result<()> {
        let headers = wire_headers(headers);
        self.0.tollgate_plugin_extraction().exchange().call_response_head(store, open, status, &headers)
    }

    pub(crate) fn response_body(
        &self,
        store: &mut Store,
        open: ResourceAny,
        chunk: &[u8],
        elapsed: u64,
    ) -> wasmtime::Result<()> {
        self.0.tollgate_plugin_extraction().exchange().call_response_body(store, open, chunk, elapsed)
    }

    pub(crate) fn end(&self, store: &mut Store, open: ResourceAny, outcome: Outcome) -> wasmtime::Result<Reading> {
        let outcome = match outcome {
            Outcome::Complete => wire::Outcome::Complete,
            Outcome::ClientAborted => wire::Outcome::ClientAborted,
            Outcome::UpstreamAborted => wire::Outcome::UpstreamAborted,
            Outcome::TimedOut => wire::Outcome::TimedOut,
        };
        self.0.tollgate_plugin_extraction().exchange().call_end(store, open, outcome).map(reading)
    }

    #[expect(clippy::unused_self, reason = "dropping is a call on the instance like the others")]
    pub(crate) fn drop(&self, store: &mut Store, open: ResourceAny) -> wasmtime::Result<()> {
        open.resource_drop(store)
    }
}

fn wire_headers(headers: &[(&str, &[u8])]) -> Vec<wire::Header> {
    let header = |(name, value): &(&str, &[u8])| wire::Header { name: (*name).to_owned(), value: value.to_vec() };
    headers.iter().map(header).collect()
}

fn reading(wire::Reading { call, timing, mut notes }: wire::Reading) -> Reading {
    let timing = Timing {
        time_to_first_chunk: timing.time_to_first_chunk,
        time_to_last_chunk: timing.time_to_last_chunk,
        output_chunks: timing.output_chunks,
        request_bytes: timing.request_bytes,
        response_bytes: timing.response_bytes,
    };
    Reading { call: call.map(|call| record(call, &mut notes)), timing, notes }
}

fn record(call: wire::Call, notes: &mut Vec<String>) -> Record {
    let operation = word(&call.operation);
    if operation.is_none() {
        notes.push("unnamed_operation".to_owned());
    }
    Record {
        provider: call.provider,
        operation: operation.unwrap_or_default(),
        api: call.api.as_deref().map(Api::named),
        parameters: parameters(call.parameters),
        request_model: call.request_model,
        response_model: call.response_model,
        response_id: call.response_id,
        finish_reasons: call.finish_reasons,
        tools_called: call.tools_called,
        stream: call.stream,
        status: call.status,
        usage: call.usage.map(usage),
        usage_source: call.usage_source.map(|source| match source {
            wire::UsageSource::Reported => UsageSource::Reported,
            wire::UsageSource::Partial => UsageSource::Partial,
            wire::UsageSource::Aborted => UsageSource::Aborted,
            wire::UsageSource::Estimated => UsageSource::Estimated,
        }),
        service_tier: call.service_tier,
        speed: call.speed,
        inference_geo: call.inference_geo,
        system_fingerprint: call.system_fingerprint,
        error_type: call.error_type,
        error_code: call.error_code,
        outcome: match call.outcome {
            wire::Outcome::Complete => Outcome::Complete,
            wire::Outcome::ClientAborted => Outcome::ClientAborted,
            wire::Outcome::UpstreamAborted => Outcome::UpstreamAborted,
            wire::Outcome::TimedOut => Outcome::TimedOut,
        },
    }
}

fn parameters(asked: wire::Parameters) -> Parameters {
    Parameters {
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

fn usage(usage: wire::Usage) -> Usage {
    Usage {
        input_tokens: usage.input_tokens,
        output_tokens: usage.output_tokens,
        cache_read_tokens: usage.cache_read_tokens,
        cache_write_tokens: usage.cache_write_tokens,
        cache_write_5m_tokens: usage.cache_write_five_minute_tokens,
        cache_write_1h_tokens: usage.cache_write_one_hour_tokens,
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

/// The value that a word of the call record names.
fn word<'a, T: Deserialize<'a>>(word: &'a str) -> Option<T> {
    let words: StrDeserializer<'a, Error> = word.into_deserializer();
    T::deserialize(words).ok()
}
