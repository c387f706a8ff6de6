//! Payment cards: issuer prefix and length as ISO/IEC 7812 assigns them, and the Luhn digit. Where the text itself
//! speaks of a card, any prefix will do: ranges are assigned faster than tables are written; and where it does not,
//! lengths that other numbers have more often do not do.

use crate::candidate::{Candidate, Proof};
use crate::context;
use crate::kind::Kind;
use crate::luhn;
use crate::number::{Gap, Group, Number, value};
use crate::text::{at, ends_token};

/// Digits of a card number, shortest (Maestro) to longest.
const LENGTHS: std::ops::RangeInclusive<usize> = 12..=19;

/// Issuer prefixes: first and last value of the first `digits` digits, and the lengths that are issued with them.
struct Brand {
    digits: usize,
    first: u32,
    last: u32,
    shortest: usize,
    longest: usize,
}

const fn brand(digits: usize, first: u32, last: u32, shortest: usize, longest: usize) -> Brand {
    Brand { digits, first, last, shortest, longest }
}

/// The public issuer ranges of the card schemes.
const BRANDS: &[Brand] = &[
    brand(1, 4, 4, 13, 13),             // Visa, early
    brand(1, 4, 4, 16, 16),             // Visa
    brand(1, 4, 4, 19, 19),             // Visa
    brand(2, 51, 55, 16, 16),           // Mastercard
    brand(4, 2221, 2720, 16, 16),       // Mastercard, second series
    brand(2, 34, 34, 15, 15),           // American Express
    brand(2, 37, 37, 15, 15),           // American Express
    brand(2, 62, 62, 16, 19),           // UnionPay
    brand(2, 81, 81, 16, 19),           // UnionPay, RuPay
    brand(4, 6011, 6011, 16, 19),       // Discover
    brand(3, 644, 649, 16, 19),         // Discover
    brand(2, 65, 65, 16, 19),           // Discover, RuPay, Verve, Elo
    brand(4, 3528, 3589, 16, 19),       // JCB
    brand(4, 2131, 2131, 15, 15),       // JCB, early
    brand(4, 1800, 1800, 15, 15),       // JCB, early
    brand(3, 300, 305, 14, 19),         // Diners Club
    brand(4, 3095, 3095, 14, 19),       // Diners Club
    brand(2, 36, 36, 14, 19),           // Diners Club
    brand(2, 38, 39, 14, 19),           // Diners Club
    brand(4, 5018, 5018, 12, 19),       // Maestro
    brand(4, 5019, 5019, 16, 16),       // Dankort
    brand(4, 5020, 5020, 12, 19),       // Maestro
    brand(4, 5038, 5038, 12, 19),       // Maestro
    brand(4, 5612, 5612, 12, 19),       // Maestro
    brand(4, 5893, 5893, 12, 19),       // Maestro
    brand(4, 6304, 6304, 12, 19),       // Maestro
    brand(4, 6390, 6390, 12, 19),       // Maestro
    brand(4, 6759, 6759, 12, 19),       // Maestro
    brand(4, 6761, 6763, 12, 19),       // Maestro
    brand(3, 636, 636, 16, 19),         // InterPayment
    brand(4, 2200, 2204, 16, 19),       // Mir
    brand(6, 506_099, 506_198, 16, 19), // Verve
    brand(2, 60, 60, 16, 16),           // RuPay
    brand(2, 82, 82, 16, 16),           // RuPay
    brand(3, 508, 508, 16, 16),         // RuPay
    brand(4, 9792, 9792, 16, 16),       // Troy
];

/// End of the card number that starts with the first group, where there is one.
pub(crate) fn find(number: &Number<'_>) -> Option<Candidate> {
    if number.paren || number.plus || !number.starts_token() {
        return None;
    }
    (1..=number.groups().len()).rev().find_map(|count| {
        let groups = number.head(count);
        let end = groups.last()?.end;
        // An expiry date or a code may follow; behind twelve digits four more are the rest of a number that fails.
        let length: usize = groups.iter().map(Group::len).sum();
        let alone = number
            .groups()
            .get(count)
            .is_none_or(|next| at(number.text, end) == b' ' && (length > 14 || next.len() < 4));
        (alone && ends_token(number.text, end) && is_card(number, groups)).then(|| candidate(number, end))
    })
}

fn candidate(number: &Number<'_>, end: usize) -> Candidate {
    let start = number.start();
    let union_pay = number.groups().first().is_some_and(|group| number.digits(*group).starts_with(b"62"));
    let kind = if union_pay { Kind::CN_BANK_CARD } else { Kind::CREDIT_CARD };
    Candidate { kind, start, end, proof: Proof::Checked, rule: "card: issuer, length, Luhn digit" }
}

fn is_card(number: &Number<'_>, groups: &[Group]) -> bool {
    let length: usize = groups.iter().map(Group::len).sum();
    if !LENGTHS.contains(&length) || !evenly_grouped(groups) {
        return false;
    }
    let digits = || groups.iter().flat_map(|group| number.digits(*group).iter().copied());
    let issued = || {
        BRANDS.iter().any(|brand| {
            let prefix = digits().take(brand.digits).fold(0, |sum, digit| sum * 10 + value(&[digit]));
            (brand.shortest..=brand.longest).contains(&length) && (brand.first..=brand.last).contains(&prefix)
        })
    };
    let named = || context::around(number.text, number.start(), end_of(groups), context::CARD);
    // Bare runs of seventeen digits and more are mostly other things: seeds, times, keys of rows. UnionPay alone issues
    // many such cards. Thirteen digits are no longer issued, and are the length of identity numbers and times.
    let unusual = groups.len() == 1 && (length > 16 || length == 13) && !digits().take(2).eq(*b"62");
    luhn::passes(digits()) && ((issued() && !unusual) || named())
}

fn end_of(groups: &[Group]) -> usize {
    groups.last().map_or(0, |group| group.end)
}

/// As cards are printed: unbroken; or groups of four (4-4-4-4, 4-6-5, 4-6-4, 4-4-4-4-3), or six and the rest, with
/// the same separator throughout.
fn evenly_grouped(groups: &[Group]) -> bool {
    let [first, rest @ ..] = groups else { return false };
    let Some(second) = rest.first() else { return true };
    let same = matches!(second.gap, Gap::Space | Gap::Hyphen) && rest.iter().all(|group| group.gap == second.gap);
    match first.len() {
        4 => same && rest.iter().all(|group| group.len() <= 6) && second.len() >= 4,
        6 => same && rest.len() == 1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::digits_end;
    use crate::text::Text;

    fn card(text: &str) -> Option<&str> {
        let start = text.find(|c: char| c.is_ascii_digit())?;
        let whole = Text::whole(text.as_bytes());
        let number = Number::read(&whole, start, digits_end(&whole, start));
        find(&number).and_then(|found| text.get(found.start..found.end))
    }

    #[test]
    fn cards_of_every_scheme() {
        let cards = [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4012-8888-8888-1881",
            "5555555555554444",
            "2223003122003222",
            "371449635398431",
            "3714 496353 98431",
            "30569309025904",
            "3056 930902 5904",
            "6011000400000000",
            "3528000700000000",
            "6200000000000005",
            "6759649826438453",
            "5019717010103742",
        ];
        for text in cards {
            assert_eq!(card(text), Some(text));
            assert_eq!(card(&format!("卡号{text}，")), Some(text), "between ideographs");
        }
        assert_eq!(
            card("card number 1220 0000 0000 003"),
            Some("1220 0000 0000 003"),
            "an unlisted issuer, named a card"
        );
        assert_eq!(
            card("4111 1111 1111 1111 5555 5555 5555 4444"),
            Some("4111 1111 1111 1111"),
            "another card follows"
        );
        for text in ["4222222222222", "4000000000000001236"] {
            assert_eq!(card(&format!("Card: {text}")), Some(text), "a length that is rare");
            assert_eq!(card(text), None, "a length that is rare, and no word");
        }
        assert_eq!(card("4111 1111 1111 1111 12 29"), Some("4111 1111 1111 1111"), "an expiry date follows");
    }

    #[test]
    fn numbers_that_are_no_cards() {
        for (text, why) in [
            ("4111111111111112", "Luhn"),
            ("1664047685091", "no issuer"),
            ("card of 122000000000004", "Luhn, whatever the text says"),
            ("122000000000003", "no issuer"),
            ("card 4000 0000 0010 8521", "Luhn, though the first twelve digits pass"),
            ("41111111111111110", "17 digits are no Visa length"),
            ("0.4111111111111111", "a fraction"),
            ("4111111111111111.5", "a decimal"),
            ("4111-1111 1111-1111", "mixed separators"),
            ("41 11111111 111111", "no card is grouped so"),
            ("card 4576 9055 1017 8521", "the first twelve digits pass, all sixteen do not"),
            ("id_4111111111111111", "an identifier"),
            ("4111111111111111abc", "an identifier"),
        ] {
            assert_eq!(card(text), None, "{text}: {why}");
        }
    }
}
