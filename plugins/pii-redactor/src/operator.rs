//! What stands in place of a value.

use crate::kind::Kind;

/// What is written in place of a finding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Operator {
    /// The type in angle brackets: `<EMAIL_ADDRESS>`.
    #[default]
    Replace,
    /// An asterisk for each character. Cards, accounts, identity numbers and telephone numbers keep their last four
    /// characters, as on a receipt; short and secret values keep nothing.
    Mask,
}

impl Operator {
    /// Appends what stands for `value` to `out`.
    pub(crate) fn write(self, kind: Kind, value: &[u8], out: &mut String) {
        match self {
            Self::Mask if kind != Kind::UNSCANNED => mask(kind, value, out),
            _ => {
                out.push('<');
                out.push_str(kind.name());
                out.push('>');
            }
        }
    }
}

fn mask(kind: Kind, value: &[u8], out: &mut String) {
    let keeps = kind.keeps();
    let characters = || value.iter().filter(|byte| !matches!(byte, 0x80..=0xBF));
    let masked = characters().count().saturating_sub(keeps);
    for (place, byte) in characters().enumerate() {
        let readable = place >= masked && byte.is_ascii_alphanumeric();
        out.push(if readable { char::from(*byte) } else { '*' });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_replaced_or_masked() {
        let cases: &[(Operator, Kind, &str, &str)] = &[
            (Operator::Replace, Kind::EMAIL_ADDRESS, "a@b.cn", "<EMAIL_ADDRESS>"),
            (Operator::Mask, Kind::EMAIL_ADDRESS, "ü@b.cn", "******"),
            (Operator::Mask, Kind::CREDIT_CARD, "4111 1111 1111 1234", "***************1234"),
            (Operator::Mask, Kind::PHONE_NUMBER, "25-62-29-72", "*******9*72"),
            (Operator::Mask, Kind::API_KEY, "sk-abc", "******"),
            (Operator::Mask, Kind::UNSCANNED, "whatever", "<UNSCANNED>"),
        ];
        for (operator, kind, value, expected) in cases {
            let mut out = String::new();
            operator.write(*kind, value.as_bytes(), &mut out);
            assert_eq!(&out, expected, "{operator:?} {value}");
        }
    }
}
