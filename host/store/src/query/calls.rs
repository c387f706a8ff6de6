//! Calls, the newest first, page by page.

use super::cursor::Cursor;
use super::filter::Filter;
use crate::call::Call;
use crate::error::StoreError;
use crate::store::Store;
use rusqlite::types::Value;
use rusqlite::{Row, params_from_iter};

/// Most calls of a page.
pub const MOST_CALLS: usize = 1_000;

/// Calls, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The calls.
    pub calls: Vec<Call>,
    /// Where the next page begins; `None` where there is none.
    pub next: Option<Cursor>,
}

const COLUMNS: &str = "calls.time, calls.id, spans.trace_id, spans.span_id, calls.parent, calls.name, calls.service,
    calls.operation, calls.provider, calls.request_model, calls.response_model, calls.input, calls.output,
    calls.cache_read, calls.cache_write, calls.reasoning, calls.usage_source, calls.nano_usd, calls.cost_source,
    calls.unpriced, calls.duration, calls.first_chunk, calls.finish, calls.error_type, calls.status, calls.user,
    calls.session, calls.role, calls.truncated";

impl Store {
    /// The newest `limit` of the calls that `filter` lets through, at most [`MOST_CALLS`], from `after` on. Calls that ended
    /// at the same time come in the order of their arrival, the last first.
    ///
    /// # Errors
    /// The file cannot be read, or it takes too long.
    pub fn calls(&self, filter: &Filter, after: Option<Cursor>, limit: usize) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, MOST_CALLS);
        let mut condition = filter.condition();
        if let Some(Cursor { time, id }) = after {
            condition.and("(calls.time, calls.id) < (?, ?)", [Value::from(time), Value::from(id)]);
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM calls JOIN spans ON spans.id = calls.id{} ORDER BY calls.time DESC, calls.id DESC LIMIT {}",
            condition.sql,
            limit + 1
        );
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(condition.values), call)?;
            let mut found = rows.collect::<Result<Vec<_>, _>>()?;
            let more = found.len() > limit;
            found.truncate(limit);
            let next = found.last().filter(|_| more).map(|(cursor, _)| *cursor);
            Ok(Page { calls: found.into_iter().map(|(_, call)| call).collect(), next })
        })
    }
}

/// Numbers are never below 0 in the database.
fn whole(row: &Row<'_>, column: usize) -> Result<Option<u64>, rusqlite::Error> {
    Ok(row.get::<_, Option<i64>>(column)?.and_then(|number| u64::try_from(number).ok()))
}

fn call(row: &Row<'_>) -> Result<(Cursor, Call), rusqlite::Error> {
    let cursor = Cursor { time: row.get(0)?, id: row.get(1)? };
    let call = Call {
        time: u64::try_from(cursor.time).unwrap_or(0),
        trace_id: row.get(2)?,
        span_id: row.get(3)?,
        parent: row.get(4)?,
        name: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
        service: row.get(6)?,
        operation: row.get(7)?,
        provider: row.get(8)?,
        request_model: row.get(9)?,
        response_model: row.get(10)?,
        tokens: [whole(row, 11)?, whole(row, 12)?, whole(row, 13)?, whole(row, 14)?, whole(row, 15)?],
        usage_source: row.get(16)?,
        nano_usd: whole(row, 17)?,
        cost_source: row.get(18)?,
        unpriced: row.get(19)?,
        duration: whole(row, 20)?,
        first_chunk: whole(row, 21)?,
        finish: row.get(22)?,
        error_type: row.get(23)?,
        status: row.get(24)?,
        user: row.get(25)?,
        session: row.get(26)?,
        role: row.get(27)?,
        truncated: row.get(28)?,
    };
    Ok((cursor, call))
}
