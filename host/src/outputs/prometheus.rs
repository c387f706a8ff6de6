//! The metrics page: `GET /metrics`, in the form that the scraper asks for.

use crate::metrics::Metrics;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::response::IntoResponse;
use axum::routing::get;
use tollgate_metering::Format;

/// The route of the metrics page.
pub fn router(metrics: Metrics) -> Router {
    Router::new().route("/metrics", get(page)).with_state(metrics)
}

async fn page(State(metrics): State<Metrics>, headers: HeaderMap) -> impl IntoResponse {
    let accept: Vec<_> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let format = Format::accepted(&accept.join(","));
    ([(CONTENT_TYPE, format.content_type()), (VARY, "Accept")], metrics.page_as(format))
}
