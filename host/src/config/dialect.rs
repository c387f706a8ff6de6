//! `dialect:` of an output: a preset, or a mapping of a preset and what is changed of it.

use super::section::Section;
use std::sync::Arc;
use tollgate_dialect::{Overrides, Preset};

/// In which names an output sends spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// The table of rules.
    pub preset: Preset,
    /// What is changed of it.
    pub overrides: Overrides,
}

impl Dialect {
    /// Reads the key `dialect`; without it, it is `default`.
    pub(super) fn read(output: &mut Section<'_>, default: Preset) -> Self {
        let words = Preset::ALL.map(|preset| (preset.name(), preset));
        if !output.is_mapping("dialect") {
            return Self { preset: output.word("dialect", default, &words), overrides: Overrides::default() };
        }
        let Some(mut section) = output.section("dialect") else { return Self::default() };
        let preset = section.word("preset", default, &words);
        let mut pairs = |key| section.section(key).map(|section| section.texts()).unwrap_or_default();
        let (rename, copy) = (pairs("rename"), pairs("copy"));
        let drop = section.text_list("drop").into_iter().map(|(name, ..)| name).collect();
        let dialect = Self { preset, overrides: Overrides { rename, copy, drop } };
        if let Err(error) = tollgate_dialect::Dialect::new(preset, &dialect.overrides) {
            section.problem("rename", error.to_string());
        }
        section.finish();
        dialect
    }

    /// The rules made ready; nothing where nothing is changed.
    pub(crate) fn compile(&self) -> Option<Arc<tollgate_dialect::Dialect>> {
        // What contradicts itself was refused when it was read.
        let dialect = tollgate_dialect::Dialect::new(self.preset, &self.overrides).ok()?;
        (!dialect.is_identity()).then(|| Arc::new(dialect))
    }
}
