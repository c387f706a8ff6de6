//! The values of a column, with the levels that say which of them are there.
//!
//! Definition and repetition levels are those of the Parquet format, "Nested Encoding": a definition level counts the
//! optional and repeated fields of the path that are there, a repetition level of 0 begins a row.

use bytes::Bytes;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;
use std::io::Write;
use std::ops::Range;

/// A column that is being filled.
#[derive(Debug)]
pub(crate) enum Column {
    Integer { values: Vec<i64>, present: Option<Vec<i16>> },
    Real { values: Vec<f64>, present: Vec<i16> },
    Cost { values: Vec<i128>, present: Vec<i16> },
    Text(Texts),
    List { elements: Texts, repeats: Vec<i16> },
    Map { keys: Texts, values: Texts, repeats: Vec<i16> },
}

/// Texts one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    arena: Vec<u8>,
    places: Vec<Range<usize>>,
    present: Vec<i16>,
}

impl Texts {
    pub(crate) fn push(&mut self, text: &str, level: i16) {
        let start = self.arena.len();
        self.arena.extend_from_slice(text.as_bytes());
        self.places.push(start..self.arena.len());
        self.present.push(level);
    }

    /// Adds a text that is made byte by byte.
    pub(crate) fn push_bytes(&mut self, bytes: impl Iterator<Item = u8>, level: i16) {
        let start = self.arena.len();
        self.arena.extend(bytes);
        self.places.push(start..self.arena.len());
        self.present.push(level);
    }

    pub(crate) fn absent(&mut self, level: i16) {
        self.present.push(level);
    }

    fn write<W: Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<'_, W>,
        repeats: Option<&[i16]>,
    ) -> Result<(), ParquetError> {
        let arena = Bytes::from(self.arena);
        let values: Vec<_> = self.places.into_iter().map(|place| ByteArray::from(arena.slice(place))).collect();
        put::<W, ByteArrayType>(group, &values, Some(&self.present), repeats)
    }
}

impl Column {
    /// Writes all values as the next columns of a row group.
    pub(crate) fn write<W: Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        match self {
            Self::Integer { values, present } => put::<W, Int64Type>(group, &values, present.as_deref(), None),
            Self::Real { values, present } => put::<W, DoubleType>(group, &values, Some(&present), None),
            Self::Cost { values, present } => {
                // Decimals are big-endian two's complement.
                let bytes = |value: i128| FixedLenByteArray::from(value.to_be_bytes().to_vec());
                let values: Vec<_> = values.into_iter().map(bytes).collect();
                put::<W, FixedLenByteArrayType>(group, &values, Some(&present), None)
            }
            Self::Text(texts) => texts.write(group, None),
            Self::List { elements, repeats } => elements.write(group, Some(&repeats)),
            Self::Map { keys, values, repeats } => {
                keys.write(group, Some(&repeats))?;
                values.write(group, Some(&repeats))
            }
        }
    }
}

fn put<W: Write + Send, T: parquet::data_type::DataType>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    present: Option<&[i16]>,
    repeats: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("more columns than fields".to_owned()))?;
    column.typed::<T>().write_batch(values, present, repeats)?;
    column.close()
}
