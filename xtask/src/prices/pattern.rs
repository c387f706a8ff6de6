//! Regular expressions of the imported data, as the plain tests of the price document.
//!
//! The data uses a small part of the language: literals, `\d`, classes, groups, `?`, `{n}`, anchors, and a leading
//! negative lookahead of two kinds. Everything else is refused, so that no rule changes its meaning on the way.

use std::iter::Peekable;
use std::str::Chars;
use tollgate_cost_calculator::document::{Clause, Rule, Test};

/// Most names that one expression may spell out.
const MOST: usize = 256;

/// The rules that match the lower-case names which `regex` finds.
pub(super) fn rules(regex: &str) -> Result<Vec<Rule>, String> {
    let refuse = |what: &str| format!("regular expression {regex}: {what}");
    if regex == "^(?!.*-[tT][tT][sS](?:$|-))" {
        return Ok(vec![Rule(vec![not(Test::Ends, "-tts"), not(Test::Contains, "-tts-")])]);
    }
    let rest = regex.strip_prefix('^').ok_or_else(|| refuse("is not anchored at the start"))?;
    // Names that begin with a path segment are excluded; what follows the lookahead never begins with a slash.
    let (rest, whole_name) = match rest.strip_prefix("(?![^/]+/)") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let (rest, to_the_end) = rest.strip_suffix('$').map_or((rest, false), |rest| (rest, true));
    let mut chars = rest.chars().peekable();
    let texts = alternatives(&mut chars).map_err(|what| refuse(&what))?;
    if chars.next().is_some() {
        return Err(refuse("has a closing parenthesis too many"));
    }
    let rule = |text: &String| {
        let test = match (to_the_end, text.contains('#')) {
            (true, false) => Test::Equals,
            (true, true) => Test::Shape,
            (false, false) => Test::Starts,
            (false, true) => Test::StartsShape,
        };
        let mut clauses = vec![Clause::new(test, text)];
        if whole_name {
            clauses.push(not(Test::Contains, "/"));
        }
        Rule(clauses)
    };
    Ok(texts.iter().map(rule).collect())
}

fn not(test: Test, text: &str) -> Clause {
    Clause { negated: true, ..Clause::new(test, text) }
}

/// Every text that `a|b|c` spells, up to the closing parenthesis or the end.
fn alternatives(chars: &mut Peekable<Chars<'_>>) -> Result<Vec<String>, String> {
    let mut all = sequence(chars)?;
    while chars.next_if_eq(&'|').is_some() {
        all.append(&mut sequence(chars)?);
    }
    Ok(all)
}

fn sequence(chars: &mut Peekable<Chars<'_>>) -> Result<Vec<String>, String> {
    let mut texts = vec![String::new()];
    while chars.peek().is_some_and(|&next| next != '|' && next != ')') {
        let mut atom = atom(chars)?;
        if chars.next_if_eq(&'?').is_some() {
            atom.push(String::new());
        } else if chars.next_if_eq(&'{').is_some() {
            let count: String = chars.by_ref().take_while(|&next| next != '}').collect();
            let count: usize = count.parse().map_err(|_| format!("{{{count}}} is not a plain count"))?;
            atom = atom.iter().map(|text| text.repeat(count.min(MOST))).collect();
        }
        texts = texts.iter().flat_map(|head| atom.iter().map(move |tail| format!("{head}{tail}"))).collect();
        if texts.len() > MOST {
            return Err(format!("spells more than {MOST} names"));
        }
    }
    Ok(texts)
}

fn atom(chars: &mut Peekable<Chars<'_>>) -> Result<Vec<String>, String> {
    match chars.next() {
        Some('(') => {
            if chars.next_if_eq(&'?').is_some() && chars.next() != Some(':') {
                return Err("has a group of a kind that is not read".to_owned());
            }
            let texts = alternatives(chars)?;
            chars.next_if_eq(&')').ok_or("has a group without an end")?;
            Ok(texts)
        }
        Some('[') => {
            let class: String = chars.by_ref().take_while(|&next| next != ']').collect();
            if class.is_empty() || class.starts_with('^') || class.trim_matches('-').contains(['-', '\\']) {
                return Err(format!("has the class [{class}], which is not a plain list"));
            }
            Ok(class.chars().map(String::from).collect())
        }
        Some('\\') => match chars.next() {
            Some('d') => Ok(vec!["#".to_owned()]),
            Some(escaped) if escaped.is_ascii_punctuation() => Ok(vec![escaped.to_string()]),
            other => Err(format!("has the escape \\{}", other.map_or(String::new(), String::from))),
        },
        Some(other) if other.is_ascii_alphanumeric() || "-_/@:=".contains(other) => Ok(vec![other.to_string()]),
        other => Err(format!("has {other:?}, which is not read")),
    }
}

#[cfg(test)]
mod tests {
    use super::rules;

    #[test]
    fn each_expression_becomes_the_tests_it_means() {
        for (regex, means) in [
            (r"^o[134]", "starts:o1 starts:o3 starts:o4"),
            (r"^claude-opus-5[-@]\d{8}$", "shape:claude-opus-5-######## shape:claude-opus-5@########"),
            (r"^gemini-4-argon-\d", "starts_shape:gemini-4-argon-#"),
            (r"^grok-4\.5\[fast=true\]$", "equals:grok-4.5[fast=true]"),
            (
                r"^(typesafe/)?jev-1\.13(-\d{8})?$",
                "shape:typesafe/jev-1.13-######## equals:typesafe/jev-1.13 shape:jev-1.13-######## equals:jev-1.13",
            ),
            (
                r"^(?![^/]+/)(?:a|b(?:c|d))e",
                "starts:ae&not_contains:/ starts:bce&not_contains:/ starts:bde&not_contains:/",
            ),
            (r"^(?!.*-[tT][tT][sS](?:$|-))", "not_ends:-tts&not_contains:-tts-"),
        ] {
            let found: Vec<_> = rules(regex).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), means, "{regex}");
        }
    }

    #[test]
    fn what_would_change_its_meaning_is_refused() {
        for regex in
            ["gpt", "^a.*b$", "^a+", "^a*", r"^\w", "^[a-z]", "^[^a]", "^(?=a)", "^(a", "^a)", r"^a{2,3}", "^(?<!a)b"]
        {
            assert!(rules(regex).is_err(), "{regex}");
        }
    }
}
