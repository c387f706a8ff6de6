//! Redaction of captured content.

use std::collections::BTreeMap;
use tollgate_call::{Content, Parameters};
use tollgate_pii_redactor::Redactor;

/// Redacts what was captured and what a request says in free text, in place. Gives how often each type was found.
pub(crate) fn redact(redactor: &Redactor, content: &mut Content, asked: &mut Parameters) -> Vec<(&'static str, u64)> {
    let mut found = BTreeMap::new();
    let Content { system_instructions, input_messages, output_messages, tool_definitions, truncated: _ } = content;
    let captured = [system_instructions, input_messages, output_messages, tool_definitions].into_iter().flatten();
    // Applications name their users by e-mail addresses too.
    let said = [&mut asked.user, &mut asked.conversation_id].into_iter().flatten().chain(&mut asked.stop_sequences);
    for messages in captured.chain(said) {
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
