//! Words that say that a number is a telephone number.

use crate::text::{Text, before, cut, is_word, run_end, run_start};
use memchr::memmem;

/// Bytes looked at before a number, and behind it.
const BEFORE: usize = 40;
const BEHIND: usize = 20;
/// Bytes between a label and its number: `: "`, ` = `, `：`.
const LABEL_GAP: usize = 6;

/// Things that have such a number. They count wherever they stand, also in names of fields (`home_phone`).
const THINGS: &[&str] = &[
    "phone",
    "phones",
    "telephone",
    "telephones",
    "tel",
    "mobile",
    "mobiles",
    "cell",
    "cellphone",
    "fax",
    "hotline",
    "helpline",
    "landline",
    "whatsapp",
    "sms",
    "voicemail",
    "handy",
    "telefon",
    "telefono",
    "telefone",
    "celular",
    "movil",
    "portable",
    "gsm",
    "extension",
];

/// Beginnings of words for it in other languages, in small letters.
const FOREIGN: &[&str] = &[
    "telefon",
    "teléfon",
    "téléphon",
    "telèfon",
    "handy",
    "mobil",
    "móvil",
    "celular",
    "cep",
    "gsm",
    "rufnummer",
    "portabl",
    "cellulare",
    "komórk",
    "puhelin",
    "matkapuh",
    "mobiel",
    "gsm",
    "телефон",
    "тел",
    "моб",
    "電話",
    "携帯",
    "전화",
    "휴대",
    "โทร",
];

/// What one does with it, and where it rings. They count as words of a sentence only: as names of fields (`"text": ..`,
/// `call_1`, `tool_calls`) they mean something else.
const VERBS: &[&str] = &[
    "call",
    "calls",
    "called",
    "calling",
    "dial",
    "dialled",
    "dialed",
    "ring",
    "rang",
    "text",
    "texts",
    "texted",
    "message",
    "messages",
    "contact",
    "reach",
    "reached",
    "answering",
    "desk",
    "office",
    "home",
    "work",
];

/// Chinese words of telephoning.
const CHINESE: &[&str] = &[
    "电话", "手机", "致电", "拨打", "联系", "传真", "热线", "座机", "来电", "短信", "电話", "手機", "電話", "聯絡",
    "拨通",
];

/// Labels that make even bare digits a telephone number when they stand directly before.
const LABELS: &[&str] = &[
    "phone",
    "telephone",
    "tel",
    "mobile",
    "cell",
    "cellphone",
    "fax",
    "desk",
    "office",
    "home",
    "work",
    "landline",
    "hotline",
    "whatsapp",
    "msisdn",
    "phone number",
    "phone_number",
    "phonenumber",
    "phone no",
    "mobile number",
    "mobile no",
    "mobile_number",
    "telephone number",
    "fax number",
    "cell number",
    "contact number",
    "contact no",
    "call me at",
    "call me on",
    "call us at",
    "电话",
    "手机",
    "手机号",
    "手机号码",
    "电话号码",
    "联系电话",
    "联系方式",
    "传真",
    "座机",
    "热线",
    "電話",
    "手機",
];

/// Words that do the same directly behind: `5403926876 mobile`, `3660170548-Fax`.
const TAILS: &[&str] = &["phone", "mobile", "cell", "fax", "office", "desk", "tel", "telephone", "home"];

/// Whether one of the words stands near the number.
pub(super) fn near(text: &Text<'_>, start: usize, end: usize) -> bool {
    let from = start.saturating_sub(BEFORE);
    let to = run_end(text, end, BEHIND, |_| true);
    speaks(cut(text.bytes(), from, start)) || speaks(cut(text.bytes(), end, to))
}

/// Whether a label stands directly before the number: only quotes, colons, equals signs and spaces between, or a thing
/// with such a number among the last words before a colon or an equals sign (`Telefon der Kundin: ..`).
pub(super) fn labelled(text: &Text<'_>, start: usize) -> bool {
    let gap =
        run_start(text, start, LABEL_GAP, |byte| matches!(byte, b' ' | b':' | b'=' | b'"' | b'\'' | b'\t' | b'.'));
    let set_apart = text.cut(gap, start).iter().any(|byte| matches!(byte, b':' | b'='));
    let head = text.cut(gap.saturating_sub(BEFORE), gap);
    let head =
        ["：", "是", "为", "："].iter().fold(head, |head, mark| head.strip_suffix(mark.as_bytes()).unwrap_or(head));
    let head = head.to_ascii_lowercase();
    let direct = LABELS.iter().any(|label| {
        let before = head.strip_suffix(label.as_bytes());
        before.is_some_and(|before| !label.is_ascii() || before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric()))
    });
    direct || (set_apart && names_a_thing(&head))
}

/// Whether one of the last words of a label is a thing with such a number, or begins as one.
fn names_a_thing(label: &[u8]) -> bool {
    let line = label.rsplit(|byte| matches!(byte, b'\n' | b'"' | b',' | b';' | b'{')).next().unwrap_or(label);
    let words = line.split(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let last: Vec<&[u8]> = words.collect();
    last.iter().rev().take(3).any(|word| {
        FOREIGN.iter().any(|thing| word.starts_with(thing.as_bytes()))
            || THINGS.iter().any(|thing| word == &thing.as_bytes())
    })
}

/// Whether such a word stands directly behind the number.
pub(super) fn followed(text: &Text<'_>, end: usize) -> bool {
    let gap = run_end(text, end, 2, |byte| matches!(byte, b' ' | b'-' | b'('));
    let word = cut(text.bytes(), gap, run_end(text, gap, 12, is_word));
    gap > end && TAILS.iter().any(|tail| word.eq_ignore_ascii_case(tail.as_bytes()))
}

/// Whether the stretch has one of the words: Latin ones whole and in any case, Chinese ones anywhere.
fn speaks(stretch: &[u8]) -> bool {
    let mut place = 0;
    for word in stretch.split(|byte| !byte.is_ascii_alphabetic()) {
        let end = place + word.len();
        let is = |words: &[&str]| words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
        if word.len() > 2 && (is(THINGS) || (is(VERBS) && is_of_a_sentence(stretch, place, end))) {
            return true;
        }
        place = end + 1;
    }
    !stretch.is_ascii() && CHINESE.iter().any(|word| memmem::find(stretch, word.as_bytes()).is_some())
}

/// Whether the word is neither a name of a field nor a part of one.
fn is_of_a_sentence(stretch: &[u8], start: usize, end: usize) -> bool {
    let mark = |place: Option<usize>| place.and_then(|place| stretch.get(place)).copied().unwrap_or(b' ');
    let (last, next) = (mark(start.checked_sub(1)), mark(Some(end)));
    !matches!(last, b'_' | b'"' | b'\'' | b'.' | b'<') && !matches!(next, b'_' | b'"' | b'\'' | b'(' | b'=')
}

/// Whether the number follows a sign that belongs to something else: a time, a ratio, a device number (`fd:01 9116753`).
pub(super) fn is_measure(text: &Text<'_>, start: usize) -> bool {
    if before(text, start, 1) != b':' {
        return false;
    }
    let word = run_start(text, start - 1, 8, |byte| byte.is_ascii_alphanumeric());
    let word = text.cut(word, start - 1);
    word.len() <= 2 && !word.is_empty() || word.last().is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_near_the_number() {
        let cases: &[(&str, bool)] = &[
            ("Phone: 12", true),
            ("my_phone=12", true),
            ("recall 12", false),
            ("please call 12", true),
            ("tool_calls 12", false),
            ("{\"text\": \"12", false),
            ("{\"phone\": \"12", true),
            ("call_1 12", false),
            ("请致电12", true),
            ("phone, and then a lot of other words that lead away 12", false),
        ];
        for (text, expected) in cases {
            let whole = Text::whole(text.as_bytes());
            assert_eq!(near(&whole, text.len() - 2, text.len()), *expected, "{text}");
        }
        assert!(near(&Text::whole(b"12 office"), 0, 2));
    }

    #[test]
    fn labels_stand_directly_before_or_behind() {
        for (text, expected) in [
            ("Fax: 12", true),
            ("Desk: 12", true),
            ("{\"phone\": \"12", true),
            ("手机号：12", true),
            ("手机号是12", true),
            ("Tel. 12", true),
            ("Telefon der Kundin: 12", true),
            ("telefon numarası: 12", true),
            ("número de teléfono=12", true),
            ("telephones sold: many, returned: 12", false),
            ("phone bill of 12", false),
            ("microphone 12", false),
        ] {
            assert_eq!(labelled(&Text::whole(text.as_bytes()), text.len() - 2), expected, "{text}");
        }
        for (text, expected) in [("12 mobile", true), ("12-Fax", true), ("12 faxes", false), ("12mobile", false)] {
            assert_eq!(followed(&Text::whole(text.as_bytes()), 2), expected, "{text}");
        }
    }
}
