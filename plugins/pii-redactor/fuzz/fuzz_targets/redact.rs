//! Any text: findings are whole and ascending, JSON stays JSON, what is taken out comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use std::sync::LazyLock;
use tollgate_pii_redactor::Redactor;

static REVERSIBLE: LazyLock<Redactor> =
    LazyLock::new(|| Redactor::configure(r#"{"operator": "reversible"}"#).expect("a configuration that is right"));

fuzz_target!(|text: &str| {
    let redactor = Redactor::default();
    let (redacted, findings) = redactor.redact_text(text);
    let mut done = 0;
    for finding in &findings {
        assert!(done <= finding.start && finding.start < finding.end);
        assert!(text.get(finding.start..finding.end).is_some());
        done = finding.end;
    }
    assert_eq!(redacted.is_some(), !findings.is_empty());
    assert_eq!(redactor.explain(text).len(), findings.len());
    let Some(redacted) = redacted else { return };
    let parses = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    let compound = text.trim_start().starts_with(['{', '[']);
    assert!(!compound || !parses(text) || parses(&redacted));
    let mut conversation = REVERSIBLE.conversation();
    let (redacted, _) = REVERSIBLE.redact_in(&mut conversation, text);
    let redacted = redacted.expect("the same is found with every operator");
    if !compound {
        assert_eq!(conversation.restore(&redacted).as_deref().unwrap_or(&redacted), text);
    }
});
