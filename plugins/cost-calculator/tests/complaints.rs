//! Bills that other systems got wrong, by the public reports of their users, and the right ones.
//!
//! The report names the mistake and its size; the usage is such that both come out. Rates are those of the providers'
//! price pages on the day of the call.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod common;

use common::usage;
use tollgate_cost_calculator::{Call, Overlay, PriceSet, Served, Unpriced};

fn at(day: &str) -> i64 {
    i64::from(tollgate_cost_calculator::document::parse_day(day).unwrap()) * 86_400 + 43_200
}

fn total(prices: &PriceSet, called: &str, used: &str) -> Result<(String, Vec<&'static str>), Unpriced> {
    let words: Vec<_> = called.split_whitespace().collect();
    let served = words.get(3).copied().filter(|word| *word != "-");
    let served = match served.and_then(|word| word.split_once('=')) {
        Some(("speed", speed)) => Served { speed: Some(speed), ..Served::default() },
        Some(("geo", geo)) => Served { inference_geo: Some(geo), ..Served::default() },
        _ => Served::tier(served),
    };
    let call =
        Call { provider: Some(words[0]), model: words[1], usage: &usage(used), at_unix_seconds: at(words[2]), served };
    prices.price(&call).map(|cost| (cost.total.to_string(), cost.notes.words().collect()))
}

#[test]
fn what_others_got_wrong_is_right_here() {
    // the report; what was billed wrongly, and as how much; provider, model, day, served; usage; the right total
    for (report, wrong, called, used, right) in [
        (
            "maximhq/bifrost#3451: what was written to the cache was billed as input, too",
            "1.8598",
            "anthropic claude-opus-4-6 2026-11-01",
            "input 159200 cache_write 159200 output 2752",
            "1.0638",
        ),
        (
            "BerriAI/litellm#39088, langwatch/langwatch#7018: cached tokens at the full rate, ten times their own",
            "0.3",
            "anthropic claude-sonnet-4-5 2026-11-01",
            "input 100000 cache_read 100000 output 0",
            "0.03",
        ),
        (
            "langfuse/langfuse#12306, ls1intum/edutelligence#892: inclusive input taken for what is left beside the cache",
            "0.0036",
            "openai gpt-4o 2026-11-01",
            "input 1200 cache_read 800 output 0",
            "0.002",
        ),
        (
            "BerriAI/litellm#26919: what was written to the cache was not taken off the input",
            "0.0213",
            "anthropic claude-sonnet-4-5 2026-11-01",
            "input 4000 cache_read 1000 cache_write 2000 output 300",
            "0.0153",
        ),
        (
            "BerriAI/litellm#42663: writes to the cache beyond those of the first event dropped, 60 % too little",
            "0.0153",
            "anthropic claude-sonnet-4-5 2026-11-01",
            "input 11000 cache_write 10000 output 0",
            "0.0405",
        ),
        (
            "BerriAI/litellm#33772: OpenAI's written cache tokens at the rate of input",
            "0.1",
            "openai gpt-6-astra 2026-11-01",
            "input 10000 cache_write 10000 output 0",
            "0.125",
        ),
        (
            "Helicone/helicone#5766: writes for an hour at the rate of input, half of their own",
            "0.3",
            "anthropic claude-sonnet-4-5 2026-11-01",
            "input 100000 cache_write 100000 cache_write_1h 100000 output 0",
            "0.6",
        ),
        (
            "can1357/oh-my-pi#6876: writes for an hour at the rate of five minutes",
            "0.375",
            "anthropic claude-sonnet-4-5 2026-11-01",
            "input 100000 cache_write 100000 cache_write_1h 100000 output 0",
            "0.6",
        ),
        (
            "BerriAI/litellm#18988: writes for an hour in the tier of long contexts at the rate below it",
            "2.5",
            "anthropic claude-opus-4-6 2026-02-10",
            "input 250000 cache_write 250000 cache_write_1h 250000 output 0",
            "5",
        ),
        (
            "BerriAI/litellm#30135, #30207: the tier was judged by what did not come from the cache",
            "0.2125",
            "anthropic claude-opus-4-6 2026-02-10",
            "input 210000 cache_read 205000 output 3400",
            "0.3825",
        ),
        (
            "pydantic/genai-prices#241: only the tokens over the threshold in the upper tier",
            "1.5",
            "anthropic claude-opus-4-6 2026-02-10",
            "input 250000 output 0",
            "2.5",
        ),
        (
            "ccusage/ccusage#1636, PostHog/posthog#32189: a closed month at today's rates, which have no tier",
            "1.25",
            "anthropic claude-opus-4-6 2026-02-10",
            "input 250000 output 0",
            "2.5",
        ),
        (
            "BerriAI/litellm#13810: served flex, at twice its rate",
            "0.0025",
            "openai gpt-5 2026-11-01 flex",
            "input 1000 output 125",
            "0.00125",
        ),
        (
            "BerriAI/litellm#38378: the fast speed was asked for and not served",
            "0.03",
            "anthropic claude-opus-4-8 2026-11-01 speed=standard",
            "input 1000 output 400",
            "0.015",
        ),
        (
            "BerriAI/litellm#38378, the other way: the fast speed was served",
            "0.015",
            "anthropic claude-opus-4-8 2026-11-01 speed=fast",
            "input 1000 output 400",
            "0.03",
        ),
        (
            "Helicone/helicone#5604, simonw/llm-gemini#75: thoughts not billed",
            "0.002",
            "google gemini-2.5-pro 2026-11-01",
            "input 0 output 1200 reasoning 1000",
            "0.012",
        ),
        (
            "zendev-sh/goai#122: reasoning taken off the output twice, down to 0",
            "0",
            "openai o3 2026-11-01",
            "input 0 output 1000 reasoning 1000",
            "0.008",
        ),
        (
            "comet-ml/opik#6976: Gemini's cache not discounted",
            "0.0125",
            "google gemini-2.5-pro 2026-11-01",
            "input 10000 cache_read 10000 output 0",
            "0.00125",
        ),
        (
            "Arize-ai/phoenix#10036, Arize-ai/openinference#2381: Bedrock's cached tokens billed again at the full rate",
            "0.36465",
            "aws.bedrock anthropic.claude-sonnet-4-5-20250929-v1:0 2026-11-01",
            "input 100500 cache_read 100000 output 0",
            "0.03465",
        ),
    ] {
        let (found, _) = total(PriceSet::builtin(), called, used).unwrap();
        assert_eq!(found, right, "{report}");
        assert_ne!(found, wrong, "{report}");
    }
}

#[test]
fn what_is_not_known_is_never_a_cost_of_zero() {
    for (report, called, used, reason) in [
        (
            "microsoft-foundry/Model-Router-Auto-Evaluation#2: a deployment of Azure, silently $0",
            "azure.ai.openai our-router-prod 2026-11-01",
            "input 1000 output 200",
            Unpriced::UnknownModel,
        ),
        (
            "anthropics/claude-code#80601: an inference profile of Bedrock",
            "aws.bedrock arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3 2026-11-01",
            "input 1000 output 200",
            Unpriced::UnknownModel,
        ),
        (
            "open-ace/open-ace#3422: no usage came, for the caller hung up before it",
            "openai gpt-4o 2026-11-01",
            "",
            Unpriced::MissingUsage,
        ),
    ] {
        assert_eq!(total(PriceSet::builtin(), called, used), Err(reason), "{report}");
    }
    // BerriAI/litellm#39893: a stream that broke off, billed with the placeholder of one token that it began with.
    let (found, notes) = total(PriceSet::builtin(), "anthropic claude-sonnet-4-5 2026-11-01", "input 1000").unwrap();
    assert_eq!((found.as_str(), notes.as_slice()), ("0.003", ["output_not_reported"].as_slice()));
}

#[test]
fn names_that_only_their_user_knows_have_an_alias() {
    let overlay = Overlay::parse(
        "acme.prices",
        "overlay acme 1 2026-11-01\n\
         alias provider:azure equals:our-router-prod to azure gpt-4o\n\
         alias starts:arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/ to aws.bedrock \
         anthropic.claude-sonnet-4-5-20250929-v1:0\n",
    )
    .unwrap();
    let prices = PriceSet::builtin().with_overlay(overlay);
    for (called, right) in [
        ("azure.ai.openai our-router-prod 2026-11-01", "0.0045"),
        (
            "aws.bedrock arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3 2026-11-01",
            // Bedrock's own region costs a tenth more than Anthropic.
            "0.0066",
        ),
    ] {
        let (found, notes) = total(&prices, called, "input 1000 output 200").unwrap();
        assert_eq!((found.as_str(), notes.as_slice()), (right, ["by_alias"].as_slice()), "{called}");
    }
}
