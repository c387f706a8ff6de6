//! The same texts where they really are: in bodies of JSON, escaped.

use crate::detector::Detector;
use crate::prose::{Set, card_named};
use crate::score::{Count, Score};
use crate::span::Span;
use serde_json::Value;
use std::fmt::Write;

/// A text in a body, and where each of its characters is there.
pub(crate) struct Body {
    pub(crate) text: String,
    /// One for each character, ascending.
    places: Vec<Place>,
}

/// A character: its bytes in the text, and in the body.
#[derive(Clone, Copy, Debug)]
struct Place {
    text: (usize, usize),
    body: (usize, usize),
}

/// How a character is written in a string of JSON.
type Escape = fn(char, &mut String);

/// The least that RFC 8259 section 7 asks for.
fn least(character: char, out: &mut String) {
    match character {
        '"' | '\\' => out.extend(['\\', character]),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\0'..' ' => push_escaped(character, out),
        _ => out.push(character),
    }
}

/// Everything but ASCII letters and digits as `\u` and four hexadecimal digits, in pairs above U+FFFF: what writers do
/// that keep to ASCII and to what is safe in HTML, taken to the end.
fn most(character: char, out: &mut String) {
    if character.is_ascii_alphanumeric() { out.push(character) } else { push_escaped(character, out) }
}

fn push_escaped(character: char, out: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a string does not fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

impl Body {
    /// A request with the text as content, with as few escapes as JSON allows.
    pub(crate) fn plain(text: &str) -> Self {
        Self::of(text).inside(r#"{"messages":[{"role":"user","content":""#, least, r#""}]}"#)
    }

    /// The same with as many as JSON allows, but for letters and digits.
    pub(crate) fn escaped(text: &str) -> Self {
        Self::of(text).inside(r#"{"messages":[{"role":"user","content":""#, most, r#""}]}"#)
    }

    /// A request with a tool call, whose arguments are a string of JSON that holds the text; as few escapes in both.
    pub(crate) fn nested(text: &str) -> Self {
        Self::of(text).in_arguments(least)
    }

    /// The same with as many in both.
    pub(crate) fn nested_escaped(text: &str) -> Self {
        Self::of(text).in_arguments(most)
    }

    fn in_arguments(self, escape: Escape) -> Self {
        self.inside(r#"{"text":""#, escape, r#""}"#).inside(
            concat!(
                r#"{"messages":[{"role":"assistant","tool_calls":[{"id":"call_1","type":"function","#,
                r#""function":{"name":"send","arguments":""#
            ),
            escape,
            r#""}}]}]}"#,
        )
    }

    /// The text itself.
    fn of(text: &str) -> Self {
        let places = text.char_indices().map(|(at, character)| {
            let stretch = (at, at + character.len_utf8());
            Place { text: stretch, body: stretch }
        });
        Self { places: places.collect(), text: text.to_owned() }
    }

    /// What is there so far as a string between two parts of JSON.
    fn inside(self, before: &str, escape: Escape, after: &str) -> Self {
        let mut text = before.to_owned();
        // Where each byte of what is there so far begins now; one more for its end.
        let mut begins = Vec::with_capacity(self.text.len() + 1);
        for character in self.text.chars() {
            begins.resize(begins.len() + character.len_utf8(), text.len());
            escape(character, &mut text);
        }
        begins.push(text.len());
        let moved = |at: usize| begins.get(at).copied().unwrap_or(text.len());
        let places = self
            .places
            .iter()
            .map(|place| Place { text: place.text, body: (moved(place.body.0), moved(place.body.1)) });
        let places = places.collect();
        text.push_str(after);
        Self { text, places }
    }

    /// The stretch of the text whose characters a stretch of the body touches; none where it touches none.
    pub(crate) fn source(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let touched = || self.places.iter().filter(|place| place.body.0 < end && start < place.body.1);
        Some((touched().map(|place| place.text.0).min()?, touched().map(|place| place.text.1).max()?))
    }
}

/// A form of bodies: what it is called, and how one is made.
type Form = (&'static str, fn(&str) -> Body);

const FORMS: [Form; 4] = [
    ("content, few escapes", Body::plain),
    ("content, all escaped", Body::escaped),
    ("arguments, few escapes", Body::nested),
    ("arguments, all escaped twice", Body::nested_escaped),
];

/// Prints how the figures of a set change when its texts stand in bodies.
pub(crate) fn report(set: &Set, detectors: &mut [&mut dyn Detector], show: bool) -> Result<(), String> {
    println!("\n=== {} in bodies of JSON", set.name);
    println!("{:<42} {:>7} {:>7} {:>7} {:>7} {:>9} {:>8}", "", "P", "R", "F2", "leak", "F2 +/-", "broken");
    for detector in detectors {
        let texts: Vec<&str> = set.rows.iter().map(|row| row.text.as_str()).collect();
        let bare = set.score(&detector.find(&texts)?.findings).total(|_| true);
        line(&format!("{}: the texts themselves", detector.name()), &bare, &bare, None);
        for (form, make) in FORMS {
            let bodies: Vec<Body> = texts.iter().map(|text| make(text)).collect();
            let count = in_bodies(set, &bodies, &mut **detector, show)?.total(|_| true);
            let broken = bodies.iter().filter_map(|body| Some(!is_whole(&detector.redacted(&body.text)?)));
            let broken = detector.redacted("").map(|_| broken.filter(|broken| *broken).count());
            line(&format!("{}: {form}", detector.name()), &count, &bare, broken);
        }
    }
    Ok(())
}

fn line(name: &str, count: &Count, bare: &Count, broken: Option<usize>) {
    println!(
        "{name:<42} {:>7.3} {:>7.3} {:>7.3} {:>7.3} {:>+9.3} {:>8}",
        count.precision(),
        count.recall(),
        count.f2(),
        count.leak(),
        count.f2() - bare.f2(),
        broken.map_or(String::new(), |broken| broken.to_string()),
    );
}

/// Counts what is found in bodies, led back to the texts.
fn in_bodies(set: &Set, bodies: &[Body], detector: &mut dyn Detector, show: bool) -> Result<Score, String> {
    let texts: Vec<&str> = bodies.iter().map(|body| body.text.as_str()).collect();
    let found = detector.find(&texts)?;
    let mut score = set.empty_score();
    for ((row, body), findings) in set.rows.iter().zip(bodies).zip(&found.findings) {
        let mut spans = Vec::new();
        for finding in findings {
            match body.source(finding.start, finding.end) {
                Some((start, end)) => spans.push(card_named(set, &row.text, Span::new(&finding.kind, start, end))),
                None => score.add_outside(&finding.kind),
            }
        }
        let outcome = score.add(&row.text, &row.gold, &spans);
        if show && detector.redacted("").is_some() {
            set.show(row, &spans, &outcome, |kind| detector.knows(kind), &body.text);
        }
    }
    Ok(score)
}

/// Whether a body parses, and the arguments in it where there are any.
fn is_whole(body: &str) -> bool {
    let Ok(body) = serde_json::from_str::<Value>(body) else { return false };
    match body.pointer("/messages/0/tool_calls/0/function/arguments") {
        Some(arguments) => arguments.as_str().is_some_and(|text| serde_json::from_str::<Value>(text).is_ok()),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 6] = ["", "a", "call \"ann@x.org\"\n\t电话 😀, ok\\", "\u{1}\u{7f}/", "身份证", "plain 123"];

    #[test]
    fn bodies_hold_the_text() {
        for text in TEXTS {
            for body in [Body::plain(text), Body::escaped(text)] {
                let parsed: Value = serde_json::from_str(&body.text).unwrap();
                assert_eq!(parsed["messages"][0]["content"], text);
                assert!(is_whole(&body.text));
            }
            for body in [Body::nested(text), Body::nested_escaped(text)] {
                let parsed: Value = serde_json::from_str(&body.text).unwrap();
                let arguments = &parsed["messages"][0]["tool_calls"][0]["function"]["arguments"];
                let arguments: Value = serde_json::from_str(arguments.as_str().unwrap()).unwrap();
                assert_eq!(arguments["text"], text);
                assert!(is_whole(&body.text));
            }
        }
    }

    #[test]
    fn every_stretch_of_the_text_leads_there_and_back() {
        for text in TEXTS {
            for body in FORMS.map(|(_, make)| make(text)) {
                for (first, from) in body.places.iter().enumerate() {
                    for to in &body.places[first..] {
                        assert_eq!(body.source(from.body.0, to.body.1), Some((from.text.0, to.text.1)), "{text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn characters_are_where_they_are_written() {
        let written = |body: &Body, character: usize| {
            let place = body.places[character];
            body.text[place.body.0..place.body.1].to_owned()
        };
        let text = "a@\n中😀";
        let plain = Body::plain(text);
        assert_eq!(
            (written(&plain, 1), written(&plain, 2), written(&plain, 3)),
            ("@".into(), "\\n".into(), "中".into())
        );
        let escaped = Body::escaped(text);
        assert_eq!(written(&escaped, 0), "a");
        assert_eq!(written(&escaped, 1), "\\u0040");
        assert_eq!(written(&escaped, 4), "\\ud83d\\ude00");
        assert_eq!(written(&Body::nested(text), 2), "\\\\n");
        let nested = Body::nested_escaped(text);
        assert_eq!(written(&nested, 0), "a");
        assert_eq!(written(&nested, 1), "\\u005cu0040");
        assert_eq!(written(&nested, 4), "\\u005cud83d\\u005cude00");
    }

    #[test]
    fn a_stretch_that_touches_no_character_of_the_text_leads_nowhere() {
        let body = Body::escaped("a@b");
        assert_eq!(body.source(0, 10), None);
        assert_eq!(body.source(body.text.len() - 2, body.text.len()), None);
        // Part of an escape is its character; what sticks out into the body is cut off.
        let at = body.places[1].body.0;
        assert_eq!(body.source(at + 2, at + 3), Some((1, 2)));
        assert_eq!(body.source(0, at + 1), Some((0, 2)));
    }

    #[test]
    fn broken_bodies_are_seen() {
        assert!(!is_whole("{"));
        let body = r#"{"messages":[{"tool_calls":[{"function":{"arguments":"{\"a\":<X>}"}}]}]}"#;
        assert!(!is_whole(body));
    }
}
