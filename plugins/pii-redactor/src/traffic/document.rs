//! A whole JSON document: its content is redacted, and stand-ins in it are given their values back.

use super::counts::{Counts, Direction, Reason};
use super::fields::{self, Class, Realm};
use super::tree::{Detail, Kind, NoTree, Tree};
use crate::conversation::Conversation;
use crate::kind;
use crate::look::Look;
use crate::redactor::{Edit, Redactor, edits};
use crate::restore::Restoring;
use std::ops::Range;

/// What stands in the place of what was not looked at.
pub(crate) const UNSCANNED: &str = "<UNSCANNED>";

/// A stretch of a text, and what it becomes.
pub(crate) type Change = (Range<usize>, String);

/// The document with its content redacted; `None` where nothing was found.
///
/// # Errors
/// It is no JSON, or there is too much in it.
pub(crate) fn redact(
    redactor: &Redactor,
    conversation: &mut Conversation,
    counts: &mut Counts,
    direction: Direction,
    text: &str,
) -> Result<Option<String>, Reason> {
    if !crate::json_text::parses(text.as_bytes()) {
        return Err(Reason::NotJson);
    }
    let changes = findings(redactor, conversation, counts, direction, text, |tree, place, edit| {
        let (class, value) = match tree.at(place) {
            Some((number, true)) => (fields::name(tree, number), false),
            Some((number, false)) => (fields::value(tree, number), true),
            None => (Class::Content, true),
        };
        match class {
            Class::Content => true,
            Class::Reference => !(value && edit.candidate.kind == kind::Kind::URL),
            Class::Protocol => false,
        }
    })?;
    Ok((!changes.is_empty()).then(|| applied(text, changes)))
}

/// What is to be replaced in a JSON text, of what `wanted` says yes to.
pub(crate) fn findings(
    redactor: &Redactor,
    conversation: &mut Conversation,
    counts: &mut Counts,
    direction: Direction,
    text: &str,
    wanted: impl Fn(&Tree<'_>, usize, &Edit) -> bool,
) -> Result<Vec<Change>, Reason> {
    if text.len() > redactor.config.max_text_size {
        return Err(Reason::TooLarge);
    }
    let raw = text.as_bytes();
    let look = Look::whole(&redactor.config, &redactor.config.kinds, raw);
    conversation.step_over(look.skipped);
    if look.found.is_empty() {
        return Ok(Vec::new());
    }
    let tree = Tree::of(text, Detail::Values).map_err(reason)?;
    if redactor.config.is_reversible() {
        conversation.take_all(look.seen(raw));
    }
    let mut found = edits(raw, &look);
    found.retain(|edit| wanted(&tree, edit.start, edit));
    if found.len() > redactor.config.max_findings {
        return Err(Reason::TooManyFindings);
    }
    let mut changes = Vec::with_capacity(found.len());
    for edit in &found {
        let mut written = String::new();
        redactor.write(edit, text, look.seen(raw), conversation, &mut written);
        counts.find(direction, edit.candidate.kind.number());
        changes.push((edit.start..edit.end, written));
    }
    Ok(changes)
}

/// The text with its changes, which are without overlaps.
pub(crate) fn applied(text: &str, mut changes: Vec<Change>) -> String {
    changes.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (range, with) in changes {
        if range.start < done {
            continue;
        }
        out.push_str(text.get(done..range.start).unwrap_or(""));
        out.push_str(&with);
        done = range.end;
    }
    out.push_str(text.get(done..).unwrap_or(""));
    out
}

/// A text with values in place of their stand-ins; `None` where it has none. A text that is JSON stays JSON.
pub(crate) fn restore(conversation: &Conversation, counts: &mut Counts, text: &str) -> Option<String> {
    if !conversation.can_restore() || !has_stand_in(text) {
        return None;
    }
    let mut restoring = Restoring::whole(text);
    let restored = restoring.finish(conversation);
    let (given, unknown) = restoring.counted();
    counts.restored += given;
    counts.not_restored += unknown;
    (restored != text).then_some(restored)
}

/// Whether a text may have a stand-in, as it is or escaped.
pub(crate) fn has_stand_in(text: &str) -> bool {
    text.contains('<') || text.contains("003c") || text.contains("003C") || text.contains('＜')
}

/// The document with `<UNSCANNED>` for each text and number that may be content, and nothing in what callers and models
/// make up.
pub(crate) fn masked(text: &str) -> Result<String, Reason> {
    let tree = Tree::of(text, Detail::Values).map_err(reason)?;
    let mut changes: Vec<Change> = Vec::new();
    for number in tree.all() {
        let Some(node) = tree.node(number) else { continue };
        if changes.last().is_some_and(|(range, _)| range.end > node.range().start) {
            continue;
        }
        let change = match node.kind {
            Kind::Object if fields::realm(&tree, &tree.path(number)) == Realm::Free => "{}",
            Kind::Array if fields::realm(&tree, &tree.path(number)) == Realm::Free => "[]",
            Kind::Text if fields::value(&tree, number) == Class::Content => UNSCANNED,
            Kind::Number if fields::value(&tree, number) == Class::Content => "\"<UNSCANNED>\"",
            _ => continue,
        };
        changes.push((node.range(), change.to_owned()));
    }
    Ok(applied(text, changes))
}

/// Takes out log probabilities: they say the text again, token by token.
pub(crate) fn without_logprobs(tree: &Tree<'_>, counts: &mut Counts) -> Vec<Change> {
    let mut changes = Vec::new();
    for number in tree.all() {
        let named = matches!(tree.key(number).as_ref(), "logprobs" | "logprobsResult" | "logprobs_result");
        let Some(node) = tree.node(number).filter(|_| named && tree.children(number).next().is_some()) else {
            continue;
        };
        let empty = match node.kind {
            Kind::Array => "[]",
            Kind::Object => "null",
            _ => continue,
        };
        counts.logprobs_removed += 1;
        changes.push((node.range(), empty.to_owned()));
    }
    changes
}

pub(crate) fn reason(why: NoTree) -> Reason {
    match why {
        NoTree::NotJson => Reason::NotJson,
        NoTree::TooMany => Reason::TooComplex,
    }
}
