//! Values in another form.

mod chat;
mod cost;
mod date;
mod flat;
mod messages;
mod usage;

use crate::rule::Conversion;
use tollgate_otlp::{AttributeWriter, JsonValue, Value, push_json_text};

/// What came of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The target was written.
    Written,
    /// There was nothing to convert.
    Absent,
    /// What was there cannot be converted; nothing was written.
    Bad,
}

/// The values of a rule's sources, in their order; `None` for those that are not there.
pub(crate) type Sources<'s, 'r> = &'s [Option<Value<'r>>];

/// Writes `target`, or attributes whose names begin with it. `first` is the first source that is there, with its place
/// among them.
pub(crate) fn convert<'r>(
    conversion: Conversion,
    first: (usize, Value<'r>),
    sources: Sources<'_, 'r>,
    start: u64,
    target: &str,
    out: &mut AttributeWriter<'_>,
) -> Outcome {
    let (_, value) = first;
    match conversion {
        Conversion::Dollars => match value.as_integer() {
            Some(nanos) => written(out, target, cost::dollars(nanos)),
            None => Outcome::Bad,
        },
        Conversion::CostOf(units) => match cost::part(value, units) {
            Ok(Some(nanos)) => written(out, target, cost::dollars(nanos)),
            Ok(None) => Outcome::Absent,
            Err(()) => Outcome::Bad,
        },
        Conversion::CostDetails => text(out, target, cost::details(sources)),
        Conversion::UsageDetails => text(out, target, usage::details(sources)),
        Conversion::Count => match value.as_integer() {
            Some(count) if count >= 0 => written(out, target, count),
            _ => Outcome::Bad,
        },
        Conversion::Sum => sum(sources).map_or(Outcome::Absent, |sum| match sum {
            Some(sum) => written(out, target, sum),
            None => Outcome::Bad,
        }),
        Conversion::Object(keys) => text(out, target, Ok(object(keys, sources))),
        Conversion::Json => typed(value, true, target, None, out),
        Conversion::Text => typed(value, false, target, None, out),
        Conversion::TypedJson(name) => typed(value, true, target, Some(name), out),
        Conversion::TypedText(name) => typed(value, false, target, Some(name), out),
        Conversion::ChatMessages => text(out, target, messages::read(sources, chat::write)),
        Conversion::FlatMessages => match messages::read(sources, |list| Some(flat::messages(list, target, out))) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => Outcome::Absent,
            Err(()) => Outcome::Bad,
        },
        Conversion::FlatTools => flat::tools(value, target, out),
        Conversion::DateAfterStart => match value.as_real().and_then(|seconds| date::after(start, seconds)) {
            Some(date) => written(out, target, date.as_str()),
            None => Outcome::Bad,
        },
    }
}

fn written<'v>(out: &mut AttributeWriter<'_>, target: &str, value: impl Into<tollgate_otlp::NewValue<'v>>) -> Outcome {
    out.set(target, value);
    Outcome::Written
}

fn text(out: &mut AttributeWriter<'_>, target: &str, text: Result<Option<String>, ()>) -> Outcome {
    match text {
        Ok(Some(text)) => written(out, target, text.as_str()),
        Ok(None) => Outcome::Absent,
        Err(()) => Outcome::Bad,
    }
}

/// Writes a value as text. `must_be_json` refuses text that is no JSON; `mime_type` is where to say what it is.
fn typed(
    value: Value<'_>,
    must_be_json: bool,
    target: &str,
    mime_type: Option<&str>,
    out: &mut AttributeWriter<'_>,
) -> Outcome {
    let is_json = match value {
        Value::Text(text) if must_be_json || mime_type.is_some() => JsonValue::parse(text).is_ok(),
        _ => true,
    };
    if must_be_json && !is_json {
        return Outcome::Bad;
    }
    if let Some(name) = mime_type {
        out.set(name, if is_json { "application/json" } else { "text/plain" });
    }
    match value {
        Value::Text(text) => written(out, target, text),
        value => written(out, target, json(value).as_str()),
    }
}

/// A value as JSON text.
fn json(value: Value<'_>) -> String {
    let mut json = String::new();
    value.push_json(&mut json);
    json
}

/// The sum of integers, `Some(None)` where one of them is none; `None` where one is not there.
fn sum(sources: Sources<'_, '_>) -> Option<Option<i64>> {
    let mut total = Some(0_i64);
    for source in sources {
        let value = (*source)?;
        total = total.zip(value.as_integer()).and_then(|(total, value)| total.checked_add(value));
    }
    Some(total)
}

/// All sources that are there as a JSON object.
fn object(keys: &[&str], sources: Sources<'_, '_>) -> Option<String> {
    let mut out = String::from("{");
    for (key, value) in keys.iter().zip(sources) {
        let Some(value) = value else { continue };
        if out.len() > 1 {
            out.push(',');
        }
        push_json_text(&mut out, key);
        out.push(':');
        value.push_json(&mut out);
    }
    out.push('}');
    (out.len() > 2).then_some(out)
}
