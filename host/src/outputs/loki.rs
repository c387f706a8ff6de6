//! Loki: log records through its OTLP endpoint, and, where asked for, what was said in calls as log records.

use super::otlp_http;
use super::{Delivery, Limits, Only, Prepare, Prepared, SendError, Sink};
use crate::config::Loki;
use crate::receivers::Signal;
use bytes::Bytes;
use reqwest::StatusCode;
use std::sync::Arc;

/// A tenant of Loki that is spoken to.
#[derive(Debug)]
pub struct Tenant {
    otlp: otlp_http::Backend,
    content: bool,
}

impl Tenant {
    /// A tenant as configured.
    ///
    /// # Errors
    /// The HTTP client cannot be made, for example because a header does not fit or a file of TLS cannot be read.
    pub fn new(config: &Loki) -> Result<Self, String> {
        let otlp = otlp_http::Backend::new(&config.otlp)?.with_passing(passes);
        Ok(Self { otlp, content: config.content })
    }
}

/// Loki answers with 429 at its limits and with 5xx where its own parts fail, which pass. 400 is for records that it will
/// never take, as those that are too old; it has stored the others of the request then.
///
/// Source: Loki documentation, "Ingest logs", rate limit and validation errors; its own clients send again at these.
fn passes(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

impl Sink for Tenant {
    fn limits(&self) -> Limits {
        self.otlp.limits()
    }

    fn preparation(&self) -> Option<Arc<dyn Prepare>> {
        match self.content {
            true => Some(Arc::new(WithContent)),
            false => Some(Arc::new(Only(&[Signal::Logs]))),
        }
    }

    async fn send(&self, delivery: &Delivery) -> Result<u64, SendError> {
        match delivery.signal {
            Signal::Logs => self.otlp.send(delivery).await,
            Signal::Traces | Signal::Metrics => Ok(delivery.items),
        }
    }
}

/// Log records, and of spans those log records that say what was said.
#[derive(Debug)]
struct WithContent;

impl Prepare for WithContent {
    fn prepare(&self, delivery: Delivery) -> Prepared {
        if delivery.signal != Signal::Traces {
            return Only(&[Signal::Logs]).prepare(delivery);
        }
        match tollgate_dialect::content(&delivery.bytes) {
            Ok(content) => Prepared {
                delivery: (content.records > 0).then(|| Delivery {
                    signal: Signal::Logs,
                    bytes: Bytes::from(content.bytes),
                    items: content.records,
                }),
                not_wanted: content.without,
                unconverted: 0,
            },
            Err(error) => {
                tracing::error!(%error, "spans cannot be read");
                Prepared { delivery: None, not_wanted: 0, unconverted: delivery.items }
            }
        }
    }
}
