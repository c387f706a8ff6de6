//! Policies, named and shaped like those of the OpenTelemetry Collector's `tail_sampling` processor, and its rule for
//! what they come to together.
//!
//! Besides yes or no, a policy says of which traces like this one its answer is certain, as a threshold of randomness.
//! Where a policy counts for keeping, these are the traces that it surely samples; where it counts against (in `drop`
//! and `not`), those that it surely leaves alone. A share is taken from the high end of randomness in the first case
//! and from the low end in the second. So whatever policies are put together, the traces that are kept are those from
//! one threshold on, and this threshold is exact. A limit is certain of nothing.

use crate::bucket::Bucket;
use crate::expression::SpanExpr;
use crate::head::Ratio;
use crate::matcher::Matcher;
use crate::reads::Attribute;
use crate::trace::{Trace, value};
use tollgate_columns::Row;

/// What has to be so of a trace. A condition on spans holds if it holds for any of them.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    AlwaysSample,
    /// Whole milliseconds from the earliest start to the latest end are more than the first number, and at most the
    /// second.
    Latency {
        more_than: i64,
        at_most: i64,
        start: u16,
        duration: u16,
    },
    /// A span has one of these statuses (`unset`, `ok`, `error`).
    StatusCode {
        statuses: Vec<&'static str>,
        status: u16,
    },
    StringAttribute {
        attribute: Attribute,
        values: Matcher,
    },
    /// Within these bounds, both included.
    NumericAttribute {
        attribute: Attribute,
        min: f64,
        max: f64,
    },
    BooleanAttribute {
        attribute: Attribute,
        value: bool,
    },
    /// A span's trace state has this member, with one of these values.
    TraceState {
        state: u16,
        key: String,
        values: Vec<String>,
    },
    /// A span has the sampled flag of W3C Trace Context.
    TraceFlags {
        flags: u16,
    },
    SpanCount {
        min: u64,
        max: u64,
    },
    /// One of these holds for a span.
    Ottl(Vec<SpanExpr>),
}

impl Condition {
    fn holds(&self, trace: &Trace<'_>) -> bool {
        let any = |holds: &dyn Fn(Row<'_>) -> bool| trace.rows().any(holds);
        match self {
            Self::AlwaysSample => true,
            Self::Latency { more_than, at_most, start, duration } => {
                let milliseconds = trace.duration(*start, *duration) / 1_000_000;
                milliseconds > *more_than && milliseconds <= *at_most
            }
            Self::StatusCode { statuses, status } => {
                any(&|row| statuses.contains(&row.text(*status).unwrap_or("unset")))
            }
            Self::StringAttribute { attribute, values } => {
                any(&|row| attribute.places().any(|number| row.text(number).is_some_and(|text| values.matches(text))))
            }
            Self::NumericAttribute { attribute, min, max } => any(&|row| {
                let mut numbers = attribute.places().filter_map(|number| value(row, number)?.number());
                numbers.any(|number| (*min..=*max).contains(&number))
            }),
            Self::BooleanAttribute { attribute, value } => {
                any(&|row| attribute.places().any(|number| row.integer(number) == Some(i64::from(*value))))
            }
            Self::TraceState { state, key, values } => any(&|row| {
                let member = row.text(*state).and_then(|state| member(state, key));
                member.is_some_and(|member| values.iter().any(|value| value == member))
            }),
            Self::TraceFlags { flags } => any(&|row| row.integer(*flags).is_some_and(|flags| flags & 1 == 1)),
            Self::SpanCount { min, max } => (*min..=*max).contains(&trace.span_count()),
            Self::Ottl(conditions) => any(&|row| conditions.iter().any(|condition| condition.holds(row))),
        }
    }
}

/// The value of a member of a trace state.
fn member<'a>(state: &'a str, key: &str) -> Option<&'a str> {
    let mut members = state.split(',').filter_map(|member| member.trim_matches([' ', '\t']).split_once('='));
    members.find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// A policy.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// Its place among the rules.
    pub(crate) rule: u16,
    pub(crate) kind: Kind,
}

/// What a policy does.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Condition {
        condition: Condition,
        invert: bool,
    },
    Probabilistic(Ratio),
    /// So many spans a second.
    RateLimiting(Bucket),
    /// So many bytes a second.
    BytesLimiting(Bucket),
    /// All of these say so.
    And(Vec<Policy>),
    Not(Box<Policy>),
    /// Drops what all of these would sample.
    Drop(Vec<Policy>),
    Composite(Composite),
}

/// Policies in order, each with a share of a limit. The first that samples a trace decides whether its share is used up.
#[derive(Clone, Debug)]
pub(crate) struct Composite {
    pub(crate) parts: Vec<Part>,
    /// The second that is counted.
    pub(crate) second: u64,
}

/// One policy of a [`Composite`].
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) policy: Policy,
    /// Spans a second.
    pub(crate) allocated: u64,
    /// Spans sampled in this second.
    pub(crate) sampled: u64,
}

/// What an answer counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sense {
    Keep,
    Drop,
}

impl Sense {
    fn other(self) -> Self {
        match self {
            Self::Keep => Self::Drop,
            Self::Drop => Self::Keep,
        }
    }
}

/// What a policy says of a trace.
#[derive(Clone, Copy, Debug)]
struct Answer {
    /// Whether it samples this trace.
    samples: bool,
    /// The traces like it that it surely samples, or, in the sense of dropping, surely does not.
    certain: Ratio,
    /// The rule to name.
    rule: u16,
}

impl Policy {
    /// Asks the policy. `live` is whether the Collector would come to ask it: only then are limits used up.
    fn ask(&mut self, trace: &Trace<'_>, sense: Sense, live: bool) -> Answer {
        let rule = self.rule;
        let sure = |samples: bool| {
            let certain = if samples == (sense == Sense::Keep) { Ratio::ALWAYS } else { Ratio::NEVER };
            Answer { samples, certain, rule }
        };
        let limited = |samples: bool| Answer { samples, certain: Ratio::NEVER, rule };
        match &mut self.kind {
            Kind::Condition { condition, invert } => sure(condition.holds(trace) != *invert),
            Kind::Probabilistic(ratio) => match sense {
                Sense::Keep => Answer { samples: ratio.keeps(trace.randomness), certain: *ratio, rule },
                Sense::Drop => {
                    let left = ratio.complement();
                    Answer { samples: !left.keeps(trace.randomness), certain: left, rule }
                }
            },
            Kind::RateLimiting(bucket) => limited(live && bucket.take(trace.span_count(), trace.now)),
            Kind::BytesLimiting(bucket) => limited(live && bucket.take(trace.bytes, trace.now)),
            Kind::And(parts) | Kind::Drop(parts) => Answer { rule, ..all(parts, trace, sense, live) },
            Kind::Not(part) => {
                let Answer { samples, certain, .. } = part.ask(trace, sense.other(), live);
                Answer { samples: !samples, certain, rule }
            }
            Kind::Composite(composite) => composite.ask(trace, live, rule),
        }
    }
}

/// All of the policies, one after the other up to the first that does not sample.
fn all(parts: &mut [Policy], trace: &Trace<'_>, sense: Sense, live: bool) -> Answer {
    let certain = if sense == Sense::Keep { Ratio::ALWAYS } else { Ratio::NEVER };
    let mut answer = Answer { samples: true, certain, rule: 0 };
    for part in parts {
        let one = part.ask(trace, sense, live && answer.samples);
        answer.samples &= one.samples;
        answer.certain = match sense {
            Sense::Keep => answer.certain.both(one.certain),
            Sense::Drop => answer.certain.either(one.certain),
        };
    }
    answer
}

impl Composite {
    fn ask(&mut self, trace: &Trace<'_>, live: bool, rule: u16) -> Answer {
        let second = trace.now / 1_000_000_000;
        if self.second != second {
            self.second = second;
            self.parts.iter_mut().for_each(|part| part.sampled = 0);
        }
        for part in &mut self.parts {
            let answer = part.policy.ask(trace, Sense::Keep, live);
            if answer.samples {
                let sampled = part.sampled.saturating_add(trace.span_count());
                let samples = live && sampled <= part.allocated;
                if samples {
                    part.sampled = sampled;
                }
                return Answer { samples, certain: Ratio::NEVER, rule: answer.rule };
            }
        }
        Answer { samples: false, certain: Ratio::NEVER, rule }
    }
}

/// What is decided about a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Decision {
    pub(crate) keep: bool,
    /// With which probability; `None` where it was not a matter of probability.
    pub(crate) ratio: Option<Ratio>,
    pub(crate) rule: u16,
}

/// What policies come to together.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    pub(crate) policies: Vec<Policy>,
    /// Whether the first policy that samples a trace ends the matter.
    pub(crate) first_match: bool,
    /// The rule of traces that no policy samples.
    pub(crate) unmatched: u16,
}

impl Policies {
    /// Decides as the Collector does: a trace that is dropped, or that an inverted policy does not sample, is dropped;
    /// else one that any policy samples is kept; else one is kept that inverted policies alone were asked about; else
    /// it is dropped.
    pub(crate) fn decide(&mut self, trace: &Trace<'_>) -> Decision {
        let inverted_alone = self.policies.iter().all(|policy| policy.role() == Role::Inverts);
        let mut live = true;
        let (mut sampled, mut dropped) = (None, None);
        let mut answers = Vec::with_capacity(self.policies.len());
        for policy in &mut self.policies {
            let role = policy.role();
            let sense = if role == Role::Drops { Sense::Drop } else { Sense::Keep };
            let answer = policy.ask(trace, sense, live);
            answers.push((role, answer));
            if !live {
                continue;
            }
            match role {
                Role::Samples if answer.samples => {
                    sampled.get_or_insert(answer.rule);
                    live = !self.first_match;
                }
                Role::Drops if answer.samples => {
                    dropped.get_or_insert(answer.rule);
                    live = false;
                }
                Role::Inverts if !answer.samples => {
                    dropped.get_or_insert(answer.rule);
                }
                _ => {}
            }
        }
        let inverted = answers.first().filter(|_| inverted_alone).map(|(_, answer)| answer.rule);
        let kept = if dropped.is_some() { None } else { sampled.or(inverted) };
        let start = if inverted_alone && !answers.is_empty() { Ratio::ALWAYS } else { Ratio::NEVER };
        let ratio = if self.first_match { in_order(&answers, start) } else { together(&answers, start) };
        Decision {
            keep: kept.is_some(),
            // A trace below the threshold that was kept all the same has passed a limit.
            ratio: (ratio.keeps(trace.randomness) == kept.is_some()).then_some(ratio),
            rule: kept.or(dropped).unwrap_or(self.unmatched),
        }
    }
}

/// The traces that are surely kept where every policy is asked.
fn together(answers: &[(Role, Answer)], start: Ratio) -> Ratio {
    let samples = answers.iter().filter(|(role, _)| *role == Role::Samples);
    let against = answers.iter().filter(|(role, _)| *role != Role::Samples);
    let kept = samples.fold(start, |kept, (_, answer)| kept.either(answer.certain));
    against.fold(kept, |kept, (_, answer)| kept.both(answer.certain))
}

/// The traces that are surely kept where the first policy that samples a trace ends the matter.
fn in_order(answers: &[(Role, Answer)], start: Ratio) -> Ratio {
    answers.iter().rev().fold(start, |rest, (role, answer)| match role {
        Role::Samples => rest.either(answer.certain),
        Role::Drops | Role::Inverts => rest.both(answer.certain),
    })
}

/// What a policy's answer does among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Samples,
    Drops,
    /// Does not keep a trace beside policies of other kinds, but drops those that it does not sample.
    Inverts,
}

impl Policy {
    fn role(&self) -> Role {
        match &self.kind {
            Kind::Drop(_) => Role::Drops,
            Kind::Condition { invert: true, .. } => Role::Inverts,
            _ => Role::Samples,
        }
    }
}
