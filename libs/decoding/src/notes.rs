//! Why a body could not be decoded, as words for counters.

/// The answer has a content encoding that is not read.
pub const UNSUPPORTED_CONTENT_ENCODING: &str = "unsupported_content_encoding";
/// The answer is not in the content encoding that its header names.
pub const UNDECODABLE_BODY: &str = "undecodable_body";
/// The answer ended in the middle of its content encoding.
pub const TRUNCATED_ENCODING: &str = "truncated_encoding";
/// The answer grew more by decoding than is allowed, and was not read on.
pub const EXPANSION_LIMIT: &str = "expansion_limit";
/// The answer's content encoding asks for a larger window than is allowed, and was not decoded.
pub const WINDOW_LIMIT: &str = "window_limit";
