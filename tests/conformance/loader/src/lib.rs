//! The conformance corpus of LLM wire formats, as bytes: what a client sends, what a provider answers, and what has to
//! be read from it.
//!
//! The files and their format are described in `tests/conformance/README.md`. [`load`] reads them and does what the
//! format leaves to the runner: JSON loses the white space between its tokens, events get their lines, messages of AWS
//! event streams their lengths and checksums, bodies their content encoding. A runner feeds [`Case::request`] and
//! [`Case::transferred`] to what it tests, cut as it likes, and compares what comes out by [`differences`].
//!
//! ```
//! let cases = tollgate_conformance::load(tollgate_conformance::corpus()).unwrap();
//! let case = cases.iter().find(|case| case.file == "openai-chat/stream-usage-last.json").unwrap();
//! assert!(case.transferred().starts_with(b"data: {"));
//! assert_eq!(case.expect["usage"]["input_tokens"], 19);
//! ```
#![forbid(unsafe_code)]

mod body;
mod encoding;
mod event_stream;
mod expect;
mod file;

pub use encoding::Encoding;
pub use expect::differences;

use serde::Deserialize;
use serde_json::{Map, Value};
use std::io;
use std::path::{Path, PathBuf};

/// One exchange and what has to be read from it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file, below the corpus, with slashes: `anthropic/stream-cache.json`.
    pub file: String,
    /// What is checked, in a sentence.
    pub name: String,
    /// Which reference the shape is from, and where it has been misread.
    pub source: String,
    /// What the client sends.
    pub request: Request,
    /// What the provider answers; `None` where no answer came.
    pub response: Option<Response>,
    /// Where the answer broke off; `None` where it is whole.
    pub cut: Option<Cut>,
    /// The fields that must hold, by name; what is not here is not asked for.
    pub expect: Map<String, Value>,
}

/// What the client sends.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method of HTTP.
    pub method: String,
    /// The authority: a host, and a port if need be.
    pub host: String,
    /// Path and query.
    pub path: String,
    /// Headers that matter, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as transferred.
    pub body: Vec<u8>,
}

/// What the provider answers.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status of HTTP.
    pub status: u16,
    /// Headers that matter, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body, as transferred.
    pub body: Vec<u8>,
    /// Where in the body events, lines or messages end, in bytes as transferred. Encoded bodies are flushed there, as
    /// servers do.
    pub boundaries: Vec<usize>,
    /// The content encoding that the runner applied.
    pub encoding: Option<Encoding>,
}

/// Where an answer broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Bytes of the body that still came.
    pub length: usize,
    /// Why it broke off.
    pub outcome: Outcome,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The server ended its answer in good order. With a cut: too early.
    #[default]
    Complete,
    /// The client went away.
    ClientAborted,
    /// The provider, or the way to it, broke off.
    UpstreamAborted,
    /// A time limit ended it.
    TimedOut,
}

impl Case {
    /// The bytes of the answer's body that came, which is all of it unless the case cuts it.
    #[must_use]
    pub fn transferred(&self) -> &[u8] {
        let body = self.response.as_ref().map_or(&[][..], |response| response.body.as_slice());
        self.cut.and_then(|cut| body.get(..cut.length)).unwrap_or(body)
    }

    /// Where events, lines or messages end in the [transferred](Self::transferred) bytes; without the end itself.
    pub fn boundaries(&self) -> impl Iterator<Item = usize> + '_ {
        let length = self.transferred().len();
        let all = self.response.as_ref().map_or(&[][..], |response| response.boundaries.as_slice());
        all.iter().copied().filter(move |boundary| *boundary < length)
    }

    /// How the exchange ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.cut.map_or(Outcome::Complete, |cut| cut.outcome)
    }
}

/// The folder that the corpus is in, in a checkout of the repository.
#[must_use]
pub fn corpus() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Loads every case of a corpus: the files `<family>/<case>.json` below `folder`, sorted by their names.
///
/// # Errors
/// The first file that cannot be read or is no case, and what is wrong with it.
pub fn load(folder: &Path) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for family in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        for path in entries(&family)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "json")) {
            let text = std::fs::read_to_string(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
            let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let file = format!("{}/{}", name(&family), name(&path));
            cases.push(parse(file, &text)?);
        }
    }
    Ok(cases)
}

/// Reads one case. `file` is what it is called in errors and in [`Case::file`].
///
/// # Errors
/// What is wrong with it.
pub fn parse(file: String, text: &str) -> Result<Case, Error> {
    file::read(&file, text).map_err(|problem| Error::Case { file, problem })
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::Io { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

/// Why a corpus cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is no case.
    #[error("{file}: {problem}")]
    Case {
        /// The file, below the corpus.
        file: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// Why a file is no case.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It is not JSON, or has not the members of a case.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// It is JSON, but says what cannot be.
    #[error("{at}: {what}")]
    Says {
        /// The member, for example `response.events[3]`.
        at: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A body could not be encoded.
    #[error("response.encoding: {0}")]
    Encoding(io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_case_that_the_readme_shows_is_one() {
        let readme = std::fs::read_to_string(corpus().join("README.md")).unwrap();
        let (_, rest) = readme.split_once("```json\n").unwrap();
        let (shown, _) = rest.split_once("```").unwrap();
        let case = parse("readme".to_owned(), shown).unwrap();
        assert_eq!(case.boundaries().count(), 2, "{case:?}");
        assert!(case.transferred().ends_with(b"data: [DONE]\n\n"));
    }

    #[test]
    fn what_is_no_case_is_said() {
        let request = r#""name": "n", "source": "s", "request": {"host": "h", "path": "/", "headers": {"a": "b"}}"#;
        let cases = [
            (String::new(), "EOF"),
            (format!(r#"{{{request}, "expect": {{}}}}"#), "expect: says nothing"),
            (format!(r#"{{{request}, "expects": {{"api": "x"}}}}"#), "unknown field"),
            (
                format!(r#"{{{request}, "response": {{"body": 1, "text": "1"}}, "expect": {{"api": "x"}}}}"#),
                "has more than one of",
            ),
            (
                format!(r#"{{{request}, "response": {{"headers": {{"A": "b"}}}}, "expect": {{"api": "x"}}}}"#),
                "not in lower case",
            ),
            (
                format!(r#"{{{request}, "cut": {{"bytes": 1, "outcome": "timed_out"}}, "expect": {{"api": "x"}}}}"#),
                "cut: is behind the end",
            ),
            (
                format!(r#"{{{request}, "response": {{"messages": [{{"payload": 1}}]}}, "expect": {{"api": "x"}}}}"#),
                "response.messages[0]: needs one of",
            ),
        ];
        for (text, expected) in cases {
            let error = parse("file.json".to_owned(), &text).unwrap_err().to_string();
            assert!(error.starts_with("file.json: ") && error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_cut_counts_frames_and_bytes() {
        let text = r#"{"name": "n", "source": "s", "request": {"host": "h", "path": "/"},
            "response": {"lines": [{"a": 1}, {"b": 2}]}, "cut": {"frames": 1, "bytes": 3, "outcome": "complete"},
            "expect": {"api": "x"}}"#;
        let case = parse("f".to_owned(), text).unwrap();
        assert_eq!(case.transferred(), b"{\"a\":1}\n{\"b");
        assert_eq!(case.boundaries().collect::<Vec<_>>(), [8]);
    }
}
