//! Columns of edits, spliced into the encoded request.

use crate::edit_set::{EditSet, Encoded};
use crate::json_read::JsonError;
use crate::logs::LogsRequest;
use crate::names::Names;
use crate::scan::{Item, Scanned, Signal};
use crate::splice::{Enclosing, Splicer, TooLarge, scanned};
use crate::trace::TraceRequest;
use crate::value::key_and_value;
use crate::wire::{Frame, Payload, Reader};
use crate::writes::Writes;
use std::borrow::Cow;
use std::fmt;
use tollgate_columns::{Attribute, Batch, Kind, Malformed};

/// Why edits were refused. Nothing of the batch is applied then.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum EditError {
    /// A column breaks the rules of columns.
    Malformed(Malformed),
    /// A column has another type than the attribute was declared with.
    Kind {
        /// The attribute's name.
        attribute: String,
        /// The type it was declared with.
        declared: Kind,
    },
    /// An integer that should be a truth value is neither 0 nor 1.
    Boolean {
        /// The attribute's name.
        attribute: String,
        /// The item.
        row: u32,
    },
    /// A composite value is not JSON.
    Json {
        /// The attribute's name.
        attribute: String,
        /// The item.
        row: u32,
        /// What is wrong with the text.
        error: JsonError,
    },
    /// The request would be larger than the 2 GiB that protobuf allows.
    TooLarge,
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(malformed) => malformed.fmt(f),
            Self::Kind { attribute, declared } => {
                write!(f, "the column of {attribute:?} has not the declared type {declared:?}")
            }
            Self::Boolean { attribute, row } => write!(f, "item {row}: {attribute:?} is neither 0 nor 1"),
            Self::Json { attribute, row, error } => write!(f, "item {row}: {attribute:?}: {error}"),
            Self::TooLarge => f.write_str("the edited request would be larger than 2 GiB"),
        }
    }
}

impl std::error::Error for EditError {}

impl From<TooLarge> for EditError {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

impl TraceRequest<'_> {
    /// The request with `edits` made: item `i` is the `i`th span, attribute numbers are places in `writes`.
    ///
    /// An attribute that the span has is replaced where it stands (and its repetitions are removed), any other is
    /// added after the last. Every byte that is not part of an edit or of the length of a message around one stays.
    ///
    /// # Errors
    /// What is wrong with the edits; see [`EditError`].
    pub fn apply(&self, edits: &Batch, writes: &[Attribute]) -> Result<Vec<u8>, EditError> {
        one(&self.scanned, edits, writes)
    }

    /// No edits yet of this request, by those whose `writes` they are.
    #[must_use]
    pub fn edit_set<'w>(&self, writes: &'w Writes) -> EditSet<'w> {
        set(&self.scanned, writes)
    }

    /// The request with all edits of a set made, each as [`apply`](Self::apply) makes it.
    ///
    /// # Errors
    /// The request would be larger than protobuf allows, which a set of this request cannot make it.
    pub fn apply_set(&self, edits: EditSet<'_>) -> Result<Vec<u8>, EditError> {
        apply(&self.scanned, edits)
    }
}

impl LogsRequest<'_> {
    /// The request with `edits` made; as [`TraceRequest::apply`], the items being log records.
    ///
    /// # Errors
    /// What is wrong with the edits; see [`EditError`].
    pub fn apply(&self, edits: &Batch, writes: &[Attribute]) -> Result<Vec<u8>, EditError> {
        one(&self.scanned, edits, writes)
    }

    /// As [`TraceRequest::edit_set`].
    #[must_use]
    pub fn edit_set<'w>(&self, writes: &'w Writes) -> EditSet<'w> {
        set(&self.scanned, writes)
    }

    /// As [`TraceRequest::apply_set`].
    ///
    /// # Errors
    /// The request would be larger than protobuf allows, which a set of this request cannot make it.
    pub fn apply_set(&self, edits: EditSet<'_>) -> Result<Vec<u8>, EditError> {
        apply(&self.scanned, edits)
    }
}

fn set<'w, S: Signal>(scan: &Scanned<'_, S>, writes: &'w Writes) -> EditSet<'w> {
    EditSet::new(writes, S::ATTRIBUTES, scan.entries.len() as u32, scan.bytes.len())
}

fn one<S: Signal>(scan: &Scanned<'_, S>, edits: &Batch, writes: &[Attribute]) -> Result<Vec<u8>, EditError> {
    let writes = Writes::compile(&[writes]);
    let mut edited = set(scan, &writes);
    edited.add(0, edits)?;
    apply(scan, edited)
}

fn apply<S: Signal>(scan: &Scanned<'_, S>, edits: EditSet<'_>) -> Result<Vec<u8>, EditError> {
    let EditSet { writes, columns, arena, .. } = edits;
    let mut cells = Cells::new(writes, &columns);
    let mut splicer = Splicer::with_arena(scan.bytes, arena);
    let mut enclosing = Enclosing::default();
    for (item, row) in scan.items().zip(0u32..) {
        if !cells.go_to(row) {
            continue;
        }
        if let Some(group) = scan.group(item) {
            enclosing.open(&mut splicer, group.outer, group.inner);
            splicer.enter(item.frame);
            set_attributes(&mut splicer, scan.bytes, item, S::ATTRIBUTES, &mut cells);
            splicer.leave();
        }
    }
    enclosing.close(&mut splicer);
    Ok(splicer.finish()?)
}

fn set_attributes(splicer: &mut Splicer<'_>, bytes: &[u8], item: &Item, number: u32, cells: &mut Cells<'_>) {
    let (start, end) = item.attributes;
    let mut reader = Reader::within(bytes, Frame { length: start, body: start, end });
    while let Some(field) = scanned(reader.field()) {
        let Payload::Bytes(frame) = field.payload else { continue };
        if field.number != number {
            continue;
        }
        let (key, _) = key_and_value(bytes, frame);
        if let Some((from, to)) = cells.replacement(key) {
            splicer.replace(field.at, field.end, from, to);
        }
    }
    for (from, to) in cells.rest() {
        splicer.replace(end, end, from, to);
    }
}

/// The request without its refused items.
pub(crate) fn without_refused<'a, S: Signal>(scan: &Scanned<'a, S>) -> Cow<'a, [u8]> {
    if scan.refused.is_empty() {
        return Cow::Borrowed(scan.bytes);
    }
    let mut splicer = Splicer::new(scan.bytes);
    let mut enclosing = Enclosing::default();
    for refused in &scan.refused {
        enclosing.open(&mut splicer, refused.outer, refused.inner);
        splicer.replace(refused.at, refused.end, 0, 0);
    }
    enclosing.close(&mut splicer);
    // Removing cannot make a request too large.
    Cow::Owned(splicer.finish().unwrap_or_default())
}

/// The columns of a set, read in step with the items.
pub(crate) struct Cells<'e> {
    names: &'e Names,
    /// Each with the place of its next cell.
    columns: Vec<(&'e Encoded, usize)>,
    /// For each slot, what the item at hand gets.
    pending: Vec<Option<Pending>>,
    /// The slots that have an entry in `pending`.
    touched: Vec<u16>,
}

#[derive(Clone, Copy)]
struct Pending {
    from: usize,
    to: usize,
    used: bool,
}

impl<'e> Cells<'e> {
    pub(crate) fn new(writes: &'e Writes, columns: &'e [Encoded]) -> Self {
        Self {
            names: &writes.names,
            columns: columns.iter().map(|column| (column, 0)).collect(),
            pending: vec![None; writes.slots],
            touched: Vec::new(),
        }
    }

    /// The items that get something, ascending.
    pub(crate) fn rows(&self) -> Vec<u32> {
        let mut rows: Vec<u32> = self.columns.iter().flat_map(|(column, _)| column.rows.iter().copied()).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// Makes the item `row` the one at hand; `false` where it gets nothing. Items are gone to in ascending order, and
    /// none that gets something is left out. Of two columns for a slot the later wins.
    pub(crate) fn go_to(&mut self, row: u32) -> bool {
        for slot in self.touched.drain(..) {
            if let Some(pending) = self.pending.get_mut(usize::from(slot)) {
                *pending = None;
            }
        }
        for (column, next) in &mut self.columns {
            if column.rows.get(*next) != Some(&row) {
                continue;
            }
            let cell = column.cells.get(*next).copied();
            *next += 1;
            if let (Some((from, to)), Some(pending)) = (cell, self.pending.get_mut(usize::from(column.slot))) {
                if pending.is_none() {
                    self.touched.push(column.slot);
                }
                *pending = Some(Pending { from, to, used: false });
            }
        }
        !self.touched.is_empty()
    }

    /// What the attribute `key` becomes: the new one, or nothing where that has been placed already. `None` where it
    /// stays as it is.
    pub(crate) fn replacement(&mut self, key: &[u8]) -> Option<(usize, usize)> {
        let slot = self.names.find(key).next()?;
        let pending = self.pending.get_mut(usize::from(slot))?.as_mut()?;
        let again = std::mem::replace(&mut pending.used, true);
        Some(if again { (0, 0) } else { (pending.from, pending.to) })
    }

    /// What has not replaced anything.
    pub(crate) fn rest(&self) -> impl Iterator<Item = (usize, usize)> {
        let pending = self.touched.iter().filter_map(|&slot| *self.pending.get(usize::from(slot))?);
        pending.filter(|pending| !pending.used).map(|pending| (pending.from, pending.to))
    }
}
