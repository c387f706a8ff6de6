//! Token counts: collected field by field under the provider's names, made canonical once, at the end.
//!
//! A stream may report usage several times, whole or in part. Field by field the last value wins; nothing is added
//! up before the end. `null` reports nothing. What is no count (negative, fractional, above 2^53) is left out and
//! noted, never read as 0.
//!
//! A list in the usage that breaks a count down (Gemini `promptTokensDetails`, Bedrock `cacheDetails`) is kept under
//! what each element says it counts: `usageMetadata.promptTokensDetails.AUDIO`. Where an element has several counts
//! (Anthropic `iterations`), each is kept under its name behind that, added up over the elements that say the same:
//! `usage.iterations.compaction.input_tokens`. A list that comes again replaces the one before.

mod canonical;

pub(crate) use canonical::CountRules;

use crate::notes::{self, Notes};
use crate::same::same;
use tollgate_call::Usage;
use tollgate_json::{Node, Scalar, Text, Want};

/// The largest integer that every JSON reader holds exactly.
const MAX_COUNT: u64 = 1 << 53;
/// Fields that are kept.
const MAX_FIELDS: usize = 64;
/// Bytes of a field's name, with its path.
const MAX_NAME: usize = 128;
/// Counts of one element of a list that are kept.
const MAX_ELEMENT: usize = 16;
/// Levels of nesting that are read.
pub(crate) const LEVELS: Node = 4;

/// Counts under the provider's own names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// In the order in which they came first.
    native: Vec<Native>,
    /// The place in `native` of the count that will come next, if they come as they did before.
    next: usize,
    /// What the provider says the call cost, in billionths of a US dollar.
    cost: Option<u64>,
    /// The name of the field being read, and its length at each level.
    name: Vec<u8>,
    lengths: [usize; LEVELS as usize + 1],
    /// The level of the list being read, and the element of it.
    list: Option<Node>,
    element: Option<Element>,
    malformed: bool,
}

/// A count under the provider's own name.
#[derive(Clone, Debug)]
struct Native {
    name: String,
    count: u64,
    /// Whether a number of this name was found to be a count before.
    is_count: bool,
}

/// What a count that comes again does with the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// It replaces it.
    Last,
    /// It is added to it.
    Sum,
    /// The larger one counts.
    Most,
}

/// An element of a list of counts.
#[derive(Clone, Debug)]
struct Element {
    /// The level of its members.
    level: Node,
    label: Option<String>,
    /// Counts by their names within the element.
    counts: Vec<(String, u64)>,
}

impl Counts {
    /// A usage object begins, which is called `name`.
    pub(crate) fn root(&mut self, name: &str) {
        self.name.clear();
        self.name.extend_from_slice(name.as_bytes());
        self.next = 0;
        self.lengths = [name.len(); LEVELS as usize + 1];
        (self.list, self.element) = (None, None);
    }

    /// A key at `level` of the usage object; whether its value is wanted.
    pub(crate) fn key(&mut self, level: Node, key: &[u8], notes: &mut Notes) -> bool {
        let level = usize::from(level);
        let length = self.lengths.get(level).copied().unwrap_or(0);
        self.name.truncate(length);
        if length + 1 + key.len() > MAX_NAME {
            notes.add(notes::USAGE_FIELDS_LIMIT);
            return false;
        }
        self.name.push(b'.');
        if key.is_ascii() {
            self.name.extend_from_slice(key);
        } else {
            self.name.extend_from_slice(String::from_utf8_lossy(key).as_bytes());
        }
        if let Some(next) = self.lengths.get_mut(level + 1) {
            *next = self.name.len();
        }
        true
    }

    /// An element of a list that stands at `level`.
    pub(crate) fn item(&mut self, level: Node) {
        let own = usize::from(level);
        if let (Some(&length), Some(next)) = (self.lengths.get(own), self.lengths.get(own).copied()) {
            self.name.truncate(length);
            if let Some(below) = self.lengths.get_mut(own + 1) {
                *below = next;
            }
        }
        if self.list.is_none() {
            self.list = Some(level);
            let list = &self.name;
            let within =
                |name: &str| name.as_bytes().strip_prefix(list.as_slice()).is_some_and(|rest| rest.starts_with(b"."));
            self.native.retain(|native| !within(&native.name));
        }
        self.element = Some(Element { level: level + 1, label: None, counts: Vec::new() });
    }

    /// A container at `level` is at its end: an element of a list, which has said what it counts, or the list.
    pub(crate) fn end(&mut self, level: Node, notes: &mut Notes) {
        if self.list == Some(level) {
            (self.list, self.element) = (None, None);
            return;
        }
        let Some(Element { label: Some(label), counts, .. }) = self.element.take_if(|element| element.level == level)
        else {
            return;
        };
        let length = self.lengths.get(usize::from(level)).copied().unwrap_or(0);
        self.name.truncate(length);
        self.name.push(b'.');
        self.name.extend_from_slice(label.as_bytes());
        if let [(_, count)] = counts.as_slice() {
            self.insert(*count, notes);
            return;
        }
        let length = self.name.len();
        for (field, count) in counts {
            self.name.truncate(length);
            self.name.push(b'.');
            self.name.extend_from_slice(field.as_bytes());
            let before = self.known().map_or(0, |native| native.count);
            self.insert(count.saturating_add(before), notes);
        }
    }

    /// Whether a list of counts is being read.
    pub(crate) fn in_list(&self) -> bool {
        self.list.is_some() || self.element.is_some()
    }

    /// The value of the field that was named last.
    pub(crate) fn scalar(&mut self, value: Scalar<'_>, notes: &mut Notes) {
        if let (Scalar::Number(text), None) = (value, &self.element)
            && let Some(count) = count(text)
            && let Some(known) = self.native.get_mut(self.next)
            && known.is_count
            && same(known.name.as_bytes(), &self.name)
        {
            known.count = count;
            self.next += 1;
            return;
        }
        // Prices, durations and flags stand beside the counts. They are no counts, and not malformed either.
        if self.name.windows(4).any(|part| part == b"cost") {
            self.money(value);
            return;
        }
        if self.name.ends_with(b"time") {
            return;
        }
        let counts_tokens = self.name.ends_with(b"tokens") || self.name.ends_with(b"okenCount");
        let count = match value {
            Scalar::Number(text) => count(text),
            Scalar::Null => return,
            Scalar::Text(text) => {
                self.label(text);
                None
            }
            Scalar::Bool(_) => None,
        };
        match (count, &mut self.element) {
            (Some(count), Some(element)) => {
                let list = self.lengths.get(usize::from(element.level)).copied().unwrap_or(0);
                let field = self.name.get(list + 1..).unwrap_or_default();
                if element.counts.len() < MAX_ELEMENT {
                    element.counts.push((String::from_utf8_lossy(field).into_owned(), count));
                } else {
                    notes.add(notes::USAGE_FIELDS_LIMIT);
                }
            }
            (Some(count), None) => {
                self.insert(count, notes);
                self.known_is_count();
            }
            (None, _) if counts_tokens => {
                self.malformed = true;
                notes.add(notes::MALFORMED_USAGE);
            }
            (None, _) => {}
        }
    }

    /// A count that stands on its own, under its own name.
    pub(crate) fn set(&mut self, name: &str, value: Scalar<'_>, merge: Merge, notes: &mut Notes) {
        let Scalar::Number(text) = value else { return };
        self.root(name);
        match count(text) {
            Some(count) => {
                let before = self.known().map_or(0, |native| native.count);
                let merged = match merge {
                    Merge::Last => count,
                    Merge::Sum => count.saturating_add(before),
                    Merge::Most => count.max(before),
                };
                self.insert(merged, notes);
            }
            None => {
                self.malformed = true;
                notes.add(notes::MALFORMED_USAGE);
            }
        }
    }

    /// A count that was made here, or read from a header.
    pub(crate) fn put(&mut self, name: &str, count: u64, notes: &mut Notes) {
        self.root(name);
        self.insert(count, notes);
    }

    fn insert(&mut self, count: u64, notes: &mut Notes) {
        if let Some(known) = self.known() {
            known.count = count;
        } else if self.native.len() < MAX_FIELDS {
            let name = String::from_utf8_lossy(&self.name).into_owned();
            self.native.push(Native { name, count, is_count: false });
            self.next = self.native.len();
        } else {
            notes.add(notes::USAGE_FIELDS_LIMIT);
        }
    }

    /// The count that is named as the field being read.
    fn known(&mut self) -> Option<&mut Native> {
        let is = |known: &Native| same(known.name.as_bytes(), &self.name);
        let place =
            if self.native.get(self.next).is_some_and(is) { self.next } else { self.native.iter().position(is)? };
        self.next = place + 1;
        self.native.get_mut(place)
    }

    /// The count that was inserted last is one that comes as a number.
    fn known_is_count(&mut self) {
        let place = self.next.checked_sub(1).and_then(|place| self.native.get_mut(place));
        if let Some(known) = place.filter(|known| known.name.as_bytes() == self.name.as_slice()) {
            known.is_count = true;
        }
    }

    /// What an element of a list counts: a modality, a time to live, or a kind of iteration. The model that it is about
    /// does not tell.
    fn label(&mut self, text: Text<'_>) {
        if let Some(element) = &mut self.element
            && element.label.is_none()
            && !self.name.ends_with(b".model")
            && text.bytes.len() <= 32
        {
            element.label = Some(text.to_str().into_owned());
        }
    }

    /// What the call cost by the provider's own word. OpenRouter says `usage.cost`, Perplexity `usage.cost.total_cost`,
    /// both in dollars; xAI says `usage.cost_in_usd_ticks`, of which ten make a billionth of a dollar. Other costs are
    /// parts of these.
    fn money(&mut self, value: Scalar<'_>) {
        let Scalar::Number(text) = value else { return };
        let field = self.name.iter().position(|byte| *byte == b'.').and_then(|dot| self.name.get(dot + 1..));
        let cost = match field {
            Some(b"cost" | b"cost.total_cost") => nanos(text),
            Some(b"cost_in_usd_ticks") => text.parse::<u64>().ok().map(|ticks| ticks.saturating_add(5) / 10),
            _ => return,
        };
        self.cost = cost.or(self.cost);
    }

    /// Whether the field being read is `name`, without the usage object's own.
    pub(crate) fn is_field(&self, name: &str) -> bool {
        let root = self.lengths.first().copied().unwrap_or(0);
        self.name.get(root + 1..) == Some(name.as_bytes())
    }

    /// Bytes of memory that the counts have allocated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let entries: usize = self.native.iter().map(|native| native.name.capacity()).sum();
        let entries = entries + self.native.capacity() * size_of::<Native>();
        let element: usize =
            self.element.iter().flat_map(|element| &element.counts).map(|(name, _)| name.capacity()).sum();
        self.name.capacity() + entries + element
    }

    /// Whether a count was malformed.
    pub(crate) fn malformed(&self) -> bool {
        self.malformed
    }

    /// The canonical usage; `None` where nothing was reported.
    pub(crate) fn into_usage(self, rules: &CountRules) -> Option<Usage> {
        if self.native.is_empty() && self.cost.is_none() {
            return None;
        }
        let native: Vec<(String, u64)> = self.native.into_iter().map(|native| (native.name, native.count)).collect();
        let mut usage = rules.apply(&native);
        include_reasoning(&mut usage);
        usage.provider_cost_nano_usd = self.cost;
        usage.native = native.into_iter().collect();
        Some(usage)
    }
}

/// Output is all that was written. xAI's chat completions leave the reasoning out of `completion_tokens`, which their
/// total gives away.
fn include_reasoning(usage: &mut Usage) {
    let (Some(output), Some(reasoning), Some(total)) =
        (usage.output_tokens, usage.reasoning_tokens, usage.provider_total_tokens)
    else {
        return;
    };
    let whole = output.saturating_add(reasoning);
    let adds_up = usage.input_tokens.map(|input| input.saturating_add(whole)) == Some(total);
    if reasoning > 0 && adds_up {
        usage.output_tokens = Some(whole);
    }
}

/// A count: a whole number from 0 to 2^53, which some servers write with a fraction of zero.
fn count(text: &str) -> Option<u64> {
    /// Digits that make less than 2^53, whatever they are.
    const FEW: usize = 15;
    if text.len() <= FEW && !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Some(text.bytes().fold(0, |count, digit| count * 10 + u64::from(digit - b'0')));
    }
    let whole = text.split_once('.').filter(|(_, zero)| zero.bytes().all(|digit| digit == b'0'));
    let text = whole.map_or(text, |(whole, _)| whole);
    text.parse().ok().filter(|count| *count <= MAX_COUNT)
}

/// Dollars as billionths of a dollar, rounded to the nearest; `None` for less than nothing and for more than there are.
fn nanos(dollars: &str) -> Option<u64> {
    let (digits, exponent) = match dollars.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (dollars, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut amount: u128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()).take(40) {
        let digit = char::from(digit).to_digit(10)?;
        amount = amount.checked_mul(10)?.checked_add(digit.into())?;
    }
    let shift = exponent.checked_add(9)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let scale = 10_u128.checked_pow(shift.unsigned_abs().min(38))?;
    let nanos = if shift >= 0 { amount.checked_mul(scale)? } else { (amount + scale / 2) / scale };
    u64::try_from(nanos).ok()
}

/// The answer to a key under usage node `base`.
pub(crate) fn want(base: Node, level: Node, wanted: bool) -> Want {
    if wanted && level < LEVELS { Want::Take(base + level + 1) } else { Want::Skip }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_numbers() {
        for (text, expected) in [
            ("0", Some(0)),
            ("12", Some(12)),
            ("12.0", Some(12)),
            ("9007199254740992", Some(1 << 53)),
            ("9007199254740993", None),
            ("-1", None),
            ("1.5", None),
            ("1e3", None),
        ] {
            assert_eq!(count(text), expected, "{text}");
        }
    }

    #[test]
    fn dollars_become_nano_dollars() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1", Some(1_000_000_000)),
            ("0.0000157500", Some(15_750)),
            ("1.575e-05", Some(15_750)),
            ("0.00000000049", Some(0)),
            ("0.0000000005", Some(1)),
            ("2.5E1", Some(25_000_000_000)),
            ("-0.1", None),
            ("1e30", None),
            ("1e-4000000000", None),
            ("1e-400", Some(0)),
        ] {
            assert_eq!(nanos(text), expected, "{text}");
        }
    }

    #[test]
    fn reasoning_that_is_apart_is_included() {
        let usage = |output, reasoning, total| Usage {
            input_tokens: Some(32),
            output_tokens: Some(output),
            reasoning_tokens: Some(reasoning),
            provider_total_tokens: Some(total),
            ..Usage::default()
        };
        for (output, reasoning, total, expected) in [(9, 310, 351, 319), (319, 310, 351, 319), (9, 0, 41, 9)] {
            let mut usage = usage(output, reasoning, total);
            include_reasoning(&mut usage);
            assert_eq!(usage.output_tokens, Some(expected));
        }
    }
}
