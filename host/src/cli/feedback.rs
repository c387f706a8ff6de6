//! `tollgate feedback verify`: which call a token of an answer is about. `tollgate feedback event`: what a user said of it, as
//! the result of an evaluation.

use super::fail;
use crate::stages::cost::hexadecimal;
use clap::Subcommand;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate_feedback::{Key, verify};
use tollgate_otlp::{Envelope, RequestWriter};
use tollgate_score::{About, Score, Value as Said};

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
    /// Check a token and print what a user said of its call as an event in OTLP/JSON, to be posted to `/v1/logs` of a host:
    /// outputs that know scores make one of it.
    Event {
        /// A key, as for `verify`.
        #[arg(long = "key", value_name = "[ID:]SECRET|@FILE")]
        keys: Vec<String>,
        /// Name of the score.
        #[arg(long, default_value = "user_feedback")]
        name: String,
        /// What the user said, as a number: 1 and 0, or 1 to 5.
        #[arg(long, allow_hyphen_values = true, required_unless_present = "label")]
        value: Option<f64>,
        /// What the user said, as a word.
        #[arg(long)]
        label: Option<String>,
        /// What the user said, in words.
        #[arg(long)]
        comment: Option<String>,
        /// Where users say it. Another word from the same place on the same call takes the place of the one before.
        #[arg(long, default_value = "feedback")]
        source: String,
        /// The token, as the header `x-tollgate-feedback` had it.
        token: String,
    },
}

pub(super) fn run(command: &Command) -> ExitCode {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let shown = match command {
        Command::Verify { keys, token } => read_keys(keys).and_then(|keys| checked(&keys, token, now.as_secs())),
        Command::Event { keys, name, value, label, comment, source, token } => read_keys(keys).and_then(|keys| {
            let said = said(*value, label.as_deref())?;
            let token = verify(&keys, token.trim(), now.as_secs()).map_err(|why| why.to_string())?;
            let about = About::Span { trace_id: token.trace_id, span_id: token.span_id };
            let time = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
            event(&Score { comment: comment.clone(), ..Score::new(about, name, said, source, time) })
        }),
    };
    match shown {
        Ok(shown) => {
            println!("{shown}");
            ExitCode::SUCCESS
        }
        Err(why) => fail(why),
    }
}

fn said(value: Option<f64>, label: Option<&str>) -> Result<Said, String> {
    match (value, label) {
        (Some(value), _) if !value.is_finite() => Err(format!("--value: {value} is no number")),
        (Some(value), Some(label)) => Ok(Said::Labelled(value, label.to_owned())),
        (Some(value), None) => Ok(Said::Number(value)),
        (None, Some(label)) => Ok(Said::Label(label.to_owned())),
        (None, None) => Err("what was said? give --value or --label".to_owned()),
    }
}

/// A score as a request of OTLP/JSON with one event.
fn event(score: &Score) -> Result<Value, String> {
    let log = score.event().ok_or("the score is about no span")?;
    let mut writer = RequestWriter::new();
    writer.push(&Envelope::new(&[("service.name", "tollgate".into())], "tollgate.feedback", ""), log.bytes());
    let request = ExportLogsServiceRequest::decode(writer.finish().as_slice()).map_err(|error| error.to_string())?;
    serde_json::to_value(&request).map_err(|error| error.to_string())
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
    fn what_was_said_is_an_event_about_the_call() {
        let about = About::Span { trace_id: [0xab; 16], span_id: [1; 8] };
        let score = Score {
            comment: Some("the wrong city".to_owned()),
            ..Score::new(about, "user_feedback", said(Some(0.0), Some("down")).unwrap(), "chat", 7)
        };
        let shown = event(&score).unwrap();
        let record = &shown["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
        assert_eq!((&record["traceId"], &record["spanId"]), (&json!("ab".repeat(16)), &json!("01".repeat(8))));
        assert_eq!(record["eventName"], "gen_ai.evaluation.result");
        let attributes: Vec<_> = record["attributes"].as_array().unwrap().iter().map(|a| &a["value"]).collect();
        let expected = [
            json!({"stringValue": "user_feedback"}),
            json!({"stringValue": "chat"}),
            json!({"doubleValue": 0.0}),
            json!({"stringValue": "down"}),
            json!({"stringValue": "the wrong city"}),
        ];
        assert_eq!(attributes, expected.iter().collect::<Vec<_>>());
        assert_eq!(said(Some(f64::NAN), None), Err("--value: NaN is no number".to_owned()));
        assert_eq!(said(None, Some("up")), Ok(Said::Label("up".to_owned())));
        assert!(said(None, None).is_err());
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
