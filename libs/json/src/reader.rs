//! The reader: one state, moved along by bytes.

mod kept;
mod mark;
mod skipped;

use crate::escape::Escape;
use crate::scan::{after_space, is_word, text_end, word_length};
use crate::visitor::{Kind, Node, Scalar, Visitor, Want};
use crate::{Error, Reason};
use kept::limited;
pub use mark::Mark;

/// Containers that may be open at once.
pub const MAX_DEPTH: u8 = 128;
/// Bytes of the longest key that a visitor is asked about.
pub const MAX_KEY: usize = 256;
/// Characters of the longest number.
pub const MAX_NUMBER: usize = 64;

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The text has not begun; a byte order mark may come.
    Start,
    /// In the byte order mark, with this many bytes to come.
    Mark(u8),
    /// A value must come.
    Value,
    /// The first element of an array, or its end.
    FirstItem,
    /// The first key of an object, or its end.
    FirstKey,
    /// A key must come.
    NextKey,
    /// A colon must come.
    Colon,
    /// A comma or the end of the container must come.
    After,
    /// In a string that is kept: a key or a value.
    Text,
    /// After the backslash in such a string.
    Escape,
    /// In the digits of `\u` in such a string.
    Unicode,
    /// In a number or a literal that is kept.
    Word,
    /// In a string that is skipped.
    SkipText,
    /// After the backslash in such a string.
    SkipEscape,
    /// In a number or a literal that is skipped.
    SkipWord,
    /// In a container that is skipped.
    SkipWithin,
    /// The value is complete.
    Done,
}

/// Reads one JSON text, in chunks cut anywhere. See the [crate] for what it guarantees.
#[derive(Clone, Debug)]
pub struct Reader {
    state: State,
    /// What the visitor wants of the value that comes next.
    want: Want,
    /// Whether the string that is kept is a key.
    is_key: bool,
    /// Whether the string that is kept is within its limit so far.
    whole: bool,
    /// Whether to stop before each value, for a mark.
    marking: bool,
    /// Containers that are open.
    depth: u8,
    /// The depth at which a skipped container stands; skipping ends there.
    floor: u8,
    /// The kind of each open container, the innermost in the lowest bit: 1 is an object.
    kinds: u128,
    /// The visitor's node for each open container that was taken.
    nodes: [Node; MAX_DEPTH as usize],
    escape: Escape,
    /// Of a key, text, number or literal that did not lie whole in a chunk, what has come.
    buffer: Vec<u8>,
    limit: usize,
    /// Bytes of the chunks before this one.
    passed: u64,
    failure: Option<Error>,
}

type Rest<'c> = Result<&'c [u8], (Reason, &'c [u8])>;

impl Reader {
    /// The node under which the outermost value is reported.
    pub const ROOT: Node = 0;

    /// A reader that keeps up to `limit` bytes of a text. It allocates only for what does not lie whole in a chunk,
    /// and then at most the largest of `limit`, [`MAX_KEY`] and [`MAX_NUMBER`].
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            state: State::Start,
            want: Want::Take(Self::ROOT),
            is_key: false,
            whole: true,
            marking: false,
            depth: 0,
            floor: 0,
            kinds: 0,
            nodes: [Self::ROOT; MAX_DEPTH as usize],
            escape: Escape::default(),
            buffer: Vec::new(),
            limit,
            passed: 0,
            failure: None,
        }
    }

    /// Makes ready for the next text.
    pub fn reset(&mut self) {
        self.state = State::Start;
        self.want = Want::Take(Self::ROOT);
        self.depth = 0;
        self.kinds = 0;
        self.buffer.clear();
        self.passed = 0;
        self.failure = None;
    }

    /// Whether nothing but white space has come.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.state == State::Start && self.failure.is_none()
    }

    /// Whether the outermost value is complete. A number is complete only by what follows it, or by `finish`.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.state == State::Done && self.failure.is_none()
    }

    /// Bytes of memory that the reader has allocated.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.buffer.capacity()
    }

    /// Reads the next bytes.
    ///
    /// # Errors
    /// Where the text is not JSON. The reader then stays in error, and repeats it, until [`Reader::reset`].
    pub fn push<V: Visitor>(&mut self, chunk: &[u8], visitor: &mut V) -> Result<(), Error> {
        let left = self.push_one(chunk, visitor)?;
        let solid = after_space(left);
        if !solid.is_empty() {
            return Err(self.fail(Reason::TrailingData, left.len() - solid.len()));
        }
        self.passed = self.passed.saturating_add(left.len() as u64);
        Ok(())
    }

    /// Reads the next bytes up to the end of the outermost value, and gives what is behind it: for texts that follow one
    /// another without a frame. After the end nothing is taken until [`Reader::reset`].
    ///
    /// # Errors
    /// As [`Reader::push`], but for what follows the value.
    pub fn push_one<'c, V: Visitor>(&mut self, chunk: &'c [u8], visitor: &mut V) -> Result<&'c [u8], Error> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        let mut rest = chunk;
        while !rest.is_empty() && self.state != State::Done {
            match self.step(rest, visitor) {
                Ok(left) => rest = left,
                Err((reason, at)) => return Err(self.fail(reason, chunk.len() - at.len())),
            }
        }
        self.passed = self.passed.saturating_add((chunk.len() - rest.len()) as u64);
        Ok(rest)
    }

    /// Ends the text.
    ///
    /// # Errors
    /// Where the value is not complete, or an error was met before.
    pub fn finish<V: Visitor>(&mut self, visitor: &mut V) -> Result<(), Error> {
        if let Some(error) = self.failure {
            return Err(error);
        }
        if self.state == State::Done {
            return Ok(());
        }
        if self.depth == 0 {
            let kept = std::mem::take(&mut self.buffer);
            if self.state == State::Word
                && let Err(reason) = self.take_word(&kept, visitor)
            {
                return Err(self.fail(reason, 0));
            }
        }
        if self.state == State::Done { Ok(()) } else { Err(self.fail(Reason::Incomplete, 0)) }
    }

    fn fail(&mut self, reason: Reason, at: usize) -> Error {
        let error = Error { reason, offset: self.passed.saturating_add(at as u64) };
        self.failure = Some(error);
        error
    }

    /// Moves on by at least one byte of `rest`, which is not empty.
    #[inline]
    fn step<'c, V: Visitor>(&mut self, rest: &'c [u8], visitor: &mut V) -> Rest<'c> {
        match self.state {
            State::Text => return self.text(rest, visitor),
            State::SkipText | State::SkipWithin | State::SkipEscape if matches!(self.want, Want::Pieces(_)) => {
                return self.raw(rest, visitor);
            }
            State::SkipText => return Ok(self.skip_text(rest)),
            State::SkipWithin => return self.skip_within(rest),
            State::Word => return self.word(rest, visitor),
            State::SkipWord => {
                let end = word_length(rest);
                let left = rest.get(end..).unwrap_or_default();
                if !left.is_empty() {
                    self.leave_value();
                }
                return Ok(left);
            }
            State::Escape | State::Unicode | State::SkipEscape | State::Mark(_) => {
                let Some((&byte, left)) = rest.split_first() else { return Ok(rest) };
                return self.single(byte, left).map_err(|reason| (reason, rest));
            }
            _ => {}
        }
        let solid = after_space(rest);
        let Some((&byte, left)) = solid.split_first() else { return Ok(solid) };
        match (self.state, byte) {
            (State::FirstKey | State::NextKey, b'"') => self.key(left, visitor),
            (State::Colon, b':') => {
                self.state = State::Value;
                Ok(left)
            }
            (State::After, b',') => {
                if self.kinds & 1 == 1 {
                    if let [b'"', left @ ..] = left {
                        return self.key(left, visitor);
                    }
                    self.state = State::NextKey;
                } else {
                    self.want = visitor.item(self.node());
                    self.state = State::Value;
                }
                Ok(left)
            }
            (State::FirstKey | State::After, b'}') | (State::FirstItem | State::After, b']') => {
                let node = self.node();
                self.close(byte).map_err(|reason| (reason, solid))?;
                visitor.end(node);
                self.leave_value();
                Ok(left)
            }
            (State::FirstItem, _) => {
                self.want = visitor.item(self.node());
                self.state = State::Value;
                Ok(solid)
            }
            (State::Start, 0xEF) => {
                self.state = State::Mark(2);
                Ok(left)
            }
            (State::Start | State::Value, _) => self.value(byte, solid, left, visitor),
            (State::Done, _) => Err((Reason::TrailingData, solid)),
            _ => Err((Reason::Unexpected(byte), solid)),
        }
    }

    /// The states that take one byte.
    #[cold]
    fn single<'c>(&mut self, byte: u8, left: &'c [u8]) -> Result<&'c [u8], Reason> {
        match self.state {
            State::Mark(2) if byte == 0xBB => self.state = State::Mark(1),
            State::Mark(1) if byte == 0xBF => self.state = State::Value,
            State::Mark(_) => return Err(Reason::Unexpected(byte)),
            State::SkipEscape => self.state = State::SkipText,
            State::Escape if byte == b'u' => self.state = State::Unicode,
            State::Escape => {
                let character = Escape::simple(byte).ok_or(Reason::BadEscape)?;
                self.settle();
                self.keep(&[character]);
                self.state = State::Text;
            }
            _ => {
                if let Some(decoded) = self.escape.digit(byte).map_err(|()| Reason::BadEscape)? {
                    self.keep(decoded.bytes());
                    self.state = State::Text;
                }
            }
        }
        Ok(left)
    }

    /// The value at the beginning of `solid`, which is `byte` and then `left`.
    #[inline]
    fn value<'c, V: Visitor>(&mut self, byte: u8, solid: &'c [u8], left: &'c [u8], visitor: &mut V) -> Rest<'c> {
        match (self.want, byte) {
            (Want::Skip, b'"') => {
                self.floor = self.depth;
                self.state = State::SkipText;
                Ok(self.skip_text(left))
            }
            (Want::Skip, b'{' | b'[') => {
                self.floor = self.depth;
                self.open(byte).map_err(|reason| (reason, solid))?;
                self.state = State::SkipWithin;
                Ok(left)
            }
            (Want::Skip, _) if is_word(byte) => {
                self.state = State::SkipWord;
                Ok(left)
            }
            (Want::Take(node), b'"') => {
                if let Some(end) = text_end(left)
                    && let Some((text, [b'"', after @ ..])) = left.split_at_checked(end)
                {
                    self.leave_value();
                    visitor.scalar(node, Scalar::Text(limited(text, self.limit)));
                    return Ok(after);
                }
                self.begin_text(false);
                Ok(left)
            }
            (Want::Take(node) | Want::Stream(node), b'{' | b'[') => {
                self.open(byte).map_err(|reason| (reason, solid))?;
                if let Some(place) = self.nodes.get_mut(usize::from(self.depth - 1)) {
                    *place = node;
                }
                let (state, kind) =
                    if byte == b'{' { (State::FirstKey, Kind::Object) } else { (State::FirstItem, Kind::Array) };
                self.state = state;
                visitor.begin(node, kind);
                Ok(left)
            }
            (Want::Pieces(_) | Want::Stream(_), b'"') => {
                self.begin_text(false);
                Ok(left)
            }
            (Want::Pieces(node), b'{' | b'[') => {
                self.floor = self.depth;
                self.open(byte).map_err(|reason| (reason, solid))?;
                self.state = State::SkipWithin;
                visitor.piece(node, &[byte]);
                Ok(left)
            }
            (Want::Take(_) | Want::Pieces(_) | Want::Stream(_), _) if is_word(byte) => {
                let (word, left) = solid.split_at_checked(word_length(solid)).unwrap_or((solid, &[]));
                if word.len() > MAX_NUMBER {
                    return Err((Reason::NumberTooLong, solid.get(MAX_NUMBER..).unwrap_or_default()));
                }
                if left.is_empty() {
                    self.buffer.clear();
                    self.buffer.extend_from_slice(word);
                    self.state = State::Word;
                } else {
                    self.take_word(word, visitor).map_err(|reason| (reason, left))?;
                }
                Ok(left)
            }
            _ => Err((Reason::Unexpected(byte), solid)),
        }
    }

    /// A key whose opening quote has been read.
    #[inline]
    fn key<'c, V: Visitor>(&mut self, left: &'c [u8], visitor: &mut V) -> Rest<'c> {
        let Some(end) = text_end(left) else {
            self.begin_text(true);
            return Ok(left);
        };
        let Some((key, [b'"', after @ ..])) = left.split_at_checked(end) else {
            self.begin_text(true);
            return Ok(left);
        };
        self.want = if key.len() <= MAX_KEY { visitor.key(self.node(), key) } else { Want::Skip };
        // Most texts have no white space here. Going on at once saves two turns through the states for each member.
        if let [b':', solid @ ..] = after {
            self.state = State::Value;
            return match solid {
                [byte, left @ ..] if *byte > b' ' && !self.marking => self.value(*byte, solid, left, visitor),
                _ => Ok(solid),
            };
        }
        self.state = State::Colon;
        Ok(after)
    }

    #[inline]
    fn open(&mut self, bracket: u8) -> Result<(), Reason> {
        if self.depth >= MAX_DEPTH {
            return Err(Reason::TooDeep);
        }
        self.depth += 1;
        self.kinds = (self.kinds << 1) | u128::from(bracket == b'{');
        Ok(())
    }

    #[inline]
    fn close(&mut self, bracket: u8) -> Result<(), Reason> {
        if (self.kinds & 1 == 1) != (bracket == b'}') {
            return Err(Reason::Mismatched);
        }
        self.depth = self.depth.saturating_sub(1);
        self.kinds >>= 1;
        Ok(())
    }

    #[inline]
    fn leave_value(&mut self) {
        self.state = if self.depth == 0 { State::Done } else { State::After };
    }

    /// The visitor's node for the innermost container.
    #[inline]
    fn node(&self) -> Node {
        self.nodes.get(usize::from(self.depth).wrapping_sub(1)).copied().unwrap_or(Self::ROOT)
    }
}
