//! `tollgate feedback verify`: which call a token of an answer is about.

use super::fail;
use crate::stages::cost::hexadecimal;
use clap::Subcommand;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate_feedback::{Key, verify};

/// The variable with keys, where no argument has them.
const VARIABLE: &str = "TOLLGATE_FEEDBACK_KEYS";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a token; prints the ids of its trace and span, and when it ends, as JSON.
    Verify {
        /// A key, as `feedback.key` of the filter has it: SECRET, or ID:SECRET where it has a `key_id`. @FILE in the place
        /// of the secret reads it from a file, so that no list of processes shows it. Give two while keys are changed.
        /// Without it, keys are taken from the environment variable TOLLGATE_FEEDBACK_KEYS, with spaces between them.
        #[arg(long = "key", value_name = "[ID:]SECRET|@FILE")]
        keys: Vec<String>,
        /// The token, as the header `x-tollgate-feedback` had it.
        token: String,
    },
}

pub(super) fn run(command: &Command) -> ExitCode {
    let Command::Verify { keys, token } = command;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    match read_keys(keys).and_then(|keys| checked(&keys, token, now)) {
        Ok(shown) => {
            println!("{shown}");
            ExitCode::SUCCESS
        }
        Err(why) => fail(why),
    }
}

fn checked(keys: &[Key], token: &str, now: u64) -> Result<Value, String> {
    let token = verify(keys, token.trim(), now).map_err(|why| why.to_string())?;
    Ok(
        json!({"trace_id": hexadecimal(&token.trace_id), "span_id": hexadecimal(&token.span_id), "expires": token.expires}),
    )
}

fn read_keys(given: &[String]) -> Result<Vec<Key>, String> {
    let variable = if given.is_empty() { std::env::var(VARIABLE).unwrap_or_default() } else { String::new() };
    let texts: Vec<&str> = given.iter().map(String::as_str).chain(variable.split_whitespace()).collect();
    if texts.is_empty() {
        return Err(format!("no key: give one with --key, or in {VARIABLE}"));
    }
    texts.into_iter().map(read_key).collect()
}

fn read_key(text: &str) -> Result<Key, String> {
    let (id, secret) = text.split_once(':').unwrap_or(("0", text));
    let id: u8 = id.parse().map_err(|_| "--key: the id before the colon must be a number from 0 to 255".to_owned())?;
    let key = match secret.strip_prefix('@') {
        Some(file) => {
            let secret = std::fs::read_to_string(file).map_err(|error| format!("--key: {file}: {error}"))?;
            Key::read(id, &secret)
        }
        None => Key::read(id, secret),
    };
    key.map_err(|why| format!("--key: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_feedback::{Token, sign};

    const SECRET: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    #[test]
    fn a_token_is_shown_by_the_key_that_signed_it() {
        let token = Token { trace_id: [0xab; 16], span_id: [1; 8], expires: 2_000_000_000 };
        let text = sign(&Key::read(7, SECRET).unwrap(), &token);
        let keys =
            |texts: &[&str]| read_keys(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap();
        let other = SECRET.replace("00", "11");
        let both = keys(&[&other, &format!("7:{SECRET}")]);
        let shown = json!({"trace_id": "ab".repeat(16), "span_id": "01".repeat(8), "expires": 2_000_000_000});
        assert_eq!(checked(&both, &format!(" {text}\n"), 1), Ok(shown));
        for (keys, now, why) in [
            (keys(&[&other]), 1, "signed with the key of id 7, which is not given"),
            (keys(&[&format!("7:{other}")]), 1, "the signature of the token is not right"),
            (both, 2_000_000_000, "ended at 2000000000"),
        ] {
            let refusal = checked(&keys, &text, now).unwrap_err();
            assert!(refusal.contains(why), "{refusal}");
        }
    }

    #[test]
    fn keys_that_are_none() {
        for (text, why) in [
            ("x:abc", "--key: the id before the colon must be a number"),
            ("1:no key", "--key: must be hexadecimal or base64"),
            ("1:@/nowhere/at/all", "--key: /nowhere/at/all: "),
        ] {
            let refusal = read_key(text).unwrap_err();
            assert!(refusal.starts_with(why), "{refusal}");
        }
    }
}
