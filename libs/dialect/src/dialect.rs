//! A table of rules made ready, and put to work on encoded requests.

use crate::convert::{Outcome, convert};
use crate::overrides::{OverrideError, Overrides};
use crate::presets::Preset;
use crate::row::{Kinds, Row, Slot, Slots};
use crate::rule::{Action, Keep, Others, Rule, When};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use tollgate_otlp::{EditError, Names, ScanError, Span, SpanEdits, TraceRequest, Value};
use tollgate_semconv::attribute;

/// A preset with what a user overrides, ready to be applied. Cheap to share, dear to make.
#[derive(Clone, Debug)]
pub struct Dialect {
    /// The preset, then the overrides; each only where it has something to do.
    stages: Vec<Stage>,
}

/// A request in a dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated<'a> {
    /// The encoded request; the one that was given where nothing had to be changed.
    pub bytes: Cow<'a, [u8]>,
    /// How often a rule could not convert what it found: text that is not JSON, a value of another type, more messages
    /// than are flattened. The sources were left as they are.
    pub unconverted: u64,
}

/// Why a request cannot be translated.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DialectError {
    /// It is no request.
    Scan(ScanError),
    /// It would be larger than protobuf allows.
    Edit(EditError),
}

impl fmt::Display for DialectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scan(error) => error.fmt(f),
            Self::Edit(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DialectError {}

impl Dialect {
    /// Makes a preset and overrides ready.
    ///
    /// # Errors
    /// The overrides contradict each other.
    pub fn new(preset: Preset, overrides: &Overrides) -> Result<Self, OverrideError> {
        overrides.check()?;
        let mut stages = Vec::new();
        if !preset.rules().is_empty() {
            let kept = overrides.rename.iter().chain(&overrides.copy).map(|(from, _)| from.as_str());
            stages.push(Stage::of_preset(preset.rules(), kept));
        }
        if !overrides.is_empty() {
            stages.push(Stage::of_overrides(overrides));
        }
        Ok(Self { stages })
    }

    /// Whether nothing is ever changed.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        self.stages.is_empty()
    }

    /// Puts an encoded `ExportTraceServiceRequest` into the dialect. The request must have been
    /// [scanned](TraceRequest::scan) before, or be made of one that was: texts in it are not checked again, and what is not
    /// UTF-8 reads as empty.
    ///
    /// # Errors
    /// The bytes are no such request, or it would become too large.
    pub fn apply<'a>(&self, request: &'a [u8]) -> Result<Translated<'a>, DialectError> {
        let mut translated = Translated { bytes: Cow::Borrowed(request), unconverted: 0 };
        for stage in &self.stages {
            translated.bytes = match translated.bytes {
                Cow::Borrowed(bytes) => stage.apply(bytes, &mut translated.unconverted)?,
                Cow::Owned(bytes) => Cow::Owned(stage.apply(&bytes, &mut translated.unconverted)?.into_owned()),
            };
        }
        Ok(translated)
    }
}

/// Rules that are applied in one walk.
#[derive(Clone, Debug)]
struct Stage {
    rules: Vec<Compiled>,
    slots: Slots,
    /// Whether a target that is there is replaced, rather than left.
    replace: bool,
    /// Names that are not taken out.
    kept: Names,
    /// Names that are taken out of every span.
    dropped: Names,
}

/// A rule with slots in the place of names.
#[derive(Clone, Debug)]
struct Compiled {
    from: Vec<Slot>,
    /// Those of `from` that go with [`Keep::Go`].
    removes: Vec<Slot>,
    to: Slot,
    to_name: Box<str>,
    action: Action,
    keep: Keep,
    when: When,
}

impl Stage {
    fn of_preset<'n>(rules: &'static [Rule], kept: impl Iterator<Item = &'n str>) -> Self {
        let mut naming = Naming::default();
        let kept = Names::new(kept.map(|name| (name, 0)));
        let rules = rules.iter().map(|rule| naming.compile(rule, &kept)).collect();
        Self { rules, slots: naming.finish(), replace: false, kept, dropped: Names::default() }
    }

    fn of_overrides(overrides: &Overrides) -> Self {
        let mut naming = Naming::default();
        let mut rule = |(from, to): &(String, String), keep| Compiled {
            from: vec![naming.slot(from)],
            removes: vec![naming.slot(from)],
            to: naming.slot(to),
            to_name: to.as_str().into(),
            action: Action::Same,
            keep,
            when: When::Always,
        };
        // Copies first: a name may be copied and renamed too.
        let mut rules: Vec<_> = overrides.copy.iter().map(|pair| rule(pair, Keep::Stay)).collect();
        rules.extend(overrides.rename.iter().map(|pair| rule(pair, Keep::Go)));
        let dropped = Names::new(overrides.drop.iter().map(|name| (name.as_str(), 0)));
        Self { rules, slots: naming.finish(), replace: true, kept: Names::default(), dropped }
    }

    fn apply<'a>(&self, bytes: &'a [u8], unconverted: &mut u64) -> Result<Cow<'a, [u8]>, DialectError> {
        let request = TraceRequest::rescan(bytes).map_err(DialectError::Scan)?;
        let mut row = Row::new(self.slots.count);
        let rewritten = request.rewrite(|span, edits| {
            row.fill(span, &self.slots);
            for rule in &self.rules {
                self.rule(rule, span, &mut row, edits);
            }
            if !self.dropped.is_empty() {
                self.drop(span, &mut row, |key| self.dropped.find(key.as_bytes()).next().is_some());
            }
            row.gone().iter().for_each(|place| edits.remove(*place));
        });
        *unconverted += row.unconverted;
        rewritten.map_err(DialectError::Edit)
    }

    fn rule<'r>(&self, rule: &Compiled, span: Span<'r>, row: &mut Row<'r>, edits: &mut SpanEdits) {
        if !row.is(rule.when) {
            return;
        }
        if let Action::Drop = rule.action {
            if let Keep::Without(patterns) = rule.keep {
                self.drop(span, row, |key| patterns.iter().any(|pattern| fits(pattern, key)));
            }
            return;
        }
        let in_place = rule.from.first() == Some(&rule.to);
        if !self.replace && !in_place && row.has(rule.to) {
            return;
        }
        if in_place && row.get(rule.to).and_then(Value::as_text).is_some() {
            // It has the form that conversions in place lead to.
            return;
        }
        let target =
            if self.dropped.find(rule.to_name.as_bytes()).next().is_some() { None } else { Some(&*rule.to_name) };
        match self.write(rule, row, target, edits) {
            Outcome::Written => {}
            Outcome::Absent => return,
            Outcome::Bad => {
                row.unconverted += 1;
                return;
            }
        }
        if self.replace {
            row.remove(rule.to);
        }
        match rule.keep {
            Keep::Stay => {}
            Keep::Go => {
                let read = rule.removes.iter().filter(|slot| row.get(**slot).is_some()).copied();
                let read: Vec<_> = if rule.action.reads_all() { read.collect() } else { read.take(1).collect() };
                read.into_iter().for_each(|slot| row.remove(slot));
            }
            Keep::Without(patterns) => self.drop(span, row, |key| patterns.iter().any(|pattern| fits(pattern, key))),
        }
        row.written(rule.to);
    }

    /// Writes what a rule makes of the row; nothing where there is no `target`.
    fn write<'r>(&self, rule: &Compiled, row: &Row<'r>, target: Option<&str>, edits: &mut SpanEdits) -> Outcome {
        let Some((place, value)) =
            rule.from.iter().enumerate().find_map(|(place, slot)| Some((place, row.get(*slot)?)))
        else {
            return Outcome::Absent;
        };
        let Some(target) = target else { return Outcome::Written };
        match rule.action {
            Action::Same => {
                edits.attributes().set(target, value);
                Outcome::Written
            }
            Action::Values(table, others) => {
                let Some(text) = value.as_text() else { return Outcome::Bad };
                match (table.iter().find(|(known, _)| *known == text), others) {
                    (Some((_, new)), _) => edits.attributes().set(target, *new),
                    (None, Others::Same) => edits.attributes().set(target, text),
                    (None, Others::Unwritten) => return Outcome::Absent,
                };
                Outcome::Written
            }
            Action::Convert(conversion) => {
                let values: Vec<_> = rule.from.iter().map(|slot| row.get(*slot)).collect();
                let first = (place, value);
                convert(conversion, first, &values, row.start, target, &mut edits.attributes())
            }
            Action::Drop => Outcome::Absent,
        }
    }

    fn drop<'r>(&self, span: Span<'r>, row: &mut Row<'r>, goes: impl Fn(&str) -> bool) {
        for (place, (key, _)) in span.attributes().enumerate() {
            if goes(key) && self.kept.find(key.as_bytes()).next().is_none() {
                row.remove_at(place as u32);
            }
        }
    }
}

/// Whether a name fits a pattern with at most one `*`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => {
            name.strip_prefix(before).is_some_and(|rest| rest.len() >= after.len() && rest.ends_with(after))
        }
    }
}

/// Gives slots to names.
#[derive(Debug)]
struct Naming {
    slots: BTreeMap<String, Slot>,
    kinds: Kinds,
}

impl Default for Naming {
    fn default() -> Self {
        let names = [attribute::TOLLGATE_CALL_ROLE, attribute::GEN_AI_OPERATION_NAME, "openinference.span.kind"];
        let slots = names.into_iter().map(str::to_owned).zip(0..).collect();
        Self { slots, kinds: Kinds { role: 0, operation: 1, open_inference: 2 } }
    }
}

impl Naming {
    fn slot(&mut self, name: &str) -> Slot {
        // Tables are short, and overrides are counted, so that the number fits.
        let next = self.slots.len() as Slot;
        *self.slots.entry(name.to_owned()).or_insert(next)
    }

    fn compile(&mut self, rule: &Rule, kept: &Names) -> Compiled {
        let from: Vec<_> = match rule.action {
            Action::Drop => Vec::new(),
            _ => rule.from.iter().map(|name| self.slot(name)).collect(),
        };
        let is_kept = |name: &str| kept.find(name.as_bytes()).next().is_some();
        let removes = rule.from.iter().zip(&from).filter(|(name, _)| !is_kept(name)).map(|(_, slot)| *slot).collect();
        let keep = match rule.action {
            Action::Drop => Keep::Without(rule.from),
            _ => rule.keep,
        };
        let to = self.slot(rule.to);
        Compiled { from, removes, to, to_name: rule.to.into(), action: rule.action, keep, when: rule.when }
    }

    fn finish(self) -> Slots {
        let (mut prefixes, mut resource) = (Vec::new(), Vec::new());
        let mut plain = Vec::new();
        for (name, slot) in &self.slots {
            if let Some(name) = name.strip_prefix("resource:") {
                resource.push((name.to_owned(), *slot));
            } else if name.ends_with('.') {
                prefixes.push((name.clone(), *slot));
            } else {
                plain.push((name.as_str(), *slot));
            }
        }
        let names = Names::new(plain.into_iter());
        Slots { names, prefixes, resource, kinds: self.kinds, count: self.slots.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_have_one_star() {
        for (pattern, name, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.bc", false),
            ("a.*", "a.", true),
            ("a.*", "a.b.c", true),
            ("a.*", "b.a.", false),
            ("gen_ai.usage.*tokens", "gen_ai.usage.input_tokens", true),
            ("gen_ai.usage.*tokens", "gen_ai.usage.cost", false),
            ("ab*bc", "abc", false),
            ("ab*bc", "abbc", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
