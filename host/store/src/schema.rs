//! The tables, and how those of an earlier version become those of this one.

use crate::error::StoreError;
use rusqlite::Connection;
use std::path::Path;

/// Says that a database is ours: `PRAGMA application_id`, the letters `TGst`.
pub(crate) const APPLICATION_ID: i64 = 0x5447_7374;

/// What makes version `n + 1` of version `n`, in order. What was released is never changed; a change is a line at the end.
pub(crate) const MIGRATIONS: &[&str] = &["
    -- What is around spans: the fields of ResourceSpans and ScopeSpans. `last` is the last span that has it.
    CREATE TABLE envelopes (id INTEGER PRIMARY KEY, last INTEGER NOT NULL, resource BLOB NOT NULL, scope BLOB NOT NULL);
    CREATE INDEX envelopes_last ON envelopes (last);

    -- Spans in the order of their arrival, which is the order in which they go.
    CREATE TABLE spans (
        id INTEGER PRIMARY KEY, received INTEGER NOT NULL, trace_id BLOB NOT NULL, span_id BLOB NOT NULL,
        envelope INTEGER NOT NULL, body BLOB NOT NULL
    );
    CREATE UNIQUE INDEX spans_ids ON spans (trace_id, span_id);

    -- Calls to models: the spans of these that a provider bills. Times are nanoseconds, money is nano-dollars, and what
    -- is not known is NULL.
    CREATE TABLE calls (
        id INTEGER PRIMARY KEY, time INTEGER NOT NULL, nano_usd INTEGER, duration INTEGER, first_chunk INTEGER,
        input INTEGER, output INTEGER, cache_read INTEGER, cache_write INTEGER, reasoning INTEGER,
        request_model TEXT, response_model TEXT, provider TEXT, service TEXT, operation TEXT, name TEXT,
        error_type TEXT, status TEXT, user TEXT, session TEXT, role TEXT, usage_source TEXT, cost_source TEXT,
        unpriced TEXT, finish TEXT, parent BLOB, truncated INTEGER NOT NULL
    );
    CREATE INDEX calls_time ON calls (time);
    CREATE INDEX calls_user ON calls (user, time) WHERE user IS NOT NULL;
    CREATE INDEX calls_session ON calls (session, time) WHERE session IS NOT NULL;
    CREATE INDEX calls_error ON calls (time) WHERE error_type IS NOT NULL;
"];

/// Makes the tables, or brings them up to date.
///
/// # Errors
/// The database is of another program or of a newer version, or cannot be written.
pub(crate) fn migrate(connection: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let known = i64::try_from(migrations.len()).unwrap_or(i64::MAX);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application != 0 || tables > 0) {
        return Err(StoreError::Foreign { path: path.to_owned(), found: application });
    }
    if version > known {
        return Err(StoreError::Newer { path: path.to_owned(), found: version, known });
    }
    let done = usize::try_from(version).unwrap_or(0);
    for (migration, version) in migrations.iter().zip(1_i64..).skip(done) {
        // The step and its number are one transaction: a crash leaves the version before or the version after.
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn every_version_becomes_the_newest_and_keeps_what_it_has() {
        let mut steps = MIGRATIONS.to_vec();
        steps.push("ALTER TABLE calls ADD COLUMN note TEXT DEFAULT 'none'");
        steps.push("CREATE TABLE more (id INTEGER PRIMARY KEY)");
        for from in 0..=steps.len() {
            let mut connection = Connection::open_in_memory().unwrap();
            migrate(&mut connection, Path::new("a"), &steps[..from]).unwrap();
            if from > 0 {
                connection.execute("INSERT INTO calls (id, time, truncated) VALUES (7, 1, 0)", []).unwrap();
            }
            for _ in 0..2 {
                migrate(&mut connection, Path::new("a"), &steps).unwrap();
                assert_eq!(version(&connection), 3, "from {from}");
                connection.execute("INSERT INTO more DEFAULT VALUES", []).unwrap();
            }
            let kept: i64 = connection.query_row("SELECT count(note) FROM calls", [], |row| row.get(0)).unwrap();
            assert_eq!(kept, i64::from(from > 0));
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before() {
        let mut connection = Connection::open_in_memory().unwrap();
        let steps = [MIGRATIONS[0], "CREATE TABLE more (id INTEGER); CREATE TABLE calls (id INTEGER)"];
        assert!(migrate(&mut connection, Path::new("a"), &steps).is_err());
        assert_eq!(version(&connection), 1);
        assert!(connection.prepare("SELECT * FROM more").is_err(), "half a step is no step");
        migrate(&mut connection, Path::new("a"), MIGRATIONS).unwrap();
    }
}
