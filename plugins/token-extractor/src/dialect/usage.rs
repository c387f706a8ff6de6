//! Which counts include which: one convention from several.
//!
//! Under the conventions a total includes its parts. Some emitters leave the cached part out of the input, as
//! Anthropic's and Amazon's APIs do, or reasoning out of the output, as Gemini's does. Where the dialect does not say
//! which, arithmetic does: a part that is larger than its whole, or a stated total that only adds up one way.

use super::facts::{Facts, count, first_count};
use super::to;
use serde_json::Value;
use tollgate_semconv::{operation, usage_source};

/// Usage in a provider's own words, its parts as it counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) input: Option<i64>,
    output: Option<i64>,
    read: Option<i64>,
    write: Option<i64>,
    write_5m: Option<i64>,
    write_1h: Option<i64>,
}

impl Stated {
    /// The `usage` of Anthropic's messages: `input_tokens` is without the cached parts.
    pub(super) fn anthropic(usage: &Value) -> Self {
        let kept = usage.get("cache_creation");
        let kept = |name: &str| kept.and_then(|kept| count(kept.get(name)));
        Self {
            input: count(usage.get("input_tokens")),
            output: count(usage.get("output_tokens")),
            read: count(usage.get("cache_read_input_tokens")),
            write: count(usage.get("cache_creation_input_tokens")),
            write_5m: kept("ephemeral_5m_input_tokens"),
            write_1h: kept("ephemeral_1h_input_tokens"),
        }
    }

    /// What the provider read from its cache and wrote to it.
    pub(super) fn cached(self) -> i64 {
        self.read.unwrap_or(0).saturating_add(self.write.unwrap_or(0))
    }

    /// Sets what is not known yet, the cached parts included in the input.
    pub(super) fn write(self, facts: &mut Facts<'_>) {
        facts.set_count(to::INPUT, self.input.map(|input| input.saturating_add(self.cached())));
        facts.set_count(to::OUTPUT, self.output);
        facts.set_count(to::CACHE_READ, self.read);
        facts.set_count(to::CACHE_WRITE, self.write);
        facts.set_count(to::CACHE_WRITE_5M, self.write_5m);
        facts.set_count(to::CACHE_WRITE_1H, self.write_1h);
    }
}

/// The `usage` of an answer as some provider wrote it: OpenAI's two APIs, or Anthropic's.
pub(super) fn read_provider(usage: &Value, facts: &mut Facts<'_>) {
    if usage.get("cache_read_input_tokens").is_some() || usage.get("cache_creation_input_tokens").is_some() {
        return Stated::anthropic(usage).write(facts);
    }
    let detail =
        |groups: [&str; 2], names: &[&str]| groups.iter().find_map(|group| first_count(usage.get(group)?, names));
    let (input, output) =
        (["prompt_tokens_details", "input_tokens_details"], ["completion_tokens_details", "output_tokens_details"]);
    facts.set_count(to::INPUT, first_count(usage, &["prompt_tokens", "input_tokens", "promptTokens"]));
    facts.set_count(to::OUTPUT, first_count(usage, &["completion_tokens", "output_tokens", "completionTokens"]));
    facts.total = facts.total.or_else(|| first_count(usage, &["total_tokens", "totalTokens"]));
    facts.set_count(to::CACHE_READ, detail(input, &["cached_tokens"]));
    facts.set_count(to::CACHE_WRITE, detail(input, &["cache_write_tokens", "cache_creation_tokens"]));
    facts.set_count(to::AUDIO_INPUT, detail(input, &["audio_tokens"]));
    facts.set_count(to::IMAGE_INPUT, detail(input, &["image_tokens"]));
    facts.set_count(to::REASONING, detail(output, &["reasoning_tokens"]));
    facts.set_count(to::AUDIO_OUTPUT, detail(output, &["audio_tokens"]));
    facts.set_count(to::IMAGE_OUTPUT, detail(output, &["image_tokens"]));
}

/// Adds cached parts to an input that leaves them out.
pub(super) fn raise_input(cached: i64, facts: &mut Facts<'_>) {
    raise(to::INPUT, to::REPORTED_INPUT, cached, facts);
}

fn raise(number: u16, reported: u16, by: i64, facts: &mut Facts<'_>) {
    // The filter read the exchange itself, and whoever says where counts come from has settled what they mean.
    if by == 0 || facts.is_stated(to::USAGE_SOURCE) || facts.has(reported) {
        return;
    }
    let Some(count) = facts.count(number) else { return };
    // What the emitter had stands under its own name already, unless that is the current one.
    if facts.is_stated(number) {
        facts.set_count(reported, Some(count));
    }
    facts.correct(number, count.saturating_add(by));
}

/// Brings the counts to the conventions, and says where they come from.
pub(super) fn settle(facts: &mut Facts<'_>) {
    if facts.text(to::OPERATION) == Some(operation::FETCH_RESPONSE) {
        // An answer that is fetched was counted when it was made.
        to::COUNTS.for_each(|number| facts.drop_found(number));
        return;
    }
    let part = |number: u16, facts: &Facts<'_>| facts.count(number).unwrap_or(0);
    let cached = part(to::CACHE_READ, facts).saturating_add(part(to::CACHE_WRITE, facts));
    let reasoning = part(to::REASONING, facts);
    let (without_cached, without_reasoning) = left_out(Counts {
        input: facts.count(to::INPUT),
        cached,
        output: facts.count(to::OUTPUT),
        reasoning,
        total: facts.total,
    });
    if without_cached {
        raise_input(cached, facts);
    }
    if without_reasoning {
        raise(to::OUTPUT, to::REPORTED_OUTPUT, reasoning, facts);
    }
    if facts.has(to::INPUT) || facts.has(to::OUTPUT) {
        facts.set_text(to::USAGE_SOURCE, Some(usage_source::REPORTED));
    }
}

#[derive(Clone, Copy, Debug)]
struct Counts {
    input: Option<i64>,
    cached: i64,
    output: Option<i64>,
    reasoning: i64,
    total: Option<i64>,
}

/// Whether the input is without its cached part, and the output without reasoning.
fn left_out(counts: Counts) -> (bool, bool) {
    let Counts { input, cached, output, reasoning, total } = counts;
    let larger = |part: i64, whole: Option<i64>| whole.is_some_and(|whole| part > whole);
    // Whatever the total says, a part is never larger than its whole.
    let (mut cache_out, mut reasoning_out) = (larger(cached, input), larger(reasoning, output));
    if let (Some(input), Some(output), Some(total)) = (input, output, total) {
        let sum = |with_cached: bool, with_reasoning: bool| {
            let part = |with: bool, part: i64| if with { part } else { 0 };
            let both = part(with_cached, cached).saturating_add(part(with_reasoning, reasoning));
            input.saturating_add(output).saturating_add(both)
        };
        let readings = [(false, false), (true, false), (false, true), (true, true)];
        let fits = |&(c, r): &(bool, bool)| (c || !cache_out) && (r || !reasoning_out) && sum(c, r) == total;
        if let Some(&(c, r)) = readings.iter().find(|reading| fits(reading)) {
            (cache_out, reasoning_out) = (c, r);
        }
    }
    (cache_out, reasoning_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_shows_in_the_arithmetic() {
        let counts = |input, cached, output, reasoning, total: i64| Counts {
            input: Some(input),
            cached,
            output: Some(output),
            reasoning,
            total: (total > 0).then_some(total),
        };
        for (counts, expected) in [
            // Nothing says otherwise: inclusive.
            (counts(100, 60, 20, 8, 0), (false, false)),
            (counts(100, 60, 20, 8, 120), (false, false)),
            // The total counts the cached part once more.
            (counts(100, 60, 20, 8, 180), (true, false)),
            (counts(100, 60, 20, 8, 128), (false, true)),
            (counts(100, 60, 20, 8, 188), (true, true)),
            // The part is larger than its whole, whatever the total says.
            (counts(3, 2_000, 20, 0, 0), (true, false)),
            (counts(3, 2_000, 20, 0, 23), (true, false)),
            (counts(10, 0, 5, 9, 24), (false, true)),
            // A total that adds up in no way says nothing.
            (counts(100, 60, 20, 8, 999), (false, false)),
            (counts(i64::MAX, i64::MAX, i64::MAX, 1, i64::MAX), (false, false)),
        ] {
            assert_eq!(left_out(counts), expected, "{counts:?}");
        }
    }
}
