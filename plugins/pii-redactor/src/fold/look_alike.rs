//! Characters that look like ASCII and are something else.
//!
//! Digits are those of Unicode's category Nd, letters those of the confusables table of Unicode Technical Standard 39
//! that readers take for one Latin letter each.

/// What a character is for the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    /// Itself.
    Same,
    /// This ASCII byte.
    Becomes(u8),
    /// Not there: it has no width.
    Nothing,
}

/// First digits of the decimal digit rows of other scripts, ten characters each: Arabic, Persian, N'Ko, the Indic
/// scripts, Thai, Lao, Tibetan, Myanmar, Khmer, Mongolian.
const ZEROS: &[u32] = &[
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
    0x1040, 0x1090, 0x17E0, 0x1810,
];

/// Cyrillic and Greek letters with the Latin letters that they look like.
const LETTERS: &[(char, u8)] = &[
    ('Α', b'A'),
    ('Β', b'B'),
    ('Ε', b'E'),
    ('Ζ', b'Z'),
    ('Η', b'H'),
    ('Ι', b'I'),
    ('Κ', b'K'),
    ('Μ', b'M'),
    ('Ν', b'N'),
    ('Ο', b'O'),
    ('Ρ', b'P'),
    ('Τ', b'T'),
    ('Υ', b'Y'),
    ('Χ', b'X'),
    ('α', b'a'),
    ('ο', b'o'),
    ('ρ', b'p'),
    ('ν', b'v'),
    ('ι', b'i'),
    ('Ѕ', b'S'),
    ('І', b'I'),
    ('Ј', b'J'),
    ('А', b'A'),
    ('В', b'B'),
    ('Е', b'E'),
    ('К', b'K'),
    ('М', b'M'),
    ('Н', b'H'),
    ('О', b'O'),
    ('Р', b'P'),
    ('С', b'C'),
    ('Т', b'T'),
    ('У', b'Y'),
    ('Х', b'X'),
    ('а', b'a'),
    ('е', b'e'),
    ('о', b'o'),
    ('р', b'p'),
    ('с', b'c'),
    ('у', b'y'),
    ('х', b'x'),
    ('ѕ', b's'),
    ('і', b'i'),
    ('ј', b'j'),
];

/// What the character is for the scan, between neighbours that are Latin letters or not.
///
/// Letters that look Latin are Latin only beside Latin letters: a Russian or Greek word stays a word. Brackets and
/// other marks of full width belong to Chinese text and stay; those inside addresses and numbers do not occur there.
pub(super) fn plain(character: char, latin_before: bool, latin_after: bool) -> Plain {
    let code = u32::from(character);
    match character {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Plain::Becomes(b' '),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => Plain::Becomes(b'-'),
        '\u{2024}' | '\u{fe52}' => Plain::Becomes(b'.'),
        '\u{fe6b}' => Plain::Becomes(b'@'),
        '\u{ad}'
        | '\u{34f}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' => Plain::Nothing,
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '＠' | '．' | '－' | '＋' | '＿' => ascii(code - 0xFEE0),
        // Mathematical digits come in five rows of ten, letters in rows of 26 capitals and 26 small ones.
        '\u{1d7ce}'..='\u{1d7ff}' => ascii(0x30 + (code - 0x1D7CE) % 10),
        '\u{1d400}'..='\u{1d6a3}' => {
            let letter = (code - 0x1D400) % 52;
            ascii(if letter < 26 { 0x41 + letter } else { 0x61 + letter - 26 })
        }
        _ if (0x660..0x1820).contains(&code) => digit(code),
        _ if latin_before || latin_after => letter(character),
        _ => Plain::Same,
    }
}

fn ascii(code: u32) -> Plain {
    u8::try_from(code).map_or(Plain::Same, Plain::Becomes)
}

fn digit(code: u32) -> Plain {
    let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&code));
    zero.map_or(Plain::Same, |zero| ascii(0x30 + code - zero))
}

fn letter(character: char) -> Plain {
    let found = LETTERS.iter().find(|(alike, _)| *alike == character);
    found.map_or(Plain::Same, |(_, latin)| Plain::Becomes(*latin))
}
