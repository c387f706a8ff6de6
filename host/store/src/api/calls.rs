//! `GET /api/calls`.

use super::parameters::{FILTERS, Parameters};
use super::parts::{Source, Tokens, hexadecimal};
use super::{Context, Refusal};
use crate::call::Call;
use crate::moment;
use crate::money::usd;
use crate::query::{Cursor, MOST_CALLS};
use crate::store::Store;
use serde::{Serialize, Serializer};

/// Calls, the newest first.
#[derive(Debug, Serialize)]
pub struct CallsAnswer {
    #[serde(flatten)]
    source: Source,
    calls: Vec<One>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct One {
    time: String,
    trace_id: String,
    span_id: String,
    parent_span_id: Option<String>,
    name: String,
    service: Option<String>,
    operation: Option<String>,
    provider: Option<String>,
    request_model: Option<String>,
    response_model: Option<String>,
    tokens: Tokens<Option<u64>>,
    usage_source: Option<String>,
    cost_usd: Option<String>,
    cost_nano_usd: Option<String>,
    cost_source: Option<String>,
    unpriced_reason: Option<String>,
    duration_ns: Option<u64>,
    time_to_first_chunk_ns: Option<u64>,
    finish_reasons: Reasons,
    error_type: Option<String>,
    status: Option<String>,
    user: Option<String>,
    session: Option<String>,
    role: Option<String>,
    truncated: bool,
}

/// A list, whatever the emitter sends.
#[derive(Debug)]
struct Reasons(Option<String>);

impl Serialize for Reasons {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(text) = &self.0 else { return serializer.collect_seq(std::iter::empty::<&str>()) };
        match serde_json::from_str::<Vec<String>>(text) {
            Ok(reasons) => serializer.collect_seq(reasons),
            Err(_) => serializer.collect_seq([text]),
        }
    }
}

/// Answers `GET /api/calls`.
///
/// # Errors
/// The question is wrong, or the store cannot answer.
pub fn calls(store: &Store, question: &str, context: Context) -> Result<CallsAnswer, Refusal> {
    let parameters = Parameters::parse(question, &[&FILTERS[..], &["cursor"]].concat())?;
    let filter = parameters.filter(context, None)?;
    let limit = parameters.count("limit", 100, MOST_CALLS)?;
    let after = match parameters.get("cursor") {
        Some(text) => Some(Cursor::of_text(text).ok_or_else(|| {
            Refusal::Question(format!("cursor: {text:?} was not given out; write what next_cursor says, or nothing"))
        })?),
        None => None,
    };
    let page = store.calls(&filter, after, limit)?;
    Ok(CallsAnswer {
        source: Source::new(store, context.sampled)?,
        calls: page.calls.into_iter().map(One::new).collect(),
        next_cursor: page.next.map(Cursor::to_text),
    })
}

impl One {
    fn new(call: Call) -> Self {
        Self {
            time: moment::text(call.time),
            trace_id: hexadecimal(&call.trace_id),
            span_id: hexadecimal(&call.span_id),
            parent_span_id: call.parent.map(|id| hexadecimal(&id)),
            name: call.name,
            service: call.service,
            operation: call.operation,
            provider: call.provider,
            request_model: call.request_model,
            response_model: call.response_model,
            tokens: Tokens(call.tokens),
            usage_source: call.usage_source,
            cost_usd: call.nano_usd.map(|nanos| usd(nanos.into())),
            cost_nano_usd: call.nano_usd.map(|nanos| nanos.to_string()),
            cost_source: call.cost_source,
            unpriced_reason: call.unpriced,
            duration_ns: call.duration,
            time_to_first_chunk_ns: call.first_chunk,
            finish_reasons: Reasons(call.finish),
            error_type: call.error_type,
            status: call.status,
            user: call.user,
            session: call.session,
            role: call.role,
            truncated: call.truncated,
        }
    }
}
