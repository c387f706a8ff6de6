use super::*;
use crate::price_set::{Call, PriceSet};
use crate::unpriced::Unpriced;
use proptest::prelude::*;
use tollgate_call::Usage;

const HEAD: &str = "overlay acme 7 2026-11-01\n";
const MILLION: u64 = 1_000_000;

fn day(text: &str) -> i64 {
    i64::from(crate::document::parse_day(text).unwrap()) * 86_400
}

fn overlay(lines: &str) -> Overlay {
    Overlay::parse("acme.prices", &format!("{HEAD}{lines}")).unwrap_or_else(|error| panic!("{error}"))
}

/// The cost of a million tokens read and none written, and where it comes from.
fn price(
    prices: &PriceSet,
    provider: &str,
    model: &str,
    at: &str,
    tier: Option<&str>,
) -> Result<[String; 4], Unpriced> {
    let usage = Usage { input_tokens: Some(MILLION / 10), output_tokens: Some(MILLION / 100), ..Usage::default() };
    let provider = Some(provider);
    let call = Call { provider, model, usage: &usage, at_unix_seconds: day(at), served: Served::tier(tier) };
    prices.price(&call).map(|cost| {
        let adjustments: Vec<_> = cost.price.agreed.iter().map(ToString::to_string).collect();
        let set = if cost.price.set == "acme 7 (2026-11-01)" {
            "own"
        } else if cost.price.set.contains(" + acme") {
            "both"
        } else {
            "set"
        };
        [cost.total.to_string(), cost.price.row.to_string(), set.to_owned(), adjustments.join(", ")]
    })
}

#[test]
fn each_line_changes_what_it_names() {
    // The set: gpt-4o is 2.5 and 10 a million, so 0.35.
    for (lines, (provider, model, at, tier), expected) in [
        ("", ("openai", "gpt-4o", "2026-11-10", None), ["0.35", "openai/gpt-4o", "set", ""]),
        // Rows of one's own, from a day on.
        (
            "provider openai\nmodel gpt-4o\nmatch equals:gpt-4o\nprice from:2026-11-01 input=2 output=8",
            ("openai", "gpt-4o", "2026-11-10", None),
            ["0.28", "openai/gpt-4o", "own", ""],
        ),
        (
            "provider openai\nmodel gpt-4o\nmatch equals:gpt-4o\nprice from:2026-11-01 input=2 output=8",
            ("openai", "gpt-4o", "2026-10-31", None),
            ["0.35", "openai/gpt-4o", "set", ""],
        ),
        (
            "provider openai\nmodel gpt-4o\nmatch equals:gpt-4o\nprice input=2 output=8",
            ("openai", "gpt-4o-mini", "2026-11-10", None),
            ["0.021", "openai/gpt-4o-mini", "set", ""],
        ),
        // Models and providers that only their user knows.
        (
            "provider acme\nmodel llama\nmatch starts:llama-\nprice input=0.1 output=0.4",
            ("acme", "LLaMA-70b", "2026-11-10", None),
            ["0.014", "acme/llama", "own", ""],
        ),
        // An hour of eight machines is $20; a token that is written costs as much as four that are read.
        (
            "provider acme\nmodel llama\nmatch equals:llama\nprice gpu_hour=2.5 gpus=8 tokens_per_hour=8000000 output_weight=4",
            ("acme", "llama", "2026-11-10", None),
            ["0.35", "acme/llama", "own", ""],
        ),
        // Two yuan a million and eight, at 14 cents.
        (
            "currency CNY 0.14\nprovider acme\nmodel glm\nmatch equals:glm\nprice in:CNY input=2 output=8",
            ("acme", "glm", "2026-11-10", None),
            ["0.0392", "acme/glm", "own", ""],
        ),
        // Names.
        (
            "alias provider:azure equals:prod-gpt to openai gpt-4o",
            ("azure.ai.openai", "Prod-GPT", "2026-11-10", None),
            ["0.35", "openai/gpt-4o", "both", ""],
        ),
        (
            "alias starts:ft:gpt-4o-mini to openai gpt-4o",
            ("openai", "ft:gpt-4o-mini-2024-07-18:acme::a1", "2026-11-10", None),
            ["0.35", "openai/gpt-4o", "both", ""],
        ),
        (
            "alias equals:ours to acme llama\nprovider acme\nmodel llama\nmatch equals:llama\nprice input=1 output=1",
            ("openai", "ours", "2026-11-10", None),
            ["0.11", "acme/llama", "own", ""],
        ),
        // Agreements.
        ("adjust -20%", ("openai", "gpt-4o", "2026-11-10", None), ["0.28", "openai/gpt-4o", "both", "*0.8 (line 2)"]),
        (
            "adjust provider:openai -20%\nadjust *1.5",
            ("openai", "gpt-4o", "2026-11-10", None),
            ["0.42", "openai/gpt-4o", "both", "*0.8 (line 2), *1.5 (line 3)"],
        ),
        (
            "adjust provider:anthropic -20%",
            ("openai", "gpt-4o", "2026-11-10", None),
            ["0.35", "openai/gpt-4o", "set", ""],
        ),
        (
            "adjust model:starts:gpt-4o units:output -50%",
            ("openai", "gpt-4o-2024-08-06", "2026-11-10", None),
            ["0.3", "openai/gpt-4o", "both", "*0.5 (line 2)"],
        ),
        ("adjust model:equals:o3 -50%", ("openai", "gpt-4o", "2026-11-10", None), ["0.35", "openai/gpt-4o", "set", ""]),
        (
            "adjust from:2026-11-01 until:2026-12-01 -50%",
            ("openai", "gpt-4o", "2026-11-30", None),
            ["0.175", "openai/gpt-4o", "both", "*0.5 (line 2)"],
        ),
        (
            "adjust from:2026-11-01 until:2026-12-01 -50%",
            ("openai", "gpt-4o", "2026-12-01", None),
            ["0.35", "openai/gpt-4o", "set", ""],
        ),
        ("adjust from:2026-11-01 -50%", ("openai", "gpt-4o", "2026-10-31", None), ["0.35", "openai/gpt-4o", "set", ""]),
        (
            "adjust when:service_tier=scale +10%",
            ("openai", "gpt-4o", "2026-11-10", Some("scale")),
            ["0.385", "openai/gpt-4o", "both", "*1.1 (line 2)"],
        ),
        (
            "provider acme\nmodel llama\nmatch equals:llama\nprice input=1 output=1\nadjust +100%",
            ("acme", "llama", "2026-11-10", None),
            ["0.22", "acme/llama", "own", "*2 (line 6)"],
        ),
    ] {
        let prices = PriceSet::builtin().with_overlay(overlay(lines));
        assert_eq!(price(&prices, provider, model, at, tier), Ok(expected.map(str::to_owned)), "{lines}");
    }
}

#[test]
fn what_is_wrong_is_named_by_file_line_and_field() {
    for (text, expected) in [
        ("", "acme.prices:0: overlay: there is no line"),
        ("adjust -10%", "acme.prices:1: adjust: stands before the first line"),
        ("set acme 7 2026-11-01", "acme.prices:1: set: stands before"),
        ("overlay acme 7", "acme.prices:1: overlay: there are 2 words where 3 belong"),
        ("overlay acme 7 tomorrow", "acme.prices:1: overlay: `tomorrow` is not a day"),
        ("overlay acme 7 2026-11-01\noverlay acme 8 2026-11-01", "acme.prices:2: overlay: stands once"),
        ("overlay acme 7 2026-11-01\nset a 1 2026-11-01", "acme.prices:2: set: begins a price set"),
        ("overlay acme 7 2026-11-01\ncurrency euro 1.08", "acme.prices:2: euro: is not a currency"),
        ("overlay acme 7 2026-11-01\ncurrency EUR 0", "acme.prices:2: 0: is not an amount"),
        ("overlay acme 7 2026-11-01\ncurrency EUR", "acme.prices:2: currency: is `currency CODE RATE`"),
        ("overlay acme 7 2026-11-01\nalias a to openai", "acme.prices:2: alias: is `alias"),
        ("overlay acme 7 2026-11-01\nalias to openai gpt-4o", "acme.prices:2: alias: names no model"),
        ("overlay acme 7 2026-11-01\nalias like:a to openai gpt-4o", "acme.prices:2: like:a: is not a rule"),
        ("overlay acme 7 2026-11-01\nadjust provider:openai", "acme.prices:2: adjust: has no factor"),
        ("overlay acme 7 2026-11-01\nadjust 10%", "acme.prices:2: 10%: is not a factor"),
        ("overlay acme 7 2026-11-01\nadjust -10% -10%", "acme.prices:2: -10%: is a second factor"),
        ("overlay acme 7 2026-11-01\nadjust since:2026-01-01 -10%", "acme.prices:2: since:2026-01-01: is no condition"),
        ("overlay acme 7 2026-11-01\nadjust from:today -10%", "acme.prices:2: from:today: is not a day"),
        ("overlay acme 7 2026-11-01\nadjust units:tokens -10%", "acme.prices:2: tokens: is not a unit"),
        ("overlay acme 7 2026-11-01\nprice input=1", "acme.prices:2: price: stands before any `model`"),
        ("overlay acme 7 2026-11-01\nprovider a\nmodel b\nmatch equals:b", "acme.prices:0: a/b: has no line `price"),
        ("overlay acme 7 2026-11-01\nprovider a\nmodel b\nprice input=1", "acme.prices:0: a/b: has no line `match"),
        (
            "overlay acme 7 2026-11-01\nprovider a\nmodel b\nmatch equals:b\nprice in:EUR input=1",
            "acme.prices:5: in:EUR: there is no line `currency EUR RATE`",
        ),
        (
            "overlay acme 7 2026-11-01\nprovider a\nmodel b\nmatch equals:b\nprice inptu=1",
            "acme.prices:5: price: `inptu` is not a unit",
        ),
        (
            "overlay acme 7 2026-11-01\nprovider a\nmodel b\nmatch equals:b\nprice gpu_hour=2",
            "acme.prices:5: gpu_hour: an hour's price is",
        ),
        (
            "overlay acme 7 2026-11-01\nprovider a\nmodel b\nmatch equals:b\nprice gpu_hour=2 tokens_per_hour=0",
            "acme.prices:5: tokens_per_hour=0: is not a whole number above 0",
        ),
        (
            "overlay acme 7 2026-11-01\nprovider a\nmodel b\nmatch equals:b\nprice gpu_hour=2 tokens_per_hour=9 input=1",
            "acme.prices:5: gpu_hour: stands in place of rates",
        ),
    ] {
        let error = Overlay::parse("acme.prices", text).unwrap_err().to_string();
        assert!(error.lines().any(|line| line.starts_with(expected)), "{text:?} gives:\n{error}");
    }
    let error = Overlay::parse("acme.prices", "overlay a 1 2026-01-01\nadjust\nalias\n").unwrap_err();
    assert_eq!(error.problems.len(), 2, "all problems are named at once");
}

#[test]
fn the_example_of_the_documentation_is_right() {
    let page = include_str!("../../../docs/PRICES.md");
    let example = page.split("```text\n").find(|block| block.starts_with("overlay ")).unwrap();
    let text = example.split("```").next().unwrap();
    let overlay = Overlay::parse("PRICES.md", text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((overlay.models(), overlay.adjustments.len(), overlay.aliases.len()), (3, 2, 3));
    let prices = PriceSet::builtin().with_overlay(overlay);
    let [total, row, ..] = price(&prices, "acme", "llama-70b", "2026-11-10", None).unwrap();
    // A million tokens read cost $20 / 9.
    assert_eq!((total.as_str(), row.as_str()), ("0.31111111111108", "acme/llama"));
}

#[test]
fn an_overlay_has_limits() {
    let lines = |line: &str, count: usize| Overlay::parse("a", &format!("{HEAD}{}", line.repeat(count)));
    assert!(lines("adjust -1%\n", MOST_ADJUSTMENTS).is_ok());
    assert!(lines("adjust -1%\n", MOST_ADJUSTMENTS + 1).is_err());
    assert!(lines("alias equals:a to b c\n", MOST_ALIASES).is_ok());
    assert!(lines("alias equals:a to b c\n", MOST_ALIASES + 1).is_err());
    assert!(lines("#\n", MOST_BYTES / 2 - HEAD.len()).is_ok());
    assert!(lines("#\n", MOST_BYTES / 2 + 1).unwrap_err().to_string().contains("are the most"));
    // So many factors that no rate can hold their product are no cost of zero.
    let prices = PriceSet::builtin().with_overlay(overlay(&"adjust *1000000\n".repeat(4)));
    assert_eq!(price(&prices, "openai", "gpt-4o", "2026-11-10", None), Err(Unpriced::Overflow));
}

proptest! {
    #[test]
    fn nothing_changes_but_what_is_named(
        model in prop::sample::select(vec!["gpt-4o", "gpt-4o-mini", "o3", "gpt-5", "text-embedding-3-small"]),
        named in prop::sample::select(vec!["gpt-4o", "o3", "gpt-5"]),
        at in "2026-0[1-9]-1[0-9]", percent in 0_u32..100,
    ) {
        let with = PriceSet::builtin().with_overlay(overlay(&format!("adjust model:equals:{named} from:2026-05-15 -{percent}%")));
        let (before, after) = (price(PriceSet::builtin(), "openai", model, &at, None), price(&with, "openai", model, &at, None));
        if model != named || at.as_str() < "2026-05-15" {
            prop_assert_eq!(before, after);
        } else if let (Ok(before), Ok(after)) = (before, after) {
            let number = |price: &[String; 4]| price[0].parse::<f64>().unwrap();
            let expected = number(&before) * f64::from(100 - percent) / 100.0;
            prop_assert!((number(&after) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn no_text_panics(text in "(overlay a 1 2026-01-01\n)?((adjust|alias|price|currency|provider|model|match) [ -~]{0,30}\n){0,6}") {
        let _ = Overlay::parse("a", &text);
    }
}
