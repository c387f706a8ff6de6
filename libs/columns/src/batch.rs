//! The columns themselves and the check that makes foreign ones safe to use.

use std::fmt;

/// Text values of one attribute. Row `rows[i]` has the value `data[offsets[i]..offsets[i + 1]]`, UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// Index of the attribute in the list that both sides agreed on.
    pub attribute: u16,
    /// Items that have a value, strictly ascending.
    pub rows: Vec<u32>,
    /// One more than `rows`; ascending, the last is the length of `data`. May be empty where `rows` is.
    pub offsets: Vec<u32>,
    /// All values, one after the other.
    pub data: Vec<u8>,
}

impl Texts {
    /// The `index`th value, where there is one and it is UTF-8.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&str> {
        std::str::from_utf8(self.bytes(index)?).ok()
    }

    /// The `index`th value as bytes.
    #[must_use]
    pub fn bytes(&self, index: usize) -> Option<&[u8]> {
        let start = usize::try_from(*self.offsets.get(index)?).ok()?;
        let end = usize::try_from(*self.offsets.get(index.checked_add(1)?)?).ok()?;
        self.data.get(start..end)
    }

    /// Appends a value for `row`. `false`, and nothing appended, where the arena would pass 4 GiB.
    pub fn push(&mut self, row: u32, value: &str) -> bool {
        let Some(end) = self.data.len().checked_add(value.len()).and_then(|end| u32::try_from(end).ok()) else {
            return false;
        };
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.rows.push(row);
        self.data.extend_from_slice(value.as_bytes());
        self.offsets.push(end);
        true
    }

    /// Values in order, each with its row.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        self.rows.iter().enumerate().filter_map(|(index, &row)| Some((row, self.get(index)?)))
    }

    /// Checks the column against a batch of `items`.
    ///
    /// # Errors
    /// Says what is wrong: rows not ascending or out of range, offsets that do not fit, text that is not UTF-8.
    pub fn check(&self, items: u32) -> Result<(), Malformed> {
        check_rows(&self.rows, items, self.attribute)?;
        let whole = if self.rows.is_empty() && self.offsets.is_empty() {
            self.data.is_empty()
        } else {
            self.offsets.len() == self.rows.len() + 1
                && self.offsets.first() == Some(&0)
                && self.offsets.last().and_then(|&last| usize::try_from(last).ok()) == Some(self.data.len())
                && self.offsets.is_sorted()
        };
        if !whole {
            return Err(Malformed { attribute: self.attribute, what: "offsets do not describe the data" });
        }
        let utf8 = (0..self.rows.len()).all(|index| self.get(index).is_some());
        if utf8 { Ok(()) } else { Err(Malformed { attribute: self.attribute, what: "text is not UTF-8" }) }
    }
}

/// Integer values of one attribute; booleans travel as 0 and 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Integers {
    /// Index of the attribute in the list that both sides agreed on.
    pub attribute: u16,
    /// Items that have a value, strictly ascending.
    pub rows: Vec<u32>,
    /// One value a row.
    pub values: Vec<i64>,
}

/// Floating-point values of one attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reals {
    /// Index of the attribute in the list that both sides agreed on.
    pub attribute: u16,
    /// Items that have a value, strictly ascending.
    pub rows: Vec<u32>,
    /// One value a row.
    pub values: Vec<f64>,
}

/// Values of `items` things, by attribute. An attribute whose values are of several types has a column of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// How many items the batch is about.
    pub items: u32,
    /// Text columns, at most one an attribute.
    pub texts: Vec<Texts>,
    /// Integer columns, at most one an attribute.
    pub integers: Vec<Integers>,
    /// Floating-point columns, at most one an attribute.
    pub reals: Vec<Reals>,
}

impl Batch {
    /// Checks a batch that came from outside: every attribute below `attributes`, every column whole.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, items: u32, attributes: usize) -> Result<(), Malformed> {
        if self.items != items {
            return Err(Malformed { attribute: 0, what: "the number of items differs from the batch that was given" });
        }
        let known = |attribute: u16| {
            if usize::from(attribute) < attributes {
                Ok(())
            } else {
                Err(Malformed { attribute, what: "attribute number is not in the manifest" })
            }
        };
        for column in &self.texts {
            known(column.attribute)?;
            column.check(items)?;
        }
        for column in &self.integers {
            known(column.attribute)?;
            check_rows(&column.rows, items, column.attribute)?;
            check_values(column.rows.len(), column.values.len(), column.attribute)?;
        }
        for column in &self.reals {
            known(column.attribute)?;
            check_rows(&column.rows, items, column.attribute)?;
            check_values(column.rows.len(), column.values.len(), column.attribute)?;
        }
        Ok(())
    }
}

fn check_rows(rows: &[u32], items: u32, attribute: u16) -> Result<(), Malformed> {
    if !rows.is_sorted_by(|a, b| a < b) {
        return Err(Malformed { attribute, what: "rows are not strictly ascending" });
    }
    if rows.last().is_some_and(|&last| last >= items) {
        return Err(Malformed { attribute, what: "a row is past the end of the batch" });
    }
    Ok(())
}

fn check_values(rows: usize, values: usize, attribute: u16) -> Result<(), Malformed> {
    if rows == values { Ok(()) } else { Err(Malformed { attribute, what: "rows and values differ in number" }) }
}

/// A column that breaks the rules, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The attribute number of the column.
    pub attribute: u16,
    /// The rule it breaks.
    pub what: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column of attribute {}: {}", self.attribute, self.what)
    }
}

impl std::error::Error for Malformed {}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(rows: &[u32], offsets: &[u32], data: &[u8]) -> Texts {
        Texts { attribute: 0, rows: rows.to_vec(), offsets: offsets.to_vec(), data: data.to_vec() }
    }

    #[test]
    fn foreign_columns_are_refused_with_the_rule_they_break() {
        let cases: &[(Texts, &str)] = &[
            (texts(&[1, 1], &[0, 1, 2], b"ab"), "rows are not strictly ascending"),
            (texts(&[9], &[0, 1], b"a"), "a row is past the end of the batch"),
            (texts(&[0], &[0, 2], b"a"), "offsets do not describe the data"),
            (texts(&[0], &[1, 1], b"a"), "offsets do not describe the data"),
            (texts(&[0], &[0], b""), "offsets do not describe the data"),
            (texts(&[0, 1], &[0, 3, 1], b"a"), "offsets do not describe the data"),
            (texts(&[0], &[0, 1], b"\xff"), "text is not UTF-8"),
            (texts(&[0, 1], &[0, 1, 2], "é".as_bytes()), "text is not UTF-8"),
        ];
        for (column, what) in cases {
            let batch = Batch { items: 4, texts: vec![column.clone()], ..Batch::default() };
            assert_eq!(batch.check(4, 1).map_err(|e| e.what), Err(*what), "{column:?}");
        }
    }

    #[test]
    fn unknown_attributes_and_uneven_columns_are_refused() {
        let column = Integers { attribute: 3, rows: vec![0], values: vec![1] };
        let batch = Batch { items: 1, integers: vec![column], ..Batch::default() };
        assert_eq!(batch.check(1, 3).map_err(|e| e.what), Err("attribute number is not in the manifest"));
        assert_eq!(batch.check(1, 4), Ok(()));
        let uneven = Reals { attribute: 0, rows: vec![0], values: vec![] };
        let batch = Batch { items: 1, reals: vec![uneven], ..Batch::default() };
        assert_eq!(batch.check(1, 1).map_err(|e| e.what), Err("rows and values differ in number"));
    }

    #[test]
    fn an_empty_column_is_whole() {
        assert_eq!(Texts::default().check(0), Ok(()));
    }
}
