//! Conditions of the OpenTelemetry Transformation Language, as far as they are about attributes and fields of one span.
//!
//! ```text
//! or      = and { "or" and }
//! and     = unary { "and" unary }
//! unary   = "not" unary | "(" or ")" | IsMatch "(" path "," text ")" | path [ comparison value ]
//! path    = [ "span." | "resource." ] attributes[ "key" ] | name | kind | status.code
//! value   = text | number | true | false | nil | STATUS_CODE_... | SPAN_KIND_...
//! ```

use crate::expression::{Comparison, Literal, Operand, SpanExpr, Test};
use crate::matcher;
use crate::reads::{Attribute, ReadList};

/// How deep parentheses and negations may be nested.
const DEPTH: u8 = 32;

/// Reads a condition.
///
/// # Errors
/// What in it cannot be read here, in a sentence.
pub(crate) fn parse(text: &str, reads: &mut ReadList) -> Result<SpanExpr, String> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, reads };
    let condition = parser.or(DEPTH)?;
    match parser.peek() {
        None => Ok(condition),
        Some(token) => Err(format!("there is something left at {token}")),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(word) => write!(f, "`{word}`"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Sign(sign) => write!(f, "`{sign}`"),
        }
    }
}

const SIGNS: [&str; 11] = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ","];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else if first == '"' {
            quoted(rest)?
        } else if first.is_ascii_digit() || first == '-' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"-+.".contains(c)).unwrap_or(rest.len());
            let digits = rest.get(..end).unwrap_or_default();
            let number =
                digits.parse().map_err(|_| format!("`{digits}` is not a number; arithmetic is not possible"))?;
            (Token::Number(number), end)
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
            (Token::Word(rest.get(..end).unwrap_or_default().to_owned()), end)
        } else {
            return Err(format!("`{first}` is not possible"));
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// Text in quotation marks, with what is escaped in it, and how many bytes it takes.
fn quoted(text: &str) -> Result<(Token, usize), String> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((Token::Text(value), at + 1)),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, escaped)) => value.push(escaped),
                None => break,
            },
            other => value.push(other),
        }
    }
    Err("a text does not end".to_owned())
}

/// A path, and what its values are.
struct Path {
    attribute: Attribute,
    kind: PathKind,
}

#[derive(Clone, Copy, PartialEq)]
enum PathKind {
    Attribute,
    Name,
    Status,
    Kind,
}

struct Parser<'r> {
    tokens: Vec<Token>,
    next: usize,
    reads: &'r mut ReadList,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.next).cloned();
        self.next += 1;
        token
    }

    fn sign(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Sign(found)) if *found == sign);
        self.next += usize::from(there);
        there
    }

    fn word(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Word(found)) if found == word);
        self.next += usize::from(there);
        there
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.sign(sign) { Ok(()) } else { Err(format!("expected `{sign}` {}", self.here())) }
    }

    fn here(&self) -> String {
        self.peek().map_or_else(|| "at the end".to_owned(), |token| format!("before {token}"))
    }

    fn or(&mut self, depth: u8) -> Result<SpanExpr, String> {
        let mut parts = vec![self.and(depth)?];
        while self.word("or") {
            parts.push(self.and(depth)?);
        }
        Ok(SpanExpr::Any(parts))
    }

    fn and(&mut self, depth: u8) -> Result<SpanExpr, String> {
        let mut parts = vec![self.unary(depth)?];
        while self.word("and") {
            parts.push(self.unary(depth)?);
        }
        Ok(SpanExpr::All(parts))
    }

    fn unary(&mut self, depth: u8) -> Result<SpanExpr, String> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(format!("more than {DEPTH} parentheses and negations within one another"));
        };
        if self.word("not") {
            return Ok(SpanExpr::Not(Box::new(self.unary(depth)?)));
        }
        if self.sign("(") {
            let inner = self.or(depth)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.word("IsMatch") {
            return self.is_match();
        }
        let path = self.path()?;
        self.comparison(&path)
    }

    fn is_match(&mut self) -> Result<SpanExpr, String> {
        self.expect("(")?;
        let path = self.path()?;
        self.expect(",")?;
        let Some(Token::Text(pattern)) = self.take() else {
            return Err("IsMatch needs an expression in quotes".into());
        };
        self.expect(")")?;
        if path.kind == PathKind::Status || path.kind == PathKind::Kind {
            return Err("IsMatch is possible on attributes and on the name".to_owned());
        }
        Ok(SpanExpr::Is(Operand::one(path.attribute), Test::Matches(matcher::expression(&pattern)?)))
    }

    fn path(&mut self) -> Result<Path, String> {
        const POSSIBLE: &str = "possible are attributes[\"...\"], resource.attributes[\"...\"], name, kind.string, \
                                status.code, IsMatch, and comparisons of them";
        let Some(Token::Word(word)) = self.take() else { return Err(format!("expected a path; {POSSIBLE}")) };
        let own = word.strip_prefix("span.").unwrap_or(&word);
        let mut field =
            |name: &str, kind| Path { attribute: Attribute { span: self.reads.number(name), resource: None }, kind };
        Ok(match own {
            "name" => field("span:name", PathKind::Name),
            "status.code" => field("span:status", PathKind::Status),
            "kind" | "kind.string" => field("span:kind", PathKind::Kind),
            "attributes" => {
                let key = self.key()?;
                Path {
                    attribute: Attribute { span: self.reads.number(&key), resource: None },
                    kind: PathKind::Attribute,
                }
            }
            "resource.attributes" => {
                let key = self.key()?;
                let span = self.reads.number(&format!("resource:{key}"));
                Path { attribute: Attribute { span, resource: None }, kind: PathKind::Attribute }
            }
            _ => return Err(format!("`{word}` cannot be expressed; {POSSIBLE}")),
        })
    }

    fn key(&mut self) -> Result<String, String> {
        self.expect("[")?;
        let Some(Token::Text(key)) = self.take() else { return Err("attributes need a key in quotes".to_owned()) };
        self.expect("]")?;
        if self.sign("[") {
            return Err("a value within an attribute's value cannot be expressed".to_owned());
        }
        Ok(key)
    }

    fn comparison(&mut self, path: &Path) -> Result<SpanExpr, String> {
        let is = |test| SpanExpr::Is(Operand::one(path.attribute), test);
        let negated = |test| SpanExpr::Not(Box::new(is(test)));
        let Some(Token::Sign(sign)) = self.take() else {
            return Err("expected ==, !=, <, <=, > or >= behind a path".to_owned());
        };
        let value = self.take().ok_or_else(|| format!("expected a value behind `{sign}`"))?;
        if value == Token::Word("nil".to_owned()) {
            return match sign {
                "==" => Ok(negated(Test::Exists)),
                "!=" => Ok(is(Test::Exists)),
                _ => Err("nil is equal or not, never less or more".to_owned()),
            };
        }
        let literal = literal(path.kind, value)?;
        let compare = |comparison| Test::Compare(comparison, literal);
        Ok(match sign {
            "==" => is(compare(Comparison::Equal)),
            "!=" => negated(compare(Comparison::Equal)),
            "<" => is(compare(Comparison::Less)),
            "<=" => is(compare(Comparison::LessOrEqual)),
            ">" => is(compare(Comparison::Greater)),
            ">=" => is(compare(Comparison::GreaterOrEqual)),
            other => return Err(format!("expected a comparison, found `{other}`")),
        })
    }
}

/// The value as it stands in columns: statuses and kinds are words there.
fn literal(kind: PathKind, value: Token) -> Result<Literal, String> {
    const STATUSES: [(&str, &str); 3] =
        [("STATUS_CODE_UNSET", "unset"), ("STATUS_CODE_OK", "ok"), ("STATUS_CODE_ERROR", "error")];
    const KINDS: [(&str, &str); 6] = [
        ("SPAN_KIND_UNSPECIFIED", "unspecified"),
        ("SPAN_KIND_INTERNAL", "internal"),
        ("SPAN_KIND_SERVER", "server"),
        ("SPAN_KIND_CLIENT", "client"),
        ("SPAN_KIND_PRODUCER", "producer"),
        ("SPAN_KIND_CONSUMER", "consumer"),
    ];
    let from = |names: &[(&str, &str)]| {
        let found = names.iter().enumerate().find(|(place, (name, word))| match &value {
            Token::Word(given) => given == name,
            Token::Number(number) => *number == *place as f64,
            Token::Text(text) => text.eq_ignore_ascii_case(word),
            Token::Sign(_) => false,
        });
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        found
            .map(|(_, (_, word))| Literal::Text((*word).to_owned()))
            .ok_or_else(|| format!("{value} is not one of {} and their numbers", names.join(", ")))
    };
    match (kind, &value) {
        (PathKind::Status, _) => from(&STATUSES),
        (PathKind::Kind, _) => from(&KINDS),
        (_, Token::Text(text)) => Ok(Literal::Text(text.clone())),
        (_, Token::Number(number)) => Ok(Literal::Number(*number)),
        (_, Token::Word(word)) if word == "true" => Ok(Literal::Number(1.0)),
        (_, Token::Word(word)) if word == "false" => Ok(Literal::Number(0.0)),
        (_, other) => Err(format!("{other} is not a value that can be compared here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_expressed_is_said() {
        for (condition, says) in [
            ("", "expected a path"),
            ("attributes[\"a\"]", "expected =="),
            ("attributes[\"a\"] == ", "expected a value"),
            ("attributes[\"a\"] == 1 or", "expected a path"),
            ("attributes[\"a\"] = 1", "`=` is not possible"),
            ("attributes[\"a\"][\"b\"] == 1", "within an attribute's value"),
            ("attributes[\"a\"] == attributes[\"b\"]", "not a value"),
            ("end_time_unix_nano - start_time_unix_nano > 5", "arithmetic"),
            ("IsMatch(name, \"(\")", "not a regular expression"),
            ("IsRootSpan()", "cannot be expressed"),
            ("name == \"x", "does not end"),
            ("status.code == STATUS_CODE_BAD", "STATUS_CODE_UNSET"),
            ("(name == \"x\"", "expected `)`"),
            ("name == \"x\" name", "something left"),
            ("name < nil", "nil"),
        ] {
            let error = parse(condition, &mut ReadList::default()).unwrap_err();
            assert!(error.contains(says), "{condition}: {error}");
        }
        let deep = format!("{}name == \"x\"", "not ".repeat(40));
        assert!(parse(&deep, &mut ReadList::default()).unwrap_err().contains("32"));
    }
}
