//! Which rows are worth reading at a run of letters and digits: a handful of bits each, computed when the program is
//! compiled, so that most runs are told from all identifiers in a few nanoseconds.

use super::form::{Before, Follow, Gate, LONGEST, LONGEST_BEFORE, gate};
use super::row::{Needs, Row};
use super::table;

/// Rows of all tables, one behind the other.
pub(super) static ROWS: [Row; COUNT] = flatten();
const COUNT: usize = count();

/// Each row has two bits: bare and grouped.
const BITS: usize = 2 * COUNT;
const WORDS: usize = BITS.div_ceil(64);
type Set = [u64; WORDS];

/// Longest lead, digits and run that any row has; what is longer is in no set.
const LEADS: usize = 24;
const DIGITS: usize = 24;
const RUNS: usize = 25;
const FOLLOWS: usize = 5;
const BEFORES: usize = 1 + 2 * LONGEST_BEFORE;
const NEXTS: usize = LONGEST + 1;

/// A lead, digits and a run that are all the same digits are most of what is asked: their sets are one.
static BY_PLAIN: [Set; DIGITS] = plain();
static BY_LEAD: [Set; LEADS] = sets::<LEADS>(Part::Lead);
static BY_DIGITS: [Set; DIGITS] = sets::<DIGITS>(Part::Digits);
static BY_RUN: [Set; RUNS] = sets::<RUNS>(Part::Run);
static BY_FOLLOW: [[Set; NEXTS]; FOLLOWS] = follows();
static BY_BEFORE: [Set; BEFORES] = sets::<BEFORES>(Part::Before);
static POSSIBLE: [[bool; FOLLOWS]; DIGITS] = possible();
/// For every bit the groups that stand before the run.
static GROUPS_BEFORE: [usize; BITS] = groups_before();
/// For every row whether its form has digits alone, beside separators.
static DIGITS_ALONE: [bool; COUNT] = digits_alone();

/// A row and how to read it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) row: &'static Row,
    pub(super) grouped: bool,
    pub(super) groups_before: usize,
    /// The form is digits alone, and so is the run: it fits.
    pub(super) fits: bool,
}

/// Whether any row begins with so many digits, nothing of interest before them and this behind them.
#[inline]
pub(super) fn is_possible(digits: usize, follow: Follow) -> bool {
    POSSIBLE.get(digits).and_then(|follows| follows.get(follow as usize)) == Some(&true)
}

/// What a run of letters and digits looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Letters before its first digit.
    pub(super) lead: usize,
    /// Digits from there on.
    pub(super) digits: usize,
    /// All of it.
    pub(super) run: usize,
    pub(super) before: Before,
    pub(super) follow: Follow,
    /// Letters and digits behind the separator that follows.
    pub(super) next: usize,
}

/// The readings that are possible for a run.
#[inline]
pub(super) fn readings(shape: Shape) -> Readings {
    const NONE: &Set = &[0; WORDS];
    let mut left = if shape.lead == 0 && shape.digits == shape.run {
        *BY_PLAIN.get(shape.run).unwrap_or(NONE)
    } else {
        let (lead, digits) = (BY_LEAD.get(shape.lead).unwrap_or(NONE), BY_DIGITS.get(shape.digits).unwrap_or(NONE));
        both(BY_RUN.get(shape.run).unwrap_or(NONE), &both(lead, digits))
    };
    let follow = BY_FOLLOW.get(shape.follow as usize).and_then(|nexts| nexts.get(shape.next)).unwrap_or(NONE);
    let before = BY_BEFORE.get(shape.before.place()).unwrap_or(NONE);
    for ((bits, follow), before) in left.iter_mut().zip(follow).zip(before) {
        *bits &= follow & before;
    }
    Readings { left, word: 0, plain: shape.lead == 0 && shape.digits == shape.run }
}

/// See [`readings`].
#[derive(Debug)]
pub(super) struct Readings {
    left: Set,
    word: usize,
    plain: bool,
}

impl Iterator for Readings {
    type Item = Reading;

    #[inline]
    fn next(&mut self) -> Option<Reading> {
        loop {
            let bits = self.left.get_mut(self.word)?;
            let bit = bits.trailing_zeros();
            match bits.checked_sub(1) {
                Some(less) => {
                    *bits &= less;
                    return reading(self.word * 64 + bit as usize, self.plain);
                }
                None => self.word += 1,
            }
        }
    }
}

#[expect(clippy::indexing_slicing, reason = "within the length of both")]
const fn both(one: &Set, other: &Set) -> Set {
    let mut set = [0; WORDS];
    let mut word = 0;
    while word < WORDS {
        set[word] = one[word] & other[word];
        word += 1;
    }
    set
}

#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn plain() -> [Set; DIGITS] {
    let (leads, digits, runs) = (sets::<LEADS>(Part::Lead), sets::<DIGITS>(Part::Digits), sets::<RUNS>(Part::Run));
    let mut plain = [[0; WORDS]; DIGITS];
    let mut count = 0;
    while count < DIGITS {
        plain[count] = both(&leads[0], &both(&digits[count], &runs[count]));
        count += 1;
    }
    plain
}

#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn possible() -> [[bool; FOLLOWS]; DIGITS] {
    let (plain, follows, before) = (plain(), sets::<FOLLOWS>(Part::Follow), sets::<BEFORES>(Part::Before));
    let mut possible = [[false; FOLLOWS]; DIGITS];
    let mut digits = 0;
    while digits < DIGITS {
        let mut follow = 0;
        while follow < FOLLOWS {
            let set = both(&plain[digits], &both(&follows[follow], &before[0]));
            let mut word = 0;
            while word < WORDS {
                possible[digits][follow] |= set[word] != 0;
                word += 1;
            }
            follow += 1;
        }
        digits += 1;
    }
    possible
}

#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn follows() -> [[Set; NEXTS]; FOLLOWS] {
    let (follows, nexts) = (sets::<FOLLOWS>(Part::Follow), sets::<NEXTS>(Part::Next));
    let mut table = [[[0; WORDS]; NEXTS]; FOLLOWS];
    let mut follow = 0;
    while follow < FOLLOWS {
        let mut next = 0;
        while next < NEXTS {
            table[follow][next] = both(&follows[follow], &nexts[next]);
            next += 1;
        }
        follow += 1;
    }
    table
}

fn reading(bit: usize, plain: bool) -> Option<Reading> {
    let row = ROWS.get(bit / 2)?;
    Some(Reading {
        row,
        grouped: bit % 2 == 1,
        groups_before: *GROUPS_BEFORE.get(bit)?,
        fits: plain && *DIGITS_ALONE.get(bit / 2)?,
    })
}

#[derive(Clone, Copy)]
enum Part {
    Lead,
    Digits,
    Run,
    Follow,
    Next,
    Before,
}

#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn count() -> usize {
    let (mut count, mut index) = (0, 0);
    while index < table::ALL.len() {
        count += table::ALL[index].len();
        index += 1;
    }
    count
}

#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn flatten() -> [Row; COUNT] {
    let mut rows = [table::ALL[0][0]; COUNT];
    let (mut place, mut index) = (0, 0);
    while index < table::ALL.len() {
        let mut row = 0;
        while row < table::ALL[index].len() {
            rows[place] = table::ALL[index][row];
            place += 1;
            row += 1;
        }
        index += 1;
    }
    rows
}

/// The gate of a bit; nothing where the row is not accepted so.
#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn gate_of(bit: usize, rows: &[Row; COUNT]) -> Option<Gate> {
    let row = &rows[bit / 2];
    let grouped = bit % 2 == 1;
    let needs = if grouped { row.grouped } else { row.bare };
    if matches!(needs, Needs::Never) || (grouped && !has_groups(row.form.as_bytes())) {
        return None;
    }
    Some(gate(row.form, row.gaps, grouped))
}

#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn has_groups(form: &[u8]) -> bool {
    let mut index = 0;
    while index < form.len() {
        if !form[index].is_ascii_alphanumeric() && form[index] != b'?' {
            return true;
        }
        index += 1;
    }
    false
}

#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn sets<const N: usize>(part: Part) -> [Set; N] {
    let rows = flatten();
    let mut sets = [[0u64; WORDS]; N];
    let mut bit = 0;
    while bit < BITS {
        if let Some(gate) = gate_of(bit, &rows) {
            let (first, last) = match part {
                Part::Lead => gate.lead,
                Part::Digits => gate.digits,
                Part::Run => gate.run,
                Part::Follow => (0, FOLLOWS - 1),
                Part::Next => gate.next,
                Part::Before => (0, BEFORES - 1),
            };
            let mut value = first;
            while value <= last {
                let may = match part {
                    Part::Follow => gate.follow & 1 << value != 0,
                    Part::Before => gate.preceded & 1 << value != 0,
                    _ => true,
                };
                if may {
                    sets[value][bit / 64] |= 1 << (bit % 64);
                }
                value += 1;
            }
        }
        bit += 1;
    }
    sets
}

#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn digits_alone() -> [bool; COUNT] {
    let rows = flatten();
    let mut alone = [true; COUNT];
    let mut row = 0;
    while row < COUNT {
        let form = rows[row].form.as_bytes();
        let mut index = 0;
        while index < form.len() {
            if form[index].is_ascii_alphabetic() || matches!(form[index], b'0'..=b'8') {
                alone[row] = false;
            }
            index += 1;
        }
        row += 1;
    }
    alone
}

#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn groups_before() -> [usize; BITS] {
    let rows = flatten();
    let mut groups = [0; BITS];
    let mut bit = 0;
    while bit < BITS {
        if let Some(gate) = gate_of(bit, &rows) {
            groups[bit] = gate.groups_before;
        }
        bit += 1;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_are_worth_reading() {
        let shape = |digits, run, before, follow| Shape { lead: 0, digits, run, before, follow, next: 2 };
        let count = |shape| readings(shape).count();
        assert_eq!(count(shape(1, 1, Before::Other, Follow::Other)), 0, "a single digit");
        assert!(!is_possible(1, Follow::Other) && !is_possible(4, Follow::Other) && is_possible(9, Follow::Other));
        assert_eq!(count(shape(23, 40, Before::Other, Follow::Other)), 0, "a hash");
        assert!(count(shape(4, 4, Before::Other, Follow::MarkDigit)) < 8, "a year of a date");
        assert!(count(shape(2, 2, Before::Space(3), Follow::SpaceLetter)) < 6, "a small number in a sentence");
        let mut rows = readings(shape(8, 9, Before::Other, Follow::Other));
        assert!(rows.any(|reading| reading.row.kind == crate::kind::Kind::ES_NIF));
    }
}
