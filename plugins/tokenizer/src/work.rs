//! What counting a text takes, told from the text: there is no clock in a plugin.
//!
//! The unit is a byte of the slowest text in ASCII, a quarter of a microsecond in a component. The tokenizer splits ASCII
//! and Chinese, Japanese and Korean by scanners of its own, and leaves any other character to a regular expression that
//! builds its automaton as it goes. That is slower, and far slower where the characters are of ever new kinds, so that the
//! automaton never settles. Ordinary text of any language is of one kind or a few; only what was made to be slow is not.

/// Units of a character that is left to the regular expression.
const OTHER: usize = 16;
/// Units of one that is of another kind than those before it.
const NOVEL: usize = 400;
/// Kinds that are remembered.
const KINDS: usize = 8;

/// Units of work that counting the text takes; never less than its length in bytes.
pub(crate) fn of(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let mut kinds = [0_u32; KINDS];
    let mut oldest = (0..KINDS).cycle();
    let mut work = 0_usize;
    let mut after_other = false;
    for character in text.chars() {
        // What stands in one word with a character that no scanner knows is left to the expression with it.
        let scanned = character.is_ascii() || is_scanned(character) && !after_other;
        after_other = !(character.is_ascii() || is_scanned(character));
        work = work.saturating_add(if scanned {
            character.len_utf8()
        } else {
            // A block of 64 characters: those whose UTF-8 differs in the last byte only.
            let kind = u32::from(character) >> 6;
            if kinds.contains(&kind) {
                OTHER
            } else {
                if let Some(place) = oldest.next().and_then(|oldest| kinds.get_mut(oldest)) {
                    *place = kind;
                }
                NOVEL
            }
        });
    }
    work
}

/// Whether a scanner knows the character: ASCII, the scripts of East Asia with their punctuation, and the quotation
/// marks and dashes that English has too.
fn is_scanned(character: char) -> bool {
    matches!(character,
        '\0'..='\x7f'
        | '\u{2014}' | '\u{2018}'..='\u{201d}' | '\u{2025}' | '\u{2026}'
        | '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{ff01}'..='\u{ff9f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn work_is_that_of_the_slowest_text_of_its_kind() {
        for (text, units) in [
            ("", 0),
            ("plain text", 10),
            ("“quoted” — text…", 12 + 4 * 3),
            ("今天天气很好。", 21),
            ("naïve", 4 + NOVEL),
            ("é字字", NOVEL + NOVEL + 3),
            ("Ça va déjà", 7 + NOVEL + 2 * OTHER),
            ("Привет", NOVEL + 3 * OTHER + NOVEL + OTHER),
        ] {
            assert_eq!(of(text), units, "{text}");
        }
    }

    #[test]
    fn prose_of_any_language_is_of_few_kinds_and_made_up_text_is_not() {
        let a_kib = |unit: &str| unit.repeat(1_024 / unit.len() + 1);
        for prose in [
            "Les réponses étaient très tardives, où l'été gênait. ",
            "Ответы пришли поздно. ",
            "उत्तर देर से आए। ",
            "وصلت الإجابات متأخرة. ",
        ] {
            let prose = a_kib(prose);
            assert!(of(&prose) <= prose.chars().count() * OTHER + 10 * NOVEL, "{prose}");
        }
        let every: String = (0xa0..0x3000).step_by(64).filter_map(char::from_u32).collect();
        assert_eq!(of(&every), every.chars().count() * NOVEL);
    }

    proptest! {
        #[test]
        fn work_is_at_least_the_length_and_at_most_that_of_new_kinds(text in any::<String>()) {
            let work = of(&text);
            prop_assert!(text.len() <= work && work <= text.chars().count() * NOVEL);
        }
    }
}
