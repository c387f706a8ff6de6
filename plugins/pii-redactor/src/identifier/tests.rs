//! What holds for all identifiers, and a table of values of each.

use super::*;
use crate::resolve::resolve;
use crate::scan::scan;
use proptest::prelude::*;

pub(super) type Expected<'a> = (Kind, &'a str);

fn found(text: &str) -> Vec<Expected<'_>> {
    let all = Kinds::of(Kind::all());
    let candidates = resolve(scan(&Text::whole(text.as_bytes()), 0, &all).found);
    candidates.into_iter().filter_map(|found| Some((found.kind, text.get(found.start..found.end)?))).collect()
}

#[track_caller]
pub(super) fn assert_found(text: &str, expected: &[Expected<'_>]) {
    assert_eq!(found(text), expected, "{text}");
}
