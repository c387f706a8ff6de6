//! Edits of several plugins, encoded one plugin after the other and spliced into the request at once.

use crate::edits::EditError;
use crate::encode::{self, any};
use crate::json_read;
use crate::writes::{Write, Writes};
use tollgate_columns::{Batch, Integers, Kind, Reals, Texts};

/// Edits of one request: of those plugins whose edits were added, in that order. What a later one sets counts.
///
/// Made by [`TraceRequest::edit_set`](crate::TraceRequest::edit_set), and put into the request by
/// [`TraceRequest::apply_set`](crate::TraceRequest::apply_set).
#[derive(Debug)]
pub struct EditSet<'w> {
    pub(crate) writes: &'w Writes,
    /// Number of the attributes' field in the message of an item.
    number: u32,
    items: u32,
    /// Most bytes that the encoded edits may have.
    room: usize,
    /// The encoded attributes, one after the other.
    pub(crate) arena: Vec<u8>,
    pub(crate) columns: Vec<Encoded>,
}

/// A column whose values are encoded as attributes.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) slot: u16,
    pub(crate) rows: Vec<u32>,
    /// Where in the arena the attribute of each row starts and ends.
    pub(crate) cells: Vec<(usize, usize)>,
}

impl<'w> EditSet<'w> {
    pub(crate) fn new(writes: &'w Writes, number: u32, items: u32, size: usize) -> Self {
        // With some room left for lengths that grow.
        let room = (i32::MAX as usize).saturating_sub(size).saturating_sub(size / 8);
        Self { writes, number, items, room, arena: Vec::new(), columns: Vec::new() }
    }

    /// Whether nothing was set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Adds the edits of the plugin whose list has this place among the writes.
    ///
    /// # Errors
    /// What is wrong with them; see [`EditError`]. None of them is added then.
    pub fn add(&mut self, list: usize, edits: &Batch) -> Result<(), EditError> {
        let (size, columns) = (self.arena.len(), self.columns.len());
        let added = self.encode(list, edits);
        if added.is_err() {
            self.arena.truncate(size);
            self.columns.truncate(columns);
        }
        added
    }

    fn encode(&mut self, list: usize, edits: &Batch) -> Result<(), EditError> {
        let writes = self.writes.lists.get(list).map(Vec::as_slice).unwrap_or_default();
        edits.check(self.items, writes.len()).map_err(EditError::Malformed)?;
        let texts = edits.texts.iter().map(Column::Texts);
        let integers = edits.integers.iter().map(Column::Integers);
        let reals = edits.reals.iter().map(Column::Reals);
        for column in texts.chain(integers).chain(reals) {
            let Some(write) = writes.get(usize::from(column.attribute())) else { continue };
            if !column.holds(write.kind) {
                return Err(EditError::Kind { attribute: write.name.clone(), declared: write.kind });
            }
            let rows = column.rows();
            let mut cells = Vec::with_capacity(rows.len());
            for (index, &row) in rows.iter().enumerate() {
                let from = self.arena.len();
                encode::key_value(&mut self.arena, self.number, &write.name, |out| {
                    column.encode(index, row, write, out)
                })?;
                cells.push((from, self.arena.len()));
            }
            if self.arena.len() > self.room {
                return Err(EditError::TooLarge);
            }
            self.columns.push(Encoded { slot: write.slot, rows: rows.to_vec(), cells });
        }
        Ok(())
    }
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
    #[inline]
    fn encode(&self, index: usize, row: u32, write: &Write, out: &mut Vec<u8>) -> Result<(), EditError> {
        match self {
            Self::Texts(column) if write.kind == Kind::Composite => {
                let text = column.get(index).unwrap_or_default();
                let failed = |error| EditError::Json { attribute: write.name.clone(), row, error };
                json_read::any_value(out, text).map_err(failed)?;
            }
            Self::Texts(column) => any::text(out, column.bytes(index).unwrap_or_default()),
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
