//! One pass over a text: stops at bytes at which a value can be recognised, and asks the detectors of that byte.
//!
//! There is no pattern engine: most bytes are looked at once, in a loop that a compiler makes tight, and a detector
//! looks only at a bounded neighbourhood. So the time is linear in the text, whatever the text is.

use crate::candidate::Candidate;
use crate::kind::Kinds;
use crate::number::{Number, digits_end};
use crate::text::{Text, at, before, cut, find_class, is_word, run_end, run_start, slice};
use crate::{binary, card, email, iban, identifier, ip, mac, phone, secret, url};

/// Longest run of letters and digits in which an identifier is looked for. Identifiers end before 40.
const LONGEST_RUN: usize = 64;

/// What a pass gave.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    /// As they were found; they may overlap.
    pub(crate) found: Vec<Candidate>,
    /// Of each finding, the byte at which it was recognised and where it ends.
    pub(crate) recognised: Vec<(usize, usize)>,
    /// Where the pass stopped because the decision depends on what follows the text; the end of the text otherwise.
    pub(crate) stopped: usize,
    /// The text ends inside a value that is one for certain; only its end is open.
    pub(crate) inside: bool,
    /// Bytes of binary content that were skipped.
    pub(crate) skipped: usize,
}

/// Looks at `text` from byte `from` on for the wanted types.
pub(crate) fn scan(text: &Text<'_>, from: usize, wanted: &Kinds) -> Pass {
    let mut scan = Scan { text, wanted, pass: Pass::default(), judged: 0, run: 0, secrets: secret::Memory::default() };
    scan.run(from);
    scan.pass
}

struct Scan<'a, 't> {
    text: &'a Text<'t>,
    wanted: &'a Kinds,
    pass: Pass,
    /// Colons before this place belong to a token that was judged.
    judged: usize,
    /// Digits before this place belong to a run of letters and digits that was judged.
    run: usize,
    secrets: secret::Memory,
}

impl Scan<'_, '_> {
    fn run(&mut self, from: usize) {
        let bytes = self.text.bytes();
        let mut place = from;
        while let Some(trigger) = find_class(bytes, place, is_trigger) {
            let known = self.pass.found.len();
            let (judged, run, skipped) = (self.judged, self.run, self.pass.skipped);
            place = match at(self.text, trigger) {
                b'0'..=b'9' => self.number(trigger),
                b'@' => self.email(trigger),
                b':' => self.colon(trigger),
                b'.' if matches!(before(self.text, trigger, 1), b'w' | b'W') => self.site(trigger),
                b'-' | b'.' => self.mark(trigger),
                _ => self.secret(trigger),
            };
            for found in self.pass.found.get(known..).unwrap_or(&[]) {
                self.pass.recognised.push((trigger, found.end));
            }
            if self.text.take_passed() {
                self.pass.inside = self.pass.found.len() > known;
                self.pass.found.truncate(known);
                self.pass.recognised.truncate(known);
                self.pass.skipped = skipped;
                (self.judged, self.run) = (judged, run);
                self.pass.stopped = trigger;
                return;
            }
        }
        self.pass.stopped = bytes.len();
    }

    /// Records a finding; the scan goes on behind it.
    fn push(&mut self, candidate: Candidate) -> usize {
        if self.wanted.has(candidate.kind) {
            self.pass.found.push(candidate);
        }
        candidate.end
    }

    fn number(&mut self, start: usize) -> usize {
        let digits = digits_end(self.text, start);
        if start < self.run {
            return digits;
        }
        let alphanumeric = |byte: u8| byte.is_ascii_alphanumeric();
        let run_end = run_end(self.text, digits, LONGEST_RUN, alphanumeric);
        let run_start = run_start(self.text, start, LONGEST_RUN, alphanumeric);
        self.run = run_end;
        // A run is judged at its first digit, also where the look at it began behind that.
        if slice(self.text, run_start, start).iter().any(u8::is_ascii_digit) {
            return digits;
        }
        if run_end - run_start >= binary::SHORTEST / 2
            && let Some(end) = binary::skip(self.text, start)
        {
            self.pass.skipped += end - start;
            return end;
        }
        // Signs that people put into passwords, and what stands in the tokens of some applications.
        let sign = |byte: u8| matches!(byte, b'!' | b'#'..=b'&' | b'*' | b'@' | b'^' | b'_' | b'|');
        let joined = sign(before(self.text, run_start, 1)) || sign(at(self.text, run_end));
        let mixed = start > run_start || run_end > digits || joined;
        if mixed && let Some(found) = secret::find_in_run(self.text, run_start, start, run_end) {
            return self.push(found).max(digits);
        }
        let last = before(self.text, run_start, 1);
        if last == b'_' || run_end - run_start > LONGEST_RUN {
            return run_end;
        }
        if digits - start <= 3
            && start == run_start
            && at(self.text, digits) == b'.'
            && let Some(found) = ip::find_v4(self.text, start)
        {
            return self.push(found);
        }
        let mut end = digits;
        if start > run_start
            && let Some(found) = iban::find(self.text, start)
        {
            end = end.max(self.push(found));
        }
        let run = identifier::Run { start: run_start, first_digit: start, end: run_end };
        let found = identifier::find(self.text, run, self.wanted);
        if let Some(found) = found.filter(|found| self.stands_free(found)) {
            end = end.max(self.push(found));
        }
        if start == run_start {
            end = end.max(self.plain_number(start, digits));
        }
        end
    }

    /// A number that no letter runs into.
    fn plain_number(&mut self, start: usize, digits: usize) -> usize {
        let number = Number::read(self.text, start, digits);
        if number.groups().len() == 1 && digits - start < 8 {
            return digits;
        }
        if let Some(found) = card::find(&number).filter(|found| !in_base64(self.text, found.start, found.end)) {
            return self.push(found);
        }
        match phone::find(&number).filter(|found| self.stands_free(found)) {
            Some(found) => self.push(found),
            None => digits,
        }
    }

    /// Whether the value is no part of a UUID or of encoded bytes.
    fn stands_free(&self, found: &Candidate) -> bool {
        !in_uuid(self.text, found.start, found.end) && !in_base64(self.text, found.start, found.end)
    }

    fn email(&mut self, sign: usize) -> usize {
        if secret::is_user_info(self.text, sign) {
            return sign + 1;
        }
        match email::find(self.text, sign) {
            Some(found) => self.push(found),
            None => sign + 1,
        }
    }

    fn colon(&mut self, colon: usize) -> usize {
        let (last, next) = (before(self.text, colon, 1), at(self.text, colon + 1));
        let address = next == b':' || (next.is_ascii_hexdigit() && (last.is_ascii_hexdigit() || last == b':'));
        if address && colon >= self.judged {
            match ip::find_v6(self.text, colon) {
                Ok(found) => return self.push(found),
                // The digits of the token may still be something else, its other colons not.
                Err(judged) => self.judged = judged,
            }
        }
        if next == b'/'
            && let Some(found) = url::with_scheme(self.text, colon)
        {
            self.push(found);
        }
        let found = mac::find_at_mark(self.text, colon).or_else(|| identifier::find_behind(self.text, colon));
        match found.filter(|found| self.wanted.has(found.kind)) {
            Some(found) => self.push(found),
            None => self.secret(colon),
        }
    }

    fn mark(&mut self, mark: usize) -> usize {
        match mac::find_at_mark(self.text, mark) {
            Some(found) => self.push(found),
            None => self.secret(mark),
        }
    }

    fn site(&mut self, dot: usize) -> usize {
        match url::without_scheme(self.text, dot) {
            Some(found) => self.push(found),
            None => self.secret(dot),
        }
    }

    fn secret(&mut self, trigger: usize) -> usize {
        match secret::find(self.text, trigger, &mut self.secrets) {
            Some(found) => self.push(found).max(trigger + 1),
            None => trigger + 1,
        }
    }
}

/// The place before which no value can begin that is recognised at `trigger` or later.
///
/// A token may be the head of an address, a key or an identifier that is recognised by a byte further on, and so may
/// capitals before it that stand by themselves: `HRB 12345`, `AB 12 34`, `京A·12345`.
pub(crate) fn reach(text: &Text<'_>, trigger: usize) -> usize {
    /// Longest token whose head may be part of a value: the local part of an address.
    const TOKEN: usize = 64;
    /// Longest group of capitals.
    const GROUP: usize = 4;
    /// Bytes of an ideograph.
    const IDEOGRAPH: usize = 3;
    let bytes = text.bytes();
    let mut start = run_start(text, trigger, TOKEN, is_token);
    // The rest of a character whose first byte is no part of a token.
    while start < trigger && bytes.get(start).is_some_and(|byte| (0x80..0xC0).contains(byte)) {
        start += 1;
    }
    for _ in 0..2 {
        let space = usize::from(before(text, start, 1) == b' ');
        let group = run_start(text, start - space, GROUP, |byte| byte.is_ascii_uppercase());
        if group == start - space || is_word(before(text, group, 1)) {
            break;
        }
        start = group;
    }
    let plate = cut(bytes, start.saturating_sub(IDEOGRAPH), start);
    if plate.len() == IDEOGRAPH
        && memchr::memmem::find(PLATES.as_bytes(), plate).is_some_and(|place| place % IDEOGRAPH == 0)
    {
        start - plate.len()
    } else {
        start
    }
}

/// Bytes of a token: everything but blanks, ideographs and the marks that no address, key or identifier has.
fn is_token(byte: u8) -> bool {
    match byte {
        0..=b' ' | b'"' | b',' | b';' | b'<' | b'>' | b'{' | b'}' | b'[' | b']' | b'|' => false,
        // Extended Latin letters are two bytes, the first of which is C3 to C9.
        _ => byte < 0xCA,
    }
}

/// First characters of Chinese number plates (GA 36): provinces, and the ends of special plates.
const PLATES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领";

/// Bytes at which a value can be recognised, as comparisons without branches.
#[inline(always)]
fn is_trigger(byte: u8) -> bool {
    byte.is_ascii_digit() | (byte == b'@') | (byte == b':') | (byte == b'.') | secret::is_trigger(byte)
}

/// Whether the number stands inside a long run of base64, such as an inline picture: then its digits mean nothing.
fn in_base64(text: &Text<'_>, start: usize, end: usize) -> bool {
    const LONG: usize = 40;
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if !base64(before(text, start, 1)) && !base64(at(text, end)) && at(text, start) != b'+' {
        return false;
    }
    let left = slice(text, run_start(text, start, LONG, base64), start);
    let right = cut(text.bytes(), end, run_end(text, end, LONG, base64));
    let any = |class: fn(&u8) -> bool| left.iter().chain(right).any(class);
    left.len() + right.len() >= LONG
        && any(u8::is_ascii_uppercase)
        && any(u8::is_ascii_lowercase)
        && any(u8::is_ascii_digit)
}

/// Whether the number stands inside a UUID: 8-4-4-4-12 hexadecimal digits.
fn in_uuid(text: &Text<'_>, start: usize, end: usize) -> bool {
    let part = |byte: u8| is_word(byte) || byte == b'-';
    let token = cut(text.bytes(), run_start(text, start, 36, part), run_end(text, end, 36, part));
    token.len() == 36
        && token.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Kind;
    use crate::resolve::resolve;

    fn found(text: &str) -> Vec<(Kind, &str)> {
        let all = Kinds::of(Kind::all());
        resolve(scan(&Text::whole(text.as_bytes()), 0, &all).found)
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
                (Kind::CN_BANK_CARD, "6230 5868 8477 6147 593"),
                (Kind::PHONE_NUMBER, "151 4312 2961"),
                (Kind::EMAIL_ADDRESS, "ann@example.cn"),
                (Kind::IP_ADDRESS, "6.59.110.227"),
            ]
        );
        assert_eq!(found("13812345678@example.com"), [(Kind::EMAIL_ADDRESS, "13812345678@example.com")]);
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
        let text = Text::whole(b"ann@example.com 4111111111111111");
        let found = scan(&text, 0, &Kinds::of([Kind::CREDIT_CARD])).found;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, Kind::CREDIT_CARD);
    }
}
