//! The texts of a stream that are under way, and what becomes of an event.
//!
//! An event keeps its form: only texts in it change, and where nothing changes it goes on byte for byte. A piece of
//! which all is held back goes on as an empty text, which every client takes, since servers send such pieces
//! themselves. What is held when a text ends goes on in the event that ends it, where that has a piece of the text;
//! else in an event before it, made in the form of the last one that had a piece.

use super::counts::{Counts, Direction, Reason};
use super::delta::{self, Delta, Ended};
use super::document::{self, Change, UNSCANNED};
use super::fields::{self, Class, Realm};
use super::form;
use super::frame::Framing;
use super::tree::{Detail, Kind, Tree};
use crate::conversation::Conversation;
use crate::redactor::Redactor;
use crate::restore::Restoring;
use crate::stream::Stream;

/// Most texts that are under way at one time; more are taken out.
const MOST_TEXTS: usize = 64;

/// Bytes of an event up to which it is kept as it is while something of its text is held; of a longer one only its form
/// is kept.
const MOST_EVENT: usize = 4 << 10;
/// Bytes of a form that may be kept.
const MOST_FORM: usize = 16 << 10;

/// What is done with the texts of an answer.
pub(crate) struct Work<'a> {
    /// What redacts them, where they are redacted.
    pub(crate) redactor: Option<&'a Redactor>,
    /// Whether stand-ins are given their values back.
    pub(crate) restore: bool,
    pub(crate) conversation: &'a mut Conversation,
    pub(crate) counts: &'a mut Counts,
}

/// What goes on in the place of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    /// Events that go before it.
    pub(crate) before: Vec<Made>,
    /// Its data; `None` where that goes on as it came.
    pub(crate) data: Option<String>,
}

/// An event that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) data: String,
    /// The frame of the event whose form it has.
    pub(crate) frame: Vec<u8>,
    /// The name that it needs, where that is not the frame's.
    pub(crate) name: Option<&'static str>,
}

/// The texts under way.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    open: Vec<Text>,
}

/// A text under way.
#[derive(Debug)]
struct Text {
    id: String,
    group: String,
    way: Way,
    /// The last event that had a piece, while something is held back.
    last: String,
    frame: Vec<u8>,
}

/// The way of a text: first redacted, then given its values back.
#[derive(Debug)]
pub(crate) struct Way {
    redacting: Option<Stream>,
    restoring: Option<Restoring>,
}

impl Way {
    pub(crate) fn new(work: &Work<'_>, json: bool) -> Self {
        let redacting = work.redactor.map(|_| if json { Stream::json() } else { Stream::text() });
        let restoring = work.restore.then(|| if json { Restoring::json() } else { Restoring::text() });
        Self { redacting, restoring }
    }

    /// The next piece, and the end where it is the last.
    pub(crate) fn push(&mut self, work: &mut Work<'_>, piece: &str, last: bool) -> String {
        let mut text = piece.to_owned();
        if let (Some(stream), Some(redactor)) = (&mut self.redacting, work.redactor) {
            let mut streamed = stream.push(redactor, work.conversation, piece);
            if last {
                let more = stream.finish(redactor, work.conversation);
                streamed.text.push_str(&more.text);
                streamed.findings.extend(more.findings);
            }
            for finding in streamed.findings {
                work.counts.find(Direction::Response, finding.kind);
            }
            text = streamed.text;
        }
        if let Some(restoring) = &mut self.restoring {
            text = restoring.push(work.conversation, &text);
            if last {
                text.push_str(&restoring.finish(work.conversation));
                let (restored, unknown) = restoring.counted();
                work.counts.restored += restored;
                work.counts.not_restored += unknown;
            }
        }
        text
    }

    pub(crate) fn held(&self) -> usize {
        self.redacting.as_ref().map_or(0, Stream::held) + self.restoring.as_ref().map_or(0, Restoring::held)
    }
}

impl Texts {
    /// Bytes that are held back.
    pub(crate) fn held(&self) -> usize {
        self.open.iter().map(|text| text.way.held()).sum()
    }

    /// Bytes that are kept beside what is held back: the events in whose form it would go on.
    pub(crate) fn kept(&self) -> usize {
        self.open.iter().map(|text| text.last.len() + text.frame.len()).sum()
    }

    /// Whether an event goes on as it came, which takes no reading: nothing is held back, nothing is redacted, and it has
    /// nothing that may be, or become, a stand-in. Arguments of tools are followed all the same, because what is given
    /// back there depends on what went before.
    pub(crate) fn concern(&self, work: &Work<'_>, frame: &[u8]) -> bool {
        const STAND_INS: [&[u8]; 4] = [b"<", b"003c", b"003C", "＜".as_bytes()];
        const ARGUMENTS: [&[u8]; 4] = [b"arguments", b"partial_json", b"\"input\"", b"parameters"];
        let mut marks = STAND_INS.iter().chain(&ARGUMENTS);
        work.redactor.is_some()
            || self.open.iter().any(|text| text.way.held() > 0)
            || marks.any(|mark| memchr::memmem::find(frame, mark).is_some())
    }

    /// Takes an event, and says what goes on in its place. `frame` is how it was transferred and framed, `last` whether the stream
    /// ends with it.
    ///
    /// # Errors
    /// It is no JSON, or there is too much in it.
    pub(crate) fn event(
        &mut self,
        work: &mut Work<'_>,
        data: &str,
        (framing, frame): (Framing, &[u8]),
        last: bool,
    ) -> Result<Written, Reason> {
        let tree = Tree::of(data, Detail::Values).map_err(document::reason)?;
        let deltas = delta::deltas(&tree);
        let ended = if last { Ended::All } else { delta::ended(&tree) };
        let before = self.let_go(work, &tree, &deltas, &ended);
        let mut changes = Vec::new();
        let mut pieces = Vec::with_capacity(deltas.len());
        let (mut said, mut silent) = (false, true);
        for piece in &deltas {
            let given = tree.text(piece.node);
            let text = self.piece(work, piece, &given, &ended, data, (framing, frame));
            said |= !given.is_empty();
            silent &= text.is_empty();
            if text != given
                && let Some(node) = tree.node(piece.node)
            {
                changes.push((node.range(), quoted(&text)));
            }
            pieces.push(text);
        }
        work.counts.empty_events += u64::from(said && silent);
        work.counts.held_bytes = work.counts.held_bytes.max(self.held() as u64);
        if let Some(redactor) = work.redactor {
            rest(work, redactor, &tree, data, &deltas, &mut changes)?;
        }
        let data = match restored(work, &tree, data, &deltas, &pieces, &changes)? {
            Some(restored) => Some(restored),
            None => (!changes.is_empty()).then(|| document::applied(data, changes)),
        };
        Ok(Written { before, data })
    }

    /// Ends every text, where the stream ends or something says so that is no JSON.
    pub(crate) fn end(&mut self, work: &mut Work<'_>) -> Vec<Made> {
        let mut made = Vec::new();
        for mut text in std::mem::take(&mut self.open) {
            made.extend(text.finish(work));
        }
        made
    }

    /// Ends the texts that this event ends and has no piece of.
    fn let_go(&mut self, work: &mut Work<'_>, tree: &Tree<'_>, deltas: &[Delta], ended: &Ended) -> Vec<Made> {
        let speaks = |piece: &&Delta| !tree.raw(piece.node).is_empty();
        let mut made = Vec::new();
        let mut place = 0;
        while let Some(text) = self.open.get_mut(place) {
            let here = deltas.iter().any(|piece| piece.id == text.id);
            let other = deltas.iter().filter(speaks).any(|piece| piece.group == text.group);
            if !here && (other || ended.has(&text.group)) {
                made.extend(text.finish(work));
                self.open.remove(place);
            } else {
                place += 1;
            }
        }
        made
    }

    /// Takes a piece, and says what goes on in its place.
    fn piece(
        &mut self,
        work: &mut Work<'_>,
        piece: &Delta,
        given: &str,
        ended: &Ended,
        data: &str,
        (framing, frame): (Framing, &[u8]),
    ) -> String {
        let last = ended.has(&piece.group);
        let known = self.open.iter().position(|text| text.id == piece.id);
        let place = match known {
            Some(place) => place,
            None if given.is_empty() => return String::new(),
            // Nobody says so many things at once.
            None if self.open.len() >= MOST_TEXTS => return UNSCANNED.to_owned(),
            None => {
                let way = Way::new(work, piece.json);
                let (id, group) = (piece.id.clone(), piece.group.clone());
                self.open.push(Text { id, group, way, last: String::new(), frame: Vec::new() });
                self.open.len() - 1
            }
        };
        let Some(text) = self.open.get_mut(place) else { return String::new() };
        let mut written = text.way.push(work, given, last);
        let mut ends = last;
        if !last && text.way.held() > 0 && !text.keep(data, framing, frame) {
            // There is no room for a form in which the rest could go on later, so it goes on now.
            written.push_str(&text.way.push(work, "", true));
            ends = true;
        }
        if ends {
            self.open.remove(place);
        }
        written
    }
}

impl Text {
    /// Keeps the form of an event. `false` where it is too large.
    fn keep(&mut self, data: &str, framing: Framing, frame: &[u8]) -> bool {
        self.last.clear();
        self.frame.clear();
        if frame.len() <= MOST_EVENT {
            self.last.push_str(data);
            self.frame.extend_from_slice(frame);
            return true;
        }
        let form = form::event(data, &self.id, "").filter(|(form, name)| form.len() <= MOST_FORM && name.is_none());
        let form = form.map(|(form, _)| form);
        let frame = form.as_ref().and_then(|form| framing.with_data(frame, form).ok());
        let (Some(form), Some(frame)) = (form, frame.filter(|frame| frame.len() <= 2 * MOST_FORM)) else {
            return false;
        };
        (self.last, self.frame) = (form, frame);
        true
    }

    /// What was held back, as an event; `None` where nothing was.
    fn finish(&mut self, work: &mut Work<'_>) -> Option<Made> {
        let rest = self.way.push(work, "", true);
        if rest.is_empty() {
            return None;
        }
        work.counts.made_events += 1;
        let (data, name) = form::event(&self.last, &self.id, &quoted(&rest))?;
        Some(Made { data, frame: std::mem::take(&mut self.frame), name })
    }
}

/// A text as it is written between quotation marks.
pub(crate) fn quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or("").to_owned()
}

/// Redacts what is whole in an event. A text that is the API's is looked at by itself, so that one which repeats a text
/// of pieces is changed as those were; what callers and models make up is looked at with its names.
fn rest(
    work: &mut Work<'_>,
    redactor: &Redactor,
    tree: &Tree<'_>,
    data: &str,
    deltas: &[Delta],
    changes: &mut Vec<Change>,
) -> Result<(), Reason> {
    let removed = document::without_logprobs(tree, work.counts);
    let within = |range: &std::ops::Range<usize>| removed.iter().any(|(gone, _)| gone.contains(&range.start));
    let mut own_names = false;
    for number in tree.all() {
        let Some(node) = tree.node(number) else { continue };
        let text = node.kind == Kind::Text;
        if text && (within(&node.range()) || deltas.iter().any(|piece| piece.node == number)) {
            continue;
        }
        let (realm, class) = fields::value_in(tree, number, &tree.path(number));
        if !text {
            own_names |= realm != Realm::Api || (node.kind == Kind::Number && class == Class::Content);
            continue;
        }
        if class == Class::Protocol || realm != Realm::Api || node.range().is_empty() {
            continue;
        }
        let (text, found) = redactor.redact_in(work.conversation, &tree.text(number));
        let url = crate::kind::Kind::URL.number();
        let stays = class == Class::Reference && found.iter().all(|finding| finding.kind == url);
        if let Some(text) = text.filter(|_| !stays) {
            found.iter().for_each(|finding| work.counts.find(Direction::Response, finding.kind));
            changes.push((node.range(), quoted(&text)));
        }
    }
    if own_names || has_odd_names(tree) {
        let found = document::findings(
            redactor,
            work.conversation,
            work.counts,
            Direction::Response,
            data,
            |tree, place, _| match tree.at(place) {
                Some((number, true)) => fields::name(tree, number) == Class::Content,
                Some((number, false)) => {
                    let free = fields::realm(tree, &tree.path(number)) != Realm::Api;
                    let number_of_api = tree.node(number).is_some_and(|node| node.kind == Kind::Number);
                    (free || number_of_api) && fields::value(tree, number) == Class::Content
                }
                None => false,
            },
        )?;
        changes.extend(found.into_iter().filter(|(range, _)| !within(range)));
    }
    changes.extend(removed);
    changes.sort_by_key(|(range, _)| range.start);
    Ok(())
}

/// Whether some name is none that an API would have: those are words without digits and signs.
fn has_odd_names(tree: &Tree<'_>) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    tree.all().any(|number| {
        let key = tree.key(number);
        key.len() > 40 || !key.bytes().all(plain)
    })
}

/// Gives stand-ins in what is whole in an event their values back; `None` where there is none.
fn restored(
    work: &mut Work<'_>,
    tree: &Tree<'_>,
    data: &str,
    deltas: &[Delta],
    pieces: &[String],
    changes: &[Change],
) -> Result<Option<String>, Reason> {
    if !work.restore || !work.conversation.can_restore() || !document::has_stand_in(data) {
        return Ok(None);
    }
    // Without its pieces, which have had theirs already.
    let ranges: Vec<_> = deltas.iter().filter_map(|piece| tree.node(piece.node).map(|node| node.range())).collect();
    let mut bare: Vec<Change> = changes.iter().filter(|(range, _)| !ranges.contains(range)).cloned().collect();
    bare.extend(ranges.into_iter().map(|range| (range, String::new())));
    let bare = document::applied(data, bare);
    let Some(restored) = document::restore(work.conversation, work.counts, &bare) else { return Ok(None) };
    let tree = Tree::of(&restored, Detail::Values).map_err(document::reason)?;
    let places = delta::deltas(&tree);
    if places.len() != pieces.len() {
        return Err(Reason::TooComplex);
    }
    let filled = places.iter().zip(pieces).filter_map(|(piece, text)| {
        let node = tree.node(piece.node)?;
        Some((node.range(), quoted(text)))
    });
    let filled: Vec<Change> = filled.collect();
    Ok(Some(document::applied(&restored, filled)))
}
