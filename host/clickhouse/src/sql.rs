//! Names and texts in SQL.

/// A name in backticks.
pub(crate) fn name(name: &str) -> String {
    quoted(name, '`')
}

/// A text in single quotes.
pub(crate) fn text(text: &str) -> String {
    quoted(text, '\'')
}

/// Source: ClickHouse's syntax, "String" and "Identifiers": a backslash and the quote itself are escaped.
fn quoted(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            character if character == quote => out.extend(['\\', quote]),
            character => out.push(character),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_do_not_end_what_they_are_in() {
        assert_eq!(name("a`b"), "`a\\`b`");
        assert_eq!(text("it's a \\"), "'it\\'s a \\\\'");
        assert_eq!(text("a\nb"), "'a\\nb'");
    }
}
