//! The sampler as a component.

use crate::Sampler;
use tollgate_columns::{ConfigError, SamplerManifest, Traces, Verdicts};

tollgate_sdk::export_sampler!(Sampler);

impl tollgate_sdk::Sampler for Sampler {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        Self::configure(config)
    }

    fn manifest(&self) -> SamplerManifest {
        Self::manifest(self)
    }

    fn decide(&mut self, traces: &Traces) -> Result<Verdicts, String> {
        Ok(Self::decide(self, traces))
    }
}
