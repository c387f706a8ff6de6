//! What comes whole: documents, texts by themselves, and what stands beside the data of a frame.

use super::counts::{Direction, Reason};
use super::document;
use super::frame::{Framing, events, sse, utf8};
use super::texts::Work;
use super::tree::{Detail, Tree};

/// A document of an answer, redacted and restored; `None` where nothing changes.
pub(super) fn rewritten(work: &mut Work<'_>, text: &str) -> Result<Option<String>, Reason> {
    let mut changed = None;
    if let Some(redactor) = work.redactor {
        let counts = &mut *work.counts;
        changed = document::redact(redactor, work.conversation, counts, Direction::Response, text)?;
        let tree = Tree::of(changed.as_deref().unwrap_or(text), Detail::Values).map_err(document::reason)?;
        let removed = document::without_logprobs(&tree, work.counts);
        if !removed.is_empty() {
            changed = Some(document::applied(changed.as_deref().unwrap_or(text), removed));
        }
    }
    if work.restore {
        if work.redactor.is_none() && work.conversation.can_restore() && !crate::json_text::parses(text.as_bytes()) {
            return Err(Reason::NotJson);
        }
        let restored = document::restore(work.conversation, work.counts, changed.as_deref().unwrap_or(text));
        changed = restored.or(changed);
    }
    Ok(changed)
}

/// A whole text, redacted and restored; `None` where nothing changes.
pub(super) fn whole(work: &mut Work<'_>, text: &str) -> Option<String> {
    let mut changed = None;
    if let Some(redactor) = work.redactor {
        let (redacted, found) = redactor.redact_in(work.conversation, text);
        found.iter().for_each(|finding| work.counts.find(Direction::Response, finding.kind));
        changed = redacted;
    }
    if work.restore {
        let restored = document::restore(work.conversation, work.counts, changed.as_deref().unwrap_or(text));
        changed = restored.or(changed);
    }
    changed
}

/// A frame whose comments, names and headers have nothing to be found in. There is no form in which something else
/// could stand there, so an event that has goes without them, and a message does not go on.
pub(super) fn beside(work: &mut Work<'_>, framing: Framing, frame: &[u8]) -> Result<Vec<u8>, Reason> {
    let Some(redactor) = work.redactor else { return Ok(frame.to_vec()) };
    match framing {
        Framing::Sse => {
            let text = sse::beside(frame);
            let found = !text.is_empty() && !redactor.redact_text(utf8(&text)?).1.is_empty();
            if !found {
                return Ok(frame.to_vec());
            }
            Ok(sse::without_beside(frame))
        }
        Framing::Events => {
            let text = String::from_utf8_lossy(events::headers(frame));
            if redactor.redact_text(&text).1.is_empty() { Ok(frame.to_vec()) } else { Err(Reason::Damaged) }
        }
        Framing::Lines | Framing::Array => Ok(frame.to_vec()),
    }
}
