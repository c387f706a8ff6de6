//! Looking at a text, or at the beginning of one: folded, scanned, settled.

use crate::candidate::Candidate;
use crate::config::Config;
use crate::fold::fold;
use crate::kind::Kinds;
use crate::resolve::resolve;
use crate::scan::{self, scan};
use crate::text::Text;
use crate::view::View;

/// What was seen in a text.
#[derive(Debug)]
pub(crate) struct Look {
    view: Option<View>,
    /// Sorted, without overlaps, in bytes of what is seen.
    pub(crate) found: Vec<Candidate>,
    /// Of each finding of the scan, the byte at which it was recognised and where it ends, in bytes of what is seen.
    recognised: Vec<(usize, usize)>,
    /// What is found before this place stays, whatever follows the text; and nothing else will be.
    pub(crate) settled: usize,
    /// The text ends inside a value; only its end is open.
    pub(crate) inside: bool,
    /// Bytes of binary content that were stepped over.
    pub(crate) skipped: usize,
}

impl Look {
    /// Looks at a whole text.
    pub(crate) fn whole(config: &Config, kinds: &Kinds, raw: &[u8]) -> Self {
        Self::from(config, kinds, raw, 0, false)
    }

    /// Looks at a text from byte `from` on. `more` says that more will follow.
    pub(crate) fn from(config: &Config, kinds: &Kinds, raw: &[u8], from: usize, more: bool) -> Self {
        let view = fold(raw);
        let seen = view.as_ref().map_or(raw, |view| view.bytes.as_slice());
        let from = view.as_ref().map_or(from, |view| view.seen(from));
        let text = if more { Text::beginning(seen) } else { Text::whole(seen) };
        let mut pass = scan(&text, from, kinds);
        let mut settled = text.len();
        if more {
            settled = scan::reach(&text, pass.stopped);
        }
        settled = settled.min(config.rules.scan(&text, from, kinds, &mut pass.found));
        if more {
            // What was found in the token that is held is found again, so the byte that tells it is held, too.
            for (trigger, end) in pass.recognised.iter().rev() {
                if *end > settled {
                    settled = settled.min(scan::reach(&text, *trigger));
                }
            }
        }
        let mut found = if pass.found.is_empty() { pass.found } else { resolve(pass.found) };
        found.retain(|candidate| !config.allow.has(text.cut(candidate.start, candidate.end)));
        while settled > 0 && seen.get(settled).is_some_and(|byte| (0x80..0xC0).contains(byte)) {
            settled -= 1;
        }
        for candidate in found.iter().rev() {
            if candidate.end > settled {
                settled = settled.min(candidate.start);
            }
        }
        if more {
            settled = before_sign(seen, settled);
        }
        Self { view, found, recognised: pass.recognised, settled, inside: pass.inside, skipped: pass.skipped }
    }

    /// What is seen of `raw`.
    pub(crate) fn seen<'a>(&'a self, raw: &'a [u8]) -> &'a [u8] {
        self.view.as_ref().map_or(raw, |view| view.bytes.as_slice())
    }

    /// Where a stretch of what is seen stands in the text as it was given.
    pub(crate) fn source(&self, start: usize, end: usize) -> (usize, usize) {
        self.view.as_ref().map_or((start, end), |view| view.source(start, end))
    }

    /// Where the last value ends that was recognised before `place` and reaches over it, of the text as it was given;
    /// `place` where there is none.
    pub(crate) fn end_of_recognised(&self, place: usize) -> usize {
        let ends = self.recognised.iter().filter_map(|(trigger, end)| {
            let (trigger, end) = (self.source(*trigger, trigger + 1).0, self.source(end.saturating_sub(1), *end).1);
            (trigger < place && place < end).then_some(end)
        });
        ends.max().unwrap_or(place)
    }

    /// The place up to which the text as it was given is settled; `length` where all of it is.
    pub(crate) fn settled_source(&self, length: usize) -> usize {
        let seen = self.view.as_ref().map_or(length, |view| view.bytes.len());
        if self.settled >= seen { length } else { self.source(self.settled, self.settled + 1).0 }
    }

    /// How many bytes are seen between two places of the text as it was given.
    pub(crate) fn seen_between(&self, start: usize, end: usize) -> usize {
        let seen = |place| self.view.as_ref().map_or(place, |view| view.seen(place));
        seen(end).saturating_sub(seen(start))
    }

    /// Where the last `bytes` begin of what is seen before `place` of the text as it was given.
    pub(crate) fn context(&self, bytes: usize, place: usize) -> usize {
        let seen = self.view.as_ref().map_or(place, |view| view.seen(place)).saturating_sub(bytes);
        self.source(seen, seen + 1).0
    }

    /// Whether all is settled though the last value reaches to the end of the text and longer values are not held.
    pub(crate) fn is_cut_short(&self, settled: usize, length: usize) -> bool {
        let last = self.found.last().map(|last| self.source(last.start, last.end));
        settled == length
            && last.is_some_and(|(start, end)| end == length && end - start > crate::conversation::LONGEST_VALUE)
    }
}

/// The place itself, or the one before a sign that stands before it: in JSON the sign of a number goes with the number.
pub(crate) fn before_sign(bytes: &[u8], place: usize) -> usize {
    let sign = place.checked_sub(1).filter(|sign| bytes.get(*sign) == Some(&b'-'));
    sign.unwrap_or(place)
}
