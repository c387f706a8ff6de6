//! Redaction of captured content.

use std::collections::BTreeMap;
use tollgate_call::{Content, Parameters};
use tollgate_pii_redactor::Redactor;

/// Redacts what was captured and what a request says in free text, in place. Gives how often each type was found.
///
/// All of it is one conversation: the same value has the same number wherever it stands.
pub(crate) fn redact(redactor: &Redactor, content: &mut Content, asked: &mut Parameters) -> Vec<(String, u64)> {
    let mut found = BTreeMap::new();
    let mut conversation = redactor.conversation();
    let Content { system_instructions, input_messages, output_messages, tool_definitions, truncated: _ } = content;
    let captured = [system_instructions, input_messages, output_messages, tool_definitions].into_iter().flatten();
    // Applications name their users by e-mail addresses too.
    let said = [&mut asked.user, &mut asked.conversation_id].into_iter().flatten().chain(&mut asked.stop_sequences);
    for messages in captured.chain(said) {
        let (changed, findings) = redactor.redact_in(&mut conversation, messages);
        for finding in findings {
            *found.entry(redactor.type_name(finding.kind)).or_default() += 1;
        }
        if let Some(changed) = changed {
            *messages = changed;
        }
    }
    found.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect()
}
