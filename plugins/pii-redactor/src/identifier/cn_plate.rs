//! Vehicle plates of China (GA 36): an ideograph of the province, a letter of the place, then five letters and digits,
//! or six with the mark of a vehicle on new energy. I and O are not used.

use super::{Run, candidate, ends};
use crate::candidate::{Candidate, Proof};
use crate::kind::Kind;
use crate::text::{Text, before, cut, slice, stands_at};

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";
/// Marks of what stands between the place and the number: nothing, or one of these.
const DOTS: &[&str] = &["·", "•", "・", " ", "-"];
/// Last characters of plates for training, police, trailers, consulates, and vehicles of Hong Kong and Macao.
const SUFFIXES: &[&str] = &["学", "警", "挂", "领", "港", "澳"];
/// Bytes of an ideograph.
const IDEOGRAPH: usize = 3;

pub(super) fn find(text: &Text<'_>, run: Run) -> Option<Candidate> {
    if !(4..=7).contains(&(run.end - run.start)) {
        return None;
    }
    // An ideograph or a dot stands before, or a letter behind an ideograph and a separator.
    let last = before(text, run.start, 1);
    if last.is_ascii() && !(matches!(last, b' ' | b'-') && before(text, run.start, 3) >= 0x80) {
        return None;
    }
    let (start, letter, number) = head(text, run)?;
    let suffix = SUFFIXES.iter().find(|suffix| stands_at(text, run.end, suffix.as_bytes()));
    let number = slice(text, number, run.end);
    let end = match (number.len(), suffix) {
        (4, Some(suffix)) => run.end + suffix.len(),
        (5 | 6, _) => run.end,
        _ => return None,
    };
    let used = |byte: &u8| (byte.is_ascii_uppercase() && !b"IO".contains(byte)) || byte.is_ascii_digit();
    let new_energy = |number: &[u8]| match number {
        [first, second, rest @ ..] if first.is_ascii_uppercase() => used(second) && rest.iter().all(u8::is_ascii_digit),
        [rest @ .., last] => last.is_ascii_uppercase() && rest.iter().all(u8::is_ascii_digit),
        [] => false,
    };
    let digits = number.iter().filter(|byte| byte.is_ascii_digit()).count();
    let valid = used(&letter) && letter.is_ascii_uppercase() && number.iter().all(used) && digits >= 2;
    (valid && (number.len() != 6 || new_energy(number)) && ends(text, end, false))
        .then(|| candidate(Kind::CN_PLATE, start, end, Proof::Form, "CN_PLATE: province, place, number"))
}

/// Where the plate starts, the letter of the place, and where the number starts.
fn head(text: &Text<'_>, run: Run) -> Option<(usize, u8, usize)> {
    let province = |end: usize| {
        let start = end.checked_sub(IDEOGRAPH)?;
        let ideograph = slice(text, start, end);
        PROVINCES.as_bytes().chunks(IDEOGRAPH).any(|known| known == ideograph).then_some(start)
    };
    let first = slice(text, run.start, run.start + 1).first().copied()?;
    if let Some(start) = province(run.start) {
        return Some((start, first, run.start + 1));
    }
    let from = run.start.saturating_sub(IDEOGRAPH);
    let lead = cut(text.bytes(), from, run.start);
    let dot = DOTS.iter().find(|dot| lead.ends_with(dot.as_bytes()))?;
    let letter = run.start.checked_sub(dot.len() + 1)?;
    Some((province(letter)?, before(text, letter + 1, 1), run.start))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Expected, assert_found};
    use crate::kind::Kind;

    #[test]
    fn plates() {
        for (text, expected) in [
            ("京A12345", Some("京A12345")),
            ("车牌号是粤B·7K93D。", Some("粤B·7K93D")),
            ("沪C 88612", Some("沪C 88612")),
            ("苏AD12345", Some("苏AD12345")),
            ("苏A·D12345已入库", Some("苏A·D12345")),
            ("浙A12345D", Some("浙A12345D")),
            ("粤Z1234港", Some("粤Z1234港")),
            ("京AD1234", Some("京AD1234")),
            ("京A1234", None),
            ("京I12345", None),
            ("京A1O345", None),
            ("京A123456", None),
            ("京AABCDE1", None),
            ("马A12345", None),
            ("京A12345-9", None),
            ("京A12345_x", None),
        ] {
            let expected: Vec<Expected<'_>> = expected.map(|value| (Kind::CN_PLATE, value)).into_iter().collect();
            assert_found(text, &expected);
        }
    }
}
