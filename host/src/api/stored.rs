//! Questions to the store of recent calls. What is asked and answered is `tollgate_store::api`.

use super::problem;
use crate::outputs::{store::now, wire};
use crate::receivers::Signal;
use axum::Json;
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tollgate_store::api::{self, Context, Refusal};
use tollgate_store::{Store, Trace};

/// Questions that are answered at once. An answer takes as much memory as what it says, at most some tens of MiB.
const AT_ONCE: usize = 2;

/// Longest that a question waits for those before it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many spans of a trace are not in the answer.
const LEFT_OUT: HeaderName = HeaderName::from_static("tollgate-spans-left-out");

/// The store, for those who ask.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    store: Option<Arc<Store>>,
    sampled: bool,
    turns: Arc<Semaphore>,
}

impl Stored {
    pub(super) fn new(store: Option<Arc<Store>>, sampled: bool) -> Self {
        Self { store, sampled, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/api/calls", get(calls))
            .route("/api/live", get(live))
            .route("/api/traces/{id}", get(trace))
            .with_state(self)
    }

    /// Answers a question about costs that is one for the store.
    pub(super) async fn cost(&self, question: String) -> Response {
        self.answer(move |store, context| api::cost(store, &question, context).map(json)).await
    }

    async fn answer(
        &self,
        question: impl FnOnce(&Store, Context) -> Result<Response, Refusal> + Send + 'static,
    ) -> Response {
        let Some(store) = self.store.clone() else {
            let off = "there is no store; configure outputs.store, or read why it could not be opened in the log";
            return problem(StatusCode::NOT_FOUND, off.to_owned());
        };
        let Ok(Ok(_turn)) = tokio::time::timeout(PATIENCE, self.turns.acquire()).await else {
            return problem(StatusCode::SERVICE_UNAVAILABLE, "too many ask at once; ask again later".to_owned());
        };
        let context = Context { now: now(), sampled: self.sampled };
        match tokio::task::spawn_blocking(move || question(&store, context)).await {
            Ok(Ok(response)) => response,
            Ok(Err(refusal)) => {
                let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                if status.is_server_error() {
                    tracing::warn!(error = %refusal, "a question to the store was not answered");
                }
                problem(status, refusal.to_string())
            }
            Err(error) => {
                tracing::error!(%error, "a question to the store was given up");
                problem(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be made".to_owned())
            }
        }
    }
}

async fn calls(State(stored): State<Stored>, RawQuery(query): RawQuery) -> Response {
    let question = query.unwrap_or_default();
    stored.answer(move |store, context| api::calls(store, &question, context).map(json)).await
}

async fn live(State(stored): State<Stored>, RawQuery(query): RawQuery) -> Response {
    let question = query.unwrap_or_default();
    stored.answer(move |store, context| api::live(store, &question, context).map(json)).await
}

async fn trace(State(stored): State<Stored>, Path(id): Path<String>) -> Response {
    stored.answer(move |store, _| api::trace(store, &id).map(otlp)).await
}

fn json(answer: impl Serialize) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response()
}

fn otlp(Trace { request, left_out, .. }: Trace) -> Response {
    match wire::json(wire::items(Signal::Traces), &request) {
        Ok(body) => {
            let headers = [(CACHE_CONTROL, "no-store".to_owned()), (CONTENT_TYPE, "application/json".to_owned())];
            (headers, [(LEFT_OUT, left_out.to_string())], body).into_response()
        }
        Err(why) => problem(StatusCode::INTERNAL_SERVER_ERROR, why),
    }
}
