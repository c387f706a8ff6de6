//! JSON text, read as the value it would be in OTLP.

use crate::json_read::{self, JsonError};
use crate::json_write;
use crate::value::Value;
use crate::wire::Frame;

/// A value that was read from JSON text. It is held as OTLP would hold it, so that whoever reads values reads both what
/// came structured and what came as text.
///
/// ```
/// use tollgate_otlp::{JsonValue, Value};
/// let json = JsonValue::parse(r#"[{"role":"user"}]"#)?;
/// let Value::Array(messages) = json.value() else { panic!() };
/// assert_eq!(messages.iter().count(), 1);
/// # Ok::<(), tollgate_otlp::JsonError>(())
/// ```
#[derive(Clone, Debug)]
pub struct JsonValue {
    encoded: Vec<u8>,
}

impl JsonValue {
    /// Reads JSON text. Whole numbers that fit are integers, other numbers doubles.
    ///
    /// # Errors
    /// The text is not JSON, nests deeper than 23, or is larger than a request may be.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        let mut encoded = Vec::with_capacity(text.len());
        json_read::any_value(&mut encoded, text)?;
        if i32::try_from(encoded.len()).is_err() {
            return Err(JsonError { at: 0, expected: "less than 2 GiB" });
        }
        Ok(Self { encoded })
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        Value::read(&self.encoded, Frame { length: 0, body: 0, end: self.encoded.len() as u32 })
    }
}

/// Appends a text as a JSON string, with its quotes.
pub fn push_json_text(out: &mut String, text: &str) {
    let mut json = Vec::with_capacity(text.len() + 2);
    json_write::string(&mut json, text.as_bytes());
    // Text goes in and only ASCII is added.
    out.push_str(std::str::from_utf8(&json).unwrap_or_default());
}
