//! Names and passwords in URLs (RFC 3986, section 3.2.1), and on the command line of `curl`.

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::secret::{find_at, noise};
use crate::text::{Text, at, before, cut, is_word, run_end, run_start, slice, stands_at};

/// Passwords that are words for a password, and the names of accounts that need none.
const WORDS: &[&[u8]] = &[
    b"pass",
    b"passwd",
    b"password",
    b"passwort",
    b"pwd",
    b"pw",
    b"secret",
    b"token",
    b"key",
    b"apikey",
    b"api_key",
    b"user",
    b"username",
    b"guest",
    b"test",
    b"xxx",
    b"yyy",
    b"credentials",
    b"creds",
    b"changeme",
    b"mypassword",
    b"userpass",
    b"db_password",
    b"x-oauth-basic",
    b"x-token-auth",
    b"oauth2",
    b"null",
    b"none",
    b"undefined",
];

/// Bytes of a name and password that are looked at.
const LONGEST: usize = 80;

/// The password in the URL whose `://` starts at `colon`. The name before it and the host stay readable, unless the
/// name was drawn at random too: then it is half of the credential.
pub(super) fn find(text: &Text<'_>, colon: usize) -> Option<Candidate> {
    if !before(text, colon, 1).is_ascii_alphanumeric() {
        return None;
    }
    let start = colon + 3;
    if matches!(at(text, start), b'h' | b'd')
        && let Some(found) = webhook(text, start)
    {
        return Some(found);
    }
    let end = run_end(text, start, LONGEST, is_authority);
    let authority = slice(text, start, end);
    let sign = authority.iter().rposition(|byte| *byte == b'@')?;
    let info = cut(authority, 0, sign);
    let sign = start + sign;
    let found = |start, end| Candidate {
        kind: Kind::URL_CREDENTIAL,
        start,
        end,
        proof: Proof::Named,
        rule: "url: a password before the host",
    };
    let Some(place) = info.iter().position(|byte| *byte == b':') else {
        return (noise::is_mixed(info, 20) && noise::is_random(info) && !noise::is_placeholder(info))
            .then(|| find_at(text, start).unwrap_or_else(|| found(start, sign)));
    };
    let (user, secret) = (cut(info, 0, place), cut(info, place + 1, info.len()));
    if !is_real(user, secret) || text.is_undecided() {
        return None;
    }
    let secret_start = start + place + 1;
    // Four characters are the least that a vendor's form could end before the sign.
    if let Some(vendor) = find_at(text, secret_start).filter(|vendor| vendor.end + 4 > sign) {
        return Some(vendor);
    }
    let half = noise::is_mixed(user, 8) && !noise::is_wordy(user);
    Some(found(if half { start } else { secret_start }, sign))
}

/// The secret part of the path of a webhook, whose host starts at `host`.
fn webhook(text: &Text<'_>, host: usize) -> Option<Candidate> {
    const HOOKS: &[(&[u8], Kind, &str)] = &[
        (b"hooks.slack.com/services/", Kind::SLACK_WEBHOOK, "webhook: Slack"),
        (b"hooks.slack.com/workflows/", Kind::SLACK_WEBHOOK, "webhook: Slack"),
        (b"hooks.slack.com/triggers/", Kind::SLACK_WEBHOOK, "webhook: Slack"),
        (b"discord.com/api/webhooks/", Kind::DISCORD_TOKEN, "webhook: Discord"),
        (b"discordapp.com/api/webhooks/", Kind::DISCORD_TOKEN, "webhook: Discord"),
    ];
    let &(path, kind, rule) = HOOKS.iter().find(|hook| stands_at(text, host, hook.0))?;
    let start = host + path.len();
    let may = |byte: u8| is_word(byte) || matches!(byte, b'/' | b'-');
    let limit = LONGEST - path.len();
    let seen = run_end(text, start, limit, may);
    let written = slice(text, start, seen);
    let accepted = written.len() >= 36 && noise::is_mixed(written, 8) && !noise::is_placeholder(written);
    if !accepted || text.is_undecided() {
        return None;
    }
    let end = if seen < start + limit { seen } else { run_end(text, seen, usize::MAX, may) };
    Some(Candidate { kind, start, end, proof: Proof::Form, rule })
}

/// Whether the `@` at `sign` ends a name and password in a URL, so that it is no e-mail address.
pub(crate) fn is_user_info(text: &Text<'_>, sign: usize) -> bool {
    let start = run_start(text, sign, LONGEST, is_authority);
    before(text, start, 1) == b'/'
        && before(text, start, 2) == b'/'
        && before(text, start, 3) == b':'
        && slice(text, start, sign).contains(&b':')
}

fn is_authority(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\')
}

/// Whether the password is one, and no stand-in, variable or default that repeats the name.
fn is_real(user: &[u8], secret: &[u8]) -> bool {
    secret.len() >= 3
        && !secret.eq_ignore_ascii_case(user)
        && !matches!(secret.first(), Some(b'[' | b':' | b']' | b'}' | b')' | b','))
        && (!matches!(secret.first(), Some(b'{' | b'$' | b'(')) || (!noise::is_wordy(secret) && has_digit(secret)))
        && (secret.first() != Some(&b'%') || secret.get(1..3).is_some_and(is_hex) || has_digit(secret))
        && !WORDS.iter().any(|word| secret.eq_ignore_ascii_case(word))
        && !noise::is_password_placeholder(secret)
}

/// What a name of `curl` may have to be held whole by a stream.
fn is_plain(byte: &u8) -> bool {
    !matches!(byte, b',' | b';' | b'|' | b'<' | b'>' | b'[' | b']' | b'{' | b'}')
}

fn has_digit(bytes: &[u8]) -> bool {
    bytes.iter().any(u8::is_ascii_digit)
}

fn is_hex(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_hexdigit)
}

/// The password behind the colon in `curl -u name:password`.
pub(super) fn find_option(text: &Text<'_>, colon: usize) -> Option<Candidate> {
    let last = before(text, colon, 1);
    let next = at(text, colon + 1);
    if matches!(next, 0 | b' ' | b'/' | b':' | b'\n') || matches!(last, b' ' | b':') {
        return None;
    }
    let close = usize::from(matches!(last, b'"' | b'\''));
    let user_end = colon - close;
    let user_start = run_start(text, user_end, 64, |byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\''));
    let quote = before(text, user_start, 1);
    let quoted = matches!(quote, b'"' | b'\'');
    let head = user_start - usize::from(quoted);
    let gap = run_start(text, head, 3, |byte| matches!(byte, b' ' | b'='));
    let line = slice(text, gap.saturating_sub(96), gap);
    let option = line.ends_with(b" --user") || (line.ends_with(b" -u") && gap < head);
    // The option of other commands is a number or a group.
    let continued = line.strip_suffix(b"-u").is_some_and(|head| head.trim_ascii_end().ends_with(b"\\"));
    if !option || !(continued || noise::contains(line, b"curl") || line.ends_with(b" --user")) {
        return None;
    }
    let open = usize::from(matches!(next, b'"' | b'\''));
    let start = colon + 1 + open;
    let closing = if open == 1 { next } else { quote };
    let bare = open == 0 && (!quoted || close == 1);
    let end = run_end(text, start, 60, |byte| {
        byte.is_ascii_graphic()
            && if bare { !matches!(byte, b'"' | b'\'' | b'|' | b'>') } else { byte != closing && byte != b'"' }
    });
    let (user, secret) = (slice(text, user_start, user_end), slice(text, start, end));
    let found = |start, end| {
        let rule = "curl: a password behind the name";
        Some(Candidate { kind: Kind::PASSWORD, start, end, proof: Proof::Named, rule })
    };
    if secret.is_empty() {
        let token = user.len() >= 8 && noise::is_mixed(user, 6) && !noise::is_wordy(user) && user.iter().all(is_plain);
        return (token && !noise::is_placeholder(user) && !text.is_undecided()).then(|| found(user_start, user_end))?;
    }
    if !is_real(user, secret) || secret.iter().all(u8::is_ascii_digit) || text.is_undecided() {
        return None;
    }
    find_at(text, start).or_else(|| found(start, end))
}
