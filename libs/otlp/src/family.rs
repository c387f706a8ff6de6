//! Families of attributes: names that share their beginning, read as one value.
//!
//! Instrumentations that had no structured attributes put lists and maps into names:
//! `llm.input_messages.0.message.role`. Which names a span has is not known before it is there, so a manifest names
//! the beginning, and gets the members as a JSON object.

use crate::json_write;
use crate::project::push_bytes;
use crate::value::Raw;
use crate::wire::Frame;
use tollgate_columns::Texts;

/// Beginnings of names, each with a number. They are few, so they are asked in turn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Families {
    prefixes: Vec<(Box<[u8]>, u16)>,
}

impl Families {
    /// Adds a beginning, its last dot included.
    pub(crate) fn add(&mut self, prefix: &str, number: u16) {
        self.prefixes.push((prefix.as_bytes().into(), number));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// The families that `name` is a member of, each with the rest of the name.
    #[inline]
    pub(crate) fn find<'n>(&self, name: &'n [u8]) -> impl Iterator<Item = (u16, &'n [u8])> {
        self.prefixes.iter().filter_map(|(prefix, number)| Some((*number, name.strip_prefix(&**prefix)?)))
    }
}

/// The members of one family, row by row: a column of JSON objects.
pub(crate) struct Members {
    texts: Texts,
    /// The object of the row at hand, without its last brace.
    object: Vec<u8>,
    row: u32,
}

impl Members {
    pub(crate) fn new(attribute: u16) -> Self {
        Self { texts: Texts { attribute, ..Texts::default() }, object: Vec::new(), row: 0 }
    }

    /// Adds a member to the object of `row`. Rows come in ascending order.
    pub(crate) fn put(&mut self, row: u32, name: &[u8], bytes: &[u8], value: Frame) {
        if self.row != row {
            self.close();
            self.row = row;
        }
        self.object.push(if self.object.is_empty() { b'{' } else { b',' });
        json_write::string(&mut self.object, name);
        self.object.push(b':');
        json_write::value(&mut self.object, bytes, Raw::read(bytes, value));
    }

    fn close(&mut self) {
        if !self.object.is_empty() {
            self.object.push(b'}');
            push_bytes(&mut self.texts, self.row, &self.object);
            self.object.clear();
        }
    }

    /// The column; `None` where no row has a member.
    pub(crate) fn finish(mut self) -> Option<Texts> {
        self.close();
        (!self.texts.rows.is_empty()).then_some(self.texts)
    }
}
