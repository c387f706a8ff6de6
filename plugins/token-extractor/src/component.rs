//! The extractor as a component, with the enricher for foreign dialects beside it.

use crate::dialect::Enricher;
use crate::{Exchange, Extractor, RequestHead};
use tollgate_call::Api;
use tollgate_columns::{Batch, EnricherManifest};
use tollgate_sdk::{ColumnEnricher, ConfigError, ExtractorManifest, Header, Outcome, Reading};

tollgate_sdk::export_extractor!(Extractor);
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

impl tollgate_sdk::Extractor for Extractor {
    type Exchange = Exchange;

    fn configure(config: &str) -> Result<Self, ConfigError> {
        Self::configure(config)
    }

    fn manifest(&self) -> ExtractorManifest {
        ExtractorManifest {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            apis: Api::ALL.iter().map(|api| api.as_str().to_owned()).collect(),
        }
    }

    fn exchange(&mut self, head: &tollgate_sdk::RequestHead) -> Exchange {
        let content_type = head.headers.iter().find(|header| header.name == "content-type");
        Self::exchange(
            self,
            RequestHead {
                method: &head.method,
                host: &head.host,
                path: &head.path,
                content_type: content_type.map(|header| header.value.as_slice()),
            },
        )
    }
}

impl tollgate_sdk::Exchange for Exchange {
    fn request_body(&mut self, chunk: &[u8]) {
        Self::request_body(self, chunk);
    }

    fn response_head(&mut self, status: u16, headers: &[Header]) {
        Self::response_head(self, status, headers.iter().map(|header| (header.name.as_str(), header.value.as_slice())));
    }

    fn response_body(&mut self, chunk: &[u8], elapsed: u64) {
        Self::response_body(self, chunk, elapsed);
    }

    fn end(self, outcome: Outcome) -> Reading {
        Self::end(self, outcome.into()).into()
    }
}
