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
    let mut presidio = match options.without_presidio {
        true => Vec::new(),
        false => vec![Presidio::start(&[])?],
    };
    let mut detectors: Vec<&mut dyn Detector> = vec![&mut ours];
    detectors.extend(presidio.iter_mut().map(|presidio| presidio as &mut dyn Detector));

    negatives::report(&mut detectors, options.show)?;
    if let Some(folder) = Folder::of_environment() {
        for set in [Set::english(&folder)?, Set::chinese(&folder)?] {
            prose::report(&set, &mut detectors, options.show)?;
            body::report(&set, &mut detectors)?;
        }
        if !options.without_presidio {
            prose::report(&Set::chinese(&folder)?, &mut [&mut Presidio::start(&["CN"])?], false)?;
        }
        cases::report(&folder, &mut detectors, options.show)?;
        secrets::report(&folder, &mut Ours::default(), options.show)?;
        speed::report(&[Set::english(&folder)?, Set::chinese(&folder)?], &mut detectors)?;
    }
    Ok(())
}
