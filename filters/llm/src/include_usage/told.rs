//! What came of asking for usage, for the counters.

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// The body was edited: usage was asked for.
    Requested,
    /// The caller asks for it.
    AlreadyRequested,
    /// No stream is asked for; an answer that is no stream has its usage.
    NoStream,
    /// The provider is none of those that are asked.
    OtherProvider,
    /// The body is not said to be JSON.
    ContentType,
    /// The body is encoded.
    ContentEncoding,
    /// The body is signed, or has a digest.
    Signed,
    /// Nothing says how long the body is, so that it cannot be held without risk, and its first chunk is not all of it.
    NoContentLength,
    /// The body is longer than may be held.
    TooLarge,
    /// The body is not what the API defines.
    Malformed,
    /// The body did not come whole: the caller went away, or it is not as long as was said.
    Incomplete,
    /// Headers were held, and no body came.
    NotHeld,
    /// The proxy refused the body, or a change of it.
    Refused,
}

impl Ask {
    /// Whether the request was edited.
    #[must_use]
    pub fn asked(self) -> bool {
        self == Self::Requested
    }

    /// The label of the counter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::AlreadyRequested => "already_requested",
            Self::NoStream => "no_stream",
            Self::OtherProvider => "other_provider",
            Self::ContentType => "content_type",
            Self::ContentEncoding => "content_encoding",
            Self::Signed => "signed",
            Self::NoContentLength => "no_content_length",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::Incomplete => "incomplete",
            Self::NotHeld => "not_held",
            Self::Refused => "refused",
        }
    }
}

/// What became of a stream that was to be stripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The extra chunk was taken out.
    Stripped,
    /// There was no extra chunk.
    Unneeded,
    /// An event was longer than may be held back, and passed on; there was no extra chunk beside it.
    EventTooLong,
    /// The stream is encoded, and passed on as it was.
    ContentEncoding,
    /// The stream announced trailers, and passed on as it was.
    Trailers,
    /// The stream is signed or has a digest, and passed on as it was.
    Signed,
    /// Trailers that nobody announced came in the middle of an event; its beginning did not pass on.
    CutByTrailers,
    /// The proxy refused a chunk, or a change of it.
    Refused,
}

impl Answer {
    /// The label of the counter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stripped => "stripped",
            Self::Unneeded => "unneeded",
            Self::EventTooLong => "event_too_long",
            Self::ContentEncoding => "content_encoding",
            Self::Trailers => "trailers",
            Self::Signed => "signed",
            Self::CutByTrailers => "cut_by_trailers",
            Self::Refused => "refused",
        }
    }
}

/// Both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The request.
    pub request: Ask,
    /// The answer; `None` where it was not to be stripped.
    pub answer: Option<Answer>,
}
