//! Why something was found in a text, as a person reads it. It shows values, so it is for a terminal and not for
//! telemetry. The redactor is linked here as a library: reasons do not cross the plugin boundary.

use std::fmt::Write as _;
use tollgate_pii_redactor::{Explanation, Finding, Proof, Redactor};

/// Lines of text for the findings in a text, for example
///
/// ```text
///   line 1, bytes 5..20           EMAIL_ADDRESS     ada@example.com
///       email: local part, @, domain (by its form). An e-mail address.
/// ```
pub(super) fn text(redactor: &Redactor, given: &str) -> String {
    let mut text = String::new();
    for Explanation { finding: Finding { kind, start, end }, proof, rule, about } in redactor.explain(given) {
        let value = given.get(start..end).unwrap_or_default();
        let line = given.get(..start).unwrap_or_default().matches('\n').count() + 1;
        let at = format!("line {line}, bytes {start}..{end}");
        // Control characters of a value must not steer the terminal.
        let _ = writeln!(text, "  {at:<28}  {:<16}  {}", redactor.type_name(kind), value.escape_debug());
        let proof = match proof {
            Proof::Form => "by its form",
            Proof::Named => "by words nearby",
            Proof::Checked => "by its check digits",
        };
        let _ = writeln!(text, "      {rule} ({proof}). {about}");
    }
    if text.is_empty() {
        text.push_str("  nothing was found\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::text;
    use tollgate_pii_redactor::Redactor;

    #[test]
    fn a_finding_is_shown_with_its_line_its_value_and_the_reason() {
        let redactor = Redactor::default();
        let shown = text(&redactor, "mail ada@example.com\nor pay by 4111 1111 1111 1111");
        let lines: Vec<String> =
            shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines[0], "line 1, bytes 5..20 EMAIL_ADDRESS ada@example.com");
        assert!(lines[1].contains("(by its form). An e-mail address"), "{shown}");
        assert_eq!(lines[2], "line 2, bytes 31..50 CREDIT_CARD 4111 1111 1111 1111");
        assert!(lines[3].contains("(by its check digits)"), "{shown}");
        assert_eq!(text(&redactor, ""), "  nothing was found\n");
    }
}
