//! Compiles the committed price document to tables in the program's read-only data.

#[allow(dead_code, unused_imports, unreachable_pub, reason = "the library uses the rest of this module")]
#[path = "src/data/mod.rs"]
mod data;

use data::compile::compile;
use data::document::Document;
use data::table::Tables;
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

const DOCUMENT: &str = "data/prices.txt";

/// Providers that most traffic goes to; models of the rest are left out of the core set. OpenRouter, which has more
/// models than all of these, says itself what a call cost.
const CORE: &[&str] = &[
    "anthropic",
    "aws",
    "azure",
    "cerebras",
    "cohere",
    "deepgram",
    "deepseek",
    "elevenlabs",
    "fireworks",
    "google",
    "groq",
    "mistral",
    "moonshotai",
    "openai",
    "perplexity",
    "together",
    "voyageai",
    "x-ai",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    println!("cargo::rerun-if-changed=src/data");
    println!("cargo::rerun-if-changed=build.rs");
    let text = std::fs::read_to_string(DOCUMENT)?;
    let document = Document::parse(&text).map_err(|error| format!("{DOCUMENT}: {error}"))?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let core = core(&document);
    for (name, document) in [("full", &document), ("core", &core)] {
        let tables = compile(document).map_err(|error| format!("{DOCUMENT}: too many {} to number", error.what))?;
        std::fs::write(out.join(format!("{name}.rs")), source(&name.to_uppercase(), &tables)?)?;
    }
    Ok(())
}

/// The document without the models of other providers. Those still answer to their names, so that their calls are not
/// taken for another provider's.
fn core(document: &Document) -> Document {
    let mut core = document.clone();
    core.providers.iter_mut().filter(|provider| !CORE.contains(&provider.id.as_str())).for_each(|provider| {
        provider.models.clear();
    });
    core
}

/// The tables as a Rust item. `Debug` of plain structs and enums is their source.
fn source(name: &str, tables: &Tables) -> Result<String, std::fmt::Error> {
    let mut source = format!("pub(crate) static {name}: Tables = Tables {{\n");
    for (field, text) in [("label", &tables.label), ("text", &tables.text)] {
        writeln!(source, "    {field}: Cow::Borrowed({text:?}),")?;
    }
    let mut array =
        |field: &str, entries: &dyn std::fmt::Debug| writeln!(source, "    {field}: Cow::Borrowed(&{entries:?}),");
    array("providers", &tables.providers)?;
    array("provider_names", &tables.provider_names)?;
    array("fallbacks", &tables.fallbacks)?;
    array("exact", &tables.exact)?;
    array("rules", &tables.rules)?;
    array("clauses", &tables.clauses)?;
    array("models", &tables.models)?;
    array("prices", &tables.prices)?;
    array("conditions", &tables.conditions)?;
    array("scales", &tables.scales)?;
    array("quotes", &tables.quotes)?;
    array("rates", &tables.rates)?;
    source.push_str("};\n");
    Ok(source)
}
