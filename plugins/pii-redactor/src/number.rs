//! A number as people write it: groups of digits with single separators between.
//!
//! Cards, telephone numbers and social security numbers are all read from this one form, so that a digit run is
//! looked at once.

use crate::text::{Text, at, before, run_end, slice, starts_token};

/// More groups than any number of interest has (`+49 (0) 30 12 34 56 78` has seven).
const MAX_GROUPS: usize = 9;
/// More digits than any number of interest has; the longest card has 19.
const MAX_DIGITS: usize = 34;

/// Digits of an area code or trunk prefix in parentheses.
const MAX_BRACKETED: usize = 5;

/// One run of digits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Group {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What stands before the group, inside the number.
    pub(crate) gap: Gap,
}

impl Group {
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }
}

/// What stands between two groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Nothing: the first group.
    #[default]
    First,
    /// One space.
    Space,
    /// One hyphen.
    Hyphen,
    /// One full stop.
    Dot,
    /// A parenthesis that opens, closes, or both, with at most one separator.
    Paren,
}

/// Groups that start at one digit run, as far as they go.
#[derive(Debug)]
pub(crate) struct Number<'a> {
    pub(crate) text: &'a Text<'a>,
    groups: [Group; MAX_GROUPS],
    count: usize,
    /// `+` before the first group or before its parenthesis.
    pub(crate) plus: bool,
    /// The first group stands in parentheses.
    pub(crate) paren: bool,
    /// The first group follows a digit, a placeholder or a mask and one space: the number may be the tail of a longer
    /// row of numbers.
    pub(crate) in_row: bool,
}

impl<'a> Number<'a> {
    /// Reads the number whose first digit is at `start`. `first_end` is the end of that digit run.
    pub(crate) fn read(text: &'a Text<'a>, start: usize, first_end: usize) -> Self {
        let paren = before(text, start, 1) == b'(' && {
            let close = at(text, first_end);
            close == b')'
        };
        let lead = start - usize::from(paren);
        let plus = before(text, lead, 1) == b'+';
        let outer = lead - usize::from(plus);
        let in_row = match (before(text, outer, 1), before(text, outer, 2)) {
            (b' ', b'0'..=b'9' | b'>' | b'*') => true,
            (b')', digit) => digit.is_ascii_digit(),
            (b' ', b')') => before(text, outer, 3).is_ascii_digit(),
            _ => false,
        };
        let mut number = Self { text, groups: [Group::default(); MAX_GROUPS], count: 0, plus, paren, in_row };
        number.collect(start, first_end, paren);
        number
    }

    fn collect(&mut self, start: usize, first_end: usize, mut open: bool) {
        let (mut start, mut end, mut gap, mut digits) = (start, first_end, Gap::First, 0);
        while let Some(slot) = self.groups.get_mut(self.count) {
            *slot = Group { start, end, gap };
            self.count += 1;
            digits += end - start;
            if digits > MAX_DIGITS {
                return;
            }
            let Some((next, next_gap)) = separator(self.text, end, &mut open) else { return };
            gap = next_gap;
            start = next;
            end = digits_end(self.text, next);
        }
    }

    /// Where the finding starts: at the sign, the parenthesis or the first digit.
    pub(crate) fn start(&self) -> usize {
        let first = self.groups().first().map_or(0, |group| group.start);
        first - usize::from(self.paren) - usize::from(self.plus)
    }

    /// Whether the number is not the tail of a longer token.
    pub(crate) fn starts_token(&self) -> bool {
        let start = self.start();
        // A parenthesis sets a number apart from a word (`Fax(415) 555-0132`), not from another number.
        let bracketed = self.paren && !self.plus && before(self.text, start, 1).is_ascii_alphabetic();
        bracketed || starts_token(self.text, start)
    }

    pub(crate) fn groups(&self) -> &[Group] {
        self.groups.get(..self.count).unwrap_or(&[])
    }

    /// The first `count` groups.
    pub(crate) fn head(&self, count: usize) -> &[Group] {
        self.groups.get(..count.min(self.count)).unwrap_or(&[])
    }

    /// Whether another group follows the first `count`, and with which gap.
    pub(crate) fn gap_after(&self, count: usize) -> Option<Gap> {
        self.groups().get(count).map(|group| group.gap)
    }

    /// Digits of one group.
    pub(crate) fn digits(&self, group: Group) -> &'a [u8] {
        slice(self.text, group.start, group.end)
    }
}

/// End of the digit run at `start`.
pub(crate) fn digits_end(text: &Text<'_>, start: usize) -> usize {
    run_end(text, start, usize::MAX, |byte| byte.is_ascii_digit())
}

/// Start of the next group behind `end`, where one separator leads to it.
fn separator(text: &Text<'_>, end: usize, open: &mut bool) -> Option<(usize, Gap)> {
    let mut place = end;
    let mut gap = None;
    if *open && at(text, place) == b')' {
        *open = false;
        gap = Some(Gap::Paren);
        place += 1;
    }
    let plain = match at(text, place) {
        b' ' => Some(Gap::Space),
        b'-' => Some(Gap::Hyphen),
        b'.' => Some(Gap::Dot),
        _ => None,
    };
    if let Some(plain) = plain {
        gap = gap.or(Some(plain));
        place += 1;
    }
    if !*open && at(text, place) == b'(' {
        let digits = run_end(text, place + 1, MAX_BRACKETED, |byte| byte.is_ascii_digit());
        if at(text, digits) != b')' {
            return None;
        }
        *open = true;
        gap = Some(Gap::Paren);
        place += 1;
    }
    at(text, place).is_ascii_digit().then_some(())?;
    gap.map(|gap| (place, gap))
}

/// The value of a few digits.
pub(crate) fn value(digits: &[u8]) -> u32 {
    digits.iter().fold(0u32, |sum, digit| sum.wrapping_mul(10).wrapping_add(u32::from(digit.wrapping_sub(b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_read_with_what_stands_between() {
        let cases: &[(&str, usize, &[usize], bool, bool)] = &[
            ("4111 1111 1111 1111", 0, &[4, 4, 4, 4], false, false),
            ("+1 (415) 555-0132", 1, &[1, 3, 3, 4], true, false),
            ("(415)555.0132", 1, &[3, 3, 4], false, true),
            ("+41 (0)71 526 99 04", 1, &[2, 1, 2, 3, 2, 2], true, false),
            ("12  34", 0, &[2], false, false),
            ("(12 34", 1, &[2, 2], false, false),
        ];
        for (text, start, lengths, plus, paren) in cases {
            let whole = Text::whole(text.as_bytes());
            let number = Number::read(&whole, *start, digits_end(&whole, *start));
            let found: Vec<usize> = number.groups().iter().map(Group::len).collect();
            assert_eq!((&found[..], number.plus, number.paren), (*lengths, *plus, *paren), "{text}");
        }
    }

    #[test]
    fn rows_of_numbers_and_endless_numbers_stay_bounded() {
        let row = "1 ".repeat(1000);
        assert_eq!(Number::read(&Text::whole(row.as_bytes()), 0, 1).groups().len(), MAX_GROUPS);
        let whole = Text::whole(row.as_bytes());
        let number = Number::read(&whole, 2, 3);
        assert!(number.in_row);
    }
}
