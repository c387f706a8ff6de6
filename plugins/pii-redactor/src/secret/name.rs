//! What a name says of its value: `db_password`, `apiKey`, `密码`.

use crate::text::{Text, at, before, run_start, slice};

/// What the value of a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Chosen by a person, so it may be a word.
    Password,
    /// Drawn at random.
    Key,
    /// `Authorization`: a scheme and what follows it.
    Authorization,
    /// The secret access key of AWS.
    AwsSecret,
    /// The account key of an Azure storage connection string.
    AzureAccountKey,
    /// The shared access key of an Azure connection string.
    AzureSharedKey,
    /// The signature of an Azure shared access URL.
    AzureSignature,
}

use Meaning::{Authorization, AwsSecret, AzureAccountKey, AzureSharedKey, AzureSignature, Key, Password};

/// Bytes of a name that are looked at.
const LONGEST: usize = 48;

/// Ends of names, without separators and in lower case. The first that fits decides.
const ENDS: &[(&[u8], Meaning)] = &[
    (b"secretaccesskey", AwsSecret),
    (b"awssecretkey", AwsSecret),
    (b"awssecret", AwsSecret),
    (b"sharedaccesskey", AzureSharedKey),
    (b"accountkey", AzureAccountKey),
    (b"password", Password),
    (b"passwords", Password),
    (b"passwd", Password),
    (b"passwort", Password),
    (b"passphrase", Password),
    (b"passcode", Password),
    (b"authorization", Authorization),
    (b"secretkey", Key),
    (b"secret", Key),
    (b"token", Key),
    (b"apikey", Key),
    (b"accesskey", Key),
    (b"privatekey", Key),
    (b"encryptionkey", Key),
    (b"signingkey", Key),
    (b"masterkey", Key),
    (b"authkey", Key),
    (b"appkey", Key),
    (b"licensekey", Key),
    (b"sharedkey", Key),
    (b"storagekey", Key),
    (b"sessionkey", Key),
    (b"subscriptionkey", Key),
    (b"servicekey", Key),
    (b"adminkey", Key),
    (b"writekey", Key),
    (b"sdkkey", Key),
];

/// Names that count as whole words only, since longer words end in them.
const WORDS: &[(&[u8], Meaning)] = &[
    (b"pwd", Password),
    (b"pass", Password),
    (b"psw", Password),
    (b"pw", Password),
    (b"auth", Key),
    (b"sig", AzureSignature),
];

/// Vendors behind whose names `key` is a secret.
const VENDORS: &[&[u8]] = &[
    b"openai",
    b"anthropic",
    b"claude",
    b"gemini",
    b"mistral",
    b"cohere",
    b"deepseek",
    b"moonshot",
    b"kimi",
    b"zhipu",
    b"glm",
    b"qwen",
    b"dashscope",
    b"baidu",
    b"minimax",
    b"groq",
    b"azure",
    b"aws",
    b"gcp",
    b"aliyun",
    b"alibaba",
    b"tencent",
    b"stripe",
    b"twilio",
    b"sendgrid",
    b"mailgun",
    b"datadog",
    b"algolia",
    b"okta",
    b"meraki",
    b"github",
    b"gitlab",
    b"cloudflare",
    b"heroku",
    b"facebook",
    b"telegram",
    b"slack",
    b"discord",
    b"sentry",
    b"supabase",
];

/// What makes a token no secret: marks in a text, places in a list, protection of a form, and what is public.
const HARMLESS: &[&[u8]] = &[
    b"csrf",
    b"xsrf",
    b"authenticity",
    b"forgery",
    b"verification",
    b"page",
    b"next",
    b"previous",
    b"prev",
    b"continuation",
    b"cursor",
    b"pagination",
    b"sync",
    b"public",
    b"stop",
    b"special",
    b"pad",
    b"eos",
    b"bos",
    b"unk",
    b"mask",
    b"sep",
    b"cls",
    b"start",
    b"end",
    b"first",
    b"last",
    b"per",
    b"sequence",
    b"idempotency",
    b"lock",
    b"change",
    b"single",
    b"multi",
];

/// Chinese names, as they end: 密码, 口令, 密钥, 秘钥, 令牌.
const CHINESE: &[(&str, Meaning)] =
    &[("密码", Password), ("口令", Password), ("密钥", Key), ("秘钥", Key), ("令牌", Key)];

/// What the name that ends at `end` says, and where it starts.
#[inline]
pub(super) fn read(text: &Text<'_>, end: usize) -> Option<(Meaning, usize)> {
    // Most names end otherwise, and two bytes tell.
    let (previous, last) = (before(text, end, 2), before(text, end, 1));
    match (previous | 32, last | 32) {
        (b'r', b'd' | b't')
        | (b'w', b'd')
        | (b's', b'e' | b's' | b'w')
        | (b'd', b'e' | b's')
        | (b'p', b'w')
        | (b'i', b'g')
        | (b'o', b'n')
        | (b'e', b't' | b'n' | b'y')
        | (b't', b'h') => read_latin(text, end),
        (_, b'0'..=b'9') if previous.is_ascii_alphabetic() => read_latin(text, end - 1),
        _ if last >= 0x80 => read_chinese(text, end),
        _ => None,
    }
}

fn read_chinese(text: &Text<'_>, end: usize) -> Option<(Meaning, usize)> {
    let name = slice(text, end.saturating_sub(6), end);
    CHINESE.iter().find(|(word, _)| name == word.as_bytes()).map(|(_, meaning)| (*meaning, end - 6))
}

#[cold]
fn read_latin(text: &Text<'_>, end: usize) -> Option<(Meaning, usize)> {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ');
    let start = run_start(text, end, LONGEST, part);
    let mut name = [0; LONGEST];
    let mut length = 0;
    let written = slice(text, start, end);
    for (slot, byte) in name.iter_mut().zip(written.iter().filter(|byte| byte.is_ascii_alphanumeric())) {
        *slot = byte.to_ascii_lowercase();
        length += 1;
    }
    // `AWS::IAM::AccessKey` is a type, `arn:aws:...:secret:` a place.
    let word = run_start(text, end, LONGEST, |byte| part(byte) && byte != b' ');
    if before(text, word, 1) == b':' && (before(text, word, 2) == b':' || at(text, end) == b':') {
        return None;
    }
    let name = name.get(..length)?;
    let first = |word: usize| end.saturating_sub(word);
    for (word, meaning) in ENDS {
        if let Some(head) = name.strip_suffix(*word) {
            let harmless = *meaning == Key && HARMLESS.iter().any(|word| head.ends_with(word));
            return (!harmless).then(|| (*meaning, first(word.len())));
        }
    }
    for (word, meaning) in WORDS {
        if name.ends_with(word) && is_whole(text, first(word.len())) {
            let head = name.get(..name.len() - word.len())?;
            // `PASS:` is what tests say.
            let passed = head.is_empty() && slice(text, first(word.len()), end) == b"PASS";
            if passed || HARMLESS.iter().any(|word| head.ends_with(word)) {
                return None;
            }
            return Some((*meaning, first(word.len())));
        }
    }
    let head = name.strip_suffix(b"key")?;
    VENDORS.iter().any(|vendor| head.ends_with(vendor)).then(|| (Key, first(3)))
}

/// Whether a word starts at `start`: behind a separator, or with a capital behind a small letter.
fn is_whole(text: &Text<'_>, start: usize) -> bool {
    let (last, this) = (before(text, start, 1), slice(text, start, start + 1));
    !last.is_ascii_alphanumeric() || (last.is_ascii_lowercase() && this.first().is_some_and(u8::is_ascii_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_its_value_is() {
        let cases: &[(&str, Option<Meaning>)] = &[
            ("password", Some(Password)),
            ("DB_PASSWORD", Some(Password)),
            ("userPasswd", Some(Password)),
            ("adminPwd", Some(Password)),
            ("my pass", Some(Password)),
            ("compass", None),
            ("API key", Some(Key)),
            ("x-api-key", Some(Key)),
            ("clientSecret", Some(Key)),
            ("refresh_token", Some(Key)),
            ("token2", Some(Key)),
            ("aws_secret_access_key", Some(AwsSecret)),
            ("csrf-token", None),
            ("next_page_token", None),
            ("publicToken", None),
            ("public_key", None),
            ("primary_key", None),
            ("monkey", None),
            ("OPENAI_KEY", Some(Key)),
            ("Proxy-Authorization", Some(Authorization)),
            ("数据库密码", Some(Password)),
            ("访问令牌", Some(Key)),
            ("密码本", None),
            ("token_count", None),
            ("max_tokens", None),
            ("author", None),
        ];
        for (name, expected) in cases {
            let found = read(&Text::whole(name.as_bytes()), name.len());
            assert_eq!(found.map(|found| found.0), *expected, "{name}");
        }
    }
}
