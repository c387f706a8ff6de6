use super::*;

const SMALL: &str = "\
set sample 1.0 2026-11-23
licence MIT
source written for this test

provider one
  named contains:one starts:uno&not_contains:/
  serves starts:one-
  fallback two
  model one-a
    match equals:one-a shape:one-a-####-##-##
    price input=1.25>200000:2.5 cache_read=0.125 output=10
    price from:2026-10-14 input=1 output=8
    price daily:22:30-06:00 input=0.5 output=4
    price when:processing=batch from:2026-10-14 input=0.5 output=4

provider two
  model two-a
    match starts:two-a
    price input=0 output=0
";

#[test]
fn a_document_is_written_as_it_was_read() {
    assert_eq!(Document::parse(SMALL).unwrap().to_string(), SMALL);
}

#[test]
fn a_wrong_line_is_named_with_what_is_wrong() {
    for (line, says) in [
        ("provider", "there are 0 words where 1 belong"),
        ("provider one", "provider one is there twice"),
        ("colour red", "`colour` is not a word that begins a line"),
        ("match gpt", "`gpt` is not a rule"),
        ("price input", "`input` is neither a condition nor UNIT=RATE"),
        ("price inputs=1", "`inputs` is not a unit"),
        ("price input=-1", "`input=-1`: not a rate in plain decimals"),
        ("price input=1>5:2>5:3", "`input=1>5:2>5:3`: not a rate in plain decimals"),
        ("price output=1 input=1", "`input=1`: units stand once each, in their order"),
        ("price from:2026-02-30 input=1", "`from:2026-02-30` is neither a condition nor UNIT=RATE"),
        ("price daily:24:00-01:00 input=1", "`daily:24:00-01:00` is neither a condition nor UNIT=RATE"),
    ] {
        let error = Document::parse(&format!("{SMALL}{line}\n")).unwrap_err();
        assert_eq!((error.line, error.message.as_str()), (SMALL.lines().count() + 1, says));
    }
    assert_eq!(Document::parse("model a\n").unwrap_err().message, "`model` stands before any `provider`");
    assert!(Document::parse("").unwrap_err().message.contains("set NAME VERSION DATE"));
    let dangling = Document::parse("set a 1 2026-01-01\nprovider one\nfallback three\n").unwrap_err();
    assert_eq!(dangling.message, "provider one falls back to three, which is not a provider here");
}

#[test]
fn days_are_counted_from_1970_and_days_that_are_not_are_refused() {
    for (text, days) in [
        ("1970-01-01", Some(0)),
        ("1969-12-31", Some(-1)),
        ("2000-02-29", Some(11_016)),
        ("2026-10-14", Some(20_740)),
        ("2025-02-29", None),
        ("2025-13-01", None),
        ("2025-1-01", None),
        ("+025-01-01", None),
    ] {
        assert_eq!(parse_day(text), days, "{text}");
    }
    for days in (-800_000..800_000).step_by(37) {
        let (year, month, day) = civil_from_days(days);
        assert_eq!(days_from_civil(year, month, day), days);
    }
}
