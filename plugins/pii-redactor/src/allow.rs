//! Values that are nobody's secret: they are found and left alone.

use std::collections::BTreeSet;

/// Values that stay, in small letters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allow {
    values: BTreeSet<Vec<u8>>,
    /// Ends of values, each with its `@`: all addresses at a domain.
    domains: Vec<Vec<u8>>,
}

impl Allow {
    /// Values as the user lists them: whole values in any case, and `@example.com` for every address there.
    pub(crate) fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let (domains, values): (Vec<_>, Vec<_>) = values
            .into_iter()
            .map(|value| value.to_ascii_lowercase().into_bytes())
            .partition(|value| value.first() == Some(&b'@'));
        Self { values: values.into_iter().collect(), domains }
    }

    /// Whether the value stays.
    pub(crate) fn has(&self, value: &[u8]) -> bool {
        if self.values.is_empty() && self.domains.is_empty() {
            return false;
        }
        let value = value.to_ascii_lowercase();
        self.values.contains(&value) || self.domains.iter().any(|domain| value.ends_with(domain))
    }
}

#[cfg(test)]
mod tests {
    use super::Allow;

    #[test]
    fn values_and_domains_stay() {
        let allow = Allow::new(["10.0.0.1", "@Example.com"]);
        for (value, expected) in [
            ("10.0.0.1", true),
            ("10.0.0.11", false),
            ("ann@example.com", true),
            ("ANN@EXAMPLE.COM", true),
            ("ann@mail.example.com", false),
        ] {
            assert_eq!(allow.has(value.as_bytes()), expected, "{value}");
        }
    }
}
