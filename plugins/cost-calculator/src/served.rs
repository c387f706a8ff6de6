//! How a call was served.

/// How a call was served, where that is known. What was asked for is no substitute: providers serve another tier or
/// speed than the one that was asked for, and bill what they served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served<'a> {
    /// The service tier (`flex`, `priority`), `batch`, or several such words, or `key=value`, separated by commas.
    pub tier: Option<&'a str>,
    /// The speed, such as Anthropic's `fast`.
    pub speed: Option<&'a str>,
    /// Where it was computed, such as Anthropic's `us`.
    pub inference_geo: Option<&'a str>,
}

impl<'a> Served<'a> {
    /// Served in that tier.
    #[must_use]
    pub const fn tier(tier: Option<&'a str>) -> Self {
        Self { tier, speed: None, inference_geo: None }
    }

    /// Whether it was served in a way that may have a price of its own. OpenAI says `default`, Anthropic `standard`;
    /// `auto` is a wish.
    pub(crate) fn is_special(&self) -> bool {
        let is_standard =
            |word: &str| ["", "auto", "default", "standard"].iter().any(|known| word.eq_ignore_ascii_case(known));
        [self.tier, self.speed].into_iter().flatten().any(|word| !is_standard(word))
    }

    pub(crate) fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a condition holds. Bare words of the tier are values of `service_tier`, `processing` or `speed`.
    pub(crate) fn is(&self, key: &str, value: &str) -> bool {
        let is_value = |word: &str| word.eq_ignore_ascii_case(value);
        let known = match key {
            "speed" => self.speed.is_some_and(is_value),
            "inference_geo" => self.inference_geo.is_some_and(is_value),
            _ => false,
        };
        known
            || self.tier.is_some_and(|tier| {
                tier.split([',', ' ']).any(|word| match word.split_once('=') {
                    Some((said, word)) => said.eq_ignore_ascii_case(key) && is_value(word),
                    None => matches!(key, "service_tier" | "processing" | "speed") && is_value(word),
                })
            })
    }
}
