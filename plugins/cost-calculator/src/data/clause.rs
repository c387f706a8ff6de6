//! Match rules: which names a row is for.

use std::fmt;

/// How a clause looks at a name. Names are compared in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    /// The name is the text.
    Equals,
    /// The name starts with the text.
    Starts,
    /// The name ends with the text.
    Ends,
    /// The text is somewhere in the name.
    Contains,
    /// The name is the text, where `#` in the text stands for any one digit.
    Shape,
    /// The name starts with the text, where `#` in the text stands for any one digit.
    StartsShape,
}

impl Test {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Equals, "equals"),
        (Self::Starts, "starts"),
        (Self::Ends, "ends"),
        (Self::Contains, "contains"),
        (Self::Shape, "shape"),
        (Self::StartsShape, "starts_shape"),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(test, _)| *test == self).map_or("", |(_, word)| word)
    }

    /// Whether `name`, in lower case, passes.
    #[must_use]
    pub fn passes(self, text: &[u8], name: &[u8]) -> bool {
        let shape = |name: &[u8]| {
            text.iter().zip(name).all(|(&want, &have)| want == have || (want == b'#' && have.is_ascii_digit()))
        };
        match self {
            Self::Equals => name == text,
            Self::Starts => name.starts_with(text),
            Self::Ends => name.ends_with(text),
            Self::Contains => contains(name, text),
            Self::Shape => name.len() == text.len() && shape(name),
            Self::StartsShape => name.len() >= text.len() && shape(name),
        }
    }
}

/// A set of the pairs of neighbouring letters of a text, hashed into 64 bits. A name whose set lacks a member of the
/// text's set cannot have the text in it: most rules are settled by this one comparison.
pub(crate) fn letter_pairs(text: &[u8]) -> u64 {
    let (mut set, mut before) = (0, b'#');
    for &letter in text {
        if before != b'#' && letter != b'#' {
            let pair = (u32::from(before) << 8) | u32::from(letter);
            // Multiplication by an odd constant spreads the pair over the upper bits.
            set |= 1 << (pair.wrapping_mul(0x9E37_79B1) >> 26);
        }
        before = letter;
    }
    set
}

fn contains(name: &[u8], text: &[u8]) -> bool {
    let Some((&first, rest)) = text.split_first() else { return true };
    let mut left = name;
    while let Some(at) = left.iter().position(|&byte| byte == first) {
        left = left.get(at + 1..).unwrap_or_default();
        if left.starts_with(rest) {
            return true;
        }
    }
    false
}

/// One clause of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clause {
    /// Whether the clause holds where the test fails.
    pub negated: bool,
    /// How the name is looked at.
    pub test: Test,
    /// What is looked for; lower case, ASCII, without blanks and `&`.
    pub text: String,
}

impl Clause {
    /// A clause that holds where the test passes.
    #[must_use]
    pub fn new(test: Test, text: &str) -> Self {
        Self { negated: false, test, text: text.to_ascii_lowercase() }
    }

    fn parse(text: &str) -> Option<Self> {
        let (negated, text) = text.strip_prefix("not_").map_or((false, text), |text| (true, text));
        let (word, text) = text.split_once(':')?;
        let (test, _) = Test::ALL.iter().find(|(_, known)| *known == word)?;
        let sound = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'&' && !byte.is_ascii_uppercase());
        (sound && !text.is_empty()).then(|| Self { negated, test: *test, text: text.to_owned() })
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}:{}", if self.negated { "not_" } else { "" }, self.test.word(), self.text)
    }
}

/// Clauses that all have to hold; at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule(pub Vec<Clause>);

impl Rule {
    /// Whether `name`, in lower case, passes every clause.
    pub(crate) fn passes(&self, name: &[u8]) -> bool {
        self.0.iter().all(|clause| clause.test.passes(clause.text.as_bytes(), name) != clause.negated)
    }

    /// Reads clauses joined by `&`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.split('&').map(Clause::parse).collect::<Option<Vec<_>>>().map(Self)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, clause) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("&")?;
            }
            clause.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_looks_at_a_name_as_it_says() {
        for (rule, name, passes) in [
            ("equals:gpt-4o", "gpt-4o", true),
            ("equals:gpt-4o", "gpt-4o-mini", false),
            ("starts:gpt-4o", "gpt-4o-mini", true),
            ("ends:-mini", "gpt-4o-mini", true),
            ("ends:-mini", "mini", false),
            ("contains:4o", "gpt-4o-mini", true),
            ("contains:aab", "aaab", true),
            ("contains:4x", "gpt-4o", false),
            ("shape:o3-####-##-##", "o3-2025-04-16", true),
            ("shape:o3-####-##-##", "o3-2025-04-1x", false),
            ("shape:o3-####-##-##", "o3-2025-04-16-preview", false),
            ("starts_shape:gemini-4-#", "gemini-4-2-preview", true),
            ("starts_shape:gemini-4-#", "gemini-4-", false),
            ("not_contains:/", "mistral", true),
        ] {
            let clause = Clause::parse(rule).unwrap();
            assert_eq!(clause.test.passes(clause.text.as_bytes(), name.as_bytes()) != clause.negated, passes, "{rule}");
            assert_eq!(clause.to_string(), rule);
        }
    }

    #[test]
    fn a_name_has_the_letter_pairs_of_every_text_in_it() {
        for (text, name, may) in [
            ("gpt-4o", "gpt-4o-mini", true),
            ("-mini", "gpt-4o-mini", true),
            ("o3-####-##-##", "o3-2025-04-16", true),
            ("x", "gpt", true),
            ("claude", "gpt-4o-mini", false),
        ] {
            let (text, name) = (letter_pairs(text.as_bytes()), letter_pairs(name.as_bytes()));
            assert_eq!(text & !name == 0, may);
        }
    }

    #[test]
    fn rules_that_could_not_be_written_back_are_refused() {
        for text in ["", "equals:", "equals", "is:gpt", "equals:GPT", "equals:a&", "equals:a b", "equals:é"] {
            assert_eq!(Rule::parse(text), None, "{text}");
        }
    }
}
