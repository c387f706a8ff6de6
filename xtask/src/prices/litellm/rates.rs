//! Fields of the table: what a model costs.
//!
//! A field is `{input|output}_cost_per_WHAT`, then perhaps the size of the input above which it holds
//! (`_above_200k_tokens`), then perhaps how the call is served (`_batches`, `_flex`, `_priority`). A field of zero says
//! nothing: the table has zeros both for what is free and for what nobody has looked up.

use super::decimal;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tollgate_cost_calculator::document::{Price, Tiered, Validity};
use tollgate_cost_calculator::{Rate, Unit};

/// What a field of a mode is.
struct Field {
    name: &'static str,
    /// Modes in which it means this; all where there are none.
    modes: &'static [&'static str],
    unit: Unit,
    /// What makes the number one of so many units as our rate is for.
    factor: u64,
    /// Where one of these is priced, the field says the same in other words, and is dropped: tokens are what the
    /// provider bills.
    instead: &'static [Unit],
}

const MILLION: u64 = 1_000_000;
const HOUR: u64 = 3_600;
const THOUSAND: u64 = 1_000;
const IMAGES: &[&str] = &["image_generation", "image_edit"];
const SPEECH: &[&str] = &["audio_speech"];
const HEARING: &[&str] = &["audio_transcription", "realtime"];

const fn tokens(name: &'static str, unit: Unit) -> Field {
    Field { name, modes: &[], unit, factor: MILLION, instead: &[] }
}

const fn others(
    name: &'static str,
    modes: &'static [&'static str],
    unit: Unit,
    factor: u64,
    instead: &'static [Unit],
) -> Field {
    Field { name, modes, unit, factor, instead }
}

/// Where a unit has two fields, the first counts, as it does with LiteLLM: one is a leftover of the other.
const FIELDS: &[Field] = &[
    tokens("input_cost_per_token", Unit::Input),
    tokens("cache_read_input_token_cost", Unit::CacheRead),
    tokens("cache_creation_input_token_cost", Unit::CacheWrite),
    tokens("input_cost_per_audio_token", Unit::AudioInput),
    tokens("cache_read_input_audio_token_cost", Unit::CacheReadAudio),
    tokens("input_cost_per_image_token", Unit::ImageInput),
    tokens("cache_read_input_image_token_cost", Unit::CacheReadImage),
    tokens("input_cost_per_video_token", Unit::VideoInput),
    tokens("output_cost_per_token", Unit::Output),
    tokens("output_cost_per_reasoning_token", Unit::Reasoning),
    tokens("output_cost_per_audio_token", Unit::AudioOutput),
    tokens("output_cost_per_image_token", Unit::ImageOutput),
    tokens("output_cost_per_video_token", Unit::VideoOutput),
    others("input_cost_per_character", &["audio_speech", "embedding"], Unit::Characters, MILLION, &[Unit::Input]),
    others("input_cost_per_text_message", &[], Unit::Messages, THOUSAND, &[]),
    others("output_cost_per_image", IMAGES, Unit::Images, 1, &[Unit::ImageOutput]),
    // Of an image that is made, too, where there is no other.
    others("input_cost_per_image", IMAGES, Unit::Images, 1, &[Unit::ImageOutput]),
    others("output_cost_per_second", HEARING, Unit::AudioInputTime, HOUR, &[Unit::AudioInput]),
    others("input_cost_per_second", HEARING, Unit::AudioInputTime, HOUR, &[Unit::AudioInput]),
    others("output_cost_per_second", SPEECH, Unit::AudioOutputTime, HOUR, &[Unit::AudioOutput]),
    others("output_cost_per_video_per_second", &["video_generation"], Unit::VideoTime, 1, &[]),
    others("output_cost_per_second", &["video_generation"], Unit::VideoTime, 1, &[]),
    others("ocr_cost_per_page", &["ocr"], Unit::Pages, THOUSAND, &[Unit::Input]),
    others("annotation_cost_per_page", &["ocr"], Unit::AnnotatedPages, THOUSAND, &[]),
    others("input_cost_per_query", &["rerank"], Unit::SearchUnits, THOUSAND, &[]),
];

/// Fields that say in other words what the tokens of these units cost, and that nothing else could stand for.
const REPEATED: &[(&str, &[Unit])] = &[
    ("input_cost_per_image", &[Unit::ImageInput]),
    ("input_cost_per_audio_per_second", &[Unit::AudioInput]),
    ("input_cost_per_video_per_second", &[Unit::VideoInput, Unit::ImageInput]),
];

/// Fields that are no price of their own. Realtime sessions are cached by the provider, without writes that are billed.
const NO_PRICE: &[&str] =
    &["cache_creation_input_audio_token_cost", "input_dbu_cost_per_token", "output_dbu_cost_per_token"];

/// How a field's end says that a call was served.
const SERVED: &[(&str, &str, &str)] = &[
    ("_batches", "processing", "batch"),
    ("_flex", "service_tier", "flex"),
    ("_priority", "service_tier", "priority"),
];

/// The resolution that a field ends with: of a second of video or of an image.
const BY_RESOLUTION: &[&str] = &["output_cost_per_second_", "output_cost_per_image_"];

/// How a call was served, as key and value.
type Conditions = Vec<(String, String)>;
/// Rates by how the call was served, unit, and size of the input.
type Found = BTreeMap<(Conditions, Unit, u32), Rate>;

/// The prices of an entry. `size` is that of its images, where the key says it.
///
/// The error names the field that cannot be said in a price document.
pub(super) fn prices(mode: &str, fields: &Map<String, Value>, size: Option<(u64, u64)>) -> Result<Vec<Price>, String> {
    let priced: Vec<_> = fields.iter().filter(|(name, _)| is_price(name)).collect();
    let tokens: Vec<_> = FIELDS.iter().filter(|field| field.unit.is_token()).collect();
    let mut found = Found::new();
    let mut left = Vec::new();
    for (name, value) in priced {
        if is_zero(value) {
            continue;
        }
        let (plain, over, when) = parts(name)?;
        match tokens.iter().find(|field| field.name == plain) {
            Some(field) => {
                found.insert((when, field.unit, over), number(name, value, field.factor)?);
            }
            None => left.push((name.as_str(), value, plain, over, when)),
        }
    }
    let units: Vec<Unit> = found.keys().map(|(_, unit, _)| *unit).collect();
    let has = |wanted: &[Unit]| units.iter().any(|unit| wanted.contains(unit));
    let place = |plain: &str| FIELDS.iter().position(|field| field.name == plain).unwrap_or(FIELDS.len());
    left.sort_by_key(|(_, _, plain, ..)| place(plain));
    for (name, value, plain, over, when) in left {
        if REPEATED.iter().any(|(repeated, units)| *repeated == plain && has(units)) {
            continue;
        }
        let fits = |field: &&Field| field.name == plain && (field.modes.is_empty() || field.modes.contains(&mode));
        let (unit, rate) = if plain == "search_context_cost_per_query" {
            (Unit::WebSearch, web_search(value)?)
        } else if let Some(pixels) = pixels(plain, mode, size) {
            (Unit::Images, number(name, value, pixels)?)
        } else {
            let field = FIELDS.iter().find(fits).ok_or_else(|| name.to_owned())?;
            if has(field.instead) {
                continue;
            }
            (field.unit, number(name, value, field.factor)?)
        };
        found.entry((when, unit, over)).or_insert(rate);
    }
    collect(found)
}

fn is_price(name: &str) -> bool {
    name.contains("cost") && !NO_PRICE.iter().any(|known| name.starts_with(known))
}

fn is_zero(value: &Value) -> bool {
    value.is_null() || value.as_str().and_then(|text| decimal::times(text, 1)) == Some(Rate::default())
}

/// A field's name without its ends, the size of the input above which it holds, and how the call is served.
fn parts(name: &str) -> Result<(&str, u32, Conditions), String> {
    let mut when = Conditions::new();
    let mut plain = name;
    for (end, key, value) in SERVED {
        if let Some(rest) = plain.strip_suffix(end) {
            when.push(((*key).to_owned(), (*value).to_owned()));
            plain = rest;
        }
    }
    for begin in BY_RESOLUTION {
        if let Some(resolution) = plain.strip_prefix(begin)
            && !resolution.is_empty()
            && resolution.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        {
            when.push(("resolution".to_owned(), resolution.to_ascii_lowercase()));
            plain = begin.strip_suffix('_').unwrap_or(begin);
        }
    }
    let Some((plain, above)) = plain.split_once("_above_") else { return Ok((plain, 0, when)) };
    let over = above.strip_suffix("k_tokens").and_then(|thousands| thousands.parse::<u32>().ok());
    let over = over.and_then(|thousands| thousands.checked_mul(1_000)).ok_or_else(|| name.to_owned())?;
    Ok((plain, over, when))
}

fn number(name: &str, value: &Value, factor: u64) -> Result<Rate, String> {
    let rate = value.as_str().and_then(|text| decimal::times(text, factor));
    rate.ok_or_else(|| format!("{name}, which is not a number: {value}"))
}

/// The price of a search, where it does not depend on how much is searched.
fn web_search(value: &Value) -> Result<Rate, String> {
    let differs = || "search_context_cost_per_query, which depends on the size of the context".to_owned();
    let mut sizes = value.as_object().ok_or_else(differs)?.values();
    let first = sizes.next().ok_or_else(differs)?;
    if sizes.all(|size| size == first) {
        number("search_context_cost_per_query", first, THOUSAND)
    } else {
        Err(differs())
    }
}

/// A rate by the pixel is one by the image, where the size of the image is known.
fn pixels(plain: &str, mode: &str, size: Option<(u64, u64)>) -> Option<u64> {
    let (width, height) = size?;
    let by_pixel = matches!(plain, "input_cost_per_pixel" | "output_cost_per_pixel") && IMAGES.contains(&mode);
    width.checked_mul(height).filter(|_| by_pixel)
}

/// Prices in the order of their conditions, the standard price first.
fn collect(found: Found) -> Result<Vec<Price>, String> {
    let mut prices: Vec<Price> = Vec::new();
    for ((when, unit, over), rate) in found {
        if prices.last().is_none_or(|last| last.when != when) {
            prices.push(Price { when, validity: Validity::Always, rates: Vec::new() });
        }
        let Some(price) = prices.last_mut() else { continue };
        match (price.rates.last_mut().filter(|(last, _)| *last == unit), over) {
            (None, 0) => price.rates.push((unit, Tiered { base: rate, over: Vec::new() })),
            (Some((_, tiered)), _) => tiered.over.push((over, rate)),
            (None, _) => return Err(format!("a rate for {} above a size only", unit.name())),
        }
    }
    Ok(prices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(mode: &str, fields: &Value, size: Option<(u64, u64)>) -> String {
        match prices(mode, fields.as_object().unwrap(), size) {
            Ok(prices) => prices.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            Err(field) => format!("not {field}"),
        }
    }

    #[test]
    fn fields_become_rates() {
        for (mode, fields, prices) in [
            (
                "embedding",
                json!({"input_cost_per_token": "1.43e-07", "output_cost_per_token": "0.0"}),
                "price input=0.143",
            ),
            ("audio_speech", json!({"input_cost_per_character": "1.5e-05"}), "price characters=15"),
            ("rerank", json!({"input_cost_per_query": "0.002", "input_cost_per_token": "0.0"}), "price search_units=2"),
            ("image_edit", json!({"output_cost_per_image": "0.04"}), "price images=0.04"),
            ("image_generation", json!({"input_cost_per_image": "0.02"}), "price images=0.02"),
            (
                "image_generation",
                json!({"input_cost_per_image": "0.001", "output_cost_per_image": "0.13", "input_cost_per_token": "2e-06",
                    "output_cost_per_image_token": "0.00012"}),
                "price input=2 image_output=120",
            ),
            (
                "video_generation",
                json!({"output_cost_per_second": "0.1", "output_cost_per_second_1080p": "0.12"}),
                "price video_time=0.1; price when:resolution=1080p video_time=0.12",
            ),
            ("audio_transcription", json!({"input_cost_per_second": "0.0001"}), "price audio_input_time=0.36"),
            (
                "audio_transcription",
                json!({"input_cost_per_second": "0.0002", "output_cost_per_second": "0.0001"}),
                "price audio_input_time=0.36",
            ),
            (
                "audio_transcription",
                json!({"input_cost_per_second": "0.0001", "input_cost_per_token": "2.5e-06",
                    "input_cost_per_audio_token": "6e-06", "output_cost_per_token": "1e-05"}),
                "price input=2.5 audio_input=6 output=10",
            ),
            (
                "ocr",
                json!({"ocr_cost_per_page": "0.004", "ocr_cost_per_page_batches": "0.002", "annotation_cost_per_page": "0.005"}),
                "price pages=4 annotated_pages=5; price when:processing=batch pages=2",
            ),
            (
                "image_generation",
                json!({"input_cost_per_token": "2e-06", "input_cost_per_token_above_200k_tokens": "4e-06",
                    "input_cost_per_token_priority": "3.6e-06", "input_cost_per_token_above_200k_tokens_priority": "7.2e-06"}),
                "price input=2>200000:4; price when:service_tier=priority input=3.6>200000:7.2",
            ),
            (
                "realtime",
                json!({"input_cost_per_audio_token": "3e-06", "input_cost_per_token": "7.5e-07",
                    "input_cost_per_second": "8e-05", "cache_creation_input_audio_token_cost": "3e-07",
                    "search_context_cost_per_query": {"low": "0.014", "high": "0.014"}}),
                "price input=0.75 audio_input=3 web_search=14",
            ),
        ] {
            assert_eq!(said(mode, &fields, None), prices, "{mode} {fields}");
        }
        let pixels = json!({"input_cost_per_pixel": "4e-08", "output_cost_per_pixel": "0.0"});
        assert_eq!(said("image_generation", &pixels, Some((1024, 1024))), "price images=0.04194304");
    }

    #[test]
    fn what_no_unit_is_for_is_refused_by_its_name() {
        for (mode, fields, says) in [
            (
                "embedding",
                json!({"input_cost_per_token": "1e-6", "input_cost_per_image": "0.1"}),
                "not input_cost_per_image",
            ),
            ("embedding", json!({"input_cost_per_video_per_second": "0.1"}), "not input_cost_per_video_per_second"),
            ("image_generation", json!({"input_cost_per_pixel": "5e-08"}), "not input_cost_per_pixel"),
            ("ocr", json!({"ocr_cost_per_credit": "0.015"}), "not ocr_cost_per_credit"),
            ("realtime", json!({"input_cost_per_token_ultrafast": "1e-6"}), "not input_cost_per_token_ultrafast"),
            ("realtime", json!({"input_cost_per_token_above_1hr": "1e-6"}), "not input_cost_per_token_above_1hr"),
            ("realtime", json!({"input_cost_per_token_above_200k_tokens": "1e-6"}), "not a rate for input above"),
            ("realtime", json!({"input_cost_per_token": "-1e-6"}), "not input_cost_per_token, which is not a number"),
            (
                "realtime",
                json!({"search_context_cost_per_query": {"low": "0.01", "high": "0.02"}}),
                "not search_context",
            ),
        ] {
            let found = said(mode, &fields, None);
            assert!(found.starts_with(says), "{fields}: {found}");
        }
        assert_eq!(said("embedding", &json!({"input_cost_per_token": "0.0"}), None), "", "zero says nothing");
    }
}
