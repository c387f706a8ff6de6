//! Names of models and providers, made comparable.

/// Longest name that is looked up, in bytes. A Bedrock inference-profile ARN has at most 2,048 characters by the
/// letter of its reference and about 120 in practice.
pub(crate) const LONGEST: usize = 256;

/// Room for a name that has to be written anew, on the stack.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    bytes: [u8; LONGEST],
    length: usize,
}

/// A name in lower case. Only ASCII letters are lowered: the rules hold ASCII only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a>(&'a [u8]);

impl<'a> Name<'a> {
    /// `None` where the name is longer than any that is looked up. `room` is needed where it has capital letters.
    pub(crate) fn new(text: &'a str, room: &'a mut Room) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        if !text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Some(Self(text.as_bytes()));
        }
        room.push(text.as_bytes())?;
        Some(Self(room.as_bytes()))
    }

    pub(crate) const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// What stands before the first slash, and what follows it.
    pub(crate) fn split_prefix(self) -> Option<(&'a [u8], &'a [u8])> {
        let at = self.0.iter().position(|&byte| byte == b'/')?;
        let (prefix, rest) = self.0.split_at_checked(at)?;
        Some((prefix, rest.get(1..)?))
    }

    /// The name with dates such as `-20251211` written `-2025-12-11`, which is how the rules have them; `None` where
    /// there is none. A date stands before `-`, `:` or the end, and is a day of the calendar.
    pub(crate) fn with_dashed_dates(name: &[u8], room: &'a mut Room) -> Option<Self> {
        let mut found = false;
        let mut rest = name;
        while let Some((&first, after)) = rest.split_first() {
            match after.split_at_checked(8) {
                Some((date, tail))
                    if first == b'-' && is_date(date) && matches!(tail.first(), None | Some(b'-' | b':')) =>
                {
                    let (year, day) = date.split_at_checked(4)?;
                    let (month, day) = day.split_at_checked(2)?;
                    for part in [year, month, day] {
                        room.push(b"-")?;
                        room.push(part)?;
                    }
                    (found, rest) = (true, tail);
                }
                _ => {
                    room.push(&[first])?;
                    rest = after;
                }
            }
        }
        found.then_some(Self(room.as_bytes()))
    }
}

impl Room {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; LONGEST], length: 0 }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.length.checked_add(bytes.len())?;
        let room = self.bytes.get_mut(self.length..end)?;
        room.copy_from_slice(bytes);
        room.make_ascii_lowercase();
        self.length = end;
        Some(())
    }
}

fn is_date(digits: &[u8]) -> bool {
    if !digits.starts_with(b"20") || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number = digits.iter().fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_dates_are_written_with_dashes() {
        for (name, dashed) in [
            ("gpt-5.2-20251211", Some("gpt-5.2-2025-12-11")),
            ("gpt-5.2-20251211:free", Some("gpt-5.2-2025-12-11:free")),
            ("a-20240229-b-20251211", Some("a-2024-02-29-b-2025-12-11")),
            ("gpt-5.2-2025-12-11", None),
            ("gpt-5.2-20251311", None),
            ("gpt-5.2-20250229", None),
            ("gpt-5.2-202512111", None),
            ("gpt-20251211x", None),
            ("20251211", None),
            ("", None),
        ] {
            let mut room = Room::new();
            let found = Name::with_dashed_dates(name.as_bytes(), &mut room);
            assert_eq!(found.map(Name::as_bytes), dashed.map(str::as_bytes), "{name}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_none() {
        for letter in ["a", "A"] {
            assert!(Name::new(&letter.repeat(LONGEST), &mut Room::new()).is_some());
            assert!(Name::new(&letter.repeat(LONGEST + 1), &mut Room::new()).is_none());
        }
        let full = format!("{}-20251211", "a".repeat(LONGEST - 9));
        assert!(Name::with_dashed_dates(full.as_bytes(), &mut Room::new()).is_none(), "no room for two dashes");
    }
}
