//! What the filter needs of the proxy it runs in, as one small trait.
//!
//! Inside Envoy the trait is implemented by `abi.rs` over the proxy-wasm calls; in tests by a model of Envoy. The rest
//! of the filter is generic over it, so it runs, and is fuzzed, natively. No call panics and none blocks: what the
//! proxy refuses is a value.

use std::fmt;

/// Status codes of proxy-wasm calls that mean something to the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such header, property or buffer (status 1).
    NotFound,
    /// The proxy does not accept the argument (status 2); for HTTP calls also: no such cluster.
    BadArgument,
    /// The proxy failed (status 10).
    Failed,
    /// Any other status, by its number.
    Other(u32),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("not found"),
            Self::BadArgument => f.write_str("bad argument"),
            Self::Failed => f.write_str("internal failure"),
            Self::Other(status) => write!(f, "status {status}"),
        }
    }
}

/// Which headers to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headers {
    /// Those of the request, pseudo-headers included.
    Request,
    /// Those of the answer, pseudo-headers included.
    Response,
    /// Those of the answer to a call of the filter's own.
    Callout,
    /// Those behind the last byte of the answer. They can be set in the callback of that byte, and of trailers.
    ResponseTrailers,
}

/// Which body to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// The chunk of the request that the callback is about.
    Request,
    /// The chunk of the answer that the callback is about.
    Response,
    /// The answer to a call of the filter's own.
    Callout,
    /// The plugin configuration.
    Configuration,
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricKind {
    /// A sum that only grows.
    Counter,
    /// A value that goes up and down.
    Gauge,
    /// A distribution of whole numbers.
    Histogram,
}

/// How serious a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing once.
    Info,
    /// Something is lost or refused.
    Warn,
    /// The filter cannot start.
    Error,
}

/// What becomes of a stream after a callback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// It goes on, with what was held.
    #[default]
    Continue,
    /// Headers: they wait for the body. Body: what has come is buffered by the proxy, and comes again, with the next
    /// bytes, in the next callback. Only requests that may be edited are ever held,
    /// and what must not go on.
    Hold,
    /// Body: what has come waits in the proxy behind headers that are held, and does not come again; where it is much, the
    /// proxy reads no more.
    Queue,
}

/// An HTTP request that the filter itself makes.
#[derive(Clone, Copy, Debug)]
pub struct Callout<'a> {
    /// Name of the Envoy cluster.
    pub cluster: &'a str,
    /// Pseudo-headers first.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
    /// Milliseconds after which Envoy gives up.
    pub timeout_ms: u32,
}

/// The proxy's side. Byte forms only: nothing that comes from the network is assumed to be UTF-8.
pub trait Proxy {
    /// Nanoseconds since 1970, by the proxy's clock; 0 where it has none. May step back.
    fn now(&self) -> u64;

    /// Value of a header by lower-case name; the first, or all joined with commas, as the proxy has it.
    fn header(&self, headers: Headers, name: &str) -> Option<Vec<u8>>;

    /// Up to `size` bytes of a body, from its start.
    fn body(&self, body: Body, size: usize) -> Option<Vec<u8>>;

    /// Lends up to `size` bytes of a body, from its start, in one part or more; none where the proxy does not give them. For
    /// the way of every chunk: nothing is allocated. `read` may not call the proxy.
    fn lend_body(&self, body: Body, size: usize, mut read: impl FnMut(&[u8])) {
        if let Some(bytes) = self.body(body, size) {
            read(&bytes);
        }
    }

    /// Sets a header to one value, in the place of all it has. Only while the headers are held, or in their callback.
    ///
    /// # Errors
    /// What the proxy answered.
    fn set_header(&self, headers: Headers, name: &str, value: &str) -> Result<(), Refused>;

    /// Takes a header away, where there is one. Only while the headers are held, or in their callback.
    ///
    /// # Errors
    /// What the proxy answered.
    fn remove_header(&self, headers: Headers, name: &str) -> Result<(), Refused>;

    /// Puts `bytes` into the place of the first `size` bytes of the body that the callback is about.
    ///
    /// # Errors
    /// What the proxy answered; the body is then as it was.
    fn set_body(&self, body: Body, size: usize, bytes: &[u8]) -> Result<(), Refused>;

    /// Answers the call at hand in the provider's place; `details` is what `response.code_details` will be. Where the headers of an answer have gone on already, the proxy
    /// breaks it off instead. Nothing that is held goes on.
    ///
    /// # Errors
    /// What the proxy answered.
    fn answer(&self, status: u32, details: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<(), Refused>;

    /// Lets the request of another context, that is held at its headers, go on; `root` is the context that asks.
    fn resume_request(&self, root: u32, stream: u32);

    /// The same for an answer.
    fn resume_response(&self, root: u32, stream: u32);

    /// An attribute of Envoy, such as `response`, `code_details`.
    fn property(&self, path: &[&str]) -> Option<Vec<u8>>;

    /// Sets filter state `wasm.<name>` of the stream at hand.
    ///
    /// # Errors
    /// What the proxy answered, for example that there is no stream any more.
    fn set_state(&self, name: &str, value: &[u8]) -> Result<(), Refused>;

    /// A value of the data that all modules share, and its version.
    fn shared(&self, name: &str) -> Option<(Vec<u8>, u32)>;

    /// Sets a value of the shared data, if it is still of this version; of whichever version where that is 0. `false` where
    /// it is of another.
    ///
    /// # Errors
    /// What the proxy answered.
    fn set_shared(&self, name: &str, value: &[u8], version: u32) -> Result<bool, Refused>;

    /// Declares a metric and gives its number. Slow, and never undone by the proxy: keep the number.
    ///
    /// # Errors
    /// What the proxy answered.
    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<u32, Refused>;

    /// Adds to a counter or gauge.
    fn add(&self, metric: u32, value: i64);

    /// Records a value into a histogram, or sets a gauge.
    fn record(&self, metric: u32, value: u64);

    /// Calls the filter back every so many milliseconds from now on.
    fn tick_every(&self, milliseconds: u32);

    /// Starts an HTTP call, and gives the number its answer will come with. Only from the root context.
    ///
    /// # Errors
    /// What the proxy answered, for example that it knows no such cluster.
    fn call(&self, callout: Callout<'_>) -> Result<u32, Refused>;

    /// Writes a line to the proxy's log.
    fn log(&self, level: Level, line: &str);

    /// Bytes of memory that the module has taken so far.
    fn memory_bytes(&self) -> u64;
}
