//! Places in a text to which a reader can go at once, when another text goes on in the same way.

use super::{Node, Reader, State, Visitor, Want};
use crate::Error;
use crate::scan::is_word;

/// Containers that may be open at a mark.
const MAX_OPEN: usize = 16;

/// The state of a reader before a value or behind the outermost one, to be taken up again in a text that goes on with the
/// same bytes.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    state: State,
    want: Want,
    depth: u8,
    kinds: u128,
    nodes: [Node; MAX_OPEN],
}

impl Reader {
    /// Reads as [`Reader::push_one`] does, and shows at each place before a value, and at the one behind the outermost
    /// value, the mark and its distance from the beginning of the chunk, as far as the first `most` bytes go.
    ///
    /// # Errors
    /// As [`Reader::push_one`].
    pub fn push_marking<'c, V: Visitor>(
        &mut self,
        chunk: &'c [u8],
        visitor: &mut V,
        most: usize,
        mut show: impl FnMut(&V, Mark, usize),
    ) -> Result<&'c [u8], Error> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        let mut rest = chunk;
        self.marking = true;
        while !rest.is_empty() && self.state != State::Done {
            // Of an array nobody knows that it has a first element but by the byte that follows.
            let stands = self.state != State::FirstItem;
            match self.step(rest, visitor) {
                Ok(left) => rest = left,
                Err((reason, at)) => {
                    self.marking = false;
                    return Err(self.fail(reason, chunk.len() - at.len()));
                }
            }
            let read = chunk.len() - rest.len();
            if read > most {
                break;
            }
            // Behind a number nobody knows that it is at its end but by the byte that follows.
            let ends_itself = read.checked_sub(1).and_then(|last| chunk.get(last)).is_some_and(|last| !is_word(*last));
            if let (Some(mark), true) = (self.mark(), ends_itself && stands) {
                show(visitor, mark, read);
            }
        }
        self.marking = false;
        self.passed = self.passed.saturating_add((chunk.len() - rest.len()) as u64);
        self.push_one(rest, visitor)
    }

    /// The mark of where the reader is; `None` within a value, between others, and where too much is open.
    fn mark(&self) -> Option<Mark> {
        let marks = matches!(self.state, State::Value | State::Done);
        let open = self.nodes.get(..usize::from(self.depth)).filter(|open| marks && open.len() <= MAX_OPEN)?;
        let mut nodes = [Self::ROOT; MAX_OPEN];
        nodes.iter_mut().zip(open).for_each(|(place, node)| *place = *node);
        Some(Mark { state: self.state, want: self.want, depth: self.depth, kinds: self.kinds, nodes })
    }

    /// Goes to a mark, past `bytes` that are those before the mark: from the beginning of a text, if there the mark was
    /// made, or from behind the value that the last mark stood before.
    #[inline]
    pub fn resume(&mut self, mark: &Mark, bytes: usize) {
        self.state = mark.state;
        self.want = mark.want;
        self.depth = mark.depth;
        self.kinds = mark.kinds;
        self.passed = self.passed.saturating_add(bytes as u64);
        if let Some(nodes) = self.nodes.first_chunk_mut() {
            *nodes = mark.nodes;
        }
    }

    /// Whether the reader is at a mark, but for what the visitor wants of the value that follows.
    #[must_use]
    pub fn is_at(&self, mark: &Mark) -> bool {
        let (depth, open) = (usize::from(self.depth), self.nodes.get(..usize::from(self.depth)));
        self.state == mark.state
            && self.depth == mark.depth
            && self.kinds == mark.kinds
            && open == mark.nodes.get(..depth)
    }

    /// Where a mark has been gone to, reads the value that follows, and gives what is behind it.
    ///
    /// # Errors
    /// As [`Reader::push_one`].
    #[inline]
    pub fn push_value<'c, V: Visitor>(&mut self, chunk: &'c [u8], visitor: &mut V) -> Result<&'c [u8], Error> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        let (mut rest, depth) = (chunk, self.depth);
        while !rest.is_empty() && self.state != State::Done {
            match self.step(rest, visitor) {
                Ok(left) => rest = left,
                Err((reason, at)) => return Err(self.fail(reason, chunk.len() - at.len())),
            }
            if self.state == State::After && self.depth == depth {
                break;
            }
        }
        self.passed = self.passed.saturating_add((chunk.len() - rest.len()) as u64);
        Ok(rest)
    }
}
