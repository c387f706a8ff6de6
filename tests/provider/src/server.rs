//! The routes: reads a request, decides the answer, sends it.

use crate::answer::{Answer, Frame};
use crate::delivery::{Delivery, Entry, compress};
use crate::directives::Directives;
use crate::fault::{Fault, Vendor};
use crate::ledger::{Ledger, Served};
use crate::plan::Plan;
use crate::{anthropic_messages, models, openai_chat, openai_responses, text};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// What all requests share.
#[derive(Clone)]
struct Shared {
    ledger: Arc<Ledger>,
    calls: Arc<AtomicU64>,
    request_bytes: usize,
}

/// The three calls that make a model answer.
#[derive(Clone, Copy)]
enum Api {
    ChatCompletions,
    Responses,
    Messages,
}

impl Api {
    const fn vendor(self) -> Vendor {
        match self {
            Self::ChatCompletions | Self::Responses => Vendor::OpenAi,
            Self::Messages => Vendor::Anthropic,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat_completions",
            Self::Responses => "responses",
            Self::Messages => "messages",
        }
    }

    /// The field that must hold the prompt, and all fields that the model reads.
    const fn fields(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::ChatCompletions => ("messages", openai_chat::PROMPT_FIELDS),
            Self::Responses => ("input", openai_responses::PROMPT_FIELDS),
            Self::Messages => ("messages", anthropic_messages::PROMPT_FIELDS),
        }
    }

    fn answer(self, plan: &Plan) -> Answer {
        match self {
            Self::ChatCompletions => openai_chat::answer(plan),
            Self::Responses => openai_responses::answer(plan),
            Self::Messages => anthropic_messages::answer(plan),
        }
    }

    fn error_event(self, fault: &Fault, sequence_number: usize, request_id: &str) -> Frame {
        match self {
            Self::ChatCompletions => openai_chat::error_event(fault),
            Self::Responses => openai_responses::error_event(fault, sequence_number),
            Self::Messages => anthropic_messages::error_event(fault, request_id),
        }
    }
}

pub(crate) fn router(ledger: Arc<Ledger>, request_bytes: usize) -> Router {
    let shared = Shared { ledger, calls: Arc::default(), request_bytes };
    Router::new()
        .route("/v1/chat/completions", post(|state, request| call(Api::ChatCompletions, state, request)))
        .route("/v1/responses", post(|state, request| call(Api::Responses, state, request)))
        .route("/v1/messages", post(|state, request| call(Api::Messages, state, request)))
        .route("/v1/messages/count_tokens", post(count_tokens))
        .route("/v1/models", get(list_models))
        .route("/sim/served", get(served).delete(reset))
        .fallback(async || {
            (StatusCode::NOT_FOUND, json_headers(), Fault::NotFound.body(Vendor::OpenAi, "").to_string())
        })
        .with_state(shared)
}

/// One call of a model.
async fn call(api: Api, State(shared): State<Shared>, request: Request) -> Response {
    let number = shared.calls.fetch_add(1, Ordering::Relaxed) + 1;
    let request_id = format!("req_sim{number:012}");
    let mut entry = Entry::open(Arc::clone(&shared.ledger), unserved(api, &request_id));
    let (head, body) = request.into_parts();
    let prepared = match Directives::read(&head.headers) {
        Ok(wishes) => read_json(body, shared.request_bytes).await.map(|fields| (wishes, fields)),
        Err(message) => Err(Fault::BadRequest(message)),
    };
    let (wishes, fields) = match prepared {
        Ok(prepared) => prepared,
        Err(fault) => return refuse(api, &fault, &request_id, entry),
    };
    entry.update(|served| {
        served.request_model = fields.get("model").and_then(Value::as_str).map(str::to_owned);
        served.stream = fields.get("stream").and_then(Value::as_bool).unwrap_or(false);
    });
    tokio::time::sleep(wishes.delay).await;
    if let (Some(fault), None) = (&wishes.error, wishes.error_after_chunks) {
        return refuse(api, fault, &request_id, entry);
    }
    let (prompt, read) = api.fields();
    let plan = match Plan::new(number, unix_seconds(), fields, &wishes, prompt, read) {
        Ok(plan) => plan,
        Err(fault) => return refuse(api, &fault, &request_id, entry),
    };
    let Answer { id, mut frames } = api.answer(&plan);
    if let (Some(fault), Some(after)) = (&wishes.error, wishes.error_after_chunks)
        && plan.stream
    {
        frames.truncate(after);
        frames.push(api.error_event(fault, frames.len(), &request_id));
    }
    entry.update(|served| {
        served.id = id;
        served.model = Some(plan.model.clone());
        served.status = Some(StatusCode::OK.as_u16());
    });
    let content_type = if plan.stream { "text/event-stream; charset=utf-8" } else { "application/json" };
    respond(StatusCode::OK, content_type, api, &request_id, frames, &wishes, entry)
}

/// The ledger's line of a call that has not been answered.
fn unserved(api: Api, request_id: &str) -> Served {
    Served {
        id: request_id.to_owned(),
        provider: api.vendor().as_str().to_owned(),
        api: api.as_str().to_owned(),
        request_model: None,
        model: None,
        stream: false,
        status: None,
        usage: None,
        frames: 0,
        frames_planned: 0,
        cut: None,
        error: None,
    }
}

fn refuse(api: Api, fault: &Fault, request_id: &str, mut entry: Entry) -> Response {
    let status = fault.status(api.vendor());
    entry.update(|served| served.status = Some(status.as_u16()));
    let frame = Frame::body(&fault.body(api.vendor(), request_id)).with_error(fault.kind(api.vendor()));
    respond(status, "application/json", api, request_id, vec![frame], &Directives::default(), entry)
}

fn respond(
    status: StatusCode,
    content_type: &'static str,
    api: Api,
    request_id: &str,
    frames: Vec<Frame>,
    wishes: &Directives,
    entry: Entry,
) -> Response {
    let frames = match if wishes.gzip { compress(frames) } else { Ok(frames) } {
        Ok(frames) => frames,
        Err(_) => return refuse(api, &Fault::Internal, request_id, entry),
    };
    let mut response = Response::new(Body::new(Delivery::new(frames, wishes, entry)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if wishes.gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if wishes.trailers {
        headers.insert(header::TRAILER, HeaderValue::from_static("x-sim-trailer"));
    }
    let id_header = match api.vendor() {
        Vendor::OpenAi => HeaderName::from_static("x-request-id"),
        Vendor::Anthropic => HeaderName::from_static("request-id"),
    };
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert(id_header, value);
    }
    response
}

/// The request's JSON object.
async fn read_json(body: Body, limit: usize) -> Result<Map<String, Value>, Fault> {
    let bytes = to_bytes(body, limit).await.map_err(|_| Fault::TooLarge)?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Fault::BadRequest("The request body is JSON, but not an object.".into())),
        Err(error) => Err(Fault::BadRequest(format!("The request body is not JSON: {error}."))),
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Anthropic's count of a prompt; no model runs, so the ledger does not hold it.
async fn count_tokens(State(shared): State<Shared>, body: Body) -> Response {
    let fields = match read_json(body, shared.request_bytes).await {
        Ok(fields) => fields,
        Err(fault) => {
            let status = fault.status(Vendor::Anthropic);
            return (status, json_headers(), fault.body(Vendor::Anthropic, "").to_string()).into_response();
        }
    };
    let read: usize =
        anthropic_messages::PROMPT_FIELDS.iter().filter_map(|field| fields.get(*field)).map(text::text_bytes).sum();
    (json_headers(), json!({ "input_tokens": text::tokens(read) }).to_string()).into_response()
}

/// The list of models, in Anthropic's shape where the request carries Anthropic's version header.
async fn list_models(headers: HeaderMap) -> Response {
    let list = if headers.contains_key("anthropic-version") {
        let data: Vec<_> = models::of(models::Family::Anthropic)
            .map(|id| json!({"type": "model", "id": id, "display_name": id, "created_at": "2025-01-01T00:00:00Z"}))
            .collect();
        let (first, last) = (data.first().map(|model| &model["id"]), data.last().map(|model| &model["id"]));
        json!({"first_id": first, "last_id": last, "has_more": false, "data": data})
    } else {
        let data: Vec<_> = models::of(models::Family::OpenAi)
            .map(|id| json!({"id": id, "object": "model", "created": 1_735_689_600, "owned_by": "openai"}))
            .collect();
        json!({"object": "list", "data": data})
    };
    (json_headers(), list.to_string()).into_response()
}

/// The ledger as JSON lines; what it had no room for stands in a header.
async fn served(State(shared): State<Shared>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (HeaderName::from_static("x-sim-dropped"), shared.ledger.dropped().to_string()),
    ];
    (headers, shared.ledger.to_json_lines()).into_response()
}

async fn reset(State(shared): State<Shared>) -> StatusCode {
    shared.ledger.reset();
    StatusCode::NO_CONTENT
}

fn json_headers() -> [(HeaderName, &'static str); 1] {
    [(header::CONTENT_TYPE, "application/json")]
}
