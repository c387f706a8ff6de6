//! International bank account numbers (ISO 13616): country, length by country, and check digits modulo 97
//! (ISO/IEC 7064 MOD 97-10).

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::text::{Text, at, before, is_word};

/// Length by country, from the registry of the standard.
const LENGTHS: &[(&[u8; 2], usize)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// The account number whose check digits start at `digits`: where it starts and ends.
///
/// Letters may be of either case; groups may be set apart by single spaces or hyphens.
pub(crate) fn find(text: &Text<'_>, digits: usize) -> Option<Candidate> {
    let start = digits.checked_sub(2)?;
    let country = [at(text, start).to_ascii_uppercase(), at(text, start + 1).to_ascii_uppercase()];
    if is_word(before(text, start, 1)) || !at(text, digits + 1).is_ascii_digit() {
        return None;
    }
    let &(_, length) = LENGTHS.iter().find(|(code, _)| **code == country)?;
    let mut place = start;
    let mut characters = 0usize;
    // The check moves the first four characters to the end: their part of the remainder is kept until then.
    let mut remainder = 0u32;
    let mut head = [0u8; 4];
    while characters < length {
        let byte = at(text, place);
        if byte.is_ascii_alphanumeric() {
            match head.get_mut(characters) {
                Some(slot) => *slot = byte,
                None => remainder = append(remainder, byte),
            }
            characters += 1;
        } else if !(matches!(byte, b' ' | b'-') && characters >= 4 && at(text, place + 1).is_ascii_alphanumeric()) {
            return None;
        }
        place += 1;
    }
    let remainder = head.into_iter().fold(remainder, append);
    let rule = "iban: country, length, check digits modulo 97";
    let found = Candidate { kind: Kind::IBAN_CODE, start, end: place, proof: Proof::Checked, rule };
    (remainder == 1 && !is_word(at(text, place))).then_some(found)
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
            ("XGB29NWBK60161331926819", "a longer token"),
            ("GB29  NWBK 6016 1331 9268 19", "two spaces"),
        ] {
            assert_eq!(iban(text), None, "{text}: {why}");
        }
    }
}
