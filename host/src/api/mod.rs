//! Questions about calls and what they cost, answered in JSON beside the metrics page. docs/API.md describes them.

mod answer;
mod query;
mod stored;

use crate::costs::Costs;
use answer::Answer;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use query::Query;
use serde::Serialize;
use std::sync::Arc;
use stored::Stored;
use tokio::sync::Semaphore;

/// The routes of the API. `sampled` says whether the store may lack calls.
pub fn router(costs: Arc<Costs>, store: Option<Arc<tollgate_store::Store>>, sampled: bool) -> Router {
    // A report takes milliseconds and as much memory as a bucket, so they are made one at a time.
    let stored = Stored::new(store, sampled);
    let asked = Asked { costs, stored: stored.clone(), turn: Arc::new(Semaphore::new(1)) };
    Router::new().route("/api/cost", get(cost)).with_state(asked).merge(stored.router())
}

#[derive(Clone)]
struct Asked {
    costs: Arc<Costs>,
    stored: Stored,
    turn: Arc<Semaphore>,
}

async fn cost(State(asked): State<Asked>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    if tollgate_store::api::is_grouped(&query) {
        return asked.stored.cost(query).await;
    }
    let query = match Query::parse(&query, &asked.costs.limits) {
        Ok(query) => query,
        Err(error) => return problem(StatusCode::BAD_REQUEST, error),
    };
    let _turn = asked.turn.acquire().await;
    let costs = Arc::clone(&asked.costs);
    let made = tokio::task::spawn_blocking(move || {
        let (window, counters) = costs.window(query.window);
        Answer::new(&costs, &window, counters, query)
    });
    match made.await {
        Ok(answer) => ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a question about costs was given up");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "the answer could not be made".to_owned())
        }
    }
}

fn problem(status: StatusCode, error: String) -> Response {
    #[derive(Serialize)]
    struct Problem {
        error: String,
    }
    (status, [(CACHE_CONTROL, "no-store")], Json(Problem { error })).into_response()
}
