//! A plugin in its stage: what happens when it fails, and the counters that show it.

use crate::config::{OnError, Stage};
use crate::metrics::{Labels, Metrics};
use crate::receivers::Refusal;
use std::time::Duration;
use tollgate_columns::{
    Batch, EnricherManifest, Given, Redaction, RedactorManifest, SamplerManifest, Traces, Verdicts,
};

/// Why a call of a plugin gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Failure {
    /// The word used in metrics: `trap`, `deadline`, `memory`, `refused`, `malformed`, and so on.
    pub kind: &'static str,
    /// What happened.
    pub message: String,
}

/// Adds attributes to spans, or replaces them.
pub trait Enricher: Send + Sync {
    /// What it reads and writes.
    fn manifest(&self) -> &EnricherManifest;
    /// Edits for a batch of spans.
    ///
    /// # Errors
    /// The call failed; there are no edits.
    fn enrich(&self, spans: Batch) -> Result<Batch, Failure>;
}

/// Takes personal data out of texts.
pub trait Redactor: Send + Sync {
    /// What it can find.
    fn manifest(&self) -> &RedactorManifest;
    /// Findings, and the texts that changed.
    ///
    /// # Errors
    /// The call failed; nothing is known about these texts.
    fn redact(&self, given: &Given) -> Result<Redaction, Failure>;
    /// A number that is another one once it works by another configuration; what was found before counts no more then.
    fn configuration(&self) -> u64 {
        0
    }
}

/// Decides which traces are kept.
pub trait Sampler: Send + Sync {
    /// What it reads, and its rules.
    fn manifest(&self) -> &SamplerManifest;
    /// One verdict a trace.
    ///
    /// # Errors
    /// The call failed; nothing is decided.
    fn decide(&self, traces: Traces) -> Result<Verdicts, Failure>;
}

/// A plugin with its name and what happens when it fails.
pub struct Hosted<P: ?Sized> {
    name: String,
    stage: Stage,
    on_error: OnError,
    metrics: Metrics,
    plugin: Box<P>,
}

impl<P: ?Sized> std::fmt::Debug for Hosted<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hosted").field("name", &self.name).field("stage", &self.stage).finish_non_exhaustive()
    }
}

impl<P: ?Sized> Hosted<P> {
    /// A plugin under a name that is its own in the stage.
    pub fn new(name: &str, stage: Stage, on_error: OnError, metrics: &Metrics, plugin: Box<P>) -> Self {
        Self { name: name.to_owned(), stage, on_error, metrics: metrics.clone(), plugin }
    }

    /// The plugin.
    #[must_use]
    pub fn plugin(&self) -> &P {
        &self.plugin
    }

    /// The plugin's name in its stage.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What happens to a batch when the plugin fails.
    #[must_use]
    pub fn on_error(&self) -> OnError {
        self.on_error
    }

    /// Calls the plugin. `None` where it failed and the batch goes on without what it would have done.
    ///
    /// # Errors
    /// It failed and blocks: the sender keeps the batch and sends it again.
    pub fn call<T>(
        &self,
        retry_after: Duration,
        call: impl FnOnce(&P) -> Result<T, Failure>,
    ) -> Result<Option<T>, Refusal> {
        self.metrics.plugin_calls.with(self.labels()).inc();
        let failure = match call(&self.plugin) {
            Ok(given) => return Ok(Some(given)),
            Err(failure) => failure,
        };
        let mut labels = self.labels();
        labels.push(("kind", failure.kind.to_owned()));
        self.metrics.plugin_failures.with(labels).inc();
        let (plugin, stage) = (self.name.as_str(), self.stage.as_str());
        match self.on_error {
            OnError::Bypass => {
                tracing::warn!(plugin, stage, %failure, "the plugin failed; the batch goes on without it");
                self.metrics.plugin_bypassed.with(self.labels()).inc();
                Ok(None)
            }
            OnError::MaskAll => {
                tracing::warn!(plugin, stage, %failure, "the plugin failed; the batch goes on without its texts");
                self.metrics.plugin_masked.with(self.labels()).inc();
                Ok(None)
            }
            OnError::Block => {
                tracing::error!(plugin, stage, %failure, "the plugin failed; the batch is refused");
                self.metrics.plugin_blocked.with(self.labels()).inc();
                Err(Refusal::Unavailable { what: format!("plugin {plugin} failed ({})", failure.kind), retry_after })
            }
        }
    }

    fn labels(&self) -> Labels {
        vec![("plugin", self.name.clone()), ("stage", self.stage.as_str().to_owned())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(on_error: OnError, given: Result<u8, Failure>) -> (Result<Option<u8>, Refusal>, String) {
        let metrics = Metrics::new(10);
        let hosted: Hosted<()> = Hosted::new("p", Stage::Enrich, on_error, &metrics, Box::new(()));
        let given = hosted.call(Duration::from_secs(1), |()| given);
        (given, metrics.page())
    }

    #[test]
    fn a_plugin_that_fails_is_bypassed_or_blocks_as_configured() {
        let failure = || Err(Failure { kind: "trap", message: "unreachable".to_owned() });
        let failed = r#"tollgate_plugin_failures_total{plugin="p",stage="enrich",kind="trap"} 1"#;

        let (given, page) = call(OnError::Bypass, failure());
        assert_eq!(given, Ok(None));
        assert!(page.contains(failed) && page.contains(r#"bypassed_total{plugin="p",stage="enrich"} 1"#), "{page}");

        let (given, page) = call(OnError::Block, failure());
        assert!(matches!(given, Err(Refusal::Unavailable { .. })));
        assert!(page.contains(failed) && page.contains(r#"blocked_total{plugin="p",stage="enrich"} 1"#), "{page}");

        let (given, page) = call(OnError::MaskAll, failure());
        assert_eq!(given, Ok(None));
        assert!(page.contains(failed) && page.contains(r#"masked_total{plugin="p",stage="enrich"} 1"#), "{page}");

        let (given, page) = call(OnError::Block, Ok(7));
        assert_eq!(given, Ok(Some(7)));
        assert!(!page.contains("failures_total{"), "{page}");
    }
}
