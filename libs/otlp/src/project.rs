//! Spans to columns: the attributes that a plugin declared, and nothing else.

use crate::family::{Families, Members};
use crate::json_write;
use crate::names::Names;
use crate::scan::Group;
use crate::trace::{Span, TraceRequest, scope_name};
use crate::value::Raw;
use crate::wire::Frame;
use std::fmt;
use tollgate_columns::{Batch, Integers, Reals, Texts};

/// A list of names to read, ready to be asked of spans.
///
/// Besides span attributes by their exact name there are `span:name`, `span:kind`, `span:status` (texts, the words of
/// [`SpanKind::as_str`](crate::SpanKind::as_str) and [`StatusCode::as_str`](crate::StatusCode::as_str)),
/// `span:duration` and `span:startTime` (integers, nanoseconds), `span:traceState` (text), `span:flags` (an integer),
/// `scope:name`, and `resource:<attribute>`.
///
/// A name that ends in `.*` reads a family: `llm.input_messages.*` is every span attribute whose name begins with
/// `llm.input_messages.`, as one JSON object from the rest of the name to the value, in the order of the wire.
#[derive(Clone, Debug)]
pub struct Reads {
    attributes: Names,
    families: Families,
    resource: Names,
    intrinsics: Vec<(Intrinsic, u16)>,
    count: u16,
}

#[derive(Clone, Copy, Debug)]
enum Intrinsic {
    Name,
    Kind,
    Status,
    Duration,
    StartTime,
    TraceState,
    Flags,
    ScopeName,
}

/// Why names cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadsError {
    /// A name that starts with `span:` or `scope:`, and is none of those there are.
    UnknownIntrinsic(String),
    /// More than 65,535 names.
    TooMany(usize),
}

impl fmt::Display for ReadsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownIntrinsic(name) => write!(
                f,
                "{name:?} cannot be read: there are span:name, span:kind, span:status, span:duration, \
                 span:startTime, span:traceState, span:flags, scope:name and resource:<attribute>"
            ),
            Self::TooMany(count) => write!(f, "{count} names to read; at most 65535 are possible"),
        }
    }
}

impl std::error::Error for ReadsError {}

impl Reads {
    /// Prepares a list of names; columns refer to places in this list.
    ///
    /// # Errors
    /// A name that cannot be one, or too many of them.
    pub fn compile<N: AsRef<str>>(names: &[N]) -> Result<Self, ReadsError> {
        let count = u16::try_from(names.len()).map_err(|_| ReadsError::TooMany(names.len()))?;
        let (mut attributes, mut resource, mut intrinsics) = (Vec::new(), Vec::new(), Vec::new());
        let mut families = Families::default();
        for (name, number) in names.iter().map(AsRef::as_ref).zip(0u16..) {
            let intrinsic = match name {
                "span:name" => Intrinsic::Name,
                "span:kind" => Intrinsic::Kind,
                "span:status" => Intrinsic::Status,
                "span:duration" => Intrinsic::Duration,
                "span:startTime" => Intrinsic::StartTime,
                "span:traceState" => Intrinsic::TraceState,
                "span:flags" => Intrinsic::Flags,
                "scope:name" => Intrinsic::ScopeName,
                _ => {
                    if name.starts_with("span:") || name.starts_with("scope:") {
                        return Err(ReadsError::UnknownIntrinsic(name.to_owned()));
                    }
                    match (name.strip_prefix("resource:"), name.strip_suffix('*')) {
                        (Some(name), _) => resource.push((name, number)),
                        (None, Some(prefix)) if prefix.len() > 1 && prefix.ends_with('.') => {
                            families.add(prefix, number);
                        }
                        (None, _) => attributes.push((name, number)),
                    }
                    continue;
                }
            };
            intrinsics.push((intrinsic, number));
        }
        let attributes = Names::new(attributes.into_iter());
        let resource = Names::new(resource.into_iter());
        Ok(Self { attributes, families, resource, intrinsics, count })
    }

    /// The columns of `spans`; item `i` is the `i`th span, and spans may come from several requests.
    ///
    /// Integers and truth values (0 and 1) become integers, doubles reals, strings texts; arrays and maps become JSON
    /// text, bytes base64 text. Of a key that is there twice the first counts. A value that is absent or empty, an
    /// empty name, an unknown time has no row. Spans after the first 2^32 - 1 are left out.
    pub fn project<'r>(&self, spans: impl IntoIterator<Item = Span<'r>>) -> Batch {
        let mut columns: Vec<Column> = (0..self.count).map(Column::new).collect();
        let mut resource = ResourceValues::default();
        let mut items = 0u32;
        for (span, row) in spans.into_iter().zip(0u32..u32::MAX) {
            items = row + 1;
            for &(intrinsic, number) in &self.intrinsics {
                if let Some(column) = columns.get_mut(usize::from(number)) {
                    column.put_intrinsic(row, intrinsic, &span);
                }
            }
            if !self.resource.is_empty() {
                for &(number, value) in resource.of(&span, &self.resource) {
                    if let Some(column) = columns.get_mut(usize::from(number)) {
                        column.put(row, value, span.bytes);
                    }
                }
            }
            if self.attributes.is_empty() && self.families.is_empty() {
                continue;
            }
            for (key, frame) in span.attributes().keyed() {
                for (number, rest) in self.families.find(key) {
                    if let Some(column) = columns.get_mut(usize::from(number)) {
                        column.members.put(row, rest, span.bytes, frame);
                    }
                }
                for number in self.attributes.find(key) {
                    if let Some(column) = columns.get_mut(usize::from(number)) {
                        column.put_first(row, frame, span.bytes);
                    }
                }
            }
        }
        let mut batch = Batch { items, ..Batch::default() };
        for column in columns {
            column.finish(&mut batch);
        }
        batch
    }
}

impl TraceRequest<'_> {
    /// The columns of all spans; see [`Reads::project`].
    #[must_use]
    pub fn project(&self, reads: &Reads) -> Batch {
        reads.project(self.spans())
    }
}

/// The resource attributes that were asked for, kept from one span to the next of the same resource.
#[derive(Default)]
struct ResourceValues<'r> {
    of: Option<(&'r [u8], Frame)>,
    values: Vec<(u16, Raw<'r>)>,
}

impl<'r> ResourceValues<'r> {
    fn of(&mut self, span: &Span<'r>, names: &Names) -> &[(u16, Raw<'r>)] {
        let Group { resource, .. } = *span.group;
        let same = self.of.is_some_and(|(bytes, frame)| std::ptr::eq(bytes, span.bytes) && frame == resource);
        if !same {
            self.of = Some((span.bytes, resource));
            self.values.clear();
            let mut seen = Vec::new();
            for (key, frame) in span.resource().keyed() {
                for number in names.find(key) {
                    if !seen.contains(&number) {
                        seen.push(number);
                        self.values.push((number, Raw::read(span.bytes, frame)));
                    }
                }
            }
        }
        &self.values
    }
}

/// The columns of one name, of which most use one.
struct Column {
    texts: Texts,
    integers: Integers,
    reals: Reals,
    /// Of a name that reads a family, the members.
    members: Members,
    /// One more than the last row that the name was found in.
    seen: u32,
}

impl Column {
    fn new(attribute: u16) -> Self {
        Self {
            texts: Texts { attribute, ..Texts::default() },
            integers: Integers { attribute, ..Integers::default() },
            reals: Reals { attribute, ..Reals::default() },
            members: Members::new(attribute),
            seen: 0,
        }
    }

    /// The value of an attribute, unless the row has one.
    #[inline]
    fn put_first(&mut self, row: u32, frame: Frame, bytes: &[u8]) {
        if self.seen <= row {
            self.seen = row + 1;
            self.put(row, Raw::read(bytes, frame), bytes);
        }
    }

    #[inline]
    fn put(&mut self, row: u32, value: Raw<'_>, bytes: &[u8]) {
        match value {
            Raw::Empty => {}
            Raw::Text(text) => push_bytes(&mut self.texts, row, text),
            Raw::Boolean(value) => self.put_integer(row, i64::from(value)),
            Raw::Integer(value) => self.put_integer(row, value),
            Raw::Real(value) => {
                self.reals.rows.push(row);
                self.reals.values.push(value);
            }
            Raw::Bytes(_) | Raw::Array(_) | Raw::Map(_) => {
                let mut text = Vec::new();
                match value {
                    Raw::Bytes(blob) => json_write::base64(&mut text, blob),
                    _ => json_write::value(&mut text, bytes, value),
                }
                push_bytes(&mut self.texts, row, &text);
            }
        }
    }

    fn put_integer(&mut self, row: u32, value: i64) {
        self.integers.rows.push(row);
        self.integers.values.push(value);
    }

    fn put_intrinsic(&mut self, row: u32, intrinsic: Intrinsic, span: &Span<'_>) {
        let nanoseconds = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
        let text = match intrinsic {
            Intrinsic::Name => span.name(),
            Intrinsic::Kind => span.kind().as_str(),
            Intrinsic::Status => span.status().as_str(),
            Intrinsic::ScopeName => scope_name(span.bytes, span.group),
            Intrinsic::TraceState => span.trace_state(),
            Intrinsic::Flags => {
                self.put_integer(row, i64::from(span.flags()));
                return;
            }
            Intrinsic::Duration => {
                if let Some(duration) = span.duration() {
                    self.put_integer(row, nanoseconds(duration));
                }
                return;
            }
            Intrinsic::StartTime => {
                if span.start_time() > 0 {
                    self.put_integer(row, nanoseconds(span.start_time()));
                }
                return;
            }
        };
        if !text.is_empty() {
            push_bytes(&mut self.texts, row, text.as_bytes());
        }
    }

    fn finish(self, batch: &mut Batch) {
        batch.texts.extend(self.members.finish());
        if !self.texts.rows.is_empty() {
            batch.texts.push(self.texts);
        }
        if !self.integers.rows.is_empty() {
            batch.integers.push(self.integers);
        }
        if !self.reals.rows.is_empty() {
            batch.reals.push(self.reals);
        }
    }
}

/// Appends text that the scan has found to be UTF-8. A column that is full (4 GiB) takes no more.
#[inline]
pub(crate) fn push_bytes(texts: &mut Texts, row: u32, text: &[u8]) {
    let Ok(end) = u32::try_from(texts.data.len() + text.len()) else {
        return;
    };
    if texts.offsets.is_empty() {
        texts.offsets.push(0);
    }
    texts.rows.push(row);
    texts.data.extend_from_slice(text);
    texts.offsets.push(end);
}
