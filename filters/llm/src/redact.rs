//! Redaction of captured content.

use std::collections::BTreeMap;
use tollgate_call::{Content, Parameters};
use tollgate_pii_redactor::Redactor;

/// What redaction has to tell.
pub(crate) struct Redacted {
    /// How often each type was found.
    pub(crate) found: Vec<(String, u64)>,
    /// What was not looked at, or got no number, by reason.
    pub(crate) skipped: [(&'static str, u64); 2],
}

/// Redacts what was captured and what a request says in free text, in place.
///
/// All of it is one conversation: the same value has the same number wherever it stands.
pub(crate) fn redact(redactor: &Redactor, content: &mut Content, asked: &mut Parameters) -> Redacted {
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
    let found = found.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect();
    Redacted { found, skipped: conversation.skipped() }
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
        let redacted = redact(&redactor, &mut content, &mut asked);
        assert_eq!(content.input_messages.as_deref(), Some("<EMAIL_ADDRESS_1>, <EMAIL_ADDRESS_2>"));
        assert_eq!(content.output_messages.as_deref(), Some("<EMAIL_ADDRESS_2>"));
        assert_eq!(asked.user.as_deref(), Some("<EMAIL_ADDRESS_2>"));
        assert_eq!(redacted.found, [("EMAIL_ADDRESS".to_owned(), 4)]);
    }

    #[test]
    fn what_was_stepped_over_is_told() {
        let picture = "iVBORw0KGgoAAAANSUhEUg1".repeat(9);
        let mut content = Content { input_messages: Some(picture.clone()), ..Content::default() };
        let redacted = redact(&Redactor::default(), &mut content, &mut Parameters::default());
        assert_eq!(content.input_messages.as_deref(), Some(picture.as_str()));
        assert!(redacted.skipped.iter().any(|(reason, bytes)| *reason == "binary_bytes" && *bytes > 0));
    }
}
