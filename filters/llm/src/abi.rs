//! The proxy-wasm ABI 0.2.1: nobody else knows it, and nobody else has `unsafe`.
//!
//! The filter declares the ABI itself and does not use the published SDK. There, nearly every call panics on a status
//! it did not expect, text forms panic on bytes that are not UTF-8, and the dispatcher panics on ids it does not
//! know; and in Envoy a panic answers the request with 503, whatever the failure policy. Here a status is a number,
//! a value is bytes, and an id nobody knows is ignored. Nineteen imports are all that the module asks of the proxy; eight of
//! them are called only where an option that touches the traffic, or `budgets`, is on.

#![allow(unsafe_code, reason = "calls of the proxy, and its calls of us, are foreign functions")]

mod calls;

use crate::filter::Filter;
use crate::proxy::{Body, Callout, Flow, Headers, Level, MetricKind, Proxy, Refused};
use calls::*;
use std::cell::{Cell, RefCell};
use std::{ptr, slice};

thread_local! {
    /// The state of the module. There is one thread; the cell is there for calls of the proxy within our own.
    static FILTER: RefCell<Filter> = RefCell::new(Filter::default());
}

/// Bytes of a body that are lent at a time. Envoy reads 16 KiB at a time, and TLS and HTTP/2 have frames of as many; a
/// chunk that has grown larger on its way is lent in parts, so that the module's memory does not depend on it.
const LANDING: usize = 64 << 10;

thread_local! {
    /// Where lent chunks come to lie; made with the first of them, and never freed.
    static LANDING_PLACE: Cell<*mut u8> = const { Cell::new(ptr::null_mut()) };
    /// Whether the next bytes that the proxy wants room for may lie there.
    static LANDING_FREE: Cell<bool> = const { Cell::new(false) };
}

/// What a callback about a stream returns: go on.
const CONTINUE: u32 = 0;

/// `StopIteration` of headers, `StopIterationAndBuffer` of bodies.
const HOLD: u32 = 1;

/// `StopIterationAndWatermark` of bodies.
const QUEUE: u32 = 2;

/// The stream type of a request.
const REQUEST_STREAM: u32 = 0;

/// The stream type of an answer.
const RESPONSE_STREAM: u32 = 1;

const OK: u32 = 0;

/// A shared value has been changed by somebody else.
const CAS_MISMATCH: u32 = 8;

/// Envoy, by its proxy-wasm calls.
struct Envoy;

impl Proxy for Envoy {
    fn now(&self) -> u64 {
        let mut time = 0;
        // SAFETY: the proxy writes eight bytes to a place that outlives the call.
        let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
        if status == OK { time } else { 0 }
    }

    fn header(&self, headers: Headers, name: &str) -> Option<Vec<u8>> {
        let map = map_of(headers);
        // SAFETY: `name` outlives the call; `returned` hands over valid places for the result.
        returned(|data, size| unsafe { proxy_get_header_map_value(map, name.as_ptr(), name.len(), data, size) })
    }

    fn body(&self, body: Body, size: usize) -> Option<Vec<u8>> {
        let kind = kind_of(body);
        // SAFETY: `returned` hands over valid places for the result.
        returned(|data, length| unsafe { proxy_get_buffer_bytes(kind, 0, size, data, length) })
    }

    fn lend_body(&self, body: Body, size: usize, mut read: impl FnMut(&[u8])) {
        let landing = landing_place();
        let mut start = 0;
        while start < size {
            let most = LANDING.min(size - start);
            let (mut data, mut length): (*mut u8, usize) = (ptr::null_mut(), 0);
            LANDING_FREE.set(true);
            // SAFETY: both places outlive the call.
            let status = unsafe { proxy_get_buffer_bytes(kind_of(body), start, most, &raw mut data, &raw mut length) };
            LANDING_FREE.set(false);
            if status != OK {
                return;
            }
            if data != landing {
                read(&owned(data, length));
            } else {
                // SAFETY: the proxy has put `length` bytes there, and was told that there is room for no more than
                // `LANDING`. Nobody else is given the place before this returns: `read` makes no call of the proxy.
                read(unsafe { slice::from_raw_parts(data, length.min(LANDING)) });
            }
            if length < most {
                return;
            }
            start += length;
        }
    }

    fn set_header(&self, headers: Headers, name: &str, value: &str) -> Result<(), Refused> {
        let map = map_of(headers);
        // SAFETY: both texts outlive the call, and the proxy only reads them.
        refused(unsafe { proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
    }

    fn remove_header(&self, headers: Headers, name: &str) -> Result<(), Refused> {
        // SAFETY: `name` outlives the call, and the proxy only reads it.
        refused(unsafe { proxy_remove_header_map_value(map_of(headers), name.as_ptr(), name.len()) })
    }

    fn set_body(&self, body: Body, size: usize, bytes: &[u8]) -> Result<(), Refused> {
        // SAFETY: `bytes` outlives the call, and the proxy only reads it.
        refused(unsafe { proxy_set_buffer_bytes(kind_of(body), 0, size, bytes.as_ptr(), bytes.len()) })
    }

    fn answer(&self, status: u32, details: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<(), Refused> {
        let headers = pairs(headers);
        // SAFETY: every slice outlives the call, and the proxy only reads them.
        refused(unsafe {
            proxy_send_local_response(
                status,
                details.as_ptr(),
                details.len(),
                body.as_ptr(),
                body.len(),
                headers.as_ptr(),
                headers.len(),
                -1,
            )
        })
    }

    fn resume_request(&self, root: u32, stream: u32) {
        resume(root, stream, REQUEST_STREAM);
    }

    fn resume_response(&self, root: u32, stream: u32) {
        resume(root, stream, RESPONSE_STREAM);
    }

    fn property(&self, path: &[&str]) -> Option<Vec<u8>> {
        let path = path.join("\0");
        // SAFETY: `path` outlives the call; `returned` hands over valid places for the result.
        returned(|data, size| unsafe { proxy_get_property(path.as_ptr(), path.len(), data, size) })
    }

    fn set_state(&self, name: &str, value: &[u8]) -> Result<(), Refused> {
        // SAFETY: both slices outlive the call, and the proxy only reads them.
        refused(unsafe { proxy_set_property(name.as_ptr(), name.len(), value.as_ptr(), value.len()) })
    }

    fn shared(&self, name: &str) -> Option<(Vec<u8>, u32)> {
        let mut version = 0;
        // SAFETY: `name` outlives the call; `returned` hands over valid places for the result, and the proxy writes four
        // bytes to a place that outlives the call.
        let value = returned(|data, size| unsafe {
            proxy_get_shared_data(name.as_ptr(), name.len(), data, size, &raw mut version)
        });
        value.map(|value| (value, version))
    }

    fn set_shared(&self, name: &str, value: &[u8], version: u32) -> Result<bool, Refused> {
        // SAFETY: both slices outlive the call, and the proxy only reads them.
        match unsafe { proxy_set_shared_data(name.as_ptr(), name.len(), value.as_ptr(), value.len(), version) } {
            CAS_MISMATCH => Ok(false),
            status => refused(status).map(|()| true),
        }
    }

    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<u32, Refused> {
        let kind = match kind {
            MetricKind::Counter => 0,
            MetricKind::Gauge => 1,
            MetricKind::Histogram => 2,
        };
        let mut id = 0;
        // SAFETY: `name` outlives the call; the proxy writes four bytes to a place that does too.
        refused(unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) })?;
        Ok(id)
    }

    fn add(&self, metric: u32, value: i64) {
        // SAFETY: numbers only. A metric that the proxy does not know changes nothing.
        let _ = unsafe { proxy_increment_metric(metric, value) };
    }

    fn record(&self, metric: u32, value: u64) {
        // SAFETY: numbers only. A metric that the proxy does not know changes nothing.
        let _ = unsafe { proxy_record_metric(metric, value) };
    }

    fn tick_every(&self, milliseconds: u32) {
        // SAFETY: a number only.
        let _ = unsafe { proxy_set_tick_period_milliseconds(milliseconds) };
    }

    fn call(&self, callout: Callout<'_>) -> Result<u32, Refused> {
        let headers = pairs(callout.headers);
        let trailers = pairs(&[]);
        let mut token = 0;
        // SAFETY: every slice outlives the call, and the proxy only reads them; it writes four bytes to `token`.
        refused(unsafe {
            proxy_http_call(
                callout.cluster.as_ptr(),
                callout.cluster.len(),
                headers.as_ptr(),
                headers.len(),
                callout.body.as_ptr(),
                callout.body.len(),
                trailers.as_ptr(),
                trailers.len(),
                callout.timeout_ms,
                &raw mut token,
            )
        })?;
        Ok(token)
    }

    fn log(&self, level: Level, line: &str) {
        let level = match level {
            Level::Info => 2,
            Level::Warn => 3,
            Level::Error => 4,
        };
        // SAFETY: `line` outlives the call, and the proxy only reads it.
        let _ = unsafe { proxy_log(level, line.as_ptr(), line.len()) };
    }

    fn memory_bytes(&self) -> u64 {
        core::arch::wasm32::memory_size(0) as u64 * 65_536
    }
}

fn resume(root: u32, stream: u32, kind: u32) {
    // SAFETY: numbers only. A context that the proxy does not know changes nothing.
    unsafe {
        if proxy_set_effective_context(stream) == OK {
            let _ = proxy_continue_stream(kind);
            let _ = proxy_set_effective_context(root);
        }
    }
}

const fn map_of(headers: Headers) -> u32 {
    match headers {
        Headers::Request => 0,
        Headers::Response => 2,
        Headers::Callout => 6,
        Headers::ResponseTrailers => 3,
    }
}

const fn kind_of(body: Body) -> u32 {
    match body {
        Body::Request => 0,
        Body::Response => 1,
        Body::Callout => 4,
        Body::Configuration => 7,
    }
}

const fn flow(flow: Option<Flow>) -> u32 {
    match flow {
        Some(Flow::Hold) => HOLD,
        Some(Flow::Queue) => QUEUE,
        Some(Flow::Continue) | None => CONTINUE,
    }
}

const fn refused(status: u32) -> Result<(), Refused> {
    match status {
        OK => Ok(()),
        1 => Err(Refused::NotFound),
        2 => Err(Refused::BadArgument),
        10 => Err(Refused::Failed),
        other => Err(Refused::Other(other)),
    }
}

/// Makes a call that returns bytes: the proxy allocates them with [`proxy_on_memory_allocate`], and they become ours.
fn returned(call: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> Option<Vec<u8>> {
    let mut data: *mut u8 = ptr::null_mut();
    let mut size = 0;
    (call(&raw mut data, &raw mut size) == OK).then(|| owned(data, size))
}

/// Bytes that a call returned.
fn owned(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() {
        return Vec::new();
    }
    // SAFETY: the proxy got `data` from `proxy_on_memory_allocate(size)`, filled it, and gives it up.
    unsafe { Vec::from_raw_parts(data, size, size) }
}

/// Where lent chunks come to lie.
fn landing_place() -> *mut u8 {
    if LANDING_PLACE.get().is_null() {
        LANDING_PLACE.set(Box::into_raw(vec![0_u8; LANDING].into_boxed_slice()).cast());
    }
    LANDING_PLACE.get()
}

/// A header map as the ABI wants it: how many, all sizes, then names and values, each with a zero byte after it.
fn pairs(map: &[(&str, &str)]) -> Vec<u8> {
    let size = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = u32::try_from(map.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    for (name, value) in map {
        bytes.extend_from_slice(&size(name));
        bytes.extend_from_slice(&size(value));
    }
    for (name, value) in map {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(value.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// Runs a callback. If the proxy calls while a callback of ours runs, the inner one is left out: what it would have
/// told is an answer to an export, whose slot frees itself by time.
fn with<T>(callback: impl FnOnce(&mut Filter) -> T) -> Option<T> {
    FILTER.try_with(|filter| filter.try_borrow_mut().ok().map(|mut filter| callback(&mut filter))).ok().flatten()
}

/// Says which version of the ABI this is.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Gives the proxy room for what it returns.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    if size <= LANDING && LANDING_FREE.take() {
        return LANDING_PLACE.get();
    }
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(id: u32, root: u32) {
    with(|filter| filter.create(id, root));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _size: usize) -> u32 {
    1
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, size: usize) -> u32 {
    with(|filter| filter.configure(&Envoy, root, size)).unwrap_or(false).into()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    with(|filter| filter.tick(&Envoy, root));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(id: u32, _count: u32, end_of_stream: u32) -> u32 {
    flow(with(|filter| filter.request_headers(&Envoy, id, end_of_stream != 0)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(id: u32, size: usize, end_of_stream: u32) -> u32 {
    flow(with(|filter| filter.request_body(&Envoy, id, size, end_of_stream != 0)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(id: u32, _count: u32) -> u32 {
    flow(with(|filter| filter.request_trailers(&Envoy, id)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(id: u32, _count: u32, end_of_stream: u32) -> u32 {
    flow(with(|filter| filter.response_headers(&Envoy, id, end_of_stream != 0)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_body(id: u32, size: usize, end_of_stream: u32) -> u32 {
    flow(with(|filter| filter.response_body(&Envoy, id, size, end_of_stream != 0)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_trailers(id: u32, _count: u32) -> u32 {
    flow(with(|filter| filter.response_trailers(&Envoy, id)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_log(id: u32) {
    with(|filter| filter.log(&Envoy, id));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(id: u32) {
    with(|filter| filter.delete(&Envoy, id));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(root: u32, token: u32, headers: u32, _body: usize, _trailers: u32) {
    with(|filter| filter.call_answered(&Envoy, root, token, headers > 0));
}
