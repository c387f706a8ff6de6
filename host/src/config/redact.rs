//! `redact:`, a list of redactors, or a mapping that has it under `plugins` beside what holds for all of them.

use super::plugin::{OnError, Plugin};
use super::problem::Problems;
use super::section::Section;
use super::stages::whole;

/// What happens to fields that the host does not know, so that no redactor sees what is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are taken out.
    Drop,
    /// They go on as they are.
    Keep,
}

/// What happens to a text that is too large to be given to a redactor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOversize {
    /// Something that says that a text was here takes its place.
    Mask,
    /// The request is refused for good.
    Block,
    /// It goes on as it is.
    Pass,
}

/// The redactors, and what holds for all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Redact {
    /// In their order.
    pub plugins: Vec<Plugin>,
    /// What happens to fields that the host does not know.
    pub unknown_fields: UnknownFields,
    /// Longest text that a redactor is given, in bytes.
    pub max_text_size: usize,
    /// What happens to longer ones.
    pub on_oversize: OnOversize,
    /// Most texts that are remembered, for each redactor, because they name things and it found nothing in them.
    pub max_known_names: usize,
    /// Most other texts that are remembered, for each redactor, because it found nothing in them.
    pub max_known_texts: usize,
}

impl Default for Redact {
    fn default() -> Self {
        Self {
            plugins: Vec::new(),
            unknown_fields: UnknownFields::Drop,
            max_text_size: 4 << 20,
            on_oversize: OnOversize::Mask,
            max_known_names: 10_000,
            max_known_texts: 20_000,
        }
    }
}

impl Redact {
    pub(super) fn read(root: &mut Section<'_>, problems: &Problems) -> Self {
        let mut redact = Self::default();
        if !root.is_mapping("redact") {
            redact.plugins = Plugin::list(root, "redact", OnError::REDACTORS, OnError::Block, problems);
        } else if let Some(mut section) = root.section("redact") {
            redact.section(&mut section, problems);
            section.finish();
        }
        redact
    }

    fn section(&mut self, section: &mut Section<'_>, problems: &Problems) {
        let on_error = section.word("on_error", OnError::Block, OnError::REDACTORS);
        self.plugins = Plugin::list(section, "plugins", OnError::REDACTORS, on_error, problems);
        if self.plugins.is_empty() {
            section.problem("plugins", "is missing: a list of redactors, each with its path");
        }
        let words = [("drop", UnknownFields::Drop), ("keep", UnknownFields::Keep)];
        self.unknown_fields = section.word("unknown_fields", self.unknown_fields, &words);
        let words = [("mask", OnOversize::Mask), ("block", OnOversize::Block), ("pass", OnOversize::Pass)];
        self.on_oversize = section.word("on_oversize", self.on_oversize, &words);
        self.max_text_size = whole(section.size("max_text_size", 4 << 20, (1 << 10)..=(64 << 20)));
        self.max_known_names = whole(section.integer("max_known_names", 10_000, 0..=1_000_000));
        self.max_known_texts = whole(section.integer("max_known_texts", 20_000, 0..=1_000_000));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_holds_for_the_stage_holds_for_each_plugin_that_says_nothing_else() {
        let good = "receivers: {otlp: {protocols: {http: }}}\noutputs: {prometheus: }\n";
        let read = |redact: &str| Config::parse(&format!("{good}redact:{redact}\n")).unwrap().redact;
        assert_eq!(read(""), Redact::default());
        let list = read("\n  - path: a.wasm");
        assert_eq!(list.plugins[0].on_error, OnError::Block);
        assert_eq!(Redact { plugins: Vec::new(), ..list }, Redact::default());
        let stage = read(
            "\n  on_error: mask_all\n  unknown_fields: keep\n  on_oversize: pass\n  max_text_size: 1MiB\n  max_known_names: 7\n  max_known_texts: 8\n  \
             plugins:\n    - path: a.wasm\n    - {path: b.wasm, on_error: pass}",
        );
        let policies: Vec<_> = stage.plugins.iter().map(|plugin| plugin.on_error).collect();
        assert_eq!(policies, [OnError::MaskAll, OnError::Bypass]);
        let expected = Redact {
            plugins: Vec::new(),
            unknown_fields: UnknownFields::Keep,
            max_text_size: 1 << 20,
            on_oversize: OnOversize::Pass,
            max_known_names: 7,
            max_known_texts: 8,
        };
        assert_eq!(Redact { plugins: Vec::new(), ..stage }, expected);
    }
}
