//! Which spans of a trace have come, and which are known to be missing.

use super::fragment::Place;
use std::collections::HashMap;
use tollgate_columns::Progress;

/// The spans of a trace by their ids.
#[derive(Debug, Default)]
pub(super) struct Lineage {
    spans: HashMap<u64, State>,
    /// Parents that have not come.
    missing: usize,
    /// Of these, parents of calls of models, tools and agents.
    open: usize,
    root: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Here,
    /// Named as a parent, and not here; whether by a call of a model, tool or agent.
    Missing {
        open: bool,
    },
}

/// Bytes of memory that an id takes in a table, room that it leaves included.
const ID_BYTES: usize = 2 * (size_of::<(u64, State)>() + 1);

impl Lineage {
    /// Adds a span.
    pub(super) fn add(&mut self, place: Place) {
        if let Some(State::Missing { open }) = self.spans.insert(place.id, State::Here) {
            self.missing -= 1;
            self.open -= usize::from(open);
        }
        let Some(parent) = place.parent else {
            self.root = true;
            return;
        };
        let generative = place.generative;
        match self.spans.get_mut(&parent) {
            None => {
                self.spans.insert(parent, State::Missing { open: generative });
                self.missing += 1;
                self.open += usize::from(generative);
            }
            Some(State::Missing { open }) if generative && !*open => {
                *open = true;
                self.open += 1;
            }
            Some(_) => {}
        }
    }

    pub(super) fn progress(&self) -> Progress {
        match (self.root, self.missing) {
            (false, _) => Progress::NoRoot,
            (true, 0) => Progress::Complete,
            (true, _) => Progress::Root,
        }
    }

    /// Whether the parent of a call of a model, tool or agent is missing: it is open still.
    pub(super) fn is_open(&self) -> bool {
        self.open > 0
    }

    /// Bytes of memory that this takes.
    pub(super) fn bytes(&self) -> usize {
        self.spans.len() * ID_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(id: u64, parent: u64, generative: bool) -> Place {
        Place { id, parent: (parent > 0).then_some(parent), generative }
    }

    #[test]
    fn a_trace_is_complete_when_its_root_and_all_parents_are_here() {
        let mut lineage = Lineage::default();
        assert_eq!(lineage.progress(), Progress::NoRoot);
        for (span, progress, open) in [
            (place(4, 3, true), Progress::NoRoot, true),
            (place(5, 3, false), Progress::NoRoot, true),
            (place(1, 0, false), Progress::Root, true),
            (place(3, 2, false), Progress::Root, false),
            (place(2, 1, false), Progress::Complete, false),
            (place(2, 1, false), Progress::Complete, false),
            (place(6, 7, false), Progress::Root, false),
            (place(8, 7, true), Progress::Root, true),
            (place(7, 7, true), Progress::Complete, false),
        ] {
            lineage.add(span);
            assert_eq!((lineage.progress(), lineage.is_open()), (progress, open), "{span:?}");
        }
        assert_eq!(lineage.bytes(), 8 * ID_BYTES);
    }
}
