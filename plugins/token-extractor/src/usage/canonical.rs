//! Canonical counts, made of the provider's own by rules that are data.
//!
//! A rule is a text such as `usage.input_tokens + @cache_read_tokens | usage.prompt_tokens`: alternatives, of which the
//! first that can be had counts; each a sum whose first term has to be there and whose others count as 0 where they are
//! not. A term is a native name, or with `@` a canonical count that an earlier rule has made.

use crate::same::same;
use tollgate_call::Usage;

/// A canonical count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    CacheRead,
    CacheWrite,
    CacheWrite5m,
    CacheWrite1h,
    Input,
    Output,
    Reasoning,
    AudioInput,
    AudioOutput,
    ImageInput,
    ImageOutput,
    ToolUseInput,
    Total,
    /// Calls of a tool that the provider runs.
    ServerTool(&'static str),
}

impl Count {
    /// Counts by name, in the order in which rules are applied: parts before the totals that refer to them.
    pub(crate) const NAMES: &'static [(&'static str, Self)] = &[
        ("cache_read_tokens", Self::CacheRead),
        ("cache_write_5m_tokens", Self::CacheWrite5m),
        ("cache_write_1h_tokens", Self::CacheWrite1h),
        ("cache_write_tokens", Self::CacheWrite),
        ("reasoning_tokens", Self::Reasoning),
        ("audio_input_tokens", Self::AudioInput),
        ("audio_output_tokens", Self::AudioOutput),
        ("image_input_tokens", Self::ImageInput),
        ("image_output_tokens", Self::ImageOutput),
        ("tool_use_input_tokens", Self::ToolUseInput),
        ("input_tokens", Self::Input),
        ("output_tokens", Self::Output),
        ("provider_total_tokens", Self::Total),
        ("web_search", Self::ServerTool("web_search")),
        ("web_fetch", Self::ServerTool("web_fetch")),
        ("file_search", Self::ServerTool("file_search")),
        ("code_execution", Self::ServerTool("code_execution")),
        ("image_generation", Self::ServerTool("image_generation")),
        ("computer_use", Self::ServerTool("computer_use")),
        ("mcp", Self::ServerTool("mcp")),
    ];

    /// The count of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, count)| *count)
    }

    fn place(self, usage: &mut Usage) -> Option<&mut Option<u64>> {
        Some(match self {
            Self::CacheRead => &mut usage.cache_read_tokens,
            Self::CacheWrite => &mut usage.cache_write_tokens,
            Self::CacheWrite5m => &mut usage.cache_write_5m_tokens,
            Self::CacheWrite1h => &mut usage.cache_write_1h_tokens,
            Self::Input => &mut usage.input_tokens,
            Self::Output => &mut usage.output_tokens,
            Self::Reasoning => &mut usage.reasoning_tokens,
            Self::AudioInput => &mut usage.audio_input_tokens,
            Self::AudioOutput => &mut usage.audio_output_tokens,
            Self::ImageInput => &mut usage.image_input_tokens,
            Self::ImageOutput => &mut usage.image_output_tokens,
            Self::ToolUseInput => &mut usage.tool_use_input_tokens,
            Self::Total => &mut usage.provider_total_tokens,
            Self::ServerTool(_) => return None,
        })
    }
}

/// What a term of a sum names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Native(Box<str>),
    Canonical(Count),
}

/// The rules of one API.
#[derive(Clone, Debug, Default)]
pub(crate) struct CountRules {
    rules: Vec<(Count, Vec<Vec<Term>>)>,
}

impl CountRules {
    /// Rules by name of the count.
    ///
    /// # Errors
    /// The name of a rule, and what is wrong with it.
    pub(crate) fn compile<'r>(
        rules: impl IntoIterator<Item = (&'r str, &'r str)>,
    ) -> Result<Self, Vec<(String, String)>> {
        let (mut compiled, mut problems) = (Vec::new(), Vec::new());
        for (name, rule) in rules {
            match Count::named(name).ok_or_else(unknown_count).and_then(|count| Ok((count, alternatives(rule)?))) {
                Ok(rule) => compiled.push(rule),
                Err(problem) => problems.push((name.to_owned(), problem)),
            }
        }
        let place = |count: Count| Count::NAMES.iter().position(|(_, known)| *known == count);
        compiled.sort_by_key(|(count, _)| place(*count));
        if problems.is_empty() { Ok(Self { rules: compiled }) } else { Err(problems) }
    }

    /// The canonical usage. Sums beyond 2^64 are not made.
    pub(crate) fn apply(&self, native: &[(String, u64)]) -> Usage {
        let mut usage = Usage::default();
        for (count, alternatives) in &self.rules {
            let Some(value) = alternatives.iter().find_map(|terms| sum(terms, native, &mut usage)) else { continue };
            match (count, count.place(&mut usage)) {
                (_, Some(place)) => *place = Some(value),
                (Count::ServerTool(tool), None) => {
                    usage.server_tool_calls.insert((*tool).to_owned(), value);
                }
                (_, None) => {}
            }
        }
        usage
    }
}

fn sum(terms: &[Term], native: &[(String, u64)], usage: &mut Usage) -> Option<u64> {
    let mut value = |term: &Term| match term {
        Term::Native(name) => {
            native.iter().find(|(known, _)| same(known.as_bytes(), name.as_bytes())).map(|(_, count)| *count)
        }
        Term::Canonical(count) => count.place(usage).and_then(|place| *place),
    };
    let (first, others) = terms.split_first()?;
    let first = value(first)?;
    others.iter().try_fold(first, |sum, term| sum.checked_add(value(term).unwrap_or(0)))
}

fn unknown_count() -> String {
    let names: Vec<_> = Count::NAMES.iter().map(|(name, _)| *name).collect();
    format!("is no count; counts are {}", names.join(", "))
}

fn alternatives(rule: &str) -> Result<Vec<Vec<Term>>, String> {
    rule.split('|').map(|sum| sum.split('+').map(|term| self::term(term.trim())).collect()).collect()
}

fn term(text: &str) -> Result<Term, String> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(format!("has {text:?} where the name of a count has to be"));
    }
    match text.strip_prefix('@') {
        None => Ok(Term::Native(text.into())),
        Some(name) => match Count::named(name) {
            Some(count) if !matches!(count, Count::ServerTool(_)) => Ok(Term::Canonical(count)),
            _ => Err(format!("refers to {name:?}, which is no count of tokens")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_and_sums() {
        let native =
            |pairs: &[(&str, u64)]| pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>();
        let rules = [
            ("input_tokens", "u.fresh + @cache_read_tokens + u.tool | u.all"),
            ("cache_read_tokens", "u.read"),
            ("output_tokens", "u.text + u.thought | u.thought"),
            ("web_search", "u.searches"),
        ];
        let rules = CountRules::compile(rules).unwrap();
        let usage = rules.apply(&native(&[("u.fresh", 5), ("u.read", 7), ("u.thought", 3), ("u.searches", 2)]));
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(12), Some(3)));
        assert_eq!(usage.server_tool_calls.get("web_search"), Some(&2));
        let usage = rules.apply(&native(&[("u.all", 9), ("u.read", 7), ("u.tool", 1)]));
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(9), None));
        let usage = rules.apply(&native(&[("u.fresh", u64::MAX), ("u.read", 1)]));
        assert_eq!(usage.input_tokens, None);
    }

    #[test]
    fn what_is_no_rule_is_said() {
        for (name, rule) in [
            ("tokens", "a"),
            ("input_tokens", ""),
            ("input_tokens", "a + "),
            ("input_tokens", "a b"),
            ("input_tokens", "@x"),
            ("input_tokens", "@web_search"),
        ] {
            let problems = CountRules::compile([(name, rule)]).unwrap_err();
            assert_eq!(problems[0].0, name, "{rule}");
        }
    }
}
