//! Numbers that states and institutions give to people, vehicles and organisations.
//!
//! [`table`] says how each is written and what it needs; `check` computes check digits; `index` tells quickly which
//! rows a run of letters and digits may be. What no row can say has a file of its own.

pub(crate) mod check;
mod cn_plate;
mod date_of_birth;
mod form;
mod index;
mod lettered;
mod nearby;
mod post_code;
mod row;
mod table;

use crate::candidate::{Candidate, Proof};
use crate::kind::{Kind, Kinds};
use crate::number::digits_end;
use crate::text::{Text, at, before, run_end, run_start, slice, starts_token};
use crate::{crypto, mac};
pub(crate) use lettered::find_behind;

use form::{Before, Follow, LONGEST, LONGEST_BEFORE, Value};
use index::{Reading, Shape};
use nearby::{Named, Nearby};
use row::Needs;
use std::cmp::Reverse;

/// Longest group of letters before the group with the first digit.
const LONGEST_GROUP: usize = 6;

/// A run of letters and digits in which an identifier may begin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// First byte of the run.
    pub(crate) start: usize,
    /// First digit in it.
    pub(crate) first_digit: usize,
    /// One past its last byte.
    pub(crate) end: usize,
}

/// The identifier that begins with the run, or with what stands before it: the one that words and checks say most of.
pub(crate) fn find(text: &Text<'_>, run: Run, wanted: &Kinds) -> Option<Candidate> {
    let starts = starts(text, run.start);
    let found = in_table(text, run, starts, wanted).or_else(|| match run.end - run.start {
        1..=8 if starts && run.start == run.first_digit => date_of_birth::find(text, run).or_else(|| short(text, run)),
        1..=7 => short(text, run),
        26.. => crypto::find(text, run.start, run.end),
        _ => None,
    });
    found.filter(|found| wanted.has(found.kind))
}

/// The best of the rows of the tables.
fn in_table(text: &Text<'_>, run: Run, starts: bool, wanted: &Kinds) -> Option<Candidate> {
    let before = preceding(text, run.start);
    if !starts && before.place() == 0 {
        return None;
    }
    let follow = follow(text, run.end);
    let digits = digits_end(text, run.first_digit) - run.first_digit;
    let plain = digits == run.end - run.start;
    if plain && before.place() == 0 && !index::is_possible(digits, follow) {
        return None;
    }
    let next = match follow {
        Follow::Other => 0,
        _ => run_end(text, run.end + 1, LONGEST, |byte| byte.is_ascii_alphanumeric()) - run.end - 1,
    };
    let shape = Shape { lead: run.first_digit - run.start, digits, run: run.end - run.start, before, follow, next };
    let mut bare: Option<Option<Place>> = None;
    let mut seen: Option<(usize, usize, Nearby<'_, '_>)> = None;
    let mut best: Option<(Rank, Candidate)> = None;
    for reading in index::readings(shape) {
        let row = reading.row;
        if !wanted.has(row.kind) || (reading.groups_before == 0 && !starts) {
            continue;
        }
        let place = if reading.grouped {
            grouped(text, run, reading)
        } else {
            let bare = bare.get_or_insert_with(|| Place::bare(text, run));
            bare.filter(|place| {
                (reading.fits || form::fits_bare(place.value.get(), row.form)) && (row.check)(place.value.get())
            })
        };
        let Some(place) = place else { continue };
        let Place { start, end, .. } = place;
        if seen.as_ref().is_none_or(|(from, to, _)| (*from, *to) != (start, end)) {
            seen = Some((start, end, Nearby::of(text, start, end)));
        }
        let Some(named) = seen.as_mut().and_then(|(.., nearby)| evidence(reading, &place, nearby)) else { continue };
        let proof = if named.is_some() { row.proof.max(Proof::Named) } else { row.proof };
        let rank = Rank::of(named, proof, end - start);
        if best.as_ref().is_none_or(|(better, _)| rank > *better) {
            best = Some((rank, Candidate { kind: row.kind, start, end, proof, rule: row.rule }));
        }
    }
    best.map(|(_, found)| found)
}

/// A value and where it stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    value: Value,
    start: usize,
    end: usize,
    /// The separator between its groups; 0 where there is none.
    gap: u8,
}

impl Place {
    /// The whole run, where it is a whole token.
    fn bare(text: &Text<'_>, run: Run) -> Option<Self> {
        let value = Value::of(slice(text, run.start, run.end))?;
        ends(text, run.end, false).then_some(Self { value, start: run.start, end: run.end, gap: 0 })
    }
}

/// Reads a row with its separators: a whole token that obeys the rules.
fn grouped(text: &Text<'_>, run: Run, reading: Reading) -> Option<Place> {
    let row = reading.row;
    let mut start = run.start;
    for _ in 0..reading.groups_before {
        let letters = run_start(text, start.checked_sub(1)?, LONGEST_GROUP, |byte| byte.is_ascii_alphabetic());
        if letters + 1 >= start {
            return None;
        }
        start = letters;
    }
    let (value, end, gap) = form::read(text, start, row.form, row.gaps)?;
    let spaced = gap == b' ';
    let whole = (row.check)(value.get()) && begins(text, start, spaced) && ends(text, end, spaced);
    whole.then_some(Place { value, start, end, gap })
}

/// The word that names the value, if one does; nothing where what the row needs is not there.
fn evidence(reading: Reading, place: &Place, nearby: &mut Nearby<'_, '_>) -> Option<Option<Named>> {
    let row = reading.row;
    let needs = if reading.grouped { row.grouped } else { row.bare };
    let named = match needs {
        Needs::Label => nearby.label(row.words).filter(|named| named.label),
        _ => nearby.named(row.words),
    };
    // What has a form alone and is written small must be led to: short words and a number are not a plate.
    let small = place.value.small && row.proof == Proof::Form;
    let words = small && place.gap == b' ' && reading.groups_before > 0;
    let enough = match needs {
        Needs::Nothing => named.is_some() || !place.value.small,
        Needs::Word => named.is_some_and(|named| if words { named.colon } else { named.label || !small }),
        Needs::Label => named.is_some(),
        Needs::Never => false,
    };
    enough.then_some(named)
}

/// What has a short run and a file of its own.
fn short(text: &Text<'_>, run: Run) -> Option<Candidate> {
    match run.end - run.start {
        2 => mac::find(text, run.start, run.end),
        4 => mac::find(text, run.start, run.end).or_else(|| cn_plate::find(text, run)),
        5 => post_code::find(text, run).or_else(|| cn_plate::find(text, run)),
        6 | 7 => cn_plate::find(text, run),
        _ => None,
    }
}

/// What is better of two readings of one place: the one with a word, the nearer word, the longer word, more words, the
/// better proof, the longer value. Of equal ones the earlier row stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    named: bool,
    distance: Reverse<usize>,
    word: usize,
    words: usize,
    proof: Proof,
    length: usize,
}

impl Rank {
    fn of(named: Option<Named>, proof: Proof, length: usize) -> Self {
        let distance = Reverse(named.map_or(0, |named| named.distance));
        let (word, words) = named.map_or((0, 0), |named| (named.length, named.words));
        Self { named: named.is_some(), distance, word, words, proof, length }
    }
}

/// What stands before a run.
#[inline]
fn preceding(text: &Text<'_>, start: usize) -> Before {
    let mark = before(text, start, 1);
    if !matches!(mark, b' ' | b'-' | b'.') {
        return Before::Other;
    }
    let letters = (2..LONGEST_BEFORE + 3).take_while(|back| before(text, start, *back).is_ascii_alphabetic()).count();
    match (mark, letters) {
        (_, 0) => Before::Other,
        (b' ', letters) => Before::Space(letters),
        (_, letters) => Before::Mark(letters),
    }
}

/// What follows a run.
#[inline]
fn follow(text: &Text<'_>, end: usize) -> Follow {
    let space = match at(text, end) {
        b' ' => true,
        b'-' | b'.' | b'/' | b'(' | b'+' | b':' => false,
        _ => return Follow::Other,
    };
    match (space, at(text, end + 1)) {
        (true, b'0'..=b'9') => Follow::SpaceDigit,
        (false, b'0'..=b'9') => Follow::MarkDigit,
        (true, b'A'..=b'Z' | b'a'..=b'z') => Follow::SpaceLetter,
        (false, b'A'..=b'Z' | b'a'..=b'z') => Follow::MarkLetter,
        _ => Follow::Other,
    }
}

/// Whether an identifier may start at `start`; one of groups set apart by spaces not behind another such group.
fn begins(text: &Text<'_>, start: usize, spaced: bool) -> bool {
    let in_row =
        spaced && before(text, start, 1) == b' ' && matches!(before(text, start, 2), b'0'..=b'9' | b'>' | b'*');
    starts(text, start) && !in_row
}

/// Whether a token may start here: not behind a percent sign of an escape or two hyphens of an option.
fn starts(text: &Text<'_>, start: usize) -> bool {
    let (last, previous) = (before(text, start, 1), before(text, start, 2));
    starts_token(text, start) && last != b'%' && !(last == b'-' && previous == b'-')
}

/// Whether an identifier may end at `end`: it is not the head of a longer token, of a file name, of an address.
fn ends(text: &Text<'_>, end: usize, spaced: bool) -> bool {
    match at(text, end) {
        b'-' | b'.' | b'/' => !at(text, end + 1).is_ascii_alphanumeric(),
        b'*' | b'%' | b'@' | b'+' | b'=' => false,
        b' ' if spaced => !matches!(at(text, end + 1), b'0'..=b'9' | b'<' | b'*'),
        other => !(other.is_ascii_alphanumeric() || other == b'_'),
    }
}

/// A candidate for a detector that has a file of its own.
fn candidate(kind: Kind, start: usize, end: usize, proof: Proof, rule: &'static str) -> Candidate {
    Candidate { kind, start, end, proof, rule }
}

#[cfg(test)]
mod tests;
