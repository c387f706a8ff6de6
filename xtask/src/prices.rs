//! `cargo xtask prices`: imports the price set from the `genai-prices` package, and what that lacks from the table of the
//! `litellm` package, into the price document.
//!
//! The wheels are pinned by version and digest, and fetched with pip; their data is read, not run. The same wheels give
//! the same document, byte for byte. What was left out, and what changed against the committed document, is printed.

mod import;
mod litellm;
mod pattern;
mod wheel;

pub(crate) use wheel::{GENAI_PRICES, LITELLM};

use std::path::Path;
use tollgate_cost_calculator::document::Document;

/// Day of import of these versions; a part of the set's name.
const DATE: &str = "2026-11-26";
const LICENCE: &str = "MIT, Copyright (c) Pydantic Services Inc. 2025 to present; rows from litellm MIT, Copyright (c) 2023 \
                       Berri AI; the notices are in NOTICE";
const DOCUMENT: &str = "plugins/cost-calculator/data/prices.txt";
const HEADER: &str = "\
# Prices of LLM APIs in US dollars. Written by `cargo xtask prices`; changes by hand are lost.
# The form is described in plugins/cost-calculator/src/data/document.rs.
";

/// Runs the command. `--check` writes nothing and fails where the document would change.
///
/// # Errors
/// A sentence that says what could not be done.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let check = match args {
        [] => false,
        ["--check"] => true,
        _ => return Err("usage: cargo xtask prices [--check]".to_owned()),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("xtask is not in a workspace")?;
    let folder = folder(root);
    let mut document = import::document(&GENAI_PRICES.read(&folder)?)?;
    GENAI_PRICES.package.clone_into(&mut document.name);
    document.version = format!("{}+{}.{}", GENAI_PRICES.version, LITELLM.package, LITELLM.version);
    DATE.clone_into(&mut document.date);
    LICENCE.clone_into(&mut document.licence);
    document.source = format!(
        "the Python package {} {}, file genai_prices/data.py; rows from litellm and factors for regions: the Python package \
         {} {}, file litellm/model_prices_and_context_window_backup.json",
        GENAI_PRICES.package, GENAI_PRICES.version, LITELLM.package, LITELLM.version
    );
    let report = litellm::add(&mut document, &LITELLM.read(&folder)?)?;
    print!("{report}");
    let text = format!("{HEADER}{document}");
    let read_back = Document::parse(&text).map_err(|error| format!("the document that was written: {error}"))?;
    if read_back != document {
        return Err("the document that was written reads back as another one".to_owned());
    }

    let path = root.join(DOCUMENT);
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed == text {
        println!("{DOCUMENT}: {} {}, unchanged", document.name, document.version);
        return Ok(());
    }
    print!("{}", tollgate_cost_calculator::changes(&Document::parse(&committed).unwrap_or_default(), &document));
    if check {
        return Err(format!("{DOCUMENT} is not what the pinned packages give; run `cargo xtask prices`"));
    }
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{DOCUMENT}: written");
    Ok(())
}

/// Where the wheels are kept.
pub(crate) fn folder(root: &Path) -> std::path::PathBuf {
    root.join("target/xtask/prices")
}
