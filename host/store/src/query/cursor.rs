//! Where a page of calls ends.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Where a page ends: before it are the calls that ended later. Those who get one give it back as it is; what is in it may
/// change. Calls that come or go in between do not move it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) time: i64,
    pub(super) id: i64,
}

/// The form of a cursor, so that a later one can be told from this.
const FORM: u8 = 1;

impl Cursor {
    /// The text that stands for it in answers and questions.
    #[must_use]
    pub fn to_text(self) -> String {
        let mut bytes = [0; 17];
        let (form, rest) = bytes.split_at_mut(1);
        let (time, id) = rest.split_at_mut(8);
        form.copy_from_slice(&[FORM]);
        time.copy_from_slice(&self.time.to_be_bytes());
        id.copy_from_slice(&self.id.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor that a text stands for; `None` where it was not made here.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (form, rest) = bytes.split_first()?;
        let (time, rest) = rest.split_first_chunk::<8>()?;
        let (id, rest) = rest.split_first_chunk::<8>()?;
        let is_whole = *form == FORM && rest.is_empty();
        is_whole.then(|| Self { time: i64::from_be_bytes(*time), id: i64::from_be_bytes(*id) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_nothing_else_is_one() {
        for (time, id) in [(0, 0), (1, 2), (i64::MAX, i64::MAX), (-1, i64::MIN)] {
            let cursor = Cursor { time, id };
            assert_eq!(Cursor::of_text(&cursor.to_text()), Some(cursor));
        }
        let good = Cursor { time: 1, id: 2 }.to_text();
        for text in ["", "a", "!", &good[1..], &format!("{good}AAAA"), &format!("B{}", &good[1..]), "é"] {
            assert_eq!(Cursor::of_text(text), None, "{text:?}");
        }
    }
}
