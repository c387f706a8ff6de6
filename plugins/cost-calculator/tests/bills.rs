//! Bills worked out by hand from the providers' public price pages.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::usage;
use std::fmt::Write as _;
use tollgate_cost_calculator::{Call, Cost, PriceSet, Served, Unpriced};

/// Seconds since 1970, by way of the line format.
fn priced<T>(called: &str, used: &str, answer: impl FnOnce(Result<Cost<'_>, Unpriced>) -> T) -> T {
    let words: Vec<_> = called.split_whitespace().collect();
    let (provider, model, day, clock) = (words[0], words[1], words[2], words.get(3).copied().unwrap_or("12:00:00"));
    let days = i64::from(tollgate_cost_calculator::document::parse_day(day).unwrap());
    let clock: Vec<i64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
    let at_unix_seconds = days * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2];
    let usage = usage(used);
    let provider = (provider != "-").then_some(provider);
    let call = Call { provider, model, usage: &usage, at_unix_seconds, served: Served::tier(words.get(4).copied()) };
    answer(PriceSet::builtin().price(&call))
}

fn bill(cost: Result<Cost<'_>, Unpriced>) -> String {
    let cost = cost.unwrap();
    let mut bill = format!("{}, {}\n", cost.price.row, cost.price.tier);
    for part in cost.parts.iter() {
        writeln!(bill, "{} {} at {} = {}", part.units, part.unit.name(), part.rate, part.amount).unwrap();
    }
    write!(bill, "total {}", cost.total).unwrap();
    bill
}

#[test]
fn bills_are_those_of_the_price_pages() {
    // provider, model, day, time, served; usage; the bill
    for (called, used, expected) in [
        (
            "openai gpt-4o-2024-08-06 2026-11-01",
            "input 1000 cache_read 400 output 200 reasoning 0",
            "openai/gpt-4o, base
             400 cache_read at 1.25 = 0.0005
             600 input at 2.5 = 0.0015
             200 output at 10 = 0.002
             total 0.004",
        ),
        (
            "anthropic claude-sonnet-4-5-20250929 2026-11-01",
            "input 5000 cache_read 3000 cache_write 1500 cache_write_5m 1000 cache_write_1h 500 output 300",
            "anthropic/claude-sonnet-4-5, base
             3000 cache_read at 0.3 = 0.0009
             1000 cache_write_5m at 3.75 = 0.00375
             500 cache_write_1h at 6 = 0.003
             500 input at 3 = 0.0015
             300 output at 15 = 0.0045
             total 0.01365",
        ),
        // A cache write of unknown life is one of five minutes, which is the provider's default.
        (
            "anthropic claude-sonnet-4-5 2026-11-01",
            "input 2000 cache_write 2000 output 0",
            "anthropic/claude-sonnet-4-5, base
             2000 cache_write at 3.75 = 0.0075
             total 0.0075",
        ),
        // The long-context tier: at the threshold not yet, one token over it for all tokens, output as well.
        (
            "anthropic claude-sonnet-4-5 2026-11-01",
            "input 200_000 output 1000",
            "anthropic/claude-sonnet-4-5, base
             200000 input at 3 = 0.6
             1000 output at 15 = 0.015
             total 0.615",
        ),
        (
            "anthropic claude-sonnet-4-5 2026-11-01",
            "input 200_001 output 1000",
            "anthropic/claude-sonnet-4-5, over 200000
             200001 input at 6 = 1.200006
             1000 output at 22.5 = 0.0225
             total 1.222506",
        ),
        // Cached tokens count towards the threshold.
        (
            "anthropic claude-sonnet-4-5 2026-11-01",
            "input 200_001 cache_read 200_000 output 0",
            "anthropic/claude-sonnet-4-5, over 200000
             200000 cache_read at 0.6 = 0.12
             1 input at 6 = 0.000006
             total 0.120006",
        ),
        (
            "anthropic claude-sonnet-4-5 2026-11-01 12:00:00 batch",
            "input 200_001 cache_read 200_000 output 10",
            "anthropic/claude-sonnet-4-5, batch over 200000
             200000 cache_read at 0.3 = 0.06
             1 input at 3 = 0.000003
             10 output at 11.25 = 0.0001125
             total 0.0601155",
        ),
        (
            "anthropic claude-opus-5 2026-11-01 12:00:00 fast",
            "input 1000 output 1000",
            "anthropic/claude-opus-5, fast
             1000 input at 10 = 0.01
             1000 output at 50 = 0.05
             total 0.06",
        ),
        (
            "gcp.gemini gemini-2.5-pro 2026-11-01",
            "input 200_001 output 500 reasoning 300",
            "google/gemini-2.5-pro, over 200000
             200001 input at 2.5 = 0.5000025
             300 reasoning at 15 = 0.0045
             200 output at 15 = 0.003
             total 0.5075025",
        ),
        (
            "gcp.vertex_ai gemini-2.5-flash 2026-11-01",
            "input 1000 audio_input 600 output 10",
            "google/gemini-2.5-flash, base
             600 audio_input at 1 = 0.0006
             400 input at 0.3 = 0.00012
             10 output at 2.5 = 0.000025
             total 0.000745",
        ),
        // xAI's tier begins at 200,000 itself.
        (
            "x_ai grok-4.3 2026-11-01",
            "input 200_000 output 0",
            "x-ai/grok-4.3, over 199999
             200000 input at 2.5 = 0.5
             total 0.5",
        ),
        // Reasoning is output.
        (
            "openai o3-2025-04-16 2026-11-01",
            "input 1000 output 1000 reasoning 900",
            "openai/o3, base
             1000 input at 2 = 0.002
             900 reasoning at 8 = 0.0072
             100 output at 8 = 0.0008
             total 0.01",
        ),
        // The price of the day: o3 became cheaper on 2025-06-10.
        (
            "openai o3 2025-06-09 23:59:59",
            "input 1000 output 1000",
            "openai/o3, base
             1000 input at 10 = 0.01
             1000 output at 40 = 0.04
             total 0.05",
        ),
        (
            "openai o3 2025-06-10 00:00:00",
            "input 1000 output 1000",
            "openai/o3, base
             1000 input at 2 = 0.002
             1000 output at 8 = 0.008
             total 0.01",
        ),
        (
            "openai o3 2026-11-01 12:00:00 flex",
            "input 1000 cache_read 400 output 1000",
            "openai/o3, flex
             400 cache_read at 0.25 = 0.0001
             600 input at 1 = 0.0006
             1000 output at 4 = 0.004
             total 0.0047",
        ),
        (
            "openai o3 2026-11-01 12:00:00 default",
            "input 1000 output 0",
            "openai/o3, base
             1000 input at 2 = 0.002
             total 0.002",
        ),
        // DeepSeek was cheaper outside 00:30 to 16:30 UTC.
        (
            "deepseek deepseek-chat 2026-11-01 16:29:59",
            "input 1000 cache_read 500 output 100",
            "deepseek/deepseek-chat, base
             500 cache_read at 0.07 = 0.000035
             500 input at 0.27 = 0.000135
             100 output at 1.1 = 0.00011
             total 0.00028",
        ),
        (
            "deepseek deepseek-chat 2026-11-01 16:30:00",
            "input 1000 cache_read 500 output 100",
            "deepseek/deepseek-chat, base
             500 cache_read at 0.035 = 0.0000175
             500 input at 0.135 = 0.0000675
             100 output at 0.55 = 0.000055
             total 0.00014",
        ),
        (
            "openai text-embedding-3-small 2026-11-01",
            "input 8",
            "openai/text-embedding-3-small, base
             8 input at 0.02 = 0.00000016
             total 0.00000016",
        ),
        // A fee for the request itself.
        (
            "perplexity sonar 2026-11-01",
            "input 1000 output 1000",
            "perplexity/sonar, base
             1000 input at 1 = 0.001
             1000 output at 1 = 0.001
             1 request at 12 = 0.012
             total 0.014",
        ),
        (
            "- openai/gpt-4o 2026-11-01",
            "input 1000 output 0",
            "openai/gpt-4o, base
             1000 input at 2.5 = 0.0025
             total 0.0025",
        ),
        // Reasoning above the output, at the rate of the output: the total does not depend on it.
        (
            "openai o3 2026-11-01",
            "input 0 output 100 reasoning 101",
            "openai/o3, base
             100 output at 8 = 0.0008
             total 0.0008",
        ),
    ] {
        let expected: Vec<_> = expected.lines().map(str::trim).collect();
        assert_eq!(priced(called, used, bill), expected.join("\n"), "{called}: {used}");
    }
}

#[test]
fn the_row_is_found_under_the_names_that_callers_use() {
    for (provider, model, row) in [
        ("openai", "GPT-4o-2024-08-06", "openai/gpt-4o"),
        ("openai", "openai/gpt-4o", "openai/gpt-4o"),
        ("openai", "gpt-5.2-20251211", "openai/gpt-5.2"),
        // Azure sells OpenAI's models at OpenAI's rates.
        ("azure.ai.openai", "gpt-4o", "openai/gpt-4o"),
        ("az.ai.openai", "gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini"),
        ("azure.ai.inference", "deepseek-chat", "deepseek/deepseek-chat"),
        ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", "google/claude-sonnet-4-5"),
        ("vertex_ai", "gemini-2.5-pro", "google/gemini-2.5-pro"),
        // A regional profile costs a tenth more than the global one.
        (
            "aws.bedrock",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        ("aws.bedrock", "amazon.nova-lite-v1:0", "aws/amazon.nova-lite-v1:0"),
        ("mistral_ai", "mistral-large-latest", "mistral/mistral-large"),
        ("cohere", "command-a-03-2025", "cohere/command-a"),
        ("groq", "llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile"),
        ("-", "claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("_OTHER", "claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("our-gateway", "claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("litellm", "azure/gpt-4o", "openai/gpt-4o"),
        ("-", "openrouter/openai/gpt-4o", "openrouter/openai/gpt-4o"),
    ] {
        let found = priced(&format!("{provider} {model} 2026-11-01"), "input 1 output 1", |cost| {
            cost.map(|cost| (cost.price.row.to_string(), cost.notes.by_model))
        });
        let by_model = ["-", "_OTHER", "our-gateway", "litellm"].contains(&provider);
        assert_eq!(found, Ok((row.to_owned(), by_model)), "{provider} {model}");
    }
}

#[test]
fn what_is_not_known_is_said_and_is_never_nothing() {
    for (called, used, reason) in [
        ("openai no-such-model 2026-11-01", "input 1 output 1", Unpriced::UnknownModel),
        ("- no-such-model 2026-11-01", "input 1 output 1", Unpriced::UnknownModel),
        ("our-gateway no-such-model 2026-11-01", "input 1 output 1", Unpriced::UnknownProvider),
        // Another provider's list is not this one's.
        ("together mistral/mistral-large-latest 2026-11-01", "input 1 output 1", Unpriced::UnknownModel),
        ("openai gpt-4o 2026-11-01", "", Unpriced::MissingUsage),
        ("openai gpt-4o 2026-11-01", "output 5", Unpriced::MissingUsage),
        ("openai gpt-4o 2026-11-01", "input 5 cache_read 6 output 0", Unpriced::InconsistentUsage),
        ("anthropic claude-haiku-4-5 2026-11-01", "input 5 cache_read 3 cache_write 3", Unpriced::InconsistentUsage),
        (
            "anthropic claude-haiku-4-5 2026-11-01",
            "input 9 cache_write 3 cache_write_1h 4",
            Unpriced::InconsistentUsage,
        ),
        // Priced by the minute of audio; tokens have no rate.
        ("openai whisper-1 2026-11-01", "input 5 output 5", Unpriced::NoRate),
        ("openai text-embedding-3-small 2026-11-01", "input 5 output 5", Unpriced::NoRate),
    ] {
        assert_eq!(priced(called, used, |cost| cost.err()), Some(reason), "{called}: {used}");
    }
}

#[test]
fn what_a_reader_should_know_is_noted() {
    for (called, used, notes) in [
        ("openai gpt-4o 2026-11-01", "input 1 output 1", ""),
        ("openai gpt-4o 2026-11-01 12:00:00 default", "input 1 output 1", ""),
        ("openai gpt-4o 2026-11-01 12:00:00 priority", "input 1 output 1", ""),
        ("openai gpt-4o 2026-11-01 12:00:00 scale", "input 1 output 1", "tier_not_listed"),
        // Rates by tier are known from 2026-10-12 on.
        ("openai gpt-4o 2026-01-01 12:00:00 priority", "input 1 output 1", "tier_not_listed"),
        ("openai gpt-4o 2026-11-01", "input 1", "output_not_reported"),
        ("openai text-embedding-3-small 2026-11-01", "input 1", ""),
        ("- gpt-4o 2026-11-01", "input 1 output 1", "by_model"),
        ("openai o3 2026-11-01", "input 1 output 1 reasoning 2", "inconsistent_usage"),
        (
            "google gemini-2.5-flash 2026-11-01",
            "input 9 audio_input 3 cache_read 3 output 0",
            "cached_modality_unknown",
        ),
    ] {
        let found = priced(called, used, |cost| cost.unwrap().notes.words().collect::<Vec<_>>().join(" "));
        assert_eq!(found, notes, "{called}: {used}");
    }
}

#[test]
fn searches_are_billed_each_or_by_the_prompt() {
    for (called, used, fee) in [
        ("google gemini-2.5-flash 2026-11-01", "input 0 output 0 searches 3", "1 grounded_prompts at 35 = 0.035"),
        ("google gemini-2.5-flash 2026-11-01", "input 0 output 0 searches 0", ""),
        ("google gemini-3-pro-preview 2026-11-01", "input 0 output 0 searches 3", "3 web_search at 14 = 0.042"),
        ("openai gpt-5 2026-11-01", "input 0 output 0 searches 2", "2 web_search at 10 = 0.02"),
    ] {
        let found = priced(called, used, bill);
        let lines: Vec<_> = found.lines().skip(1).filter(|line| !line.starts_with("total")).collect();
        assert_eq!(lines.join("; "), fee, "{called}: {used}");
    }
}

#[test]
fn audio_that_must_have_been_cached_has_the_rate_of_cached_audio() {
    let expected = "google/gemini-2.5-flash, base\n3 cache_read at 0.03 = 0.00000009\n\
                    2 cache_read_audio at 0.1 = 0.0000002\n5 audio_input at 1 = 0.000005\ntotal 0.00000529";
    let found = priced("google gemini-2.5-flash 2026-11-01", "input 10 audio_input 7 cache_read 5 output 0", bill);
    assert_eq!(found, expected);
}

#[test]
fn cached_audio_has_the_rate_of_audio_where_the_cache_has_none() {
    let expected = "azure/phi-4-multimodal-instruct, base\n40 cache_read_audio at 4 = 0.00016\n\
                    20 audio_input at 4 = 0.00008\n10 cache_read at 0.08 = 0.0000008\n30 input at 0.08 = 0.0000024\n\
                    total 0.0002432";
    let used = "input 100 audio_input 60 cache_read 50 cache_read_audio 40 output 0";
    assert_eq!(priced("azure phi-4-multimodal-instruct 2026-11-01", used, bill), expected);
}
