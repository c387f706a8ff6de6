//! A plugin instance: its configuration, its libraries, its metrics, its queue of spans; and what becomes of a call.

mod report;

use crate::config::{AccessLog, Config, Sampling};
use crate::exchange::{Over, Stream};
use crate::export::Exporter;
use crate::extra::Extras;
use crate::ids::Ids;
use crate::include_usage::Options;
use crate::metrics::Metrics;
use crate::proxy::{Flow, Level, Proxy};
use crate::redact_traffic::Installed;
use crate::resource;
use crate::span;
use std::sync::Arc;
use tollgate_columns::{ConfigError, Problem};
use tollgate_cost_calculator::{Calculator, PriceSet};
use tollgate_pii_redactor::Redactor;
use tollgate_pii_redactor::traffic::Redactors;
use tollgate_token_extractor::Extractor;

/// Milliseconds between ticks at most: counters are told, and headers that are held for nothing found, by the timer.
const SLOWEST_TICK_MS: u32 = 1_000;

/// Streams that are over and may wait to be made out. Making them out together keeps the code for it out of the way of
/// the traffic, and in the processor's caches while it runs.
const MOST_OVER: usize = 16;

/// Bytes that they may hold.
const MOST_OVER_BYTES: usize = 128 << 10;

/// A plugin instance.
pub struct Root {
    /// Streams that are over, in order.
    over: Vec<Over>,
    /// Bytes that they hold.
    over_bytes: usize,
    extractor: Extractor,
    redactor: Redactor,
    /// Shared, because a call is priced by it and then counted by the rest.
    calculator: Arc<Calculator>,
    sampling: Sampling,
    access_log: AccessLog,
    rate_limit_values: bool,
    metrics: Metrics,
    exporter: Option<Exporter>,
    include_usage: Option<Options>,
    redact_traffic: Vec<Installed>,
    /// Apart, because few instances have it.
    extras: Option<Box<Extras>>,
    /// Whether it is still to be seen that bodies come while headers are held.
    tests_holding: bool,
    ids: Ids,
    /// Milliseconds that spans wait for others.
    flush_ms: u32,
    /// Milliseconds of ticks that they have waited.
    waited_ms: u32,
    /// Milliseconds between ticks.
    tick_ms: u32,
    /// Milliseconds to the next one, which may have to come sooner.
    next_tick_ms: u32,
}

impl Root {
    /// A plugin instance for a configuration; its timer starts.
    ///
    /// # Errors
    /// What the libraries refuse in their parts of the configuration, by path.
    pub fn new(proxy: &impl Proxy, id: u32, mut config: Config) -> Result<Self, ConfigError> {
        let extras = Extras::new(proxy, &mut config);
        let mut problems = Vec::new();
        let extractor = within("extractor", Extractor::configure(&config.extractor), &mut problems);
        let redactor = within("redactor", Redactor::configure(&config.redactor), &mut problems);
        let calculator = Calculator::configure(&config.cost, PriceSet::builtin_core());
        let calculator = within("cost", calculator, &mut problems);
        let single = config.redact_traffic.len() == 1;
        let mut redact_traffic = Vec::new();
        for (place, mut route) in config.redact_traffic.into_iter().enumerate() {
            let path =
                if single { "redact_traffic.redactor".to_owned() } else { format!("redact_traffic[{place}].redactor") };
            let at_work = route.options.take().and_then(|options| {
                let redactors = within(&path, Redactors::configure(&options.redactor), &mut problems)?;
                Some((options.exchange, Arc::new(redactors)))
            });
            redact_traffic.push(Installed { route, at_work });
        }
        let (Some(extractor), Some(redactor), Some(calculator), true) =
            (extractor, redactor, calculator, problems.is_empty())
        else {
            return Err(ConfigError { problems });
        };
        let tests_holding = config.include_usage.as_ref().is_some_and(|options| options.hold_headers);
        let flush_ms = config.export.as_ref().map_or(SLOWEST_TICK_MS, |export| export.flush_ms);
        let tick_ms = flush_ms.min(SLOWEST_TICK_MS);
        proxy.tick_every(tick_ms);
        let now = proxy.now();
        let salted = |salt: &[u8]| Ids::new(now, &[&id.to_le_bytes(), salt].concat());
        let exporter = config.export.map(|export| {
            let envelope = span::envelope(&resource::attributes(proxy, config.resource));
            Exporter::new(export, envelope, salted(b"export"))
        });
        Ok(Self {
            over: Vec::with_capacity(MOST_OVER),
            over_bytes: 0,
            extractor,
            redactor,
            calculator: Arc::new(calculator),
            sampling: config.sampling,
            access_log: config.access_log,
            rate_limit_values: config.rate_limit_values,
            metrics: Metrics::new(config.series, config.models),
            exporter,
            tests_holding,
            include_usage: config.include_usage,
            redact_traffic,
            extras,
            ids: salted(b""),
            flush_ms,
            waited_ms: 0,
            tick_ms,
            next_tick_ms: tick_ms,
        })
    }

    /// The extractor that streams begin with.
    #[must_use]
    pub fn extractor(&self) -> &Extractor {
        &self.extractor
    }

    /// How usage is asked for, where it is.
    #[must_use]
    pub fn include_usage(&self) -> Option<&Options> {
        self.include_usage.as_ref()
    }

    /// How the traffic is redacted, by route.
    #[must_use]
    pub fn redact_traffic(&self) -> &[Installed] {
        &self.redact_traffic
    }

    /// Whether headers are held, and no body has come yet that shows that bodies come all the same.
    #[must_use]
    pub fn tests_holding(&self) -> bool {
        self.tests_holding
    }

    /// A body came while its headers were held.
    pub fn can_hold(&mut self) {
        self.tests_holding = false;
    }

    /// No body came while its headers were held: from now on headers go on at once, without a length.
    pub fn cannot_hold(&mut self, proxy: &impl Proxy) {
        if let Some(options) = self.include_usage.as_mut().filter(|options| options.hold_headers) {
            options.hold_headers = false;
            proxy.log(
                Level::Warn,
                "tollgate: include_usage.content_length is `rewrite`, but Envoy sends no body while headers are held; \
                 set allow_on_headers_stop_iteration in the plugin's config. Until then the length is removed.",
            );
        }
    }

    /// The headers of a request have been read. Whether the call is answered here, and does not go on.
    pub fn request_began(&mut self, proxy: &impl Proxy, stream: &mut Stream) -> bool {
        let Some(extras) = &self.extras else { return false };
        extras.request_began(proxy, &mut self.metrics, stream)
    }

    /// The headers of an answer have been read. Whether they are held.
    pub fn answer_began(&mut self, proxy: &impl Proxy, stream: &mut Stream, end_of_stream: bool) -> Flow {
        let Some(extras) = &self.extras else { return Flow::Continue };
        extras.answer_began(proxy, &mut self.ids, stream, end_of_stream)
    }

    /// A part of an answer has been read, and goes on.
    pub fn answer_ended(&self, proxy: &impl Proxy, stream: &mut Stream) {
        if let Some(extras) = &self.extras {
            extras.answer_ended(proxy, &self.extractor, &self.calculator, stream);
        }
    }

    /// Whether headers of answers are held.
    #[must_use]
    pub fn holds_answers(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.holds_answers())
    }

    /// No body came while the headers of an answer were held.
    pub fn cannot_hold_answers(&mut self, proxy: &impl Proxy) {
        if let Some(extras) = &mut self.extras {
            extras.holding_failed(proxy);
        }
    }

    /// Bytes of spans that wait.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.exporter.as_ref().map_or(0, Exporter::held_bytes)
    }

    /// Whether calls have to be told apart: spans and access-log fields carry ids, metrics do not.
    #[must_use]
    pub fn identifies(&self) -> bool {
        self.exporter.is_some() || self.access_log != AccessLog::Off
    }

    /// Takes over from the instance that was configured here before: its metrics, and its spans where they still go the
    /// same way. Others are lost, and counted.
    pub fn succeed(&mut self, proxy: &impl Proxy, mut before: Self) {
        before.catch_up(proxy);
        match (&mut self.exporter, before.exporter.take()) {
            (Some(exporter), Some(other)) if exporter.can_succeed(&other) => exporter.succeed(other),
            (_, other) => before.exporter = other,
        }
        before.close(proxy);
        self.metrics.succeed(before.metrics);
        self.ids = before.ids;
    }

    /// Ends the instance: spans that are not delivered are lost.
    pub fn close(&mut self, proxy: &impl Proxy) {
        self.catch_up(proxy);
        if let Some(exporter) = self.exporter.take() {
            exporter.close_down(&mut self.metrics);
        }
        self.metrics.tell(proxy);
    }

    /// The timer: a sign of life, and the export. `told` is the memory that the gauge has been told of.
    pub fn tick(&mut self, proxy: &impl Proxy, told: &mut u64) {
        let hurried = std::mem::replace(&mut self.next_tick_ms, self.tick_ms) != self.tick_ms;
        if hurried {
            proxy.tick_every(self.tick_ms);
        }
        self.catch_up(proxy);
        self.metrics.add("heartbeat", 1);
        self.tell_memory(proxy, told, proxy.memory_bytes());
        self.waited_ms = self.waited_ms.saturating_add(self.tick_ms);
        let due = hurried || self.waited_ms >= self.flush_ms;
        if due {
            self.waited_ms = 0;
        }
        if let Some(exporter) = &mut self.exporter {
            exporter.flush(proxy, &mut self.metrics, due);
            let soon = exporter.soon(proxy.now());
            self.hurry(proxy, soon);
        }
        self.metrics.tell(proxy);
    }

    /// Tells Envoy what the counters have gathered, without waiting for the timer.
    pub fn tell_metrics(&mut self, proxy: &impl Proxy) {
        self.catch_up(proxy);
        self.metrics.tell(proxy);
    }

    /// Has the timer come sooner, where that is wanted; milliseconds.
    fn hurry(&mut self, proxy: &impl Proxy, wanted: Option<u32>) {
        if let Some(wanted) = wanted.filter(|wanted| *wanted < self.next_tick_ms) {
            self.next_tick_ms = wanted;
            proxy.tick_every(wanted);
        }
    }

    /// Moves the gauge of the module's memory from what it has been told to what is so now.
    pub fn tell_memory(&mut self, proxy: &impl Proxy, told: &mut u64, now: u64) {
        self.metrics.shift(proxy, "memory_bytes", signed(now).saturating_sub(signed(*told)));
        *told = now;
    }

    /// An answer of the collector.
    pub fn call_answered(&mut self, proxy: &impl Proxy, token: u32, status: Option<u16>) {
        if let Some(exporter) = &mut self.exporter {
            exporter.answered(proxy, &mut self.metrics, token, status);
            let soon = exporter.soon(proxy.now());
            self.hurry(proxy, soon);
        }
    }

    /// A stream is over. It is made out at once where something has to be set while the proxy still has it, else with
    /// others.
    pub fn ended(&mut self, proxy: &impl Proxy, over: Over) {
        if self.access_log != AccessLog::Off || self.rate_limit_values || self.extras.is_some() {
            return self.report(proxy, over.finish());
        }
        self.over_bytes = self.over_bytes.saturating_add(over.bytes());
        self.over.push(over);
        if self.over.len() >= MOST_OVER || self.over_bytes > MOST_OVER_BYTES {
            self.catch_up(proxy);
        }
    }

    /// Makes out the streams that wait for it.
    fn catch_up(&mut self, proxy: &impl Proxy) {
        let mut over = std::mem::take(&mut self.over);
        self.over_bytes = 0;
        for over in over.drain(..) {
            self.report(proxy, over.finish());
        }
        self.over = over;
    }
}

/// A part of the configuration that a library reads: its problems get the path of the part.
fn within<T>(part: &str, read: Result<T, ConfigError>, problems: &mut Vec<Problem>) -> Option<T> {
    read.map_err(|refusal| {
        problems.extend(refusal.problems.into_iter().map(|problem| {
            let path = if problem.path.is_empty() { part.to_owned() } else { format!("{part}.{}", problem.path) };
            Problem { path, message: problem.message }
        }));
    })
    .ok()
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
