//! Declaring attributes by name, once, and using them by handle afterwards.

use tollgate_columns::{Attribute, Edits, EnricherManifest, Kind, Problem};

/// The attributes that a plugin reads and writes. The host hands over those that are read and refuses an edit of any
/// that is not written, so this is the whole of what the plugin can see and do.
#[derive(Clone, Debug, Default)]
pub struct Attributes {
    reads: Vec<String>,
    writes: Vec<Attribute>,
}

impl Attributes {
    /// Declares an attribute that is read. Besides span attributes there are `span:name`, `span:kind`,
    /// `span:status`, `span:duration` and `span:startTime` (integers, nanoseconds), `span:traceState`, `span:flags` (an
    /// integer), `scope:name` and `resource:<attribute>`, for example `resource:service.name`; a name that ends in `.*` reads every span
    /// attribute that begins so, as the text of one JSON object.
    pub fn reads(&mut self, name: &str) -> Read {
        let at = self.reads.iter().position(|known| known == name).unwrap_or_else(|| {
            self.reads.push(name.to_owned());
            self.reads.len() - 1
        });
        Read(number(at))
    }

    /// Declares a span attribute that gets text.
    pub fn writes_text(&mut self, name: &str) -> TextAttribute {
        TextAttribute(self.writes(name, Kind::Text))
    }

    /// Declares a span attribute that gets integers.
    pub fn writes_integer(&mut self, name: &str) -> IntegerAttribute {
        IntegerAttribute(self.writes(name, Kind::Integer))
    }

    /// Declares a span attribute that gets floating-point numbers.
    pub fn writes_real(&mut self, name: &str) -> RealAttribute {
        RealAttribute(self.writes(name, Kind::Real))
    }

    /// Declares a span attribute that gets truth values.
    pub fn writes_boolean(&mut self, name: &str) -> BooleanAttribute {
        BooleanAttribute(self.writes(name, Kind::Boolean))
    }

    /// Declares a span attribute that gets arrays or maps, as JSON text.
    pub fn writes_json(&mut self, name: &str) -> JsonAttribute {
        JsonAttribute(self.writes(name, Kind::Composite))
    }

    fn writes(&mut self, name: &str, kind: Kind) -> u16 {
        let wanted = Attribute::new(name, kind);
        let at = self.writes.iter().position(|known| *known == wanted).unwrap_or_else(|| {
            self.writes.push(wanted);
            self.writes.len() - 1
        });
        number(at)
    }

    /// Everything that is wrong with the declarations: too many of them, or one attribute with two kinds.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let most = usize::from(u16::MAX);
        if self.reads.len() > most || self.writes.len() > most {
            let message = format!("a plugin can read and write at most {most} attributes each");
            problems.push(Problem { path: String::new(), message });
        }
        for (at, attribute) in self.writes.iter().enumerate() {
            if self.writes.iter().take(at).any(|earlier| earlier.name == attribute.name) {
                let message = format!("attribute `{}` is declared with two kinds of value", attribute.name);
                problems.push(Problem { path: String::new(), message });
            }
        }
        problems
    }

    pub(crate) fn manifest(&self, name: &str, version: &str) -> EnricherManifest {
        EnricherManifest {
            name: name.to_owned(),
            version: version.to_owned(),
            reads: self.reads.clone(),
            writes: self.writes.clone(),
        }
    }
}

/// The number of an attribute. Declarations past the last number are refused by `problems` before any is used.
fn number(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// An attribute that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read(pub(crate) u16);

/// A span attribute that gets text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextAttribute(u16);

/// A span attribute that gets integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegerAttribute(u16);

/// A span attribute that gets floating-point numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealAttribute(u16);

/// A span attribute that gets truth values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BooleanAttribute(u16);

/// A span attribute that gets arrays or maps, as JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonAttribute(u16);

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::TextAttribute {}
    impl Sealed for super::IntegerAttribute {}
    impl Sealed for super::RealAttribute {}
    impl Sealed for super::BooleanAttribute {}
    impl Sealed for super::JsonAttribute {}
}

/// An attribute that can be given a value of type `V`.
pub trait Accepts<V>: Copy + sealed::Sealed {
    /// Puts the value into the edits.
    #[doc(hidden)]
    fn put(self, edits: &mut Edits, row: u32, value: V);
}

impl<V: AsRef<str>> Accepts<V> for TextAttribute {
    fn put(self, edits: &mut Edits, row: u32, value: V) {
        edits.text(row, self.0, value);
    }
}

impl<V: Into<i64>> Accepts<V> for IntegerAttribute {
    fn put(self, edits: &mut Edits, row: u32, value: V) {
        edits.integer(row, self.0, value.into());
    }
}

impl<V: Into<f64>> Accepts<V> for RealAttribute {
    fn put(self, edits: &mut Edits, row: u32, value: V) {
        edits.real(row, self.0, value.into());
    }
}

impl Accepts<bool> for BooleanAttribute {
    fn put(self, edits: &mut Edits, row: u32, value: bool) {
        edits.integer(row, self.0, i64::from(value));
    }
}

impl<V: AsRef<str>> Accepts<V> for JsonAttribute {
    fn put(self, edits: &mut Edits, row: u32, value: V) {
        edits.text(row, self.0, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_declared_twice_is_one_attribute() {
        let mut attributes = Attributes::default();
        let first = attributes.reads("user.id");
        attributes.reads("span:name");
        assert_eq!(attributes.reads("user.id"), first);
        assert_eq!(attributes.writes_text("team"), attributes.writes_text("team"));
        let manifest = attributes.manifest("p", "1");
        assert_eq!(manifest.reads, ["user.id", "span:name"]);
        assert_eq!(manifest.writes, [Attribute::new("team", Kind::Text)]);
    }

    #[test]
    fn a_name_with_two_kinds_is_a_problem() {
        let mut attributes = Attributes::default();
        attributes.writes_text("n");
        attributes.writes_integer("n");
        let messages: Vec<_> = attributes.problems().into_iter().map(|problem| problem.message).collect();
        assert_eq!(messages, ["attribute `n` is declared with two kinds of value"]);
    }

    #[test]
    fn more_attributes_than_numbers_are_a_problem() {
        let reads = vec![String::new(); usize::from(u16::MAX) + 1];
        let attributes = Attributes { reads, writes: Vec::new() };
        assert_eq!(attributes.problems().len(), 1);
    }
}
