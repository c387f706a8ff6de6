//! The redactor as a component.

use crate::Redactor;
use tollgate_columns::{ConfigError, Given, Redaction, RedactorManifest};

tollgate_sdk::export_redactor!(Redactor);

impl tollgate_sdk::Redactor for Redactor {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        Self::configure(config)
    }

    fn manifest(&self) -> RedactorManifest {
        Self::manifest(self)
    }

    fn redact(&mut self, given: &Given) -> Result<Redaction, String> {
        Ok(Self::redact(self, given))
    }
}
