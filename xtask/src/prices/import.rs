//! From the package's data to the price document.

use super::pattern;
use serde_json::{Map, Value};
use tollgate_cost_calculator::document::{
    Clause, Document, Model, Price, Provider, Rule, Test, Tiered, Validity, parse_day,
};
use tollgate_cost_calculator::{Rate, Unit};

/// The package's name of each price, and our unit. The package must say the same number of units for a rate.
const UNITS: &[(&str, Unit)] = &[
    ("input_mtok", Unit::Input),
    ("cache_read_mtok", Unit::CacheRead),
    ("cache_write_mtok", Unit::CacheWrite),
    ("cache_write_5m_mtok", Unit::CacheWrite5m),
    ("cache_write_1h_mtok", Unit::CacheWrite1h),
    ("input_audio_mtok", Unit::AudioInput),
    ("cache_audio_read_mtok", Unit::CacheReadAudio),
    ("input_image_mtok", Unit::ImageInput),
    ("cache_image_read_mtok", Unit::CacheReadImage),
    ("input_video_mtok", Unit::VideoInput),
    ("output_mtok", Unit::Output),
    ("output_reasoning_mtok", Unit::Reasoning),
    ("output_citation_mtok", Unit::Citation),
    ("output_audio_mtok", Unit::AudioOutput),
    ("output_image_mtok", Unit::ImageOutput),
    ("output_video_mtok", Unit::VideoOutput),
    ("input_mchars", Unit::Characters),
    ("input_text_messages_kcount", Unit::Messages),
    ("audio_hours", Unit::AudioTime),
    ("input_audio_hours", Unit::AudioInputTime),
    ("input_document_kpages", Unit::Pages),
    ("input_annotated_document_kpages", Unit::AnnotatedPages),
    ("web_searches_kcount", Unit::WebSearch),
    ("storage_searches_kcount", Unit::StorageSearch),
    ("requests_kcount", Unit::Request),
];

/// Reads everything: providers, models, prices. The name of the set is left to the caller.
pub(super) fn document(json: &Value) -> Result<Document, String> {
    let units = json.get("unit_data").and_then(Value::as_object).ok_or("the package has no units")?;
    for definition in units.values() {
        let name = definition.get("price_key").and_then(Value::as_str).unwrap_or_default();
        let per = definition.get("per").and_then(Value::as_u64);
        if let Some((_, unit)) = UNITS.iter().find(|(known, _)| *known == name)
            && per != Some(u64::from(unit.per()))
        {
            return Err(format!("the package prices {name} by {per:?}, not by {}", unit.per()));
        }
    }
    let providers = list(json, "providers").map(provider).collect::<Result<_, _>>()?;
    Ok(Document { providers, ..Document::default() })
}

fn provider(json: &Value) -> Result<Provider, String> {
    let id = text(json, "id")?;
    let within = |error: String| format!("provider {id}: {error}");
    Ok(Provider {
        named: rules(json.get("provider_match")).map_err(within)?,
        serves: rules(json.get("model_match")).map_err(within)?,
        fallback: list(json, "fallback_model_providers").filter_map(Value::as_str).map(str::to_owned).collect(),
        models: list(json, "models").map(model).collect::<Result<_, _>>().map_err(within)?,
        id: id.to_owned(),
    })
}

fn model(json: &Value) -> Result<Model, String> {
    let id = text(json, "id")?;
    let within = |error: String| format!("model {id}: {error}");
    let mut prices = Vec::new();
    match json.get("prices") {
        Some(Value::Array(conditional)) => {
            for entry in conditional {
                prices.push(price(entry, entry.get("prices")).map_err(within)?);
            }
        }
        always => prices.push(price(&Value::Null, always).map_err(within)?),
    }
    for entry in list(json, "price_variants") {
        prices.push(price(entry, entry.get("prices")).map_err(within)?);
    }
    // The package leaves the rates out where a model costs nothing; only a name that says so is taken to mean it.
    if id.ends_with(":free") {
        let free = || Tiered::default();
        for price in prices.iter_mut().filter(|price| price.rates.is_empty()) {
            price.rates = vec![(Unit::Input, free()), (Unit::Output, free())];
        }
    }
    if is_billed_by_prompt(id) {
        for (unit, _) in prices.iter_mut().flat_map(|price| price.rates.iter_mut()) {
            if *unit == Unit::WebSearch {
                *unit = Unit::GroundedPrompts;
            }
        }
        prices.iter_mut().for_each(|price| price.rates.sort_by_key(|(unit, _)| *unit));
    }
    Ok(Model { matches: rules(json.get("match")).map_err(within)?, prices, id: id.to_owned(), ..Model::default() })
}

/// Gemini bills a prompt that it searches for once, however often it searches; from version 3 on it bills each search
/// (Gemini API, pricing, "Grounding with Google Search"). The package has one unit for both.
fn is_billed_by_prompt(model: &str) -> bool {
    ["gemini-1", "gemini-2"].iter().any(|generation| model.starts_with(generation))
}

fn price(conditions: &Value, rates: Option<&Value>) -> Result<Price, String> {
    let when = conditions.get("when").and_then(Value::as_object).map(|when| {
        when.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
    });
    let validity = match conditions.get("constraint").and_then(Value::as_object) {
        None => Validity::Always,
        Some(constraint) => self::validity(constraint)?,
    };
    let rates = rates.and_then(Value::as_object).ok_or("a price without rates")?;
    let mut priced = Vec::new();
    for (name, rate) in rates.iter().filter(|(name, rate)| *name != "is" && !rate.is_null()) {
        let (_, unit) = UNITS.iter().find(|(known, _)| known == name).ok_or(format!("{name} is not a known price"))?;
        priced.push((*unit, tiered(rate).map_err(|error| format!("{name}: {error}"))?));
    }
    priced.sort_by_key(|(unit, _)| *unit);
    Ok(Price { when: when.unwrap_or_default(), validity, rates: priced })
}

fn validity(constraint: &Map<String, Value>) -> Result<Validity, String> {
    let field = |name: &str| constraint.get(name).and_then(Value::as_str).unwrap_or_default();
    match field("is") {
        "StartDateConstraint" => {
            let day = field("start_date");
            parse_day(day).map(Validity::From).ok_or_else(|| format!("`{day}` is not a day"))
        }
        "TimeOfDateConstraint" => {
            let minute = |name: &str| -> Option<u16> {
                let (hour, minute) = field(name).split_once(':')?;
                Some(hour.parse::<u16>().ok()? * 60 + minute.parse::<u16>().ok()?)
            };
            let times = minute("start_time").zip(minute("end_time"));
            times.map(|(start, end)| Validity::Daily(start, end)).ok_or_else(|| "not a time of day".to_owned())
        }
        other => Err(format!("`{other}` is not a known constraint")),
    }
}

fn tiered(json: &Value) -> Result<Tiered, String> {
    if let Some(text) = json.as_str() {
        return Ok(Tiered { base: decimal(text)?, over: Vec::new() });
    }
    let mut over = Vec::new();
    for tier in list(json, "tiers") {
        let start = tier.get("start").and_then(Value::as_u64).and_then(|start| u32::try_from(start).ok());
        over.push((start.filter(|&start| start > 0).ok_or("a tier without a start")?, decimal(text(tier, "price")?)?));
    }
    over.sort_by_key(|(start, _)| *start);
    Ok(Tiered { base: decimal(text(json, "base")?)?, over })
}

fn decimal(text: &str) -> Result<Rate, String> {
    Rate::parse(text).ok_or_else(|| format!("`{text}` is not a rate in plain decimals"))
}

/// Match logic as alternatives of clauses that all have to hold.
fn rules(json: Option<&Value>) -> Result<Vec<Rule>, String> {
    let Some(json) = json.filter(|json| !json.is_null()) else { return Ok(Vec::new()) };
    let plain = |test, field| Ok(vec![Rule(vec![Clause::new(test, text(json, field)?)])]);
    match text(json, "is")? {
        "ClauseEquals" => plain(Test::Equals, "equals"),
        "ClauseStartsWith" => plain(Test::Starts, "starts_with"),
        "ClauseEndsWith" => plain(Test::Ends, "ends_with"),
        "ClauseContains" => plain(Test::Contains, "contains"),
        "ClauseRegex" => pattern::rules(text(json, "regex")?),
        "ClauseOr" => {
            let mut all = Vec::new();
            for clause in list(json, "or_") {
                all.append(&mut rules(Some(clause))?);
            }
            Ok(all)
        }
        "ClauseAnd" => {
            let mut all = vec![Rule::default()];
            for clause in list(json, "and_") {
                let next = rules(Some(clause))?;
                let both = |head: &Rule, tail: &Rule| Rule([&*head.0, &*tail.0].concat());
                all = all.iter().flat_map(|head| next.iter().map(move |tail| both(head, tail))).collect();
            }
            Ok(all)
        }
        other => Err(format!("`{other}` is not a known clause")),
    }
}

fn text<'a>(json: &'a Value, field: &str) -> Result<&'a str, String> {
    json.get(field).and_then(Value::as_str).ok_or_else(|| format!("there is no text `{field}`"))
}

fn list<'a>(json: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    json.get(field).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn imported(model: Value) -> Result<String, String> {
        let units = json!({"input_tokens": {"per": 1_000_000, "price_key": "input_mtok"}});
        let providers = json!([{"is": "Provider", "id": "p", "models": [model]}]);
        let text = document(&json!({"providers": providers, "unit_data": units}))?.to_string();
        Ok(text.split_once("  model ").map(|(_, model)| model.to_owned()).unwrap_or_default())
    }

    #[test]
    fn match_logic_becomes_alternatives_and_prices_become_rows() {
        let either = json!({"is": "ClauseOr", "or_": [
            {"is": "ClauseContains", "contains": "B"}, {"is": "ClauseRegex", "regex": "^c\\d$"}]});
        let logic = json!({"is": "ClauseAnd", "and_": [{"is": "ClauseStartsWith", "starts_with": "A"}, either]});
        let tiers =
            json!({"is": "TieredPrices", "base": "1.250", "tiers": [{"is": "Tier", "start": 200_000, "price": "2.5"}]});
        let prices = json!([
            {"is": "ConditionalPrice", "prices": {"is": "ModelPrice", "output_mtok": "10", "input_mtok": tiers}},
            {"is": "ConditionalPrice", "prices": {"is": "ModelPrice", "input_mtok": "1"},
             "constraint": {"is": "TimeOfDateConstraint", "start_time": "22:30", "end_time": "06:00"}}]);
        let variants = json!([{"is": "PriceVariant", "when": {"processing": "batch"},
            "prices": {"is": "ModelPrice", "input_mtok": "0.5"},
            "constraint": {"is": "StartDateConstraint", "start_date": "2026-10-14"}}]);
        let model = json!({"id": "m", "match": logic, "prices": prices, "price_variants": variants});
        let text = "m\n    match starts:a&contains:b starts:a&shape:c#\n    price input=1.25>200000:2.5 output=10\n    \
                    price daily:22:30-06:00 input=1\n    price when:processing=batch from:2026-10-14 input=0.5\n";
        assert_eq!(imported(model).as_deref(), Ok(text));
    }

    #[test]
    fn no_rates_mean_free_only_where_the_name_says_so() {
        let model =
            |id: &str| json!({"id": id, "match": {"is": "ClauseEquals", "equals": id}, "prices": {"is": "ModelPrice"}});
        assert_eq!(imported(model("m")).as_deref(), Ok("m\n    match equals:m\n    price\n"));
        let free = "m:free\n    match equals:m:free\n    price input=0 output=0\n";
        assert_eq!(imported(model("m:free")).as_deref(), Ok(free));
    }

    #[test]
    fn what_is_not_known_is_refused_with_its_place() {
        let price =
            |prices: Value| json!({"id": "m", "match": {"is": "ClauseEquals", "equals": "m"}, "prices": prices});
        for (prices, says) in [
            (json!({"input_ktok": "1"}), "provider p: model m: input_ktok is not a known price"),
            (json!({"input_mtok": "1e-3"}), "provider p: model m: input_mtok: `1e-3` is not a rate in plain decimals"),
            (json!("1"), "provider p: model m: a price without rates"),
        ] {
            assert_eq!(imported(price(prices)), Err(says.to_owned()));
        }
        let units = json!({"input_tokens": {"per": 1000, "price_key": "input_mtok"}});
        let error = document(&json!({"providers": [], "unit_data": units})).unwrap_err();
        assert_eq!(error, "the package prices input_mtok by Some(1000), not by 1000000");
    }
}
