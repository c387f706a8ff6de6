//! What stands in place of a value.

use crate::conversation::{Conversation, Value};
use crate::kind::Kind;
use std::fmt::Write as _;
use tiny_keccak::{Hasher as _, Kmac};
use zeroize::Zeroizing;

/// Bytes of a pseudonym: enough that two of a billion values meet with a probability of one in ten billion.
const PSEUDONYM: usize = 12;

/// What is written in place of a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operator {
    /// The type in angle brackets: `<EMAIL_ADDRESS>`.
    #[default]
    Replace,
    /// The type and a number: `<EMAIL_ADDRESS_1>`. The same value gets the same number within a conversation.
    Number,
    /// As `Number`, and the conversation keeps the value, so that an answer that repeats the stand-in can be given
    /// the value back.
    Reversible,
    /// An asterisk for each character but the last few that are letters or digits.
    Mask {
        /// How many characters stay at the end; `None` leaves it to the type: four of cards, accounts, identity and
        /// telephone numbers, as on a receipt, and none of secrets and short values.
        keep_last: Option<usize>,
    },
    /// Nothing.
    Drop,
    /// The value itself: it is reported and stays.
    Keep,
    /// The type, the name of a key and a keyed hash of the value: `<EMAIL_ADDRESS_k1_5f0c...>`. The same value gets the
    /// same pseudonym wherever the same key is, so calls of several services can be linked; without the key nobody
    /// can try values. The hash is KMAC256 (NIST SP 800-185) with the type as customisation.
    Pseudonym,
}

impl Operator {
    /// The operator with that name, as configurations have it.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "replace" => Self::Replace,
            "number" => Self::Number,
            "reversible" => Self::Reversible,
            "mask" => Self::Mask { keep_last: None },
            "drop" => Self::Drop,
            "keep" => Self::Keep,
            "pseudonym" => Self::Pseudonym,
            _ => return None,
        })
    }
}

/// The names of all operators, for messages.
pub(crate) const NAMES: &str = "replace, number, reversible, mask, drop, keep, pseudonym";

/// A key for pseudonyms.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What is known of a value that is to be replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) kind: Kind,
    /// Name of its type.
    pub(crate) name: &'a str,
    /// The value as the scan saw it: escapes undone, digits and letters plain.
    pub(crate) seen: &'a [u8],
    /// The value as it was given.
    pub(crate) given: Value<'a>,
}

/// Appends what stands for a value to `out`.
pub(crate) fn write(
    operator: Operator,
    subject: Subject<'_>,
    key: Option<&Key>,
    conversation: &mut Conversation,
    out: &mut String,
) {
    let Subject { kind, name, seen, given } = subject;
    // What was not looked at may be anything: it is never kept, masked or remembered.
    let operator = if kind == Kind::UNSCANNED { Operator::Replace } else { operator };
    match (operator, key) {
        (Operator::Drop, _) => {}
        (Operator::Keep, _) => out.push_str(given.raw),
        (Operator::Mask { keep_last }, _) => mask(keep_last.unwrap_or_else(|| kind.keeps()), seen, out),
        (Operator::Pseudonym, Some(key)) => pseudonym(name, seen, key, out),
        (Operator::Number, _) => numbered(name, conversation.number(kind, seen), out),
        (Operator::Reversible, _) => numbered(name, conversation.keep(kind, name, given), out),
        _ => numbered(name, None, out),
    }
}

fn numbered(name: &str, number: Option<u32>, out: &mut String) {
    // Writing to a text cannot fail.
    let _ = match number {
        Some(number) => write!(out, "<{name}_{number}>"),
        None => write!(out, "<{name}>"),
    };
}

fn mask(keep_last: usize, seen: &[u8], out: &mut String) {
    let characters = || seen.iter().filter(|byte| !matches!(byte, 0x80..=0xBF));
    // A value that is hardly longer than what stays would be no secret.
    let count = characters().count();
    let keep_last = if keep_last * 2 > count { 0 } else { keep_last };
    for (place, byte) in characters().enumerate() {
        let readable = place >= count - keep_last && byte.is_ascii_alphanumeric();
        out.push(if readable { char::from(*byte) } else { '*' });
    }
}

fn pseudonym(name: &str, seen: &[u8], key: &Key, out: &mut String) {
    let mut hash = [0; PSEUDONYM];
    let mut kmac = Kmac::v256(&key.secret, name.as_bytes());
    kmac.update(seen);
    kmac.finalize(&mut hash);
    let _ = write!(out, "<{name}_{}_", key.id);
    for byte in hash {
        let _ = write!(out, "{byte:02x}");
    }
    out.push('>');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(operator: Operator, kind: Kind, value: &str) -> String {
        let key = Key { id: "k1".to_owned(), secret: Zeroizing::new(b"0123456789abcdef".to_vec()) };
        let mut conversation = Conversation::default();
        let mut out = String::new();
        let given = Value { raw: value, quoted: None, depth: 0 };
        let subject = Subject { kind, name: kind.name(), seen: value.as_bytes(), given };
        write(operator, subject, Some(&key), &mut conversation, &mut out);
        out
    }

    #[test]
    fn every_operator_writes_its_form() {
        const MASK: Operator = Operator::Mask { keep_last: None };
        let cases: &[(Operator, Kind, &str, &str)] = &[
            (Operator::Replace, Kind::EMAIL_ADDRESS, "a@b.cn", "<EMAIL_ADDRESS>"),
            (Operator::Number, Kind::EMAIL_ADDRESS, "a@b.cn", "<EMAIL_ADDRESS_1>"),
            (Operator::Reversible, Kind::EMAIL_ADDRESS, "a@b.cn", "<EMAIL_ADDRESS_1>"),
            (Operator::Drop, Kind::EMAIL_ADDRESS, "a@b.cn", ""),
            (Operator::Keep, Kind::EMAIL_ADDRESS, "a@b.cn", "a@b.cn"),
            (MASK, Kind::EMAIL_ADDRESS, "ü@b.cn", "******"),
            (MASK, Kind::CREDIT_CARD, "4111 1111 1111 1234", "***************1234"),
            (MASK, Kind::PHONE_NUMBER, "25-62-29-72", "*******9*72"),
            (MASK, Kind::PHONE_NUMBER, "467339", "******"),
            (MASK, Kind::JWT, "sk-abc", "******"),
            (Operator::Mask { keep_last: Some(2) }, Kind::JWT, "sk-abc", "****bc"),
            (MASK, Kind::UNSCANNED, "whatever", "<UNSCANNED>"),
            (Operator::Keep, Kind::UNSCANNED, "whatever", "<UNSCANNED>"),
        ];
        for (operator, kind, value, expected) in cases {
            assert_eq!(&written(*operator, *kind, value), expected, "{operator:?} {value}");
        }
    }

    #[test]
    fn a_pseudonym_depends_on_value_type_and_key_alone() {
        let one = written(Operator::Pseudonym, Kind::EMAIL_ADDRESS, "a@b.cn");
        assert!(one.starts_with("<EMAIL_ADDRESS_k1_") && one.len() == "<EMAIL_ADDRESS_k1_>".len() + 2 * PSEUDONYM);
        assert_eq!(one, written(Operator::Pseudonym, Kind::EMAIL_ADDRESS, "a@b.cn"));
        assert_ne!(one, written(Operator::Pseudonym, Kind::EMAIL_ADDRESS, "b@b.cn"));
        let other = written(Operator::Pseudonym, Kind::URL, "a@b.cn");
        assert_ne!(one.trim_start_matches("<EMAIL_ADDRESS"), other.trim_start_matches("<URL"));
    }
}
