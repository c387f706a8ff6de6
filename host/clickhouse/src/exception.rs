//! What the server's exceptions mean for what was sent.
//!
//! Source: ClickHouse, `src/Common/ErrorCodes.cpp`; the engine of the tests says for each number whether it has that name.

/// What an exception means for an insert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The same rows may be taken later.
    Again,
    /// These rows will never be taken.
    Never,
    /// Fewer rows at once may be taken.
    TooLarge,
}

use Meaning::{Again, Never, TooLarge};

/// Codes with the names that ClickHouse has for them, and what they mean. What is wrong with the server, its settings, the
/// user or the tables is for the operator to mend, and the rows wait until then.
pub const CODES: &[(u32, &str, Meaning)] = &[
    // The rows cannot be read, or not stored.
    (6, "CANNOT_PARSE_TEXT", Never),
    (27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", Never),
    (41, "CANNOT_PARSE_DATETIME", Never),
    (53, "TYPE_MISMATCH", Never),
    (69, "ARGUMENT_OUT_OF_BOUND", Never),
    (70, "CANNOT_CONVERT_TYPE", Never),
    (72, "CANNOT_PARSE_NUMBER", Never),
    (117, "INCORRECT_DATA", Never),
    (321, "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE", Never),
    (349, "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN", Never),
    (469, "VIOLATED_CONSTRAINT", Never),
    // There are too many of them.
    (128, "TOO_LARGE_ARRAY_SIZE", TooLarge),
    (131, "TOO_LARGE_STRING_SIZE", TooLarge),
    (158, "TOO_MANY_ROWS", TooLarge),
    (307, "TOO_MANY_BYTES", TooLarge),
    (396, "TOO_MANY_ROWS_OR_BYTES", TooLarge),
    // The tables are not there, or not as they should be.
    (16, "NO_SUCH_COLUMN_IN_TABLE", Again),
    (60, "UNKNOWN_TABLE", Again),
    (81, "UNKNOWN_DATABASE", Again),
    // The user may not.
    (164, "READONLY", Again),
    (192, "UNKNOWN_USER", Again),
    (194, "REQUIRED_PASSWORD", Again),
    (497, "ACCESS_DENIED", Again),
    (516, "AUTHENTICATION_FAILED", Again),
    // The rows ended too early: they were cut off on the way, because whole ones can be read.
    (32, "ATTEMPT_TO_READ_AFTER_EOF", Again),
    (33, "CANNOT_READ_ALL_DATA", Again),
    // The server has too much to do, or is not well.
    (159, "TIMEOUT_EXCEEDED", Again),
    (202, "TOO_MANY_SIMULTANEOUS_QUERIES", Again),
    (209, "SOCKET_TIMEOUT", Again),
    (210, "NETWORK_ERROR", Again),
    (225, "NO_ZOOKEEPER", Again),
    (236, "ABORTED", Again),
    (241, "MEMORY_LIMIT_EXCEEDED", Again),
    (242, "TABLE_IS_READ_ONLY", Again),
    (243, "NOT_ENOUGH_SPACE", Again),
    (252, "TOO_MANY_PARTS", Again),
    (285, "TOO_FEW_LIVE_REPLICAS", Again),
    (286, "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE", Again),
    (319, "UNKNOWN_STATUS_OF_INSERT", Again),
    (394, "QUERY_WAS_CANCELLED", Again),
    (999, "KEEPER_EXCEPTION", Again),
];

/// What an exception means, by its code and its words. A code that is not known means that rows may be taken later: nothing
/// is dropped because of a sentence that nobody here has heard.
#[must_use]
pub fn meaning(code: u32, words: &str) -> Meaning {
    match code {
        // One code for two things: parts that wait to be merged, and rows of too many days in one insert.
        252 if words.contains("Too many partitions") => TooLarge,
        // The limit of one query, and not that of the whole server.
        241 if words.contains("Query memory limit") || words.contains("(for query)") => TooLarge,
        code => CODES.iter().find(|(known, _, _)| *known == code).map_or(Again, |(_, _, meaning)| *meaning),
    }
}

/// The code in the words of an exception: `Code: 60. DB::Exception: ...`.
pub(crate) fn code(words: &str) -> Option<u32> {
    let (_, rest) = words.split_once("Code: ")?;
    let (digits, rest) = rest.split_once('.')?;
    if rest.trim_start().starts_with("DB::") { digits.trim().parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_known_once_and_words_decide_where_one_code_means_two_things() {
        let mut numbers: Vec<_> = CODES.iter().map(|(code, _, _)| code).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), CODES.len());
        assert_eq!(meaning(252, "Too many parts (300). Merges are processing slower than inserts"), Again);
        assert_eq!(meaning(252, "Too many partitions for single INSERT block (more than 100)"), TooLarge);
        assert_eq!(meaning(241, "(total) memory limit exceeded"), Again);
        assert_eq!(meaning(241, "Query memory limit exceeded"), TooLarge);
        assert_eq!(meaning(123_456, ""), Again);
    }

    #[test]
    fn the_code_is_in_the_words_too() {
        assert_eq!(code("Code: 60. DB::Exception: Table t does not exist"), Some(60));
        assert_eq!(code("<html>Code: 60. Not it"), None);
        assert_eq!(code(""), None);
    }
}
