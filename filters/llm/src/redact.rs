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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_number_in_all_of_an_exchange() {
        let redactor = Redactor::configure(r#"{"operator": "number"}"#).unwrap();
        let mut content = Content {
            input_messages: Some("bob@example.org, ann@example.com".to_owned()),
            output_messages: Some("ann@example.com".to_owned()),
            ..Content::default()
        };
        let mut asked = Parameters { user: Some("ann@example.com".to_owned()), ..Parameters::default() };
        let found = redact(&redactor, &mut content, &mut asked);
        assert_eq!(content.input_messages.as_deref(), Some("<EMAIL_ADDRESS_1>, <EMAIL_ADDRESS_2>"));
        assert_eq!(content.output_messages.as_deref(), Some("<EMAIL_ADDRESS_2>"));
        assert_eq!(asked.user.as_deref(), Some("<EMAIL_ADDRESS_2>"));
        assert_eq!(found, [("EMAIL_ADDRESS".to_owned(), 4)]);
    }
}
