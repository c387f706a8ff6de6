//! What a stream has for outputs that are off unless they are configured, and what a plugin instance does for them.

use crate::budgets::{Budgets, Took};
use crate::call;
use crate::config::Config;
use crate::exchange::Stream;
use crate::feedback::{self, Identity, Issued};
use crate::ids::Ids;
use crate::metrics::Metrics;
use crate::proxy::{Flow, Level, Proxy};
use crate::response_headers::{self, Answer, Beginning, Holding};
use tollgate_call::Reading;
use tollgate_cost_calculator::Calculator;
use tollgate_token_extractor::Extractor;

/// What a stream has for them.
#[derive(Default)]
pub struct Extra {
    pub(crate) identity: Option<Identity>,
    pub(crate) feedback: Option<Issued>,
    pub(crate) answer: Option<Answer>,
    /// Whose budget the call is of.
    pub(crate) consumer: Option<u64>,
    /// What the exchange was, where it was ended before the stream.
    pub(crate) reading: Option<Reading>,
}

/// What a plugin instance has for them.
pub(crate) struct Extras {
    feedback: Option<feedback::Options>,
    headers: Option<response_headers::Options>,
    holding: Holding,
    budgets: Option<Budgets>,
}

impl Extras {
    /// What of them is configured.
    pub(crate) fn new(proxy: &impl Proxy, config: &mut Config) -> Option<Box<Self>> {
        let feedback = config.feedback.take();
        let headers = config.response_headers.take();
        let budgets = config.budgets.take();
        let any = feedback.is_some() || headers.is_some() || budgets.is_some();
        any.then(|| {
            let budgets = budgets.map(|options| Budgets::new(proxy, options));
            Box::new(Self { feedback, headers, holding: Holding::default(), budgets })
        })
    }

    /// Whether headers of answers are held, so that the timer has to look for those that are held for nothing.
    pub(crate) const fn holds_answers(&self) -> bool {
        self.headers.is_some()
    }

    /// The headers of a request have been read. Whether the call is answered here, and does not go on.
    pub(crate) fn request_began(&self, proxy: &impl Proxy, metrics: &mut Metrics, stream: &mut Stream) -> bool {
        if !stream.may_be_call() || stream.is_blocked() {
            return false;
        }
        if self.feedback.is_some() {
            let caller = stream.take_caller(proxy);
            stream.extra().identity = Some(Identity { caller, ids: None });
        }
        let Some(budgets) = &self.budgets else { return false };
        let consumer = budgets.consumer(proxy);
        stream.extra().consumer = Some(consumer);
        // What only its answer tells to be a call counts, and is not refused.
        if !stream.has_api() {
            return false;
        }
        let Some(used_up) = budgets.check(proxy, consumer, stream.started()) else { return false };
        metrics.add_labelled("budget_exceeded", "budget", &used_up.name, 1);
        used_up.answered
    }

    /// The headers of an answer have been read. Whether they are held.
    pub(crate) fn answer_began(&self, proxy: &impl Proxy, ids: &mut Ids, stream: &mut Stream, ended: bool) -> Flow {
        if !stream.may_be_call() || stream.is_blocked() {
            return Flow::Continue;
        }
        if let Some(options) = &self.feedback {
            let issued = options.issue(proxy, ids, stream);
            stream.extra().feedback = Some(issued);
        }
        let Some(options) = &self.headers else { return Flow::Continue };
        let beginning = Beginning {
            is_call: stream.is_call(),
            stream: stream.asks_for_stream(),
            succeeds: stream.succeeds(),
            ended,
        };
        let answer = Answer::begin(proxy, options, self.holding, &beginning);
        let flow = if answer.is_held() { Flow::Hold } else { Flow::Continue };
        stream.extra().answer = Some(answer);
        flow
    }

    /// An answer has come to its end: what is told of it in headers or trailers is set.
    pub(crate) fn answer_ended(
        &self,
        proxy: &impl Proxy,
        extractor: &Extractor,
        calculator: &Calculator,
        stream: &mut Stream,
    ) {
        let Some(options) = &self.headers else { return };
        let Some(map) = stream.answer_ready() else { return };
        let started = stream.started();
        stream.end_exchange(extractor);
        let extra = stream.extra();
        if let (Some(answer), Some(Ok(record))) =
            (&mut extra.answer, extra.reading.as_ref().map(|reading| &reading.record))
        {
            let cost = call::price(calculator, record, started);
            answer.set(proxy, options, map, record, cost.as_ref().and_then(|cost| cost.as_ref().ok()));
        }
    }

    /// Headers of an answer were held, and no body came.
    pub(crate) fn holding_failed(&mut self, proxy: &impl Proxy) {
        if self.holding.failed() {
            proxy.log(
                Level::Warn,
                "tollgate: response_headers is on, but Envoy sends no body while headers are held; set \
                 allow_on_headers_stop_iteration in the plugin's config. Until then answers go on without them.",
            );
        }
    }

    /// Counts what became of it all, at the end of a stream; of what turned out to be no call, nothing.
    pub(crate) fn tell(&mut self, metrics: &mut Metrics, extra: &Extra, is_call: bool) {
        if let Some(answer) = &extra.answer
            && answer.told().1
        {
            self.holding.worked();
        }
        if !is_call {
            return;
        }
        if let Some(issued) = extra.feedback {
            metrics.add_labelled("feedback_tokens", "result", issued.as_str(), 1);
        }
        if let Some(answer) = &extra.answer {
            metrics.add_labelled("response_headers", "result", answer.told().0.as_str(), 1);
        }
    }

    /// Adds what a call took to the sums of its consumer.
    pub(crate) fn spend(&self, proxy: &impl Proxy, metrics: &mut Metrics, extra: &Extra, ended: u64, took: Took) {
        let (Some(budgets), Some(consumer)) = (&self.budgets, extra.consumer) else { return };
        if let Err(why) = budgets.spend(proxy, consumer, ended, took) {
            metrics.add_labelled("budget_unkept", "reason", why.as_str(), 1);
        }
    }
}
