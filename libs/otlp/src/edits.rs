//! Columns of edits, spliced into the encoded request.

use crate::encode::{self, any};
use crate::json_read::{self, JsonError};
use crate::logs::LogsRequest;
use crate::names::Names;
use crate::scan::{Item, Scanned, Signal};
use crate::splice::{Enclosing, Splicer, TooLarge, scanned};
use crate::trace::TraceRequest;
use crate::value::key_and_value;
use crate::wire::{Frame, Payload, Reader};
use std::borrow::Cow;
use std::fmt;
use tollgate_columns::{Attribute, Batch, Integers, Kind, Malformed, Reals, Texts};

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
        apply(&self.scanned, edits, writes)
    }
}

impl LogsRequest<'_> {
    /// The request with `edits` made; as [`TraceRequest::apply`], the items being log records.
    ///
    /// # Errors
    /// What is wrong with the edits; see [`EditError`].
    pub fn apply(&self, edits: &Batch, writes: &[Attribute]) -> Result<Vec<u8>, EditError> {
        apply(&self.scanned, edits, writes)
    }
}

fn apply<S: Signal>(scan: &Scanned<'_, S>, edits: &Batch, writes: &[Attribute]) -> Result<Vec<u8>, EditError> {
    let items = scan.entries.len() as u32;
    edits.check(items, writes.len()).map_err(EditError::Malformed)?;
    let mut cells = Cells::new(edits, writes)?;
    let mut splicer = Splicer::new(scan.bytes);
    let mut enclosing = Enclosing::default();
    for (item, row) in scan.items().zip(0u32..) {
        if !cells.encode(row, S::ATTRIBUTES, &mut splicer.arena)? {
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

/// Columns read in step with the items.
struct Cells<'e> {
    writes: &'e [Attribute],
    names: Names,
    columns: Vec<(Column<'e>, usize)>,
    /// For each attribute of `writes`, what the item at hand gets.
    pending: Vec<Option<Pending>>,
    /// The attributes that have an entry in `pending`.
    touched: Vec<u16>,
}

#[derive(Clone, Copy)]
struct Pending {
    from: usize,
    to: usize,
    used: bool,
}

enum Column<'e> {
    Texts(&'e Texts),
    Integers(&'e Integers),
    Reals(&'e Reals),
}

impl<'e> Column<'e> {
    fn attribute(&self) -> u16 {
        match self {
            Self::Texts(column) => column.attribute,
            Self::Integers(column) => column.attribute,
            Self::Reals(column) => column.attribute,
        }
    }

    fn rows(&self) -> &'e [u32] {
        match self {
            Self::Texts(column) => &column.rows,
            Self::Integers(column) => &column.rows,
            Self::Reals(column) => &column.rows,
        }
    }

    fn holds(&self, kind: Kind) -> bool {
        match self {
            Self::Texts(_) => matches!(kind, Kind::Text | Kind::Composite),
            Self::Integers(_) => matches!(kind, Kind::Integer | Kind::Boolean),
            Self::Reals(_) => kind == Kind::Real,
        }
    }

    /// The content of the `AnyValue` for the entry at `index`.
    fn encode(&self, index: usize, row: u32, write: &Attribute, out: &mut Vec<u8>) -> Result<(), EditError> {
        match self {
            Self::Texts(column) => {
                let text = column.bytes(index).unwrap_or_default();
                if write.kind == Kind::Composite {
                    let attribute = || write.name.clone();
                    let text = column.get(index).unwrap_or_default();
                    return json_read::any_value(out, text).map_err(|error| EditError::Json {
                        attribute: attribute(),
                        row,
                        error,
                    });
                }
                any::text(out, text);
            }
            Self::Integers(column) => {
                let value = column.values.get(index).copied().unwrap_or_default();
                match (write.kind, value) {
                    (Kind::Boolean, 0 | 1) => any::boolean(out, value == 1),
                    (Kind::Boolean, _) => return Err(EditError::Boolean { attribute: write.name.clone(), row }),
                    _ => any::int(out, value),
                }
            }
            Self::Reals(column) => any::real(out, column.values.get(index).copied().unwrap_or_default()),
        }
        Ok(())
    }
}

impl<'e> Cells<'e> {
    fn new(edits: &'e Batch, writes: &'e [Attribute]) -> Result<Self, EditError> {
        let texts = edits.texts.iter().map(Column::Texts);
        let integers = edits.integers.iter().map(Column::Integers);
        let reals = edits.reals.iter().map(Column::Reals);
        let columns: Vec<_> = texts.chain(integers).chain(reals).map(|column| (column, 0)).collect();
        for (column, _) in &columns {
            if let Some(write) = writes.get(usize::from(column.attribute()))
                && !column.holds(write.kind)
            {
                return Err(EditError::Kind { attribute: write.name.clone(), declared: write.kind });
            }
        }
        let names = Names::new(writes.iter().map(|write| write.name.as_str()).zip(0u16..));
        Ok(Self { writes, names, columns, pending: vec![None; writes.len()], touched: Vec::new() })
    }

    /// Encodes what the item `row` gets into `arena`; `false` where it gets nothing.
    fn encode(&mut self, row: u32, number: u32, arena: &mut Vec<u8>) -> Result<bool, EditError> {
        for attribute in self.touched.drain(..) {
            if let Some(slot) = self.pending.get_mut(usize::from(attribute)) {
                *slot = None;
            }
        }
        for (column, next) in &mut self.columns {
            if column.rows().get(*next) != Some(&row) {
                continue;
            }
            let Some(write) = self.writes.get(usize::from(column.attribute())) else { continue };
            let from = arena.len();
            encode::key_value(arena, number, &write.name, |out| column.encode(*next, row, write, out))?;
            *next += 1;
            // A name that was declared twice is one attribute: the later column wins.
            let attribute = self.names.find(write.name.as_bytes()).next().unwrap_or_default();
            if let Some(slot) = self.pending.get_mut(usize::from(attribute)) {
                if slot.is_none() {
                    self.touched.push(attribute);
                }
                *slot = Some(Pending { from, to: arena.len(), used: false });
            }
        }
        Ok(!self.touched.is_empty())
    }

    /// What the attribute `key` becomes: the new one, or nothing where that has been placed already. `None` where it
    /// stays as it is.
    fn replacement(&mut self, key: &[u8]) -> Option<(usize, usize)> {
        let attribute = self.names.find(key).next()?;
        let pending = self.pending.get_mut(usize::from(attribute))?.as_mut()?;
        let again = std::mem::replace(&mut pending.used, true);
        Some(if again { (0, 0) } else { (pending.from, pending.to) })
    }

    /// What has not replaced anything.
    fn rest(&self) -> impl Iterator<Item = (usize, usize)> {
        let pending = self.touched.iter().filter_map(|&attribute| *self.pending.get(usize::from(attribute))?);
        pending.filter(|pending| !pending.used).map(|pending| (pending.from, pending.to))
    }
}
