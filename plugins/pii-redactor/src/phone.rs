//! Telephone numbers: E.164 with its country codes, and the national ways of grouping digits.
//!
//! A shape is either *strong* enough to stand by itself (a `+` with an assigned country code, 3-3-4, a trunk zero, an
//! area code in parentheses, a mobile number of China) or *weak*, and then counts only near a word of telephoning.
//! Bare digits count only directly behind a label such as `Fax:`.

mod words;

use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::number::{Gap, Group, Number, digits_end, value};
use crate::text::{Text, at, before, ends_token, run_end, stands_at};

/// Digits of an international number without its sign (ITU-T E.164: at most 15).
const INTERNATIONAL: std::ops::RangeInclusive<usize> = 8..=15;

/// Two-digit country codes (ITU-T E.164 list); 1 and 7 stand alone, all others have three digits.
const TWO_DIGIT_CODES: &[u8] = &[
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60, 61, 62,
    63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];
/// First two digits under which three-digit country codes are assigned.
const THREE_DIGIT_HEADS: &[u8] =
    &[21, 22, 23, 24, 25, 26, 29, 35, 37, 38, 42, 50, 59, 67, 68, 69, 80, 85, 87, 88, 96, 97, 99];

/// The telephone number that starts with the first group.
pub(crate) fn find(number: &Number<'_>) -> Option<Candidate> {
    let (text, start) = (number.text, number.start());
    if !number.starts_token() || is_code(number) {
        return None;
    }
    let shaped = |rule: &'static str| move |count: usize| (count, rule);
    let (count, rule) = international(number)
        .map(shaped("phone: + and a country code"))
        .or_else(|| exit_code(number).map(shaped("phone: 00 and a country code")))
        .or_else(|| china_mobile(number).map(shaped("phone: a mobile number of China")))
        .or_else(|| three_three_four(number).map(shaped("phone: 3-3-4 as in North America")))
        .or_else(|| whole(number).map(shaped("phone: a national grouping, or a word that names it")))?;
    let digits_end = number.head(count).last()?.end;
    let end = extension(text, slashed(number).unwrap_or(digits_end));
    if !ends_token(text, end) || goes_on(text, end) || words::is_measure(text, start) {
        return None;
    }
    let named = words::labelled(text, start) || words::near(text, start, end);
    let proof = if named { Proof::Named } else { Proof::Form };
    Some(Candidate { kind: Kind::PHONE_NUMBER, start, end, proof, rule })
}

/// Whether a hyphen and one or two letters follow: the rest of a hardware address or of an article number.
fn goes_on(text: &Text<'_>, end: usize) -> bool {
    let letters = run_end(text, end + 1, 3, |byte| byte.is_ascii_alphanumeric()) - (end + 1).min(text.len());
    at(text, end) == b'-' && (1..=2).contains(&letters)
}

/// Prefixes that announce something else: a path, an anchor, an amount.
fn is_code(number: &Number<'_>) -> bool {
    matches!(before(number.text, number.start(), 1), b'/' | b'\\' | b'%')
}

/// `+` and a country code; groups are taken while the number stays within 15 digits.
fn international(number: &Number<'_>) -> Option<usize> {
    number.plus.then(|| with_country_code(number, 0)).flatten()
}

/// `00` in place of the `+`, in groups: `0044 20 7123 4567`, `00 49 89 123456`.
fn exit_code(number: &Number<'_>) -> Option<usize> {
    let [first, second, ..] = number.groups() else { return None };
    let code = matches!(number.digits(*first), [b'0', b'0'] | [b'0', b'0', b'1'..=b'9', ..]) && first.len() <= 5;
    (code && !number.plus && !number.paren && second.gap != Gap::Dot).then(|| with_country_code(number, 2)).flatten()
}

/// The groups of a number whose country code begins behind `skip` digits.
fn with_country_code(number: &Number<'_>, skip: usize) -> Option<usize> {
    let digits = number.groups().iter().flat_map(|group| number.digits(*group)).map(|digit| digit - b'0');
    let mut digits = digits.skip(skip);
    let (first, second) = (digits.next()?, digits.next()?);
    let longest = match (first, first * 10 + second) {
        (1, _) => 11,
        (7, _) => 11,
        (_, head) if TWO_DIGIT_CODES.contains(&head) || THREE_DIGIT_HEADS.contains(&head) => *INTERNATIONAL.end(),
        _ => return None,
    };
    // A bracketed trunk zero is written but not dialled, hence one more digit.
    let optional = usize::from(number.groups().iter().any(|group| group.gap == Gap::Paren && group.len() == 1));
    let mut total = 0;
    let mut count = 0;
    for group in number.groups() {
        if total + group.len() > longest + optional + skip {
            break;
        }
        total += group.len();
        count += 1;
    }
    let cut = number.gap_after(count).is_some_and(|gap| gap != Gap::Space);
    (total >= *INTERNATIONAL.start() + skip && !cut).then_some(count)
}

/// `1[3-9]` and nine more digits (numbering plan of the Ministry of Industry and Information Technology), bare,
/// 3-4-4, or behind `86`.
fn china_mobile(number: &Number<'_>) -> Option<usize> {
    let groups = number.groups();
    let first = groups.first()?;
    let digits = number.digits(*first);
    let mobile = |digits: &[u8]| matches!(digits, [b'1', b'3'..=b'9', ..]);
    let free = |count: usize| !matches!(number.gap_after(count), Some(Gap::Hyphen | Gap::Dot));
    if first.len() == 11 && mobile(digits) && free(1) {
        return Some(1);
    }
    let behind_code = [&b"86"[..], b"0086"].iter().any(|code| {
        let rest = digits.strip_prefix(*code);
        rest.is_some_and(|rest| rest.len() == 11 && mobile(rest))
    });
    if behind_code && free(1) {
        return Some(1);
    }
    let skip = usize::from(digits == b"86" || digits == b"0086");
    let rest = groups.get(skip..).unwrap_or(&[]);
    match rest {
        [one, ..] if skip == 1 && one.len() == 11 && mobile(number.digits(*one)) && free(2) => Some(2),
        [a, b, c, ..] if lengths(&[*a, *b, *c]) == [3, 4, 4, 0] && b.gap == c.gap && mobile(number.digits(*a)) => {
            free(skip + 3).then_some(skip + 3)
        }
        _ => None,
    }
}

fn is_two_digit_code(digits: &[u8]) -> bool {
    TWO_DIGIT_CODES.iter().any(|code| u32::from(*code) == value(digits))
}

/// 3-3-4 as in North America, with or without `1`, `001` or another country code, also `(415) 555-0132`. With hyphens or full stops any
/// digits do; with spaces the area and exchange must be assignable there (neither starts with 0 or 1).
fn three_three_four(number: &Number<'_>) -> Option<usize> {
    let groups = number.groups();
    let skip = usize::from(groups.first().is_some_and(|group| match number.digits(*group) {
        b"1" | b"001" => true,
        code @ [_, _] => is_two_digit_code(code) && number.gap_after(1) == Some(Gap::Hyphen),
        _ => false,
    }));
    let [area, exchange, line, ..] = groups.get(skip..)? else { return None };
    if lengths(&[*area, *exchange, *line]) != [3, 3, 4, 0] {
        return None;
    }
    let assignable = |group: &Group| matches!(number.digits(*group), [b'2'..=b'9', ..]);
    let even = exchange.gap == line.gap && matches!(line.gap, Gap::Hyphen | Gap::Dot);
    let bracketed = exchange.gap == Gap::Paren;
    // A row of numbers has such groups too.
    let alone = !number.in_row && !matches!(number.gap_after(skip + 3), Some(Gap::Space));
    let named = || words::labelled(number.text, number.start()) || words::near(number.text, number.start(), line.end);
    let dialled = line.gap != Gap::Paren && assignable(area) && assignable(exchange) && (alone || named());
    let free = !matches!(number.gap_after(skip + 3), Some(Gap::Hyphen | Gap::Dot));
    (free && (even || bracketed || dialled)).then_some(skip + 3)
}

/// Shapes that are believed only when they are the whole row of digits.
fn whole(number: &Number<'_>) -> Option<usize> {
    let groups = number.groups();
    let last = groups.last()?;
    let total: usize = groups.iter().map(Group::len).sum();
    let behind = last.end + usize::from(at(number.text, last.end) == b')');
    let row_goes_on = stands_at(number.text, behind, b" <") || stands_at(number.text, behind, b" *");
    if number.in_row || row_goes_on || number.plus {
        return None;
    }
    let believed = if groups.len() == 1 {
        ((7..=12).contains(&total) && words::labelled(number.text, number.start()))
            || ((9..=11).contains(&total) && words::followed(number.text, last.end))
            || slashed(number).is_some()
    } else {
        (trunk_zero(number, total) || area_in_parentheses(number, total))
            || weak(number, total, groups)
            || trunk_apart(number, total)
    };
    believed.then_some(groups.len())
}

/// A first group of two to five digits that starts with a single zero, nine to eleven digits in all (twelve with
/// mobile prefixes of five), no group of a single digit: `079 7602 9803`, `0494 92 82 32`, `06-65334860`.
fn trunk_zero(number: &Number<'_>, total: usize) -> bool {
    let [first, rest @ ..] = number.groups() else { return false };
    matches!(number.digits(*first), [b'0', b'1'..=b'9', ..])
        && (2..=5).contains(&first.len())
        && (9..=12).contains(&total)
        && (first.len() > 2 || total <= 11)
        && rest.len() <= 4
        && rest.iter().all(|group| group.len() >= 2)
        && rest.windows(2).all(|pair| matches!(pair, [one, two] if one.gap == two.gap))
}

/// End of `089/1234567`, as German numbers are written: an area code with its trunk zero, a slash, the number.
fn slashed(number: &Number<'_>) -> Option<usize> {
    let [area] = number.groups() else { return None };
    let end = digits_end(number.text, area.end + 1);
    let is = at(number.text, area.end) == b'/'
        && matches!(number.digits(*area), [b'0', b'1'..=b'9', _, ..])
        && area.len() <= 5
        && (5..=9).contains(&(end - area.end - 1))
        && !number.plus;
    is.then_some(end)
}

/// `(21) 284 698 2548`, `(85) 5986-8343`, `(022) 0793-176`.
fn area_in_parentheses(number: &Number<'_>, total: usize) -> bool {
    let [first, second, rest @ ..] = number.groups() else { return false };
    let year = first.len() == 4 && !number.digits(*first).starts_with(b"0");
    number.paren
        && second.gap == Gap::Paren
        && (2..=5).contains(&first.len())
        && !year
        && (8..=12).contains(&total)
        && second.len() >= 3
        && rest.len() <= 3
        && rest.iter().all(|group| group.len() >= 2)
}

/// A trunk zero that is set apart, before the area code in parentheses or near a word: `0 (532) 123 45 67`.
fn trunk_apart(number: &Number<'_>, total: usize) -> bool {
    let [zero, rest @ ..] = number.groups() else { return false };
    let area = rest.first().is_some_and(|area| area.gap == Gap::Paren && area.len() >= 2);
    number.digits(*zero) == b"0"
        && !rest.is_empty()
        && ((area && (9..=12).contains(&total)) || weak(number, total.saturating_sub(1), rest))
}

/// Two to five groups of at least two digits that are no date, near a word of telephoning.
fn weak(number: &Number<'_>, total: usize, groups: &[Group]) -> bool {
    let end = groups.last().map_or(0, |group| group.end);
    (6..=13).contains(&total)
        && (2..=5).contains(&groups.len())
        && groups.iter().all(|group| group.len() >= 2)
        && !groups.iter().any(|group| group.gap == Gap::Dot && groups.len() == 2)
        && !is_date(groups)
        && lengths(groups) != [2, 4, 0, 0]
        && (words::near(number.text, number.start(), end) || words::labelled(number.text, number.start()))
}

/// `2026-11-23`, `23.11.2026`.
fn is_date(groups: &[Group]) -> bool {
    matches!(lengths(groups), [4, 2, 2, 0] | [2, 2, 4, 0])
}

/// Lengths of the first four groups; 0 for those that do not exist.
fn lengths(groups: &[Group]) -> [usize; 4] {
    let mut lengths = [0; 4];
    for (slot, group) in lengths.iter_mut().zip(groups) {
        *slot = group.len();
    }
    lengths
}

/// End of the number with its extension: `x123`, ` ext. 123`.
fn extension(text: &Text<'_>, end: usize) -> usize {
    for mark in [&b"x"[..], b" x", b" ext. ", b" ext ", b" ext.", b"#"] {
        if stands_at(text, end, mark) && at(text, end + mark.len()).is_ascii_digit() {
            let last = digits_end(text, end + mark.len());
            if last - end - mark.len() <= 6 {
                return last;
            }
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(text: &str) -> Option<&str> {
        let start = text.find(|c: char| c.is_ascii_digit())?;
        let whole = Text::whole(text.as_bytes());
        let number = Number::read(&whole, start, digits_end(&whole, start));
        find(&number).and_then(|found| text.get(found.start..found.end))
    }

    #[test]
    fn numbers_that_stand_by_themselves() {
        for text in [
            "+447700677662",
            "+44 (20) 7123 4567",
            "+41 (0)71 526 99 04",
            "+46 (0)157 548 89",
            "+1-984-182-0190",
            "+1 (415) 555-0132",
            "+8613812345678",
            "+86 138 1234 5678",
            "+91 4155550132",
            "415-555-0132",
            "415.555.0132",
            "(415) 555-0132",
            "(415)555-0132",
            "415 555 0132",
            "91-415-555-0132",
            "001-668-040-8670x1711",
            "(505)498-8487x6837",
            "415-555-0132 ext. 12",
            "13812345678",
            "138-1234-5678",
            "138 1234 5678",
            "8613812345678",
            "079 7602 9803",
            "0494 92 82 32",
            "05334 75 83 35",
            "0755-12345678",
            "06-65334860",
            "03.93.92.16.85",
            "(021) 0025-967",
            "(85) 5986-8343",
            "0044 20 7123 4567",
            "00 49 89 123456",
            "008613812345678",
            "089/1234567",
            "0171/1234567",
            "0 (532) 1234567",
        ] {
            assert_eq!(phone(text), Some(text));
            assert_eq!(phone(&format!("电话{text}，")), Some(text), "between ideographs");
        }
    }

    #[test]
    fn numbers_that_need_a_word() {
        for (text, expected) in [
            ("Phone: 467 3395", "467 3395"),
            ("call me on 9472 7916?", "9472 7916"),
            ("25-62-29-72 office", "25-62-29-72"),
            ("Fax: 9498777106", "9498777106"),
            ("{\"phone\":\"9498777106\"}", "9498777106"),
            ("Desk: 5403926876", "5403926876"),
            ("cep: 0 532 123 45 67", "0 532 123 45 67"),
            ("Telefon: 532.123.45.67", "532.123.45.67"),
            ("3660170548-Fax", "3660170548"),
            ("2813882583 mobile", "2813882583"),
            ("手机号是9498777106", "9498777106"),
        ] {
            assert_eq!(phone(text), Some(expected), "{text}");
            let number = format!("ordered {expected} pieces");
            assert_eq!(phone(&number), None, "{number}");
        }
    }

    #[test]
    fn numbers_that_are_something_else() {
        for text in [
            "1664047685091",
            "1664047685",
            "610 987 1597 2584",
            "144 233 377 610 987 1597",
            "01:02 9116753",
            "fd:01 9116753",
            "{\"text\": \"722 20 40\"}",
            "call_1 722 20 40",
            "call on 2026-11-23",
            "23.11.2026",
            "0.613650",
            "1.2.3",
            "00 01 02 03 04 05 06 07",
            "27023492945",
            "v138-1234-5678",
            "ab-138-1234-5678",
            "+000 12345678",
            "(2019) 123-145",
            "978-6-3424-2695-1",
            "/13812345678",
            "138123456789",
            "415-555-0132-7",
            "01-23-45-67-89-AB",
        ] {
            assert_eq!(phone(text), None, "{text}");
        }
    }
}
