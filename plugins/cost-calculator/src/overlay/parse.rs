//! Reading an overlay.

use super::{Adjustment, Alias, MOST_ADJUSTMENTS, MOST_ALIASES, MOST_BYTES, Overlay, OverlayError, OverlayProblem};
use crate::data::clause::{Rule, Test};
use crate::data::compile::compile;
use crate::data::document::{Document, Model, Price, Tiered, parse_day};
use crate::data::rate::{Factor, Rate};
use crate::data::unit::Unit;
use std::collections::BTreeMap;

/// What is wrong with a word: the word, and a sentence.
type Wrong = (String, String);

fn wrong<T>(field: &str, message: impl Into<String>) -> Result<T, Wrong> {
    Err((field.to_owned(), message.into()))
}

/// The document while it is read.
#[derive(Default)]
struct Reading {
    rows: Document,
    currencies: BTreeMap<String, Rate>,
    aliases: Vec<Alias>,
    adjustments: Vec<Adjustment>,
}

impl Overlay {
    /// Reads an overlay; `file` is its name in messages.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(file: &str, text: &str) -> Result<Self, OverlayError> {
        let mut reading = Reading::default();
        let mut problems = Vec::new();
        let mut problem = |line: usize, (field, message): Wrong| problems.push(OverlayProblem { line, field, message });
        if text.len() > MOST_BYTES {
            problem(0, ("overlay".to_owned(), format!("has {} bytes; {MOST_BYTES} are the most", text.len())));
        } else {
            for (line, words) in (1..).zip(text.lines().map(str::trim)) {
                if let Err(found) = reading.line(line, words) {
                    problem(line, found);
                }
            }
            for found in reading.whole() {
                problem(0, found);
            }
        }
        if !problems.is_empty() {
            return Err(OverlayError { file: file.to_owned(), problems });
        }
        reading.finish().map_err(|(field, message)| OverlayError {
            file: file.to_owned(),
            problems: vec![OverlayProblem { line: 0, field, message }],
        })
    }
}

impl Reading {
    fn line(&mut self, number: usize, line: &str) -> Result<(), Wrong> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if self.rows.name.is_empty() && word != "overlay" {
            return wrong(word, "stands before the first line, `overlay NAME VERSION DATE`");
        }
        match word {
            "overlay" if self.rows.name.is_empty() => {
                self.rows.line(&format!("set {rest}")).or_else(|e| wrong(word, e))
            }
            "overlay" => wrong(word, "stands once, as the first line"),
            "set" => wrong(word, "begins a price set; an overlay begins with `overlay`"),
            "currency" => self.currency(rest),
            "alias" => self.alias(rest),
            "adjust" => self.adjust(number, rest),
            "price" => self.price(rest),
            _ => self.rows.line(line).or_else(|message| wrong(word, message)),
        }
    }

    fn currency(&mut self, rest: &str) -> Result<(), Wrong> {
        let mut words = rest.split_whitespace();
        let (Some(code), Some(rate), None) = (words.next(), words.next(), words.next()) else {
            return wrong("currency", "is `currency CODE RATE`, as in `currency EUR 1.08`");
        };
        if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return wrong(code, "is not a currency of three capital letters");
        }
        match Rate::parse(rate) {
            Some(rate) if rate.digits > 0 => {
                self.currencies.insert(code.to_owned(), rate);
                Ok(())
            }
            _ => wrong(rate, "is not an amount of US dollars above 0 in plain decimals"),
        }
    }

    fn alias(&mut self, rest: &str) -> Result<(), Wrong> {
        let words: Vec<_> = rest.split_whitespace().collect();
        let [names @ .., "to", provider, model] = words.as_slice() else {
            return wrong("alias", "is `alias [provider:ID] RULE.. to PROVIDER MODEL`");
        };
        let mut alias = Alias { provider: None, rules: Vec::new(), to: ((*provider).into(), (*model).into()) };
        for word in names {
            match word.strip_prefix("provider:") {
                Some(id) => alias.provider = Some(id.to_ascii_lowercase()),
                None => alias.rules.push(rule(word)?),
            }
        }
        if alias.rules.is_empty() {
            return wrong("alias", "names no model; write a rule such as `equals:prod-gpt`");
        }
        if self.aliases.len() == MOST_ALIASES {
            return wrong("alias", format!("there are more than {MOST_ALIASES} of them"));
        }
        self.aliases.push(alias);
        Ok(())
    }

    fn adjust(&mut self, line: usize, rest: &str) -> Result<(), Wrong> {
        let mut factor = None;
        let mut adjustment = Adjustment {
            line,
            factor: Factor::ONE,
            provider: None,
            models: Vec::new(),
            units: Vec::new(),
            from: None,
            until: None,
            when: Vec::new(),
        };
        for word in rest.split_whitespace() {
            let day = |day| parse_day(day).map_or_else(|| wrong(word, "is not a day such as 2026-10-14"), Ok);
            match word.split_once(':') {
                Some(("provider", id)) => adjustment.provider = Some(id.to_ascii_lowercase()),
                Some(("model", text)) => adjustment.models.push(rule(text)?),
                Some(("from", text)) => adjustment.from = Some(day(text)?),
                Some(("until", text)) => adjustment.until = Some(day(text)?),
                Some(("when", text)) => match text.split_once('=') {
                    Some((key, value)) => adjustment.when.push((key.to_owned(), value.to_owned())),
                    None => return wrong(word, "is not a condition such as `when:service_tier=flex`"),
                },
                Some(("units", names)) => {
                    for name in names.split(',') {
                        adjustment.units.push(unit(name)?);
                    }
                }
                Some(_) => return wrong(word, "is no condition: provider, model, units, from, until, when"),
                None => match Factor::parse(word) {
                    Some(one) if factor.is_none() => factor = Some(one),
                    Some(_) => return wrong(word, "is a second factor; write two lines"),
                    None => return wrong(word, "is not a factor such as `-15%`, `+10%` or `*1.1`"),
                },
            }
        }
        let Some(factor) = factor else { return wrong("adjust", "has no factor such as `-15%`, `+10%` or `*1.1`") };
        if self.adjustments.len() == MOST_ADJUSTMENTS {
            return wrong("adjust", format!("there are more than {MOST_ADJUSTMENTS} of them"));
        }
        self.adjustments.push(Adjustment { factor, ..adjustment });
        Ok(())
    }

    fn price(&mut self, rest: &str) -> Result<(), Wrong> {
        let (mut currency, mut hour, mut plain) = (None, Hour::default(), Vec::new());
        for word in rest.split_whitespace() {
            if let Some(code) = word.strip_prefix("in:") {
                let rate = self.currencies.get(code);
                let Some(rate) = rate else {
                    return wrong(word, format!("there is no line `currency {code} RATE` before this"));
                };
                currency = Some(*rate);
            } else if !hour.takes(word)? {
                plain.push(word);
            }
        }
        let spread = hour.rates()?;
        let mut price = Price::parse(&plain.join(" ")).or_else(|message| wrong("price", message))?;
        if !spread.is_empty() && !price.rates.is_empty() {
            return wrong("gpu_hour", "stands in place of rates; leave out one of the two");
        }
        price.rates.extend(spread);
        if let Some(currency) = currency {
            let exchange = |rate: &mut Rate| match rate.times(currency) {
                Some(dollars) => {
                    *rate = dollars;
                    Ok(())
                }
                None => wrong("in", format!("{rate} in that currency has too many digits in US dollars")),
            };
            for (_, tiered) in &mut price.rates {
                exchange(&mut tiered.base)?;
                tiered.over.iter_mut().try_for_each(|(_, rate)| exchange(rate))?;
            }
        }
        match self.model() {
            Some(model) => model.prices.push(price),
            None => return wrong("price", "stands before any `model`"),
        }
        Ok(())
    }

    fn model(&mut self) -> Option<&mut Model> {
        self.rows.providers.last_mut()?.models.last_mut()
    }

    /// What is wrong with the overlay as a whole.
    fn whole(&self) -> Vec<Wrong> {
        let mut problems = Vec::new();
        if self.rows.name.is_empty() {
            problems.push(("overlay".to_owned(), "there is no line `overlay NAME VERSION DATE`".to_owned()));
        }
        for provider in &self.rows.providers {
            if let Some(id) = provider.fallback.iter().find(|id| self.rows.providers.iter().all(|p| p.id != **id)) {
                problems.push(("fallback".to_owned(), format!("{id} is not a provider of the overlay")));
            }
            for model in &provider.models {
                let name = format!("{}/{}", provider.id, model.id);
                if model.matches.is_empty() {
                    problems.push((name.clone(), "has no line `match RULE..`, so that no call is for it".to_owned()));
                }
                if model.prices.is_empty() {
                    problems.push((name, "has no line `price ..`".to_owned()));
                }
            }
        }
        problems
    }

    fn finish(self) -> Result<Overlay, Wrong> {
        let Self { rows, aliases, adjustments, .. } = self;
        let tables = compile(&rows).or_else(|error| wrong("overlay", format!("has too many {}", error.what)))?;
        let (mut whole, mut ruled) = (Vec::new(), Vec::new());
        for (place, alias) in aliases.iter().enumerate() {
            let is_whole =
                |rule: &&Rule| matches!(rule.0.as_slice(), [only] if only.test == Test::Equals && !only.negated);
            let names = alias.rules.iter().filter(is_whole).filter_map(|rule| rule.0.first());
            whole.extend(names.map(|name| (name.text.clone(), place)));
            if !alias.rules.iter().all(|rule| is_whole(&rule)) {
                ruled.push(place);
            }
        }
        whole.sort();
        Ok(Overlay { tables, whole, ruled, aliases, adjustments })
    }
}

fn rule(text: &str) -> Result<Rule, Wrong> {
    Rule::parse(text).map_or_else(|| wrong(text, "is not a rule such as `equals:gpt-4o` or `starts:gpt-4o`"), Ok)
}

fn unit(name: &str) -> Result<Unit, Wrong> {
    Unit::named(name).map_or_else(|| wrong(name, "is not a unit such as `input` or `cache_read`"), Ok)
}

/// Machines that are paid by the hour.
#[derive(Default)]
struct Hour {
    gpu_hour: Option<Rate>,
    gpus: Option<u64>,
    tokens_per_hour: Option<u64>,
    output_weight: Option<u64>,
}

impl Hour {
    /// Takes a word of a price that is about hours.
    fn takes(&mut self, word: &str) -> Result<bool, Wrong> {
        let Some((name, value)) = word.split_once('=') else { return Ok(false) };
        let number = || match value.parse() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => wrong(word, "is not a whole number above 0"),
        };
        match name {
            "gpu_hour" => match Rate::parse(value) {
                Some(rate) => self.gpu_hour = Some(rate),
                None => return wrong(word, "is not an amount in plain decimals"),
            },
            "gpus" => self.gpus = number()?,
            "tokens_per_hour" => self.tokens_per_hour = number()?,
            "output_weight" => self.output_weight = number()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Rates for input and output; none where nothing was said of hours.
    fn rates(self) -> Result<Vec<(Unit, Tiered)>, Wrong> {
        let (Some(hour), Some(tokens)) = (self.gpu_hour, self.tokens_per_hour) else {
            let said = [self.gpus, self.output_weight, self.tokens_per_hour].iter().any(Option::is_some);
            return if said || self.gpu_hour.is_some() {
                wrong(
                    "gpu_hour",
                    "an hour's price is `gpu_hour=RATE tokens_per_hour=NUMBER`; `gpus` and `output_weight` may be added",
                )
            } else {
                Ok(Vec::new())
            };
        };
        let whole = |digits| Rate { digits, decimals: 0 };
        let input = hour
            .times(whole(self.gpus.unwrap_or(1)))
            .and_then(|hour| hour.times(whole(u64::from(Unit::Input.per()))))
            .and_then(|hour| hour.divided_by(tokens));
        let output = input.and_then(|rate| rate.times(whole(self.output_weight.unwrap_or(1))));
        match (input, output) {
            (Some(input), Some(output)) => Ok([(Unit::Input, input), (Unit::Output, output)]
                .map(|(unit, base)| (unit, Tiered { base, over: Vec::new() }))
                .into()),
            _ => wrong("gpu_hour", "has too many digits"),
        }
    }
}
