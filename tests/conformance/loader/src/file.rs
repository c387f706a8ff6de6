//! A file of the corpus, as its members are.

use crate::body::{self, Body};
use crate::encoding::{self, Encoding};
use crate::event_stream::Message;
use crate::{Case, Cut, Outcome, Problem, Request, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

type Json = Box<RawValue>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    source: String,
    request: RequestFile,
    response: Option<ResponseFile>,
    cut: Option<CutFile>,
    expect: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestFile {
    #[serde(default = "post")]
    method: String,
    host: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Json>,
    text: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseFile {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Json>,
    text: Option<Text>,
    base64: Option<String>,
    events: Option<Vec<Json>>,
    lines: Option<Vec<Json>>,
    messages: Option<Vec<Message>>,
    encoding: Option<Encoding>,
}

/// A text, or the pieces of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CutFile {
    #[serde(default)]
    frames: usize,
    #[serde(default)]
    bytes: usize,
    outcome: Outcome,
}

fn post() -> String {
    "POST".to_owned()
}

fn ok() -> u16 {
    200
}

pub(crate) fn says(at: impl Into<String>, what: &'static str) -> Problem {
    Problem::Says { at: at.into(), what }
}

/// Reads a case.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(file: &str, text: &str) -> Result<Case, Problem> {
    let File { name, source, request, response, cut, expect } = serde_json::from_str(text)?;
    if expect.is_empty() {
        return Err(says("expect", "says nothing"));
    }
    let request = request.build()?;
    let response = response.map(ResponseFile::build).transpose()?;
    let cut = cut.map(|cut| cut.build(response.as_ref())).transpose()?;
    Ok(Case { file: file.to_owned(), name, source, request, response, cut, expect })
}

impl RequestFile {
    fn build(self) -> Result<Request, Problem> {
        let Self { method, host, path, headers, body, text } = self;
        let (kind, body) = match (body, text) {
            (Some(_), Some(_)) => return Err(says("request", "has both `body` and `text`")),
            (Some(json), None) => (Some("application/json"), body::compact(json.get()).into_bytes()),
            (None, Some(text)) => (None, text.join().into_bytes()),
            (None, None) => (None, Vec::new()),
        };
        Ok(Request { method, host, path, headers: with_type("request", headers, kind)?, body })
    }
}

impl ResponseFile {
    fn build(self) -> Result<Response, Problem> {
        let Self { status, headers, body, text, base64, events, lines, messages, encoding } = self;
        let mut bodies = [
            body.map(|json| Ok(Body::json(&json))),
            text.map(|text| Ok(Body::plain(text.join().into_bytes(), None))),
            base64.map(|text| Body::base64(&text)),
            events.map(|events| Body::events(&events)),
            lines.map(|lines| Ok(Body::lines(&lines))),
            messages.map(|messages| Body::messages(&messages)),
        ]
        .into_iter()
        .flatten();
        let body = bodies.next().unwrap_or_else(|| Ok(Body::plain(Vec::new(), None)))?;
        if bodies.next().is_some() {
            return Err(says(
                "response",
                "has more than one of `body`, `text`, `base64`, `events`, `lines`, `messages`",
            ));
        }
        let mut headers = with_type("response", headers, body.content_type)?;
        if let Some(encoding) = encoding
            && !headers.iter().any(|(name, _)| name == "content-encoding")
        {
            headers.push(("content-encoding".to_owned(), encoding.token().to_owned()));
        }
        let (body, boundaries) = match encoding {
            Some(encoding) => encoding::encode(encoding, &body.bytes, &body.boundaries).map_err(Problem::Encoding)?,
            None => (body.bytes, body.boundaries),
        };
        Ok(Response { status, headers, body, boundaries, encoding })
    }
}

impl CutFile {
    fn build(self, response: Option<&Response>) -> Result<Cut, Problem> {
        let Self { frames, bytes, outcome } = self;
        let (boundaries, most) = match response {
            Some(response) => (response.boundaries.as_slice(), response.body.len()),
            None => (&[][..], 0),
        };
        let begin = match frames.checked_sub(1) {
            None => Some(0),
            Some(last) => boundaries.get(last).copied(),
        };
        let length = begin.map(|begin| begin + bytes).filter(|length| *length <= most);
        let length = length.ok_or_else(|| says("cut", "is behind the end of the answer"))?;
        Ok(Cut { length, outcome })
    }
}

impl Text {
    fn join(self) -> String {
        match self {
            Self::One(text) => text,
            Self::Many(pieces) => pieces.concat(),
        }
    }
}

/// Headers with the content type that a form of body has, unless they say another.
fn with_type(
    at: &str,
    headers: BTreeMap<String, String>,
    kind: Option<&str>,
) -> Result<Vec<(String, String)>, Problem> {
    if headers.keys().any(|name| *name != name.to_ascii_lowercase()) {
        return Err(says(format!("{at}.headers"), "has a name that is not in lower case"));
    }
    let said = headers.contains_key("content-type");
    let implied = kind.filter(|_| !said).map(|kind| ("content-type".to_owned(), kind.to_owned()));
    Ok(headers.into_iter().chain(implied).collect())
}
