//! Langfuse: traces over OTLP/HTTP in its dialect, and results of evaluations through its scores API, because it does not
//! read them over OTLP.

use super::otlp_http::{self, Answered};
use super::scores::Scores;
use super::{Delivery, InDialect, Limits, Prepare, Prepared, SendError, Sink};
use crate::config::Langfuse;
use crate::receivers::Signal;
use bytes::Bytes;
use reqwest::StatusCode;
use std::sync::Arc;
use tollgate_otlp::LogsRequest;
use tollgate_score::{Score, is_result, langfuse};

/// Log records are scanned when they come in; these limits are for what was let in then.
const NO_LIMITS: tollgate_otlp::Limits =
    tollgate_otlp::Limits { bytes: usize::MAX, items: u32::MAX, values: u32::MAX, depth: u8::MAX };

/// A project of Langfuse that is spoken to.
#[derive(Debug)]
pub struct Project {
    otlp: otlp_http::Backend,
    scores: String,
    dialect: Option<Arc<tollgate_dialect::Dialect>>,
}

impl Project {
    /// A project as configured.
    ///
    /// # Errors
    /// The HTTP client cannot be made, for example because a header does not fit or a file of TLS cannot be read.
    pub fn new(config: &Langfuse) -> Result<Self, String> {
        let otlp = otlp_http::Backend::new(&config.otlp)?.with_passing(passes);
        Ok(Self { otlp, scores: config.scores.clone(), dialect: config.otlp.dialect.compile() })
    }
}

/// Langfuse answers with 500 where its own queue or storage fails, which passes; OTLP takes that for a last word.
fn passes(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// Spans in the dialect, and of log records those that are results of evaluations.
#[derive(Debug)]
struct ForLangfuse(Option<InDialect>);

impl Prepare for ForLangfuse {
    fn prepare(&self, delivery: Delivery) -> Prepared {
        match delivery.signal {
            Signal::Traces => match &self.0 {
                Some(dialect) => dialect.prepare(delivery),
                None => Prepared::same(delivery),
            },
            Signal::Logs => results(delivery),
            Signal::Metrics => Prepared { delivery: None, not_wanted: delivery.items, unconverted: 0 },
        }
    }
}

fn results(delivery: Delivery) -> Prepared {
    let Ok(request) = LogsRequest::scan(&delivery.bytes, &NO_LIMITS) else {
        return Prepared { delivery: None, not_wanted: delivery.items, unconverted: 0 };
    };
    let (bytes, kept) = request.retain(is_result);
    let items = u64::try_from(kept).unwrap_or(u64::MAX);
    let kept = (items > 0).then(|| Delivery { bytes: Bytes::from(bytes.into_owned()), items, ..delivery.clone() });
    Prepared { delivery: kept, not_wanted: delivery.items.saturating_sub(items), unconverted: 0 }
}

impl Sink for Project {
    fn limits(&self) -> Limits {
        self.otlp.limits()
    }

    fn preparation(&self) -> Option<Arc<dyn Prepare>> {
        Some(Arc::new(ForLangfuse(self.dialect.clone().map(InDialect))))
    }

    async fn send(&self, delivery: &Delivery) -> Result<u64, SendError> {
        match delivery.signal {
            Signal::Traces => self.otlp.send(delivery).await,
            Signal::Logs => {
                let (scores, unreadable) = read(&delivery.bytes);
                let mut rejected = unreadable;
                for part in scores.chunks(langfuse::MOST) {
                    // Where a later part fails, all are sent again; their ids make them the same scores.
                    rejected += self.send_scores(part).await?;
                }
                Ok(rejected)
            }
            Signal::Metrics => Ok(delivery.items),
        }
    }
}

/// The scores of log records, and how many of them are none.
fn read(bytes: &[u8]) -> (Vec<Score>, u64) {
    let Ok(request) = LogsRequest::scan(bytes, &NO_LIMITS) else { return (Vec::new(), 0) };
    let (mut scores, mut unreadable) = (Vec::new(), 0);
    for log in request.logs() {
        match Score::of_log(&log) {
            Ok(score) => scores.push(score),
            Err(why) => {
                unreadable += 1;
                tracing::warn!(why, "the result of an evaluation is no score");
            }
        }
    }
    (scores, unreadable)
}

impl Scores for Project {
    async fn send_scores(&self, scores: &[Score]) -> Result<u64, SendError> {
        let answered = self.otlp.post(&self.scores, "application/json", langfuse::body(scores)).await?;
        judge(answered)
    }
}

/// 202 has taken all; 207 says how many it has not, which it will not take later either.
fn judge(answered: Answered) -> Result<u64, SendError> {
    if !answered.status.is_success() {
        return Err(answered.refusal(passes));
    }
    let (rejected, words) = langfuse::rejected(&answered.body);
    if rejected > 0 {
        tracing::warn!(rejected, words = super::answer::short(&words), "Langfuse did not take all scores");
    }
    Ok(rejected)
}
