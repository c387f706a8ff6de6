//! Any text: findings are whole, ascending and gone; JSON stays JSON; a second pass finds nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use tollgate_pii_redactor::Redactor;

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
    let Some(redacted) = redacted else { return };
    let parses = |text: &str| serde_json::from_str::<IgnoredAny>(text).is_ok();
    let compound = text.trim_start().starts_with(['{', '[']);
    assert!(!compound || !parses(text) || parses(&redacted));
    assert_eq!(redactor.redact_text(&redacted).0, None);
});
