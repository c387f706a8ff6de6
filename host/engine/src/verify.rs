//! Reading a component's names before anything of it is compiled.

use crate::LoadError;
use wasmparser::{Parser, Payload};

/// The version of the package that this host speaks.
pub(crate) const VERSION: &str = "0.1.0";
const PACKAGE: &str = "tollgate:plugin/";
/// Interfaces that hold nothing but types, and so give a plugin nothing.
const TYPES: [&str; 2] = ["types", "columns"];

/// The kinds of plugin, one for each world of the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum World {
    /// Reads raw HTTP exchanges.
    Extractor,
    /// Adds attributes to spans.
    Enricher,
    /// Takes personal data out of texts.
    Redactor,
    /// Decides which traces are kept.
    Sampler,
}

impl World {
    /// The world's name in the WIT package.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Extractor => "extractor",
            Self::Enricher => "enricher",
            Self::Redactor => "redactor",
            Self::Sampler => "sampler",
        }
    }

    /// The name with its article, for sentences.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Extractor => "an extractor",
            Self::Enricher => "an enricher",
            Self::Redactor => "a redactor",
            Self::Sampler => "a sampler",
        }
    }

    fn of_interface(name: &str) -> Option<Self> {
        match name {
            "extraction" => Some(Self::Extractor),
            "enrichment" => Some(Self::Enricher),
            "redaction" => Some(Self::Redactor),
            "sampling" => Some(Self::Sampler),
            _ => None,
        }
    }
}

/// The names on a component's outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outside {
    pub(crate) worlds: Vec<World>,
    pub(crate) imports: Vec<String>,
}

/// Checks the names of what a component imports and exports.
pub(crate) fn outside(bytes: &[u8]) -> Result<Outside, LoadError> {
    if Parser::is_core_wasm(bytes) {
        return Err(LoadError::CoreModule);
    }
    if !Parser::is_component(bytes) {
        return Err(LoadError::NotWebAssembly);
    }
    let (imports, exports) = names(bytes).map_err(|error| LoadError::Invalid(error.to_string()))?;
    for import in &imports {
        let Some((interface, version)) = interface(import) else {
            return Err(LoadError::Import { import: import.clone() });
        };
        if !TYPES.contains(&interface) {
            return Err(LoadError::Import { import: import.clone() });
        }
        check_version(interface, version)?;
    }
    let mut worlds = Vec::new();
    for (interface, version) in exports.iter().filter_map(|export| interface(export)) {
        if let Some(world) = World::of_interface(interface) {
            check_version(interface, version)?;
            worlds.push(world);
        }
    }
    if worlds.is_empty() {
        return Err(LoadError::NotAPlugin { exports });
    }
    worlds.sort_unstable();
    Ok(Outside { worlds, imports })
}

/// An interface of the package, and its version.
fn interface(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

fn check_version(interface: &str, version: &str) -> Result<(), LoadError> {
    if version == VERSION {
        return Ok(());
    }
    Err(LoadError::Version { interface: format!("{PACKAGE}{interface}"), speaks: version.to_owned(), host: VERSION })
}

/// Names of the imports and exports of the outermost component.
fn names(bytes: &[u8]) -> wasmparser::Result<(Vec<String>, Vec<String>)> {
    let (mut imports, mut exports, mut depth) = (Vec::new(), Vec::new(), 0_u32);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth = depth.saturating_add(1),
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok((imports, exports))
}
