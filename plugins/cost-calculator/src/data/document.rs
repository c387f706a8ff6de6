//! The price document: the text form in which a price set is kept, read by people and by version control.
//!
//! One row a line; indentation is for the eye; `#` begins a comment line. Words are separated by blanks and hold none.
//!
//! ```text
//! set NAME VERSION DATE                     what this is; DATE is the day of import
//! licence WORDS                             the terms the data comes under
//! source WORDS                              where it comes from
//! provider ID                               begins a provider
//!   named RULE..                            provider names that mean it, besides ID
//!   serves RULE..                           model names that mean it where no provider is known
//!   fallback ID..                           providers whose rows apply to models it has no row for
//!   model ID                                begins a model of that provider; the first that matches counts
//!     match RULE..                          model names it is for: any of the rules
//!     from SOURCE                           where its rows come from, if not from the set's source
//!     price [CONDITION..] [UNIT=RATE..]     what it costs
//!     scale when:KEY=VALUE FACTOR           its rates for tokens are so many times higher for calls served so
//! ```
//! A rule is `TEST:TEXT`, several joined by `&` must all hold, `not_TEST:TEXT` holds where the test fails. Tests:
//! `equals`, `starts`, `ends`, `contains`, and with `#` for a digit `shape` (the whole name) and `starts_shape`.
//!
//! Conditions: `from:2026-10-14` (that UTC day and later), `daily:00:30-16:30` (UTC, the end excluded, may pass
//! midnight), `when:KEY=VALUE` (only for calls served so; it replaces the rates it names and leaves the others).
//! Of the prices without `when`, the last one in force counts; where none is, the first. Of those with `when`, the
//! first one in force that names the unit counts.
//!
//! A factor is `*1.1`, `+10%` or `-15%`.
//!
//! A rate is US dollars in plain decimals for the unit's number (a million tokens, a thousand requests, an hour).
//! `input=1.25>200000:2.5` is 1.25, and 2.5 **for all tokens** once more than 200,000 were read, those from
//! the cache included: a tier is a step, not a slice. Where a provider's tier begins at the number itself, the document
//! says one less.

use super::rate::{Factor, Rate};
use super::unit::Unit;
use std::fmt;

pub use super::clause::{Clause, Rule, Test};

/// A whole price set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// Name of the set.
    pub name: String,
    /// Version of the set.
    pub version: String,
    /// Day of import, `YYYY-MM-DD`.
    pub date: String,
    /// Terms the data comes under.
    pub licence: String,
    /// Where the data comes from.
    pub source: String,
    /// Providers, in order of precedence.
    pub providers: Vec<Provider>,
}

/// A provider and its models.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provider {
    /// Id; unique.
    pub id: String,
    /// Other names that mean it.
    pub named: Vec<Rule>,
    /// Model names that mean it where no provider is known.
    pub serves: Vec<Rule>,
    /// Ids of providers whose rows apply to models it has no row for.
    pub fallback: Vec<String>,
    /// Models, in order of precedence.
    pub models: Vec<Model>,
}

/// A model and its prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// Id; unique within the provider.
    pub id: String,
    /// Names it goes by.
    pub matches: Vec<Rule>,
    /// Where the rows come from; empty where that is the set's source.
    pub source: String,
    /// Prices, in the order in which they are considered.
    pub prices: Vec<Price>,
    /// Factors on all rates for tokens, each for calls served as its key and value say.
    pub scales: Vec<(String, String, Factor)>,
}

/// One price of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// How the call must have been served, as key and value; all of them. Empty for a standard price.
    pub when: Vec<(String, String)>,
    /// When it is in force.
    pub validity: Validity,
    /// Rates by unit, in the order of [`Unit::ALL`].
    pub rates: Vec<(Unit, Tiered)>,
}

/// When a price is in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validity {
    /// At any time.
    #[default]
    Always,
    /// From this day on; days since 1970-01-01, UTC.
    From(i32),
    /// Every day between two minutes of the day, UTC, the end excluded; past midnight where the end is smaller.
    Daily(u16, u16),
}

/// A rate that may change with the size of the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiered {
    /// The rate.
    pub base: Rate,
    /// `(tokens, rate)`, ascending: the rate for all tokens where more than so many tokens were read.
    pub over: Vec<(u32, Rate)>,
}

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// Line, counted from 1; 0 for the document as a whole.
    pub line: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for DocumentError {}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let mut document = Self::default();
        for (index, line) in text.lines().enumerate() {
            let line_error = |message: String| DocumentError { line: index + 1, message };
            document.line(line.trim()).map_err(line_error)?;
        }
        if document.name.is_empty() {
            return Err(DocumentError { line: 0, message: "there is no line `set NAME VERSION DATE`".to_owned() });
        }
        for provider in &document.providers {
            if let Some(id) = provider.fallback.iter().find(|id| document.providers.iter().all(|p| p.id != **id)) {
                let message = format!("provider {} falls back to {id}, which is not a provider here", provider.id);
                return Err(DocumentError { line: 0, message });
            }
        }
        Ok(document)
    }

    pub(crate) fn line(&mut self, line: &str) -> Result<(), String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let no_provider = || format!("`{word}` stands before any `provider`");
        let no_model = || format!("`{word}` stands before any `model`");
        match word {
            "set" => {
                let [name, version, date] = words(rest)?;
                (self.name, self.version, self.date) = (name, version, date);
                parse_day(&self.date).ok_or_else(|| format!("`{}` is not a day such as 2026-10-14", self.date))?;
            }
            "licence" => rest.clone_into(&mut self.licence),
            "source" => rest.clone_into(&mut self.source),
            "provider" => {
                let [id] = words(rest)?;
                if self.providers.iter().any(|provider| provider.id == id) {
                    return Err(format!("provider {id} is there twice"));
                }
                self.providers.push(Provider { id, ..Provider::default() });
            }
            "named" => self.providers.last_mut().ok_or_else(no_provider)?.named = rules(rest)?,
            "serves" => self.providers.last_mut().ok_or_else(no_provider)?.serves = rules(rest)?,
            "fallback" => {
                let ids = rest.split_whitespace().map(str::to_owned).collect();
                self.providers.last_mut().ok_or_else(no_provider)?.fallback = ids;
            }
            "model" => {
                let [id] = words(rest)?;
                let provider = self.providers.last_mut().ok_or_else(no_provider)?;
                provider.models.push(Model { id, ..Model::default() });
            }
            "match" => self.model().ok_or_else(no_model)?.matches = rules(rest)?,
            "from" => {
                let [source] = words(rest)?;
                self.model().ok_or_else(no_model)?.source = source;
            }
            "scale" => {
                let [when, factor] = words::<2>(rest)?;
                let when = when.strip_prefix("when:").and_then(|when| when.split_once('='));
                let (key, value) = when.ok_or("a scale is for calls served so: `scale when:KEY=VALUE FACTOR`")?;
                let factor =
                    Factor::parse(&factor).ok_or_else(|| format!("`{factor}` is not a factor such as *1.1"))?;
                let scale = (key.to_owned(), value.to_owned(), factor);
                self.model().ok_or_else(no_model)?.scales.push(scale);
            }
            "price" => {
                let price = Price::parse(rest)?;
                self.model().ok_or_else(no_model)?.prices.push(price);
            }
            _ => return Err(format!("`{word}` is not a word that begins a line")),
        }
        Ok(())
    }

    fn model(&mut self) -> Option<&mut Model> {
        self.providers.last_mut()?.models.last_mut()
    }
}

impl Price {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut price = Self::default();
        for word in text.split_whitespace() {
            let refuse = || format!("`{word}` is neither a condition nor UNIT=RATE");
            if let Some(day) = word.strip_prefix("from:") {
                price.validity = Validity::From(parse_day(day).ok_or_else(refuse)?);
            } else if let Some(times) = word.strip_prefix("daily:") {
                let (start, end) = times.split_once('-').ok_or_else(refuse)?;
                let (start, end) = (parse_minute(start), parse_minute(end));
                price.validity = Validity::Daily(start.ok_or_else(refuse)?, end.ok_or_else(refuse)?);
            } else if let Some(when) = word.strip_prefix("when:") {
                let (key, value) = when.split_once('=').ok_or_else(refuse)?;
                price.when.push((key.to_owned(), value.to_owned()));
            } else {
                let (unit, rate) = word.split_once('=').ok_or_else(refuse)?;
                let unit = Unit::named(unit).ok_or_else(|| format!("`{unit}` is not a unit"))?;
                if price.rates.iter().any(|(known, _)| *known >= unit) {
                    return Err(format!("`{word}`: units stand once each, in their order"));
                }
                let rate = Tiered::parse(rate).ok_or_else(|| format!("`{word}`: not a rate in plain decimals"))?;
                price.rates.push((unit, rate));
            }
        }
        Ok(price)
    }
}

impl Tiered {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('>');
        let mut tiered = Self { base: Rate::parse(parts.next()?)?, over: Vec::new() };
        for part in parts {
            let (over, rate) = part.split_once(':')?;
            let over = over.parse().ok().filter(|over| *over > tiered.over.last().map_or(0, |(last, _)| *last))?;
            tiered.over.push((over, Rate::parse(rate)?));
        }
        Some(tiered)
    }
}

fn words<const N: usize>(text: &str) -> Result<[String; N], String> {
    let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    let count = words.len();
    words.try_into().map_err(|_| format!("there are {count} words where {N} belong"))
}

fn rules(text: &str) -> Result<Vec<Rule>, String> {
    text.split_whitespace().map(|word| Rule::parse(word).ok_or_else(|| format!("`{word}` is not a rule"))).collect()
}

/// Days since 1970-01-01 of a day such as `2026-10-14`; `None` where there is no such day.
#[must_use]
pub fn parse_day(text: &str) -> Option<i32> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || month.len() != 2 || day.len() != 2 || !text.bytes().all(|b| b == b'-' || b.is_ascii_digit()) {
        return None;
    }
    let (year, month, day): (i32, i32, i32) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let days = days_from_civil(year, month, day);
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March.
const fn days_from_civil(year: i32, month: i32, day: i32) -> i32 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

const fn civil_from_days(days: i32) -> (i32, i32, i32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + (month <= 2) as i32;
    (year, month, day_of_year - (153 * month_from_march + 2) / 5 + 1)
}

fn parse_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str, below: u16| {
        (part.len() == 2).then_some(part)?.parse::<u16>().ok().filter(|&number| number < below)
    };
    Some(two(hour, 24)? * 60 + two(minute, 60)?)
}

impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Always => Ok(()),
            Self::From(days) => {
                let (year, month, day) = civil_from_days(days);
                write!(f, "from:{year:04}-{month:02}-{day:02}")
            }
            Self::Daily(start, end) => {
                write!(f, "daily:{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60)
            }
        }
    }
}

impl fmt::Display for Tiered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.base.fmt(f)?;
        self.over.iter().try_for_each(|(over, rate)| write!(f, ">{over}:{rate}"))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("price")?;
        self.when.iter().try_for_each(|(key, value)| write!(f, " when:{key}={value}"))?;
        if self.validity != Validity::Always {
            write!(f, " {}", self.validity)?;
        }
        self.rates.iter().try_for_each(|(unit, rate)| write!(f, " {}={rate}", unit.name()))
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |f: &mut fmt::Formatter<'_>, word: &str, rules: &[Rule]| {
            if rules.is_empty() {
                return Ok(());
            }
            f.write_str(word)?;
            rules.iter().try_for_each(|rule| write!(f, " {rule}"))?;
            f.write_str("\n")
        };
        writeln!(f, "set {} {} {}", self.name, self.version, self.date)?;
        writeln!(f, "licence {}\nsource {}", self.licence, self.source)?;
        for provider in &self.providers {
            writeln!(f, "\nprovider {}", provider.id)?;
            line(f, "  named", &provider.named)?;
            line(f, "  serves", &provider.serves)?;
            if !provider.fallback.is_empty() {
                writeln!(f, "  fallback {}", provider.fallback.join(" "))?;
            }
            for model in &provider.models {
                writeln!(f, "  model {}", model.id)?;
                line(f, "    match", &model.matches)?;
                if !model.source.is_empty() {
                    writeln!(f, "    from {}", model.source)?;
                }
                model.prices.iter().try_for_each(|price| writeln!(f, "    {price}"))?;
                for (key, value, factor) in &model.scales {
                    writeln!(f, "    scale when:{key}={value} {factor}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
