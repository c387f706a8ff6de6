//! Requests to the scores API of Langfuse, and what its own package makes of them.
//!
//! `TOLLGATE_LANGFUSE` names the folder that the PyPI package `langfuse` is installed in; `cargo xtask test` installs it and
//! sets that. `TOLLGATE_WRITE_GOLDEN=1` writes the files anew, to be read before they are kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::path::{Path, PathBuf};
use std::process::Command;
use tollgate_score::{About, Score, Value, langfuse};

fn scores() -> Vec<Score> {
    let span = About::Span { trace_id: [0x0a; 16], span_id: [0x0b; 8] };
    let score = |about: &About, name: &str, value, time| Score::new(about.clone(), name, value, "judge-v2", time);
    let mut scores = vec![
        score(&span, "relevance", Value::Number(0.75), 1_790_000_000_123_000_000),
        score(&span, "toxicity", Value::Label("none".into()), 1_790_000_000_123_000_000),
        score(&About::Trace([0x0a; 16]), "solved", Value::Labelled(1.0, "yes".into()), 1_790_000_001_000_000_000),
        score(&About::Session("conv-7".into()), "user_feedback", Value::Number(-1.0), 0),
    ];
    scores.last_mut().unwrap().comment = Some("Wrong \"city\" ☹".to_owned());
    scores
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scores.json")
}

#[test]
fn the_request_is_as_kept() {
    let body: serde_json::Value = serde_json::from_str(&langfuse::body(&scores())).unwrap();
    let shown = serde_json::to_string_pretty(&body).unwrap() + "\n";
    if std::env::var_os("TOLLGATE_WRITE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::write(golden(), &shown).unwrap();
    }
    assert_eq!(shown, std::fs::read_to_string(golden()).unwrap_or_default());
}

/// Reads the scores with the package's models, and prints what these read.
const CHECK: &str = r#"
import json, sys
from langfuse.api.core.serialization import convert_and_respect_annotation_metadata as convert
from langfuse.api.core.pydantic_utilities import parse_obj_as
from langfuse.api.scores.types.create_scores_request import CreateScoresRequest
from langfuse.api.scores.types.create_score_request import CreateScoreRequest
body = json.load(sys.stdin)
read = parse_obj_as(CreateScoresRequest, body)
known = {field.alias or name for name, field in CreateScoreRequest.model_fields.items()}
aliases = {"trace_id": "traceId", "session_id": "sessionId", "observation_id": "observationId", "data_type": "dataType"}
known |= set(aliases.values())
for score in body:
    unknown = set(score) - known
    assert not unknown, f"fields that the API does not have: {unknown}"
for score in read:
    value = score.value
    assert isinstance(value, str) == (score.data_type.value == "CATEGORICAL"), score
    assert score.trace_id or score.session_id, score
    print(json.dumps([score.id, score.trace_id, score.observation_id, score.session_id, score.name, value,
                      score.data_type.value, score.comment, score.timestamp and score.timestamp.timestamp()]))
"#;

#[test]
fn the_package_of_langfuse_reads_what_was_sent() {
    let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
    let Some(packages) = std::env::var_os("TOLLGATE_LANGFUSE") else {
        assert!(!required, "TOLLGATE_LANGFUSE is not set; run `cargo xtask test`");
        eprintln!("SKIPPED: TOLLGATE_LANGFUSE is not set; run `cargo xtask test`");
        return;
    };
    let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(python)
        .args(["-c", CHECK])
        .env("PYTHONPATH", packages)
        .stdin(std::fs::File::open(golden()).unwrap())
        .output()
        .expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Vec<serde_json::Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (trace, span) = ("0a".repeat(16), "0b".repeat(8));
    let ids: Vec<_> = scores().iter().map(Score::id).collect();
    let at = 1_790_000_000.123;
    let expected = serde_json::json!([
        [ids.first(), trace, span, null, "relevance", 0.75, "NUMERIC", null, at],
        [ids.get(1), trace, span, null, "toxicity", "none", "CATEGORICAL", null, at],
        [ids.get(2), trace, null, null, "solved", 1.0, "NUMERIC", null, 1_790_000_001.0],
        [ids.get(3), null, null, "conv-7", "user_feedback", -1.0, "NUMERIC", "Wrong \"city\" ☹", null],
    ]);
    assert_eq!(serde_json::Value::from(read), expected);
}
