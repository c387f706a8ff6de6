//! JSON lines in, JSON lines out: what the file commands share.
//!
//! A line that cannot be worked on gives `{"id": .., "error": ".."}`, and the run goes on; the exit code is 1 then.

use super::fail;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// Longest line, so that a file that is not JSON lines cannot fill the memory.
const LINE_BYTES: usize = 256 << 20;

/// An object of the input.
pub(super) type Object = Map<String, Value>;

/// Works on each line of a file, or of standard input for `-`. Files that end in `.gz` are unpacked.
pub(super) fn each(input: &Path, mut work: impl FnMut(&Object) -> Result<Vec<Value>, String>) -> ExitCode {
    each_then(input, &mut (), |(), line| work(line), |()| None)
}

/// As [`each`], with text for people as the answer; a line that cannot be worked on is named on standard error.
pub(super) fn each_text(input: &Path, mut work: impl FnMut(&Object) -> Result<String, String>) -> ExitCode {
    let mut failed = false;
    let code = each(input, |line| {
        match work(line) {
            // Whoever reads the texts may stop reading.
            Ok(text) => {
                let _ = io::stdout().write_all(text.as_bytes());
            }
            Err(error) => {
                failed = true;
                eprintln!("{}: {error}", id(line));
            }
        }
        Ok(Vec::new())
    });
    if failed { ExitCode::FAILURE } else { code }
}

/// As [`each`], and then asks for the rest until there is none. `state` is what lines leave for the end.
pub(super) fn each_then<S>(
    input: &Path,
    state: &mut S,
    mut work: impl FnMut(&mut S, &Object) -> Result<Vec<Value>, String>,
    mut rest: impl FnMut(&mut S) -> Option<Result<Vec<Value>, String>>,
) -> ExitCode {
    let mut reader = match open(input) {
        Ok(reader) => reader,
        Err(error) => return fail(format!("{}: {error}", input.display())),
    };
    let mut out = Answers { out: BufWriter::new(io::stdout().lock()), failed: false };
    let written = loop {
        let written = match next(&mut reader) {
            Ok(None) => break Ok(()),
            Ok(Some(Next::TooLong)) => {
                out.put(&Value::Null, Err(format!("the line is longer than {LINE_BYTES} bytes")))
            }
            Ok(Some(Next::Line(line))) => match serde_json::from_slice(&line) {
                Ok(Value::Object(object)) => out.put(&id(&object), work(state, &object)),
                Ok(_) => out.put(&Value::Null, Err("the line is not a JSON object".to_owned())),
                Err(error) => out.put(&Value::Null, Err(format!("the line is not JSON: {error}"))),
            },
            Err(error) => return fail(format!("{}: {error}", input.display())),
        };
        if written.is_err() {
            break written;
        }
    };
    let rest = std::iter::from_fn(|| rest(state));
    let written = written.and_then(|()| rest.into_iter().try_for_each(|answers| out.put(&Value::Null, answers)));
    // Whoever reads the answers may stop reading: nothing is left to say then.
    match written.and_then(|()| out.out.flush()) {
        Ok(()) if !out.failed => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Where answers go.
struct Answers<W: Write> {
    out: W,
    failed: bool,
}

impl<W: Write> Answers<W> {
    fn put(&mut self, id: &Value, answers: Result<Vec<Value>, String>) -> io::Result<()> {
        match answers {
            Ok(answers) => answers.iter().try_for_each(|answer| writeln!(self.out, "{answer}")),
            Err(error) => {
                self.failed = true;
                writeln!(self.out, "{}", json!({ "id": id, "error": error }))
            }
        }
    }
}

/// The whole input as one text.
pub(super) fn whole(input: &Path) -> Result<String, String> {
    let name = |error: io::Error| format!("{}: {error}", input.display());
    let mut text = String::new();
    let limit = u64::try_from(LINE_BYTES).unwrap_or(u64::MAX);
    let read = open(input).map_err(name)?.take(limit).read_to_string(&mut text).map_err(name)?;
    if read == LINE_BYTES {
        return Err(format!("{}: has {LINE_BYTES} bytes or more; redact it in parts", input.display()));
    }
    Ok(text)
}

fn open(input: &Path) -> io::Result<Box<dyn BufRead>> {
    if input == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = BufReader::new(File::open(input)?);
    if input.extension().is_some_and(|extension| extension == "gz") {
        return Ok(Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(file))));
    }
    Ok(Box::new(file))
}

enum Next {
    Line(Vec<u8>),
    TooLong,
}

/// The next line that is not blank; what is left of one that is too long is passed over.
fn next(reader: &mut dyn BufRead) -> io::Result<Option<Next>> {
    loop {
        let mut line = Vec::new();
        let limit = u64::try_from(LINE_BYTES).unwrap_or(u64::MAX);
        if reader.take(limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.len() == LINE_BYTES && !line.ends_with(b"\n") {
            reader.skip_until(b'\n')?;
            return Ok(Some(Next::TooLong));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some(Next::Line(line)));
        }
    }
}

/// A text field that must be there.
pub(super) fn text<'a>(line: &'a Object, name: &str) -> Result<&'a str, String> {
    optional_text(line, name)?.ok_or_else(|| format!("{name}: is missing"))
}

/// A text field that may be absent or null.
pub(super) fn optional_text<'a>(line: &'a Object, name: &str) -> Result<Option<&'a str>, String> {
    match line.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{name}: is not text")),
    }
}

/// The line's id as it came.
pub(super) fn id(line: &Object) -> Value {
    line.get("id").cloned().unwrap_or_default()
}
