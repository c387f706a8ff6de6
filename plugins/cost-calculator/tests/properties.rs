//! What holds for every call.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use proptest::prelude::*;
use tollgate_call::Usage;
use tollgate_cost_calculator::document::Document;
use tollgate_cost_calculator::{Call, Cost, PriceSet, Served, Unit, Unpriced, Usd};

const DOCUMENT: &str = include_str!("../data/prices.txt");

/// Providers and models of the committed set, and the words its prices are conditional on.
fn rows() -> Vec<(String, String)> {
    let document = Document::parse(DOCUMENT).unwrap();
    let of = |p: tollgate_cost_calculator::document::Provider| {
        p.models.into_iter().map(move |model| (p.id.clone(), model.id)).collect::<Vec<_>>()
    };
    document.providers.into_iter().flat_map(of).collect()
}

fn row() -> impl Strategy<Value = (String, String)> {
    prop::sample::select(rows())
}

fn tier() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![None, Some("batch"), Some("flex"), Some("priority"), Some("fast"), Some("default")])
}

/// From 2024 to 2028.
fn moment() -> impl Strategy<Value = i64> {
    1_704_067_200..1_830_297_600_i64
}

prop_compose! {
    /// Counts whose parts fit into their wholes.
    fn consistent()(input in 0..1_000_000_u64, output in 0..100_000_u64)(
        cuts in prop::array::uniform3(0..=input),
        hour in 0..=input,
        reasoning in 0..=output,
        input in Just(input),
        output in Just(output),
        reported in prop::array::uniform4(any::<bool>()),
    ) -> Usage {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let (read, write, audio) = (cuts[0], cuts[1] - cuts[0], cuts[2] - cuts[1]);
        let hour = hour.min(write);
        let part = |index: usize, count| reported[index].then_some(count);
        Usage {
            input_tokens: Some(input),
            output_tokens: Some(output),
            cache_read_tokens: part(0, read),
            cache_write_tokens: part(1, write),
            cache_write_5m_tokens: part(1, write - hour),
            cache_write_1h_tokens: part(1, hour),
            audio_input_tokens: part(2, audio),
            reasoning_tokens: part(3, reasoning),
            ..Usage::default()
        }
    }
}

fn price<'a>(
    set: &'a PriceSet,
    (provider, model): &(String, String),
    usage: &Usage,
    at: i64,
    tier: Option<&str>,
) -> Result<Cost<'a>, Unpriced> {
    set.price(&Call { provider: Some(provider), model, usage, at_unix_seconds: at, served: Served::tier(tier) })
}

fn is_output(unit: Unit) -> bool {
    matches!(unit, Unit::Output | Unit::Reasoning | Unit::AudioOutput)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_token_is_in_one_part_and_the_parts_are_the_total(
        row in row(), usage in consistent(), at in moment(), tier in tier(),
    ) {
        match price(PriceSet::builtin(), &row, &usage, at, tier) {
            Ok(cost) => {
                let parts: Vec<_> = cost.parts.iter().collect();
                let amounts = parts.iter().try_fold(Usd::ZERO, |sum, part| sum.checked_add(part.amount));
                prop_assert_eq!(amounts, Some(cost.total));
                let tokens = |output: bool| -> u64 {
                    let counted = parts.iter().filter(|part| part.unit.is_token() && is_output(part.unit) == output);
                    counted.map(|part| part.units).sum()
                };
                prop_assert_eq!(tokens(false), usage.input_tokens.unwrap());
                prop_assert_eq!(tokens(true), usage.output_tokens.unwrap());
                prop_assert!(parts.iter().all(|part| part.units > 0));
                prop_assert!(!cost.notes.inconsistent_usage);
            }
            // The ids of some rows are not among the names they match.
            Err(reason) => prop_assert!(matches!(reason, Unpriced::NoRate | Unpriced::UnknownModel), "{reason}"),
        }
    }

    #[test]
    fn more_tokens_never_cost_less(
        row in row(), usage in consistent(), at in moment(), tier in tier(),
        input in 0..1_000_000_u64, output in 0..1_000_000_u64,
    ) {
        let more = Usage {
            input_tokens: usage.input_tokens.map(|count| count + input),
            output_tokens: usage.output_tokens.map(|count| count + output),
            ..usage.clone()
        };
        let prices = PriceSet::builtin();
        if let (Ok(less), Ok(more)) = (price(prices, &row, &usage, at, tier), price(prices, &row, &more, at, tier)) {
            prop_assert!(less.total <= more.total, "{} and then {}", less.total, more.total);
        }
    }

    #[test]
    fn any_counts_and_any_names_have_an_answer_that_is_not_negative(
        counts in prop::array::uniform9(prop::option::of(prop_oneof![0..10_u64, any::<u64>()])),
        model in prop_oneof![".{0,300}", row().prop_map(|(_, model)| model)],
        provider in prop::option::of(prop_oneof![".{0,40}", row().prop_map(|(provider, _)| provider)]),
        tier in prop::option::of(".{0,40}"),
        at in any::<i64>(),
    ) {
        let [input, output, read, write, five, hour, reasoning, audio_in, audio_out] = counts;
        let usage = Usage {
            input_tokens: input,
            output_tokens: output,
            cache_read_tokens: read,
            cache_write_tokens: write,
            cache_write_5m_tokens: five,
            cache_write_1h_tokens: hour,
            reasoning_tokens: reasoning,
            audio_input_tokens: audio_in,
            audio_output_tokens: audio_out,
            ..Usage::default()
        };
        let call = Call {
            provider: provider.as_deref(), model: &model, usage: &usage, at_unix_seconds: at, served: Served::tier(tier.as_deref()),
        };
        if let Ok(cost) = PriceSet::builtin().price(&call) {
            prop_assert!(cost.total >= Usd::ZERO);
            prop_assert!(cost.parts.iter().all(|part| part.amount >= Usd::ZERO));
        }
    }

    #[test]
    fn any_document_is_refused_or_reads_back_as_it_is_written(
        lines in prop::collection::vec(
            prop_oneof![
                4 => prop::sample::select(DOCUMENT.lines().map(str::to_owned).collect::<Vec<_>>()),
                1 => "(set|provider|model|match|price|fallback|named) [a-z0-9:=>.& #-]{0,30}",
                1 => "price (from:|daily:|when:|input=)[0-9a-z:=>.-]{0,20}",
            ],
            0..40,
        ),
    ) {
        let text = format!("set a 1 2026-01-01\nprovider a\nmodel a\n{}\n", lines.join("\n"));
        let _refused_or_not = PriceSet::parse(text.as_bytes());
        if let Ok(document) = Document::parse(&text) {
            prop_assert_eq!(Document::parse(&document.to_string()), Ok(document));
        }
    }

    #[test]
    fn what_the_core_set_prices_the_whole_set_prices_alike(
        row in row(), by_name in any::<bool>(), usage in consistent(), at in moment(), tier in tier(),
    ) {
        let answer = |set: &'static PriceSet| {
            let provider = by_name.then_some(row.0.as_str());
            set.price(&Call { provider, model: &row.1, usage: &usage, at_unix_seconds: at, served: Served::tier(tier) })
        };
        match answer(PriceSet::builtin_core()) {
            Err(Unpriced::LeftOut) => {}
            core => prop_assert_eq!(core, answer(PriceSet::builtin())),
        }
    }
}

#[test]
fn the_committed_document_reads_back_as_it_is_written_and_says_what_it_is() {
    let document = Document::parse(DOCUMENT).unwrap();
    let rows: String = DOCUMENT.lines().filter(|line| !line.starts_with('#')).flat_map(|line| [line, "\n"]).collect();
    assert_eq!(document.to_string(), rows);
    assert_eq!((document.name.as_str(), document.version.as_str()), ("genai-prices", "0.2.3+litellm.1.109.1"));
    assert!(document.licence.contains("MIT") && document.source.contains("0.2.3"));
    assert_eq!(PriceSet::builtin().label(), format!("genai-prices {} ({})", document.version, document.date));
    assert_eq!(PriceSet::builtin().providers().count(), document.providers.len());
    assert_eq!(PriceSet::builtin().models(), rows_count(&document));
}

fn rows_count(document: &Document) -> usize {
    document.providers.iter().map(|provider| provider.models.len()).sum()
}

#[test]
fn a_set_that_is_read_prices_like_the_builtin_one() {
    let read = PriceSet::parse(DOCUMENT.as_bytes()).unwrap();
    assert_eq!((read.label(), read.models()), (PriceSet::builtin().label(), PriceSet::builtin().models()));
    let usage = Usage { input_tokens: Some(300_000), output_tokens: Some(7), ..Usage::default() };
    for row in rows() {
        let (read, builtin) = (&read, PriceSet::builtin());
        assert_eq!(price(read, &row, &usage, 1_790_000_000, None), price(builtin, &row, &usage, 1_790_000_000, None));
    }
    assert!(PriceSet::parse(b"\xff").is_err());
    assert!(PriceSet::parse(b"colour red").unwrap_err().to_string().contains("line 1"));
}
