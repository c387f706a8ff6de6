//! Rules of the user: patterns and lists of terms, each with the type that it finds.
//!
//! Lists of terms are the way to names of people, products and places: what is in the list is found, and nothing that
//! only looks like it. Whoever has a model for names writes a redactor component of their own.

use crate::allow::Allow;
use crate::candidate::{Candidate, Proof};
use crate::identifier::check;
use crate::kind::{Kind, Kinds};
use crate::luhn;
use crate::text::{Text, cut, is_word};
use aho_corasick::automaton::Automaton as _;
use aho_corasick::nfa::noncontiguous::NFA;
use aho_corasick::{Input, MatchKind};
use regex_lite::{Regex, RegexBuilder};

/// How far before a value its keyword may begin, in bytes.
const KEYWORD_WINDOW: usize = 64;
/// Most memory that one compiled pattern may take, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// A rule as the configuration describes it.
pub(crate) struct Description<'a> {
    pub(crate) kind: &'a str,
    pub(crate) pattern: Option<&'a str>,
    pub(crate) terms: Vec<&'a str>,
    pub(crate) keywords: Vec<&'a str>,
    pub(crate) allow: Vec<&'a str>,
    pub(crate) max_length: usize,
    pub(crate) validator: Option<Validator>,
}

/// A check over the letters and digits of a value; everything else in it is left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validator(Check);

type Check = fn(&[u8]) -> bool;

/// The checks by their names.
const VALIDATORS: &[(&str, Check)] = &[
    ("luhn", |value| luhn::passes(value.iter().copied().filter(u8::is_ascii_digit))),
    ("verhoeff", check::verhoeff),
    ("mod_11_2", check::mod_11_2),
    ("mod_11_10", check::mod_11_10),
    ("mod_97_10", |value| check::remainder_97(value) == 1),
];

impl Validator {
    /// The names, for messages.
    pub(crate) fn names() -> String {
        VALIDATORS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// The validator with that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        VALIDATORS.iter().find(|(known, _)| *known == name).map(|(_, check)| Self(*check))
    }

    fn passes(self, value: &[u8]) -> bool {
        let plain = value.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_uppercase);
        (self.0)(&plain.collect::<Vec<u8>>())
    }
}

/// All rules of a configuration, and the types that they introduce.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    names: Vec<String>,
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    kind: Kind,
    matcher: Matcher,
    keywords: Option<Words>,
    allow: Allow,
    validator: Option<Validator>,
}

#[derive(Clone, Debug)]
enum Matcher {
    Pattern { pattern: Regex, max_length: usize },
    Terms(Box<Words>),
}

/// Words that are looked for in any case of ASCII letters.
#[derive(Clone, Debug)]
struct Words {
    automaton: NFA,
    /// In small letters, sorted.
    sorted: Vec<Vec<u8>>,
    longest: usize,
}

impl Rules {
    /// Adds a rule.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(crate) fn add(&mut self, description: &Description<'_>) -> Result<(), String> {
        let matcher = match description.pattern {
            Some(pattern) => Matcher::Pattern { pattern: compile(pattern)?, max_length: description.max_length },
            None => Matcher::Terms(Box::new(Words::new(&description.terms)?)),
        };
        let keywords = match description.keywords.as_slice() {
            [] => None,
            words => Some(Words::new(words)?),
        };
        let kind = Kind::from_name(description.kind).or_else(|| self.kind(description.kind));
        let kind = kind.unwrap_or_else(|| {
            self.names.push(description.kind.to_owned());
            Kind::of_user(u16::try_from(self.names.len() - 1).unwrap_or(u16::MAX))
        });
        let allow = Allow::new(description.allow.iter().copied());
        self.rules.push(Rule { kind, matcher, keywords, allow, validator: description.validator });
        Ok(())
    }

    /// The types that rules introduced, in the order of their numbers.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Kind> + use<> {
        (0..self.names.len()).map(|place| Kind::of_user(u16::try_from(place).unwrap_or(u16::MAX)))
    }

    /// Their names.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of a type that a rule introduced; empty for others.
    pub(crate) fn name(&self, kind: Kind) -> &str {
        let named = self.kinds().zip(&self.names).find(|(own, _)| *own == kind);
        named.map_or("", |(_, name)| name)
    }

    /// The type with that name.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        self.kinds().zip(&self.names).find(|(_, own)| *own == name).map(|(kind, _)| kind)
    }

    /// Adds what is found from byte `from` on. Gives the place before which nothing more can be found, whatever
    /// follows the text.
    pub(crate) fn scan(&self, text: &Text<'_>, from: usize, wanted: &Kinds, found: &mut Vec<Candidate>) -> usize {
        let rules = self.rules.iter().filter(|rule| wanted.has(rule.kind));
        rules.map(|rule| rule.scan(text, from, found)).min().unwrap_or(text.len())
    }
}

impl Rule {
    fn scan(&self, text: &Text<'_>, from: usize, found: &mut Vec<Candidate>) -> usize {
        let decided = match &self.matcher {
            Matcher::Pattern { max_length, .. } => self.decided(text, *max_length),
            Matcher::Terms(words) => words.unfinished(text),
        };
        let mut place = from;
        while let Some((start, end)) = self.next(text, place) {
            if start >= decided {
                break;
            }
            let accepted = self.accepts(text, start, end);
            if accepted {
                let rule = if self.keywords.is_some() { "a rule of yours, with a keyword" } else { "a rule of yours" };
                let proof = if self.validator.is_some() { Proof::Checked } else { Proof::Named };
                found.push(Candidate { kind: self.kind, start, end, proof, rule });
            }
            place = if accepted { end } else { start + 1 };
        }
        decided
    }

    /// The next place that the matcher likes, from `place` on.
    fn next(&self, text: &Text<'_>, mut place: usize) -> Option<(usize, usize)> {
        match &self.matcher {
            Matcher::Terms(words) => words.find(text.bytes(), place),
            Matcher::Pattern { pattern, max_length } => {
                let whole = std::str::from_utf8(text.bytes()).ok()?;
                loop {
                    let start = pattern.find_at(whole, whole.ceil_char_boundary(place))?.start();
                    // A value longer than the limit is none, in a stream and in a whole text alike.
                    let window = whole.get(..whole.floor_char_boundary(start + max_length))?;
                    match pattern.find_at(window, start) {
                        Some(found) if found.start() == start && found.end() > start => {
                            return Some((start, found.end()));
                        }
                        _ => place = start + 1,
                    }
                    if place > text.len() {
                        return None;
                    }
                }
            }
        }
    }

    fn accepts(&self, text: &Text<'_>, start: usize, end: usize) -> bool {
        let value = cut(text.bytes(), start, end);
        let named = self.keywords.as_ref().is_none_or(|words| words.begins_before(text.bytes(), start));
        named && !self.allow.has(value) && self.validator.is_none_or(|validator| validator.passes(value))
    }

    /// The place before which a pattern finds what it finds, whatever follows.
    fn decided(&self, text: &Text<'_>, max_length: usize) -> usize {
        if !text.is_beginning() {
            return text.len();
        }
        let decided = text.len().saturating_sub(max_length + 1);
        let Some(words) = &self.keywords else { return decided };
        // Without a keyword nothing can be found, so nothing waits.
        match words.first_from(text.bytes(), decided.saturating_sub(KEYWORD_WINDOW)) {
            Some(keyword) => decided.max(keyword),
            None => words.unfinished(text),
        }
    }
}

impl Words {
    fn new(words: &[&str]) -> Result<Self, String> {
        let mut sorted: Vec<Vec<u8>> = words.iter().map(|word| word.to_ascii_lowercase().into_bytes()).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let automaton = NFA::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(&sorted)
            .map_err(|error| error.to_string())?;
        let longest = sorted.iter().map(Vec::len).max().unwrap_or(0);
        Ok(Self { automaton, sorted, longest })
    }

    /// The next word from `place` on that stands by itself: an ASCII letter, digit or underscore at its ends must not
    /// go on outside.
    fn find(&self, bytes: &[u8], mut place: usize) -> Option<(usize, usize)> {
        loop {
            let found = self.first(bytes, place)?;
            let (start, end) = (found.start(), found.end());
            let word = |place: usize| bytes.get(place).is_some_and(|byte| is_word(*byte));
            let inside = |place: usize| place > 0 && word(place - 1) && word(place);
            if !inside(start) && !inside(end) {
                return Some((start, end));
            }
            place = start + 1;
        }
    }

    /// Where the first word begins that begins at `from` or later.
    fn first_from(&self, bytes: &[u8], from: usize) -> Option<usize> {
        self.first(bytes, from).map(|found| found.start())
    }

    fn first(&self, bytes: &[u8], from: usize) -> Option<aho_corasick::Match> {
        // An automaton that finds leftmost matches of a plain search refuses nothing.
        self.automaton.try_find(&Input::new(bytes).range(from.min(bytes.len())..)).ok().flatten()
    }

    /// Whether a word begins within the window before `start`, or with it.
    fn begins_before(&self, bytes: &[u8], start: usize) -> bool {
        self.first_from(bytes, start.saturating_sub(KEYWORD_WINDOW)).is_some_and(|word| word <= start)
    }

    /// Where the last part of the text begins that may become a word with what follows; the end where none may.
    fn unfinished(&self, text: &Text<'_>) -> usize {
        if !text.is_beginning() {
            return text.len();
        }
        let from = text.len().saturating_sub(self.longest);
        let inside = |place: usize| {
            let word = |place: usize| text.bytes().get(place).is_some_and(|byte| is_word(*byte));
            place > 0 && word(place - 1) && word(place)
        };
        let starts = |place: &usize| {
            if inside(*place) {
                return false;
            }
            let tail = cut(text.bytes(), *place, text.len()).to_ascii_lowercase();
            let next = self.sorted.partition_point(|word| word.as_slice() < tail.as_slice());
            self.sorted.get(next).is_some_and(|word| word.starts_with(&tail))
        };
        (from..text.len()).find(starts).unwrap_or(text.len())
    }
}

/// Classes such as `\d` and `\w`, `\b` and case are those of ASCII, as everywhere here.
fn compile(pattern: &str) -> Result<Regex, String> {
    let regex = RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build();
    let regex = regex.map_err(|error| format!("cannot be used: {error}"))?;
    if regex.is_match("") {
        return Err("must not match an empty text".to_owned());
    }
    Ok(regex)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(description: Description<'_>) -> Rules {
        let mut rules = Rules::default();
        rules.add(&description).unwrap();
        rules
    }

    fn pattern<'a>(pattern: &'a str, keywords: &[&'a str], max_length: usize) -> Description<'a> {
        Description {
            kind: "OWN",
            pattern: Some(pattern),
            terms: Vec::new(),
            keywords: keywords.to_vec(),
            allow: vec!["E-000000"],
            max_length,
            validator: None,
        }
    }

    fn terms<'a>(terms: &[&'a str]) -> Description<'a> {
        let terms = terms.to_vec();
        Description {
            kind: "OWN",
            pattern: None,
            terms,
            keywords: vec![],
            allow: vec![],
            max_length: 64,
            validator: None,
        }
    }

    fn found<'a>(rules: &Rules, text: &'a str) -> Vec<&'a str> {
        let mut found = Vec::new();
        let wanted = Kinds::of(rules.kinds());
        rules.scan(&Text::whole(text.as_bytes()), 0, &wanted, &mut found);
        found.into_iter().map(|candidate| &text[candidate.start..candidate.end]).collect()
    }

    #[test]
    fn patterns_find_what_they_describe() {
        let badge = rules(pattern(r"\bE-[0-9]{6}\b", &[], 64));
        assert_eq!(found(&badge, "E-123456, E-000000, xE-123456, E-1234567, 工号E-654321"), ["E-123456", "E-654321"]);
        let named = rules(pattern("[0-9]{6}", &["badge", "工号"], 64));
        let far = format!("badge {} 123456", "x".repeat(70));
        assert_eq!(found(&named, "Badge 123456 and 工号：654321"), ["123456", "654321"]);
        assert_eq!(found(&named, &far), [""; 0]);
        assert_eq!(found(&named, "123456 badge"), [""; 0]);
        let long = rules(pattern("a+", &[], 4));
        assert_eq!(found(&long, "baaab baaaaaaaaab"), ["aaa", "aaaa", "aaaa", "a"]);
    }

    #[test]
    fn validators_decide() {
        // Each a number that passes, and the same with another last digit.
        for (name, passes, fails) in [
            ("luhn", "79927398713", "79927398710"),
            ("verhoeff", "2363", "2364"),
            ("mod_11_2", "07940", "07941"),
            ("mod_11_10", "07945", "07946"),
            ("mod_97_10", "79444", "79445"),
        ] {
            let mut description = pattern(r"\b[0-9]{4,16}\b", &[], 64);
            description.validator = Validator::from_name(name);
            assert_eq!(found(&rules(description), &format!("{passes} {fails}")), [passes], "{name}");
        }
        assert!(Validator::from_name("sum").is_none());
    }

    #[test]
    fn terms_are_found_as_whole_words() {
        let names = rules(terms(&["Ann Miller", "Ann", "张楠"]));
        assert_eq!(found(&names, "ann miller met Ann, Annabel and 张楠。"), ["ann miller", "Ann", "张楠"]);
    }

    #[test]
    fn what_may_still_become_a_value_is_told() {
        let decided = |rules: &Rules, text: &str| {
            rules.scan(&Text::beginning(text.as_bytes()), 0, &Kinds::of(rules.kinds()), &mut Vec::new())
        };
        let names = rules(terms(&["Ann Miller"]));
        assert_eq!(decided(&names, "say an"), 4);
        assert_eq!(decided(&names, "say Ann Miller"), 4);
        assert_eq!(decided(&names, "say Anna"), 8);
        let badge = rules(pattern("[0-9]{6}", &["badge"], 10));
        assert_eq!(decided(&badge, "nothing of interest here"), 24);
        assert_eq!(decided(&badge, "nothing of interest bad"), 20);
        assert_eq!(decided(&badge, "the badge of somebody 123"), 14);
    }

    #[test]
    fn patterns_that_cannot_be_used_are_refused() {
        for given in ["(", "a*", "[", "(?:(?:a{1000}){1000})"] {
            let mut rules = Rules::default();
            assert!(rules.add(&pattern(given, &[], 64)).is_err(), "{given}");
        }
    }
}
