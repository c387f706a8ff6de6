//! Decisions on whole traces.

use crate::config::{Method, Settings};
use crate::trace::Trace;
use tollgate_columns::{ConfigError, Progress, SamplerManifest, Traces, Verdicts};

/// Decides traces by the policies or rules of its configuration. What it has seen of traffic, for limits and dynamic
/// rates, is its own: a clone begins with a copy of it.
#[derive(Clone, Debug)]
pub struct Sampler {
    settings: Settings,
}

impl Sampler {
    /// Reads a configuration: JSON text with `policies` or `rules`. `{}` keeps every trace.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub fn configure(json: &str) -> Result<Self, ConfigError> {
        Ok(Self { settings: Settings::parse(json)? })
    }

    /// What it reads, and its rules: those of the configuration in order, and one for traces that none is about.
    #[must_use]
    pub fn manifest(&self) -> SamplerManifest {
        SamplerManifest {
            name: "sampler".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reads: self.settings.reads.clone(),
            rules: self.settings.rules.clone(),
        }
    }

    /// One verdict a trace, in order. The columns of `traces` follow the manifest's `reads`.
    #[must_use]
    pub fn decide(&mut self, traces: &Traces) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for given in traces.iter() {
            let trace = Trace {
                batch: &traces.spans,
                spans: given.spans,
                now: traces.now,
                randomness: given.randomness,
                thinned: given.threshold,
                bytes: given.bytes,
                root: given.progress != Progress::NoRoot,
                complete: given.progress == Progress::Complete,
            };
            let decision = match &mut self.settings.method {
                Method::Policies(policies) => policies.decide(&trace),
                Method::Rules(rules) => rules.decide(&trace),
            };
            verdicts.keep.push(u8::from(decision.keep));
            verdicts.thresholds.push(decision.ratio.map_or(Verdicts::UNKNOWN, crate::head::Ratio::threshold));
            verdicts.rules.push(decision.rule);
        }
        verdicts
    }
}
