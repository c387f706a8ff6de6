//! One trace.

use crate::error::StoreError;
use crate::store::Store;
use rusqlite::types::ValueRef;
use tollgate_otlp::{Envelope, RequestWriter};

/// Most spans of a trace that are answered.
pub const MOST_TRACE_SPANS: usize = 10_000;

/// Most bytes of a trace that are answered, encoded, unless its first span has more.
pub const MOST_TRACE_BYTES: usize = 8 << 20;

/// The spans of a trace that are held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// An encoded `ExportTraceServiceRequest` with them, in the order of their arrival.
    pub request: Vec<u8>,
    /// How many they are.
    pub spans: usize,
    /// How many more are held, and left out because there are too many or they are too large.
    pub left_out: usize,
}

impl Store {
    /// The spans of a trace; `None` where none is held.
    ///
    /// # Errors
    /// The file cannot be read, or it takes too long.
    pub fn trace(&self, trace_id: [u8; 16]) -> Result<Option<Trace>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT spans.body, envelopes.resource, envelopes.scope
                 FROM spans LEFT JOIN envelopes ON envelopes.id = spans.envelope
                 WHERE spans.trace_id = ? ORDER BY spans.id",
            )?;
            let mut rows = statement.query([trace_id])?;
            let (mut request, mut left_out) = (RequestWriter::new(), 0);
            while let Some(row) = rows.next()? {
                let body = blob(row.get_ref(0)?);
                let (resource, scope) = (blob(row.get_ref(1)?), blob(row.get_ref(2)?));
                let size = request.size() + body.len() + resource.len() + scope.len();
                let is_full = request.len() >= MOST_TRACE_SPANS || (size > MOST_TRACE_BYTES && !request.is_empty());
                if is_full || left_out > 0 {
                    left_out += 1;
                    continue;
                }
                request.push(&Envelope::of_fields(resource.to_vec(), scope.to_vec()), body);
            }
            let spans = request.len();
            Ok((spans > 0).then(|| Trace { request: request.finish(), spans, left_out }))
        })
    }
}

fn blob(value: ValueRef<'_>) -> &[u8] {
    match value {
        ValueRef::Blob(bytes) => bytes,
        _ => &[],
    }
}
