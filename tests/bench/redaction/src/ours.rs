//! The redactor.

use crate::detector::{Detector, Found};
use crate::span::Span;
use std::hint::black_box;
use std::time::Instant;
use tollgate_pii_redactor::Redactor;

/// The redactor with its default configuration.
pub(crate) struct Ours {
    redactor: Redactor,
    types: Vec<String>,
}

impl Default for Ours {
    fn default() -> Self {
        let redactor = Redactor::default();
        let types = redactor.manifest().types;
        Self { redactor, types }
    }
}

impl Ours {
    /// The types of the manifest.
    pub(crate) fn types(&self) -> &[String] {
        &self.types
    }
}

impl Detector for Ours {
    fn name(&self) -> &str {
        "tollgate"
    }

    fn knows(&self, kind: &str) -> bool {
        self.types.iter().any(|name| name == kind)
    }

    fn find(&mut self, texts: &[&str]) -> Result<Found, String> {
        let mut found = Found::default();
        for text in texts {
            let begun = Instant::now();
            let (_, findings) = black_box(self.redactor.redact_text(black_box(text)));
            found.seconds.push(begun.elapsed().as_secs_f64());
            let spans = findings.iter().map(|finding| {
                let name = self.types.get(usize::from(finding.kind)).map_or("", String::as_str);
                Span::new(name, finding.start, finding.end)
            });
            found.findings.push(spans.collect());
        }
        Ok(found)
    }

    fn redacted(&self, text: &str) -> Option<String> {
        Some(self.redactor.redact_text(text).0.unwrap_or_else(|| text.to_owned()))
    }
}
