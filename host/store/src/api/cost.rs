//! `GET /api/cost` with `group_by`.

use super::parameters::{FILTERS, Parameters};
use super::parts::{Source, Whole};
use super::{Context, Refusal};
use crate::moment;
use crate::query::{Group, GroupKey, KeyValue};
use crate::store::Store;
use serde::Serialize;
use std::collections::BTreeMap;

const DAY: u64 = 86_400_000_000_000;

/// Most groups that can be asked for.
const MOST_LIMIT: usize = 1_000;

/// Most keys that can be asked for.
const MOST_KEYS: usize = 3;

/// What calls cost, by group.
#[derive(Debug, Serialize)]
pub struct CostAnswer {
    #[serde(flatten)]
    source: Source,
    since: Option<String>,
    until: String,
    group_by: Vec<&'static str>,
    totals: Whole,
    groups: Vec<One>,
    other: Other,
}

#[derive(Debug, Serialize)]
struct One {
    by: BTreeMap<&'static str, Option<String>>,
    #[serde(flatten)]
    sums: Whole,
}

#[derive(Debug, Serialize)]
struct Other {
    groups: u64,
    #[serde(flatten)]
    sums: Whole,
}

/// Whether a question about costs is one for the store: it says by what to group.
#[must_use]
pub fn is_grouped(question: &str) -> bool {
    form_urlencoded::parse(question.as_bytes()).any(|(name, _)| name == "group_by")
}

/// Answers `GET /api/cost` where it has `group_by`.
///
/// # Errors
/// The question is wrong, or the store cannot answer.
pub fn cost(store: &Store, question: &str, context: Context) -> Result<CostAnswer, Refusal> {
    let parameters = Parameters::parse(question, &[&FILTERS[..], &["group_by"]].concat())?;
    let filter = parameters.filter(context, Some(DAY))?;
    let keys = keys(parameters.get("group_by").unwrap_or_default())?;
    let limit = parameters.count("limit", 100, MOST_LIMIT)?;
    let cost = store.cost(&filter, &keys, limit)?;
    let one = |group: Group| One {
        by: keys.iter().map(|key| key.word()).zip(group.values.into_iter().map(text)).collect(),
        sums: Whole::new(&group.sums),
    };
    Ok(CostAnswer {
        source: Source::new(store, context.sampled)?,
        since: filter.since.map(moment::text),
        until: moment::text(filter.until.unwrap_or(context.now)),
        group_by: keys.iter().map(|key| key.word()).collect(),
        totals: Whole::new(&cost.totals),
        groups: cost.groups.into_iter().map(one).collect(),
        other: Other { groups: cost.other_groups, sums: Whole::new(&cost.other) },
    })
}

fn text(value: KeyValue) -> Option<String> {
    match value {
        KeyValue::Unset => None,
        KeyValue::Text(text) => Some(text),
        KeyValue::Time(time) => Some(moment::text(time)),
    }
}

fn keys(text: &str) -> Result<Vec<GroupKey>, Refusal> {
    let mut keys = Vec::new();
    for word in text.split(',') {
        let Some((_, key)) = GroupKey::ALL.into_iter().find(|(known, _)| *known == word) else {
            let known = GroupKey::ALL.map(|(known, _)| known).join(", ");
            return Err(Refusal::Question(format!("group_by: {word:?} is none of {known}")));
        };
        if keys.contains(&key) {
            return Err(Refusal::Question(format!("group_by: {word:?} is there twice; write it once")));
        }
        keys.push(key);
    }
    if keys.len() > MOST_KEYS {
        return Err(Refusal::Question(format!("group_by: has {} words; at most {MOST_KEYS} are possible", keys.len())));
    }
    Ok(keys)
}
