//! Rows of calls, as they are summed.
//!
//! Sums are made here and not in SQL: SQLite's end at 63 bits with an error, and its grouping sorts all rows first, which
//! takes several times as long as a table of the groups.

use super::sums::One;
use crate::call::KINDS;
use rusqlite::Row;

/// The columns of [`one`], which come first in a question.
pub(super) const COLUMNS: &str = "calls.nano_usd, calls.error_type IS NOT NULL, calls.input, calls.output,
    calls.cache_read, calls.cache_write, calls.reasoning";

/// How many these are.
pub(super) const COUNT: usize = 2 + KINDS.len();

pub(super) fn one(row: &Row<'_>) -> Result<One, rusqlite::Error> {
    let whole =
        |column| row.get::<_, Option<i64>>(column).map(|number| number.and_then(|number| u64::try_from(number).ok()));
    let mut one = One { nano_usd: whole(0)?, failed: row.get(1)?, ..One::default() };
    for (tokens, column) in one.tokens.iter_mut().zip(2..) {
        *tokens = whole(column)?.unwrap_or(0);
    }
    Ok(one)
}
