//! Secrets: what gives access. Vendors' keys by their forms, tokens and private keys by their headers, and what stands
//! behind a name that says so.
//!
//! A detector looks [`SURE`] bytes past the byte it was called for, and is sure then or has found nothing. Only the end
//! of what it is sure of may lie further on.

mod assignment;
mod azure;
mod encoded;
mod form;
mod jwt;
mod name;
mod noise;
mod pem;
mod published;
mod url;
mod value;
mod vendors;

use crate::candidate::Candidate;
use crate::text::{Text, at, before, run_start};
use vendors::{CAPITAL_A, CAPITAL_J, FORMS, HYPHEN, SHAPE, START, TILDE, UNDERSCORE};

pub(crate) use url::is_user_info;

/// Bytes past a trigger within which a detector is sure.
const SURE: usize = 96;

/// Last byte of the colon of Chinese text, `：` (U+FF1A).
const WIDE_COLON: u8 = 0x9A;

/// Bytes before a digit within which the key starts to which it belongs.
const LONGEST_START: usize = 48;

/// What one pass over a text remembers, so that each of many beginnings costs no search of its own.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// No end line of a private key starts before this place.
    no_end_before: usize,
}

/// Bytes at which a secret can be recognised, besides digits, `@` and `:`.
#[inline(always)]
pub(crate) fn is_trigger(byte: u8) -> bool {
    (byte == b'-')
        | (byte == b'_')
        | (byte == b'=')
        | (byte == b'>')
        | (byte == b'~')
        | (byte == b'A')
        | (byte == b'J')
        | (byte == WIDE_COLON)
}

/// The secret around the byte at `trigger`, which is a colon or one that [`is_trigger`] names.
pub(crate) fn find(text: &Text<'_>, trigger: usize, memory: &mut Memory) -> Option<Candidate> {
    match at(text, trigger) {
        b'-' if HYPHEN.may_be_at(text, trigger) => HYPHEN.find(text, trigger, FORMS),
        b'-' if before(text, trigger, 1) != b'-' => pem::find(text, trigger, memory),
        b'_' if UNDERSCORE.may_be_at(text, trigger) => UNDERSCORE.find(text, trigger, FORMS),
        b'~' => TILDE.find(text, trigger, FORMS).or_else(|| azure::find(text, trigger)),
        b'A' => CAPITAL_A.find(text, trigger, FORMS),
        b'J' => CAPITAL_J.find(text, trigger, FORMS).or_else(|| jwt::find(text, trigger)),
        b':' if at(text, trigger + 1) == b'/' && at(text, trigger + 2) == b'/' => url::find(text, trigger),
        b':' if at(text, trigger + 1) == b'A' && before(text, trigger, 1).is_ascii_digit() => bot_token(text, trigger),
        b':' => assignment::find(text, trigger).or_else(|| url::find_option(text, trigger)),
        b'.' if at(text, trigger + 1) == b'a' => SHAPE.find(text, run_start(text, trigger, 15, is_plain), FORMS),
        b'=' | b'>' => assignment::find(text, trigger),
        WIDE_COLON if before(text, trigger, 1) == 0xBC && before(text, trigger, 2) == 0xEF => {
            assignment::find(text, trigger)
        }
        _ => None,
    }
}

/// The secret that the run of letters and digits from `start` to `end` belongs to, which has its first digit at `digit`.
pub(crate) fn find_in_run(text: &Text<'_>, start: usize, digit: usize, end: usize) -> Option<Candidate> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/' | b'+');
    let token = run_start(text, digit, LONGEST_START, part);
    let from = |start| if START.may_start(text, start) { START.find(text, start, FORMS) } else { None };
    let shape = || match at(text, end) {
        b'.' | b'-' | b'|' if end - start >= 14 => SHAPE.find(text, start, FORMS),
        _ => None,
    };
    let found = from(start).or_else(|| if token < start { from(token) } else { None });
    found.or_else(shape).or_else(|| assignment::find_said(text, digit))
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// The token of a bot whose number ends at `colon`.
fn bot_token(text: &Text<'_>, colon: usize) -> Option<Candidate> {
    let number = run_start(text, colon, 11, |byte| byte.is_ascii_digit());
    SHAPE.find(text, number, FORMS).filter(|found| found.end > colon)
}

/// The vendor's key, token or the like that starts at `start`, which a name announced.
fn find_at(text: &Text<'_>, start: usize) -> Option<Candidate> {
    let found = form::at_start(text, start, FORMS).or_else(|| jwt::find(text, start + 2));
    found.or_else(|| if at(text, start + 5) == b'~' { azure::find(text, start + 5) } else { None })
}
