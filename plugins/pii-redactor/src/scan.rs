//! One pass over a text: stops at bytes that can be part of a value, and asks the validator of that value.
//!
//! There is no pattern engine: most bytes are looked at once, in a loop that a compiler makes tight, and a validator
//! looks only at a bounded neighbourhood. So the time is linear in the text, whatever the text is.

use crate::bytes::{at, before, is_word, run_end, run_start, slice};
use crate::kind::Kind;
use crate::number::{Number, digits_end};
use crate::resolve::{Candidate, resolve};
use crate::{api_key, card, cn_id, email, iban, ip, phone, ssn};

/// The types a scan looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kinds(u16);

impl Kinds {
    pub(crate) fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | 1 << kind.number()))
    }

    pub(crate) fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind.number() != 0
    }
}

/// Sorted findings of the wanted types that do not overlap.
pub(crate) fn scan(text: &[u8], wanted: Kinds) -> Vec<Candidate> {
    let mut scan = Scan { text, wanted, found: Vec::new(), unended_key: false, judged: 0 };
    scan.run();
    if scan.found.is_empty() { scan.found } else { resolve(scan.found) }
}

struct Scan<'a> {
    text: &'a [u8],
    wanted: Kinds,
    found: Vec<Candidate>,
    unended_key: bool,
    /// Colons before this place belong to a token that was judged.
    judged: usize,
}

impl Scan<'_> {
    fn run(&mut self) {
        let mut place = 0;
        while let Some(step) = self.text.get(place..).and_then(|rest| rest.iter().position(|byte| is_trigger(*byte))) {
            let trigger = place + step;
            place = match at(self.text, trigger) {
                b'0'..=b'9' => self.number(trigger),
                b'@' => self.email(trigger),
                b':' => self.colon(trigger),
                _ => self.key(trigger),
            };
        }
    }

    /// Records a finding; the scan goes on behind it.
    fn push(&mut self, kind: Kind, start: usize, end: usize) -> usize {
        if self.wanted.has(kind) {
            self.found.push(Candidate { kind, start, end });
        }
        end
    }

    fn number(&mut self, start: usize) -> usize {
        let run = digits_end(self.text, start);
        let last = before(self.text, start, 1);
        let escape = matches!(last, b'n' | b't' | b'r') && before(self.text, start, 2) == b'\\';
        if last.is_ascii_alphabetic() && !escape {
            return match iban::find(self.text, start) {
                Some((start, end)) => self.push(Kind::IbanCode, start, end),
                None => run,
            };
        }
        if last == b'_' {
            return run;
        }
        if run - start <= 3
            && at(self.text, run) == b'.'
            && let Some(end) = ip::find_v4(self.text, start)
        {
            return self.push(Kind::IpAddress, start, end);
        }
        match self.longer_number(start, run) {
            Some(found) if !in_base64(self.text, found.start, found.end) => {
                self.push(found.kind, found.start, found.end)
            }
            _ => run,
        }
    }

    fn longer_number(&self, start: usize, run: usize) -> Option<Candidate> {
        if let Some(end) = cn_id::find(self.text, start, run) {
            return Some(Candidate { kind: Kind::CnIdCard, start, end });
        }
        let number = Number::read(self.text, start, run);
        if number.groups().len() == 1 && run - start < 8 {
            return None;
        }
        if let Some(end) = card::find(&number) {
            return Some(Candidate { kind: Kind::CreditCard, start, end });
        }
        if let Some(end) = ssn::find(&number) {
            return Some(Candidate { kind: Kind::UsSsn, start, end });
        }
        let (start, end) = phone::find(&number)?;
        (!in_uuid(self.text, start, end)).then_some(Candidate { kind: Kind::PhoneNumber, start, end })
    }

    fn email(&mut self, sign: usize) -> usize {
        match email::find(self.text, sign) {
            Some((start, end)) => self.push(Kind::EmailAddress, start, end),
            None => sign + 1,
        }
    }

    fn colon(&mut self, colon: usize) -> usize {
        let (last, next) = (before(self.text, colon, 1), at(self.text, colon + 1));
        let possible = next == b':' || (next.is_ascii_hexdigit() && (last.is_ascii_hexdigit() || last == b':'));
        if !possible || colon < self.judged {
            return colon + 1;
        }
        match ip::find_v6(self.text, colon) {
            Ok((start, end)) => self.push(Kind::IpAddress, start, end),
            // The digits of the token may still be something else, its other colons not.
            Err(judged) => {
                self.judged = judged;
                colon + 1
            }
        }
    }

    fn key(&mut self, anchor: usize) -> usize {
        if at(self.text, anchor) == b'-' && at(self.text, anchor + 1) == b'-' && before(self.text, anchor, 1) != b'-' {
            let found = api_key::private_key(self.text, anchor, &mut self.unended_key);
            return match found {
                Some((start, end)) => self.push(Kind::ApiKey, start, end),
                None => anchor + 1,
            };
        }
        match api_key::find(self.text, anchor) {
            Some((start, end)) => self.push(Kind::ApiKey, start, end),
            None => anchor + 1,
        }
    }
}

/// Bytes at which a value can be recognised.
#[inline]
fn is_trigger(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'@' | b':' | b'-' | b'_' | b'.' | b'A' | b'J' | b'K')
}

/// Whether the number stands inside a long run of base64, such as an inline picture: then its digits mean nothing.
fn in_base64(text: &[u8], start: usize, end: usize) -> bool {
    const LONG: usize = 40;
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if !base64(before(text, start, 1)) && !base64(at(text, end)) && at(text, start) != b'+' {
        return false;
    }
    let left = slice(text, run_start(text, start, LONG, base64), start);
    let right = slice(text, end, run_end(text, end, LONG, base64));
    let any = |class: fn(&u8) -> bool| left.iter().chain(right).any(class);
    left.len() + right.len() >= LONG
        && any(u8::is_ascii_uppercase)
        && any(u8::is_ascii_lowercase)
        && any(u8::is_ascii_digit)
}

/// Whether the number stands inside a UUID: 8-4-4-4-12 hexadecimal digits.
fn in_uuid(text: &[u8], start: usize, end: usize) -> bool {
    let part = |byte: u8| is_word(byte) || byte == b'-';
    let token = slice(text, run_start(text, start, 36, part), run_end(text, end, 36, part));
    token.len() == 36
        && token.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Kind, &str)> {
        let all = Kinds::of(Kind::ALL);
        scan(text.as_bytes(), all)
            .into_iter()
            .map(|candidate| (candidate.kind, text.get(candidate.start..candidate.end).unwrap()))
            .collect()
    }

    #[test]
    fn values_next_to_each_other_are_told_apart() {
        let text = "工资卡号6230 5868 8477 6147 593，到账短信发到151 4312 2961，ann@example.cn，6.59.110.227";
        assert_eq!(
            found(text),
            [
                (Kind::CreditCard, "6230 5868 8477 6147 593"),
                (Kind::PhoneNumber, "151 4312 2961"),
                (Kind::EmailAddress, "ann@example.cn"),
                (Kind::IpAddress, "6.59.110.227"),
            ]
        );
        assert_eq!(found("13812345678@example.com"), [(Kind::EmailAddress, "13812345678@example.com")]);
    }

    #[test]
    fn what_looks_like_a_value_and_is_none() {
        for text in [
            "6a2789da-b608-40f7-92d1-2fd1d6bacfdc",
            "12345678-1234-1234-1234-123456789012",
            "call 01234567-0123-1234-1234-123456789012",
            "2026-11-23T22:17:05.123456789Z",
            "0.613650 3.141592653589793",
            "ISBN 978-6-3424-2695-1",
            "commit 1d7555ec22fd42159d0d0da73feff9df00000000",
            "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ/13812345678/AAAADUlEQVR42mNk",
            "订单号924138647600349781，批次152056981214",
            "let x = a::b(1, 2); std::mem::swap(&mut a, &mut b);",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn types_that_are_not_wanted_are_not_found() {
        let found = scan(b"ann@example.com 4111111111111111", Kinds::of([Kind::CreditCard]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, Kind::CreditCard);
    }
}
