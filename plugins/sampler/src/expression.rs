//! Conditions on one span, as rules and OTTL conditions are made of.

use crate::reads::Attribute;
use crate::trace::{Value, nearest};
use regex_lite::Regex;
use std::cmp::Ordering;
use tollgate_columns::Row;

/// What a condition looks at: an attribute, or several whose numbers are added up.
#[derive(Clone, Debug)]
pub(crate) struct Operand {
    pub(crate) attributes: Vec<Attribute>,
    /// Whether a value is a list in JSON, of which one element is enough.
    pub(crate) list: bool,
}

impl Operand {
    /// One attribute.
    pub(crate) fn one(attribute: Attribute) -> Self {
        Self { attributes: vec![attribute], list: false }
    }

    /// The sum of the numbers of a span; `None` where it has none.
    pub(crate) fn number(&self, row: Row<'_>) -> Option<f64> {
        let numbers = self.attributes.iter().filter_map(|attribute| nearest(row, *attribute)?.number());
        numbers.fold(None, |sum, number| Some(sum.unwrap_or(0.0) + number))
    }
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Text(String),
    Number(f64),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Whether it holds for values in this order; NaN is in none.
    pub(crate) fn holds(self, order: Option<Ordering>) -> bool {
        order.is_some_and(|order| match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        })
    }
}

/// What has to be so of a value.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Exists,
    Compare(Comparison, Literal),
    OneOf(Vec<Literal>),
    Contains(String),
    StartsWith(String),
    Matches(Regex),
}

impl Test {
    /// Whether it is so of a value. Texts and numbers are never equal, and never in an order.
    fn holds(&self, value: Value<'_>) -> bool {
        let compare = |literal: &Literal| match (literal, value) {
            (Literal::Text(wanted), Value::Text(text)) => Some(text.cmp(wanted.as_str())),
            (Literal::Number(wanted), value) => value.number()?.partial_cmp(wanted),
            _ => None,
        };
        let text = |holds: &dyn Fn(&str) -> bool| matches!(value, Value::Text(text) if holds(text));
        match self {
            Self::Exists => true,
            Self::Compare(comparison, literal) => comparison.holds(compare(literal)),
            Self::OneOf(literals) => literals.iter().any(|literal| Comparison::Equal.holds(compare(literal))),
            Self::Contains(part) => text(&|text| text.contains(part)),
            Self::StartsWith(start) => text(&|text| text.starts_with(start)),
            Self::Matches(expression) => text(&|text| expression.is_match(text)),
        }
    }
}

/// A condition on one span.
#[derive(Clone, Debug)]
pub(crate) enum SpanExpr {
    /// The value is there, and the test holds of it.
    Is(Operand, Test),
    All(Vec<SpanExpr>),
    Any(Vec<SpanExpr>),
    Not(Box<SpanExpr>),
}

impl SpanExpr {
    /// Whether it holds for a span.
    pub(crate) fn holds(&self, row: Row<'_>) -> bool {
        match self {
            Self::Is(operand, test) => is(operand, test, row),
            Self::All(parts) => parts.iter().all(|part| part.holds(row)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(row)),
            Self::Not(part) => !part.holds(row),
        }
    }
}

fn is(operand: &Operand, test: &Test, row: Row<'_>) -> bool {
    let [attribute] = operand.attributes.as_slice() else {
        return operand.number(row).is_some_and(|number| test.holds(Value::Real(number)));
    };
    let Some(value) = nearest(row, *attribute) else { return false };
    match value {
        Value::Text(text) if operand.list && text.starts_with('[') => {
            let elements: Vec<String> = serde_json::from_str(text).unwrap_or_default();
            elements.iter().any(|element| test.holds(Value::Text(element)))
        }
        value => test.holds(value),
    }
}
