//! A configuration that is wrong stops Envoy at its start, with a sentence that names the field.

use tollgate_e2e::{Settings, refused_start};

#[test]
fn envoy_does_not_start_on_a_wrong_configuration() {
    for (json, sentence) in [
        (r#"{"export": {"clutser": "collector"}}"#, "export.clutser: there is no such field"),
        (r#"{"export": {}}"#, "export.cluster: must name the Envoy cluster"),
        (r#"{"sampling": {"ratio": 1.5}}"#, "sampling.ratio: must be a number from 0 to 1"),
        (r#"{"extractor": {"nonsense": 1}}"#, "extractor.nonsense"),
        (r#"{"redactor": {"nonsense": 1}}"#, "redactor.nonsense"),
        (r#"{"include_usage": "on"}"#, "include_usage.mode: must be one of off, inject, inject_and_strip"),
        (r#"{"feedback": {"key": "c2hvcnQ="}}"#, "feedback.key: must have at least 32 bytes, and has 5"),
        (
            r#"{"budgets": {"key_header": "authorization"}}"#,
            "budgets.key_header: has credentials, which are never read",
        ),
        (r#"{"response_headers": true, "redact_traffic": true}"#, "response_headers: cannot be had together"),
        ("{", "configuration: is not JSON"),
    ] {
        let Some(log) = refused_start(&Settings::new(1).filter(json)) else { return };
        assert!(log.contains(sentence), "{json} gave:\n{log}");
    }
}
