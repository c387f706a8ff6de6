//! Full-width and invisible characters, made plain for detection only.
//!
//! The fold is one character to at most one, so that every finding leads back to whole characters of the given text.
//! Full-width digits, letters and the signs of addresses become ASCII, typographic spaces and hyphens become plain,
//! invisible characters disappear. Nothing else changes; in particular no full compatibility normalisation, whose
//! results have other lengths.

use crate::view::{View, place};

/// The text as the scan should see it, or `None` where it may look at the text itself.
pub(crate) fn fold(text: &[u8]) -> Option<View> {
    if text.is_ascii() {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    if !text.bytes().any(|byte| matches!(byte, 0xC2 | 0xE2 | 0xE3 | 0xEF)) || !text.chars().any(changes) {
        return None;
    }
    let mut view = View::with_capacity(text.len());
    for (start, character) in text.char_indices() {
        let end = start + character.len_utf8();
        match plain(character) {
            Plain::Same => {
                let mut bytes = [0; 4];
                for (offset, byte) in character.encode_utf8(&mut bytes).bytes().enumerate() {
                    view.push(byte, (place(start + offset), place(start + offset + 1)));
                }
            }
            Plain::Becomes(byte) => view.push(byte, (place(start), place(end))),
            Plain::Nothing => {}
        }
    }
    Some(view)
}

enum Plain {
    Same,
    Becomes(u8),
    Nothing,
}

fn plain(character: char) -> Plain {
    match character {
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '＠' | '．' | '－' | '＋' | '＿' => {
            let ascii = u32::from(character) - u32::from('！') + u32::from('!');
            u8::try_from(ascii).map_or(Plain::Same, Plain::Becomes)
        }
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Plain::Becomes(b' '),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Plain::Becomes(b'-'),
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => {
            Plain::Nothing
        }
        _ => Plain::Same,
    }
}

fn changes(character: char) -> bool {
    !character.is_ascii() && !matches!(plain(character), Plain::Same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_folded_leads_back_to_whole_characters() {
        let cases: &[(&str, Option<&str>)] = &[
            ("plain", None),
            ("中文，没有全角数字。", None),
            ("１３８", Some("138")),
            ("a＠b．ｃn", Some("a@b.cn")),
            ("1\u{200b}2", Some("12")),
            ("4\u{a0}5—6", Some("4 5-6")),
            ("é１", Some("é1")),
        ];
        for (text, expected) in cases {
            let view = fold(text.as_bytes());
            assert_eq!(view.as_ref().map(|view| view.bytes.as_slice()), expected.map(str::as_bytes), "{text}");
            let Some(view) = view else { continue };
            for index in 0..view.bytes.len() {
                let (start, end) = view.source(index, index + 1);
                assert!(start < end && end <= text.len());
            }
            assert_eq!(view.source(0, 1).0, 0);
        }
        let view = fold("1\u{200b}2".as_bytes()).unwrap();
        assert_eq!((view.source(0, 1), view.source(0, 2), view.source(1, 2)), ((0, 1), (0, 5), (4, 5)));
    }
}
