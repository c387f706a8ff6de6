//! `policies:` read into [`Policy`]s. Keys and defaults are those of the Collector's `tail_sampling` processor.

use super::fields::{Fields, Problems};
use super::{MOST, Reader};
use crate::bucket::Bucket;
use crate::head::Ratio;
use crate::matcher::{self, Matcher};
use crate::ottl;
use crate::policy::{Composite, Condition, Kind, Part, Policy};
use serde_json::Value;

/// What a policy stands in, which decides what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Top,
    And,
    Not,
    Drop,
    Composite,
}

const TYPES: &str = "always_sample, latency, numeric_attribute, string_attribute, boolean_attribute, probabilistic, \
                     status_code, trace_state, trace_flags, rate_limiting, bytes_limiting, span_count, \
                     ottl_condition, and, not, drop, composite";

/// Every block that a policy may have.
const BLOCKS: [&str; 15] = [
    "latency",
    "numeric_attribute",
    "string_attribute",
    "boolean_attribute",
    "probabilistic",
    "status_code",
    "trace_state",
    "rate_limiting",
    "bytes_limiting",
    "span_count",
    "ottl_condition",
    "and",
    "not",
    "drop",
    "composite",
];

/// How deep policies may stand within one another.
const DEPTH: u8 = 8;

impl Reader {
    /// Reads the policies of the outermost list.
    pub(super) fn policies(&mut self, items: &[(&Value, String)], problems: &mut Problems) -> Vec<Policy> {
        if items.is_empty() || items.len() > MOST {
            problems.add("policies", format!("there are {} policies; 1 to {MOST} are possible", items.len()));
        }
        let items = items.iter().take(MOST);
        items.filter_map(|(item, path)| self.policy(item, path, Within::Top, 0, DEPTH, problems)).collect()
    }

    /// Reads policies within another. They are not rules of their own: `rule` is the one around them.
    fn parts(
        &mut self,
        fields: &mut Fields<'_>,
        key: &'static str,
        within: Within,
        rule: u16,
        depth: u8,
        problems: &mut Problems,
    ) -> Vec<Policy> {
        let items = fields.list(key, problems).unwrap_or_default();
        if items.is_empty() || items.len() > MOST {
            problems.add(fields.at(key), format!("needs a list of 1 to {MOST} policies"));
        }
        let items = items.iter().take(MOST);
        items.filter_map(|(item, path)| self.policy(item, path, within, rule, depth, problems)).collect()
    }

    fn policy(
        &mut self,
        item: &Value,
        path: &str,
        within: Within,
        rule: u16,
        depth: u8,
        problems: &mut Problems,
    ) -> Option<Policy> {
        let Some(depth) = depth.checked_sub(1) else {
            problems.add(path, format!("more than {DEPTH} policies within one another"));
            return None;
        };
        let mut fields = Fields::open(item, path, problems)?;
        let rule = match within {
            Within::Top => self.own_name(&mut fields, problems),
            // The name is for the reader of the file; the policy around it is the rule.
            _ => {
                fields.text("name", problems);
                rule
            }
        };
        let Some(kind) = fields.text("type", problems) else {
            problems.add(path, format!("needs a type: {TYPES}"));
            return None;
        };
        for block in BLOCKS {
            if block != kind && fields.has(block) {
                problems.add(fields.at(block), format!("this policy is of type `{kind}`; leave the block out"));
                fields.take(block);
            }
        }
        // Of a policy that cannot be read it is not known which keys it may have.
        let kind = self.kind(kind, &mut fields, within, rule, depth, problems)?;
        fields.finish(problems);
        Some(Policy { rule, kind })
    }

    fn kind(
        &mut self,
        kind: &str,
        fields: &mut Fields<'_>,
        within: Within,
        rule: u16,
        depth: u8,
        problems: &mut Problems,
    ) -> Option<Kind> {
        let plain = |condition| Some(Kind::Condition { condition, invert: false });
        match kind {
            "always_sample" => return plain(Condition::AlwaysSample),
            "trace_flags" => return plain(Condition::TraceFlags { flags: self.reads.number("span:flags") }),
            _ => {}
        }
        let Some(name) = BLOCKS.iter().copied().find(|block| *block == kind) else {
            problems.add(fields.at("type"), format!("no policy type `{kind}`; write one of {TYPES}"));
            return None;
        };
        if matches!(name, "drop" | "composite") && within != Within::Top {
            problems.add(fields.at("type"), format!("a policy of type `{name}` cannot stand within another"));
            fields.take(name);
            return None;
        }
        if !fields.has(name) {
            problems.add(fields.path.clone(), format!("a policy of type `{name}` needs a block `{name}`"));
            return None;
        }
        let mut block = fields.section(name, problems)?;
        let read = self.block(name, &mut block, within, rule, depth, problems);
        block.finish(problems);
        read
    }

    fn block(
        &mut self,
        name: &str,
        block: &mut Fields<'_>,
        within: Within,
        rule: u16,
        depth: u8,
        problems: &mut Problems,
    ) -> Option<Kind> {
        let plain = |condition| Kind::Condition { condition, invert: false };
        Some(match name {
            "latency" => plain(self.latency(block, problems)),
            "numeric_attribute" => self.numeric_attribute(block, within, problems),
            "string_attribute" => self.string_attribute(block, within, problems),
            "boolean_attribute" => self.boolean_attribute(block, within, problems),
            "status_code" => plain(self.status_code(block, problems)),
            "trace_state" => plain(self.trace_state(block, problems)),
            "span_count" => plain(span_count(block, problems)),
            "ottl_condition" => plain(self.ottl_condition(block, problems)),
            "probabilistic" => {
                // A salt would make replicas and layers draw differently; thresholds need them to draw alike.
                block.take("hash_salt");
                Kind::Probabilistic(percentage(block, "sampling_percentage", problems))
            }
            "rate_limiting" => Kind::RateLimiting(bucket(block, "spans_per_second", problems)),
            "bytes_limiting" => Kind::BytesLimiting(bucket(block, "bytes_per_second", problems)),
            "and" => Kind::And(self.parts(block, "and_sub_policy", Within::And, rule, depth, problems)),
            "drop" => Kind::Drop(self.parts(block, "drop_sub_policy", Within::Drop, rule, depth, problems)),
            "not" => {
                let path = block.at("not_sub_policy");
                let Some(part) = block.take("not_sub_policy") else {
                    problems.add(path, "is missing: the policy that is negated");
                    return None;
                };
                Kind::Not(Box::new(self.policy(part, &path, Within::Not, rule, depth, problems)?))
            }
            _ => Kind::Composite(self.composite(block, rule, depth, problems)),
        })
    }

    fn latency(&mut self, block: &mut Fields<'_>, problems: &mut Problems) -> Condition {
        let lower = block.whole("threshold_ms", 0, problems).unwrap_or(0);
        let upper = block.whole("upper_threshold_ms", 0, problems).filter(|upper| *upper > 0);
        if upper.is_some_and(|upper| upper <= lower) {
            problems.add(block.at("upper_threshold_ms"), "must be above threshold_ms, or left out");
        }
        let milliseconds = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Condition::Latency {
            more_than: milliseconds(lower),
            at_most: upper.map_or(i64::MAX, milliseconds),
            start: self.reads.number("span:startTime"),
            duration: self.reads.number("span:duration"),
        }
    }

    fn numeric_attribute(&mut self, block: &mut Fields<'_>, within: Within, problems: &mut Problems) -> Kind {
        let key = key(block, problems);
        let min = block.number("min_value", problems);
        let max = block.number("max_value", problems);
        let (least, most) = (min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY));
        if (min, max) == (None, None) || least > most {
            problems.add(block.path.clone(), "give min_value, max_value or both, the first not above the second");
        }
        let invert = invert(block, within, problems);
        let attribute = self.reads.attribute(key);
        Kind::Condition { condition: Condition::NumericAttribute { attribute, min: least, max: most }, invert }
    }

    fn string_attribute(&mut self, block: &mut Fields<'_>, within: Within, problems: &mut Problems) -> Kind {
        let key = key(block, problems);
        let mut values = block.texts("values", problems);
        values.retain(|value| !value.is_empty());
        if values.is_empty() || values.len() > MOST {
            problems.add(block.at("values"), format!("needs 1 to {MOST} texts that are not empty"));
        }
        // Matching takes linear time here, so results are not kept.
        block.whole("cache_max_size", 0, problems);
        let values = if block.flag("enabled_regex_matching", problems) {
            let mut expressions = Vec::with_capacity(values.len());
            for (index, value) in values.iter().take(MOST).enumerate() {
                match matcher::expression(value) {
                    Ok(expression) => expressions.push(expression),
                    Err(message) => problems.add(format!("{}[{index}]", block.at("values")), message),
                }
            }
            Matcher::Expressions(expressions)
        } else {
            Matcher::Exact(values)
        };
        let invert = invert(block, within, problems);
        let attribute = self.reads.attribute(key);
        Kind::Condition { condition: Condition::StringAttribute { attribute, values }, invert }
    }

    fn boolean_attribute(&mut self, block: &mut Fields<'_>, within: Within, problems: &mut Problems) -> Kind {
        let key = key(block, problems);
        let value = block.flag("value", problems);
        let invert = invert(block, within, problems);
        let attribute = self.reads.attribute(key);
        Kind::Condition { condition: Condition::BooleanAttribute { attribute, value }, invert }
    }

    fn status_code(&mut self, block: &mut Fields<'_>, problems: &mut Problems) -> Condition {
        let codes = block.texts("status_codes", problems);
        if codes.is_empty() {
            problems.add(block.at("status_codes"), "needs at least one of OK, ERROR, UNSET");
        }
        let mut statuses = Vec::new();
        for (index, code) in codes.iter().enumerate() {
            match ["ok", "error", "unset"].into_iter().find(|known| code.eq_ignore_ascii_case(known)) {
                Some(status) => statuses.push(status),
                None => {
                    let path = format!("{}[{index}]", block.at("status_codes"));
                    problems.add(path, format!("no status `{code}`; write OK, ERROR or UNSET"));
                }
            }
        }
        Condition::StatusCode { statuses, status: self.reads.number("span:status") }
    }

    fn trace_state(&mut self, block: &mut Fields<'_>, problems: &mut Problems) -> Condition {
        let key = key(block, problems).to_owned();
        let mut values = block.texts("values", problems);
        // What cannot be in a trace state is no value of one.
        values.retain(|value| !value.is_empty() && key.len() + value.len() < 256);
        if values.is_empty() {
            problems.add(block.at("values"), "needs at least one text that can be the value of a member");
        }
        Condition::TraceState { state: self.reads.number("span:traceState"), key, values }
    }

    fn ottl_condition(&mut self, block: &mut Fields<'_>, problems: &mut Problems) -> Condition {
        if let Some(mode) = block.text("error_mode", problems)
            && !matches!(mode, "ignore" | "silent" | "propagate")
        {
            problems.add(block.at("error_mode"), "is one of ignore, silent, propagate; there are no errors here");
        }
        if block.take("spanevent").is_some_and(|events| events.as_array().is_none_or(|events| !events.is_empty())) {
            let message =
                "conditions on span events cannot be expressed: a sampler sees attributes and fields of spans";
            problems.add(block.at("spanevent"), message);
        }
        let texts = block.texts("span", problems);
        if texts.is_empty() {
            problems.add(block.at("span"), "needs at least one condition");
        }
        let mut conditions = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().take(MOST).enumerate() {
            match ottl::parse(text, &mut self.reads) {
                Ok(condition) => conditions.push(condition),
                Err(message) => problems.add(format!("{}[{index}]", block.at("span")), message),
            }
        }
        Condition::Ottl(conditions)
    }

    fn composite(&mut self, block: &mut Fields<'_>, rule: u16, depth: u8, problems: &mut Problems) -> Composite {
        let total = block.whole("max_total_spans_per_second", 0, problems).unwrap_or_else(|| {
            problems.add(block.at("max_total_spans_per_second"), "is missing");
            0
        });
        let order = block.texts("policy_order", problems);
        let items = block.list("composite_sub_policy", problems).unwrap_or_default();
        let mut shares = Vec::new();
        for (item, path) in block.list("rate_allocation", problems).unwrap_or_default() {
            let Some(mut share) = Fields::open(item, path, problems) else { continue };
            let policy = share.text("policy", problems).unwrap_or_default();
            let percent = share.number_within("percent", 0.0, (0.0, 100.0), problems);
            shares.push((policy, percent, share.at("policy")));
            share.finish(problems);
        }
        let name = |item: &Value| item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let names: Vec<String> = items.iter().map(|(item, _)| name(item)).collect();
        for (policy, _, path) in &shares {
            if !names.iter().any(|name| name == policy) {
                problems.add(path.clone(), format!("no policy {policy:?} in composite_sub_policy"));
            }
        }
        if shares.iter().map(|(_, percent, _)| percent).sum::<f64>() > 100.0 {
            problems.add(block.at("rate_allocation"), "more than 100 percent are given away");
        }
        let around = self.names.get(usize::from(rule)).cloned().unwrap_or_default();
        let mut parts: Vec<Option<Part>> = Vec::new();
        for ((item, path), name) in items.iter().zip(&names).take(MOST) {
            if name.is_empty() || !order.contains(name) || names.iter().filter(|other| *other == name).count() > 1 {
                problems.add(path.clone(), "needs a name that no other has and that is in policy_order");
            }
            let sub = self.name(&format!("{around}/{name}"));
            let percent = shares.iter().find(|(policy, _, _)| policy == name).map(|(_, percent, _)| *percent);
            // Without a share of its own, a policy has an equal one.
            let percent = percent.filter(|percent| *percent > 0.0).unwrap_or(100.0 / names.len() as f64);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "part of a whole number")]
            let allocated = (total as f64 * percent / 100.0) as u64;
            let policy = self.policy(item, path, Within::Composite, sub, depth, problems);
            parts.push(policy.map(|policy| Part { policy, allocated, sampled: 0 }));
        }
        let mut ordered = Vec::with_capacity(parts.len());
        for (index, name) in order.iter().enumerate() {
            match names.iter().position(|known| known == name).and_then(|at| parts.get_mut(at)) {
                Some(part) => ordered.extend(part.take()),
                None => {
                    let path = format!("{}[{index}]", block.at("policy_order"));
                    problems.add(path, format!("no policy {name:?} in composite_sub_policy"));
                }
            }
        }
        if ordered.is_empty() {
            problems.add(block.at("composite_sub_policy"), "needs policies, each named in policy_order");
        }
        Composite { parts: ordered, second: 0 }
    }
}

fn key<'a>(block: &mut Fields<'a>, problems: &mut Problems) -> &'a str {
    let key = block.text("key", problems).unwrap_or_default();
    if key.is_empty() {
        problems.add(block.at("key"), "is missing: the name of the attribute");
    }
    key
}

/// `invert_match`, which the Collector does not negate once more in `not`.
fn invert(block: &mut Fields<'_>, within: Within, problems: &mut Problems) -> bool {
    let invert = block.flag("invert_match", problems);
    if invert && within == Within::Not {
        let message = "inverts once more what `not` inverts, which the Collector does not do; leave out both";
        problems.add(block.at("invert_match"), message);
    }
    invert
}

fn span_count(block: &mut Fields<'_>, problems: &mut Problems) -> Condition {
    let min = block.whole("min_spans", 0, problems).unwrap_or(0);
    let max = block.whole("max_spans", 0, problems).filter(|max| *max > 0).unwrap_or(u64::MAX);
    if min > max {
        problems.add(block.at("max_spans"), "must not be below min_spans");
    }
    Condition::SpanCount { min, max }
}

/// A percentage as a ratio. Left out it is 0 here as in the Collector, which is not allowed to pass unseen.
pub(super) fn percentage(block: &mut Fields<'_>, key: &'static str, problems: &mut Problems) -> Ratio {
    let path = block.at(key);
    let Some(percentage) = block.number(key, problems) else {
        problems.add(path, "is missing: a percentage from 0 to 100");
        return Ratio::NEVER;
    };
    Ratio::new(percentage / 100.0).unwrap_or_else(|| {
        problems.add(path, format!("{percentage} is no percentage; write a number from 0 to 100"));
        Ratio::NEVER
    })
}

/// A limit with its burst, which is twice the limit unless given.
pub(super) fn bucket(block: &mut Fields<'_>, key: &'static str, problems: &mut Problems) -> Bucket {
    if !block.has(key) {
        problems.add(block.at(key), "is missing");
    }
    let per_second = block.whole(key, 1, problems).unwrap_or(1);
    let burst = block.whole("burst_capacity", 0, problems).filter(|burst| *burst > 0);
    Bucket::new(per_second, burst.unwrap_or(per_second.saturating_mul(2)))
}
