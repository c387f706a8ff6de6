//! Places in a text to which a reader can go at once, when another text begins in the same way.

use super::{Node, Reader, State, Visitor, Want};
use crate::Error;
use crate::scan::is_word;

/// Containers that may be open at a mark.
const MAX_OPEN: usize = 16;

/// The state of a reader between two values, to be taken up again in a text that begins with the same bytes.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    state: State,
    want: Want,
    depth: u8,
    kinds: u128,
    nodes: [Node; MAX_OPEN],
    passed: u64,
}

impl Reader {
    /// Reads as [`Reader::push_one`] does, and asks at each place between values within the first `most` bytes what the
    /// visitor would have to remember to go on from there. Gives what is behind the outermost value, and of the last
    /// place that could be remembered the mark, its distance from the beginning of the chunk, and what is to be
    /// remembered.
    ///
    /// # Errors
    /// As [`Reader::push_one`].
    #[allow(clippy::type_complexity, reason = "the three belong together, and are taken apart at once")]
    pub fn push_marking<'c, V: Visitor, M>(
        &mut self,
        chunk: &'c [u8],
        visitor: &mut V,
        most: usize,
        mut remember: impl FnMut(&V) -> Option<M>,
    ) -> Result<(&'c [u8], Option<(Mark, usize, M)>), Error> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        let (mut rest, mut last) = (chunk, None);
        while !rest.is_empty() && self.state != State::Done {
            match self.step(rest, visitor) {
                Ok(left) => rest = left,
                Err((reason, at)) => return Err(self.fail(reason, chunk.len() - at.len())),
            }
            let read = chunk.len() - rest.len();
            if read > most {
                break;
            }
            // Behind a number nobody knows that it is at its end but by the byte that follows.
            let ends_itself = read.checked_sub(1).and_then(|last| chunk.get(last)).is_some_and(|last| !is_word(*last));
            if ends_itself
                && let Some(mark) = self.mark(read)
                && let Some(memory) = remember(visitor)
            {
                last = Some((mark, read, memory));
            }
        }
        self.passed = self.passed.saturating_add((chunk.len() - rest.len()) as u64);
        Ok((self.push_one(rest, visitor)?, last))
    }

    /// The mark of where the reader is; `None` within a value, and where too much is open.
    fn mark(&self, read: usize) -> Option<Mark> {
        let between = matches!(self.state, State::FirstKey | State::FirstItem | State::After | State::NextKey);
        let open = self.nodes.get(..usize::from(self.depth)).filter(|open| between && open.len() <= MAX_OPEN)?;
        let mut nodes = [Self::ROOT; MAX_OPEN];
        nodes.iter_mut().zip(open).for_each(|(place, node)| *place = *node);
        let passed = self.passed.saturating_add(read as u64);
        Some(Mark { state: self.state, want: self.want, depth: self.depth, kinds: self.kinds, nodes, passed })
    }

    /// Goes to a mark, in a text of which nothing has been read and that begins with the bytes before the mark.
    #[inline]
    pub fn resume(&mut self, mark: &Mark) {
        self.state = mark.state;
        self.want = mark.want;
        self.depth = mark.depth;
        self.kinds = mark.kinds;
        self.passed = mark.passed;
        self.nodes.iter_mut().zip(mark.nodes).for_each(|(place, node)| *place = node);
    }

    /// Reads up to the end of the next value, or of the container that is open, and gives what is behind it.
    ///
    /// # Errors
    /// As [`Reader::push_one`].
    #[inline]
    pub fn push_value<'c, V: Visitor>(&mut self, chunk: &'c [u8], visitor: &mut V) -> Result<&'c [u8], Error> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        let mut rest = chunk;
        while !rest.is_empty() {
            match self.step(rest, visitor) {
                Ok(left) => rest = left,
                Err((reason, at)) => return Err(self.fail(reason, chunk.len() - at.len())),
            }
            if matches!(self.state, State::After | State::Done) {
                break;
            }
        }
        self.passed = self.passed.saturating_add((chunk.len() - rest.len()) as u64);
        Ok(rest)
    }

    /// Takes the outermost value as complete, where somebody knows what its last `bytes` were.
    #[inline]
    pub fn complete(&mut self, bytes: usize) {
        self.state = State::Done;
        (self.depth, self.kinds) = (0, 0);
        self.passed = self.passed.saturating_add(bytes as u64);
    }
}
