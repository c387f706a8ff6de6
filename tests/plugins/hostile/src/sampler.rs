//! A sampler that misbehaves. When polite it drops every trace.

use crate::{grow, spin, text_member, trap};
use tollgate_sdk::{ConfigError, Sampler, SamplerManifest, Traces, Verdicts};

tollgate_sdk::export_sampler!(Hostile);

struct Hostile {
    mode: String,
}

impl Sampler for Hostile {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        Ok(Self { mode: text_member(config, "mode").unwrap_or("polite").to_owned() })
    }

    fn manifest(&self) -> SamplerManifest {
        let (name, version) = ("hostile".into(), "0.0.1".into());
        SamplerManifest { name, version, reads: Vec::new(), rules: vec!["whim".into()] }
    }

    fn decide(&mut self, traces: &Traces) -> Result<Verdicts, String> {
        let count = traces.len();
        let verdicts = |keep, threshold, rule| Verdicts {
            keep: vec![keep; count],
            thresholds: vec![threshold; count],
            rules: vec![rule; count],
        };
        Ok(match self.mode.as_str() {
            "trap" => trap(),
            "loop" => spin(),
            "grow" => grow(),
            "refuse" => return Err("not today".into()),
            "verdicts missing" => Verdicts::default(),
            "rule that was not declared" => verdicts(0, Verdicts::NONE, 1),
            "kept though never kept" => verdicts(1, Verdicts::NONE, 0),
            _ => verdicts(0, Verdicts::NONE, 0),
        })
    }
}
