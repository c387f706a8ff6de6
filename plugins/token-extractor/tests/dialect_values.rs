//! Whatever stands in the attributes that are read: the answer keeps the rules of columns.

use proptest::prelude::*;
use std::collections::BTreeSet;
use tollgate_columns::{Edits, Kind};
use tollgate_token_extractor::dialect::Enricher;

const ROWS: u32 = 3;

#[derive(Clone, Debug)]
enum Cell {
    Text(String),
    Integer(i64),
    Real(f64),
}

fn json() -> impl Strategy<Value = String> {
    let names = [
        "input",
        "output",
        "total",
        "anthropic",
        "usage",
        "input_tokens",
        "cache_read_input_tokens",
        "usage_metadata",
        "thoughts_token_count",
        "total_token_count",
        "message",
        "content",
        "role",
        "parts",
        "type",
        "text",
        "model",
        "0.message.content",
        "1.tool_calls.0.id",
        "stop",
        "seed",
        "messages",
        "tool_calls",
        "function",
        "arguments",
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<u32>().prop_map(|value| value.to_string()),
        "\"[a-z]{0,6}\"",
        Just("1e300".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let member = (proptest::sample::select(names.to_vec()), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec(member, 0..4).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

fn cell() -> impl Strategy<Value = Cell> {
    let word = proptest::sample::select(vec![
        "LLM",
        "CHAIN",
        "generation",
        "ai.generateText.doGenerate",
        "gcp.vertex.agent",
        "workflow",
        "true",
        "12",
        "chat",
    ]);
    prop_oneof![
        2 => word.prop_map(|word| Cell::Text(word.to_owned())),
        3 => json().prop_map(Cell::Text),
        1 => ".{0,20}".prop_map(Cell::Text),
        2 => any::<i64>().prop_map(Cell::Integer),
        2 => (0i64..5_000).prop_map(Cell::Integer),
        1 => any::<f64>().prop_map(Cell::Real),
    ]
}

proptest! {
    #[test]
    fn answers_keep_the_rules(
        content in any::<bool>(),
        cells in proptest::collection::vec((any::<prop::sample::Index>(), 0..ROWS, cell()), 0..60),
    ) {
        let enricher = Enricher::configure(if content { r#"{"content": true}"# } else { "{}" }).unwrap();
        let manifest = enricher.manifest();
        let mut edits = Edits::new(ROWS);
        for (attribute, row, cell) in cells {
            let number = u16::try_from(attribute.index(manifest.reads.len())).unwrap();
            match cell {
                Cell::Text(text) => edits.text(row, number, text),
                Cell::Integer(value) => edits.integer(row, number, value),
                Cell::Real(value) => edits.real(row, number, value),
            }
        }
        let added = enricher.enrich(&edits.finish());
        prop_assert_eq!(added.check(ROWS, manifest.writes.len()), Ok(()));
        let kind = |attribute: u16| manifest.writes[usize::from(attribute)].kind;
        let mut seen = BTreeSet::new();
        for column in &added.texts {
            prop_assert!(matches!(kind(column.attribute), Kind::Text | Kind::Composite) && seen.insert(column.attribute));
            if kind(column.attribute) == Kind::Composite {
                for (_, text) in column.iter() {
                    prop_assert!(serde_json::from_str::<Vec<String>>(text).is_ok(), "{}", text);
                }
            }
        }
        for column in &added.integers {
            let kind = kind(column.attribute);
            prop_assert!(matches!(kind, Kind::Integer | Kind::Boolean) && seen.insert(column.attribute));
            prop_assert!(kind == Kind::Integer || column.values.iter().all(|value| matches!(value, 0 | 1)));
        }
        for column in &added.reals {
            prop_assert!(kind(column.attribute) == Kind::Real && seen.insert(column.attribute));
            prop_assert!(column.values.iter().all(|value| value.is_finite()));
        }
    }
}
