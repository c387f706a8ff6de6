//! The enricher as a component.

use crate::Enricher;
use tollgate_columns::{Batch, ConfigError, EnricherManifest};
use tollgate_sdk::ColumnEnricher;

tollgate_sdk::export_column_enricher!(Enricher);

impl ColumnEnricher for Enricher {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        Self::configure(config)
    }

    fn manifest(&self) -> EnricherManifest {
        Self::manifest(self)
    }

    fn enrich(&mut self, spans: &Batch) -> Result<Batch, String> {
        Ok(Self::enrich(self, spans))
    }
}
