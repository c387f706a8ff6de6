//! Names of OpenTelemetry as Prometheus has them.
//!
//! Source: OpenTelemetry specification, Prometheus and OpenMetrics compatibility.

/// The name of a label for an attribute: what may not stand in one becomes an underscore.
///
/// ```
/// assert_eq!(tollgate_metering::label_name("gen_ai.request.model"), "gen_ai_request_model");
/// assert_eq!(tollgate_metering::label_name("7.of-9"), "_7_of_9");
/// ```
#[must_use]
pub fn label_name(attribute: &str) -> String {
    clean(attribute, |c| c.is_ascii_alphanumeric() || c == '_')
}

/// The name of a metric, without the suffix of its kind and with that of its unit.
pub(crate) fn metric_name(name: &str, unit: &str) -> String {
    let mut name = clean(name, |c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let suffix = unit_word(unit);
    if !suffix.is_empty() && !name.ends_with(&format!("_{suffix}")) {
        name.push('_');
        name.push_str(suffix);
    }
    name
}

/// The word for a unit; units in braces, which only say what is counted, have none.
pub(crate) fn unit_word(unit: &str) -> &'static str {
    match unit {
        "s" => "seconds",
        "By" => "bytes",
        _ => "",
    }
}

fn clean(name: &str, may: impl Fn(char) -> bool) -> String {
    let mut cleaned: String = name.chars().map(|c| if may(c) { c } else { '_' }).collect();
    if cleaned.starts_with(|c: char| c.is_ascii_digit()) || cleaned.is_empty() {
        cleaned.insert(0, '_');
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::metric_name;

    #[test]
    fn units_become_suffixes_once() {
        for (name, unit, expected) in [
            ("gen_ai.client.operation.duration", "s", "gen_ai_client_operation_duration_seconds"),
            ("gen_ai.client.token.usage", "{token}", "gen_ai_client_token_usage"),
            ("tollgate_output_queue_bytes", "By", "tollgate_output_queue_bytes"),
            ("a-b:c/ü", "", "a_b:c__"),
        ] {
            assert_eq!(metric_name(name, unit), expected);
        }
    }
}
