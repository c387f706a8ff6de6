//! Which attributes of a span or log record the columns are read from, and what those columns come to.

use crate::binary;
use crate::column::{Column, Kind};
use tollgate_otlp::Value;
use tollgate_semconv::call_role::is_billable;

/// The attributes that some columns are read from.
#[derive(Debug)]
pub(crate) struct Wanted {
    columns: Vec<Source>,
    /// Names with their slots, by length: an attribute is compared with the few names that are as long as its own.
    by_length: Vec<Vec<(&'static [u8], usize)>>,
    /// How many attributes there are.
    pub(crate) slots: usize,
}

#[derive(Debug)]
struct Source {
    kind: Kind,
    /// Slots of its attributes.
    slots: Vec<usize>,
    resource: Option<&'static str>,
}

impl Wanted {
    pub(crate) fn of(columns: &[Column]) -> Self {
        let mut names: Vec<&'static str> = Vec::new();
        let mut slot = |name: &'static str| match names.iter().position(|known| *known == name) {
            Some(slot) => slot,
            None => {
                names.push(name);
                names.len() - 1
            }
        };
        let source = |column: &Column, slot: &mut dyn FnMut(&'static str) -> usize| Source {
            kind: column.kind,
            slots: column.attributes.iter().map(|name| slot(name)).collect(),
            resource: column.resource,
        };
        let columns = columns.iter().map(|column| source(column, &mut slot)).collect();
        let longest = names.iter().map(|name| name.len()).max().unwrap_or(0);
        let mut by_length = vec![Vec::new(); longest + 1];
        for (slot, name) in names.iter().enumerate() {
            if let Some(same) = by_length.get_mut(name.len()) {
                same.push((name.as_bytes(), slot));
            }
        }
        Self { columns, by_length, slots: names.len() }
    }

    /// The slot of an attribute that is wanted.
    #[inline]
    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        let name = name.as_bytes();
        let same = self.by_length.get(name.len())?;
        same.iter().find(|(wanted, _)| *wanted == name).map(|(_, slot)| *slot)
    }

    /// Attributes of the resource that are wanted, in the order of their columns.
    pub(crate) fn of_resource(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().filter_map(|source| source.resource)
    }

    /// Writes the columns of one row. `found` is by slot, `shared` in the order of [`of_resource`](Self::of_resource).
    pub(crate) fn write(&self, out: &mut Vec<u8>, found: &[Option<Value<'_>>], shared: &[Vec<u8>]) {
        let mut shared = shared.iter();
        for source in &self.columns {
            let values = || source.slots.iter().map(|slot| found.get(*slot).copied().flatten());
            let value = values().flatten().find(|value| !is_empty(*value));
            match source.kind {
                Kind::Word | Kind::Text => {
                    let below = source.resource.and_then(|_| shared.next()).map_or(&[][..], Vec::as_slice);
                    match value {
                        Some(value) => binary::value(out, value),
                        None => binary::string(out, below),
                    }
                }
                Kind::Count => {
                    binary::nullable(out, value.and_then(count).map(u64::to_le_bytes).as_ref().map(|b| &b[..]))
                }
                Kind::Money => {
                    let money = value.and_then(nano_dollars).map(|nano| i128::from(nano).to_le_bytes());
                    binary::nullable(out, money.as_ref().map(|bytes| &bytes[..]));
                }
                Kind::Real => {
                    let real = value.and_then(real).map(f64::to_le_bytes);
                    binary::nullable(out, real.as_ref().map(|bytes| &bytes[..]));
                }
                Kind::Words => words(out, value),
                Kind::Billable => {
                    let mut texts = values().map(|value| value.filter(|value| !is_empty(*value)).map(text));
                    let (role, operation) = (texts.next().flatten(), texts.next().flatten());
                    out.push(u8::from(is_billable(role.as_deref(), operation.as_deref())));
                }
            }
        }
    }
}

/// Whether a value is an empty text, which is as good as none: a map of texts cannot tell them apart.
fn is_empty(value: Value<'_>) -> bool {
    matches!(value, Value::Empty | Value::Text("") | Value::Bytes([]))
}

fn text(value: Value<'_>) -> std::borrow::Cow<'_, str> {
    match value {
        Value::Text(text) => text.into(),
        value => {
            let mut out = Vec::new();
            value.write_text(&mut out);
            String::from_utf8(out).unwrap_or_default().into()
        }
    }
}

/// Digits alone are a count.
fn count(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Integer(value) => u64::try_from(value).ok(),
        value => Some(text(value)).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok(),
    }
}

fn nano_dollars(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Integer(value) => Some(value),
        value => Some(text(value)).filter(|text| !text.starts_with('+'))?.parse().ok(),
    }
}

fn real(value: Value<'_>) -> Option<f64> {
    let real = match value {
        Value::Real(value) => value,
        value => text(value).parse().ok()?,
    };
    Some(real).filter(|real| real.is_finite())
}

fn words(out: &mut Vec<u8>, value: Option<Value<'_>>) {
    binary::counted(out, |out| {
        let Some(Value::Array(array)) = value else { return 0 };
        let texts = array.iter().filter_map(Value::as_text);
        texts.map(|text| binary::string(out, text.as_bytes())).count()
    });
}
