//! The stream of an answer, without the chunk that carries nothing but the usage.

use memchr::memchr2;
use tollgate_json::{Kind, Node, Reader, Scalar, Visitor, Want};

/// What was done to a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stripped {
    /// Events that were taken out.
    pub removed: u64,
    /// Events that passed on undecided, because they were longer than may be held.
    pub too_long: u64,
}

/// Takes the extra chunk out of a stream of server-sent events: the event whose data is an object with an empty array
/// of `choices`, an object `usage`, and no `error`. Everything else passes on byte for byte, wherever the chunks that
/// it comes in are cut.
///
/// Only bytes of an event that can still turn out to be the extra chunk are held back, and not more of them than the
/// limit. That an event is another one is known at the first byte within its `choices`, at a `usage` that is `null`,
/// at a field other than `data`, or at data that is no object, such as `[DONE]`; so an event of output passes on with
/// the chunk that brings it.
///
/// What passes on: a chunk without choices and without usage, as Azure sends first, with `prompt_filter_results`; an
/// event that has an `event` or `id` of its own, or data of several lines. `"usage": null`, which servers put into all
/// other chunks where usage was asked for, stays as well.
#[derive(Debug)]
pub struct Strip {
    state: State,
    /// The last byte was a CR: a LF that follows belongs to it.
    after_return: Option<Fate>,
    held: Vec<u8>,
    limit: usize,
    reader: Reader,
    sight: Sight,
    done: Stripped,
}

/// Where in the stream the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the beginning of an event, or in the name of its first field, of which this many bytes have matched.
    Field(usize),
    /// In the data of an event that may be the extra chunk.
    Data,
    /// After that data: the event ends with an empty line, or goes on and is another.
    AfterData,
    /// In an event that passes on; `true` at the beginning of a line.
    Pass(bool),
}

/// What became of the byte before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Held,
    Passed,
    Removed,
}

const DATA: &[u8] = b"data:";

impl Strip {
    /// Begins a stream; at most `limit` bytes are held back.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            state: State::Field(0),
            after_return: None,
            held: Vec::new(),
            limit,
            reader: Reader::new(0),
            sight: Sight::default(),
            done: Stripped::default(),
        }
    }

    /// Takes the next bytes, and appends to `passed` what passes on.
    pub fn push(&mut self, chunk: &[u8], passed: &mut Vec<u8>) {
        let mut rest = chunk;
        while let Some((&byte, left)) = rest.split_first() {
            if let Some(fate) = self.after_return.take()
                && byte == b'\n'
            {
                match fate {
                    Fate::Held => self.hold(b"\n", passed),
                    Fate::Passed => passed.push(byte),
                    Fate::Removed => {}
                }
                rest = left;
                continue;
            }
            rest = match self.state {
                State::Field(matched) => self.field(matched, byte, rest, left, passed),
                State::Data => self.data(rest, passed),
                State::AfterData => self.after_data(byte, rest, left, passed),
                State::Pass(line) => self.pass(line, rest, passed),
            };
        }
    }

    /// Ends the stream. An extra chunk that lacks only its empty line is taken out; other bytes that were held pass on.
    pub fn finish(&mut self, passed: &mut Vec<u8>) {
        let data = matches!(self.state, State::Data | State::AfterData);
        if data && self.is_extra() {
            self.remove();
        } else {
            self.release(passed);
        }
        self.state = State::Field(0);
        self.after_return = None;
    }

    /// Bytes that are held back.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }

    /// What was done so far.
    #[must_use]
    pub const fn stripped(&self) -> Stripped {
        self.done
    }

    fn field<'c>(
        &mut self,
        matched: usize,
        byte: u8,
        rest: &'c [u8],
        left: &'c [u8],
        passed: &mut Vec<u8>,
    ) -> &'c [u8] {
        match (matched, byte) {
            (0, b'\r' | b'\n') => {
                // An empty line between events.
                passed.push(byte);
                self.after_return = (byte == b'\r').then_some(Fate::Passed);
                left
            }
            _ if DATA.get(matched) == Some(&byte) => {
                self.hold(&[byte], passed);
                if self.state == State::Field(matched) {
                    self.state = if matched + 1 == DATA.len() { State::Data } else { State::Field(matched + 1) };
                }
                left
            }
            _ => {
                self.give_up(false, passed);
                rest
            }
        }
    }

    /// The data up to the end of its line, or as far as the chunk goes.
    fn data<'c>(&mut self, rest: &'c [u8], passed: &mut Vec<u8>) -> &'c [u8] {
        let end = memchr2(b'\n', b'\r', rest);
        let (value, left) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
        let read = self.reader.push(value, &mut self.sight);
        if read.is_err() || self.sight.another {
            self.give_up(false, passed);
            return rest;
        }
        self.hold(value, passed);
        if self.state == State::Data
            && let Some((&byte, left)) = left.split_first()
        {
            self.state = State::AfterData;
            self.end_of_line(byte, passed);
            return left;
        }
        left
    }

    fn after_data<'c>(&mut self, byte: u8, rest: &'c [u8], left: &'c [u8], passed: &mut Vec<u8>) -> &'c [u8] {
        if !matches!(byte, b'\r' | b'\n') {
            self.give_up(true, passed);
            return rest;
        }
        let extra = self.is_extra();
        if extra {
            self.remove();
        } else {
            self.release(passed);
            passed.push(byte);
        }
        self.state = State::Field(0);
        self.after_return = (byte == b'\r').then_some(if extra { Fate::Removed } else { Fate::Passed });
        left
    }

    fn pass<'c>(&mut self, line: bool, rest: &'c [u8], passed: &mut Vec<u8>) -> &'c [u8] {
        let end = memchr2(b'\n', b'\r', rest);
        let (value, left) = rest.split_at_checked(end.unwrap_or(rest.len())).unwrap_or((rest, &[]));
        passed.extend_from_slice(value);
        let Some((&byte, left)) = left.split_first() else {
            self.state = State::Pass(line && value.is_empty());
            return left;
        };
        passed.push(byte);
        self.after_return = (byte == b'\r').then_some(Fate::Passed);
        self.state = if line && value.is_empty() { State::Field(0) } else { State::Pass(true) };
        left
    }

    fn end_of_line(&mut self, byte: u8, passed: &mut Vec<u8>) {
        self.after_return = (byte == b'\r').then_some(Fate::Held);
        self.hold(&[byte], passed);
    }

    /// Holds bytes back; where they are too many the event passes on.
    fn hold(&mut self, bytes: &[u8], passed: &mut Vec<u8>) {
        if self.held.len().saturating_add(bytes.len()) <= self.limit {
            self.held.extend_from_slice(bytes);
            return;
        }
        self.done.too_long += 1;
        let line = self.state == State::AfterData;
        self.give_up(line, passed);
        passed.extend_from_slice(bytes);
        if self.after_return.is_some() {
            self.after_return = Some(Fate::Passed);
        }
    }

    /// The event is another one: what was held of it passes on, and the rest of it as it comes. `line` says whether
    /// that begins a line.
    fn give_up(&mut self, line: bool, passed: &mut Vec<u8>) {
        self.release(passed);
        self.state = State::Pass(line);
    }

    fn release(&mut self, passed: &mut Vec<u8>) {
        passed.append(&mut self.held);
        self.forget();
    }

    fn remove(&mut self) {
        self.done.removed += 1;
        self.held.clear();
        self.forget();
    }

    fn forget(&mut self) {
        self.reader.reset();
        self.sight = Sight::default();
    }

    fn is_extra(&mut self) -> bool {
        let whole = self.reader.finish(&mut self.sight).is_ok();
        whole && !self.sight.another && self.sight.empty_choices && self.sight.usage
    }
}

const CHOICES: Node = 1;
const USAGE: Node = 2;
const ERROR: Node = 3;

/// What has been seen of an event's data.
#[derive(Clone, Copy, Debug, Default)]
struct Sight {
    empty_choices: bool,
    usage: bool,
    /// It is not the extra chunk.
    another: bool,
}

impl Visitor for Sight {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        match (at, key) {
            (Reader::ROOT, b"choices") => {
                self.another |= std::mem::take(&mut self.empty_choices);
                Want::Take(CHOICES)
            }
            (Reader::ROOT, b"usage") => {
                self.another |= std::mem::take(&mut self.usage);
                Want::Take(USAGE)
            }
            (Reader::ROOT, b"error") => Want::Take(ERROR),
            _ => Want::Skip,
        }
    }

    fn item(&mut self, at: Node) -> Want {
        // An element of `choices`, or data that is an array.
        self.another |= matches!(at, CHOICES | Reader::ROOT);
        Want::Skip
    }

    fn begin(&mut self, at: Node, kind: Kind) {
        match (at, kind) {
            (Reader::ROOT, Kind::Object) | (CHOICES, Kind::Array) => {}
            (USAGE, Kind::Object) => self.usage = true,
            _ => self.another = true,
        }
    }

    fn end(&mut self, at: Node) {
        self.empty_choices |= at == CHOICES;
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        // `"error": null` says that there is none.
        self.another |= at != ERROR || value != Scalar::Null;
    }
}
