//! The values of a dimension, for those who ask.

use crate::sums::{Sums, Weight};

/// The values of a dimension that cost most, and everything else.
///
/// The sums of all lines, `unset` and `other` are those of all calls. A line is exact where its error is 0. Where it is
/// not, its value had to make room for others once, or came when there was none: what it had until then is in `other`,
/// and is at most its error. The cost in an error is never more than the cost of all calls divided by the number of
/// values that the dimension holds; so a value that cost more than that is always there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breakdown {
    /// Values, those that cost most first.
    pub lines: Vec<Line>,
    /// Calls without a value.
    pub unset: Sums,
    /// Calls of all other values.
    pub other: Sums,
    /// Most that one value that is not among the lines may have of `other`.
    pub hidden: Weight,
}

/// A value of a dimension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The value.
    pub value: Box<str>,
    /// What was seen of it; the least that it has.
    pub sums: Sums,
    /// Most that it may have in `other` beside that.
    pub error: Weight,
}

impl Breakdown {
    /// Leaves the `most` first lines; the rest goes to `other`, and the sum stays what it is.
    pub fn truncate(&mut self, most: usize) {
        for line in self.lines.drain(most.min(self.lines.len())..) {
            self.other.add(&line.sums);
            self.hidden = self.hidden.most(line.sums.weight().plus(line.error));
        }
    }

    /// The sum over all values.
    #[must_use]
    pub fn sum(&self) -> Sums {
        let mut sum = self.unset;
        sum.add(&self.other);
        self.lines.iter().for_each(|line| sum.add(&line.sums));
        sum
    }
}
