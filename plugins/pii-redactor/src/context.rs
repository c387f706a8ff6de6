//! Words near a number that say what it is.
//!
//! A window never reaches past a placeholder or a mask: what a first pass took out must not change what a second pass
//! finds.

use crate::text::{Text, run_end, run_start, slice};
use memchr::memmem;

/// Bytes looked at on either side. A label and its number are closer than this.
const WINDOW: usize = 40;
/// Bytes between a label and the number that belongs to it: `: "`, ` = `, `：`.
const LABEL_GAP: usize = 6;

/// Names of the social security number.
pub(crate) const SOCIAL_SECURITY: &[&str] = &["ssn", "ssns", "social"];
/// Names of payment cards.
pub(crate) const CARD: &[&str] = &[
    "card",
    "cards",
    "credit",
    "debit",
    "cc",
    "visa",
    "mastercard",
    "amex",
    "信用卡",
    "银行卡",
    "储蓄卡",
    "借记卡",
    "卡号",
];
/// Words of telephoning, before or after a number.
pub(crate) const TELEPHONE: &[&str] = &[
    "phone",
    "telephone",
    "tel",
    "mobile",
    "cell",
    "cellphone",
    "fax",
    "call",
    "calls",
    "called",
    "calling",
    "dial",
    "ring",
    "desk",
    "office",
    "home",
    "work",
    "hotline",
    "whatsapp",
    "sms",
    "text",
    "texts",
    "message",
    "messages",
    "contact",
    "reach",
    "voicemail",
    "answering",
    "电话",
    "手机",
    "致电",
    "拨打",
    "联系",
    "传真",
    "热线",
    "座机",
    "来电",
    "短信",
];
/// Labels that make even bare digits a telephone number when they stand directly before.
const LABELS: &[&str] = &[
    "phone",
    "telephone",
    "tel",
    "mobile",
    "cell",
    "fax",
    "phone number",
    "phone_number",
    "phonenumber",
    "mobile number",
    "telephone number",
    "fax number",
    "phone no",
    "电话",
    "手机",
    "手机号",
    "手机号码",
    "电话号码",
    "联系电话",
    "传真",
];

/// Whether one of the words stands within the window before `start`.
pub(crate) fn before(text: &Text<'_>, start: usize, words: &[&str]) -> bool {
    let from = run_start(text, start, WINDOW, in_window);
    contains(slice(text, from, start), words)
}

/// Whether one of the words stands within the window before `start` or behind `end`.
pub(crate) fn around(text: &Text<'_>, start: usize, end: usize, words: &[&str]) -> bool {
    let to = run_end(text, end, WINDOW / 2, in_window);
    before(text, start, words) || contains(slice(text, end, to), words)
}

/// Whether a telephone label stands directly before `start`: only quotes, colons, equals signs and spaces between.
pub(crate) fn labelled(text: &Text<'_>, start: usize) -> bool {
    let gap = run_start(text, start, LABEL_GAP, |byte| matches!(byte, b' ' | b':' | b'=' | b'"' | b'\'' | b'\t'));
    let gap = if slice(text, 0, gap).ends_with("：".as_bytes()) { gap - "：".len() } else { gap };
    let from = run_start(text, gap, WINDOW, in_window);
    let window = slice(text, from, gap).to_ascii_lowercase();
    LABELS.iter().any(|label| {
        window
            .strip_suffix(label.as_bytes())
            .is_some_and(|head| !label.is_ascii() || head.last().is_none_or(|byte| !byte.is_ascii_alphanumeric()))
    })
}

fn in_window(byte: u8) -> bool {
    !matches!(byte, b'<' | b'>' | b'*')
}

/// Whether one of the words stands in the window: Latin ones as whole words in any case, Chinese ones anywhere.
fn contains(window: &[u8], words: &[&str]) -> bool {
    let latin = |token: &[u8]| words.iter().any(|word| token.eq_ignore_ascii_case(word.as_bytes()));
    let foreign =
        || words.iter().filter(|word| !word.is_ascii()).any(|word| memmem::find(window, word.as_bytes()).is_some());
    window.split(|byte| !byte.is_ascii_alphabetic()).any(latin) || (!window.is_ascii() && foreign())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_count_as_whole_words_near_the_number() {
        let cases: &[(&str, bool)] = &[
            ("Phone: 12", true),
            ("my_phone=12", true),
            ("recall 12", false),
            ("请致电12", true),
            ("phone, and then a lot of other words that lead away 12", false),
            ("<PHONE_NUMBER> 12", false),
        ];
        for (text, expected) in cases {
            assert_eq!(before(&Text::whole(text.as_bytes()), text.len() - 2, TELEPHONE), *expected, "{text}");
        }
        assert!(around(&Text::whole(b"12 office"), 0, 2, TELEPHONE));
    }

    #[test]
    fn a_label_stands_directly_before() {
        for (text, expected) in [
            ("Fax: 12", true),
            ("{\"phone\": \"12", true),
            ("手机号：12", true),
            ("phone bill of 12", false),
            ("microphone 12", false),
        ] {
            assert_eq!(labelled(&Text::whole(text.as_bytes()), text.len() - 2), expected, "{text}");
        }
    }
}
