//! What the model said, gathered piece by piece.
//!
//! Which choice a piece belongs to, and which part of it, may show only behind it: members of an object may come in any
//! order. So pieces wait until what they stand in is at its end, and are then [committed](OutputText::commit).

use super::binary::{Binary, Blob};
use super::held::Held;
use super::write::{self, Object, list};
use crate::notes::{self, Notes};
use tollgate_json::Text;

/// Choices that are captured.
const MAX_CHOICES: usize = 16;
/// Parts that are captured, over all choices, and pieces that wait.
const MAX_PARTS: usize = 512;

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    Text,
    Reasoning,
    /// Reasoning that only the provider can read.
    Redacted,
    Refusal,
    ToolCall,
    /// A call of a tool that the provider runs, and its result.
    ServerToolCall,
    ServerToolResult,
    Blob,
}

/// What a piece is of its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The text, or the arguments.
    Body,
    Id,
    /// The name of a tool, or the media type of data.
    Name,
    /// The provider's word for a tool of its own.
    Type,
}

/// Which part of its kind a piece belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The last one, if that is of the kind, else a new one.
    Last,
    /// The one of this number, which is new where there is none.
    Block(u64),
}

/// The output of an answer. Of a default nothing is captured, and nothing allocated.
#[derive(Debug, Default)]
pub(crate) struct OutputText {
    limit: usize,
    used: usize,
    truncated: bool,
    too_many: bool,
    choices: Vec<Choice>,
    parts: usize,
    waiting: Vec<Piece>,
    /// Bytes that wait.
    held: usize,
    binary: Option<Box<Binary>>,
}

#[derive(Debug)]
struct Choice {
    number: u64,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    kind: PartKind,
    block: Option<u64>,
    body: String,
    id: String,
    name: String,
    native: String,
    blob: Option<Data>,
    cut: bool,
}

/// Binary data, and the conventions' word for what it is where its media type does not say.
type Data = (Blob, &'static str);

/// What waits.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) kind: PartKind,
    pub(crate) place: Place,
    pub(crate) slot: Slot,
    held: Held,
    blob: Option<Data>,
}

impl OutputText {
    /// Captures up to `limit` bytes, over all choices.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Whether anything is captured at all.
    #[inline]
    pub(crate) fn wanted(&self) -> bool {
        self.limit > 0
    }

    /// Whether more is taken. What comes after a cut might fit again; but a conversation with a hole in it is not what
    /// was said.
    fn takes(&self) -> bool {
        self.wanted() && !self.truncated && !self.too_many
    }

    /// The next piece of a part, which may be cut within a character where it is followed by another of the same slot.
    pub(crate) fn push(&mut self, kind: PartKind, place: Place, slot: Slot, text: Text<'_>) {
        if !self.takes() || text.bytes.is_empty() {
            return;
        }
        let room = self.limit.saturating_sub(self.used + self.held);
        let Some(last) = self.slot(kind, place, slot) else { return };
        let before = last.len();
        last.push(text.bytes, room);
        last.cut |= !text.whole;
        let taken = last.len() - before;
        self.held += taken;
    }

    /// What waits of a slot, begun where there is nothing.
    fn slot(&mut self, kind: PartKind, place: Place, slot: Slot) -> Option<&mut Held> {
        let same = self
            .waiting
            .last()
            .is_some_and(|last| last.kind == kind && last.place == place && last.slot == slot && last.blob.is_none());
        if !same {
            if self.waiting.len() >= MAX_PARTS {
                self.too_many = true;
                return None;
            }
            self.waiting.push(Piece { kind, place, slot, held: Held::default(), blob: None });
        }
        self.waiting.last_mut().map(|piece| &mut piece.held)
    }

    /// A part is there, whether or not there is anything in it.
    pub(crate) fn touch(&mut self, kind: PartKind, place: Place) {
        if self.takes() {
            self.slot(kind, place, Slot::Body);
        }
    }

    /// The next characters of binary data in base64.
    pub(crate) fn push_binary(&mut self, text: &[u8]) {
        if self.takes() {
            self.binary.get_or_insert_with(|| Box::new(Binary::new())).push(text);
        }
    }

    /// Binary data is at its end.
    pub(crate) fn end_binary(&mut self, place: Place, modality: &'static str) {
        let Some(binary) = self.binary.take() else { return };
        if self.waiting.len() < MAX_PARTS {
            let (kind, slot, blob) = (PartKind::Blob, Slot::Body, Some((binary.finish(), modality)));
            self.waiting.push(Piece { kind, place, slot, held: Held::default(), blob });
        } else {
            self.too_many = true;
        }
    }

    /// How many pieces wait: a mark, for [`revise`](Self::revise).
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Changes the pieces that came since a mark; those for which `false` is said are dropped.
    pub(crate) fn revise(&mut self, since: usize, mut change: impl FnMut(&mut Piece) -> bool) {
        let mut at = since;
        while let Some(piece) = self.waiting.get_mut(at) {
            if change(piece) {
                at += 1;
            } else {
                self.held = self.held.saturating_sub(piece.held.len());
                self.waiting.remove(at);
            }
        }
    }

    /// Puts the pieces of a kind that came since a mark before the others that did.
    pub(crate) fn lead(&mut self, since: usize, kind: PartKind) {
        self.waiting.get_mut(since..).unwrap_or_default().sort_by_key(|piece| piece.kind != kind);
    }

    /// Adds what waits to a choice.
    pub(crate) fn commit(&mut self, choice: u64) {
        self.commit_where(choice, |_| true);
    }

    /// Adds to a choice what waits of parts, and of slots of parts, that it does not have yet.
    pub(crate) fn fill(&mut self, choice: u64) {
        let has = |part: &Part, slot| match slot {
            Slot::Body => !part.body.is_empty() || part.blob.is_some(),
            Slot::Id => !part.id.is_empty(),
            Slot::Name => !part.name.is_empty(),
            Slot::Type => !part.native.is_empty(),
        };
        let known: Vec<_> = self.choices.iter().filter(|known| known.number == choice).collect();
        let missing: Vec<bool> = self
            .waiting
            .iter()
            .map(|piece| {
                let mut parts = known.iter().flat_map(|choice| &choice.parts);
                !parts.any(|part| part.is(piece) && has(part, piece.slot))
            })
            .collect();
        let mut missing = missing.into_iter();
        self.commit_where(choice, |_| missing.next().unwrap_or(true));
    }

    fn commit_where(&mut self, choice: u64, mut wanted: impl FnMut(&Piece) -> bool) {
        self.held = 0;
        if self.waiting.is_empty() {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        for piece in &waiting {
            if wanted(piece) {
                self.add(choice, piece);
            }
        }
        // The next pieces need no memory of their own.
        self.waiting = waiting;
        self.waiting.clear();
    }

    fn add(&mut self, choice: u64, piece: &Piece) {
        let room = self.limit.saturating_sub(self.used);
        let text = piece.held.as_str();
        // Text that is not UTF-8 is longer as it is read.
        let fits = text.get(..text.floor_char_boundary(room)).unwrap_or_default();
        let cut = piece.held.cut || fits.len() < text.len();
        if cut {
            self.truncated = true;
            self.limit = self.used + fits.len();
        }
        if fits.is_empty() && !text.is_empty() {
            let known =
                self.choices.iter_mut().filter(|known| known.number == choice).flat_map(|known| &mut known.parts);
            known.filter(|part| part.is(piece)).for_each(|part| part.cut = true);
            return;
        }
        self.used += fits.len();
        let Some(part) = self.part(choice, piece) else {
            self.too_many = true;
            return;
        };
        part.cut |= cut;
        match piece.slot {
            Slot::Body => {
                part.blob = part.blob.take().or_else(|| piece.blob.clone());
                // A call that begins with no arguments has them in the pieces that follow, if it has any.
                if matches!(part.kind, PartKind::ToolCall | PartKind::ServerToolCall) && part.body == "{}" {
                    part.body.clear();
                }
                part.body.push_str(fits);
            }
            slot => {
                let place = match slot {
                    Slot::Id => &mut part.id,
                    Slot::Name => &mut part.name,
                    _ => &mut part.native,
                };
                // Some servers repeat them in every event.
                if place != fits {
                    place.push_str(fits);
                }
            }
        }
    }

    fn part(&mut self, choice: u64, piece: &Piece) -> Option<&mut Part> {
        let at = match self.choices.iter().position(|known| known.number == choice) {
            Some(at) => at,
            None if self.choices.len() < MAX_CHOICES => {
                self.choices.push(Choice { number: choice, parts: Vec::new() });
                self.choices.len() - 1
            }
            None => return None,
        };
        let parts = &mut self.choices.get_mut(at)?.parts;
        let at = match piece.place {
            Place::Last if piece.blob.is_some() => None,
            Place::Last => {
                parts.len().checked_sub(1).filter(|last| parts.get(*last).is_some_and(|part| part.is(piece)))
            }
            Place::Block(_) => parts.iter().rposition(|part| part.is(piece)),
        };
        let at = match at {
            Some(at) => at,
            None if self.parts < MAX_PARTS => {
                self.parts += 1;
                parts.push(Part::new(piece));
                parts.len() - 1
            }
            None => return None,
        };
        parts.get_mut(at)
    }

    /// The messages as JSON text, `None` where nothing was captured; and whether a limit cut something off.
    pub(crate) fn finish(&self, notes: &mut Notes) -> (Option<String>, bool) {
        if self.too_many {
            notes.add(notes::CONTENT_PARTS_LIMIT);
        }
        let messages: Vec<_> = self.choices.iter().filter_map(Choice::message).collect();
        ((!messages.is_empty()).then(|| list(&messages)), self.truncated || self.too_many)
    }

    /// Bytes of memory that the texts have allocated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let parts = self.choices.iter().flat_map(|choice| &choice.parts);
        let texts: usize = parts.map(Part::heap_bytes).sum();
        let tables: usize = self.choices.iter().map(|choice| choice.parts.capacity() * size_of::<Part>()).sum();
        let waiting: usize = self.waiting.iter().map(|piece| piece.held.heap_bytes()).sum();
        let binary = if self.binary.is_some() { size_of::<Binary>() } else { 0 };
        texts
            + tables
            + self.choices.capacity() * size_of::<Choice>()
            + self.waiting.capacity() * size_of::<Piece>()
            + waiting
            + binary
    }
}

impl Choice {
    fn message(&self) -> Option<String> {
        let parts: Vec<_> = self.parts.iter().filter_map(Part::json).collect();
        (!parts.is_empty()).then(|| Object::new().text("role", "assistant").json("parts", &list(&parts)).end())
    }
}

impl Part {
    fn new(piece: &Piece) -> Self {
        let Piece { kind, place, .. } = piece;
        let block = match place {
            Place::Block(number) => Some(*number),
            Place::Last => None,
        };
        let [body, id, name, native] = [const { String::new() }; 4];
        Self { kind: *kind, block, body, id, name, native, blob: None, cut: false }
    }

    /// Whether the piece belongs to it, as far as kind and place tell.
    fn is(&self, piece: &Piece) -> bool {
        let same = match piece.place {
            Place::Block(number) => self.block == Some(number),
            Place::Last => true,
        };
        self.kind == piece.kind && same
    }

    fn heap_bytes(&self) -> usize {
        [&self.body, &self.id, &self.name, &self.native].into_iter().map(String::capacity).sum()
    }

    /// The part as JSON text; none where there is nothing in it.
    fn json(&self) -> Option<String> {
        let Self { body, id, name, native, cut, .. } = self;
        let said = |kind| {
            let part = || Object::part(kind).text("content", body).truncated(*cut).end();
            (!body.is_empty()).then(part)
        };
        let arguments = (!body.is_empty() && body != "null").then_some((body.as_str(), *cut));
        match self.kind {
            PartKind::Text => said("text"),
            PartKind::Reasoning => said("reasoning"),
            PartKind::Refusal => said("refusal"),
            PartKind::Redacted => Some(write::redacted_reasoning()),
            // A block may have an id without being a call; a call has a name.
            PartKind::ToolCall if name.is_empty() => None,
            PartKind::ToolCall => Some(write::tool_call(id, name, arguments, *cut)),
            PartKind::ServerToolCall if native.is_empty() => None,
            PartKind::ServerToolCall => {
                let name = if name.is_empty() { native.trim_end_matches("_call") } else { name };
                Some(write::server_tool_call(id, name, native, arguments))
            }
            PartKind::ServerToolResult => Some(write::server_tool_result(id, native)),
            PartKind::Blob => self.blob.as_ref().map(|(blob, modality)| write::blob(name, modality, blob)),
        }
    }
}
