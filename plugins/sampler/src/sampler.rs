//! Decisions on whole traces.

use crate::config::Settings;
use crate::head::Ratio;
use tollgate_columns::{ConfigError, SamplerManifest, Traces, Verdicts};

/// Name of the rule of a trace that no policy matched.
const UNMATCHED: &str = "no policy matched";

/// Decides traces by the policies of its configuration: the first that matches.
#[derive(Clone, Debug)]
pub struct Sampler {
    settings: Settings,
}

impl Sampler {
    /// Reads a configuration: JSON text with `policies`. `{}` keeps every trace.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub fn configure(json: &str) -> Result<Self, ConfigError> {
        Ok(Self { settings: Settings::parse(json)? })
    }

    /// What it reads, and its rules: the policies in order, and one for traces that none matches.
    #[must_use]
    pub fn manifest(&self) -> SamplerManifest {
        let names = self.settings.policies.iter().map(|policy| policy.name.clone());
        SamplerManifest {
            name: "sampler".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            reads: self.settings.reads.clone(),
            rules: names.chain([UNMATCHED.to_owned()]).collect(),
        }
    }

    /// One verdict a trace. The columns of `traces` follow the manifest's `reads`.
    #[must_use]
    pub fn decide(&self, traces: &Traces) -> Verdicts {
        let mut verdicts = Verdicts::default();
        for (id, spans) in traces.iter() {
            let policies = self.settings.policies.iter().enumerate();
            let decided = policies
                .map(|(rule, policy)| (rule, policy.ratio, &policy.condition))
                .find(|(_, _, condition)| condition.holds(&traces.spans, spans.clone()));
            let (rule, ratio) = match decided {
                Some((rule, ratio, _)) => (rule, ratio),
                None => (self.settings.policies.len(), Ratio::NEVER),
            };
            verdicts.keep.push(u8::from(ratio.decide(id)));
            verdicts.probabilities.push(ratio.probability());
            verdicts.rules.push(u16::try_from(rule).unwrap_or(u16::MAX));
        }
        verdicts
    }
}
