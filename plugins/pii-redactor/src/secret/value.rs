//! Whether a value is a secret, or a variable, a type, a call, a path or a word of a sentence.

use crate::secret::noise;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Between quotation marks, or between tags.
    Quoted,
    /// The rest of a line, as in settings.
    Setting,
    /// Without quotation marks in prose, a URL or a connection string.
    Bare,
    /// Without quotation marks where code is likely.
    Argument,
}

/// Words that stand where a password would: types, states, labels and stand-ins.
const WORDS: &str = "\
    string text number integer boolean object bytes null none nil undefined true false required optional hidden \
    masked encrypted hashed plain empty input field label value default invalid incorrect wrong missing unknown \
    forgot forgotten reset change confirm repeat enter show hide update verify admin user username login account \
    email database current new old my your the this self config settings options params props args env data form \
    request req body key token secret secretstr auth credential credentials password passwd passwort kennwort \
    passphrase pass pwd pw db is and or not must should will can has with for from in of to at on a an name type \
    str char varchar any var let const get set ref id url api app client server service access error test see \
    challenge below above here yes no contrasena senha motdepasse wachtwoord";

/// Terms of cryptography that have digits, as a password may.
const TERMS: &str = "\
    base64 sha1 sha256 sha512 sha-1 sha-256 sha-512 md5 utf8 utf-8 oauth2 argon2 argon2id pbkdf2 aes256 aes-256 \
    ed25519 x25519 bcrypt2 hs256 rs256 b64 utf8mb4 x509 pbkdf2-sha256 scrypt2 sha3 sha-3 sha224 sha384 aes128 \
    aes-128 rsa2048 rsa4096 win32 ntlmv2 int32 int64 uint8";

/// Whether a password is one, and no word or expression.
pub(super) fn is_password(value: &[u8], style: Style) -> bool {
    if value.len() < 4 || !value.is_ascii() || is_expression(value) || noise::is_password_placeholder(value) {
        return false;
    }
    let any = |class: fn(&u8) -> bool| value.iter().any(class);
    let (letters, digits) = (any(u8::is_ascii_alphabetic), any(u8::is_ascii_digit));
    if value.contains(&b' ') {
        return style == Style::Quoted && letters && digits && value.len() <= 40 && value.iter().any(is_sign);
    }
    let signs = value.iter().any(is_sign);
    let quoted = style == Style::Quoted;
    match (letters, digits, signs) {
        (true, _, true) | (true, true, _) => {
            let bound = matches!(style, Style::Quoted | Style::Setting | Style::Bare) || !is_name(value);
            bound && value.len() >= if quoted { 4 } else { 6 } && !is_made_of_words(value) && !is_term(value)
        }
        (true, false, false) => {
            matches!(style, Style::Quoted | Style::Setting) && value.len() >= 5 && !is_made_of_words(value)
        }
        (false, true, _) => value.len() >= 6 && value.len() <= 32 && style != Style::Argument,
        (false, false, _) => false,
    }
}

/// Whether a password in a sentence is one: letters and digits, and signs too unless the sentence says that it is one.
/// Where the sentence goes on behind it, it must look like none of its words.
pub(super) fn is_password_in_prose(value: &[u8], said: bool, stops: bool) -> bool {
    let any = |class: fn(&u8) -> bool| value.iter().any(class);
    let mixed = any(u8::is_ascii_alphabetic) && any(u8::is_ascii_digit);
    let strong = any(is_sign) || (said && (stops || (value.len() >= 8 && !noise::is_wordy(value))));
    mixed && strong && value.len() >= 6 && is_password(value, Style::Bare)
}

/// Whether a key is one: drawn at random.
pub(super) fn is_key(value: &[u8], style: Style) -> bool {
    let value = value.strip_prefix(b"sha256~").unwrap_or(value);
    if !value.is_ascii() || value.contains(&b' ') || is_expression(value) || noise::is_placeholder(value) {
        return false;
    }
    // `package-1.2.3` is a version, and what breaks off is not all of a key.
    let is_version =
        |part: &[u8]| part.contains(&b'.') && part.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if value.split(|byte| matches!(byte, b'-' | b':' | b'@')).any(is_version) {
        return false;
    }
    let parts = value.split(|byte| matches!(byte, b'.' | b'_' | b'-' | b':')).count();
    if style == Style::Argument && parts > 1 && is_name(value) && noise::is_wordy(value) {
        return false;
    }
    noise::is_random(value)
}

/// Whether the value is a term of cryptography, alone or with a word behind it: `sha256`, `utf8-encoded`.
pub(super) fn is_term(value: &[u8]) -> bool {
    TERMS.split_ascii_whitespace().any(|term| {
        let (head, rest) = value.split_at_checked(term.len()).unwrap_or((&[], value));
        head.eq_ignore_ascii_case(term.as_bytes()) && rest.len() <= 16 && !rest.iter().any(u8::is_ascii_digit)
    })
}

/// Length of the value where the next parameter of a URL begins in it: `&name=`.
pub(super) fn parameter(value: &[u8]) -> Option<usize> {
    let mut signs = value.iter().enumerate().filter(|(_, byte)| **byte == b'&').map(|(place, _)| place);
    signs.find(|place| {
        let rest = value.get(place + 1..).unwrap_or(&[]);
        let name =
            rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')).count();
        name > 0 && rest.get(name) == Some(&b'=')
    })
}

/// Length of the value without the signs that belong to the sentence or to the URL around it.
pub(super) fn trim(value: &[u8]) -> usize {
    let end = parameter(value).unwrap_or(value.len());
    let kept = value.get(..end).unwrap_or(value);
    kept.iter().rposition(|byte| !matches!(byte, b'.' | b':' | b'?' | b'*' | b'|')).map_or(0, |last| last + 1)
}

/// Length of the value without a bracket that was opened before it, and what follows that.
pub(super) fn close(value: &[u8]) -> usize {
    let mut depth = 0_usize;
    for (place, byte) in value.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth > 0 => depth -= 1,
            b')' | b']' | b'}' => {
                let rest = value.get(place..).unwrap_or(&[]);
                if rest.iter().all(|byte| matches!(byte, b')' | b']' | b'}' | b'.' | b':' | b'?' | b'!' | b'*')) {
                    return place;
                }
            }
            _ => {}
        }
    }
    value.len()
}

/// Whether the value calls something or picks from it: a name, a bracket, and nothing that only a password has.
pub(super) fn is_call(value: &[u8]) -> bool {
    let Some(bracket) = value.iter().position(|byte| matches!(byte, b'(' | b'[' | b'{')) else { return false };
    let name = value.get(..bracket).unwrap_or(&[]);
    let any = |class: fn(&u8) -> bool| name.iter().any(class);
    let drawn = any(u8::is_ascii_digit) && any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase);
    let signs = value.iter().any(|byte| matches!(byte, b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'+'));
    is_name(name) && (noise::is_wordy(name) || !(drawn || signs))
}

/// A sign that people put into passwords and that no identifier, path or version has.
fn is_sign(byte: &u8) -> bool {
    byte.is_ascii_punctuation() && !matches!(byte, b'_' | b'-' | b'.' | b'/' | b':' | b'?' | b'|' | b'\'' | b',')
}

/// Letters, digits and what joins them in the names of code.
fn is_name(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':'))
}

/// Whether the value is read from elsewhere: a variable, a template, a call, a path, an address.
fn is_expression(value: &[u8]) -> bool {
    let first = value.first().copied().unwrap_or(0);
    let second = value.get(1).copied().unwrap_or(0);
    let last = value.last().copied().unwrap_or(0);
    match first {
        // `$db_password1` and `&password` are variables; a password may start so, too.
        b'$' if matches!(second, b'{' | b'(') => return true,
        b'$' | b'&' => {
            let rest = value.get(1..).unwrap_or(&[]);
            return rest.iter().all(|byte| is_identifier(*byte)) && !noise::is_drawn(rest, 6)
                || noise::is_wordy(rest)
                || !rest.iter().any(u8::is_ascii_digit);
        }
        b'<' | b'[' => return true,
        b'{' if !matches!(last, b'}')
            || second == b'{'
            || value.iter().all(|byte| is_identifier(*byte) || matches!(byte, b'{' | b'}')) =>
        {
            return true;
        }
        b'%' if last == b'%' || second == b'(' || second == b's' => return true,
        b'/' | b'~' if second.is_ascii_alphabetic() || second == b'/' => return noise::is_wordy(value),
        b'.' if matches!(second, b'/' | b'.') => return true,
        b'#' if second == b'{' => return true,
        b'@' if matches!(second, b'{' | b'(') => return true,
        _ => {}
    }
    if [&b"://"[..], b"()", b"->", b"${", b"{{", b"$(", b"::", b"ENC[", b"\\x", b"arn:aws"]
        .iter()
        .any(|sign| noise::contains(value, sign))
    {
        return true;
    }
    // `settings.db.password`, `process.env.KEY2`, `self.token_v2`: a path of names.
    let mut parts = value.split(|byte| *byte == b'.');
    let path = value.contains(&b'.')
        && parts.all(|part| {
            part.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
                && part.iter().all(|byte| is_identifier(*byte))
        });
    if path
        && [&b"self."[..], b"this.", b"process.", b"os.", b"config.", b"settings."]
            .iter()
            .any(|head| value.starts_with(head))
    {
        return true;
    }
    // `projects/7/secrets/db`: a place where the value is kept.
    if value.iter().filter(|byte| **byte == b'/').count() >= 2 && noise::is_wordy(value) {
        return true;
    }
    // `DB_PASSWORD`, `db_password_2`: a name that stands for the value.
    let capitals = value.contains(&b'_')
        && value.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    (path || capitals) && noise::is_wordy(value)
}

fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether little is left of the value without words for passwords, types and labels.
fn is_made_of_words(value: &[u8]) -> bool {
    let mut left = 0;
    let mut word = [0_u8; 32];
    let mut length = 0;
    let mut known = |word: &[u8], length: usize| {
        let word = word.get(..length).unwrap_or(&[]);
        if !is_word(word) && !is_joined(word) {
            left += word.len();
        }
    };
    let mut previous = 0_u8;
    let (mut digits, mut signs) = (0, 0);
    for &byte in value {
        let starts = byte.is_ascii_uppercase() && previous.is_ascii_lowercase();
        if !byte.is_ascii_alphabetic() || starts || length == word.len() {
            known(&word, length);
            length = 0;
        }
        if byte.is_ascii_alphabetic() {
            if let Some(slot) = word.get_mut(length) {
                *slot = byte.to_ascii_lowercase();
                length += 1;
            }
        } else if byte.is_ascii_digit() {
            digits += 1;
        } else if is_sign(&byte) {
            signs += 1;
        }
        previous = byte;
    }
    known(&word, length);
    left + 2 * signs + digits < 4 && digits < 2
}

/// Whether the word is one of [`WORDS`].
fn is_word(word: &[u8]) -> bool {
    word.is_empty() || WORDS.split_ascii_whitespace().any(|known| known.as_bytes() == word)
}

/// Whether the word is two known words in one: `newpassword`, `dbpass`.
fn is_joined(word: &[u8]) -> bool {
    let mut ends = WORDS.split_ascii_whitespace().filter(|known| known.len() >= 2);
    ends.any(|known| word.strip_suffix(known.as_bytes()).is_some_and(|head| !head.is_empty() && is_word(head)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Style::{Argument, Bare, Quoted, Setting};

    #[test]
    fn passwords_are_told_from_words_and_expressions() {
        let cases: &[(&str, Style, bool)] = &[
            ("Tr0ub4dor&3", Quoted, true),
            ("correcthorse", Quoted, true),
            ("correcthorse", Bare, false),
            ("hunter2", Bare, true),
            ("hunterpass", Setting, true),
            ("889213", Bare, true),
            ("123456", Bare, false),
            ("string", Setting, false),
            ("required", Quoted, false),
            ("forgotPassword", Quoted, false),
            ("newpassword", Quoted, false),
            ("DB_PASSWORD", Quoted, false),
            ("config.db.password", Argument, false),
            ("${DB_PASSWORD}", Quoted, false),
            ("{{ secret }}", Quoted, false),
            ("%(password)s", Quoted, false),
            ("/run/secrets/db_password", Quoted, false),
            ("Must be 8 characters", Quoted, false),
            ("user_password2", Argument, false),
            ("sha256", Bare, false),
            ("changeme", Quoted, false),
            ("********", Quoted, false),
            ("$2b$12$R9h/cIPz0gi.URNNX3kh2O", Quoted, true),
        ];
        for (value, style, expected) in cases {
            assert_eq!(is_password(value.as_bytes(), *style), *expected, "{value} {style:?}");
        }
    }

    #[test]
    fn keys_are_random() {
        let cases: &[(&str, bool)] = &[
            ("9f2c4e7a1b3d5068", true),
            ("Sk94HG7f6KB", true),
            ("44187f95-3dee-c549-d5e9-aefc69d32f00", true),
            ("my-secret-name-2", false),
            ("os.environ", false),
            ("process.env.API_KEY2", false),
            ("YOUR_API_KEY_12345", false),
            ("https://login.example.org/oauth2/v1/token", false),
            ("arn:aws:secretsmanager:eu-west-1:secret:db", false),
            ("X25519.secret_length", false),
        ];
        for (value, expected) in cases {
            assert_eq!(is_key(value.as_bytes(), Quoted), *expected, "{value}");
        }
    }

    #[test]
    fn a_value_ends_before_the_sentence_does() {
        for (value, expected) in [
            ("hunter2.", "hunter2"),
            ("a=b&user=x", "a=b"),
            ("Tr0ub4dor&3", "Tr0ub4dor&3"),
            ("x1?:", "x1"),
            ("...", ""),
        ] {
            assert_eq!(&value[..trim(value.as_bytes())], expected);
        }
    }
}
