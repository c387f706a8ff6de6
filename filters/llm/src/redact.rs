//! Redaction of captured content.

use std::collections::BTreeMap;
use tollgate_call::Content;
use tollgate_pii_redactor::Redactor;

/// Redacts what was captured, in place. Gives how often each type was found.
pub(crate) fn redact(redactor: &Redactor, content: &mut Content) -> Vec<(&'static str, u64)> {
    let mut found = BTreeMap::new();
    for messages in [&mut content.input_messages, &mut content.output_messages].into_iter().flatten() {
        let (changed, findings) = redactor.redact_text(messages);
        for finding in findings {
            *found.entry(Redactor::type_name(finding.kind)).or_default() += 1;
        }
        if let Some(changed) = changed {
            *messages = changed;
        }
    }
    found.into_iter().collect()
}
