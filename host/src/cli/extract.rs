//! `tollgate extract`: recorded HTTP exchanges in, call records out.

use super::component::Input;
use super::lines::{self, Object};
use base64::Engine as _;
use serde_json::{Value, json};
use std::process::ExitCode;
use tollgate_call::Outcome;
use tollgate_engine::{CallError, Extractor, RequestHead};

/// Bytes of a body that are handed over at once where the user does not say.
const CHUNK: usize = 64 << 10;

pub(super) fn extract(input: &Input, chunk: Option<usize>) -> ExitCode {
    let opened = input.load("token_extractor.wasm").and_then(|plugin| {
        let config = input.config("{}")?;
        plugin.extractor(&config).map_err(|error| error.to_string())
    });
    match opened {
        Ok(mut extractor) => {
            let chunk = chunk.unwrap_or(CHUNK).max(1);
            lines::each(&input.file, |line| Ok(vec![read(&mut extractor, line, chunk)?]))
        }
        Err(error) => super::fail(error),
    }
}

fn read(extractor: &mut Extractor, line: &Object, chunk: usize) -> Result<Value, String> {
    let exchange = Exchange::of(line)?;
    let reading = exchange.feed(extractor, chunk).map_err(|error| error.to_string())?;
    Ok(match reading.call {
        Ok(record) => json!({ "id": lines::id(line), "record": record, "reason": null }),
        Err(reason) => json!({ "id": lines::id(line), "record": null, "reason": reason }),
    })
}

/// One exchange as a line tells it.
struct Exchange<'a> {
    method: &'a str,
    host: &'a str,
    path: &'a str,
    request_headers: Vec<(String, Vec<u8>)>,
    request: Vec<u8>,
    /// `None` where no answer came.
    status: Option<u16>,
    response_headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    outcome: Outcome,
}

impl<'a> Exchange<'a> {
    fn of(line: &'a Object) -> Result<Self, String> {
        let status = match line.get("status") {
            None | Some(Value::Null) => None,
            Some(status) => {
                let number = status.as_u64().and_then(|status| u16::try_from(status).ok());
                Some(number.ok_or("status: is not a status code")?)
            }
        };
        let mut response_headers = headers(line, "response_headers")?;
        for (field, header) in [("content_type", "content-type"), ("content_encoding", "content-encoding")] {
            let value = lines::optional_text(line, field)?.filter(|value| !value.is_empty());
            if let Some(value) = value
                && !response_headers.iter().any(|(name, _)| name == header)
            {
                response_headers.push((header.to_owned(), value.as_bytes().to_vec()));
            }
        }
        let outcome = match line.get("outcome") {
            None | Some(Value::Null) => Outcome::Complete,
            Some(outcome) => serde_json::from_value(outcome.clone()).map_err(|error| format!("outcome: {error}"))?,
        };
        Ok(Self {
            method: lines::optional_text(line, "method")?.unwrap_or("POST"),
            host: lines::optional_text(line, "host")?.unwrap_or_default(),
            path: lines::text(line, "path")?,
            request_headers: headers(line, "request_headers")?,
            request: bytes(line, "request")?,
            status,
            response_headers,
            body: bytes(line, "body")?,
            outcome,
        })
    }

    fn feed(&self, extractor: &mut Extractor, chunk: usize) -> Result<tollgate_engine::Reading, CallError> {
        let headers = borrowed(&self.request_headers);
        let head = RequestHead { method: self.method, host: self.host, path: self.path, headers: &headers };
        let mut exchange = extractor.exchange(head)?;
        for part in self.request.chunks(chunk) {
            exchange.request_body(part)?;
        }
        if let Some(status) = self.status {
            exchange.response_head(status, &borrowed(&self.response_headers))?;
        }
        for part in self.body.chunks(chunk) {
            // A recording has no clock.
            exchange.response_body(part, 0)?;
        }
        exchange.end(self.outcome)
    }
}

fn borrowed(headers: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect()
}

/// A body: text under its name, or base64 under its name with `_b64`.
fn bytes(line: &Object, name: &str) -> Result<Vec<u8>, String> {
    if let Some(text) = lines::optional_text(line, name)? {
        return Ok(text.as_bytes().to_vec());
    }
    let packed = format!("{name}_b64");
    match lines::optional_text(line, &packed)? {
        Some(text) => base64::engine::general_purpose::STANDARD
            .decode(text)
            .map_err(|error| format!("{packed}: is not base64: {error}")),
        None => Ok(Vec::new()),
    }
}

/// Headers: an object of names to values, a value being text or a list of texts.
fn headers(line: &Object, name: &str) -> Result<Vec<(String, Vec<u8>)>, String> {
    let object = match line.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(object)) => object,
        Some(_) => return Err(format!("{name}: is not an object")),
    };
    let mut headers = Vec::new();
    for (header, value) in object {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            let text = value.as_str().ok_or_else(|| format!("{name}.{header}: is not text"))?;
            headers.push((header.to_ascii_lowercase(), text.as_bytes().to_vec()));
        }
    }
    Ok(headers)
}
