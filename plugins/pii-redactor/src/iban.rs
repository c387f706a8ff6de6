//! International bank account numbers (ISO 13616): country, structure by country, and check digits modulo 97
//! (ISO/IEC 7064 MOD 97-10).

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::number::value;
use crate::text::{Text, at, cut, is_word, starts_token};

/// Structure of the account number by country, from the registry of the standard: `n` digits, `a` letters, `c` either.
const STRUCTURES: &[(&str, &str)] = &[
    ("AD", "8n12c"),
    ("AE", "19n"),
    ("AL", "8n16c"),
    ("AT", "16n"),
    ("AZ", "4a20c"),
    ("BA", "16n"),
    ("BE", "12n"),
    ("BG", "4a6n8c"),
    ("BH", "4a14c"),
    ("BI", "23n"),
    ("BR", "23n1a1c"),
    ("BY", "4c4n16c"),
    ("CH", "5n12c"),
    ("CR", "18n"),
    ("CY", "8n16c"),
    ("CZ", "20n"),
    ("DE", "18n"),
    ("DJ", "23n"),
    ("DK", "14n"),
    ("DO", "4c20n"),
    ("EE", "16n"),
    ("EG", "25n"),
    ("ES", "20n"),
    ("FI", "14n"),
    ("FK", "2a12n"),
    ("FO", "14n"),
    ("FR", "10n11c2n"),
    ("GB", "4a14n"),
    ("GE", "2a16n"),
    ("GI", "4a15c"),
    ("GL", "14n"),
    ("GR", "7n16c"),
    ("GT", "24c"),
    ("HN", "4a20n"),
    ("HR", "17n"),
    ("HU", "24n"),
    ("IE", "4a14n"),
    ("IL", "19n"),
    ("IQ", "4a15n"),
    ("IS", "22n"),
    ("IT", "1a10n12c"),
    ("JO", "4a4n18c"),
    ("KW", "4a22c"),
    ("KZ", "3n13c"),
    ("LB", "4n20c"),
    ("LC", "4a24c"),
    ("LI", "5n12c"),
    ("LT", "16n"),
    ("LU", "3n13c"),
    ("LV", "4a13c"),
    ("LY", "21n"),
    ("MC", "10n11c2n"),
    ("MD", "20c"),
    ("ME", "18n"),
    ("MK", "3n10c2n"),
    ("MN", "16n"),
    ("MR", "23n"),
    ("MT", "4a5n18c"),
    ("MU", "4a19n3a"),
    ("NI", "4a20n"),
    ("NL", "4a10n"),
    ("NO", "11n"),
    ("OM", "3n16c"),
    ("PK", "4a16c"),
    ("PL", "24n"),
    ("PS", "4a21c"),
    ("PT", "21n"),
    ("QA", "4a21c"),
    ("RO", "4a16c"),
    ("RS", "18n"),
    ("RU", "14n15c"),
    ("SA", "2n18c"),
    ("SC", "4a20n3a"),
    ("SD", "14n"),
    ("SE", "20n"),
    ("SI", "15n"),
    ("SK", "20n"),
    ("SM", "1a10n12c"),
    ("SO", "19n"),
    ("ST", "21n"),
    ("SV", "4a20n"),
    ("TL", "19n"),
    ("TN", "20n"),
    ("TR", "6n16c"),
    ("UA", "6n19c"),
    ("VA", "18n"),
    ("VG", "4a16n"),
    ("XK", "16n"),
    ("YE", "4a4n18c"),
];

/// The account number whose check digits start at `digits`: where it starts and ends.
///
/// Letters may be small or capital, not both; groups may be set apart by single spaces or hyphens.
pub(crate) fn find(text: &Text<'_>, digits: usize) -> Option<Candidate> {
    let start = digits.checked_sub(2)?;
    let country = [at(text, start).to_ascii_uppercase(), at(text, start + 1).to_ascii_uppercase()];
    if !starts_token(text, start) || !at(text, digits + 1).is_ascii_digit() {
        return None;
    }
    let entry = STRUCTURES.binary_search_by(|(code, _)| code.as_bytes().cmp(&country)).ok();
    let (_, structure) = entry.and_then(|entry| STRUCTURES.get(entry))?;
    let mut classes = classes(structure);
    let mut place = start;
    let mut characters = 0usize;
    let mut class = Some(b'c');
    // The check moves the first four characters to the end: their part of the remainder is kept until then.
    let mut remainder = 0u32;
    let mut head = [0u8; 4];
    // The class of the next character; country and check digits are known to fit.
    while let Some(expected) = class {
        let byte = at(text, place);
        if fits(expected, byte) {
            match head.get_mut(characters) {
                Some(slot) => *slot = byte,
                None => remainder = append(remainder, byte),
            }
            characters += 1;
            class = if characters < head.len() { class } else { classes.next() };
        } else if !(matches!(byte, b' ' | b'-') && characters >= 4 && at(text, place + 1).is_ascii_alphanumeric()) {
            return None;
        }
        place += 1;
    }
    let remainder = head.into_iter().fold(remainder, append);
    let rule = "iban: country, structure, check digits modulo 97";
    let found = Candidate { kind: Kind::IBAN_CODE, start, end: place, proof: Proof::Checked, rule };
    // The standard has capitals; people write small letters, but do not mix.
    let value = cut(text.bytes(), start, place);
    let mixed = value.iter().any(u8::is_ascii_lowercase) && value.iter().any(u8::is_ascii_uppercase);
    (remainder == 1 && !mixed && ends(text, place)).then_some(found)
}

/// Whether nothing makes the number the head of a longer token, a file name or an address.
fn ends(text: &Text<'_>, end: usize) -> bool {
    match at(text, end) {
        b'-' | b'.' | b'/' => !at(text, end + 1).is_ascii_alphanumeric(),
        b'*' | b'%' | b'@' => false,
        other => !is_word(other),
    }
}

/// The classes of a structure, one for each character.
fn classes(structure: &str) -> impl Iterator<Item = u8> + '_ {
    structure.as_bytes().split_inclusive(|byte| byte.is_ascii_alphabetic()).flat_map(|part| {
        let (class, count) = part.split_last().map_or((b'c', &[][..]), |(class, count)| (*class, count));
        std::iter::repeat_n(class, usize::try_from(value(count)).unwrap_or(0))
    })
}

fn fits(class: u8, byte: u8) -> bool {
    match class {
        b'n' => byte.is_ascii_digit(),
        b'a' => byte.is_ascii_alphabetic(),
        _ => byte.is_ascii_alphanumeric(),
    }
}

/// The remainder modulo 97 after one more character; letters count as 10 to 35.
fn append(remainder: u32, byte: u8) -> u32 {
    let byte = byte.to_ascii_uppercase();
    if byte.is_ascii_digit() {
        (remainder * 10 + u32::from(byte - b'0')) % 97
    } else {
        (remainder * 100 + u32::from(byte.wrapping_sub(b'A')) + 10) % 97
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iban(text: &str) -> Option<&str> {
        let digits = text.find(|c: char| c.is_ascii_digit())?;
        find(&Text::whole(text.as_bytes()), digits).and_then(|found| text.get(found.start..found.end))
    }

    #[test]
    fn accounts_of_many_countries() {
        for text in [
            "GB29NWBK60161331926819",
            "GB29 NWBK 6016 1331 9268 19",
            "gb29nwbk60161331926819",
            "DE89370400440532013000",
            "DE89-3704-0044-0532-0130-00",
            "FR1420041010050500013M02606",
            "NO9386011117947",
            "MT84MALT011000012345MTLCAST001S",
            "LC55HEMM000100010012001200023015",
        ] {
            assert_eq!(iban(text), Some(text));
            assert_eq!(iban(&format!("账号{text}。")), Some(text), "between ideographs");
        }
        assert_eq!(iban("NO9386011117947 and more"), Some("NO9386011117947"));
    }

    #[test]
    fn what_is_no_account() {
        for (text, why) in [
            ("GB29NWBK60161331926818", "check digits"),
            ("GB29NWBK6016133192681", "too short"),
            ("GB29NWBK601613319268190", "too long"),
            ("ZZ29NWBK60161331926819", "no such country"),
            ("GB28601613NWBK31926819", "letters where digits belong"),
            ("GB29NWBK60161331926819_", "an identifier"),
            ("XGB29NWBK60161331926819", "a longer token"),
            ("GB29  NWBK 6016 1331 9268 19", "two spaces"),
        ] {
            assert_eq!(iban(text), None, "{text}: {why}");
        }
    }
}
