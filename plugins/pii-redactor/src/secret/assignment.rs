//! Values that stand behind a name that says what they are: in code, settings, JSON, YAML, XML, headers and prose.

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::secret::name::{self, Meaning};
use crate::secret::value::{self, Style};
use crate::secret::{WIDE_COLON, encoded, find_at, noise};
use crate::text::{Text, at, before, run_end, run_start, slice, stands_at};

/// Bytes behind a sign on which a value is judged: with the name before it, a stream holds twice as many.
const SEEN: usize = 64;

/// A value and how it is written.
pub(super) struct Value {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) style: Style,
    /// The value goes on past what may be looked at.
    pub(super) open: Option<u8>,
}

/// The secret behind the `=`, `:` or `>` at `sign`.
pub(super) fn find(text: &Text<'_>, sign: usize) -> Option<Candidate> {
    let name_end = name_end(text, sign)?;
    let (meaning, name_start) = match name::read(text, name_end) {
        Some(found) if at(text, sign) != b'>' || is_tag(text, sign, found.1) => found,
        Some(_) => return None,
        None => (named_before(text, name_end)?, name_end),
    };
    // People put brackets into passwords; in JSON a bracket behind a bare value belongs to JSON.
    let brackets = meaning == Meaning::Password && !matches!(before(text, name_end_quote(text, sign), 1), b'"');
    let value = read(text, sign, name_start, brackets)?;
    judge(text, meaning, &value)
}

/// The secret of that meaning in the value.
pub(super) fn judge(text: &Text<'_>, meaning: Meaning, value: &Value) -> Option<Candidate> {
    if meaning == Meaning::Authorization {
        return authorization(text, value);
    }
    let written = slice(text, value.start, value.end);
    let long = value.end - value.start;
    let (kind, accepted) = match meaning {
        Meaning::Password => (Kind::PASSWORD, value::is_password(written, value.style)),
        Meaning::AwsSecret if long == 40 => (Kind::AWS_SECRET_KEY, value::is_key(written, value.style)),
        Meaning::AzureAccountKey if written.ends_with(b"==") || value.open.is_some() => {
            (Kind::AZURE_STORAGE_KEY, (value.open.is_some() || long >= 86) && value::is_key(written, value.style))
        }
        Meaning::AzureSharedKey if written.ends_with(b"=") => {
            (Kind::AZURE_SHARED_KEY, long >= 43 && value::is_key(written, value.style))
        }
        Meaning::AzureSignature => (Kind::AZURE_SIGNATURE, long >= 43 && value::is_key(written, value.style)),
        _ => (Kind::API_KEY, value::is_key(written, value.style)),
    };
    if !accepted {
        // A vendor's key is one wherever it stands, and is found there.
        return None;
    }
    finish(text, kind, value, "named: a value behind a name for secrets")
}

/// The whole of a value that was accepted, as the vendor's where it has a vendor's form.
fn finish(text: &Text<'_>, kind: Kind, value: &Value, rule: &'static str) -> Option<Candidate> {
    if let Some(vendor) = find_at(text, value.start) {
        return Some(vendor);
    }
    if text.is_undecided() {
        return None;
    }
    let end = match value.open {
        Some(quote) => run_end(text, value.end, usize::MAX, |byte| belongs(byte, quote) && byte != b' '),
        None => value.end,
    };
    Some(Candidate { kind, start: value.start, end, proof: Proof::Named, rule })
}

/// Where the name before the sign ends, unless the sign is part of another operator.
#[inline]
fn name_end(text: &Text<'_>, sign: usize) -> Option<usize> {
    let last = before(text, sign, 1);
    let end = match at(text, sign) {
        b'=' => match last {
            b'=' | b'!' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'|' | b'&' | b'^' | b'~' => return None,
            b':' => sign - 1,
            _ => sign,
        },
        b'>' if last == b'=' => sign - 1,
        b'>' if last == b'-' => return None,
        WIDE_COLON => sign - 2,
        _ => sign,
    };
    // A sign with a space, a quotation mark, a bracket or an asterisk before it, or with the name itself.
    let end = run_start(text, end, 4, |byte| matches!(byte, b' ' | b'\t'));
    Some(run_start(text, end, 4, |byte| matches!(byte, b'"' | b'\'' | b'`' | b']' | b'*' | b'?')))
}

/// Whether the `>` ends a tag of that name, or is the arrow of a map.
fn is_tag(text: &Text<'_>, sign: usize, name: usize) -> bool {
    if before(text, sign, 1) == b'=' {
        return true;
    }
    let start =
        run_start(text, name, 32, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'));
    before(text, start, 1) == b'<'
}

/// What the name says that stands in the attribute or line before `value`: `key="Password" value=`, or in YAML
/// `name: DB_PASSWORD` and `value:` below.
fn named_before(text: &Text<'_>, end: usize) -> Option<Meaning> {
    if before(text, end, 1) | 32 != b'e' || before(text, end, 2) | 32 != b'u' {
        return None;
    }
    let start = end.checked_sub(5)?;
    if !slice(text, start, end).eq_ignore_ascii_case(b"value") || before(text, start, 1).is_ascii_alphanumeric() {
        return None;
    }
    let gap = run_start(text, start, 32, |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b','));
    let (meaning, _) = name::read(text, gap)?;
    let name = run_start(text, gap, 48, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let key = run_start(text, name, 8, |byte| matches!(byte, b' ' | b'"' | b'\'' | b'=' | b':'));
    let label = slice(text, key.saturating_sub(4), key);
    (label.ends_with(b"name") || label.ends_with(b"key") || label.ends_with(b"Key") || label.ends_with(b"Name"))
        .then_some(meaning)
}

/// The value behind the sign at `sign`, whose name starts at `name`.
fn read(text: &Text<'_>, sign: usize, name: usize, brackets: bool) -> Option<Value> {
    let mark = at(text, sign);
    let wide = mark == WIDE_COLON;
    let next = at(text, sign + 1);
    let place = match (mark, next) {
        // Two signs are an operator; of `:=` and `=>` the second counts.
        (b':' | b'=', b'=') | (b'=', b'>') | (b':', b':' | b'/') => return None,
        _ => sign + 1,
    };
    let place = if mark == b':' && stands_at(text, place, b"**") { place + 2 } else { place };
    let spaced = run_end(text, place, 8, |byte| matches!(byte, b' ' | b'\t'));
    let marks = ["“", "‘", "「", "『", "【"];
    let spaced = if marks.iter().any(|mark| stands_at(text, spaced, mark.as_bytes())) { spaced + 3 } else { spaced };
    if mark == b'>' && before(text, sign, 1) != b'=' && spaced > place {
        return None;
    }
    // A string of another kind: bytes, raw, verbatim.
    let opens = |place: usize| matches!(at(text, place), b'"' | b'\'' | b'`');
    let marked = matches!(at(text, spaced), b'r' | b'b' | b'u' | b'@' | b'R' | b'B' | b'*') && opens(spaced + 1);
    let start = spaced + usize::from(marked);
    let quote = at(text, start);
    let quoted = opens(start);
    let start = start + usize::from(quoted);
    let limit = (sign + SEEN).saturating_sub(start);
    let quote = if quoted { quote } else { 0 };
    let mut end = run_end(text, start, limit, |byte| belongs(byte, quote) || (brackets && !quoted && is_bracket(byte)));
    let mut open = end - start >= limit;
    if !quoted && let Some(length) = value::parameter(slice(text, start, end)) {
        (end, open) = (start + length, false);
    }
    if !quoted && !open {
        if slice(text, start, end).ends_with(b"..") {
            return None;
        }
        end = start + value::close(slice(text, start, end));
        end = start + value::trim(slice(text, start, end));
    }
    if end == start || (quoted && !open && at(text, end) != quote) {
        return None;
    }
    let style = if quoted {
        Style::Quoted
    } else if mark == b'>' && before(text, sign, 1) != b'=' {
        if !stands_at(text, end, b"</") {
            return None;
        }
        Style::Quoted
    } else {
        let follows = at(text, end);
        if matches!(follows, b'(' | b'[' | b'{') || value::is_call(slice(text, start, end)) {
            return None;
        }
        let rest = run_end(text, end, 8, |byte| byte == b' ');
        let line_ends = matches!(at(text, rest), 0 | b'\n' | b'\r');
        let begins =
            run_start(text, name, 48, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
        let line_starts = matches!(before(text, begins, 1), 0 | b'\n' | b' ' | b'\t');
        let capitals = !slice(text, begins, sign).iter().any(u8::is_ascii_lowercase);
        let attached = spaced == place;
        let setting = line_starts
            && line_ends
            && if wide {
                true
            } else if mark == b'=' {
                attached
            } else {
                !attached && !capitals
            };
        match (setting, follows) {
            (true, _) => Style::Setting,
            (false, b')') => Style::Argument,
            _ if mark == b'=' && !attached => Style::Argument,
            _ => Style::Bare,
        }
    };
    Some(Value { start, end, style, open: open.then_some(quote) })
}

/// Where the spaces and what else stands before the sign begin.
fn name_end_quote(text: &Text<'_>, sign: usize) -> usize {
    run_start(text, sign, 4, |byte| matches!(byte, b' ' | b'\t'))
}

fn is_bracket(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}')
}

/// Whether the byte belongs to a value that opened with this quotation mark, or with none.
fn belongs(byte: u8, quote: u8) -> bool {
    if quote != 0 {
        // A string of JSON around the value ends it, whatever it opened with.
        return byte != quote && byte != b'"' && byte != b'\n' && byte != b'\r';
    }
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'\'' | b'`' | b',' | b';' | b'<' | b'>' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'\\'
        )
}

/// The credential in the value of an `Authorization` header (RFC 9110): a scheme, and what proves who asks.
fn authorization(text: &Text<'_>, value: &Value) -> Option<Candidate> {
    let scheme = run_end(text, value.start, 16, |byte| byte.is_ascii_alphabetic() || byte == b'-');
    let mut start = value.start;
    if at(text, scheme) == b' ' && scheme > value.start {
        start = run_end(text, scheme, 4, |byte| byte == b' ');
    }
    let limit = (value.start + SEEN).saturating_sub(start);
    let token =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b',' | b'<' | b'>' | b'\\' | b')');
    let end = run_end(text, start, limit, token);
    let open = end - start >= limit;
    let written = slice(text, start, end);
    let basic = slice(text, value.start, scheme).eq_ignore_ascii_case(b"basic") && start > scheme;
    let accepted = if basic {
        let pair = encoded::decode(written);
        open || (pair.contains(&b':') && pair.iter().all(u8::is_ascii_graphic) && !noise::is_placeholder(written))
    } else {
        value::is_key(written, Style::Quoted)
    };
    if !accepted {
        return None;
    }
    let value = Value { start, end, style: Style::Quoted, open: open.then_some(0) };
    finish(text, Kind::AUTHORIZATION, &value, "header: what follows the scheme of authorization")
}

/// The secret that prose names: `the password is hunter2`, `密码是hunter2`, `密码 Abc@12345`, `Bearer 9f2c...`. One of its
/// first digits is at `digit`.
pub(super) fn find_said(text: &Text<'_>, digit: usize) -> Option<Candidate> {
    // Not over what ends a token: a stream would have let it go on.
    let part = |byte: u8| (belongs(byte, 0) || matches!(byte, b'(' | b')')) && !matches!(byte, b':' | b'=' | b'|');
    let start = run_start(text, digit, 32, part);
    let gap = run_start(text, start, 3, |byte| matches!(byte, b' ' | b'"' | b'\'' | b'`'));
    let verb = [&b" is"[..], b" was", "是".as_bytes(), "为".as_bytes()]
        .into_iter()
        .find(|verb| slice(text, gap.saturating_sub(verb.len()), gap) == *verb && (gap < start || !verb.is_ascii()));
    let name_end = gap - verb.map_or(0, <[u8]>::len);
    let bearer = verb.is_none() && slice(text, gap.saturating_sub(6), gap).eq_ignore_ascii_case(b"bearer");
    let (meaning, name) = if bearer { (Meaning::Authorization, 0) } else { name::read(text, name_end)? };
    // A Chinese name touches its value, a Latin one does not.
    let chinese = !before(text, name_end, 1).is_ascii();
    if gap == start && !chinese && verb.is_none() {
        return None;
    }
    // `pass x2` is said of much.
    if verb.is_none() && !chinese && name_end - name <= 4 {
        return None;
    }
    let brackets = meaning == Meaning::Password;
    let end = run_end(text, start, SEEN, |byte| belongs(byte, 0) || (brackets && is_bracket(byte)));
    let open = end - start >= SEEN;
    let end = if open { end } else { start + value::close(slice(text, start, end)) };
    let end = if open { end } else { start + value::trim(slice(text, start, end)) };
    if value::is_call(slice(text, start, end)) {
        return None;
    }
    // Prose goes on behind a word, and stops behind a value.
    let stops = !matches!(at(text, end), b' ' | b'(') || !at(text, end + 1).is_ascii_alphabetic();
    let written = slice(text, start, end);
    let said = verb.is_some() || chinese;
    let (kind, accepted) = match meaning {
        Meaning::Password => (Kind::PASSWORD, value::is_password_in_prose(written, said, stops)),
        Meaning::Authorization => (Kind::AUTHORIZATION, written.len() >= 20 && value::is_key(written, Style::Bare)),
        _ => (Kind::API_KEY, (said || written.len() >= 20) && value::is_key(written, Style::Bare)),
    };
    if !accepted {
        return None;
    }
    let value = Value { start, end, style: Style::Bare, open: open.then_some(0) };
    finish(text, kind, &value, "said: a value that a sentence names")
}
