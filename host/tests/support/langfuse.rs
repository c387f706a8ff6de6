//! A server with the rules of Langfuse: its paths, Basic auth, the ingestion header, and its answers.
//!
//! Written from the reference of its API: OTLP over HTTP below `/api/public/otel`, scores as a list to
//! `/api/public/scores`, answered with 202, or with 207 and counts where some are not accepted.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

pub(crate) const PUBLIC_KEY: &str = "pk-lf-11111111-2222-3333-4444-555555555555";
pub(crate) const SECRET_KEY: &str = "sk-lf-66666666-7777-8888-9999-000000000000";

/// A running server; it ends with the test.
pub(crate) struct Langfuse {
    pub(crate) address: SocketAddr,
    shared: Arc<Mutex<Project>>,
}

#[derive(Default)]
struct Project {
    traces: Vec<Value>,
    /// Scores by their ids.
    scores: BTreeMap<String, Value>,
    /// Requests for scores.
    attempts: usize,
    /// Statuses of the next answers, before or after something is taken.
    answers: VecDeque<u16>,
    answers_after: VecDeque<u16>,
    most_bytes: usize,
    /// When it answered that it has too much to do, and how many whole seconds later something came.
    too_much: Option<Instant>,
    waited: Option<u64>,
}

impl Langfuse {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Mutex::new(Project { most_bytes: usize::MAX, ..Project::default() }));
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

    /// Takes the next requests, and answers with these statuses nevertheless.
    pub(crate) fn answer_after_taking(&self, statuses: impl IntoIterator<Item = u16>) {
        self.shared.lock().unwrap().answers_after.extend(statuses);
    }

    pub(crate) fn take_up_to(&self, bytes: usize) {
        self.shared.lock().unwrap().most_bytes = bytes;
    }

    /// Requests of traces that were taken, as OTLP/JSON.
    pub(crate) fn traces(&self) -> Vec<Value> {
        self.shared.lock().unwrap().traces.clone()
    }

    pub(crate) fn scores(&self) -> BTreeMap<String, Value> {
        self.shared.lock().unwrap().scores.clone()
    }

    pub(crate) fn attempts(&self) -> usize {
        self.shared.lock().unwrap().attempts
    }

    pub(crate) fn waited(&self) -> Option<u64> {
        self.shared.lock().unwrap().waited
    }
}

async fn serve(State(shared): State<Arc<Mutex<Project>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), usize::MAX).await.unwrap();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut project = shared.lock().unwrap();
    if parts.uri.path() == "/api/public/scores" {
        project.attempts += 1;
    }
    if let Some(then) = project.too_much.take() {
        project.waited = Some(then.elapsed().as_secs());
    }
    if !is_project(header("authorization")) {
        let error = json!({"message": "Invalid credentials. Confirm that you've configured the correct host."});
        return (StatusCode::UNAUTHORIZED, error.to_string()).into_response();
    }
    if let Some(status) = project.answers.pop_front() {
        let mut headers = HeaderMap::new();
        if status == 429 {
            headers.insert("retry-after", "1".parse().unwrap());
            project.too_much = Some(Instant::now());
        }
        return (StatusCode::from_u16(status).unwrap(), headers, "{\"message\":\"as told\"}").into_response();
    }
    let body = match header("content-encoding") {
        "gzip" => {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
            plain
        }
        _ => body.to_vec(),
    };
    if body.len() > project.most_bytes {
        return (StatusCode::PAYLOAD_TOO_LARGE, "too large").into_response();
    }
    let answer = match (parts.method.as_str(), parts.uri.path(), header("content-type")) {
        ("POST", "/api/public/otel/v1/traces", "application/x-protobuf") => {
            if header("x-langfuse-ingestion-version") != "4" {
                return (StatusCode::BAD_REQUEST, "x-langfuse-ingestion-version must be 4").into_response();
            }
            let Ok(request) = ExportTraceServiceRequest::decode(&body[..]) else {
                return (StatusCode::BAD_REQUEST, "no OTLP").into_response();
            };
            project.traces.push(serde_json::to_value(&request).unwrap());
            (StatusCode::OK, "{}".to_owned())
        }
        ("POST", "/api/public/scores", "application/json") => take_scores(&mut project, &body),
        _ => (StatusCode::NOT_FOUND, "{\"message\":\"no such route\"}".to_owned()),
    };
    match project.answers_after.pop_front() {
        Some(status) => (StatusCode::from_u16(status).unwrap(), "lost after it was taken").into_response(),
        None => (answer.0, [("content-type", "application/json")], answer.1).into_response(),
    }
}

fn is_project(authorization: &str) -> bool {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{PUBLIC_KEY}:{SECRET_KEY}"));
    authorization == format!("Basic {pair}")
}

fn take_scores(project: &mut Project, body: &[u8]) -> (StatusCode, String) {
    let Ok(Value::Array(scores)) = serde_json::from_slice(body) else {
        return (StatusCode::BAD_REQUEST, "{\"message\":\"a list of scores\"}".to_owned());
    };
    let mut errors = Vec::new();
    let all = scores.len();
    for score in scores {
        let has_text = |key: &str| score[key].as_str().is_some_and(|text| !text.is_empty());
        let fits = match score["dataType"].as_str() {
            Some("NUMERIC") => score["value"].is_number(),
            Some("CATEGORICAL") => has_text("value"),
            _ => false,
        };
        if !fits || !has_text("id") || !has_text("name") || !(has_text("traceId") || has_text("sessionId")) {
            errors.push(json!({"message": format!("not a score: {score}")}));
        } else if score["name"] == "refused" {
            errors.push(json!({"message": "the score does not fit its configuration"}));
        } else {
            project.scores.insert(score["id"].as_str().unwrap().to_owned(), score);
        }
    }
    match errors.is_empty() {
        true => (StatusCode::ACCEPTED, json!({"status": "accepted"}).to_string()),
        false => {
            let counts = json!({"accepted": all - errors.len(), "rejected": errors.len(), "errors": errors});
            (StatusCode::MULTI_STATUS, counts.to_string())
        }
    }
}
