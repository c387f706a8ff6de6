//! A JSON value as the text that a model reads or writes: a string as it is, anything else as compact JSON.

use tollgate_json::{Kind, Scalar};

/// Puts a value together from what a reader reports of it, up to a limit.
#[derive(Debug, Default)]
pub(crate) struct ValueText {
    text: String,
    limit: usize,
    overrun: bool,
    /// The containers that are open: their kind, and whether something is in them.
    open: Vec<(Kind, bool)>,
    /// Whether a key has been written, so that no comma belongs before what comes.
    after_key: bool,
    /// Whether a string was left out that holds something else than text.
    pub(crate) left_out: bool,
}

impl ValueText {
    /// Makes ready for a value of up to `limit` bytes.
    pub(crate) fn reset(&mut self, limit: usize) {
        self.text.clear();
        self.open.clear();
        (self.limit, self.overrun, self.after_key, self.left_out) = (limit, false, false, false);
    }

    pub(crate) fn begin(&mut self, kind: Kind) {
        self.comma();
        self.open.push((kind, false));
        self.push(if kind == Kind::Object { "{" } else { "[" });
    }

    pub(crate) fn key(&mut self, key: &[u8]) {
        self.comma();
        self.string(&String::from_utf8_lossy(key));
        self.push(":");
        self.after_key = true;
    }

    /// Ends a container. `true` where the value is complete.
    pub(crate) fn end(&mut self) -> bool {
        if let Some((kind, _)) = self.open.pop() {
            self.push(if kind == Kind::Object { "}" } else { "]" });
        }
        self.open.is_empty()
    }

    /// A scalar. `true` where the value is complete.
    pub(crate) fn scalar(&mut self, value: Scalar<'_>) -> bool {
        self.comma();
        match value {
            Scalar::Text(text) => {
                self.overrun |= !text.whole;
                let text = text.to_str();
                if self.open.is_empty() {
                    self.push(&text);
                } else if crate::tally::is_data_url(&text) {
                    self.left_out = true;
                    self.push("\"\"");
                } else {
                    self.string(&text);
                }
            }
            Scalar::Number(number) => self.push(number),
            Scalar::Bool(true) => self.push("true"),
            Scalar::Bool(false) => self.push("false"),
            // No value at all is no text; inside of a value it is part of it.
            Scalar::Null if self.open.is_empty() => {}
            Scalar::Null => self.push("null"),
        }
        self.open.is_empty()
    }

    /// The text; `None` where it is longer than the limit.
    pub(crate) fn get(&self) -> Option<&str> {
        (!self.overrun).then_some(&self.text)
    }

    fn comma(&mut self) {
        if std::mem::take(&mut self.after_key) {
            return;
        }
        if let Some((_, filled)) = self.open.last_mut()
            && std::mem::replace(filled, true)
        {
            self.push(",");
        }
    }

    fn string(&mut self, text: &str) {
        if text.len() > self.limit {
            self.overrun = true;
        } else if let Ok(quoted) = serde_json::to_string(text) {
            self.push(&quoted);
        }
    }

    fn push(&mut self, piece: &str) {
        if self.text.len().saturating_add(piece.len()) > self.limit {
            self.overrun = true;
        }
        if !self.overrun {
            self.text.push_str(piece);
        }
    }
}
