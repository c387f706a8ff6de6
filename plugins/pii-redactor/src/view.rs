//! A text as the scan should see it, and the way back to the bytes as they were given.

use crate::text::cut;

/// Bytes of which most are those of the source, with the places where they are not.
#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) bytes: Vec<u8>,
    /// Ascending, both in the view and in the source.
    jumps: Vec<Jump>,
}

/// A stretch of the source that became something else.
#[derive(Clone, Copy, Debug)]
struct Jump {
    /// Where it starts in the view, and how long it is there.
    view: usize,
    view_length: usize,
    /// The same in the source.
    source: usize,
    source_length: usize,
}

impl Jump {
    fn view_end(&self) -> usize {
        self.view + self.view_length
    }

    fn source_end(&self) -> usize {
        self.source + self.source_length
    }
}

impl View {
    /// An empty view with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), jumps: Vec::new() }
    }

    /// Appends `source[from..to]` as it stands. Stretches are appended in the order of the source, without gaps.
    pub(crate) fn copy(&mut self, source: &[u8], from: usize, to: usize) {
        self.bytes.extend_from_slice(cut(source, from, to));
    }

    /// Appends what `length` bytes of the source, from `place` on, became.
    pub(crate) fn replace(&mut self, place: usize, length: usize, with: &[u8]) {
        let view = self.bytes.len();
        self.jumps.push(Jump { view, view_length: with.len(), source: place, source_length: length });
        self.bytes.extend_from_slice(with);
    }

    /// The source of `start..end`, which is not empty. What became something else is taken whole.
    pub(crate) fn source(&self, start: usize, end: usize) -> (usize, usize) {
        let first = self.place(start).0;
        (first, self.place(end.saturating_sub(1)).1)
    }

    /// Where the bytes of the view stand that `start..end` of the source became.
    pub(crate) fn seen(&self, place: usize) -> usize {
        let next = self.jumps.partition_point(|jump| jump.source <= place);
        match next.checked_sub(1).and_then(|last| self.jumps.get(last)) {
            Some(jump) if place < jump.source_end() => jump.view,
            Some(jump) => jump.view_end() + (place - jump.source_end()),
            None => place,
        }
    }

    /// Where the byte at `index` came from.
    fn place(&self, index: usize) -> (usize, usize) {
        let next = self.jumps.partition_point(|jump| jump.view <= index);
        match next.checked_sub(1).and_then(|last| self.jumps.get(last)) {
            Some(jump) if index < jump.view_end() => (jump.source, jump.source_end()),
            Some(jump) => {
                let place = jump.source_end() + (index - jump.view_end());
                (place, place + 1)
            }
            None => (index, index + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::View;

    #[test]
    fn what_became_something_else_leads_back_as_a_whole() {
        // `ab\u0040c` and a character of no width before `d`.
        let source = b"ab\\u0040c\xe2\x80\x8bd";
        let mut view = View::with_capacity(source.len());
        view.copy(source, 0, 2);
        view.replace(2, 6, b"@");
        view.copy(source, 8, 9);
        view.replace(9, 3, b"");
        view.copy(source, 12, 13);
        assert_eq!(view.bytes, b"ab@cd");
        for ((start, end), expected) in [
            ((0, 1), (0, 1)),
            ((1, 3), (1, 8)),
            ((2, 3), (2, 8)),
            ((3, 4), (8, 9)),
            ((3, 5), (8, 13)),
            ((4, 5), (12, 13)),
        ] {
            assert_eq!(view.source(start, end), expected, "{start}..{end}");
        }
        for (place, expected) in [(0, 0), (2, 2), (5, 2), (8, 3), (9, 4), (11, 4), (12, 4), (13, 5)] {
            assert_eq!(view.seen(place), expected, "{place}");
        }
    }
}
