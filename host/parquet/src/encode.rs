//! Rows as a Parquet file.

use crate::fields::{Field, Kind};
use crate::fill::Filler;
use crate::item::Item;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, Type};
use std::fmt::Write as _;
use std::sync::Arc;

/// Compression of pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// None.
    None,
    /// Snappy, which every reader has.
    Snappy,
    /// zstd at level 3.
    #[default]
    Zstd,
}

/// A kind of rows, made ready to be written.
#[derive(Debug)]
pub(crate) struct Encoder {
    schema: Arc<Type>,
    fields: &'static [Field],
    filler: Filler,
    codec: Codec,
    row_group_bytes: usize,
    row_group_rows: usize,
}

impl Encoder {
    /// An encoder of rows with these fields.
    pub(crate) fn new(
        fields: &'static [Field],
        compression: Compression,
        (row_group_bytes, row_group_rows): (usize, usize),
    ) -> Result<Self, ParquetError> {
        let codec = match compression {
            Compression::None => Codec::UNCOMPRESSED,
            Compression::Snappy => Codec::SNAPPY,
            Compression::Zstd => Codec::ZSTD(ZstdLevel::try_new(3)?),
        };
        let schema = Arc::new(parse_message_type(&message(fields))?);
        Ok(Self { schema, fields, filler: Filler::new(fields), codec, row_group_bytes, row_group_rows })
    }

    /// The bytes of a file with these rows. A row group ends when it has its bytes of OTLP or its rows.
    pub(crate) fn encode<'r>(&self, rows: impl ExactSizeIterator<Item = Item<'r>>) -> Result<Vec<u8>, ParquetError> {
        let properties = Arc::new(self.properties(rows.len()));
        let mut file = SerializedFileWriter::new(Vec::new(), Arc::clone(&self.schema), properties)?;
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            let mut columns = self.filler.columns();
            let (mut bytes, mut count) = (0_usize, 0);
            while bytes < self.row_group_bytes
                && count < self.row_group_rows
                && let Some(row) = rows.next()
            {
                bytes = bytes.saturating_add(row.size());
                count += 1;
                self.filler.push(&row, &mut columns);
            }
            let mut group = file.next_row_group()?;
            for column in columns {
                column.write(&mut group)?;
            }
            group.close()?;
        }
        file.into_inner()
    }

    fn properties(&self, rows: usize) -> WriterProperties {
        let mut properties = WriterProperties::builder()
            .set_created_by(concat!("tollgate version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(self.codec)
            .set_statistics_enabled(EnabledStatistics::Chunk);
        for field in self.fields {
            let column = ColumnPath::from(field.name);
            match field.kind {
                // No two are alike, or hardly any.
                Kind::Text | Kind::Time => properties = properties.set_column_dictionary_enabled(column, false),
                Kind::Map => {
                    for part in ["key", "value"] {
                        let path = vec![field.name.to_owned(), "key_value".to_owned(), part.to_owned()];
                        let path = ColumnPath::from(path);
                        properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
                    }
                }
                _ => {}
            }
        }
        // A trace is looked for by its id, which is in no order, so least and greatest values say nothing.
        let ids = u64::try_from(rows.min(self.row_group_rows)).unwrap_or(u64::MAX);
        let trace_id = || ColumnPath::from("trace_id");
        properties
            .set_column_bloom_filter_enabled(trace_id(), true)
            .set_column_bloom_filter_fpp(trace_id(), 0.01)
            .set_column_bloom_filter_max_ndv(trace_id(), ids.max(1))
            .build()
    }
}

/// The schema in Parquet's own words.
fn message(fields: &[Field]) -> String {
    let mut message = String::from("message rows {\n");
    for Field { name, kind, .. } in fields {
        let _ = match kind {
            Kind::Time => writeln!(message, "required int64 {name} (TIMESTAMP(MICROS,true));"),
            Kind::Integer => writeln!(message, "optional int64 {name};"),
            Kind::Real => writeln!(message, "optional double {name};"),
            Kind::Cost => writeln!(message, "optional fixed_len_byte_array(16) {name} (DECIMAL(38,9));"),
            Kind::Text | Kind::Name => writeln!(message, "optional binary {name} (STRING);"),
            Kind::List => writeln!(
                message,
                "optional group {name} (LIST) {{ repeated group list {{ required binary element (STRING); }} }}"
            ),
            Kind::Map => writeln!(
                message,
                "required group {name} (MAP) {{ repeated group key_value {{ required binary key (STRING); required \
                 binary value (STRING); }} }}"
            ),
        };
    }
    message.push('}');
    message
}
