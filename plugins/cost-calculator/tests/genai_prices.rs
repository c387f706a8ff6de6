//! Our prices against those of the genai-prices package itself, to the last digit, over its whole catalogue.
//!
//! Runs where `TOLLGATE_GENAI_PRICES` names a folder the package is installed in (`pip install --target`), with the
//! Python of `TOLLGATE_PYTHON`, else `python3`; fails without it where `TOLLGATE_REQUIRE_DATA=1`.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use tollgate_call::Usage;
use tollgate_cost_calculator::{Call, Cost, PriceSet, Served, Unit, Unpriced, Usd};

#[derive(Deserialize)]
struct Line {
    provider: Option<String>,
    model: String,
    usage: BTreeMap<String, u64>,
    at: i64,
    context: BTreeMap<String, String>,
    total: Option<String>,
    row: Option<String>,
    #[serde(default)]
    rates: Vec<String>,
    error: Option<String>,
}

impl Line {
    fn count(&self, name: &str) -> Option<u64> {
        self.usage.get(name).copied()
    }

    /// Counts by our names for them.
    fn counts<const N: usize>(&self, names: [(&str, &str); N]) -> BTreeMap<String, u64> {
        names.iter().filter_map(|(ours, theirs)| Some(((*ours).to_owned(), self.count(theirs)?))).collect()
    }

    fn usage(&self) -> Usage {
        Usage {
            input_tokens: self.count("input_tokens"),
            output_tokens: self.count("output_tokens"),
            cache_read_tokens: self.count("cache_read_tokens"),
            cache_write_tokens: self.count("cache_write_tokens"),
            cache_write_5m_tokens: self.count("cache_write_5m_tokens"),
            cache_write_1h_tokens: self.count("cache_write_1h_tokens"),
            reasoning_tokens: self.count("output_reasoning_tokens"),
            audio_input_tokens: self.count("input_audio_tokens"),
            audio_output_tokens: self.count("output_audio_tokens"),
            image_input_tokens: self.count("input_image_tokens"),
            image_output_tokens: self.count("output_image_tokens"),
            cache_read_audio_tokens: self.count("cache_audio_read_tokens"),
            cache_read_image_tokens: self.count("cache_image_read_tokens"),
            other_units: self.counts([
                ("pages", "input_document_pages"),
                ("characters", "input_characters"),
                ("audio_input_seconds", "input_audio_seconds"),
                ("audio_output_seconds", "output_audio_seconds"),
            ]),
            server_tool_calls: self.counts([("web_search", "web_searches"), ("file_search", "storage_searches")]),
            ..Usage::default()
        }
    }

    /// Bare words where the value is unmistakable, as a caller would give them.
    fn tier(&self) -> Option<String> {
        let (key, value) = self.context.first_key_value()?;
        let bare = matches!(key.as_str(), "processing" | "service_tier" | "speed");
        Some(if bare { value.clone() } else { format!("{key}={value}") })
    }

    fn has_rate(&self, key: &str) -> bool {
        self.rates.iter().any(|rate| rate == key)
    }

    /// Whether there is a time, whose price by the hour may have no end as decimals.
    fn has_thirds(&self) -> bool {
        self.count("audio_seconds").unwrap_or(0) > 0
    }

    /// Notes a difference.
    fn differs(&self, ours: &dyn std::fmt::Debug, differences: &mut Vec<String>) -> &'static str {
        let Self { provider, model, usage, at, context, total, row, error, .. } = self;
        let theirs = (total, row, error);
        differences.push(format!("{provider:?} {model} {usage:?} {at} {context:?}: {ours:?}, not {theirs:?}"));
        "different"
    }

    /// What we say where the package gives a number.
    fn is_known_difference(&self, ours: Unpriced) -> bool {
        let used = |usage: &str, rate: &str| self.count(usage).unwrap_or(0) > 0 && !self.has_rate(rate);
        match ours {
            // The package charges nothing for what it has no rate for.
            Unpriced::NoRate => used("input_tokens", "input_mtok") || used("output_tokens", "output_mtok"),
            _ => false,
        }
    }
}

/// The total with each search of a prompt billed, which is how the package has it for every model.
fn with_each_search(cost: &Cost<'_>, searches: u64) -> String {
    let once = cost.parts.get(Unit::GroundedPrompts);
    let others = searches.saturating_sub(1);
    let each = once.and_then(|part| u64::try_from(part.amount.nanos()).ok()).unwrap_or(0);
    let more = cost.total.checked_add(Usd::from_nanos(each * others));
    more.map_or_else(String::new, |total| total.to_string())
}

/// A decimal without trailing zeros.
fn plain(decimal: &str) -> &str {
    if decimal.contains('.') { decimal.trim_end_matches('0').trim_end_matches('.') } else { decimal }
}

/// Whether amounts differ by no more than the last decimal that amounts have: each part of ours is rounded there, the
/// package has 28 digits, wherever they stand.
fn is_rounded(ours: &str, theirs: &str) -> bool {
    // In units of the thirtieth decimal; further ones are left out.
    let units = |decimal: &str| {
        let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
        format!("{whole}{fraction:0<30.30}").parse::<u128>().ok()
    };
    units(ours).zip(units(theirs)).is_some_and(|(ours, theirs)| ours.abs_diff(theirs) <= 1_000_000)
}

#[test]
fn prices_equal_those_of_the_package_to_the_last_digit() {
    let Some(folder) = std::env::var_os("TOLLGATE_GENAI_PRICES") else {
        assert!(std::env::var("TOLLGATE_REQUIRE_DATA").as_deref() != Ok("1"), "TOLLGATE_GENAI_PRICES is not set");
        eprintln!("SKIPPED: the comparison with genai-prices; set TOLLGATE_GENAI_PRICES to where it is installed");
        return;
    };
    let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/price_catalogue.py");
    let mut python = Command::new(python);
    python.arg(script).env("PYTHONPATH", folder).stdout(Stdio::piped());
    let mut run = match python.spawn() {
        Ok(run) => run,
        Err(error) => panic!("cannot run Python: {error}; set TOLLGATE_PYTHON"),
    };

    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut differences = Vec::new();
    for line in BufReader::new(run.stdout.take().unwrap()).lines() {
        let line: Line = serde_json::from_str(&line.unwrap()).unwrap();
        let (usage, tier) = (line.usage(), line.tier());
        let provider = line.provider.as_deref();
        let call = Call {
            provider,
            model: &line.model,
            usage: &usage,
            at_unix_seconds: line.at,
            served: Served::tier(tier.as_deref()),
        };
        let ours = PriceSet::builtin().price(&call);
        let outcome = match (&ours, line.total.as_deref(), line.error.as_deref()) {
            (Ok(cost), Some(total), _) if Some(cost.price.row.model) == line.row.as_deref() => {
                let ours = cost.total.to_string();
                match ours == plain(total) {
                    true => "equal",
                    false if plain(total) == with_each_search(cost, line.count("web_searches").unwrap_or(0)) => {
                        "equal but for searches of a prompt billed once"
                    }
                    false if line.has_thirds() && is_rounded(&ours, total) => "equal but for thirds of an hour's price",
                    false => line.differs(&ours, &mut differences),
                }
            }
            (Err(reason), Some(_), _) if line.is_known_difference(*reason) => "not priced by us: no rate",
            (Err(Unpriced::UnknownModel), _, Some("lookup")) => "unknown to both",
            // The package does not look at prefixes such as `google/` unless it is told that LiteLLM was called.
            (_, _, Some("lookup")) if provider.is_none() && line.model.contains('/') => "found by us, by its prefix",
            (Err(Unpriced::InconsistentUsage), _, Some("usage")) => "inconsistent to both",
            _ => line.differs(&ours, &mut differences),
        };
        *counts.entry(outcome).or_default() += 1;
    }
    assert!(run.wait().unwrap().success(), "the Python script failed");
    eprintln!("\ncompared with genai-prices: {counts:?}");
    let shown: Vec<_> = differences.iter().take(20).map(String::as_str).collect();
    assert!(differences.is_empty(), "{} differences, the first:\n{}", differences.len(), shown.join("\n"));
    assert!(counts.get("equal").is_some_and(|&equal| equal > 100_000), "too little was compared: {counts:?}");
}
