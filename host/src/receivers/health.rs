//! `/healthz` and `/readyz`: whether the process lives, and whether it takes requests.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::{Arc, Mutex, PoisonError};

/// The state of the process, as the outside asks for it. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Health(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    phase: Phase,
    refused_by: Option<String>,
}

/// How far the process is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It does not listen yet.
    #[default]
    Starting,
    /// It takes requests.
    Running,
    /// It ends, and takes no new ones.
    Draining,
}

impl Health {
    /// Sets how far the process is.
    pub fn set_phase(&self, phase: Phase) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).phase = phase;
    }

    /// Says that the durable log takes nothing and why, or, with `None`, that it takes requests again.
    pub fn set_log_refusal(&self, why: Option<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).refused_by = why;
    }

    /// Why the process takes no requests; `None` where it does.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.phase {
            Phase::Starting => Some("starting".to_owned()),
            Phase::Draining => Some("draining".to_owned()),
            Phase::Running => state.refused_by.as_ref().map(|why| format!("the log refuses: {why}")),
        }
    }
}

/// `/healthz` answers 200 as long as the process can answer at all. `/readyz` answers 503 with the reason where no requests
/// are taken.
pub fn router(health: Health) -> Router {
    routes("/readyz", health).route("/healthz", get(|| async { text(StatusCode::OK, "alive".to_owned()) }))
}

/// The same, and `/`, which is the path of the Collector's `health_check`.
pub fn router_of_its_own(health: Health) -> Router {
    router(health.clone()).merge(routes("/", health))
}

fn routes(ready_path: &str, health: Health) -> Router {
    let ready = |State(health): State<Health>| async move {
        match health.refusal() {
            None => text(StatusCode::OK, "ready".to_owned()),
            Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, why),
        }
    };
    Router::new().route(ready_path, get(ready)).with_state(health)
}

fn text(status: StatusCode, mut line: String) -> Response {
    line.push('\n');
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], line).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_taken_only_while_running_with_a_log_that_takes_them() {
        let health = Health::default();
        let seen = health.clone();
        assert_eq!(seen.refusal().as_deref(), Some("starting"));
        health.set_phase(Phase::Running);
        assert_eq!(seen.refusal(), None);
        health.set_log_refusal(Some("the disk is full".to_owned()));
        assert_eq!(seen.refusal().as_deref(), Some("the log refuses: the disk is full"));
        health.set_log_refusal(None);
        assert_eq!(seen.refusal(), None);
        health.set_phase(Phase::Draining);
        assert_eq!(seen.refusal().as_deref(), Some("draining"));
    }
}
