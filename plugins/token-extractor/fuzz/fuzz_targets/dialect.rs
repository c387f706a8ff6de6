//! Spans with any values in the columns that are declared. Run with `cargo +nightly fuzz run dialect`.
//!
//! The input is a list of cells: which attribute, which of three rows, which type, and then the value. Half of the values
//! are pieces of JSON that dialects have, with bytes of the input in them, so that more than the parser is reached.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use tollgate_columns::{Edits, Kind};
use tollgate_token_extractor::dialect::Enricher;

const ROWS: u8 = 3;
const PIECES: [&str; 6] = [
    r#"{"input":?,"output":?,"total":?,"cache_read_input_tokens":?}"#,
    r#"{"anthropic":{"usage":{"input_tokens":?,"cache_read_input_tokens":?,"cache_creation_input_tokens":?}}}"#,
    r#"{"usage_metadata":{"prompt_token_count":?,"candidates_token_count":?,"thoughts_token_count":?,"total_token_count":?}}"#,
    r#"{"?.message.role":"user","?.message.contents.?.message_content.text":"?","0.message.tool_calls.?.tool_call.id":?}"#,
    r#"[{"role":"?","content":[{"type":"?","text":"?"}]},{"role":"model","parts":[{"function_call":{"name":"?"}}]}]"#,
    r#"{"model":"?","temperature":?,"stop":["?"],"seed":?,"n":?,"response_format":{"type":"?"}}"#,
];

static ENRICHERS: LazyLock<[Enricher; 2]> = LazyLock::new(|| {
    [r#"{"content": true}"#, "{}"].map(|config| Enricher::configure(config).expect("the configuration is right"))
});

fuzz_target!(|input: &[u8]| {
    let [which, rest @ ..] = input else { return };
    let enricher = &ENRICHERS[usize::from(which % 2)];
    let manifest = enricher.manifest();
    let mut edits = Edits::new(u32::from(ROWS));
    let mut rest = rest;
    while let [attribute, row, kind, length, tail @ ..] = rest {
        let (bytes, after) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = after;
        let number = (usize::from(*attribute) * manifest.reads.len() / 256) as u16;
        let row = u32::from(row % ROWS);
        let text = String::from_utf8_lossy(bytes);
        let integer = bytes.iter().fold(0i64, |value, byte| value << 8 | i64::from(*byte));
        match kind % 4 {
            0 => edits.text(row, number, &text),
            1 => edits.text(row, number, PIECES[usize::from(kind >> 2) % PIECES.len()].replace('?', &text)),
            2 => edits.integer(row, number, integer),
            _ => edits.real(row, number, f64::from_bits(integer as u64)),
        }
    }
    let batch = edits.finish();
    let added = enricher.enrich(&batch);
    assert_eq!(added.check(u32::from(ROWS), manifest.writes.len()), Ok(()));
    let columns = added.texts.iter().map(|column| (column.attribute, [Kind::Text, Kind::Composite]));
    let integers = added.integers.iter().map(|column| (column.attribute, [Kind::Integer, Kind::Boolean]));
    let reals = added.reals.iter().map(|column| (column.attribute, [Kind::Real, Kind::Real]));
    let mut seen = BTreeSet::new();
    for (attribute, kinds) in columns.chain(integers).chain(reals) {
        assert!(kinds.contains(&manifest.writes[usize::from(attribute)].kind));
        assert!(seen.insert(attribute), "two columns for one attribute");
    }
    for column in added.texts.iter() {
        if manifest.writes[usize::from(column.attribute)].kind == Kind::Composite {
            column.iter().for_each(|(_, json)| drop(serde_json::from_str::<serde_json::Value>(json).expect("JSON")));
        }
    }
});
