//! Words of plugins, made safe to show.

/// Most bytes of a sentence that are shown.
const LONGEST: usize = 1024;

/// A sentence of a plugin as it can go to logs and terminals: control characters escaped, long ones cut.
pub(crate) fn shown(words: &str) -> String {
    let mut safe = String::new();
    for c in words.chars() {
        if safe.len() >= LONGEST {
            safe.push('…');
            break;
        }
        if c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}') {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn control_characters_are_escaped_and_long_words_cut() {
        assert_eq!(shown("ein Wort, 文"), "ein Wort, 文");
        assert_eq!(shown("a\u{1b}[31mb\nc\u{202e}d"), "a\\u{1b}[31mb\\nc\\u{202e}d");
        let long = shown(&"é".repeat(5000));
        assert!(long.ends_with('…') && long.len() < 1100);
    }
}
