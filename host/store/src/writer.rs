//! What changes the database: spans go in, and the oldest go out.

use crate::call::Call;
use crate::error::StoreError;
use crate::options::{Bounds, PAGE};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use tollgate_otlp::Envelope;

/// Most envelopes whose places are remembered, so that each is stored once. One that is forgotten is stored once more.
const KNOWN_ENVELOPES: usize = 1_024;

/// Most steps in which room is made after a transaction.
const STEPS: usize = 16;

/// A span that is to be stored.
#[derive(Debug)]
pub(crate) struct Item<'r> {
    pub(crate) trace_id: [u8; 16],
    pub(crate) span_id: [u8; 8],
    pub(crate) envelope: Envelope,
    pub(crate) body: Cow<'r, [u8]>,
    pub(crate) call: Option<Call>,
}

/// By which bound spans were removed, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evicted {
    pub(crate) by_bytes: u64,
    pub(crate) by_age: u64,
}

/// The one connection that writes.
pub(crate) struct Writer {
    connection: Connection,
    bounds: Bounds,
    max_age: i64,
    /// Rows of the envelopes that were seen last.
    known: BTreeMap<Envelope, i64>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl Writer {
    pub(crate) fn new(connection: Connection, bounds: Bounds, max_age: std::time::Duration) -> Self {
        let max_age = i64::try_from(max_age.as_nanos()).unwrap_or(i64::MAX);
        Self { connection, bounds, max_age, known: BTreeMap::new() }
    }

    /// Stores spans that arrive at `now`, in one transaction, and gives how many of them were not there yet. Where the
    /// database is full the oldest spans go first.
    ///
    /// # Errors
    /// Nothing was stored then.
    pub(crate) fn write(&mut self, now: i64, items: &[Item<'_>], evicted: &mut Evicted) -> Result<u64, StoreError> {
        loop {
            match self.transact(now, items).map_err(StoreError::from) {
                Err(StoreError::Full(error)) => {
                    let removed = self.remove(2 * items.len() + 64, None)?;
                    evicted.by_bytes += removed;
                    if removed == 0 {
                        return Err(StoreError::Full(error));
                    }
                }
                done => return done,
            }
        }
    }

    fn transact(&mut self, now: i64, items: &[Item<'_>]) -> Result<u64, rusqlite::Error> {
        let transaction = self.connection.transaction()?;
        let mut envelopes = Envelopes { known: &self.known, fresh: BTreeMap::new(), last: None, used: Vec::new() };
        let (mut stored, mut newest) = (0, 0);
        {
            let mut span = transaction.prepare_cached(
                "INSERT OR IGNORE INTO spans (received, trace_id, span_id, envelope, body) VALUES (?, ?, ?, ?, ?)",
            )?;
            for item in items {
                let envelope = envelopes.place(&transaction, &item.envelope)?;
                if span.execute(params![now, item.trace_id, item.span_id, envelope, item.body])? == 0 {
                    continue;
                }
                stored += 1;
                newest = transaction.last_insert_rowid();
                if let Some(call) = &item.call {
                    insert_call(&transaction, newest, call)?;
                }
            }
            if stored > 0 {
                let mut last = transaction.prepare_cached("UPDATE envelopes SET last = ? WHERE id = ?")?;
                for envelope in &envelopes.used {
                    last.execute([newest, *envelope])?;
                }
            }
        }
        let fresh = envelopes.fresh;
        transaction.commit()?;
        // Remembered only now: what a transaction that failed has written is not there.
        if self.known.len() + fresh.len() > KNOWN_ENVELOPES {
            self.known.clear();
        }
        self.known.extend(fresh.into_iter().take(KNOWN_ENVELOPES));
        Ok(stored)
    }

    /// Removes what is too old and, where the file is too full, what is oldest: at least as much as `written` spans
    /// where there is that much, and a bounded number of them, so that nobody waits for long.
    pub(crate) fn make_room(&mut self, now: i64, written: usize, evicted: &mut Evicted) -> Result<(), StoreError> {
        let cutoff = now.saturating_sub(self.max_age);
        evicted.by_age += self.remove(2 * written + 64, Some(cutoff))?;
        for _ in 0..STEPS {
            if self.used()? <= self.bounds.high {
                break;
            }
            let removed = self.remove(written + 64, None)?;
            evicted.by_bytes += removed;
            if removed == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Gives pages back to the disk where the file is larger than it may be, because the bound was larger before.
    pub(crate) fn shrink(&mut self) -> Result<(), StoreError> {
        if self.number("page_count")? > self.bounds.pages && self.number("freelist_count")? > 0 {
            let mut statement = self.connection.prepare("PRAGMA incremental_vacuum(1024)")?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
        }
        Ok(())
    }

    /// Moves the write-ahead log into the database and empties it. Nobody may be reading.
    pub(crate) fn checkpoint(&self) -> Result<(), StoreError> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Removes the oldest of `most` spans, all of them or those that arrived before a time, with what is theirs. They go in
    /// the order in which they came: one that a clock which was ahead has given a later time goes with those behind it.
    fn remove(&mut self, most: usize, before: Option<i64>) -> Result<u64, StoreError> {
        let transaction = self.connection.transaction()?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let upto: Option<i64> = transaction
            .prepare_cached(
                "SELECT max(id) FROM (SELECT id, received FROM spans ORDER BY id LIMIT ?1)
                 WHERE ?2 IS NULL OR received < ?2",
            )?
            .query_row(params![most, before], |row| row.get(0))?;
        let Some(upto) = upto else { return Ok(0) };
        transaction.prepare_cached("DELETE FROM calls WHERE id <= ?")?.execute([upto])?;
        let removed = transaction.prepare_cached("DELETE FROM spans WHERE id <= ?")?.execute([upto])?;
        let oldest: Option<i64> = transaction
            .prepare_cached("SELECT id FROM spans ORDER BY id LIMIT 1")?
            .query_row([], |row| row.get(0))
            .optional()?;
        let gone = {
            let mut statement = transaction.prepare_cached(
                "DELETE FROM envelopes WHERE id IN (SELECT id FROM envelopes WHERE last < ? ORDER BY last LIMIT ?)
                 RETURNING id",
            )?;
            let rows = statement.query_map([oldest.unwrap_or(i64::MAX), most], |row| row.get(0))?;
            rows.collect::<Result<Vec<i64>, _>>()?
        };
        transaction.commit()?;
        if !gone.is_empty() {
            self.known.retain(|_, id| !gone.contains(id));
        }
        Ok(u64::try_from(removed).unwrap_or(u64::MAX))
    }

    /// Pages that hold something.
    fn used(&self) -> Result<u64, StoreError> {
        Ok(self.number("page_count")?.saturating_sub(self.number("freelist_count")?))
    }

    fn number(&self, pragma: &str) -> Result<u64, StoreError> {
        let number: i64 = self.connection.pragma_query_value(None, pragma, |row| row.get(0))?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    /// Bytes of the pages that hold something.
    pub(crate) fn used_bytes(&self) -> Result<u64, StoreError> {
        Ok(self.used()? * PAGE)
    }
}

/// The envelopes of one transaction.
struct Envelopes<'k> {
    known: &'k BTreeMap<Envelope, i64>,
    /// Those that were stored in this transaction.
    fresh: BTreeMap<Envelope, i64>,
    /// That of the span before, which is mostly that of the next.
    last: Option<(Envelope, i64)>,
    used: Vec<i64>,
}

impl Envelopes<'_> {
    /// The row of an envelope.
    fn place(&mut self, transaction: &Transaction<'_>, envelope: &Envelope) -> Result<i64, rusqlite::Error> {
        if let Some((_, id)) = self.last.as_ref().filter(|(last, _)| last == envelope) {
            return Ok(*id);
        }
        let id = match self.known.get(envelope).or_else(|| self.fresh.get(envelope)) {
            Some(id) => *id,
            None => {
                let (resource, scope) = envelope.fields();
                transaction
                    .prepare_cached("INSERT INTO envelopes (last, resource, scope) VALUES (0, ?, ?)")?
                    .execute([resource, scope])?;
                let id = transaction.last_insert_rowid();
                self.fresh.insert(envelope.clone(), id);
                id
            }
        };
        if !self.used.contains(&id) {
            self.used.push(id);
        }
        self.last = Some((envelope.clone(), id));
        Ok(id)
    }
}

fn insert_call(transaction: &Transaction<'_>, id: i64, call: &Call) -> Result<(), rusqlite::Error> {
    let whole = |number: Option<u64>| number.and_then(|number| i64::try_from(number).ok());
    let [input, output, cache_read, cache_write, reasoning] = call.tokens.map(whole);
    let mut statement = transaction.prepare_cached(
        "INSERT INTO calls (id, time, nano_usd, duration, first_chunk, input, output, cache_read, cache_write,
             reasoning, request_model, response_model, provider, service, operation, name, error_type, status, user,
             session, role, usage_source, cost_source, unpriced, finish, parent, truncated)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute(params![
        id,
        i64::try_from(call.time).unwrap_or(i64::MAX),
        whole(call.nano_usd),
        whole(call.duration),
        whole(call.first_chunk),
        input,
        output,
        cache_read,
        cache_write,
        reasoning,
        call.request_model,
        call.response_model,
        call.provider,
        call.service,
        call.operation,
        call.name,
        call.error_type,
        call.status,
        call.user,
        call.session,
        call.role,
        call.usage_source,
        call.cost_source,
        call.unpriced,
        call.finish,
        call.parent,
        call.truncated,
    ])?;
    Ok(())
}
