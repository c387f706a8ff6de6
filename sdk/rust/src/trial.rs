//! Trying an enricher in a unit test, natively and by attribute name.

use crate::enricher::{ColumnEnricher, Enricher, Rowwise};
use std::collections::BTreeMap;
use tollgate_columns::{ConfigError, Edits, EnricherManifest};

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text; arrays and maps as JSON text.
    Text(String),
    /// An integer; truth values as 0 and 1.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<f64> for Value {
    fn from(real: f64) -> Self {
        Self::Real(real)
    }
}

/// A configured enricher under test. It is given what a host would give it: of each span the attributes that its
/// manifest reads, and nothing else.
pub struct Trial<E> {
    enricher: Rowwise<E>,
}

impl<E: Enricher> Trial<E> {
    /// Configures the enricher.
    ///
    /// # Errors
    /// What the enricher finds wrong with the configuration.
    pub fn configure(config: &str) -> Result<Self, ConfigError> {
        Rowwise::configure(config).map(|enricher| Self { enricher })
    }

    /// What the enricher declared.
    #[must_use]
    pub fn manifest(&self) -> EnricherManifest {
        self.enricher.manifest()
    }

    /// Gives spans, each a list of attributes, and returns the attributes set on each.
    ///
    /// # Errors
    /// The sentence with which the enricher refuses the batch.
    pub fn run(&mut self, spans: &[&[(&str, Value)]]) -> Result<Vec<BTreeMap<String, Value>>, String> {
        let manifest = self.enricher.manifest();
        let mut given = Edits::new(u32::try_from(spans.len()).unwrap_or(u32::MAX));
        for (row, span) in (0..).zip(spans) {
            for (number, name) in (0..).zip(&manifest.reads) {
                match span.iter().find(|(key, _)| key == name).map(|(_, value)| value) {
                    Some(Value::Text(text)) => given.text(row, number, text.as_str()),
                    Some(Value::Integer(integer)) => given.integer(row, number, *integer),
                    Some(Value::Real(real)) => given.real(row, number, *real),
                    None => {}
                }
            }
        }
        let edits = self.enricher.enrich(&given.finish())?;
        Ok(edits
            .rows()
            .map(|row| {
                let value = |number| {
                    let text = row.text(number).map(Value::from);
                    text.or_else(|| row.integer(number).map(Value::from)).or_else(|| row.real(number).map(Value::from))
                };
                let written = (0..).zip(&manifest.writes);
                written.filter_map(|(number, attribute)| Some((attribute.name.clone(), value(number)?))).collect()
            })
            .collect())
    }
}

impl<E: Enricher> std::fmt::Debug for Trial<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Trial").field(&self.manifest()).finish()
    }
}
