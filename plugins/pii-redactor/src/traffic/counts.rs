//! What an exchange has to tell: how much was found and given back, and what could not be read.

use std::collections::BTreeMap;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the provider.
    Request,
    /// To the caller.
    Response,
}

impl Direction {
    /// The label of counters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
        }
    }
}

/// Why a body, or a part of it, could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It is not UTF-8.
    NotUtf8,
    /// It is not JSON where JSON is promised.
    NotJson,
    /// It is larger than may be held.
    TooLarge,
    /// It has more values, or more texts under way, than are kept.
    TooComplex,
    /// It has more findings than are allowed.
    TooManyFindings,
    /// It is in an encoding that is not read.
    ContentEncoding,
    /// It could not be decoded, or grew too much.
    Undecodable,
    /// It is of a type that is not read: pictures, sound, forms.
    ContentType,
    /// A message of an event stream is damaged, or has something to be found in its headers.
    Damaged,
    /// It is signed or has a digest, which a change would break.
    Signed,
    /// The connection becomes something else.
    Upgrade,
    /// It ended with trailers while something was held.
    Trailers,
    /// It did not come whole.
    Incomplete,
    /// The proxy refused to give or to change it.
    Refused,
}

impl Reason {
    /// The label of counters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::TooLarge => "too_large",
            Self::TooComplex => "too_complex",
            Self::TooManyFindings => "too_many_findings",
            Self::ContentEncoding => "content_encoding",
            Self::Undecodable => "undecodable",
            Self::ContentType => "content_type",
            Self::Damaged => "damaged",
            Self::Signed => "signed",
            Self::Upgrade => "upgrade",
            Self::Trailers => "trailers",
            Self::Incomplete => "incomplete",
            Self::Refused => "refused",
        }
    }

    /// What it means for the body, in a sentence's end: "the request ...".
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::NotUtf8 => "is not UTF-8",
            Self::NotJson => "is not JSON",
            Self::TooLarge => "is larger than may be held",
            Self::TooComplex => "has too many parts",
            Self::TooManyFindings => "has more personal data than may be replaced",
            Self::ContentEncoding => "has a content encoding that is not read",
            Self::Undecodable => "is not in its content encoding, or grows too much",
            Self::ContentType => "has a content type that is not read",
            Self::Damaged => "is damaged",
            Self::Signed => "is signed",
            Self::Upgrade => "upgrades the connection",
            Self::Trailers => "ends with trailers",
            Self::Incomplete => "did not come whole",
            Self::Refused => "could not be changed",
        }
    }
}

/// What was done with what could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applied {
    /// It did not go on.
    Blocked,
    /// It went on as it came.
    Passed,
    /// `<UNSCANNED>` went on in its place.
    Masked,
}

impl Applied {
    /// The label of counters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Passed => "passed",
            Self::Masked => "masked",
        }
    }
}

/// The counters of one exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Findings that were replaced, by direction and number of their type.
    pub found: BTreeMap<(Direction, u16), u64>,
    /// Stand-ins that were given their values back.
    pub restored: u64,
    /// What looks like a numbered stand-in and stands for no value of the exchange.
    pub not_restored: u64,
    /// Bytes of texts that were held back at most, at one time.
    pub held_bytes: u64,
    /// Bytes of the answer that waited in all at most: texts, and the beginning of an event or document.
    pub waiting_bytes: u64,
    /// Events of a stream that went on with nothing to say, because all of their text was held back.
    pub empty_events: u64,
    /// Events that were made to let go of text that was held back.
    pub made_events: u64,
    /// Log probabilities that were taken out, because they repeat the text token by token.
    pub logprobs_removed: u64,
    /// What could not be read, and what was done with it.
    pub unread: BTreeMap<(Direction, Reason, Applied), u64>,
}

impl Counts {
    pub(crate) fn find(&mut self, direction: Direction, kind: u16) {
        *self.found.entry((direction, kind)).or_default() += 1;
    }

    /// Counts what could not be read.
    pub fn unread(&mut self, direction: Direction, reason: Reason, applied: Applied) {
        *self.unread.entry((direction, reason, applied)).or_default() += 1;
    }

    /// Findings of a direction that were replaced.
    #[must_use]
    pub fn found_in(&self, direction: Direction) -> u64 {
        self.found.iter().filter(|((of, _), _)| *of == direction).map(|(_, count)| count).sum()
    }
}
