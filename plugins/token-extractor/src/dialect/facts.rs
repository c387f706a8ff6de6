//! What is known of one span, under current names: what it says itself, and what the dialects add.

use super::span::{Span, whole};
use super::to;
use serde_json::Value as Json;
use std::borrow::Cow;
use tollgate_columns::{Edits, Kind};

/// A value under a current name.
#[derive(Clone, Debug, PartialEq)]
enum Value<'b> {
    Text(Cow<'b, str>),
    Integer(i64),
    Real(f64),
}

/// What is known. Nothing that the span says under a current name is replaced, except by [`correct`](Self::correct).
#[derive(Clone, Debug)]
pub(super) struct Facts<'b> {
    values: Vec<Option<Value<'b>>>,
    /// What the span says itself, and is not written.
    stated: Vec<bool>,
    /// Tokens in total, under whichever name.
    pub(super) total: Option<i64>,
    /// What the dialect says that the span is to the bill.
    pub(super) role: Option<&'static str>,
    /// Whether any dialect knows the span.
    pub(super) known: bool,
}

impl<'b> Facts<'b> {
    pub(super) fn new() -> Self {
        Self { values: vec![None; to::COUNT], stated: vec![false; to::COUNT], total: None, role: None, known: false }
    }

    /// Starts anew with what the span says under current names.
    pub(super) fn begin(&mut self, span: Span<'_, 'b>) {
        self.values.fill(None);
        self.stated.fill(false);
        (self.total, self.role, self.known) = (None, None, false);
        for ((number, (_, kind)), (value, stated)) in
            (0..).zip(to::WRITES).zip(self.values.iter_mut().zip(&mut self.stated))
        {
            if !span.has(number) {
                continue;
            }
            *stated = true;
            *value = match kind {
                Kind::Integer => span.count(number).map(Value::Integer),
                Kind::Boolean => span.truth(number).map(|truth| Value::Integer(i64::from(truth))),
                Kind::Real => span.number(number).map(Value::Real),
                Kind::Text | Kind::Composite => span.text(number).map(|text| Value::Text(text.into())),
            };
        }
    }

    /// Whether there is something under the name.
    pub(super) fn has(&self, number: u16) -> bool {
        let at = usize::from(number);
        self.stated.get(at) == Some(&true) || self.values.get(at).is_some_and(Option::is_some)
    }

    /// Whether the span says it itself.
    pub(super) fn is_stated(&self, number: u16) -> bool {
        self.stated.get(usize::from(number)) == Some(&true)
    }

    pub(super) fn text(&self, number: u16) -> Option<&str> {
        match self.values.get(usize::from(number))? {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn count(&self, number: u16) -> Option<i64> {
        match self.values.get(usize::from(number))? {
            Some(Value::Integer(count)) => Some(*count),
            _ => None,
        }
    }

    fn set(&mut self, number: u16, value: Value<'b>) {
        if !self.has(number)
            && let Some(slot) = self.values.get_mut(usize::from(number))
        {
            *slot = Some(value);
        }
    }

    pub(super) fn set_text(&mut self, number: u16, text: Option<impl Into<Cow<'b, str>>>) {
        if let Some(text) = text.map(Into::into).filter(|text| !text.is_empty()) {
            self.set(number, Value::Text(text));
        }
    }

    /// Sets a count, or a truth value as 0 or 1.
    pub(super) fn set_count(&mut self, number: u16, count: Option<i64>) {
        if let Some(count) = count.filter(|count| *count >= 0) {
            self.set(number, Value::Integer(count));
        }
    }

    /// Sets a seed, which may be negative.
    pub(super) fn set_seed(&mut self, seed: Option<i64>) {
        if let Some(seed) = seed {
            self.set(to::SEED, Value::Integer(seed));
        }
    }

    /// `gen_ai.request.stream` is only there where it is true.
    pub(super) fn set_stream(&mut self, stream: Option<bool>) {
        self.set_count(to::STREAM, stream.filter(|stream| *stream).map(i64::from));
    }

    pub(super) fn set_real(&mut self, number: u16, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.set(number, Value::Real(value));
        }
    }

    /// A list of texts from one or from a list of them.
    pub(super) fn set_list(&mut self, number: u16, value: Option<&Json>) {
        let list: Vec<&str> = match value {
            Some(Json::String(text)) if !text.is_empty() => vec![text],
            Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).collect(),
            _ => return,
        };
        if !list.is_empty() {
            self.set_text(number, Some(Json::from(list).to_string()));
        }
    }

    /// Replaces a count that the span states but that cannot be meant as the conventions mean it.
    pub(super) fn correct(&mut self, number: u16, count: i64) {
        let at = usize::from(number);
        if let (Some(value), Some(stated)) = (self.values.get_mut(at), self.stated.get_mut(at)) {
            *value = Some(Value::Integer(count));
            *stated = false;
        }
    }

    /// Forgets what was found for a name and is not on the span.
    pub(super) fn drop_found(&mut self, number: u16) {
        if !self.is_stated(number)
            && let Some(value) = self.values.get_mut(usize::from(number))
        {
            *value = None;
        }
    }

    /// Writes what the span does not say itself, of the first `writes` names.
    pub(super) fn write(&self, row: u32, writes: usize, edits: &mut Edits) {
        let values = self.values.iter().zip(&self.stated).zip(0u16..).take(writes);
        for ((value, _), number) in values.filter(|((_, stated), _)| !**stated) {
            match value {
                Some(Value::Text(text)) => edits.text(row, number, text),
                Some(Value::Integer(integer)) => edits.integer(row, number, *integer),
                Some(Value::Real(real)) => edits.real(row, number, *real),
                None => {}
            }
        }
    }
}

/// A count in JSON; as a double or as text too, as some emitters write it.
pub(super) fn count(value: Option<&Json>) -> Option<i64> {
    match value? {
        Json::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|count| *count >= 0)
}

/// The first of several members that is a count.
pub(super) fn first_count(object: &Json, names: &[&str]) -> Option<i64> {
    names.iter().find_map(|name| count(object.get(name)))
}
