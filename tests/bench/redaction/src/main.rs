//! `cargo xtask bench redaction`: how much of what should be found is found, how much else is, and how fast; beside
//! Presidio, in one run.
//!
//! Reads the labelled texts of the folder in `TOLLGATE_PII` and the records without any finding of
//! `plugins/pii-redactor/tests/hard_negatives`. How findings are matched with labels is told in [`span`] and [`score`].

mod body;
mod cases;
mod context;
mod data;
mod detector;
mod negatives;
mod ours;
mod presidio;
mod prose;
mod score;
mod secrets;
mod span;
mod speed;

use data::Folder;
use detector::Detector;
use ours::Ours;
use presidio::Presidio;
use prose::Set;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask bench redaction [--without-presidio] [--show]

  --without-presidio   only the redactor, in seconds instead of minutes
  --show               each value that the redactor missed and each wrong finding of it, on standard error
";

/// What the command was asked for.
#[derive(Clone, Copy, Default)]
struct Options {
    without_presidio: bool,
    show: bool,
}

fn main() -> ExitCode {
    match options().and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--without-presidio" => options.without_presidio = true,
            "--show" => options.show = true,
            other => return Err(format!("there is no option `{other}`\n\n{USAGE}")),
        }
    }
    Ok(options)
}

fn run(options: Options) -> Result<(), String> {
    let mut ours = Ours::default();
    let (mut default, mut threshold, mut chinese) = match options.without_presidio {
        true => (None, None, None),
        false => (Some(Presidio::start()?), Some(Presidio::of_score(0.4)?), Some(Presidio::of_region("CN")?)),
    };

    negatives::report(&mut all(&mut ours, [&mut default, &mut threshold]), options.show)?;
    if let Some(folder) = Folder::of_environment() {
        let sets = [Set::english(&folder)?, Set::chinese(&folder)?];
        for set in &sets {
            prose::report(set, &mut all(&mut ours, [&mut default, &mut threshold, &mut chinese]), options.show)?;
            body::report(set, &mut all(&mut ours, [&mut default]), options.show)?;
        }
        cases::report(&folder, &mut all(&mut ours, [&mut default]), options.show)?;
        secrets::report(&folder, &mut ours, options.show)?;
        speed::report(&sets, &mut all(&mut ours, [&mut default]))?;
    }
    Ok(())
}

/// The redactor and those of its peers that are there.
fn all<'run, const N: usize>(
    ours: &'run mut Ours,
    peers: [&'run mut Option<Presidio>; N],
) -> Vec<&'run mut dyn Detector> {
    let peers = peers.into_iter().flatten().map(|peer| peer as &mut dyn Detector);
    std::iter::once(ours as &mut dyn Detector).chain(peers).collect()
}
