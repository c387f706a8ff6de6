//! What other vocabularies call the providers of the price set.

/// Provider names that say nothing about who was called: the model alone has to tell.
const SAYS_NOTHING: &[&[u8]] = &[b"", b"_other", b"litellm", b"unknown"];

/// Names of `gen_ai.provider.name`, of its forerunner `gen_ai.system`, and of common gateways, where the price set has
/// another id. Ascending. Names that the set's own rules resolve rightly are not repeated here; `azure.ai.openai` is,
/// because those rules would take it for OpenAI.
const ALIASES: &[(&[u8], &str)] = &[
    (b"aws.bedrock", "aws"),
    (b"az.ai.inference", "azure"),
    (b"az.ai.openai", "azure"),
    (b"azure.ai.inference", "azure"),
    (b"azure.ai.openai", "azure"),
    (b"azure_ai", "azure"),
    (b"azure_openai", "azure"),
    (b"bedrock", "aws"),
    (b"fireworks_ai", "fireworks"),
    (b"gcp.gemini", "google"),
    (b"gcp.gen_ai", "google"),
    (b"gcp.vertex_ai", "google"),
    (b"gemini", "google"),
    (b"mistral_ai", "mistral"),
    (b"moonshot_ai", "moonshotai"),
    (b"vertex_ai", "google"),
    (b"x_ai", "x-ai"),
    (b"xai", "x-ai"),
];

/// Every alias with its id.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = (&'static [u8], &'static str)> {
    ALIASES.iter().copied()
}

/// The aliases of a provider of the set.
pub(crate) fn of(id: &str) -> impl Iterator<Item = &'static [u8]> {
    ALIASES.iter().filter(move |(_, provider)| *provider == id).map(|(name, _)| *name)
}

/// The price set's id for `name`, in lower case, where a table of ours has it.
pub(crate) fn alias(name: &[u8]) -> Option<&'static str> {
    let at = ALIASES.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    ALIASES.get(at).map(|(_, id)| *id)
}

/// Whether `name`, in lower case, leaves open who was called.
pub(crate) fn says_nothing(name: &[u8]) -> bool {
    SAYS_NOTHING.contains(&name)
}
