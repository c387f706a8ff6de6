use super::*;
use std::collections::BTreeMap;

enum Cell<'a> {
    Text(u16, &'a str),
    Integer(u16, i64),
    Real(u16, f64),
}
use Cell::{Integer, Real, Text};

fn batch(spans: &[&[Cell<'_>]]) -> Batch {
    let mut cells = Edits::new(u32::try_from(spans.len()).unwrap());
    for (row, span) in (0..).zip(spans) {
        for cell in *span {
            match *cell {
                Text(attribute, value) => cells.text(row, attribute, value),
                Integer(attribute, value) => cells.integer(row, attribute, value),
                Real(attribute, value) => cells.real(row, attribute, value),
            }
        }
    }
    cells.finish()
}

/// What is written for each span, by the last word of the attribute's name.
fn written(config: &str, spans: &[&[Cell<'_>]]) -> Vec<BTreeMap<&'static str, String>> {
    let enricher = Enricher::configure(config).unwrap();
    let edits = enricher.enrich(&batch(spans));
    assert_eq!(edits.check(u32::try_from(spans.len()).unwrap(), enricher.manifest().writes.len()), Ok(()));
    edits
        .rows()
        .map(|span| {
            let value = |place| span.text(place).map(str::to_owned).or(span.integer(place).map(|n| n.to_string()));
            let names = WRITES.iter().map(|(name, _)| name.rsplit('.').next().unwrap());
            (0..).zip(names).filter_map(|(place, name)| Some((name, value(place)?))).collect()
        })
        .collect()
}

fn one(config: &str, span: &[Cell<'_>]) -> BTreeMap<&'static str, String> {
    written(config, &[span]).remove(0)
}

fn map(pairs: &[(&'static str, &str)]) -> BTreeMap<&'static str, String> {
    pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

const CHAT: Cell<'_> = Text(read::OPERATION, "chat");
const MODEL: Cell<'_> = Text(read::RESPONSE_MODEL, "gpt-4o-2024-08-06");
/// 3 tokens around it, 1 for the role, 2 of text; 3 for the reply.
const INPUT: Cell<'_> = Text(read::INPUT_MESSAGES, r#"[{"role":"user","parts":[{"type":"text","content":"Hello!"}]}]"#);
/// 2 tokens.
const OUTPUT: Cell<'_> =
    Text(read::OUTPUT_MESSAGES, r#"[{"role":"assistant","parts":[{"type":"text","content":"Hi."}]}]"#);

#[test]
fn a_call_without_usage_gets_an_estimate_that_says_what_it_is() {
    let expected = map(&[
        ("input_tokens", "9"),
        ("output_tokens", "2"),
        ("source", "estimated"),
        ("estimator", "tiktoken o200k_base"),
        ("estimated", "input,output"),
    ]);
    assert_eq!(one("{}", &[CHAT, MODEL, INPUT, OUTPUT]), expected);
}

#[test]
fn the_whole_input_is_counted() {
    // The documentation of the chat completions API shows 19 prompt tokens for these two messages.
    let system = Text(read::SYSTEM, r#"[{"type":"text","content":"You are a helpful assistant."}]"#);
    assert_eq!(one("{}", &[CHAT, MODEL, INPUT, OUTPUT, system])["input_tokens"], "19");
    let tools = Text(read::TOOLS, r#"[{"type":"function","name":"f"}]"#);
    // The overhead of a tool, and its line `f:`.
    assert_eq!(one("{}", &[CHAT, MODEL, INPUT, OUTPUT, tools])["input_tokens"], (9 + 7 + 12 + 2).to_string());
    let completion = Text(read::OPERATION, "text_completion");
    assert_eq!(one("{}", &[completion, MODEL, INPUT, OUTPUT])["input_tokens"], "2", "only a chat has overhead");
    let embeddings = one(
        "{}",
        &[
            Text(read::OPERATION, "embeddings"),
            Text(read::REQUEST_MODEL, "text-embedding-3-small"),
            Text(read::INPUT_MESSAGES, "Hello!"),
        ],
    );
    let expected = map(&[
        ("input_tokens", "2"),
        ("source", "estimated"),
        ("estimator", "tiktoken cl100k_base"),
        ("estimated", "input"),
    ]);
    assert_eq!(embeddings, expected, "embeddings have no output");
}

#[test]
fn nothing_is_written_for_what_is_no_call_failed_or_has_usage() {
    for cells in [
        vec![MODEL, INPUT, OUTPUT],
        vec![Text(read::OPERATION, "invoke_agent"), MODEL, INPUT, OUTPUT],
        vec![Text(read::OPERATION, "execute_tool"), MODEL, INPUT, OUTPUT],
        vec![CHAT, MODEL, INPUT, OUTPUT, Text(read::ERROR, "rate_limit_exceeded")],
        vec![CHAT, MODEL, INPUT, OUTPUT, Text(read::STATUS, "error")],
        vec![CHAT, MODEL, INPUT, OUTPUT, Integer(read::HTTP_STATUS, 429)],
        vec![CHAT, MODEL, INPUT, OUTPUT, Integer(read::INPUT, 5), Integer(read::OUTPUT, 0)],
        vec![CHAT, MODEL, INPUT, OUTPUT, Integer(read::INPUT, 5)],
        vec![CHAT, MODEL, INPUT, OUTPUT, Integer(read::OUTPUT, 5)],
        // What is no count is not replaced either: its sender has to be told.
        vec![CHAT, MODEL, INPUT, OUTPUT, Real(read::INPUT, -0.5)],
        vec![CHAT, MODEL, INPUT, OUTPUT, Text(read::OUTPUT, "many")],
    ] {
        assert_eq!(one("{}", &cells), map(&[]));
    }
    let fine =
        [CHAT, MODEL, INPUT, OUTPUT, Text(read::ERROR, ""), Text(read::STATUS, "ok"), Integer(read::HTTP_STATUS, 200)];
    assert_eq!(one("{}", &fine)["source"], "estimated");
}

#[test]
fn fill_partial_estimates_the_count_that_is_missing_and_no_other() {
    let config = r#"{"fill": "partial"}"#;
    let rest = [("source", "estimated"), ("estimator", "tiktoken o200k_base")];
    let expected = map(&[&[("output_tokens", "2"), ("estimated", "output")], &rest[..]].concat());
    assert_eq!(one(config, &[CHAT, MODEL, INPUT, OUTPUT, Integer(read::INPUT, 5)]), expected);
    let expected = map(&[&[("input_tokens", "9"), ("estimated", "input")], &rest[..]].concat());
    assert_eq!(one(config, &[CHAT, MODEL, INPUT, OUTPUT, Integer(read::OUTPUT, 5)]), expected);
    assert_eq!(one(config, &[CHAT, MODEL, INPUT, OUTPUT, Integer(read::INPUT, 5), Integer(read::OUTPUT, 5)]), map(&[]));
    let embeddings = [Text(read::OPERATION, "embeddings"), MODEL, INPUT, Integer(read::INPUT, 5)];
    assert_eq!(one(config, &embeddings), map(&[]), "embeddings miss no output");
}

#[test]
fn a_model_whose_vocabulary_is_not_public_is_estimated_only_with_a_fallback() {
    let claude = || Text(read::RESPONSE_MODEL, "claude-sonnet-4-5");
    assert_eq!(one("{}", &[CHAT, claude(), INPUT, OUTPUT]), map(&[("unestimated", "unknown_model")]));
    assert_eq!(one("{}", &[CHAT, INPUT, OUTPUT]), map(&[("unestimated", "missing_model")]));
    assert_eq!(one("{}", &[CHAT, Text(read::RESPONSE_MODEL, " "), INPUT]), map(&[("unestimated", "missing_model")]));
    let config = r#"{"fallback": "cl100k_base"}"#;
    for cells in [vec![CHAT, claude(), INPUT, OUTPUT], vec![CHAT, INPUT, OUTPUT]] {
        let written = one(config, &cells);
        assert_eq!((&*written["input_tokens"], &*written["estimator"]), ("9", "tiktoken cl100k_base fallback"));
    }
    let own = one(config, &[CHAT, MODEL, INPUT, OUTPUT]);
    assert_eq!(own["estimator"], "tiktoken o200k_base", "a model's own vocabulary comes first");
    // A deployment's name says nothing; the model that answered does, and the other way round.
    let answered = [CHAT, Text(read::REQUEST_MODEL, "prod-chat"), MODEL, INPUT, OUTPUT];
    assert_eq!(one("{}", &answered)["estimator"], "tiktoken o200k_base");
    let asked = [CHAT, Text(read::REQUEST_MODEL, "gpt-4"), Text(read::RESPONSE_MODEL, "x"), INPUT, OUTPUT];
    assert_eq!(one("{}", &asked)["estimator"], "tiktoken cl100k_base");
}

#[test]
fn a_count_that_leaves_something_out_is_marked_or_left_out() {
    let image = || {
        Text(
            read::INPUT_MESSAGES,
            r#"[{"role":"user","parts":[{"type":"text","content":"Hello!"},{"type":"uri","uri":"https://example.com/a.png"}]}]"#,
        )
    };
    let thinks = || Text(read::RESPONSE_MODEL, "gpt-5-2025-08-07");
    let written = one("{}", &[CHAT, MODEL, image(), OUTPUT]);
    assert_eq!((&*written["input_tokens"], &*written["lower_bound"]), ("9", "input"));
    let written = one("{}", &[CHAT, thinks(), INPUT, OUTPUT]);
    assert_eq!((&*written["output_tokens"], &*written["lower_bound"]), ("2", "output"));
    assert_eq!(one("{}", &[CHAT, thinks(), image(), OUTPUT])["lower_bound"], "input,output");
    let exact = r#"{"lower_bounds": false}"#;
    let written = one(exact, &[CHAT, thinks(), INPUT, OUTPUT]);
    let expected = map(&[
        ("input_tokens", "9"),
        ("source", "estimated"),
        ("estimator", "tiktoken o200k_base"),
        ("estimated", "input"),
        ("unestimated", "lower_bound"),
    ]);
    assert_eq!(written, expected);
    assert_eq!(one(exact, &[CHAT, thinks(), image(), OUTPUT]), map(&[("unestimated", "lower_bound")]));
}

#[test]
fn without_content_there_is_no_estimate() {
    let missing = map(&[("unestimated", "missing_content")]);
    assert_eq!(one("{}", &[CHAT, MODEL]), missing);
    assert_eq!(one("{}", &[CHAT, MODEL, Text(read::INPUT_MESSAGES, "[]"), Text(read::OUTPUT_MESSAGES, "")]), missing);
    let written = one("{}", &[CHAT, MODEL, INPUT]);
    let part = ["input_tokens", "estimated", "unestimated"].map(|name| written[name].as_str());
    assert_eq!(part, ["9", "input", "missing_content"]);
    assert!(!written.contains_key("output_tokens"), "no count is made up");
    let cut = Text(read::OUTPUT_MESSAGES, r#"[{"role":"assistant","parts":[{"type":"text","content":"Hi"#);
    assert_eq!(one("{}", &[CHAT, MODEL, INPUT, cut])["unestimated"], "malformed_content");
}

#[test]
fn a_count_with_more_text_than_its_limit_is_not_estimated() {
    let config = r#"{"max_text_bytes": 1024}"#;
    let of = |bytes: usize| one(config, &[CHAT, MODEL, INPUT, Text(read::OUTPUT_MESSAGES, &"a ".repeat(bytes / 2))]);
    assert_eq!(of(1_024)["estimated"], "input,output");
    let written = of(1_026);
    assert_eq!((&*written["estimated"], &*written["unestimated"]), ("input", "too_large"));
}

#[test]
fn a_batch_with_more_text_than_its_limit_is_estimated_up_to_there() {
    let config = r#"{"max_text_bytes": 1024, "max_batch_bytes": 4096}"#;
    let said = "a ".repeat(500);
    let span = || [CHAT, MODEL, INPUT, Text(read::OUTPUT_MESSAGES, &said)];
    let spans: Vec<_> = (0..10).map(|_| span()).collect();
    let spans: Vec<_> = spans.iter().map(<[_; 4]>::as_slice).collect();
    let written = written(config, &spans);
    assert!(written[..4].iter().all(|span| span["estimated"] == "input,output"), "{written:?}");
    assert!(written[4..].iter().all(|span| span["unestimated"] == "batch_limit"), "{written:?}");
    // 1,010 bytes a span: role and text of the input are 10.
    assert_eq!(written[4]["estimated"], "input", "{written:?}");
}

#[test]
fn no_text_takes_more_work_than_the_limits_allow() {
    let config = r#"{"max_batch_bytes": 2097152}"#;
    // Slow for its length, but ASCII or East Asian: a whole mebibyte is counted.
    for unit in ["a", " ", "A", "\n", "=", "0", "\n ", "語"] {
        let text = format!("x{}", unit.repeat(((1 << 20) - 1) / unit.len()));
        let written = one(config, &[CHAT, MODEL, INPUT, Text(read::OUTPUT_MESSAGES, &text)]);
        let tokens: usize = written["output_tokens"].parse().unwrap();
        assert!(tokens > 1_000 && tokens <= 1 << 20, "{unit:?}: {tokens}");
    }
    // Slower: as much as takes as long as that, and no more.
    let every: String = (0xa0..0x3000).filter_map(char::from_u32).collect();
    let shuffled: String = (0..2_000).filter_map(|n| every.chars().nth(n * 7_919 % 9_000)).collect();
    for (text, fits) in [
        ("д".repeat(60_000), true),
        ("д".repeat(70_000), false),
        ("e\u{301}".repeat(60_000), true),
        ("e\u{301}".repeat(70_000), false),
        (shuffled.clone(), true),
        (shuffled.repeat(2), false),
    ] {
        let written = one(config, &[CHAT, MODEL, INPUT, Text(read::OUTPUT_MESSAGES, &text)]);
        assert_eq!(written.get("unestimated").map(String::as_str), (!fits).then_some("too_large"), "{}", &text[..40]);
    }
}

#[test]
fn every_reason_has_a_word_of_its_own() {
    let words: std::collections::BTreeSet<_> = Unestimated::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(words.len(), Unestimated::ALL.len());
    assert_eq!(Unestimated::TooLarge.to_string(), "too_large");
}
