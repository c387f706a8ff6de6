//! Social security numbers of the United States: area, group, serial, with the values that are never assigned
//! (Social Security Administration: area 000, 666 and 900 to 999, group 00, serial 0000, and two numbers from
//! advertisements).

use crate::context;
use crate::number::{Gap, Group, Number, value};
use crate::text::ends_token;

/// Printed on sample cards, never assigned to anybody since.
const SAMPLES: &[(u32, u32, u32)] = &[(78, 5, 1120), (219, 9, 9999)];

/// End of the number that starts with the first group.
///
/// `AAA-GG-SSSS` counts as it stands. Spaces or full stops in place of hyphens, and nine bare digits, are too common
/// in other numbers: they need a word such as `SSN` shortly before.
pub(crate) fn find(number: &Number<'_>) -> Option<usize> {
    if number.paren || number.plus || !number.starts_token() {
        return None;
    }
    let named = || context::before(number.text, number.start(), context::SOCIAL_SECURITY);
    if let [area, group, serial, ..] = number.groups()
        && [area.len(), group.len(), serial.len()] == [3, 2, 4]
        && group.gap == serial.gap
    {
        let parts = [area, group, serial].map(|part| value(number.digits(*part)));
        let alone = !matches!(number.gap_after(3), Some(Gap::Hyphen | Gap::Dot));
        let sure = group.gap == Gap::Hyphen || (matches!(group.gap, Gap::Space | Gap::Dot) && named());
        return (alone && is_assigned(parts) && ends_token(number.text, serial.end) && sure).then_some(serial.end);
    }
    let [only, rest @ ..] = number.groups() else { return None };
    let bare = only.len() == 9 && rest.is_empty() && ends_token(number.text, only.end);
    (bare && is_assigned(split(number, only)) && named()).then_some(only.end)
}

fn split(number: &Number<'_>, only: &Group) -> [u32; 3] {
    let whole = value(number.digits(*only));
    [whole / 1_000_000, whole / 10_000 % 100, whole % 10_000]
}

fn is_assigned([area, group, serial]: [u32; 3]) -> bool {
    !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0 && !SAMPLES.contains(&(area, group, serial))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::digits_end;
    use crate::text::Text;

    fn ssn(text: &str) -> Option<&str> {
        let start = text.find(|c: char| c.is_ascii_digit())?;
        let whole = Text::whole(text.as_bytes());
        let number = Number::read(&whole, start, digits_end(&whole, start));
        find(&number).and_then(|end| text.get(start..end))
    }

    #[test]
    fn numbers_that_may_be_assigned() {
        for (text, expected) in [
            ("536-32-3065", "536-32-3065"),
            ("是536-32-3065。", "536-32-3065"),
            ("SSN: 536 32 3065", "536 32 3065"),
            ("social security number 536323065", "536323065"),
        ] {
            assert_eq!(ssn(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn numbers_that_never_are() {
        for (text, why) in [
            ("000-12-3456", "area 000"),
            ("666-12-3456", "area 666"),
            ("912-12-3456", "area 9xx is a taxpayer number"),
            ("536-00-3065", "group 00"),
            ("536-32-0000", "serial 0000"),
            ("078-05-1120", "a sample card"),
            ("536-32.3065", "mixed separators"),
            ("536 32 3065", "spaces without a word that names it"),
            ("536323065", "bare digits without a word that names them"),
            ("A-536-32-3065", "part of an identifier"),
            ("536-32-3065-1", "part of a longer number"),
        ] {
            assert_eq!(ssn(text), None, "{text}: {why}");
        }
    }
}
