//! What a request says, read in bounded memory: the members of [`keys`], their texts cut at a limit, and size and hash
//! in place of binary data.
//!
//! Members may come in any order, and what a text is may only show behind it; so the outline is held until the request
//! is at its end, and only then put into messages.

use super::binary::{Binary, Blob, MAX_HEAD, Sniff, Sniffed};
use super::held::Held;
use super::keys::{self, Treatment};
use crate::notes::{self, Notes};
use tollgate_json::{Kind, Node, Reader, Scalar, Visitor, Want};

/// Bytes that a value counts against the limit besides its text.
const VALUE: usize = 16;
/// Bytes that binary data counts in place of itself.
const BLOB: usize = 64;
/// Values that are held.
const MAX_VALUES: usize = 65_536;
/// Words that are still taken where the limit is reached, and bytes of each: without its role, what was held of a
/// message means nothing.
const MAX_LATE: usize = 16;
const MAX_LATE_BYTES: usize = 128;

/// A value of the outline.
#[derive(Debug)]
pub(super) enum Value {
    /// A string.
    Text(Held),
    /// The JSON text of a value, or what a string says that stands in its place.
    Json(Held),
    /// A number or a boolean.
    Word(Box<str>),
    Blob(Box<(Option<Box<str>>, Blob)>),
    List(Vec<Value>),
    Object(Vec<(&'static str, Value)>),
}

impl Value {
    /// The member of an object.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            // Of a member that comes twice the last counts, as with most readers of JSON.
            Self::Object(members) => members.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(held) | Self::Json(held) => held.heap_bytes(),
            Self::Word(word) => word.len(),
            Self::Blob(blob) => size_of_val(&**blob) + blob.0.as_ref().map_or(0, |mime| mime.len()),
            Self::List(items) => {
                items.capacity() * size_of::<Self>() + items.iter().map(Self::heap_bytes).sum::<usize>()
            }
            Self::Object(members) => {
                let texts: usize = members.iter().map(|(_, value)| value.heap_bytes()).sum();
                members.capacity() * size_of::<(&str, Self)>() + texts
            }
        }
    }
}

/// A container that is being read.
#[derive(Debug)]
struct Open {
    key: &'static str,
    /// How its elements are read.
    treatment: Treatment,
    value: Value,
}

/// A string, or JSON text, that is being read.
#[derive(Debug)]
struct Leaf {
    form: Form,
    held: Held,
    mime: Option<Box<str>>,
    /// Bytes that may be held of it.
    room: usize,
    late: bool,
}

#[derive(Debug)]
enum Form {
    Text,
    Json,
    Unsure(Sniff),
    Binary(Box<Binary>),
}

/// The outline of a request that is being read.
#[derive(Debug)]
pub(super) struct Outline {
    limit: usize,
    used: usize,
    /// What may be used by the member of the request that is being read.
    ceiling: usize,
    values: usize,
    /// Whether the limit is reached, and the words that were taken since.
    closed: bool,
    late: usize,
    pub(super) truncated: bool,
    open: Vec<Open>,
    /// The value that comes next: its member, and how it is read.
    next: Option<(&'static str, Treatment)>,
    leaf: Option<Leaf>,
    root: Option<Value>,
}

impl Outline {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            used: 0,
            ceiling: limit,
            values: 0,
            closed: false,
            late: 0,
            truncated: false,
            open: Vec::new(),
            next: None,
            leaf: None,
            root: None,
        }
    }

    /// What the request said. One that was cut is closed where it ended.
    pub(super) fn finish(mut self, notes: &mut Notes) -> (Option<Value>, bool) {
        if let Some(leaf) = &mut self.leaf {
            leaf.held.cut = true;
            self.truncated = true;
            self.end_leaf();
        }
        while !self.open.is_empty() {
            self.close();
        }
        if self.values >= MAX_VALUES {
            notes.add(notes::CONTENT_PARTS_LIMIT);
        }
        (self.root, self.truncated)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let open: usize = self.open.iter().map(|open| open.value.heap_bytes()).sum();
        let leaf = self.leaf.as_ref().map_or(0, |leaf| {
            leaf.held.heap_bytes() + if matches!(leaf.form, Form::Binary(_)) { size_of::<Binary>() } else { 0 }
        });
        self.open.capacity() * size_of::<Open>() + open + leaf + self.root.as_ref().map_or(0, Value::heap_bytes)
    }

    fn room(&self) -> usize {
        self.ceiling.saturating_sub(self.used)
    }

    /// Takes account of one value more.
    fn count(&mut self) {
        self.used += VALUE;
        self.values += 1;
        self.closed |= self.room() <= VALUE || self.values >= MAX_VALUES;
    }

    /// Begins with a member of the request. Definitions of tools take at most half of what is left, so that they do not
    /// keep out what is said.
    fn begin_root(&mut self, name: &str) {
        self.ceiling = self.limit;
        if keys::defines_tools(name) {
            self.ceiling = self.used + self.room() / 2;
        }
        self.late = 0;
        self.closed = self.room() <= VALUE || self.values >= MAX_VALUES;
    }

    /// Decides on a value.
    fn want(&mut self, key: &'static str, treatment: Treatment) -> Want {
        if self.closed {
            self.truncated = true;
            if treatment != Treatment::Word || self.late >= MAX_LATE || self.open.len() < 2 {
                return Want::Skip;
            }
            self.late += 1;
        }
        self.next = Some((key, treatment));
        if treatment == Treatment::Json { Want::Pieces(VALUES) } else { Want::Stream(VALUES) }
    }

    fn add(&mut self, key: &'static str, value: Value) {
        match self.open.last_mut().map(|open| &mut open.value) {
            Some(Value::Object(members)) => members.push((key, value)),
            Some(Value::List(items)) => items.push(value),
            _ => self.root = Some(value),
        }
    }

    fn close(&mut self) {
        if let Some(Open { key, mut value, .. }) = self.open.pop() {
            match &mut value {
                Value::List(items) => items.shrink_to_fit(),
                Value::Object(members) => members.shrink_to_fit(),
                Value::Text(_) | Value::Json(_) | Value::Word(_) | Value::Blob(_) => {}
            }
            self.add(key, value);
        }
    }

    /// The leaf that is being read, begun by its first piece.
    fn leaf(&mut self) -> &mut Leaf {
        let (closed, room) = (self.closed, self.room().saturating_sub(VALUE));
        let treatment = self.next.map_or(Treatment::Text, |(_, treatment)| treatment);
        // A document of Anthropic's may be plain text, which is then where base64 would be.
        let plain = self.open.last().and_then(|open| open.value.get("type"));
        let plain = matches!(plain, Some(Value::Text(kind)) if kind.bytes() == b"text");
        self.leaf.get_or_insert_with(|| Leaf {
            form: match treatment {
                Treatment::Json => Form::Json,
                Treatment::Url => Form::Unsure(Sniff::Url),
                Treatment::Base64 if !plain => Form::Unsure(Sniff::Base64),
                Treatment::Word | Treatment::Text | Treatment::Base64 => Form::Text,
            },
            held: Held::default(),
            mime: None,
            room: if closed {
                MAX_LATE_BYTES
            } else if treatment == Treatment::Word {
                room.max(MAX_LATE_BYTES)
            } else {
                room
            },
            late: closed,
        })
    }

    fn end_leaf(&mut self) {
        self.leaf();
        let Some(mut leaf) = self.leaf.take() else { return };
        leaf.settle(true);
        let Leaf { form, mut held, mime, late, .. } = leaf;
        let Some((key, _)) = self.next.take() else { return };
        held.shrink();
        let (cut, length) = (held.cut, held.len());
        let (value, size) = match form {
            Form::Binary(binary) => {
                let size = BLOB + mime.as_ref().map_or(0, |mime| mime.len());
                (Value::Blob(Box::new((mime, binary.finish()))), size)
            }
            Form::Json => (Value::Json(held), length),
            Form::Text | Form::Unsure(_) => (Value::Text(held), length),
        };
        self.truncated |= cut;
        if !late {
            self.used += size;
            self.count();
            // What comes later might fit again; but a text with a hole in it is not what was said.
            self.closed |= cut;
        }
        self.add(key, value);
    }
}

impl Leaf {
    fn push(&mut self, piece: &[u8]) {
        match &mut self.form {
            Form::Text | Form::Json => self.held.push(piece, self.room.saturating_sub(self.held.len())),
            Form::Binary(binary) => binary.push(piece),
            Form::Unsure(_) => {
                let (head, rest) =
                    piece.split_at_checked(MAX_HEAD.saturating_sub(self.held.len())).unwrap_or((piece, &[]));
                self.held.push(head, head.len());
                self.settle(false);
                if !rest.is_empty() {
                    self.push(rest);
                }
            }
        }
    }

    /// Decides what the string is, where that has shown.
    fn settle(&mut self, ended: bool) {
        let Form::Unsure(sniff) = self.form else { return };
        let Some(sniffed) = sniff.decide(self.held.bytes(), ended) else { return };
        let head = std::mem::take(&mut self.held);
        match sniffed {
            Sniffed::Text => {
                self.form = Form::Text;
                self.push(head.bytes());
                self.held.cut |= head.cut;
            }
            Sniffed::Binary { skip, mime } => {
                self.mime = mime;
                let mut binary = Box::new(Binary::new());
                binary.push(head.bytes().get(skip..).unwrap_or_default());
                self.held.cut = head.cut;
                self.form = Form::Binary(binary);
            }
        }
    }
}

/// The node of everything that is kept.
const VALUES: Node = 1;

impl Visitor for Outline {
    fn key(&mut self, _at: Node, key: &[u8]) -> Want {
        let known = if self.open.len() == 1 { keys::root(key) } else { keys::below(key) };
        let Some((name, treatment)) = known else { return Want::Skip };
        if self.open.len() == 1 {
            self.begin_root(name);
        }
        self.want(name, treatment)
    }

    fn item(&mut self, _at: Node) -> Want {
        match self.open.last().map(|open| open.treatment) {
            Some(treatment) => self.want("", treatment),
            None => Want::Skip,
        }
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        let Some((key, treatment)) = self.next.take().filter(|_| at == VALUES) else { return };
        let word = match value {
            Scalar::Bool(value) => if value { "true" } else { "false" }.to_owned(),
            Scalar::Number(number) => number.to_owned(),
            Scalar::Null | Scalar::Text(_) => return,
        };
        // Numbers elsewhere say nothing: a prompt may be one of token ids.
        if treatment == Treatment::Word {
            self.used += word.len();
            self.count();
            self.add(key, Value::Word(word.into()));
        }
    }

    fn piece(&mut self, _at: Node, piece: &[u8]) {
        self.leaf().push(piece);
    }

    fn begin(&mut self, at: Node, kind: Kind) {
        let (key, treatment) = self.next.take().unwrap_or(("", Treatment::Text));
        if at == Reader::ROOT && kind == Kind::Array {
            return;
        }
        let value = match kind {
            Kind::Object => Value::Object(Vec::new()),
            Kind::Array => Value::List(Vec::new()),
        };
        if at != Reader::ROOT {
            self.count();
        }
        self.open.push(Open { key, treatment, value });
    }

    fn end(&mut self, _at: Node) {
        // Where a value is expected and no container began, it was a string.
        if self.leaf.is_some() || self.next.is_some() { self.end_leaf() } else { self.close() }
    }
}
