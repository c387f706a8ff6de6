//! Rows into columns.

use crate::column::{Column, Texts};
use crate::fields::{Field, Kind, Source};
use crate::item::{Found, Item};
use tollgate_otlp::{Array, Attributes, Names, Value};

/// Digits of hexadecimal numbers.
const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Fills the columns of a table. Which attributes are columns is known from its fields, and each row's attributes are
/// gone through once for all of them.
#[derive(Debug)]
pub(crate) struct Filler {
    fields: &'static [Field],
    /// Attributes that have a column, each with its place among those.
    names: Names,
    /// For each field the places of its attributes, the one that is preferred first.
    wanted: Vec<Vec<usize>>,
    places: usize,
}

impl Filler {
    pub(crate) fn new(fields: &'static [Field]) -> Self {
        let mut all: Vec<(&str, u16)> = Vec::new();
        let mut wanted = Vec::new();
        for field in fields {
            let mut places = Vec::new();
            if let Source::Attributes(names) = field.from {
                for name in names {
                    places.push(all.len());
                    all.push((name, u16::try_from(all.len()).unwrap_or(u16::MAX)));
                }
            }
            wanted.push(places);
        }
        Self { fields, names: Names::new(all.iter().copied()), wanted, places: all.len() }
    }

    /// Empty columns.
    pub(crate) fn columns(&self) -> Vec<Column> {
        self.fields.iter().map(|field| empty(field.kind)).collect()
    }

    /// Adds a row to the columns.
    pub(crate) fn push(&self, item: &Item<'_>, columns: &mut [Column]) {
        let mut values = vec![Value::Empty; self.places];
        for (name, value) in item.attributes() {
            for place in self.names.find(name.as_bytes()) {
                if let Some(slot) = values.get_mut(usize::from(place)).filter(|slot| **slot == Value::Empty) {
                    *slot = value;
                }
            }
        }
        for ((field, wanted), column) in self.fields.iter().zip(&self.wanted).zip(columns) {
            match field.from {
                Source::Item(part) => add(column, item.part(part)),
                Source::Resource(name) => {
                    add(column, item.resource().get(name).map_or(Found::Nothing, Found::Value));
                }
                Source::Attributes(_) => {
                    let of_kind = |value: &Value<'_>| is_of(*value, field.kind);
                    let mut candidates = wanted.iter().filter_map(|place| values.get(*place).copied());
                    add(column, candidates.find(of_kind).map_or(Found::Nothing, Found::Value));
                }
            }
        }
    }
}

fn empty(kind: Kind) -> Column {
    match kind {
        Kind::Time => Column::Integer { values: Vec::new(), present: None },
        Kind::Integer => Column::Integer { values: Vec::new(), present: Some(Vec::new()) },
        Kind::Real => Column::Real { values: Vec::new(), present: Vec::new() },
        Kind::Cost => Column::Cost { values: Vec::new(), present: Vec::new() },
        Kind::Text | Kind::Name => Column::Text(Texts::default()),
        Kind::List => Column::List { elements: Texts::default(), repeats: Vec::new() },
        Kind::Map => Column::Map { keys: Texts::default(), values: Texts::default(), repeats: Vec::new() },
    }
}

/// Whether a value can stand in a column of this kind. What cannot is still among all attributes.
fn is_of(value: Value<'_>, kind: Kind) -> bool {
    match kind {
        Kind::Integer | Kind::Cost | Kind::Time => matches!(value, Value::Integer(_)),
        Kind::Real => value.as_real().is_some(),
        Kind::Text | Kind::Name => value != Value::Empty,
        Kind::List => matches!(value, Value::Array(_) | Value::Text(_)),
        Kind::Map => matches!(value, Value::Map(_)),
    }
}

fn add(column: &mut Column, found: Found<'_>) {
    match column {
        // A time that is required is in microseconds; one that is not said is 1970.
        Column::Integer { values, present: None } => values.push(integer(&found).unwrap_or(0) / 1_000),
        Column::Integer { values, present: Some(present) } => put(values, present, integer(&found)),
        Column::Real { values, present } => {
            put(values, present, if let Found::Value(value) = found { value.as_real() } else { None });
        }
        Column::Cost { values, present } => put(values, present, integer(&found).map(i128::from)),
        Column::Text(texts) => text(texts, &found),
        Column::List { elements, repeats } => match found {
            Found::Value(Value::Array(array)) => list(elements, repeats, array),
            Found::Value(Value::Text(text)) => {
                elements.push(text, 2);
                repeats.push(0);
            }
            _ => {
                elements.absent(0);
                repeats.push(0);
            }
        },
        Column::Map { keys, values, repeats } => match found {
            Found::Attributes(attributes) => map(keys, values, repeats, attributes),
            _ => empty_map(keys, values, repeats),
        },
    }
}

fn integer(found: &Found<'_>) -> Option<i64> {
    match found {
        Found::Integer(value) => Some(*value),
        Found::Value(value) => value.as_integer(),
        _ => None,
    }
}

fn put<T>(values: &mut Vec<T>, present: &mut Vec<i16>, value: Option<T>) {
    present.push(i16::from(value.is_some()));
    values.extend(value);
}

fn text(texts: &mut Texts, found: &Found<'_>) {
    match found {
        Found::Text(text) => texts.push(text, 1),
        Found::Id(id) => texts.push_bytes(id.iter().flat_map(|byte| digits(*byte)), 1),
        Found::Value(Value::Text(text)) => texts.push(text, 1),
        Found::Value(value) if *value != Value::Empty => texts.push(&json(*value), 1),
        Found::Integer(value) => texts.push(&value.to_string(), 1),
        _ => texts.absent(0),
    }
}

fn json(value: Value<'_>) -> String {
    let mut json = String::new();
    value.push_json(&mut json);
    json
}

fn digits(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| DIGITS.get(usize::from(digit)).copied().unwrap_or(b'0'))
}

fn list(elements: &mut Texts, repeats: &mut Vec<i16>, array: Array<'_>) {
    let before = repeats.len();
    for value in array.iter() {
        repeats.push(i16::from(repeats.len() > before));
        match value {
            Value::Text(text) => elements.push(text, 2),
            value => elements.push(&json(value), 2),
        }
    }
    if repeats.len() == before {
        elements.absent(1);
        repeats.push(0);
    }
}

fn empty_map(keys: &mut Texts, values: &mut Texts, repeats: &mut Vec<i16>) {
    keys.absent(0);
    values.absent(0);
    repeats.push(0);
}

/// Keys once each, the first value counting: engines refuse maps in which a key is there twice.
fn map(keys: &mut Texts, values: &mut Texts, repeats: &mut Vec<i16>, attributes: Attributes<'_>) {
    let before = repeats.len();
    let mut seen = Seen::default();
    for (key, value) in attributes {
        if value == Value::Empty || !seen.insert(key) {
            continue;
        }
        repeats.push(i16::from(repeats.len() > before));
        keys.push(key, 1);
        match value {
            Value::Text(text) => values.push(text, 1),
            value => values.push(&json(value), 1),
        }
    }
    if repeats.len() == before {
        empty_map(keys, values, repeats);
    }
}

/// Keys that were there: a few are compared one by one, many are hashed.
#[derive(Default)]
struct Seen<'k> {
    few: Vec<&'k str>,
    many: std::collections::HashSet<&'k str>,
}

const FEW: usize = 32;

impl<'k> Seen<'k> {
    /// Whether the key is new.
    fn insert(&mut self, key: &'k str) -> bool {
        if self.few.contains(&key) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(key);
            return true;
        }
        self.many.insert(key)
    }
}
