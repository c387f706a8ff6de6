//! What calls cost, by who made them and when.

use super::aggregate::{COLUMNS, COUNT, one};
use super::filter::Filter;
use super::sums::Sums;
use crate::error::StoreError;
use crate::store::Store;
use rusqlite::types::ValueRef;
use rusqlite::{Row, params_from_iter};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Most groups of an answer. Calls of groups that come after these are summed as `other`.
pub const MOST_GROUPS: usize = 10_000;

const MINUTE: u64 = 60_000_000_000;

/// By what calls are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKey {
    /// The model that was asked for, or where that is not said the one that answered.
    Model,
    /// The provider.
    Provider,
    /// The service.
    Service,
    /// The user.
    User,
    /// The session.
    Session,
    /// The day in UTC.
    Day,
    /// The hour in UTC.
    Hour,
    /// The minute.
    Minute,
}

impl GroupKey {
    /// All of them, by the words of the API.
    pub const ALL: [(&'static str, Self); 8] = [
        ("model", Self::Model),
        ("provider", Self::Provider),
        ("service", Self::Service),
        ("user", Self::User),
        ("session", Self::Session),
        ("day", Self::Day),
        ("hour", Self::Hour),
        ("minute", Self::Minute),
    ];

    /// The word of the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, key)| *key == self).map_or("", |(word, _)| word)
    }

    /// Of a time, the length of the groups in nanoseconds.
    #[must_use]
    pub const fn length(self) -> Option<u64> {
        match self {
            Self::Day => Some(24 * 60 * MINUTE),
            Self::Hour => Some(60 * MINUTE),
            Self::Minute => Some(MINUTE),
            _ => None,
        }
    }

    const fn sql(self) -> &'static str {
        match self {
            Self::Model => "coalesce(calls.request_model, calls.response_model)",
            Self::Provider => "calls.provider",
            Self::Service => "calls.service",
            Self::User => "calls.user",
            Self::Session => "calls.session",
            Self::Day | Self::Hour | Self::Minute => "calls.time",
        }
    }
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyValue {
    /// The call does not say.
    Unset,
    /// A text.
    Text(String),
    /// When the day, hour or minute begins, in nanoseconds since 1970.
    Time(u64),
}

/// Calls with the same values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The values, in the order of the keys.
    pub values: Vec<KeyValue>,
    /// Sums over its calls.
    pub sums: Sums,
}

/// What calls cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// All calls.
    pub totals: Sums,
    /// Groups: in the order of time where a key is one, else those that cost most first.
    pub groups: Vec<Group>,
    /// Calls of all other groups. The sums of groups and `other` are the totals.
    pub other: Sums,
    /// How many groups that is; at least so many where there are more than [`MOST_GROUPS`].
    pub other_groups: u64,
}

impl Store {
    /// What the calls cost that `filter` lets through, by the values of `keys`; at most `top` groups, those that cost most.
    ///
    /// # Errors
    /// The file cannot be read, or it takes too long.
    pub fn cost(&self, filter: &Filter, keys: &[GroupKey], top: usize) -> Result<Cost, StoreError> {
        let condition = filter.condition();
        let columns = keys.iter().map(|key| key.sql()).fold(COLUMNS.to_owned(), |all, column| all + ", " + column);
        let sql = format!("SELECT {columns} FROM calls{}", condition.sql);
        let (mut groups, mut cost) = (HashMap::<Vec<KeyValue>, Sums>::new(), Cost::default());
        let mut beyond = false;
        self.read(|connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(condition.values))?;
            let mut values = Vec::with_capacity(keys.len());
            while let Some(row) = rows.next()? {
                let one = one(row)?;
                cost.totals.add(&one);
                read_values(row, keys, &mut values)?;
                if let Some(sums) = groups.get_mut(&values) {
                    sums.add(&one);
                } else if groups.len() < MOST_GROUPS {
                    groups.entry(values.clone()).or_default().add(&one);
                } else {
                    cost.other.add(&one);
                    beyond = true;
                }
            }
            Ok(())
        })?;
        cost.other_groups = u64::from(beyond);
        let mut groups: Vec<_> = groups.into_iter().map(|(values, sums)| Group { values, sums }).collect();
        let weight = |group: &Group| (Reverse(group.sums.nano_usd), Reverse(group.sums.calls));
        groups.sort_unstable_by(|a, b| weight(a).cmp(&weight(b)).then_with(|| a.values.cmp(&b.values)));
        for group in groups.iter().skip(top) {
            cost.other.merge(&group.sums);
            cost.other_groups += 1;
        }
        groups.truncate(top);
        if let Some(place) = keys.iter().position(|key| key.length().is_some()) {
            groups.sort_by(|a, b| a.values.get(place).cmp(&b.values.get(place)));
        }
        cost.groups = groups;
        Ok(cost)
    }
}

/// The values of the keys. A text is put where the one before it was, so that a row of a known group allocates nothing.
fn read_values(row: &Row<'_>, keys: &[GroupKey], values: &mut Vec<KeyValue>) -> Result<(), rusqlite::Error> {
    values.resize(keys.len(), KeyValue::Unset);
    for ((key, value), column) in keys.iter().zip(values.iter_mut()).zip(COUNT..) {
        match (row.get_ref(column)?, key.length()) {
            (ValueRef::Integer(time), Some(length)) => {
                let time = u64::try_from(time).unwrap_or(0);
                *value = KeyValue::Time(time - time % length);
            }
            (ValueRef::Text(bytes), _) => {
                let text = std::str::from_utf8(bytes).unwrap_or_default();
                match value {
                    KeyValue::Text(before) => {
                        before.clear();
                        before.push_str(text);
                    }
                    _ => *value = KeyValue::Text(text.to_owned()),
                }
            }
            _ => *value = KeyValue::Unset,
        }
    }
    Ok(())
}
