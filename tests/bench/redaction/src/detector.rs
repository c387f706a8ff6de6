//! What is compared: something that finds stretches in texts.

use crate::span::Span;

/// What was found in texts.
#[derive(Default)]
pub(crate) struct Found {
    /// By text; bytes of the text as it was given.
    pub(crate) findings: Vec<Vec<Span>>,
    /// Seconds that each text took.
    pub(crate) seconds: Vec<f64>,
}

/// Something that finds stretches in texts.
pub(crate) trait Detector {
    /// A name for the tables.
    fn name(&self) -> &str;

    /// Whether it can find the type at all.
    fn knows(&self, kind: &str) -> bool;

    /// Reads texts one by one.
    ///
    /// # Errors
    /// A sentence where the detector failed; nothing is measured then.
    fn find(&mut self, texts: &[&str]) -> Result<Found, String>;

    /// What is left of a text after redaction, where the detector redacts.
    fn redacted(&self, _text: &str) -> Option<String> {
        None
    }
}
