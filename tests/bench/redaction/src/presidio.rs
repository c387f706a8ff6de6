//! Presidio's pattern recognizers, in a Python process of their own.

use crate::detector::{Detector, Found};
use crate::span::Span;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Presidio, as `tests/bench/presidio.py` sets it up.
pub(crate) struct Presidio {
    name: String,
    types: Vec<String>,
    least_score: f64,
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Presidio {
    /// Starts it, as it is set up by default: findings of every score count.
    pub(crate) fn start() -> Result<Self, String> {
        Self::with("presidio", &[], 0.0)
    }

    /// Starts it with a threshold for the score.
    pub(crate) fn of_score(least: f64) -> Result<Self, String> {
        Self::with(&format!("presidio from {least}"), &[], least)
    }

    /// Starts it with telephone numbers of a region besides its own.
    pub(crate) fn of_region(region: &str) -> Result<Self, String> {
        Self::with(&format!("presidio and {region}"), &[region], 0.0)
    }

    /// `TOLLGATE_PRESIDIO` names the folder of its
    /// packages, `TOLLGATE_PYTHON` the interpreter.
    fn with(name: &str, regions: &[&str], least_score: f64) -> Result<Self, String> {
        let packages = std::env::var_os("TOLLGATE_PRESIDIO")
            .ok_or("TOLLGATE_PRESIDIO does not name the folder of Presidio; `cargo xtask bench redaction` does")?;
        let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
        let failed = |what: std::io::Error| format!("Presidio could not be started: {what}");
        let mut child = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../presidio.py"))
            .args(regions)
            .env("PYTHONPATH", packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let questions = child.stdin.take();
        let answers = child.stdout.take().ok_or("Presidio has no standard output")?;
        let name = name.to_owned();
        let mut presidio =
            Self { name, types: Vec::new(), least_score, child, questions, answers: BufReader::new(answers) };
        presidio.types = presidio.greeting().ok_or("Presidio did not start; its words are above")?;
        Ok(presidio)
    }

    /// The first line: its types.
    fn greeting(&mut self) -> Option<Vec<String>> {
        let answer = self.answer()?;
        answer.get("types")?.as_array()?.iter().map(|name| Some(name.as_str()?.to_owned())).collect()
    }

    fn ask(&mut self, text: &str) -> Option<(Vec<Span>, f64)> {
        let questions = self.questions.as_mut()?;
        writeln!(questions, "{}", json!({ "text": text })).ok()?;
        questions.flush().ok()?;
        let answer = self.answer()?;
        let findings = answer.get("findings")?.as_array()?.iter().map(span).collect::<Option<Vec<_>>>()?;
        let findings =
            findings.into_iter().filter(|(_, score)| *score >= self.least_score).map(|(span, _)| span).collect();
        Some((findings, answer.get("seconds")?.as_f64()?))
    }

    fn answer(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.answers.read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }
}

/// A finding and its score.
fn span(finding: &Value) -> Option<(Span, f64)> {
    let [kind, start, end, score] = finding.as_array()?.as_slice() else { return None };
    Some((Span::new(kind.as_str()?, place(start)?, place(end)?), score.as_f64()?))
}

fn place(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

impl Detector for Presidio {
    fn name(&self) -> &str {
        &self.name
    }

    fn knows(&self, kind: &str) -> bool {
        self.types.iter().any(|name| name == kind)
    }

    fn find(&mut self, texts: &[&str]) -> Result<Found, String> {
        let mut found = Found::default();
        for text in texts {
            let (findings, seconds) =
                self.ask(text).ok_or("Presidio ended or answered otherwise than it should; its words are above")?;
            found.findings.push(findings);
            found.seconds.push(seconds);
        }
        Ok(found)
    }
}

impl Drop for Presidio {
    fn drop(&mut self) {
        self.questions = None;
        // At the end of its input it ends by itself.
        let _ = self.child.wait();
    }
}
