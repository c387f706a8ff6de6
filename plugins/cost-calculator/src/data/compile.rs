//! From a document to tables.

use super::alias;
use super::clause::{self, Test};
use super::document::{Document, Model, Price, Provider};
use super::rate::Rate;
use super::table::{self, Span, Tables};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The document has more of something than the tables can number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge {
    /// What there is too much of.
    pub(crate) what: &'static str,
}

/// Compiles all providers with their models.
pub(crate) fn compile(document: &Document) -> Result<Tables, TooLarge> {
    let mut builder = Builder::default();
    for (number, provider) in document.providers.iter().enumerate() {
        builder.provider(number_of(number, "providers")?, provider, &document.providers)?;
    }
    let Document { name, version, date, .. } = document;
    Ok(builder.finish(format!("{name} {version} ({date})")))
}

#[derive(Default)]
struct Builder {
    text: String,
    spans: BTreeMap<String, Span>,
    providers: Vec<table::Provider>,
    provider_names: Vec<table::Exact>,
    fallbacks: Vec<u16>,
    exact: Vec<table::Exact>,
    rules: Vec<table::Rule>,
    clauses: Vec<table::Clause>,
    models: Vec<table::Model>,
    prices: Vec<table::Price>,
    price_runs: BTreeMap<String, Span>,
    conditions: Vec<table::Condition>,
    scales: Vec<table::Scale>,
    quotes: Vec<table::Quote>,
    rates: Vec<Rate>,
    rate_numbers: BTreeMap<Rate, u16>,
}

impl Builder {
    fn provider(&mut self, number: u16, provider: &Provider, all: &[Provider]) -> Result<(), TooLarge> {
        let id = self.text(&provider.id)?;
        let named = self.provider_rules(&provider.named, number)?;
        let serves = self.provider_rules(&provider.serves, number)?;
        let first = self.fallbacks.len();
        for id in &provider.fallback {
            if let Some(position) = all.iter().position(|known| known.id == *id) {
                self.fallbacks.push(number_of(position, "providers")?);
            }
        }
        let fallback = span(first, self.fallbacks.len(), "fallbacks")?;

        let mut exact: BTreeMap<&str, u16> = BTreeMap::new();
        let first = self.rules.len();
        for model in &provider.models {
            let model_number = number_of(self.models.len(), "models")?;
            self.model(number, model)?;
            for rule in &model.matches {
                match rule.0.as_slice() {
                    [only] if only.test == Test::Equals && !only.negated => {
                        exact.entry(&only.text).or_insert(model_number);
                    }
                    clauses => self.rule(clauses, model_number)?,
                }
            }
        }
        let rules = span(first, self.rules.len(), "rules")?;
        let first = self.exact.len();
        for (name, model) in exact {
            let hash = table::hash(name.as_bytes());
            let name = self.text(name)?;
            self.exact.push(table::Exact { hash, name, leads_to: model });
        }
        if let Some(names) = self.exact.get_mut(first..) {
            names.sort_by_key(|exact| exact.hash);
        }
        let exact = span(first, self.exact.len(), "model names")?;
        // An id that is also an alias of another provider is taken for the alias.
        if alias::alias(provider.id.as_bytes()).is_none_or(|other| other == provider.id) {
            let hash = table::hash(provider.id.as_bytes());
            self.provider_names.push(table::Exact { hash, name: id, leads_to: number });
        }
        for name in alias::of(&provider.id).filter(|name| *name != provider.id.as_bytes()) {
            let hash = table::hash(name);
            let name = self.text(std::str::from_utf8(name).unwrap_or_default())?;
            self.provider_names.push(table::Exact { hash, name, leads_to: number });
        }
        self.providers.push(table::Provider { id, named, serves, fallback, exact, rules });
        Ok(())
    }

    fn provider_rules(&mut self, rules: &[clause::Rule], provider: u16) -> Result<Span, TooLarge> {
        let first = self.rules.len();
        rules.iter().try_for_each(|rule| self.rule(&rule.0, provider))?;
        span(first, self.rules.len(), "rules")
    }

    fn rule(&mut self, clauses: &[clause::Clause], leads_to: u16) -> Result<(), TooLarge> {
        let first = self.clauses.len();
        let mut pairs = 0;
        for clause in clauses {
            let text = self.text(&clause.text)?;
            self.clauses.push(table::Clause { negated: clause.negated, test: clause.test, text });
            if !clause.negated {
                pairs |= clause::letter_pairs(clause.text.as_bytes());
            }
        }
        let clauses = span(first, self.clauses.len(), "clauses")?;
        self.rules.push(table::Rule { pairs, clauses, model: leads_to });
        Ok(())
    }

    fn model(&mut self, provider: u16, model: &Model) -> Result<(), TooLarge> {
        let id = self.text(&model.id)?;
        let standard = self.prices(model.prices.iter().filter(|price| price.when.is_empty()))?;
        let variants = self.prices(model.prices.iter().filter(|price| !price.when.is_empty()))?;
        let first = self.scales.len();
        for (key, value, factor) in &model.scales {
            let when = table::Condition { key: self.text(key)?, value: self.text(value)? };
            self.scales.push(table::Scale { when, factor: *factor });
        }
        let scales = span(first, self.scales.len(), "scales")?;
        let source = self.text(&model.source)?;
        self.models.push(table::Model { id, provider, standard, variants, scales, source });
        Ok(())
    }

    fn prices<'a>(&mut self, prices: impl Iterator<Item = &'a Price>) -> Result<Span, TooLarge> {
        let prices: Vec<_> = prices.collect();
        // Many models cost the same; the same prices are held once.
        let rows: Vec<_> = prices.iter().map(ToString::to_string).collect();
        let rows = rows.join("\n");
        if let Some(&span) = self.price_runs.get(&rows) {
            return Ok(span);
        }
        let mut compiled = Vec::new();
        for price in prices {
            let first = self.conditions.len();
            for (key, value) in &price.when {
                let condition = table::Condition { key: self.text(key)?, value: self.text(value)? };
                self.conditions.push(condition);
            }
            let when = span(first, self.conditions.len(), "conditions")?;
            let first = self.quotes.len();
            for (unit, tiered) in &price.rates {
                for &(over, rate) in [(0, tiered.base)].iter().chain(&tiered.over) {
                    let rate = self.rate(rate)?;
                    self.quotes.push(table::Quote { over, rate, unit: *unit });
                }
            }
            let quotes = span(first, self.quotes.len(), "rates")?;
            compiled.push(table::Price { validity: price.validity, when, quotes });
        }
        let first = self.prices.len();
        self.prices.append(&mut compiled);
        let span = span(first, self.prices.len(), "prices")?;
        self.price_runs.insert(rows, span);
        Ok(span)
    }

    fn rate(&mut self, rate: Rate) -> Result<u16, TooLarge> {
        if let Some(&number) = self.rate_numbers.get(&rate) {
            return Ok(number);
        }
        // The last number stands for no rate.
        let number = number_of(self.rates.len() + 1, "different rates")? - 1;
        self.rates.push(rate);
        self.rate_numbers.insert(rate, number);
        Ok(number)
    }

    fn text(&mut self, text: &str) -> Result<Span, TooLarge> {
        if let Some(&span) = self.spans.get(text) {
            return Ok(span);
        }
        let start = self.text.len();
        self.text.push_str(text);
        let span = span(start, self.text.len(), "text")?;
        self.spans.insert(text.to_owned(), span);
        Ok(span)
    }

    fn finish(mut self, label: String) -> Tables {
        self.provider_names.sort_by_key(|exact| exact.hash);
        Tables {
            label: Cow::Owned(label),
            text: Cow::Owned(self.text),
            providers: Cow::Owned(self.providers),
            provider_names: Cow::Owned(self.provider_names),
            fallbacks: Cow::Owned(self.fallbacks),
            exact: Cow::Owned(self.exact),
            rules: Cow::Owned(self.rules),
            clauses: Cow::Owned(self.clauses),
            models: Cow::Owned(self.models),
            prices: Cow::Owned(self.prices),
            conditions: Cow::Owned(self.conditions),
            scales: Cow::Owned(self.scales),
            quotes: Cow::Owned(self.quotes),
            rates: Cow::Owned(self.rates),
        }
    }
}

fn number_of(position: usize, what: &'static str) -> Result<u16, TooLarge> {
    u16::try_from(position).map_err(|_| TooLarge { what })
}

fn span(start: usize, end: usize, what: &'static str) -> Result<Span, TooLarge> {
    let start_number = u32::try_from(start).map_err(|_| TooLarge { what })?;
    let count = u16::try_from(end.saturating_sub(start)).map_err(|_| TooLarge { what })?;
    Ok(Span { start: start_number, count })
}
