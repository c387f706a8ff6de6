//! What is remembered of texts that name things: keys of attributes, units, models. They are the same in request after
//! request, so a redactor that found nothing in one is not asked again.

use crate::metrics::Metrics;
use std::collections::HashSet;
use std::mem::take;
use std::sync::{Mutex, PoisonError};

/// Longest text that is remembered, with the name of its place, in bytes.
const BYTES: usize = 256;

/// Texts in which one redactor found nothing, each with its place, since what a redactor looks for may depend on that.
///
/// There are two halves, the young and the old. A text that is asked for in the old one becomes young; when the young half
/// is full it becomes the old one, and what is in that is forgotten. So what is in use stays, at the price of a set.
#[derive(Debug)]
pub(super) struct Known {
    redactor: String,
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
    /// Nothing is known yet of this redactor.
    pub(super) fn new(redactor: &str, most: usize, metrics: &Metrics) -> Self {
        Self { redactor: redactor.to_owned(), most, memory: Mutex::default(), metrics: metrics.clone() }
    }

    /// Whether each text, given with the name of its place, is known to be clean by this configuration.
    pub(super) fn are_clean<'t>(
        &self,
        configuration: u64,
        texts: impl Iterator<Item = (&'t str, &'t str)>,
    ) -> Vec<bool> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = Vec::new();
        texts
            .map(|(place, text)| {
                if memory.configuration != configuration || !write(&mut key, place, text) {
                    return false;
                }
                if memory.young.contains(&*key) {
                    return true;
                }
                let old = memory.old.take(&*key);
                old.is_some_and(|old| {
                    self.insert(&mut memory, old);
                    true
                })
            })
            .collect()
    }

    /// Remembers texts that were found clean by this configuration. What a later one has found counts more.
    pub(super) fn remember<'t>(&self, configuration: u64, texts: impl Iterator<Item = (&'t str, &'t str)>) {
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
        self.metrics.redaction_known_names.with(vec![("plugin", self.redactor.clone())]).set(held);
    }

    fn insert(&self, memory: &mut Memory, key: Box<[u8]>) {
        if memory.young.len() >= self.most.div_ceil(2) {
            let forgotten = std::mem::replace(&mut memory.old, take(&mut memory.young)).len();
            let evicted = self.metrics.redaction_known_names_evicted.with(vec![("plugin", self.redactor.clone())]);
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

/// The key of a text; `false` where it is too long to be remembered.
fn write(key: &mut Vec<u8>, place: &str, text: &str) -> bool {
    key.clear();
    key.extend_from_slice(place.as_bytes());
    // No place and no text that names things holds a zero, and where one did, it would hold it on both sides.
    key.push(0);
    key.extend_from_slice(text.as_bytes());
    key.len() <= BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(known: &Known, configuration: u64, texts: &[&str]) -> Vec<bool> {
        known.are_clean(configuration, texts.iter().map(|text| ("span.attributes", *text)))
    }

    fn remember(known: &Known, configuration: u64, texts: &[&str]) {
        known.remember(configuration, texts.iter().map(|text| ("span.attributes", *text)));
    }

    #[test]
    fn a_text_is_known_in_its_place_and_by_its_configuration() {
        let known = Known::new("r", 10, &Metrics::new(10));
        remember(&known, 1, &["user.id"]);
        assert_eq!(clean(&known, 1, &["user.id", "user.name"]), [true, false]);
        assert_eq!(known.are_clean(1, [("log.attributes", "user.id")].into_iter()), [false], "another place");
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
        let metrics = Metrics::new(10);
        let known = Known::new("r", 8, &metrics);
        remember(&known, 0, &["hot"]);
        for number in 0..100 {
            remember(&known, 0, &[&format!("cold {number}")]);
            assert_eq!(clean(&known, 0, &["hot"]), [true], "{number}");
        }
        assert_eq!(clean(&known, 0, &["cold 0", "cold 99"]), [false, true]);
        let page = metrics.page();
        let held = page.lines().find_map(|line| line.strip_prefix("tollgate_redaction_known_names{plugin=\"r\"} "));
        let held: usize = held.unwrap().parse().unwrap();
        assert!((1..=8).contains(&held), "{held}");
        let evicted = page
            .lines()
            .find_map(|line| line.strip_prefix("tollgate_redaction_known_names_evicted_total{plugin=\"r\"} "));
        assert!(evicted.unwrap().parse::<usize>().unwrap() >= 90, "{page}");
    }

    #[test]
    fn few_or_none_can_be_asked_for() {
        for most in 0..4 {
            let known = Known::new("r", most, &Metrics::new(10));
            for number in 0..10 {
                remember(&known, 0, &[&number.to_string()]);
                let memory = known.memory.lock().unwrap();
                assert!(memory.young.len() + memory.old.len() <= most, "{most}");
            }
            assert_eq!(clean(&known, 0, &["9"]), [most > 0], "{most}");
        }
    }
}
