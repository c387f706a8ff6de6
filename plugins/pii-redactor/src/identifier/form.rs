//! How an identifier is written, as its issuer prints it: `AA 99 99 99 A`.
//!
//! | in a form | in the text |
//! |---|---|
//! | `A` | a letter |
//! | `9` | a digit |
//! | `X` | a letter or a digit |
//! | a small letter, another digit | that letter, small or capital; that digit |
//! | a space | one of the separators of the form, the same at every such place |
//! | another mark | that mark |
//! | `?` | the character before it may be absent |
//!
//! Every form can be read grouped, with its separators and marks, or bare, without any.

use crate::text::{Text, at};

/// Longest value without separators.
pub(super) const LONGEST: usize = 24;

/// A value without separators, in capitals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    bytes: [u8; LONGEST],
    length: usize,
    /// It has small letters.
    pub(super) small: bool,
}

impl Value {
    const EMPTY: Self = Self { bytes: [0; LONGEST], length: 0, small: false };

    fn push(&mut self, byte: u8) -> Option<()> {
        *self.bytes.get_mut(self.length)? = byte.to_ascii_uppercase();
        self.length += 1;
        self.small |= byte.is_ascii_lowercase();
        Some(())
    }

    /// The value that these characters are; nothing where they are too many.
    pub(super) fn of(characters: &[u8]) -> Option<Self> {
        let mut value = Self::EMPTY;
        characters.iter().try_for_each(|byte| value.push(*byte))?;
        Some(value)
    }

    pub(super) fn get(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

/// Reads a value of this form, with its separators and marks, at `start`: the value, where it ends, the separator.
pub(super) fn read(text: &Text<'_>, start: usize, form: &str, gaps: &str) -> Option<(Value, usize, u8)> {
    let (mut value, mut place, mut gap) = (Value::EMPTY, start, 0u8);
    for (element, optional) in elements(form) {
        let byte = at(text, place);
        let fits = if is_class(element) {
            fits(element, byte)
        } else if element != b' ' {
            byte == element
        } else if gap == 0 {
            gap = byte;
            gaps.as_bytes().contains(&byte)
        } else {
            byte == gap
        };
        if fits {
            if is_class(element) {
                value.push(byte)?;
            }
            place += 1;
        } else if !optional {
            return None;
        }
    }
    Some((value, place, gap))
}

/// Whether a value has this form without separators and marks.
pub(super) fn fits_bare(value: &[u8], form: &str) -> bool {
    let mut rest = value;
    for (element, optional) in elements(form).filter(|(element, _)| is_class(*element)) {
        match rest.split_first() {
            Some((byte, behind)) if fits(element, *byte) => rest = behind,
            _ if optional => {}
            _ => return false,
        }
    }
    rest.is_empty()
}

/// Elements of a form, and whether they may be absent.
fn elements(form: &str) -> impl Iterator<Item = (u8, bool)> + '_ {
    let form = form.as_bytes();
    let optional = |index: usize| form.get(index + 1) == Some(&b'?');
    form.iter()
        .enumerate()
        .filter(|(_, element)| **element != b'?')
        .map(move |(index, element)| (*element, optional(index)))
}

const fn is_class(element: u8) -> bool {
    element.is_ascii_alphanumeric()
}

fn fits(element: u8, byte: u8) -> bool {
    match element {
        b'A' => byte.is_ascii_alphabetic(),
        b'9' => byte.is_ascii_digit(),
        b'X' => byte.is_ascii_alphanumeric(),
        letter => byte.to_ascii_lowercase() == letter,
    }
}

/// What follows the run of letters and digits in which the first digit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Follow {
    Other,
    SpaceDigit,
    SpaceLetter,
    MarkDigit,
    MarkLetter,
}

/// What stands before that run: nothing of interest, or a short group of letters and a separator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Other,
    /// So many letters, then a space.
    Space(usize),
    /// So many letters, then another mark.
    Mark(usize),
}

/// Letters of the longest group that any form has before its first digits.
pub(super) const LONGEST_BEFORE: usize = 3;

impl Before {
    /// Its place among all: forms are told apart by it.
    pub(super) const fn place(self) -> usize {
        match self {
            Self::Space(letters) if letters <= LONGEST_BEFORE => letters,
            Self::Mark(letters) if letters <= LONGEST_BEFORE => LONGEST_BEFORE + letters,
            _ => 0,
        }
    }
}

/// Bits of what may stand before a value that starts with its run.
const ANY_BEFORE: u8 = 0b111_1111;

/// Bits of what may follow a value that ends with its run.
const ANY_FOLLOW: u8 = 0b11111;

/// What the run with the first digit must look like for a form to be worth reading: inclusive ranges.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    /// Letters before the first digit.
    pub(super) lead: (usize, usize),
    /// Digits from there on.
    pub(super) digits: (usize, usize),
    /// The whole run.
    pub(super) run: (usize, usize),
    /// Bits of [`Follow`].
    pub(super) follow: u8,
    /// Characters of the group behind what follows.
    pub(super) next: (usize, usize),
    /// Bits of the places of [`Before`].
    pub(super) preceded: u8,
    /// Groups before that run; they are of letters.
    pub(super) groups_before: usize,
}

/// The gate of a form. It may let too much through, never too little.
#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
pub(super) const fn gate(form: &str, gaps: &str, grouped: bool) -> Gate {
    let form = form.as_bytes();
    let mut gate = Gate {
        lead: (0, 0),
        digits: (0, 0),
        run: (0, 0),
        follow: ANY_FOLLOW,
        next: (0, LONGEST),
        preceded: ANY_BEFORE,
        groups_before: 0,
    };
    let (mut digit_possible, mut digit_certain, mut mixed) = (false, false, false);
    // Whether the first digits are still being counted.
    let mut counting = true;
    let mut index = 0;
    while index < form.len() {
        let element = form[index];
        index += 1;
        let optional = index < form.len() && form[index] == b'?';
        if optional {
            index += 1;
        }
        let certain = !optional as usize;
        if !is_class(element) {
            if !grouped {
                continue;
            }
            if digit_possible {
                gate.follow = follow_of(element, gaps.as_bytes(), form[index]);
                gate.next = group(form, index);
                break;
            }
            gate.groups_before += 1;
            gate.preceded = before_of(element, gaps.as_bytes(), gate.run);
            gate.run = (0, 0);
            gate.lead = (0, 0);
            continue;
        }
        gate.run.0 += certain;
        gate.run.1 += 1;
        match element {
            b'0'..=b'9' => {
                if counting {
                    gate.digits.0 += certain;
                    gate.digits.1 += 1;
                }
                digit_possible = true;
                digit_certain = digit_certain || !optional;
            }
            b'X' => {
                mixed = true;
                digit_possible = true;
                if !digit_certain {
                    gate.lead.1 += 1;
                }
            }
            _ => {
                if digit_possible {
                    counting = false;
                } else {
                    gate.lead.0 += certain;
                }
                if !digit_certain {
                    gate.lead.1 += 1;
                }
            }
        }
    }
    if mixed {
        gate.digits = (1, gate.run.1);
    }
    gate
}

const fn before_of(element: u8, gaps: &[u8], letters: (usize, usize)) -> u8 {
    let (space, mark) = separators(element, gaps);
    let mut bits = 0;
    let mut count = letters.0;
    while count <= letters.1 {
        if space {
            bits |= 1 << Before::Space(count).place();
        }
        if mark {
            bits |= 1 << Before::Mark(count).place();
        }
        count += 1;
    }
    bits
}

/// How long the group is that begins at `index` of the form.
#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn group(form: &[u8], mut index: usize) -> (usize, usize) {
    let mut length = (0, 0);
    while index < form.len() && is_class(form[index]) {
        let optional = index + 1 < form.len() && form[index + 1] == b'?';
        length.0 += !optional as usize;
        length.1 += 1;
        index += 1 + optional as usize;
    }
    length
}

/// Whether the element of a form may be a space, and whether another mark.
#[expect(clippy::indexing_slicing, reason = "evaluated when the program is compiled")]
const fn separators(element: u8, gaps: &[u8]) -> (bool, bool) {
    let (mut space, mut mark) = (false, element != b' ');
    let mut index = 0;
    while element == b' ' && index < gaps.len() {
        if gaps[index] == b' ' {
            space = true;
        } else {
            mark = true;
        }
        index += 1;
    }
    (space, mark)
}

const fn follow_of(element: u8, gaps: &[u8], next: u8) -> u8 {
    let (space, mark) = separators(element, gaps);
    let digit = next.is_ascii_digit() || next == b'X';
    let letter = !next.is_ascii_digit();
    // A mark is followed by a mark or by the next group; forms of two marks in a row do not exist.
    bit(space && digit, Follow::SpaceDigit)
        | bit(space && letter, Follow::SpaceLetter)
        | bit(mark && digit, Follow::MarkDigit)
        | bit(mark && letter, Follow::MarkLetter)
}

const fn bit(set: bool, follow: Follow) -> u8 {
    (set as u8) << follow as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_read_as_they_are_printed() {
        for (text, form, gaps, expected) in [
            ("AB 12 34", "AA 99 99", " -", Some(("AB1234", 8))),
            ("ab-12-34", "AA 99 99", " -", Some(("AB1234", 8))),
            ("AB 12-34", "AA 99 99", " -", None),
            ("AB1234", "AA 99 99", " -", None),
            ("12.345/6-7", "99.999/9-9", "", Some(("1234567", 10))),
            ("12.345.6-7", "99.999/9-9", "", None),
            ("B 1", "AA? 99?", " ", Some(("B1", 3))),
        ] {
            let found = read(&Text::whole(text.as_bytes()), 0, form, gaps);
            let found = found.map(|(value, end, _)| (String::from_utf8_lossy(value.get()).into_owned(), end));
            assert_eq!(found, expected.map(|(value, end)| (value.to_owned(), end)), "{text} as {form}");
        }
        for (value, form, expected) in [
            ("AB1234", "AA 99 99", true),
            ("AB123", "AA 99 99", false),
            ("AB12345", "AA 99 99", false),
            ("DE12", "de 99", true),
            ("U1Z", "u1A", true),
            ("U2Z", "u1A", false),
            ("AT12", "de 99", false),
            ("B1", "AA? 99?", true),
            ("A1B2", "AXXX", true),
        ] {
            assert_eq!(fits_bare(value.as_bytes(), form), expected, "{value} as {form}");
        }
    }

    #[test]
    fn gates_tell_what_the_first_run_looks_like() {
        let told = |form, gaps, grouped| {
            let gate = gate(form, gaps, grouped);
            (gate.lead, gate.digits, gate.run, gate.follow, gate.groups_before)
        };
        assert_eq!(told("AA 99 99 A", " ", true), ((0, 0), (2, 2), (2, 2), 0b00010, 1));
        assert_eq!(told("AA 99 99 A", " ", false), ((2, 2), (4, 4), (7, 7), 0b11111, 0));
        assert_eq!(told("99999999 A", " -", true), ((0, 0), (8, 8), (8, 8), 0b10100, 0));
        assert_eq!(told("AA?9 9AA", " ", true), ((1, 2), (1, 1), (2, 3), 0b00010, 0));
        assert_eq!(told("u1XA", "", false), ((1, 1), (1, 4), (4, 4), 0b11111, 0));
        assert_eq!(told("AXX9", "", false), ((1, 3), (1, 4), (4, 4), 0b11111, 0));
    }
}
