//! New bytes in the midst of old ones: everything that is not replaced is copied as it stands, and the lengths of
//! the messages around a replacement are written anew.

use crate::encode::{varint, varint_size};
use crate::error::Fault;
use crate::wire::Frame;

/// Replacements, given in ascending order between the messages that enclose them:
/// [`enter`](Self::enter) a message, [`replace`](Self::replace) in it, [`leave`](Self::leave) it.
#[derive(Debug)]
pub(crate) struct Splicer<'a> {
    bytes: &'a [u8],
    steps: Vec<Step>,
    /// Indexes of the lengths in `steps` whose messages are open.
    open: Vec<usize>,
    /// Replacements, one after the other.
    pub(crate) arena: Vec<u8>,
    /// By how much the request grows.
    growth: i64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The length of a message whose content grows by `growth`.
    Length { frame: Frame, growth: i64 },
    /// `start..end` becomes `arena[from..to]`.
    Patch { start: u32, end: u32, from: usize, to: usize },
}

/// The result would be larger than protobuf allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl<'a> Splicer<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self::with_arena(bytes, Vec::new())
    }

    /// With replacements that are there already.
    pub(crate) fn with_arena(bytes: &'a [u8], arena: Vec<u8>) -> Self {
        Self { bytes, steps: Vec::new(), open: Vec::new(), arena, growth: 0 }
    }

    pub(crate) fn enter(&mut self, frame: Frame) {
        self.open.push(self.steps.len());
        self.steps.push(Step::Length { frame, growth: 0 });
    }

    pub(crate) fn leave(&mut self) {
        let Some(Step::Length { frame, growth }) = self.open.pop().and_then(|at| self.steps.get(at)).copied() else {
            return;
        };
        if growth != 0 {
            let size = i64::from(frame.end - frame.body) + growth;
            let header = varint_size(size.cast_unsigned()) as i64 - i64::from(frame.body - frame.length);
            self.grow(growth + header);
        }
    }

    /// `start..end` becomes what stands in the arena from `from` to `to`.
    pub(crate) fn replace(&mut self, start: u32, end: u32, from: usize, to: usize) {
        self.steps.push(Step::Patch { start, end, from, to });
        self.grow((to - from) as i64 - i64::from(end - start));
    }

    fn grow(&mut self, by: i64) {
        match self.open.last().and_then(|&at| self.steps.get_mut(at)) {
            Some(Step::Length { growth, .. }) => *growth += by,
            _ => self.growth += by,
        }
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, TooLarge> {
        let size = self.bytes.len() as i64 + self.growth;
        if i32::try_from(size).is_err() {
            return Err(TooLarge);
        }
        let mut out = Vec::with_capacity(size as usize);
        let mut done = 0;
        for step in self.steps {
            match step {
                Step::Length { growth: 0, .. } => {}
                Step::Length { frame, growth } => {
                    out.extend_from_slice(self.bytes.get(done..frame.length as usize).unwrap_or_default());
                    varint(&mut out, (i64::from(frame.end - frame.body) + growth).cast_unsigned());
                    done = frame.body as usize;
                }
                Step::Patch { start, end, from, to } => {
                    out.extend_from_slice(self.bytes.get(done..start as usize).unwrap_or_default());
                    out.extend_from_slice(self.arena.get(from..to).unwrap_or_default());
                    done = end as usize;
                }
            }
        }
        out.extend_from_slice(self.bytes.get(done..).unwrap_or_default());
        Ok(out)
    }
}

/// Keeps the messages of resource and scope open from one item to the next.
#[derive(Debug, Default)]
pub(crate) struct Enclosing {
    outer: Option<Frame>,
    inner: Option<Frame>,
}

impl Enclosing {
    /// Makes `outer` and `inner` the messages that are open.
    pub(crate) fn open(&mut self, splicer: &mut Splicer<'_>, outer: Frame, inner: Frame) {
        if self.inner == Some(inner) {
            return;
        }
        if self.inner.take().is_some() {
            splicer.leave();
        }
        if self.outer != Some(outer) {
            if self.outer.replace(outer).is_some() {
                splicer.leave();
            }
            splicer.enter(outer);
        }
        splicer.enter(inner);
        self.inner = Some(inner);
    }

    /// Closes what is open.
    pub(crate) fn close(self, splicer: &mut Splicer<'_>) {
        for _ in self.inner.iter().chain(&self.outer) {
            splicer.leave();
        }
    }
}

/// A fault in bytes that have been scanned cannot be; where it is seen nevertheless, the walk ends there.
pub(crate) fn scanned<T>(result: Result<Option<T>, Fault>) -> Option<T> {
    result.ok().flatten()
}
