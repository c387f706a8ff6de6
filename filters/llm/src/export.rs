//! Sends spans and events to an OTLP/HTTP receiver, from the root context, in batches, within limits.
//!
//! Each signal has a lane of its own, so that a receiver that does not take the one holds up nothing of the other. Items
//! gather in an open batch. A tick, or a batch that is full, sends it. A batch whose sending failed in a way that may
//! pass (no connection, a time-out, 429, 502, 503, 504, as the OTLP specification has it) is tried again, after a wait
//! that doubles with each failure or that the receiver names; any other is dropped. While a receiver is down one request
//! at a time finds out whether it is back. What is held of both signals, in flight included, never exceeds
//! `queue_bytes`, and what is held of events never half of it: beyond that new items are dropped. Every item that is
//! dropped is counted with the reason.

mod backoff;
mod lane;

use crate::config::{ContentPlace, Export};
use crate::ids::Ids;
use crate::metrics::Metrics;
use crate::proxy::{Body, Callout, Headers, Level, Proxy, Refused};
use lane::{Batch, Lane};
use std::collections::BTreeMap;
use tollgate_otlp::Envelope;

/// Nanoseconds that an answer may be late, beyond twice the time-out.
const GRACE: u64 = 1_000_000_000;

/// Bytes that an item counts for beyond its own: tag and length.
const FRAME: usize = 6;

/// Most bytes of an answer that are read.
const MOST_ANSWER: usize = 4_096;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Spans of calls.
    Spans,
    /// Events of calls, which are log records.
    Events,
}

impl Signal {
    /// Metrics of what was taken, and of what was dropped.
    const fn metrics(self) -> (&'static str, &'static str) {
        match self {
            Self::Spans => ("export_spans", "export_spans_dropped"),
            Self::Events => ("export_events", "export_events_dropped"),
        }
    }
}

/// The queue, and the requests under way.
#[derive(Debug)]
pub struct Exporter {
    settings: Export,
    envelope: Envelope,
    ids: Ids,
    spans: Lane,
    events: Lane,
    in_flight: BTreeMap<u32, Sent>,
    warned: bool,
}

/// A batch under way.
#[derive(Debug)]
struct Sent {
    signal: Signal,
    batch: Batch,
    /// When it is given up, should no answer and no time-out ever be told; nanoseconds since 1970.
    until: u64,
}

impl Exporter {
    /// An empty queue. The envelope says what sends the items.
    #[must_use]
    pub(crate) fn new(settings: Export, envelope: Envelope, ids: Ids) -> Self {
        let (spans, events) = (Lane::default(), Lane::default());
        Self { settings, envelope, ids, spans, events, in_flight: BTreeMap::new(), warned: false }
    }

    /// Whether what another holds can go on from here: the same way, from the same resource, and within the limit.
    #[must_use]
    pub fn can_succeed(&self, other: &Self) -> bool {
        let held = other.held_bytes() <= self.settings.queue_bytes && other.events.held <= self.most(Signal::Events);
        held && self.settings.goes_where(&other.settings) && self.envelope == other.envelope
    }

    /// Takes over what another holds, to send it by its own settings.
    pub fn succeed(&mut self, other: Self) {
        let Self { settings, .. } = std::mem::replace(self, other);
        self.settings = settings;
    }

    /// Counts what is still held as lost.
    pub fn close_down(mut self, metrics: &mut Metrics) {
        for signal in [Signal::Spans, Signal::Events] {
            let lane = self.lane(signal);
            lane.close();
            let waiting: u64 = lane.ready.iter().map(|batch| batch.items).sum();
            let under_way = self.in_flight.values().filter(|sent| sent.signal == signal).map(|sent| sent.batch.items);
            dropped(metrics, signal, "lost", waiting + under_way.sum::<u64>());
        }
    }

    /// Bytes of spans and events that are held now.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        self.spans.held + self.events.held
    }

    /// Bytes that may be held of a signal. Content is large: where nobody takes it, spans still have half of the queue.
    const fn most(&self, signal: Signal) -> usize {
        match signal {
            Signal::Spans => self.settings.queue_bytes,
            Signal::Events => self.settings.queue_bytes / 2,
        }
    }

    /// What carries captured content.
    #[must_use]
    pub const fn content(&self) -> ContentPlace {
        self.settings.content
    }

    /// Takes an encoded item. Returns whether there is a full batch that may go at once.
    pub fn push(&mut self, proxy: &impl Proxy, metrics: &mut Metrics, signal: Signal, item: &[u8]) -> bool {
        let around = if self.lane(signal).open.is_empty() { self.envelope.size() } else { 0 };
        let size = around + item.len() + FRAME;
        let fits = self.held_bytes().saturating_add(size) <= self.settings.queue_bytes;
        if !fits || self.lane(signal).held.saturating_add(size) > self.most(signal) {
            dropped(metrics, signal, "queue_full", 1);
            return false;
        }
        let (full, at_a_time) = (self.settings.batch_bytes, self.settings.in_flight);
        let lane = match signal {
            Signal::Spans => &mut self.spans,
            Signal::Events => &mut self.events,
        };
        lane.push(&self.envelope, item, size);
        if lane.open_held < full {
            return false;
        }
        lane.close();
        lane.may_send(proxy.now(), at_a_time)
    }

    /// Sends what is waiting, as far as requests may be under way; of what is not a full batch yet only where `open_too`.
    pub fn flush(&mut self, proxy: &impl Proxy, metrics: &mut Metrics, open_too: bool) {
        self.give_up(proxy, metrics);
        for signal in [Signal::Spans, Signal::Events] {
            while let Some(batch) = self.next(proxy.now(), signal, open_too) {
                self.send(proxy, metrics, signal, batch);
            }
        }
    }

    /// Milliseconds until something can be sent that waits now; `None` where that is for the next item or answer to say.
    #[must_use]
    pub fn soon(&self, now: u64) -> Option<u32> {
        let soon = [&self.spans, &self.events].into_iter().filter_map(|lane| lane.soon(now, self.settings.in_flight));
        soon.min()
    }

    /// Takes the answer to a request: its HTTP status, `None` where none came. Reads its headers and its body, which the
    /// proxy has at hand.
    pub fn answered(&mut self, proxy: &impl Proxy, metrics: &mut Metrics, token: u32, status: Option<u16>) {
        let Some(Sent { signal, batch, .. }) = self.in_flight.remove(&token) else { return };
        self.lane(signal).came_back();
        let result = match status {
            Some(200..=299) => {
                let answer = proxy.body(Body::Callout, MOST_ANSWER).unwrap_or_default();
                let rejected = tollgate_otlp::rejected(&answer).min(batch.items);
                self.lane(signal).release(&batch);
                self.lane(signal).backoff.end();
                metrics.add(signal.metrics().0, batch.items - rejected);
                dropped(metrics, signal, "rejected", rejected);
                if rejected == 0 { "sent" } else { "partial" }
            }
            Some(429 | 502 | 503 | 504) => {
                let wait = proxy.header(Headers::Callout, "retry-after");
                let wait = wait.and_then(|seconds| str::from_utf8(&seconds).ok()?.trim().parse().ok());
                self.retry(proxy, metrics, signal, "unavailable", batch, wait);
                "unavailable"
            }
            None => {
                self.retry(proxy, metrics, signal, "unreachable", batch, None);
                "unreachable"
            }
            Some(_) => {
                self.lane(signal).backoff.end();
                self.drop_batch(metrics, signal, "rejected", &batch);
                "rejected"
            }
        };
        metrics.add_labelled("export_requests", "result", result, 1);
    }

    fn lane(&mut self, signal: Signal) -> &mut Lane {
        match signal {
            Signal::Spans => &mut self.spans,
            Signal::Events => &mut self.events,
        }
    }

    /// The next batch of a signal that may go now. The open one is closed only then, so that batches grow while they
    /// cannot go.
    fn next(&mut self, now: u64, signal: Signal, open_too: bool) -> Option<Batch> {
        let at_a_time = self.settings.in_flight;
        let lane = self.lane(signal);
        if !lane.may_send(now, at_a_time) {
            return None;
        }
        if lane.ready.is_empty() && open_too {
            lane.close();
        }
        lane.ready.pop_front()
    }

    fn send(&mut self, proxy: &impl Proxy, metrics: &mut Metrics, signal: Signal, mut batch: Batch) {
        batch.attempts = batch.attempts.saturating_add(1);
        match call(&self.settings, proxy, signal, &batch.body) {
            Ok(token) => {
                self.lane(signal).in_flight += 1;
                let patience = u64::from(self.settings.timeout_ms) * 2_000_000 + GRACE;
                let sent = Sent { signal, batch, until: proxy.now().saturating_add(patience) };
                // A number that comes twice would be a fault of the proxy; the older batch cannot be answered then.
                if let Some(lost) = self.in_flight.insert(token, sent) {
                    self.lose(metrics, &lost);
                }
            }
            Err(refused) => {
                metrics.add_labelled("export_requests", "result", "refused", 1);
                self.warn(proxy, refused);
                self.retry(proxy, metrics, signal, "refused", batch, None);
            }
        }
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
            self.lose(metrics, &sent);
        }
    }

    fn lose(&mut self, metrics: &mut Metrics, sent: &Sent) {
        self.lane(sent.signal).came_back();
        self.drop_batch(metrics, sent.signal, "lost", &sent.batch);
    }

    /// Keeps a batch for another try, if it has one left, and lets its lane wait; `wait` is in seconds, as the receiver
    /// named it.
    fn retry(
        &mut self,
        proxy: &impl Proxy,
        metrics: &mut Metrics,
        signal: Signal,
        reason: &str,
        batch: Batch,
        wait: Option<u64>,
    ) {
        let now = proxy.now();
        let (first, most) = (self.settings.backoff_ms, self.settings.max_backoff_ms);
        let random = self.ids.jitter(now);
        self.lane(signal).backoff.failed(now, first, most, random, wait);
        if batch.attempts >= self.settings.attempts {
            self.drop_batch(metrics, signal, reason, &batch);
        } else {
            self.lane(signal).ready.push_front(batch);
        }
    }

    fn drop_batch(&mut self, metrics: &mut Metrics, signal: Signal, reason: &str, batch: &Batch) {
        self.lane(signal).release(batch);
        dropped(metrics, signal, reason, batch.items);
    }
}

fn dropped(metrics: &mut Metrics, signal: Signal, reason: &str, items: u64) {
    metrics.add_labelled(signal.metrics().1, "reason", reason, items);
}

fn call(settings: &Export, proxy: &impl Proxy, signal: Signal, body: &[u8]) -> Result<u32, Refused> {
    let path = match signal {
        Signal::Spans => &settings.path,
        Signal::Events => &settings.logs_path,
    };
    let mut headers: Vec<(&str, &str)> = vec![
        (":method", "POST"),
        (":path", path),
        (":authority", &settings.authority),
        ("content-type", "application/x-protobuf"),
    ];
    headers.extend(settings.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let callout = Callout { cluster: &settings.cluster, headers: &headers, body, timeout_ms: settings.timeout_ms };
    proxy.call(callout)
}
