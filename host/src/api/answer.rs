//! The answer to a question about costs, in the order of docs/API.md.

use super::query::Query;
use crate::config::ALWAYS;
use crate::costs::Costs;
use crate::moment;
use crate::money::{signed_usd, usd};
use crate::stages::{hexadecimal, word};
use serde::{Serialize, Serializer};
use tollgate_ledger::{Alert, Breakdown, Counters, KINDS, Report, Savings, Sums, Totals, Weight, Window};

/// The whole answer.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    from: &'static str,
    sampled: bool,
    window: Span,
    totals: Whole,
    averages: Averages,
    rate: Rate,
    savings: Saved,
    by: Named<Values>,
    unpriced: Named<Values>,
    alerts: Alerts,
    disagreements: u64,
    outside: Outside,
}

impl Answer {
    /// Puts the answer together, which takes milliseconds.
    pub(super) fn new(costs: &Costs, window: &Window, counters: Counters, query: Query) -> Self {
        let report = window.report();
        let span = Span::new(window, costs.begun);
        let (totals, cost) = (report.totals, report.totals.sums.cost);
        let Report { model, provider, operation, source, dimensions, unpriced_reason, unpriced_model, alerts, .. } =
            report;
        let values = |breakdown| Values::new(breakdown, query.top, cost);
        let always = ALWAYS.map(str::to_owned).into_iter().zip([model, provider, operation, source]);
        let chosen = costs.dimensions.iter().cloned().zip(dimensions);
        let unpriced = ["reason", "model"].map(str::to_owned).into_iter().zip([unpriced_reason, unpriced_model]);
        Self {
            from: "ledger",
            sampled: false,
            totals: Whole::new(&totals),
            averages: Averages::new(&totals.sums),
            rate: Rate::new(&totals.sums, span.observed_seconds),
            savings: Saved::new(totals.savings),
            by: Named(always.chain(chosen).map(|(name, breakdown)| (name, values(breakdown))).collect()),
            unpriced: Named(unpriced.map(|(name, breakdown)| (name, values(breakdown))).collect()),
            alerts: Alerts {
                warning: totals.warnings,
                critical: totals.criticals,
                last: alerts.iter().map(|alert| Alarm::new(alert)).collect(),
            },
            disagreements: totals.disagreements,
            outside: Outside {
                since: moment::text(costs.begun),
                late: Late { calls: counters.late, cost: Money::new(counters.late_cost) },
                ahead: counters.ahead,
            },
            window: span,
        }
    }
}

#[derive(Debug, Serialize)]
struct Span {
    start: String,
    end: String,
    seconds: u64,
    observed_seconds: u64,
}

impl Span {
    fn new(window: &Window, begun: u64) -> Self {
        let seconds = |from: u64| window.end.saturating_sub(from) / 1_000_000_000;
        // Calls from before this process was there are calls that were observed.
        let observed = window.first.unwrap_or(begun).min(begun).max(window.start);
        Self {
            start: moment::text(window.start),
            end: moment::text(window.end),
            seconds: seconds(window.start),
            observed_seconds: seconds(observed),
        }
    }
}

/// An amount, twice: to be read, and to be reckoned with.
#[derive(Debug, Serialize)]
struct Money {
    cost_usd: String,
    cost_nano_usd: String,
}

impl Money {
    fn new(nanos: u128) -> Self {
        Self { cost_usd: usd(nanos), cost_nano_usd: nanos.to_string() }
    }
}

#[derive(Debug, Serialize)]
struct Whole {
    #[serde(flatten)]
    cost: Money,
    calls: u64,
    priced_calls: u64,
    unpriced_calls: u64,
    counted_calls: u64,
    tokens: Tokens,
}

impl Whole {
    fn new(Totals { sums, .. }: &Totals) -> Self {
        Self {
            cost: Money::new(sums.cost),
            calls: sums.calls,
            priced_calls: sums.priced,
            unpriced_calls: sums.calls - sums.priced,
            counted_calls: sums.counted,
            tokens: Tokens(sums.tokens),
        }
    }
}

/// Tokens by kind.
#[derive(Debug)]
struct Tokens([u128; KINDS.len()]);

impl Serialize for Tokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(KINDS.into_iter().zip(self.0))
    }
}

/// `null` where there is nothing to divide by.
#[derive(Debug, Serialize)]
struct Averages {
    cost_usd_per_call: Option<String>,
    tokens_per_call: Option<f64>,
}

impl Averages {
    fn new(sums: &Sums) -> Self {
        let nanos = |calls: u128| usd((sums.cost + calls / 2) / calls);
        Self {
            cost_usd_per_call: (sums.priced > 0).then(|| nanos(sums.priced.into())),
            tokens_per_call: (sums.counted > 0).then(|| ratio(sums.all_tokens(), sums.counted.into())),
        }
    }
}

/// `null` where no time has passed.
#[derive(Debug, Serialize)]
struct Rate {
    cost_usd_per_hour: Option<String>,
    calls_per_second: Option<f64>,
}

impl Rate {
    fn new(sums: &Sums, seconds: u64) -> Self {
        let nanos = |seconds: u128| usd(sums.cost.saturating_mul(3_600).saturating_add(seconds / 2) / seconds);
        Self {
            cost_usd_per_hour: (seconds > 0).then(|| nanos(seconds.into())),
            calls_per_second: (seconds > 0).then(|| ratio(sums.calls.into(), seconds.into())),
        }
    }
}

#[derive(Debug, Serialize)]
struct Saved {
    cache_read_usd: String,
    cache_read_nano_usd: String,
    cache_write_usd: String,
    cache_write_nano_usd: String,
    total_usd: String,
    total_nano_usd: String,
}

impl Saved {
    fn new(Savings { cache_read, cache_write }: Savings) -> Self {
        let total = cache_read.saturating_add(cache_write);
        Self {
            cache_read_usd: signed_usd(cache_read),
            cache_read_nano_usd: cache_read.to_string(),
            cache_write_usd: signed_usd(cache_write),
            cache_write_nano_usd: cache_write.to_string(),
            total_usd: signed_usd(total),
            total_nano_usd: total.to_string(),
        }
    }
}

/// A mapping in the order in which it was made.
#[derive(Debug)]
struct Named<T>(Vec<(String, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A dimension.
#[derive(Debug, Serialize)]
struct Values {
    entries: Vec<Group>,
    unset: Group,
    other: Group,
}

impl Values {
    fn new(mut breakdown: Breakdown, top: usize, whole: u128) -> Self {
        breakdown.truncate(top);
        let entry = |line: &tollgate_ledger::Line| Group {
            value: Some(line.value.to_string()),
            error: Some(Uncertain::new(line.error)),
            ..Group::new(&line.sums, whole)
        };
        Self {
            entries: breakdown.lines.iter().map(entry).collect(),
            unset: Group::new(&breakdown.unset, whole),
            other: Group {
                of_one_value_at_most: Some(Uncertain::new(breakdown.hidden)),
                ..Group::new(&breakdown.other, whole)
            },
        }
    }
}

#[derive(Debug, Serialize)]
struct Group {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(flatten)]
    cost: Money,
    calls: u64,
    priced_calls: u64,
    tokens: Tokens,
    share: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Uncertain>,
    #[serde(skip_serializing_if = "Option::is_none")]
    of_one_value_at_most: Option<Uncertain>,
}

impl Group {
    fn new(sums: &Sums, whole: u128) -> Self {
        Self {
            value: None,
            cost: Money::new(sums.cost),
            calls: sums.calls,
            priced_calls: sums.priced,
            tokens: Tokens(sums.tokens),
            share: (whole > 0).then(|| ratio(sums.cost, whole)),
            error: None,
            of_one_value_at_most: None,
        }
    }
}

#[derive(Debug, Serialize)]
struct Uncertain {
    #[serde(flatten)]
    cost: Money,
    calls: u64,
}

impl Uncertain {
    fn new(weight: Weight) -> Self {
        Self { cost: Money::new(weight.cost), calls: weight.calls }
    }
}

#[derive(Debug, Serialize)]
struct Alerts {
    warning: u64,
    critical: u64,
    last: Vec<Alarm>,
}

#[derive(Debug, Serialize)]
struct Alarm {
    time: String,
    level: &'static str,
    model: Option<String>,
    provider: Option<String>,
    trace_id: String,
    span_id: String,
    #[serde(flatten)]
    cost: Option<Money>,
}

impl Alarm {
    fn new(alert: &Alert) -> Self {
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            time: moment::text(alert.time),
            level: word(alert.level),
            model: known(&alert.model),
            provider: known(&alert.provider),
            trace_id: hexadecimal(&alert.trace_id),
            span_id: hexadecimal(&alert.span_id),
            cost: alert.cost.map(|nanos| Money::new(nanos.into())),
        }
    }
}

/// What is in no window, since the process began.
#[derive(Debug, Serialize)]
struct Outside {
    since: String,
    late: Late,
    ahead: u64,
}

#[derive(Debug, Serialize)]
struct Late {
    calls: u64,
    #[serde(flatten)]
    cost: Money,
}

/// A quotient, to six places.
#[expect(clippy::cast_precision_loss, reason = "what is exact stands beside it")]
fn ratio(part: u128, whole: u128) -> f64 {
    (part as f64 / whole as f64 * 1e6).round() / 1e6
}
