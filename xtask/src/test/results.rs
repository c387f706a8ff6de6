//! Runs a command and counts what its test runner says.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

/// What a command came to: its counts, and why it failed where it did.
pub(super) type Outcome = Result<Counts, (Counts, String)>;

/// Runs a command, passing its output on, and adds up its `test result:` lines.
pub(super) fn run(command: &mut Command) -> Outcome {
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let shown = format!("cargo {}", arguments.join(" "));
    println!("$ {shown}");
    let failed = |counts, why: String| Err((counts, format!("`{shown}` {why}")));
    let mut child = match command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return failed(Counts::default(), format!("could not be started: {error}")),
    };
    let mut counts = Counts::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            if let Some((passed, failed)) = result_line(&line) {
                counts.passed += passed;
                counts.failed += failed;
            }
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(counts),
        Ok(status) => failed(counts, format!("failed ({status})")),
        Err(error) => failed(counts, error.to_string()),
    }
}

/// Runs commands one after the other, all of them, and adds up what they came to.
pub(super) fn run_all(commands: impl IntoIterator<Item = Command>) -> Outcome {
    let mut sum = Counts::default();
    let mut failures = Vec::new();
    for mut command in commands {
        let counts = run(&mut command).unwrap_or_else(|(counts, why)| {
            failures.push(why);
            counts
        });
        sum.passed += counts.passed;
        sum.failed += counts.failed;
    }
    if failures.is_empty() { Ok(sum) } else { Err((sum, failures.join("; "))) }
}

/// Passed and failed of `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn result_line(line: &str) -> Option<(u64, u64)> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut passed = None;
    let mut failed = None;
    for part in counts.split("; ") {
        match part.split_once(' ') {
            Some((number, "passed")) => passed = number.parse().ok(),
            Some((number, "failed")) => failed = number.parse().ok(),
            _ => {}
        }
    }
    Some((passed?, failed?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_counted_and_others_are_not() {
        for (line, expected) in [
            (
                "test result: ok. 30 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.11s",
                Some((30, 0)),
            ),
            ("test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", Some((1, 2))),
            ("running 3 tests", None),
            ("test result: strange", None),
        ] {
            assert_eq!(result_line(line), expected, "{line}");
        }
    }
}
