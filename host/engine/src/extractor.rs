//! Extractors, as the host uses them.

use crate::counters::Counters;
use crate::seat::{Kind, Seat, Weight};
use crate::{CallError, manifest, v0_1_0};
use std::sync::Arc;
use tollgate_call::{Outcome, Record, Timing};
use wasmtime::component::ResourceAny;

/// What an extractor is and which APIs it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtractorManifest {
    /// Name of the plugin.
    pub name: String,
    /// Version of the plugin.
    pub version: String,
    /// Names of the APIs, for example `chat.completions`.
    pub apis: Vec<String>,
}

/// The beginning of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// `:method`.
    pub method: &'a str,
    /// `:authority`, without a port.
    pub host: &'a str,
    /// `:path`, with its query.
    pub path: &'a str,
    /// Headers, names in lower case.
    pub headers: &'a [(&'a str, &'a [u8])],
}

/// What reading an exchange gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The call, or the reason word why there is none.
    pub call: Result<Record, String>,
    /// Clock readings and sizes.
    pub timing: Timing,
    /// Observations worth a counter, as words. An API or operation that has no name in the call record is one:
    /// `unnamed_operation`.
    pub notes: Vec<String>,
}

/// A configured extractor with its own instance.
pub struct Extractor {
    seat: Seat<v0_1_0::Extractor>,
}

impl Extractor {
    pub(crate) fn new(seat: Seat<v0_1_0::Extractor>) -> Self {
        Self { seat }
    }

    /// What the extractor is and reads.
    #[must_use]
    pub fn manifest(&self) -> &ExtractorManifest {
        self.seat.manifest()
    }

    /// What happened so far. Readable from elsewhere while a call runs.
    #[must_use]
    pub fn counters(&self) -> &Arc<Counters> {
        self.seat.counters()
    }

    /// Begins an exchange.
    ///
    /// # Errors
    /// The extractor was stopped. It can be called again.
    pub fn exchange(&mut self, head: RequestHead<'_>) -> Result<Exchange<'_>, CallError> {
        let bytes = head.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let weight = Weight { items: 1, bytes };
        let resource = self.seat.call(weight, |instance, store| instance.begin(store, head).map(Ok), |_, _| Ok(()))?;
        Ok(Exchange { extractor: self, resource: Some(resource) })
    }
}

/// One exchange that is being read. Chunks come in order and may be cut anywhere.
pub struct Exchange<'e> {
    extractor: &'e mut Extractor,
    resource: Option<ResourceAny>,
}

impl Exchange<'_> {
    /// The next bytes of the request body.
    ///
    /// # Errors
    /// The extractor was stopped, now or before in this exchange.
    pub fn request_body(&mut self, chunk: &[u8]) -> Result<(), CallError> {
        self.step(chunk.len(), |instance, store, resource| instance.request_body(store, resource, chunk))
    }

    /// Status and headers of the answer.
    ///
    /// # Errors
    /// The extractor was stopped, now or before in this exchange.
    pub fn response_head(&mut self, status: u16, headers: &[(&str, &[u8])]) -> Result<(), CallError> {
        let bytes = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.step(bytes, |instance, store, resource| instance.response_head(store, resource, status, headers))
    }

    /// The next bytes of the response body, `elapsed` nanoseconds after the request began.
    ///
    /// # Errors
    /// The extractor was stopped, now or before in this exchange.
    pub fn response_body(&mut self, chunk: &[u8], elapsed: u64) -> Result<(), CallError> {
        self.step(chunk.len(), |instance, store, resource| instance.response_body(store, resource, chunk, elapsed))
    }

    /// Ends the exchange and gives what was read.
    ///
    /// # Errors
    /// The extractor was stopped, now or before in this exchange.
    pub fn end(mut self, outcome: Outcome) -> Result<Reading, CallError> {
        let reading = self.step(0, |instance, store, resource| instance.end(store, resource, outcome))?;
        self.release();
        Ok(reading)
    }

    fn step<R>(
        &mut self,
        bytes: usize,
        call: impl FnOnce(&v0_1_0::Extractor, &mut v0_1_0::Store, ResourceAny) -> wasmtime::Result<R>,
    ) -> Result<R, CallError> {
        let seat = &mut self.extractor.seat;
        let Some(resource) = self.resource.filter(|_| seat.is_running()) else {
            return Err(CallError::Unavailable { why: "the instance that held this exchange is gone".to_owned() });
        };
        let weight = Weight { items: 1, bytes };
        let result = seat.proceed(weight, |instance, store| call(instance, store, resource).map(Ok), |_, _| Ok(()));
        if result.is_err() {
            self.resource = None;
        }
        result
    }

    /// Lets the plugin drop what it holds for the exchange.
    fn release(&mut self) {
        let seat = &mut self.extractor.seat;
        if let Some(resource) = self.resource.take().filter(|_| seat.is_running()) {
            // A failure is counted, and the instance replaced, as for any other call.
            let weight = Weight::default();
            let _ = seat.proceed(weight, |instance, store| instance.drop(store, resource).map(Ok), |_, _| Ok(()));
        }
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        self.release();
    }
}

pub(crate) fn check(declared: &ExtractorManifest) -> Result<(), String> {
    manifest::check_plugin(&declared.name, &declared.version)?;
    manifest::check_names("APIs", declared.apis.iter().map(String::as_str))
}

impl std::fmt::Debug for Extractor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple(v0_1_0::Extractor::WORLD.name()).field(self.manifest()).finish()
    }
}
