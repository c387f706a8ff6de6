//! What is remembered of texts: those that name things (keys of attributes, units, models), and short ones that do not.
//! Most are the same in request after request, so a redactor that found nothing in one is not asked again. What it finds
//! in a text follows from the text and its place alone, so nothing is missed.

use crate::metrics::Metrics;
use std::collections::HashSet;
use std::mem::take;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Longest text that is remembered, with the name of its place, in bytes.
const BYTES: usize = 256;

/// What kind of text is remembered, for metrics.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    Names,
    Texts,
}

/// Texts in which one redactor found nothing, each with its place, since what a redactor looks for may depend on that.
///
/// There are two halves, the young and the old. A text that is asked for in the old one becomes young; when the young half
/// is full it becomes the old one, and what is in that is forgotten. So what is in use stays, at the price of a set.
#[derive(Debug)]
pub(super) struct Known {
    redactor: String,
    of: Of,
    /// Most texts.
    most: usize,
    memory: Mutex<Memory>,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct Memory {
    /// The redactor's configuration by which the texts are clean.
    configuration: u64,
    young: HashSet<Box<[u8]>>,
    old: HashSet<Box<[u8]>>,
}

impl Known {
    /// Bytes that as many texts take: the text with its place, and its entry in a table, which is between 7/16 and 7/8 full.
    pub(super) const fn most_bytes(most: usize) -> usize {
        most.saturating_mul(BYTES + (size_of::<Box<[u8]>>() + 1) * 16 / 7)
    }

    /// Nothing is known yet of this redactor.
    pub(super) fn new(redactor: &str, of: Of, most: usize, metrics: &Metrics) -> Self {
        Self { redactor: redactor.to_owned(), of, most, memory: Mutex::default(), metrics: metrics.clone() }
    }

    /// What is known by this configuration. Nobody else is answered until what is given is dropped.
    pub(super) fn asked(&self, configuration: u64) -> Asked<'_> {
        let memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        Asked { known: self, configuration, memory, key: Vec::new() }
    }

    /// Remembers texts that were found clean by this configuration. What a later one has found counts more.
    pub(super) fn remember<'t>(&self, configuration: u64, texts: impl Iterator<Item = (&'t str, &'t [u8])>) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.configuration > configuration {
            return;
        }
        if memory.configuration < configuration {
            *memory = Memory { configuration, ..Memory::default() };
        }
        let mut key = Vec::new();
        for (place, text) in texts {
            if write(&mut key, place, text) && !memory.young.contains(&*key) {
                memory.old.remove(&*key);
                self.insert(&mut memory, key.as_slice().into());
            }
        }
        let held = i64::try_from(memory.young.len() + memory.old.len()).unwrap_or(i64::MAX);
        let gauge = match self.of {
            Of::Names => &self.metrics.redaction_known_names,
            Of::Texts => &self.metrics.redaction_known_texts,
        };
        gauge.with(vec![("plugin", self.redactor.clone())]).set(held);
    }

    fn insert(&self, memory: &mut Memory, key: Box<[u8]>) {
        if memory.young.len() >= self.most.div_ceil(2) {
            let forgotten = std::mem::replace(&mut memory.old, take(&mut memory.young)).len();
            let evicted = match self.of {
                Of::Names => &self.metrics.redaction_known_names_evicted,
                Of::Texts => &self.metrics.redaction_known_texts_evicted,
            };
            let evicted = evicted.with(vec![("plugin", self.redactor.clone())]);
            evicted.inc_by(u64::try_from(forgotten).unwrap_or(u64::MAX));
        }
        if self.most > 0 {
            memory.young.insert(key);
        }
        // Half of an odd number is rounded up, so that one text can be known.
        if memory.young.len() + memory.old.len() > self.most {
            memory.old.clear();
        }
    }
}

/// The memory, held for some questions.
#[derive(Debug)]
pub(super) struct Asked<'k> {
    known: &'k Known,
    configuration: u64,
    memory: MutexGuard<'k, Memory>,
    key: Vec<u8>,
}

impl Asked<'_> {
    /// Whether a text, given with the name of its place, is known to be clean.
    pub(super) fn is_clean(&mut self, place: &str, text: &[u8]) -> bool {
        let Self { known, configuration, memory, key } = self;
        if memory.configuration != *configuration || !write(key, place, text) {
            return false;
        }
        if memory.young.contains(key.as_slice()) {
            return true;
        }
        let old = memory.old.take(key.as_slice());
        old.is_some_and(|old| {
            known.insert(memory, old);
            true
        })
    }
}

/// The key of a text; `false` where it is too long to be remembered.
fn write(key: &mut Vec<u8>, place: &str, text: &[u8]) -> bool {
    key.clear();
    key.extend_from_slice(place.as_bytes());
    // The length keeps apart what a place and a text say together, whatever they hold.
    key.extend_from_slice(&place.len().to_le_bytes());
    key.extend_from_slice(text);
    key.len() <= BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(known: &Known, configuration: u64, texts: &[&str]) -> Vec<bool> {
        let mut asked = known.asked(configuration);
        texts.iter().map(|text| asked.is_clean("span.attributes", text.as_bytes())).collect()
    }

    fn remember(known: &Known, configuration: u64, texts: &[&str]) {
        known.remember(configuration, texts.iter().map(|text| ("span.attributes", text.as_bytes())));
    }

    #[test]
    fn a_text_is_known_in_its_place_and_by_its_configuration() {
        let known = Known::new("r", Of::Names, 10, &Metrics::new(10));
        remember(&known, 1, &["user.id"]);
        assert_eq!(clean(&known, 1, &["user.id", "user.name"]), [true, false]);
        assert!(!known.asked(1).is_clean("log.attributes", b"user.id"), "another place");
        assert_eq!(clean(&known, 2, &["user.id"]), [false], "another configuration");
        remember(&known, 2, &["user.name"]);
        assert_eq!(clean(&known, 2, &["user.id", "user.name"]), [false, true]);
        remember(&known, 1, &["user.id"]);
        assert_eq!(clean(&known, 2, &["user.id", "user.name"]), [false, true], "an answer that comes late");
        let long = "k".repeat(BYTES);
        remember(&known, 2, &[&long]);
        assert_eq!(clean(&known, 2, &[&long]), [false], "too long to be remembered");
    }

    #[test]
    fn what_is_in_use_stays_and_the_rest_is_forgotten_at_the_limit() {
        for (of, name) in [(Of::Names, "names"), (Of::Texts, "texts")] {
            let metrics = Metrics::new(10);
            let known = Known::new("r", of, 8, &metrics);
            remember(&known, 0, &["hot"]);
            for number in 0..100 {
                remember(&known, 0, &[&format!("cold {number}")]);
                assert_eq!(clean(&known, 0, &["hot"]), [true], "{number}");
            }
            assert_eq!(clean(&known, 0, &["cold 0", "cold 99"]), [false, true]);
            let page = metrics.page();
            let value = |metric: &str| -> usize {
                let start = format!("tollgate_redaction_known_{name}{metric}{{plugin=\"r\"}} ");
                page.lines().find_map(|line| line.strip_prefix(&start)).unwrap().parse().unwrap()
            };
            assert!((1..=8).contains(&value("")), "{page}");
            assert!(value("_evicted_total") >= 90, "{page}");
        }
    }

    #[test]
    fn few_or_none_can_be_asked_for() {
        for most in 0..4 {
            let known = Known::new("r", Of::Names, most, &Metrics::new(10));
            for number in 0..10 {
                remember(&known, 0, &[&number.to_string()]);
                let memory = known.memory.lock().unwrap();
                assert!(memory.young.len() + memory.old.len() <= most, "{most}");
            }
            assert_eq!(clean(&known, 0, &["9"]), [most > 0], "{most}");
        }
    }
}
