//! Model names: providers answer an alias with the dated name of the snapshot that served it.

/// Aliases and the snapshot each stands for here. Names that are not listed are answered as they came.
const SNAPSHOTS: &[(&str, &str, Family)] = &[
    ("gpt-4o", "gpt-4o-2024-08-06", Family::OpenAi),
    ("gpt-4o-mini", "gpt-4o-mini-2024-07-18", Family::OpenAi),
    ("gpt-4.1", "gpt-4.1-2025-04-14", Family::OpenAi),
    ("gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", Family::OpenAi),
    ("gpt-5", "gpt-5-2025-08-07", Family::OpenAi),
    ("gpt-5-mini", "gpt-5-mini-2025-08-07", Family::OpenAi),
    ("o3-mini", "o3-mini-2025-01-31", Family::OpenAi),
    ("claude-3-5-haiku-latest", "claude-3-5-haiku-20241022", Family::Anthropic),
    ("claude-haiku-4-5", "claude-haiku-4-5-20251001", Family::Anthropic),
    ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929", Family::Anthropic),
    ("claude-opus-4-5", "claude-opus-4-5-20251101", Family::Anthropic),
    ("claude-opus-4-1", "claude-opus-4-1-20250805", Family::Anthropic),
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    OpenAi,
    Anthropic,
}

/// The name that the answer carries.
pub(crate) fn answered_as(requested: &str) -> &str {
    SNAPSHOTS.iter().find(|(alias, ..)| *alias == requested).map_or(requested, |(_, snapshot, _)| snapshot)
}

/// The snapshots of one family, for the list of models.
pub(crate) fn of(family: Family) -> impl Iterator<Item = &'static str> {
    SNAPSHOTS.iter().filter(move |(.., of)| *of == family).map(|(_, snapshot, _)| *snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_becomes_its_snapshot_and_any_other_name_stays() {
        assert_eq!(answered_as("gpt-4o"), "gpt-4o-2024-08-06");
        assert_eq!(answered_as("claude-sonnet-4-5"), "claude-sonnet-4-5-20250929");
        assert_eq!(answered_as("acme-lm-1"), "acme-lm-1");
    }
}
