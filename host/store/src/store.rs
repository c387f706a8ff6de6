//! The store: one writer, several readers, and what holds between them.

use crate::call::{self, Call};
use crate::error::StoreError;
use crate::file;
use crate::fit::{Fitted, fit};
use crate::options::{Bounds, Options};
use crate::stats::{Counters, Stats};
use crate::writer::{Evicted, Item, Writer};
use rusqlite::Connection;
use std::borrow::Cow;
use std::fs::File;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tollgate_otlp::{Limits, Reads, Span, TraceRequest};

/// Longest that a question may take.
pub const QUERY_TIMEOUT: Duration = Duration::from_secs(5);

/// Most connections that are kept for the next question.
pub(crate) const IDLE_READERS: usize = 4;

/// Steps of SQLite's machine between two looks at the clock: some tenths of a millisecond.
const STEPS_PER_LOOK: i32 = 10_000;

/// Recent spans and calls, in a file.
#[derive(Debug)]
pub struct Store {
    options: Options,
    bounds: Bounds,
    reads: Reads,
    opened: u64,
    timeout: Duration,
    counters: Counters,
    /// What a reader has found, for the writer to see to.
    damaged: AtomicBool,
    /// How often the file was begun anew: connections of an earlier one are of no use.
    generation: AtomicU64,
    /// Who reads holds it shared; who needs that nobody does, alone.
    gate: RwLock<()>,
    idle: Mutex<Vec<(u64, Connection)>>,
    /// `None` while there is no file, because one could not be begun.
    writer: Mutex<Option<Writer>>,
    _lock: File,
}

/// What became of the spans of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inserted {
    /// Those that were stored.
    pub stored: u64,
    /// Those that were there already.
    pub duplicates: u64,
    /// Those that are too large, even without their content.
    pub refused: u64,
}

impl Store {
    /// Opens the store, or begins one. A damaged file is set aside as `<path>.damaged`, and [`Stats::damaged`] is 1 then.
    /// `now` is the time in nanoseconds since 1970.
    ///
    /// # Errors
    /// The file is in use, of another program or of a newer version of this one, or the disk refuses.
    pub fn open(options: Options, now: u64) -> Result<Self, StoreError> {
        let bounds = Bounds::of(&options);
        let lock = file::lock(&options.path)?;
        let counters = Counters::default();
        let connection = match file::open_writer(&options.path, &bounds) {
            Err(StoreError::Damaged(_)) => {
                file::set_aside(&options.path)?;
                counters.damaged.add(1);
                file::open_writer(&options.path, &bounds)?
            }
            opened => opened?,
        };
        Ok(Self {
            bounds,
            reads: Reads::compile(&call::READS)?,
            opened: now,
            timeout: QUERY_TIMEOUT,
            counters,
            damaged: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            gate: RwLock::new(()),
            idle: Mutex::new(Vec::new()),
            writer: Mutex::new(Some(Writer::new(connection, bounds, options.max_age))),
            _lock: lock,
            options,
        })
    }

    /// The store, with another time that a question may take than [`QUERY_TIMEOUT`].
    #[must_use]
    pub fn with_query_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// When it was opened, in nanoseconds since 1970.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Counts since it was opened, and its size on disk.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (database, wal) = file::sizes(&self.options.path);
        self.counters.stats(database.saturating_add(wal))
    }

    /// Stores the spans of an encoded `ExportTraceServiceRequest` that arrive at `now`, nanoseconds since 1970. When this
    /// returns they survive the end of the process. Of a span that is there already, by trace and span id, the first stays.
    ///
    /// # Errors
    /// Some of the spans may have been stored; to insert the request again stores the others.
    pub fn insert(&self, now: u64, request: &[u8]) -> Result<Inserted, StoreError> {
        let limits = Limits { bytes: usize::MAX, items: u32::MAX, values: u32::MAX, ..Limits::default() };
        let request = TraceRequest::scan(request, &limits).inspect_err(|_| self.counters.refused_malformed.add(1))?;
        let columns = request.project(&self.reads);
        let mut inserted = Inserted::default();
        let mut rows = columns.rows().zip(request.spans()).peekable();
        while rows.peek().is_some() {
            let (mut items, mut bytes) = (Vec::new(), 0_usize);
            while items.len() < self.bounds.batch_spans && (bytes < self.bounds.batch_bytes || items.is_empty()) {
                let Some((row, span)) = rows.next() else { break };
                match self.item(now, &span, Call::read(row)) {
                    Some(item) => {
                        bytes += item.body.len();
                        items.push(item);
                    }
                    None => inserted.refused += 1,
                }
            }
            let stored = self.write(now, &items)?;
            inserted.stored += stored;
            inserted.duplicates += u64::try_from(items.len()).unwrap_or(u64::MAX) - stored;
        }
        self.counters.refused_too_large.add(inserted.refused);
        Ok(inserted)
    }

    /// Removes what is too old and what there is no room for, a bounded amount at once. To be called every second or so:
    /// inserts do this too, but a store into which nothing comes has to forget as well.
    ///
    /// # Errors
    /// The file is damaged beyond being begun anew, or the disk refuses.
    pub fn tick(&self, now: u64) -> Result<(), StoreError> {
        let mut evicted = Evicted::default();
        let ticked = self.change(|writer| {
            writer.make_room(nanoseconds(now), 1_024, &mut evicted)?;
            writer.shrink()
        });
        self.count(evicted);
        ticked
    }

    /// Bytes of the database that hold something; the others are for what comes next.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn used_bytes(&self) -> Result<u64, StoreError> {
        self.change(|writer| writer.used_bytes())
    }

    /// The span as it is stored; `None` where it is too large.
    fn item<'r>(&self, now: u64, span: &Span<'r>, call: Option<Call>) -> Option<Item<'r>> {
        let body = match fit(span.bytes(), self.bounds.span) {
            Fitted::Whole => Cow::Borrowed(span.bytes()),
            Fitted::Without(bytes) => Cow::Owned(bytes),
            Fitted::TooLarge => return None,
        };
        let truncated = matches!(body, Cow::Owned(_));
        if truncated {
            self.counters.truncated.add(1);
        }
        let envelope = span.envelope();
        if envelope.size() > self.bounds.span {
            return None;
        }
        let ended = Some(span.end_time()).filter(|ended| *ended > 0);
        let call = call.map(|call| Call {
            // As the cost ledger has it: a call counts when it ended, and not in the future.
            time: ended.unwrap_or(now).min(now),
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            parent: span.parent_id(),
            name: call::cut(span.name()).to_owned(),
            truncated,
            ..call
        });
        Some(Item { trace_id: span.trace_id(), span_id: span.span_id(), envelope, body, call })
    }

    fn write(&self, now: u64, items: &[Item<'_>]) -> Result<u64, StoreError> {
        if items.is_empty() {
            return Ok(0);
        }
        let mut evicted = Evicted::default();
        let written = self.change(|writer| {
            let stored = writer.write(nanoseconds(now), items, &mut evicted)?;
            writer.make_room(nanoseconds(now), items.len(), &mut evicted)?;
            Ok(stored)
        });
        self.count(evicted);
        let stored = written?;
        self.counters.stored.add(stored);
        self.counters.duplicates.add(u64::try_from(items.len()).unwrap_or(u64::MAX) - stored);
        Ok(stored)
    }

    fn count(&self, evicted: Evicted) {
        self.counters.evicted_bytes.add(evicted.by_bytes);
        self.counters.evicted_age.add(evicted.by_age);
    }

    /// Changes the database; where it turns out to be damaged, the one that is begun in its place.
    fn change<T>(&self, mut change: impl FnMut(&mut Writer) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut place = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if self.damaged.load(Ordering::Acquire) {
            self.set_aside(&mut place)?;
        }
        if place.is_none() {
            self.begin(&mut place)?;
        }
        let Some(writer) = place.as_mut() else { return Err(StoreError::Sqlite(rusqlite::Error::InvalidQuery)) };
        let mut changed = change(writer);
        if matches!(changed, Err(StoreError::Damaged(_))) {
            self.set_aside(&mut place)?;
            self.begin(&mut place)?;
            if let Some(writer) = place.as_mut() {
                changed = change(writer);
            }
        }
        if let Some(writer) = place.as_ref() {
            self.bound_the_wal(writer)?;
        }
        changed
    }

    /// Puts a damaged file out of the way.
    fn set_aside(&self, place: &mut Option<Writer>) -> Result<(), StoreError> {
        let _alone = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        *place = None;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.generation.fetch_add(1, Ordering::AcqRel);
        file::set_aside(&self.options.path)?;
        self.counters.damaged.add(1);
        self.damaged.store(false, Ordering::Release);
        Ok(())
    }

    /// Opens the file, or begins one, where there is none open: because one was set aside, or because that could not be done
    /// the last time.
    fn begin(&self, place: &mut Option<Writer>) -> Result<(), StoreError> {
        let _alone = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        let connection = file::open_writer(&self.options.path, &self.bounds)?;
        *place = Some(Writer::new(connection, self.bounds, self.options.max_age));
        Ok(())
    }

    /// The write-ahead log begins anew by itself where nobody reads for a moment. Where somebody always does, questions wait
    /// for that moment.
    fn bound_the_wal(&self, writer: &Writer) -> Result<(), StoreError> {
        if file::sizes(&self.options.path).1 <= self.bounds.wal / 8 * 5 {
            return Ok(());
        }
        let _alone = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        writer.checkpoint()
    }

    /// Asks the database; what is asked sees one state of it.
    pub(crate) fn read<T>(&self, question: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _shared = self.gate.read().unwrap_or_else(PoisonError::into_inner);
        let answer = self.ask(question);
        match answer {
            Err(StoreError::Sqlite(error))
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) =>
            {
                self.counters.slow_queries.add(1);
                Err(StoreError::TooSlow(self.timeout))
            }
            Err(StoreError::Damaged(error)) => {
                self.damaged.store(true, Ordering::Release);
                Err(StoreError::Damaged(error))
            }
            answer => answer,
        }
    }

    fn ask<T>(&self, question: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let generation = self.generation.load(Ordering::Acquire);
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle.filter(|(of, _)| *of == generation) {
            Some((_, connection)) => connection,
            None => file::open_reader(&self.options.path)?,
        };
        let deadline = Instant::now() + self.timeout;
        connection.progress_handler(STEPS_PER_LOOK, Some(move || Instant::now() >= deadline))?;
        let answer = {
            let snapshot = connection.unchecked_transaction()?;
            question(&snapshot)
        };
        connection.progress_handler(0, None::<fn() -> bool>)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push((generation, connection));
        }
        answer
    }
}

/// A time as the database holds it.
pub(crate) fn nanoseconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}
