//! What was found in a text, as a person reads it. It shows values, so it is for a terminal and not for telemetry.

use std::fmt::Write as _;

/// A finding.
pub(super) struct Found {
    /// The type's name.
    pub(super) kind: String,
    /// First byte in the text as it was given.
    pub(super) start: u32,
    /// One past the last byte.
    pub(super) end: u32,
}

/// Lines of text for the findings in a text, for example
///
/// ```text
///   line 1, bytes 5..20     EMAIL_ADDRESS    ada@example.com
/// ```
pub(super) fn text(given: &str, found: &[Found]) -> String {
    let mut text = String::new();
    if found.is_empty() {
        text.push_str("  nothing was found\n");
    }
    for Found { kind, start, end } in found {
        let place = |at: &u32| usize::try_from(*at).unwrap_or(usize::MAX);
        let value = given.get(place(start)..place(end)).unwrap_or_default();
        let line = given.get(..place(start)).unwrap_or_default().matches('\n').count() + 1;
        let at = format!("line {line}, bytes {start}..{end}");
        // Control characters of a value must not steer the terminal.
        let _ = writeln!(text, "  {at:<28}  {kind:<16}  {}", value.escape_debug());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Found, text};

    #[test]
    fn a_finding_is_shown_with_its_line_and_its_value() {
        let found = |kind: &str, start, end| Found { kind: kind.to_owned(), start, end };
        let shown = text("mail ada@example.com\nor \u{1b}[31m", &[found("EMAIL_ADDRESS", 5, 20), found("X", 24, 29)]);
        let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["line", "1,", "bytes", "5..20", "EMAIL_ADDRESS", "ada@example.com"]);
        assert_eq!(lines[1], ["line", "2,", "bytes", "24..29", "X", "\\u{1b}[31m"]);
        assert_eq!(text("", &[]), "  nothing was found\n");
    }
}
