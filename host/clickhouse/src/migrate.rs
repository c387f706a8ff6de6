//! From any earlier version of the tables to the current one.
//!
//! A migration is a list of statements, each of which changes nothing where its change is there already. So it may be run
//! twice, may break off and be run again, and hosts that start at the same time may run it side by side. What was run is
//! in the table `tollgate_migrations`, with a checksum of the statements: a version whose statements are others than
//! those that made the tables is refused rather than guessed at.
//!
//! Migrations move no rows, so that they are quick on tables of any size. Columns that they add are read from the maps of
//! attributes for rows that were there before; [`backfill`] fills the table of calls from those.

use crate::client::{Client, Failure};
use crate::exception::Meaning;
use crate::schema::{Schema, ttl_expression};
use crate::sql;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A step from one version to the next.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The version that it leads to.
    pub version: u32,
    /// What it does, in a word or two.
    pub name: &'static str,
    statements: fn(&Schema) -> Vec<String>,
}

/// All migrations in their order. One that was released never changes: what is to be otherwise is a further one.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "tables of the exporter", statements: Schema::exporter },
    Migration { version: 2, name: "columns of calls", statements: Schema::columns },
    Migration { version: 3, name: "table of calls", statements: Schema::calls },
    Migration { version: 4, name: "sums by minute", statements: Schema::sums },
];

/// Attempts to run a statement that another host is in the way of.
const ATTEMPTS: u32 = 5;

/// Why tables are not current.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The server did not run a statement.
    #[error("migration {version} ({name}): {failure}")]
    Statement {
        /// The version that could not be reached.
        version: u32,
        /// What it does.
        name: &'static str,
        /// What the server said.
        failure: Failure,
    },
    /// What was run cannot be read or noted.
    #[error("the table tollgate_migrations: {0}")]
    Record(Failure),
    /// A migration was run with other statements than it has here.
    #[error(
        "migration {version} was run with other statements (checksum {theirs}, here {ours}); this program does not know \
         these tables, use the one that made them or another database"
    )]
    Changed {
        /// Its version.
        version: u32,
        /// Checksum in the table.
        theirs: String,
        /// Checksum here.
        ours: String,
    },
}

impl MigrateError {
    /// What the server said, where it is the server that failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Statement { failure, .. } | Self::Record(failure) => Some(failure),
            Self::Changed { .. } => None,
        }
    }
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The version that the tables had; 0 where there were none, or those of an exporter.
    pub from: u32,
    /// The version that they have.
    pub to: u32,
    /// Tables whose time to live was changed.
    pub ttl_changed: Vec<String>,
}

/// The statements that lead to a version from the one before it; none for a version that there is not.
#[must_use]
pub fn statements(schema: &Schema, version: u32) -> Vec<String> {
    MIGRATIONS.iter().find(|step| step.version == version).map_or_else(Vec::new, |step| (step.statements)(schema))
}

/// All statements of the current version, for those who run them themselves.
#[must_use]
pub fn all_statements(schema: &Schema) -> Vec<String> {
    let mut all: Vec<String> = schema.create_database().into_iter().chain([schema.create_migrations()]).collect();
    for step in MIGRATIONS {
        all.extend((step.statements)(schema));
        all.push(note(schema, step));
    }
    all
}

/// Brings the tables to the current version. `to` stops at an earlier one.
///
/// Tables of a version that is later than this program's are left alone: later versions only add.
///
/// # Errors
/// The server did not do what was asked, or the tables are not those that this program makes.
pub async fn migrate(client: &Client, schema: &Schema, to: Option<u32>) -> Result<Report, MigrateError> {
    for statement in schema.create_database().into_iter().chain([schema.create_migrations()]) {
        run(client, &statement).await.map_err(MigrateError::Record)?;
    }
    let done = done(client, schema).await?;
    let from = done.keys().next_back().copied().unwrap_or(0);
    let mut report = Report { from, to: from, ttl_changed: Vec::new() };
    for step in MIGRATIONS.iter().filter(|step| to.is_none_or(|to| step.version <= to)) {
        let ours = checksum(step);
        match done.get(&step.version) {
            Some(theirs) if *theirs == ours => continue,
            Some(theirs) => {
                return Err(MigrateError::Changed { version: step.version, theirs: theirs.clone(), ours });
            }
            None => {}
        }
        let (version, name) = (step.version, step.name);
        for statement in (step.statements)(schema) {
            let ran = run(client, &statement).await;
            ran.map_err(|failure| MigrateError::Statement { version, name, failure })?;
        }
        run(client, &note(schema, step)).await.map_err(MigrateError::Record)?;
        report.to = report.to.max(version);
    }
    if to.is_none() {
        report.ttl_changed = set_ttl(client, schema).await.map_err(MigrateError::Record)?;
    }
    Ok(report)
}

/// Fills the table of calls from spans that were there before it, day by day, and gives the days. Calls that are in the
/// table are not written again, so that it may be run twice.
///
/// # Errors
/// The server did not do what was asked; days before the failure are filled.
pub async fn backfill(client: &Client, schema: &Schema) -> Result<Vec<String>, Failure> {
    let (traces, calls) = (schema.table(&schema.traces), schema.table(&schema.calls));
    let days = format!("SELECT DISTINCT toString(toDate(Timestamp)) AS day FROM {traces} ORDER BY day FORMAT TSV");
    let days: Vec<String> = client.query(&days).await?.lines().map(str::to_owned).collect();
    for day in &days {
        let on_day = format!("toDate(Timestamp) = toDate({})", sql::text(day));
        let statement = format!(
            "INSERT INTO {calls} {} AND {on_day} AND (TraceId, SpanId) NOT IN \
             (SELECT TraceId, SpanId FROM {calls} WHERE {on_day})",
            schema.select_calls(u32::MAX)
        );
        client.query(&statement).await?;
    }
    Ok(days)
}

/// The migrations that were run, with their checksums.
async fn done(client: &Client, schema: &Schema) -> Result<BTreeMap<u32, String>, MigrateError> {
    let statement = format!(
        "SELECT version, argMax(checksum, applied_at) FROM {} GROUP BY version FORMAT TSV",
        schema.migrations()
    );
    let answer = client.query(&statement).await.map_err(MigrateError::Record)?;
    let row = |line: &str| {
        let (version, checksum) = line.split_once('\t')?;
        Some((version.parse().ok()?, checksum.to_owned()))
    };
    Ok(answer.lines().filter_map(row).collect())
}

fn note(schema: &Schema, step: &Migration) -> String {
    format!(
        "INSERT INTO {} (version, name, checksum) SELECT {}, {}, {}",
        schema.migrations(),
        step.version,
        sql::text(step.name),
        sql::text(&checksum(step))
    )
}

/// A checksum of the statements as they are with all settings at their defaults, so that settings do not change it.
fn checksum(step: &Migration) -> String {
    let text = (step.statements)(&Schema::default()).join(";\n");
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Runs a statement, again where another host changes the same table at the same time.
async fn run(client: &Client, statement: &str) -> Result<(), Failure> {
    let mut attempt = 1;
    loop {
        match client.query(statement).await {
            Ok(_) => return Ok(()),
            Err(failure) if attempt < ATTEMPTS && in_the_way(&failure) => attempt += 1,
            Err(failure) => return Err(failure),
        }
    }
}

/// Exceptions of statements that meet: `DUPLICATE_COLUMN`, `TABLE_ALREADY_EXISTS`, `DATABASE_ALREADY_EXISTS`,
/// `DEADLOCK_AVOIDED`, `CANNOT_ASSIGN_ALTER`.
fn in_the_way(failure: &Failure) -> bool {
    failure.meaning == Meaning::Again && matches!(failure.code, Some(15 | 57 | 82 | 473 | 517))
}

/// Gives tables the time to live that is configured, where they have another.
async fn set_ttl(client: &Client, schema: &Schema) -> Result<Vec<String>, Failure> {
    let mut changed = Vec::new();
    for (table, column, ttl) in schema.with_ttl() {
        let (database, name) = (sql::text(&schema.database), sql::text(&table));
        let engine = format!(
            "SELECT engine_full FROM system.tables WHERE database = {database} AND name = {name} FORMAT TSVRaw"
        );
        let engine = client.query(&engine).await?;
        let wanted = ttl_expression(column, ttl);
        let change = match (ttl.is_zero(), engine.contains(" TTL ")) {
            (true, false) => continue,
            (true, true) => "REMOVE TTL".to_owned(),
            (false, true) if engine.contains(&format!(" TTL {wanted} ")) => continue,
            // Rows that are there go when their parts are merged, and not in one great rewriting of the table.
            (false, _) => format!("MODIFY TTL {wanted} SETTINGS materialize_ttl_after_modify = 0"),
        };
        run(client, &schema.alter(&table, &change)).await?;
        changed.push(table);
    }
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was released stays as it is: a change of the tables is a further migration, and never another checksum here.
    #[test]
    fn migrations_that_were_released_do_not_change() {
        let found: Vec<_> = MIGRATIONS.iter().map(|step| (step.version, checksum(step))).collect();
        let released =
            [(1, "9a9d886512729281"), (2, "cd6b659504bd829f"), (3, "f7b176666c7e9581"), (4, "002b51b6c5852f3d")];
        assert_eq!(found, released.map(|(version, sum)| (version, sum.to_owned())));
    }
}
