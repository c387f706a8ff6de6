//! `rules:` read into [`Rule`]s. Keys are those of the Collector's `dynamic_sampling` processor and of Refinery, where
//! they have one for it.

use super::fields::{Fields, Problems, kind, nanoseconds};
use super::policies::{bucket, percentage};
use super::{MOST, Reader};
use crate::dynamic::{Dynamic, Goal, Tuning};
use crate::expression::{Comparison, Literal, Operand, SpanExpr, Test};
use crate::head::Ratio;
use crate::matcher;
use crate::reads::Attribute;
use crate::rule::{Rule, RuleSampler, TraceExpr, TraceKey};
use serde_json::Value;

/// How deep conditions may stand within one another.
const DEPTH: u8 = 16;
/// Most keys that a dynamic sampler may follow.
const MOST_KEYS: u64 = 100_000;

const OPERATORS: &str = "=, !=, >, >=, <, <=, exists, not-exists, contains, does-not-contain, starts-with, matches, \
                         in, not-in";

/// A condition as it was read, before it is known whether it is asked of one span or of the trace.
enum Parsed {
    Span(SpanExpr),
    Trace(TraceExpr),
    All(Vec<Parsed>),
    Any(Vec<Parsed>),
    Not(Box<Parsed>),
}

impl Parsed {
    /// The condition asked of the trace; each part of it may hold for another span.
    fn of_trace(self) -> TraceExpr {
        let lift = |parts: Vec<Self>| parts.into_iter().map(Self::of_trace).collect();
        match self {
            Self::Span(condition) => TraceExpr::Span(condition),
            Self::Trace(condition) => condition,
            Self::All(parts) => TraceExpr::All(lift(parts)),
            Self::Any(parts) => TraceExpr::Any(lift(parts)),
            Self::Not(part) => TraceExpr::Not(Box::new(part.of_trace())),
        }
    }

    /// The condition asked of one span, or itself where it is about the trace.
    fn of_span(self) -> Result<SpanExpr, Self> {
        if !self.is_about_spans() {
            return Err(self);
        }
        let lower = |parts: Vec<Self>| parts.into_iter().map(Self::of_span).collect::<Result<Vec<_>, _>>();
        match self {
            Self::Span(condition) => Ok(condition),
            Self::Trace(_) => Err(self),
            Self::All(parts) => lower(parts).map(SpanExpr::All),
            Self::Any(parts) => lower(parts).map(SpanExpr::Any),
            Self::Not(part) => part.of_span().map(|part| SpanExpr::Not(Box::new(part))),
        }
    }

    fn is_about_spans(&self) -> bool {
        match self {
            Self::Span(_) => true,
            Self::Trace(_) => false,
            Self::All(parts) | Self::Any(parts) => parts.iter().all(Self::is_about_spans),
            Self::Not(part) => part.is_about_spans(),
        }
    }
}

/// What a field is, and how literals are written for it.
#[derive(Clone)]
enum Field {
    /// Of spans. Literals are multiplied, so that they are in the unit of the attribute.
    Span {
        operand: Operand,
        alternative: Option<Operand>,
        unit: Unit,
    },
    Duration,
    SpanCount,
    Bytes,
    Root,
    Complete,
}

/// The unit in which an attribute holds what a field is about.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    /// What is written is what is held.
    Plain,
    /// Dollars are written, billionths of dollars are held.
    NanoUsd,
    /// A duration is written, seconds are held.
    Seconds,
    /// A duration is written, nanoseconds are held.
    Nanoseconds,
}

impl Reader {
    pub(super) fn rules(&mut self, items: &[(&Value, String)], problems: &mut Problems) -> Vec<Rule> {
        if items.len() > MOST {
            problems.add("rules", format!("{} rules; at most {MOST}", items.len()));
        }
        let mut catch_all: Option<String> = None;
        let mut rules = Vec::new();
        for (item, path) in items.iter().take(MOST) {
            let Some(mut fields) = Fields::open(item, path.as_str(), problems) else { continue };
            if let Some(name) = &catch_all {
                let message = format!("is never reached: the rule {name:?} before it has no conditions");
                problems.add(path.clone(), message);
            }
            self.own_name(&mut fields, problems);
            let items = fields.list("conditions", problems).unwrap_or_default();
            if items.is_empty() {
                catch_all = self.names.last().cloned();
            }
            let conditions = self.list_of_conditions(&items, DEPTH, problems);
            let same_span = match fields.text("match", problems) {
                None | Some("any_span") => false,
                Some("same_span") => true,
                Some(other) => {
                    problems.add(fields.at("match"), format!("{other:?} is not one of any_span, same_span"));
                    false
                }
            };
            let sampler = self.sampler(&mut fields, problems);
            fields.finish(problems);
            rules.extend(sampler.map(|sampler| Rule { condition: combined(conditions, same_span), sampler }));
        }
        rules
    }

    fn list_of_conditions(&mut self, items: &[(&Value, String)], depth: u8, problems: &mut Problems) -> Vec<Parsed> {
        let items = items.iter().take(MOST);
        items.filter_map(|(item, path)| self.condition(item, path, depth, problems)).collect()
    }

    fn condition(&mut self, item: &Value, path: &str, depth: u8, problems: &mut Problems) -> Option<Parsed> {
        let Some(depth) = depth.checked_sub(1) else {
            problems.add(path, format!("more than {DEPTH} conditions within one another"));
            return None;
        };
        let mut fields = Fields::open(item, path, problems)?;
        let parsed = if let Some(items) = fields.list("any", problems) {
            Some(Parsed::Any(self.list_of_conditions(&items, depth, problems)))
        } else if let Some(items) = fields.list("all", problems) {
            Some(Parsed::All(self.list_of_conditions(&items, depth, problems)))
        } else if let Some(item) = fields.take("not") {
            let path = fields.at("not");
            self.condition(item, &path, depth, problems).map(|part| Parsed::Not(Box::new(part)))
        } else {
            self.comparison(&mut fields, problems)
        };
        fields.finish(problems);
        parsed
    }

    /// `{field, operator, value}`, with `sum: true` for the sum over the trace.
    fn comparison(&mut self, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Parsed> {
        let name = fields.text("field", problems).unwrap_or_default();
        if name.is_empty() {
            let message = "needs a field with an operator and a value, or one of any, all, not";
            problems.add(fields.path.clone(), message);
        }
        let field = self.field(name, &fields.at("field"), problems);
        let operator = fields.text("operator", problems).unwrap_or("=");
        let sum = fields.flag("sum", problems);
        let (at, value) = (fields.at("value"), fields.take("value"));
        let field = field?;
        match field {
            Field::Root | Field::Complete => {
                let expr = if matches!(field, Field::Root) { TraceExpr::Root } else { TraceExpr::Complete };
                let holds = match (operator, value) {
                    ("=", None | Some(Value::Bool(true))) | ("!=", Some(Value::Bool(false))) => true,
                    ("=", Some(Value::Bool(false))) | ("!=", Some(Value::Bool(true))) => false,
                    _ => {
                        problems.add(at, format!("{name} is compared by = or != with true or false"));
                        return None;
                    }
                };
                let expr = Parsed::Trace(expr);
                Some(if holds { expr } else { Parsed::Not(Box::new(expr)) })
            }
            Field::Duration | Field::SpanCount | Field::Bytes => {
                let unit = if matches!(field, Field::Duration) { Unit::Nanoseconds } else { Unit::Plain };
                let (comparison, value, negated) = numeric(operator, unit, value, &at, problems)?;
                let expr = Parsed::Trace(match field {
                    Field::SpanCount => TraceExpr::SpanCount(comparison, value),
                    Field::Bytes => TraceExpr::Bytes(comparison, value),
                    _ => TraceExpr::Duration {
                        start: self.reads.number("span:startTime"),
                        duration: self.reads.number("span:duration"),
                        comparison,
                        value,
                    },
                });
                Some(if negated { Parsed::Not(Box::new(expr)) } else { expr })
            }
            Field::Span { operand, unit, .. } if sum => {
                let (comparison, value, negated) = numeric(operator, unit, value, &at, problems)?;
                let expr = Parsed::Trace(TraceExpr::Sum(operand, comparison, value));
                Some(if negated { Parsed::Not(Box::new(expr)) } else { expr })
            }
            Field::Span { operand, alternative, unit } => {
                let (test, negated) = test(operator, unit, value, &at, problems)?;
                let mut expr = SpanExpr::Is(operand, test.clone());
                if let Some(alternative) = alternative {
                    expr = SpanExpr::Any(vec![expr, SpanExpr::Is(alternative, test)]);
                }
                let expr = Parsed::Span(expr);
                Some(if negated { Parsed::Not(Box::new(expr)) } else { expr })
            }
        }
    }

    /// A field by its name: `trace:` and `llm:` ones have a meaning, others are attributes, and fields of spans such as
    /// `span:name`.
    fn field(&mut self, name: &str, path: &str, problems: &mut Problems) -> Option<Field> {
        let mut own = |name: &str| self.reads.attribute(name);
        let one =
            |attribute: Attribute, unit| Field::Span { operand: Operand::one(attribute), alternative: None, unit };
        Some(match name {
            "trace:duration" => Field::Duration,
            "trace:span_count" => Field::SpanCount,
            "trace:bytes" => Field::Bytes,
            "trace:has_root" => Field::Root,
            "trace:complete" => Field::Complete,
            "llm:cost_usd" => one(own("tollgate.cost.nano_usd"), Unit::NanoUsd),
            "llm:input_tokens" => one(own("gen_ai.usage.input_tokens"), Unit::Plain),
            "llm:output_tokens" => one(own("gen_ai.usage.output_tokens"), Unit::Plain),
            "llm:tokens" => Field::Span {
                operand: Operand {
                    attributes: vec![own("gen_ai.usage.input_tokens"), own("gen_ai.usage.output_tokens")],
                    list: false,
                },
                alternative: None,
                unit: Unit::Plain,
            },
            "llm:model" => Field::Span {
                operand: Operand::one(own("gen_ai.response.model")),
                alternative: Some(Operand::one(own("gen_ai.request.model"))),
                unit: Unit::Plain,
            },
            "llm:provider" => one(own("gen_ai.provider.name"), Unit::Plain),
            "llm:operation" => one(own("gen_ai.operation.name"), Unit::Plain),
            "llm:finish_reason" => Field::Span {
                operand: Operand { attributes: vec![own("gen_ai.response.finish_reasons")], list: true },
                alternative: None,
                unit: Unit::Plain,
            },
            "llm:error_type" => one(own("error.type"), Unit::Plain),
            "llm:time_to_first_chunk" => one(own("gen_ai.response.time_to_first_chunk"), Unit::Seconds),
            "llm:pii" => Field::Span {
                operand: Operand {
                    attributes: vec![own("tollgate.redaction.count"), own("tollgate.redaction.shared.count")],
                    list: false,
                },
                alternative: None,
                unit: Unit::Plain,
            },
            "llm:evaluation_score" => Field::Span {
                operand: Operand::one(own("gen_ai.evaluation.score.value")),
                alternative: Some(Operand::one(own("tollgate.evaluation.score"))),
                unit: Unit::Plain,
            },
            "span:duration" => one(own(name), Unit::Nanoseconds),
            "span:name" | "span:kind" | "span:status" | "scope:name" => one(own(name), Unit::Plain),
            other if other.starts_with("resource:") => one(own(other), Unit::Plain),
            other if ["trace:", "llm:", "span:", "scope:"].iter().any(|prefix| other.starts_with(prefix)) => {
                let message = format!(
                    "no field {other:?}; there are trace:duration, trace:span_count, trace:bytes, trace:has_root, \
                     trace:complete, llm:cost_usd, llm:tokens, llm:input_tokens, llm:output_tokens, llm:model, \
                     llm:provider, llm:operation, llm:finish_reason, llm:error_type, llm:time_to_first_chunk, \
                     llm:pii, llm:evaluation_score, span:name, span:kind, span:status, span:duration, scope:name, \
                     resource:<attribute> and attributes by their names"
                );
                problems.add(path, message);
                return None;
            }
            other => one(own(other), Unit::Plain),
        })
    }

    fn sampler(&mut self, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<RuleSampler> {
        const TYPES: &str = "keep, drop, probabilistic, ema_dynamic, ema_throughput, rate_limiting";
        let Some(mut sampler) = fields.section("sampler", problems) else {
            problems.add(fields.at("sampler"), format!("is missing: a sampler with a type, one of {TYPES}"));
            return None;
        };
        let kind = sampler.text("type", problems).unwrap_or_default();
        let read = match kind {
            "keep" | "always_sample" => Some(RuleSampler::Probabilistic(Ratio::ALWAYS)),
            "drop" => Some(RuleSampler::Probabilistic(Ratio::NEVER)),
            "probabilistic" => {
                Some(RuleSampler::Probabilistic(percentage(&mut sampler, "sampling_percentage", problems)))
            }
            "rate_limiting" => Some(RuleSampler::RateLimiting(bucket(&mut sampler, "spans_per_second", problems))),
            "ema_dynamic" => {
                let goal = percentage(&mut sampler, "goal_sampling_percentage", problems);
                Some(self.dynamic(&mut sampler, Goal::Share(goal.probability()), goal, problems))
            }
            "ema_throughput" => {
                let goal = sampler.whole("goal_throughput_per_sec", 1, problems);
                if goal.is_none() {
                    problems.add(sampler.at("goal_throughput_per_sec"), "is needed: spans a second, at least 1");
                }
                // Refinery's rate: one of so many.
                let rate = sampler.number_within("initial_sampling_rate", 1.0, (1.0, 1e6), problems);
                let initial = Ratio::new(1.0 / rate).unwrap_or(Ratio::ALWAYS);
                Some(self.dynamic(&mut sampler, Goal::PerSecond(goal.unwrap_or(1) as f64), initial, problems))
            }
            other => {
                problems.add(sampler.at("type"), format!("no sampler type {other:?}; write one of {TYPES}"));
                return None;
            }
        };
        sampler.finish(problems);
        read
    }

    fn dynamic(
        &mut self,
        sampler: &mut Fields<'_>,
        goal: Goal,
        initial: Ratio,
        problems: &mut Problems,
    ) -> RuleSampler {
        let names = sampler.texts("key_fields", problems);
        if names.is_empty() || names.len() > 64 {
            problems.add(sampler.at("key_fields"), "needs 1 to 64 names of attributes, of spans or resources");
        }
        let fields = names.iter().take(64).map(|name| self.reads.attribute(name)).collect();
        let most_keys = sampler.whole("max_keys", 1, problems).unwrap_or(500);
        if most_keys > MOST_KEYS {
            problems.add(sampler.at("max_keys"), format!("{most_keys} keys; at most {MOST_KEYS}"));
        }
        let tuning = Tuning {
            goal,
            initial,
            interval: sampler.duration("adjustment_interval", 15_000_000_000, problems),
            weight: sampler.number_within("weight", 0.5, (0.001, 1.0), problems),
            age_out: sampler.number_within("age_out_value", 0.5, (0.0, 1e9), problems),
            burst_multiple: sampler.number_within("burst_multiple", 2.0, (0.0, 1e6), problems),
            burst_delay: u32::try_from(sampler.whole("burst_detection_delay", 0, problems).unwrap_or(3))
                .unwrap_or(u32::MAX),
            max_keys: usize::try_from(most_keys).unwrap_or(usize::MAX),
        };
        let length = sampler.flag("use_trace_length", problems);
        RuleSampler::Dynamic { key: TraceKey { fields, length }, dynamic: Dynamic::new(tuning) }
    }
}

/// All conditions of a rule as one. Without any it holds for every trace. With `same_span` those on spans have to hold
/// for one and the same.
fn combined(conditions: Vec<Parsed>, same_span: bool) -> TraceExpr {
    if !same_span {
        return TraceExpr::All(conditions.into_iter().map(Parsed::of_trace).collect());
    }
    let (mut spans, mut parts) = (Vec::new(), Vec::new());
    for condition in conditions {
        match condition.of_span() {
            Ok(condition) => spans.push(condition),
            Err(condition) => parts.push(condition.of_trace()),
        }
    }
    if !spans.is_empty() {
        parts.push(TraceExpr::Span(SpanExpr::All(spans)));
    }
    TraceExpr::All(parts)
}

/// The comparison, the number, and whether the outcome is negated, for what can only be a number.
fn numeric(
    operator: &str,
    unit: Unit,
    value: Option<&Value>,
    at: &str,
    problems: &mut Problems,
) -> Option<(Comparison, f64, bool)> {
    let compared = test(operator, unit, value, at, problems)?;
    match compared {
        (Test::Compare(comparison, Literal::Number(number)), negated) => Some((comparison, number, negated)),
        _ => {
            problems.add(at, "is compared with a number, by =, !=, >, >=, < or <=");
            None
        }
    }
}

/// The test that an operator and a value come to, and whether it is negated.
fn test(operator: &str, unit: Unit, value: Option<&Value>, at: &str, problems: &mut Problems) -> Option<(Test, bool)> {
    let needs_no_value = matches!(operator, "exists" | "not-exists");
    if needs_no_value != value.is_none() {
        let message = if needs_no_value { "is of no use here; leave it out" } else { "is missing" };
        problems.add(at, format!("{message} (operator {operator})"));
        return None;
    }
    let text = |problems: &mut Problems| match value {
        Some(Value::String(text)) if unit == Unit::Plain => Some(text.clone()),
        _ => {
            problems.add(at, format!("operator {operator} needs text, and a field that is text"));
            None
        }
    };
    let compare = |comparison, problems: &mut Problems| {
        value.and_then(|value| literal(unit, value, at, problems)).map(|literal| Test::Compare(comparison, literal))
    };
    let test = match operator {
        "=" | "!=" => compare(Comparison::Equal, problems)?,
        ">" => compare(Comparison::Greater, problems)?,
        ">=" => compare(Comparison::GreaterOrEqual, problems)?,
        "<" => compare(Comparison::Less, problems)?,
        "<=" => compare(Comparison::LessOrEqual, problems)?,
        "exists" | "not-exists" => Test::Exists,
        "contains" | "does-not-contain" => Test::Contains(text(problems)?),
        "starts-with" => Test::StartsWith(text(problems)?),
        "matches" => match matcher::expression(&text(problems)?) {
            Ok(expression) => Test::Matches(expression),
            Err(message) => {
                problems.add(at, message);
                return None;
            }
        },
        "in" | "not-in" => {
            let Some(Value::Array(items)) = value else {
                problems.add(at, format!("operator {operator} needs a list"));
                return None;
            };
            let items = items.iter().take(MOST).enumerate();
            let literals = items.map(|(index, item)| literal(unit, item, &format!("{at}[{index}]"), problems));
            Test::OneOf(literals.collect::<Option<_>>()?)
        }
        other => {
            problems.add(at.replace(".value", ".operator"), format!("no operator {other:?}; write one of {OPERATORS}"));
            return None;
        }
    };
    Some((test, matches!(operator, "!=" | "not-exists" | "does-not-contain" | "not-in")))
}

/// A value as it is compared with what columns hold.
fn literal(unit: Unit, value: &Value, at: &str, problems: &mut Problems) -> Option<Literal> {
    let literal = match (unit, value) {
        (Unit::Plain, Value::String(text)) => Some(Literal::Text(text.clone())),
        (Unit::Plain, Value::Bool(truth)) => Some(Literal::Number(f64::from(u8::from(*truth)))),
        (Unit::Plain, Value::Number(number)) => number.as_f64().map(Literal::Number),
        (Unit::NanoUsd, Value::Number(number)) => number.as_f64().map(|dollars| Literal::Number(dollars * 1e9)),
        (Unit::Seconds, Value::String(text)) => {
            nanoseconds(text).map(|nanoseconds| Literal::Number(nanoseconds as f64 / 1e9))
        }
        (Unit::Nanoseconds, Value::String(text)) => {
            nanoseconds(text).map(|nanoseconds| Literal::Number(nanoseconds as f64))
        }
        _ => None,
    };
    if literal.is_none() {
        let wanted = match unit {
            Unit::Plain => "text, a number or a truth value",
            Unit::NanoUsd => "a number of dollars",
            Unit::Seconds | Unit::Nanoseconds => "a duration such as 10s or 500ms",
        };
        problems.add(at, format!("expected {wanted}, found {} {value}", kind(value)));
    }
    literal
}
