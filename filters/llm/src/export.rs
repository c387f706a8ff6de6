//! Sends spans to an OTLP/HTTP receiver, from the root context, in batches, within limits.
//!
//! Spans gather in an open batch. A tick, or a batch that is full, sends it. A batch whose sending failed in a way
//! that may pass (no connection, a time-out, 429, 502, 503, 504, as the OTLP specification has it) is tried again;
//! any other is dropped. What is held, in flight included, never exceeds `queue_bytes`: beyond it new spans are
//! dropped. Every span that is dropped is counted with the reason.

use crate::config::Export;
use crate::metrics::Metrics;
use crate::proxy::{Callout, Level, Proxy, Refused};
use std::collections::{BTreeMap, VecDeque};
use tollgate_otlp::{Envelope, RequestWriter};

/// Nanoseconds that an answer may be late, beyond twice the time-out.
const GRACE: u64 = 1_000_000_000;

/// Bytes that a span counts for beyond its own: tag and length.
const FRAME: usize = 6;

/// Spans that travel together.
#[derive(Debug, Default)]
struct Batch {
    /// The encoded request.
    body: Vec<u8>,
    /// Bytes that its spans count for.
    held: usize,
    spans: u64,
    attempts: u8,
}

/// The queue, and the requests under way.
#[derive(Debug)]
pub struct Exporter {
    settings: Export,
    envelope: Envelope,
    open: RequestWriter,
    open_held: usize,
    ready: VecDeque<Batch>,
    in_flight: BTreeMap<u32, Sent>,
    held: usize,
    warned: bool,
}

/// A batch under way.
#[derive(Debug)]
struct Sent {
    batch: Batch,
    /// When it is given up, should no answer and no time-out ever be told; nanoseconds since 1970.
    until: u64,
}

impl Exporter {
    /// An empty queue. The envelope says what sends the spans.
    #[must_use]
    pub fn new(settings: Export, envelope: Envelope) -> Self {
        Self {
            settings,
            envelope,
            open: RequestWriter::new(),
            open_held: 0,
            ready: VecDeque::new(),
            in_flight: BTreeMap::new(),
            held: 0,
            warned: false,
        }
    }

    /// Whether the other's spans go the same way as this one's, with the same limits and from the same resource.
    #[must_use]
    pub fn goes_where(&self, other: &Self) -> bool {
        self.settings == other.settings && self.envelope == other.envelope
    }

    /// Counts what is still held as lost.
    pub fn close_down(mut self, proxy: &impl Proxy, metrics: &mut Metrics) {
        self.close();
        let under_way = self.in_flight.values().map(|sent| sent.batch.spans);
        let spans = self.ready.iter().map(|batch| batch.spans).chain(under_way).sum();
        dropped(proxy, metrics, "lost", spans);
    }

    /// Bytes of spans that are held now.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        self.held
    }

    /// Takes an encoded span. Returns whether there is a full batch to send soon.
    pub fn push(&mut self, proxy: &impl Proxy, metrics: &mut Metrics, span: &[u8]) -> bool {
        let size = span.len() + FRAME;
        if self.held.saturating_add(size) > self.settings.queue_bytes {
            dropped(proxy, metrics, "queue_full", 1);
            return false;
        }
        self.held += size;
        self.open_held += size;
        self.open.push(&self.envelope, span);
        let full = self.open_held >= self.settings.batch_bytes;
        if full {
            self.close();
        }
        full && self.in_flight.len() < self.settings.in_flight
    }

    /// Sends what is waiting, as far as requests may be under way.
    pub fn flush(&mut self, proxy: &impl Proxy, metrics: &mut Metrics) {
        self.close();
        self.give_up(proxy, metrics);
        while self.in_flight.len() < self.settings.in_flight {
            let Some(mut batch) = self.ready.pop_front() else { break };
            batch.attempts = batch.attempts.saturating_add(1);
            match send(&self.settings, proxy, &batch.body) {
                Ok(token) => {
                    let patience = u64::from(self.settings.timeout_ms) * 2_000_000 + GRACE;
                    let sent = Sent { batch, until: proxy.now().saturating_add(patience) };
                    // A number that comes twice would be a fault of the proxy; the older batch cannot be answered then.
                    if let Some(lost) = self.in_flight.insert(token, sent) {
                        self.drop_batch(proxy, metrics, "lost", &lost.batch);
                    }
                }
                Err(refused) => {
                    metrics.add_labelled(proxy, "export_requests", "result", "refused", 1);
                    self.warn(proxy, refused);
                    self.retry(proxy, metrics, "refused", batch);
                    break;
                }
            }
        }
    }

    /// Takes the answer to a request: its HTTP status, `None` where none came.
    pub fn answered(&mut self, proxy: &impl Proxy, metrics: &mut Metrics, token: u32, status: Option<u16>) {
        let Some(Sent { batch, .. }) = self.in_flight.remove(&token) else { return };
        let result = match status {
            Some(200..=299) => {
                self.held = self.held.saturating_sub(batch.held);
                metrics.add(proxy, "export_spans", batch.spans);
                "sent"
            }
            Some(429 | 502 | 503 | 504) => {
                self.retry(proxy, metrics, "unavailable", batch);
                "unavailable"
            }
            None => {
                self.retry(proxy, metrics, "unreachable", batch);
                "unreachable"
            }
            Some(_) => {
                self.drop_batch(proxy, metrics, "rejected", &batch);
                "rejected"
            }
        };
        metrics.add_labelled(proxy, "export_requests", "result", result, 1);
    }

    /// Says once why nothing is sent; the counters say how often.
    fn warn(&mut self, proxy: &impl Proxy, refused: Refused) {
        if !std::mem::replace(&mut self.warned, true) {
            let cluster = &self.settings.cluster;
            proxy.log(
                Level::Warn,
                &format!("tollgate: export.cluster: Envoy takes no request to {cluster:?}: {refused}"),
            );
        }
    }

    /// Frees what was sent so long ago that no answer will come.
    fn give_up(&mut self, proxy: &impl Proxy, metrics: &mut Metrics) {
        let now = proxy.now();
        for (_, sent) in self.in_flight.extract_if(.., |_, sent| sent.until < now).collect::<Vec<_>>() {
            self.drop_batch(proxy, metrics, "lost", &sent.batch);
        }
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            let writer = std::mem::take(&mut self.open);
            let (spans, held) = (writer.len() as u64, std::mem::take(&mut self.open_held));
            self.ready.push_back(Batch { body: writer.finish(), held, spans, attempts: 0 });
        }
    }

    fn retry(&mut self, proxy: &impl Proxy, metrics: &mut Metrics, reason: &str, batch: Batch) {
        if batch.attempts >= self.settings.attempts {
            self.drop_batch(proxy, metrics, reason, &batch);
        } else {
            self.ready.push_front(batch);
        }
    }

    fn drop_batch(&mut self, proxy: &impl Proxy, metrics: &mut Metrics, reason: &str, batch: &Batch) {
        self.held = self.held.saturating_sub(batch.held);
        dropped(proxy, metrics, reason, batch.spans);
    }
}

fn dropped(proxy: &impl Proxy, metrics: &mut Metrics, reason: &str, spans: u64) {
    metrics.add_labelled(proxy, "export_spans_dropped", "reason", reason, spans);
}

fn send(settings: &Export, proxy: &impl Proxy, body: &[u8]) -> Result<u32, Refused> {
    let mut headers: Vec<(&str, &str)> = vec![
        (":method", "POST"),
        (":path", &settings.path),
        (":authority", &settings.authority),
        ("content-type", "application/x-protobuf"),
    ];
    headers.extend(settings.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let callout = Callout { cluster: &settings.cluster, headers: &headers, body, timeout_ms: settings.timeout_ms };
    proxy.call(callout)
}
