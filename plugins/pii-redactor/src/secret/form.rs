//! Secrets that announce themselves: vendors' API keys by prefix and alphabet, JSON web tokens, private keys in PEM
//! form. The forms are those the vendors publish for secret scanning.

use crate::text::{Text, at, before, is_word, run_end, run_start, slice, stands_at};
use memchr::memmem;

/// Bytes of a body on which its form is judged; what is accepted reaches to the end of the body.
const JUDGED: usize = 100;

/// What the characters behind a prefix are.
#[derive(Clone, Copy)]
enum Alphabet {
    /// Letters and digits.
    Plain,
    /// Letters, digits, `-` and `_`.
    Url,
    /// Letters, digits, `-`, `_`, `.` and `=`.
    Dotted,
    /// Lower-case and upper-case hexadecimal digits.
    Hex,
    /// Upper-case letters and digits.
    Upper,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Plain => byte.is_ascii_alphanumeric(),
            Self::Url => is_word(byte) || byte == b'-',
            Self::Dotted => is_word(byte) || matches!(byte, b'-' | b'.' | b'='),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        }
    }
}

/// One vendor's form.
struct Form {
    prefix: &'static [u8],
    /// Which byte of the prefix the scan stops at; the rarest one.
    anchor: usize,
    alphabet: Alphabet,
    shortest: usize,
    longest: usize,
    /// The body must look random: letters and digits mixed in an unbroken run of this many characters.
    random: usize,
}

const ANY: usize = usize::MAX;

const fn form(prefix: &'static str, anchor: usize, alphabet: Alphabet, shortest: usize, longest: usize) -> Form {
    Form { prefix: prefix.as_bytes(), anchor, alphabet, shortest, longest, random: 0 }
}

const fn random(prefix: &'static str, anchor: usize, alphabet: Alphabet, shortest: usize, random: usize) -> Form {
    Form { prefix: prefix.as_bytes(), anchor, alphabet, shortest, longest: ANY, random }
}

use Alphabet::{Dotted, Hex, Plain, Upper, Url};

/// Forms whose anchor is a hyphen.
const HYPHEN: &[Form] = &[
    random("sk-", 2, Url, 20, 16), // OpenAI, Anthropic (`sk-ant-`), DeepSeek, OpenRouter, others
    form("sk-ant-", 2, Url, 20, ANY), // Anthropic
    form("sk-proj-", 2, Url, 40, ANY), // OpenAI
    form("glpat-", 5, Dotted, 20, ANY), // GitLab, all of the family
    form("gldt-", 4, Dotted, 20, ANY),
    form("glrt-", 4, Dotted, 20, ANY),
    form("glcbt-", 5, Dotted, 20, ANY),
    form("glptt-", 5, Dotted, 20, ANY),
    form("glft-", 4, Dotted, 20, ANY),
    form("glimt-", 5, Dotted, 20, ANY),
    form("gloas-", 5, Dotted, 20, ANY),
    form("glagent-", 7, Dotted, 20, ANY),
    form("glsoat-", 6, Dotted, 20, ANY),
    form("glffct-", 6, Dotted, 20, ANY),
    random("xoxa-", 4, Url, 12, 6), // Slack
    random("xoxb-", 4, Url, 12, 6),
    random("xoxp-", 4, Url, 12, 6),
    random("xoxr-", 4, Url, 12, 6),
    random("xoxs-", 4, Url, 12, 6),
    random("xoxe-", 4, Url, 12, 6),
    random("xoxo-", 4, Url, 12, 6),
    random("xapp-", 4, Url, 20, 8),
    form("xai-", 3, Plain, 60, ANY),     // xAI
    form("pplx-", 4, Plain, 40, ANY),    // Perplexity
    form("nvapi-", 5, Url, 40, ANY),     // NVIDIA
    random("pypi-AgEI", 4, Url, 20, 10), // Python Package Index
    random("GOCSPX-", 6, Url, 20, 8),    // Google OAuth client
    form("PMAK-", 4, Url, 40, ANY),      // Postman
    random("tskey-", 5, Url, 20, 8),     // Tailscale
    random("sq0atp-", 6, Url, 20, 8),    // Square
    random("sq0csp-", 6, Url, 20, 8),
];

/// Forms whose anchor is an underscore.
const UNDERSCORE: &[Form] = &[
    form("ghp_", 3, Plain, 30, ANY), // GitHub, all of the family
    form("gho_", 3, Plain, 30, ANY),
    form("ghu_", 3, Plain, 30, ANY),
    form("ghs_", 3, Plain, 30, ANY),
    form("ghr_", 3, Plain, 30, ANY),
    form("github_pat_", 6, Url, 36, ANY),
    form("sk_live_", 2, Url, 10, ANY), // Stripe
    form("sk_test_", 2, Url, 10, ANY),
    form("sk_prod_", 2, Url, 10, ANY),
    form("rk_live_", 2, Url, 10, ANY),
    form("rk_test_", 2, Url, 10, ANY),
    form("rk_prod_", 2, Url, 10, ANY),
    random("whsec_", 5, Plain, 24, 16),
    form("hf_", 2, Plain, 30, ANY), // Hugging Face
    form("api_org_", 3, Plain, 30, ANY),
    form("npm_", 3, Plain, 36, ANY), // npm
    form("gsk_", 3, Plain, 40, ANY), // Groq
    form("r8_", 2, Plain, 37, ANY),  // Replicate
    form("dop_v1_", 3, Hex, 64, 64), // DigitalOcean
    form("doo_v1_", 3, Hex, 64, 64),
    form("dor_v1_", 3, Hex, 64, 64),
    form("shpat_", 5, Hex, 32, 32), // Shopify
    form("shpca_", 5, Hex, 32, 32),
    form("shppa_", 5, Hex, 32, 32),
    form("shpss_", 5, Hex, 32, 32),
    form("lin_api_", 3, Plain, 40, ANY), // Linear
    form("rubygems_", 8, Hex, 48, 48),   // RubyGems
    form("ntn_", 3, Plain, 40, ANY),     // Notion
    form("glsa_", 4, Url, 32, ANY),      // Grafana
    form("glc_", 3, Plain, 32, ANY),
    form("sntryu_", 6, Hex, 64, 64), // Sentry
    random("sntrys_", 6, Dotted, 40, 20),
];

/// Forms whose anchor is a full stop.
const DOT: &[Form] = &[
    form("SG.", 2, Dotted, 50, ANY), // SendGrid
    random("ya29.", 4, Url, 20, 10), // Google OAuth access token
    random("hvs.", 3, Url, 24, 16),  // HashiCorp Vault
    random("hvb.", 3, Url, 24, 16),
    random("xoxe.xoxp-", 4, Url, 20, 10), // Slack configuration token
    random("xoxe.xoxb-", 4, Url, 20, 10),
];

/// Forms without a separator, found by a capital letter.
const CAPITAL: &[Form] = &[
    form("AKIA", 0, Upper, 16, 16), // Amazon Web Services
    form("ASIA", 0, Upper, 16, 16),
    form("ABIA", 0, Upper, 16, 16),
    form("ACCA", 0, Upper, 16, 16),
    form("AIza", 0, Url, 35, 35),     // Google
    random("AKID", 0, Plain, 32, 16), // Tencent Cloud
    random("LTAI", 2, Plain, 12, 12), // Alibaba Cloud
    form("SK", 1, Hex, 32, 32),       // Twilio
];

/// The key around the anchor byte at `anchor`: where it starts and ends.
pub(crate) fn find(text: &Text<'_>, anchor: usize) -> Option<(usize, usize)> {
    // Every prefix has a letter or digit before its separator; rulers of hyphens and underscores have none.
    let prefixed = before(text, anchor, 1).is_ascii_alphanumeric();
    let forms = match at(text, anchor) {
        b'-' | b'_' | b'.' if !prefixed => return None,
        b'-' => HYPHEN,
        b'_' => UNDERSCORE,
        b'.' => DOT,
        b'A' | b'K' => CAPITAL,
        b'J' => return json_web_token(text, anchor),
        _ => return None,
    };
    let mut longest = None;
    for form in forms {
        if let Some(found) = matches(text, anchor, form)
            && longest.is_none_or(|(_, end)| found.1 > end)
        {
            longest = Some(found);
        }
    }
    longest
}

fn matches(text: &Text<'_>, anchor: usize, form: &Form) -> Option<(usize, usize)> {
    let start = anchor.checked_sub(form.anchor)?;
    if !stands_at(text, start, form.prefix) || !starts_secret(text, start) {
        return None;
    }
    let body = start + form.prefix.len();
    let judged = run_end(text, body, JUDGED, |byte| form.alphabet.has(byte));
    let length = judged - body;
    if length < form.shortest || (form.random > 0 && !looks_random(slice(text, body, judged), form.random)) {
        return None;
    }
    let mut end = run_end(text, body, form.longest, |byte| form.alphabet.has(byte));
    // A fixed length is a whole token; a full stop or an equals sign at the end belongs to the sentence.
    if form.longest != ANY && form.alphabet.has(at(text, end)) {
        return None;
    }
    while end > body + form.shortest && matches!(before(text, end, 1), b'.' | b'=' | b'-') {
        end -= 1;
    }
    (end - body <= form.longest).then_some((start, end))
}

/// A secret may follow anything but a letter or digit.
fn starts_secret(text: &Text<'_>, start: usize) -> bool {
    !before(text, start, 1).is_ascii_alphanumeric()
}

/// Whether an unbroken run of letters and digits of the wanted length has both.
fn looks_random(body: &[u8], run: usize) -> bool {
    body.split(|byte| !byte.is_ascii_alphanumeric())
        .any(|part| part.len() >= run && part.iter().any(u8::is_ascii_alphabetic))
        && body.iter().any(u8::is_ascii_digit)
        && body.iter().any(u8::is_ascii_alphabetic)
}

/// Three parts of base64url with full stops between, the first of which starts as `{"` does (RFC 7519).
fn json_web_token(text: &Text<'_>, anchor: usize) -> Option<(usize, usize)> {
    let start = anchor.checked_sub(2)?;
    let part = |start: usize| run_end(text, start, usize::MAX, |byte| Url.has(byte));
    if !stands_at(text, start, b"eyJ") || Url.has(before(text, start, 1)) {
        return None;
    }
    let header = part(start);
    if header - start < 12 || !stands_at(text, header, b".ey") {
        return None;
    }
    let claims = part(header + 1);
    if claims - header < 8 || at(text, claims) != b'.' {
        return None;
    }
    Some((start, part(claims + 1)))
}

/// The private key whose first line starts at `start`: `-----BEGIN ... PRIVATE KEY-----` to its end line.
///
/// Without an end line the key was cut off; then all that can be key material is taken. `unended` remembers that no
/// end line follows, so that many first lines cost one search.
pub(crate) fn private_key(text: &Text<'_>, start: usize, unended: &mut bool) -> Option<(usize, usize)> {
    let begin = b"-----BEGIN ";
    if !stands_at(text, start, begin) {
        return None;
    }
    let name = start + begin.len();
    let name_end = run_end(text, name, 48, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
    let title = slice(text, name, name_end);
    if !(title.ends_with(b"PRIVATE KEY") || title.ends_with(b"PRIVATE KEY BLOCK"))
        || !stands_at(text, name_end, b"-----")
    {
        return None;
    }
    let body = name_end + 5;
    if !*unended {
        let rest = slice(text, body, usize::MAX);
        match memmem::find(rest, b"-----END ") {
            Some(place) => {
                let line = body + place + b"-----END ".len();
                let close =
                    run_end(text, line, 48, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
                return Some((start, run_end(text, close, 5, |byte| byte == b'-')));
            }
            None => *unended = true,
        }
    }
    let material =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\n' | b'\r' | b'\\');
    let end = run_end(text, body, usize::MAX, material);
    let spare = run_start(text, end, end - body, |byte| matches!(byte, b'\n' | b'\r'));
    Some((start, spare))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Option<&str> {
        let anchors = text.bytes().enumerate().filter(|(_, byte)| b"-_.AKJ".contains(byte));
        let mut unended = false;
        anchors.into_iter().find_map(|(place, _)| {
            let found = private_key(&Text::whole(text.as_bytes()), place, &mut unended)
                .or_else(|| find(&Text::whole(text.as_bytes()), place));
            found.and_then(|(start, end)| text.get(start..end))
        })
    }

    /// A body of the wanted length that looks random; no vendor ever issued it.
    fn body(length: usize) -> String {
        "a1B2c3D4e5F6g7H8i9J0kLmNoPqRsTuVwXyZ".chars().cycle().take(length).collect()
    }

    #[test]
    fn keys_of_vendors() {
        let hex = "0123456789abcdef".repeat(4);
        let keys = [
            format!("sk-{}", body(48)),
            format!("sk-proj-{}", body(60)),
            format!("sk-ant-api03-{}", body(95)),
            format!("sk-{}", &hex[..32]),
            format!("AKIA{}", "ABCDEFGH23456723"),
            format!("ASIA{}", "ABCDEFGH23456723"),
            format!("ghp_{}", body(36)),
            format!("gho_{}", body(36)),
            format!("github_pat_{}_{}", body(22), body(59)),
            format!("AIza{}", body(35)),
            format!("xoxb-123456789012-123456789012-{}", body(24)),
            format!("xoxe.xoxp-1-{}", body(60)),
            format!("sk_live_{}", body(24)),
            format!("rk_live_{}", body(24)),
            format!("hf_{}", body(34)),
            format!("glpat-{}", body(20)),
            format!("npm_{}", body(36)),
            format!("SG.{}.{}", body(22), body(43)),
            format!("SK{}", &hex[..32]),
            format!("LTAI{}", body(20)),
            format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}", body(43)),
            format!("-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----", body(64)),
            format!("-----BEGIN PRIVATE KEY-----\\n{}", body(64)),
        ];
        for expected in &keys {
            for text in [
                expected.clone(),
                format!("密钥{expected}，勿外传"),
                format!("key=\"{expected}\";"),
                format!("{expected}. Next"),
            ] {
                assert_eq!(key(&text), Some(expected.as_str()), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_key() {
        for text in [
            "sk-learn-is-a-library-for-machine-learning",
            "task-1234567890abcdefghijklmnop",
            "sk-sk-sk-sk-sk-sk-sk-sk-sk-sk",
            "AKIAABC",
            "XAKIAABCDEFGH23456723",
            "AKIAABCDEFGH234567231",
            "hf_model_name",
            "npm_config_registry",
            "eyJhbGciOiJIUzI1NiJ9",
            "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----",
        ] {
            assert_eq!(key(text), None, "{text}");
        }
    }
}
