//! A server with the rules of Loki's OTLP endpoint: its path, tenant and encodings, and its answers.
//!
//! Written from its documentation, "Ingesting logs to Loki using OpenTelemetry Collector", "HTTP API", and the validation
//! errors of its limits: without a tenant 401; records that are too old 400, with the others of the request stored; too many
//! at once 429; a body that is too large 413; taken 204.

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value};
use prost::Message;
use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// A record as Loki keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) tenant: String,
    pub(crate) time: u64,
    pub(crate) line: String,
    /// Attributes, dots as underscores, with `trace_id` and `span_id`.
    pub(crate) structured_metadata: BTreeMap<String, String>,
}

/// A running server; it ends with the test.
pub(crate) struct Loki {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    entries: Vec<Entry>,
    wrong: Vec<String>,
    answers: VecDeque<u16>,
    statuses: Vec<u16>,
    most_bytes: usize,
    oldest: u64,
}

impl Loki {
    /// One that refuses records from before `oldest` and bodies larger than `most_bytes`.
    pub(crate) async fn start(oldest: u64, most_bytes: usize) -> Self {
        let shared = Arc::new(Mutex::new(Shared { oldest, most_bytes, ..Shared::default() }));
        let router = axum::Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared }
    }

    /// Answers the next requests with these statuses, and takes nothing of them.
    pub(crate) fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.shared.lock().unwrap().answers.extend(statuses);
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.shared.lock().unwrap().entries.clone()
    }

    /// What was asked for that Loki does not have.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.shared.lock().unwrap().wrong.clone()
    }

    /// What it has answered.
    pub(crate) fn statuses(&self) -> Vec<u16> {
        self.shared.lock().unwrap().statuses.clone()
    }
}

async fn serve(State(shared): State<Arc<Mutex<Shared>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut shared = shared.lock().unwrap();
    let (status, text) = match take(&mut shared, (&parts.method, parts.uri.path()), &header, &body) {
        Ok(()) => (StatusCode::NO_CONTENT, String::new()),
        Err((status, text)) => (StatusCode::from_u16(status).unwrap(), text),
    };
    shared.statuses.push(status.as_u16());
    let after = if status == StatusCode::TOO_MANY_REQUESTS { "1" } else { "" };
    (status, [("retry-after", after)], text).into_response()
}

fn take<'h>(
    shared: &mut Shared,
    asked: (&Method, &str),
    header: &dyn Fn(&str) -> &'h str,
    body: &[u8],
) -> Result<(), (u16, String)> {
    if asked != (&Method::POST, "/otlp/v1/logs") {
        shared.wrong.push(format!("{} {}", asked.0, asked.1));
        return Err((404, "404 page not found".to_owned()));
    }
    if let Some(status) = shared.answers.pop_front() {
        return Err((status, "as told".to_owned()));
    }
    let tenant = header("x-scope-orgid");
    if tenant.is_empty() {
        return Err((401, "no org id".to_owned()));
    }
    if !matches!(header("content-type"), "application/x-protobuf" | "application/json") {
        return Err((400, format!("content type: {} is not supported", header("content-type"))));
    }
    let plain = match header("content-encoding") {
        "" => body.to_vec(),
        "gzip" => {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(body).read_to_end(&mut plain).unwrap();
            plain
        }
        other => return Err((400, format!("Content-Encoding {other:?} not supported"))),
    };
    if plain.len() > shared.most_bytes {
        return Err((413, "request too large".to_owned()));
    }
    let request = ExportLogsServiceRequest::decode(&plain[..]).map_err(|error| (400, error.to_string()))?;
    let mut too_old = None;
    for record in request.resource_logs.iter().flat_map(|r| &r.scope_logs).flat_map(|s| &s.log_records) {
        let mut structured_metadata: BTreeMap<_, _> = record
            .attributes
            .iter()
            .map(|attribute| (attribute.key.replace(['.', '-'], "_"), text(attribute.value.as_ref())))
            .collect();
        let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        for (name, id) in [("trace_id", &record.trace_id), ("span_id", &record.span_id)] {
            if !id.is_empty() {
                structured_metadata.insert(name.to_owned(), hex(id));
            }
        }
        let time = if record.time_unix_nano == 0 { record.observed_time_unix_nano } else { record.time_unix_nano };
        if time < shared.oldest {
            too_old = Some(format!("entry with timestamp {time} ignored, reason: 'entry too far behind'"));
            continue;
        }
        let line = text(record.body.as_ref());
        shared.entries.push(Entry { tenant: tenant.to_owned(), time, line, structured_metadata });
    }
    too_old.map_or(Ok(()), |why| Err((400, why)))
}

/// Values as the Collector's `AsString` has them.
fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        None => String::new(),
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(value) => json(value).to_string(),
    }
}

fn json(value: &any_value::Value) -> serde_json::Value {
    let inner = |value: &Option<AnyValue>| {
        value.as_ref().and_then(|value| value.value.as_ref()).map_or(serde_json::Value::Null, json)
    };
    match value {
        any_value::Value::StringValue(text) => text.clone().into(),
        any_value::Value::BoolValue(value) => (*value).into(),
        any_value::Value::IntValue(value) => (*value).into(),
        any_value::Value::DoubleValue(value) => (*value).into(),
        any_value::Value::ArrayValue(array) => array.values.iter().map(|value| inner(&Some(value.clone()))).collect(),
        any_value::Value::KvlistValue(map) => map
            .values
            .iter()
            .map(|pair| (pair.key.clone(), inner(&pair.value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        _ => serde_json::Value::Null,
    }
}
