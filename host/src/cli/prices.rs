//! `tollgate prices`: price documents shown, compared, checked and exchanged.

use super::fail;
use clap::Subcommand;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tollgate_cost_calculator::document::{Document, Model, Provider};
use tollgate_cost_calculator::{DOCUMENT, Overlay, changes, lint};

/// The name of the document that comes with Tollgate.
const BUILTIN: &str = "builtin";

/// Work with price documents; `builtin` names the one that comes with Tollgate.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the providers, a provider's models, or a model's prices.
    Show {
        /// `PROVIDER` or `PROVIDER/MODEL`, by the ids of the document.
        name: Option<String>,
        /// The document.
        #[arg(long, value_name = "FILE", default_value = BUILTIN)]
        prices: PathBuf,
    },
    /// Show what changes from one document to another.
    Diff {
        /// The document that is in use.
        old: PathBuf,
        /// The document that would take its place.
        new: PathBuf,
    },
    /// Put a document in the place of another, once it is right, and show what changes.
    Update {
        /// The file that a host reads its prices from; it need not be there yet.
        file: PathBuf,
        /// The document that takes its place.
        new: PathBuf,
    },
    /// Say what is wrong or odd about documents and overlays, as FILE:LINE: message.
    Lint {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

pub(super) fn run(command: &Command) -> ExitCode {
    let done = match command {
        Command::Show { name, prices } => load(prices).and_then(|document| show(&document, name.as_deref())),
        Command::Diff { old, new } => load(old).and_then(|old| Ok(changes(&old, &load(new)?))),
        Command::Update { file, new } => update(file, new),
        Command::Lint { files } => return check(files),
    };
    match done {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(why) => fail(why),
    }
}

fn text(file: &Path) -> Result<String, String> {
    if file == Path::new(BUILTIN) {
        return Ok(DOCUMENT.to_owned());
    }
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn load(file: &Path) -> Result<Document, String> {
    Document::parse(&text(file)?).map_err(|error| format!("{}:{}: {}", file.display(), error.line, error.message))
}

fn show(document: &Document, name: Option<&str>) -> Result<String, String> {
    let Some(name) = name else {
        let of = |provider: &Provider| format!("{:<16} {:>5} models\n", provider.id, provider.models.len());
        let head = format!("{} {} ({})\n", document.name, document.version, document.date);
        return Ok(head + &document.providers.iter().map(of).collect::<String>());
    };
    let (provider, model) = name.split_once('/').map_or((name, None), |(provider, model)| (provider, Some(model)));
    let found = document.providers.iter().find(|known| known.id == provider);
    let found = found.ok_or_else(|| format!("there is no provider {provider}; `tollgate prices show` lists them"))?;
    let Some(model) = model else {
        return Ok(found.models.iter().map(|model| format!("{}\n", model.id)).collect());
    };
    let models: Vec<&Model> = found.models.iter().filter(|known| known.id == model).collect();
    if models.is_empty() {
        return Err(format!("{provider} has no model {model}; `tollgate prices show {provider}` lists them"));
    }
    // The document's own form, of these models alone.
    let alone = Provider {
        models: models.into_iter().cloned().collect(),
        ..Provider { id: found.id.clone(), ..Provider::default() }
    };
    let alone = Document { providers: vec![alone], ..Document::default() }.to_string();
    let lines: Vec<&str> = alone.lines().skip_while(|line| !line.starts_with("provider ")).collect();
    Ok(lines.join("\n") + "\n")
}

fn update(file: &Path, new: &Path) -> Result<String, String> {
    let document = load(new)?;
    let before = if file.exists() { load(file)? } else { Document::default() };
    let at = |error: std::io::Error| format!("{}: {error}", file.display());
    // Whoever reads the file sees the old one or the new one, never a part.
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, text(new)?).map_err(at)?;
    std::fs::rename(&beside, file).map_err(at)?;
    Ok(format!("{}{}: written\n", changes(&before, &document), file.display()))
}

fn check(files: &[PathBuf]) -> ExitCode {
    let mut all_right = true;
    for file in files {
        let found = match text(file) {
            Err(error) => vec![error],
            Ok(text) if is_overlay(&text) => match Overlay::parse(&file.display().to_string(), &text) {
                Ok(_) => Vec::new(),
                Err(error) => error.to_string().lines().map(str::to_owned).collect(),
            },
            Ok(text) => match Document::parse(&text) {
                Ok(document) => lint(&document).iter().map(|odd| format!("{}: {odd}", file.display())).collect(),
                Err(error) => vec![format!("{}:{}: {}", file.display(), error.line, error.message)],
            },
        };
        all_right &= found.is_empty();
        found.iter().for_each(|line| println!("{line}"));
    }
    if all_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn is_overlay(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with("overlay"))
}
