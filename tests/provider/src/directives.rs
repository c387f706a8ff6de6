//! How a request asks to be answered: the `x-sim-*` request headers.
//!
//! | header | meaning | without it |
//! |---|---|---|
//! | `x-sim-reply` | the text of the answer | a sentence about the request |
//! | `x-sim-reply-bytes` | length of the answer in bytes, generated (at most 8 MiB) | - |
//! | `x-sim-tool-call` | `1`: call the first tool of the request instead of answering in text | text |
//! | `x-sim-delay-ms` | wait before the response head | 0 |
//! | `x-sim-chunk-delay-ms` | wait before each event of a stream but the first | 0 |
//! | `x-sim-input-tokens` | everything read, cached parts included | from the length of the request's text |
//! | `x-sim-output-tokens` | everything written, reasoning included | from the length of the answer |
//! | `x-sim-cached-tokens` | part of the input read from the prompt cache | 0 |
//! | `x-sim-cache-write-tokens` | part of the input written to the prompt cache | 0 |
//! | `x-sim-reasoning-tokens` | part of the output that was reasoning | 0 |
//! | `x-sim-no-usage` | `1`: report no usage | usage is reported |
//! | `x-sim-error` | `429`, `500` or `overloaded`: answer with that error | - |
//! | `x-sim-error-after-chunks` | give the error of `x-sim-error` inside the stream after that many events | - |
//! | `x-sim-cut-after-chunks` | drop the connection after that many events of a stream, or in the middle of a JSON body | - |
//! | `x-sim-gzip` | `1`: compress the answer | identity |
//! | `x-sim-trailers` | `1`: end the answer with a trailer | no trailers |

use crate::fault::Fault;
use axum::http::HeaderMap;
use std::time::Duration;

/// Longest pause a request can ask for.
const LONGEST_PAUSE: u64 = 60_000;
/// Longest answer a request can ask for, in bytes.
const LONGEST_REPLY: u64 = 8 * 1024 * 1024;
/// Largest token count a request can ask for; sums of a few of them stay exact in a double.
const MOST_TOKENS: u64 = 1 << 40;

/// The wishes of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// `x-sim-reply`.
    pub reply: Option<String>,
    /// `x-sim-reply-bytes`.
    pub reply_bytes: Option<usize>,
    /// `x-sim-tool-call`.
    pub tool_call: bool,
    /// `x-sim-delay-ms`.
    pub delay: Duration,
    /// `x-sim-chunk-delay-ms`.
    pub chunk_delay: Duration,
    /// `x-sim-input-tokens`.
    pub input_tokens: Option<u64>,
    /// `x-sim-output-tokens`.
    pub output_tokens: Option<u64>,
    /// `x-sim-cached-tokens`.
    pub cached_tokens: u64,
    /// `x-sim-cache-write-tokens`.
    pub cache_write_tokens: u64,
    /// `x-sim-reasoning-tokens`.
    pub reasoning_tokens: u64,
    /// `x-sim-no-usage`.
    pub no_usage: bool,
    /// `x-sim-error`.
    pub error: Option<Fault>,
    /// `x-sim-error-after-chunks`.
    pub error_after_chunks: Option<usize>,
    /// `x-sim-cut-after-chunks`.
    pub cut_after_chunks: Option<usize>,
    /// `x-sim-gzip`.
    pub gzip: bool,
    /// `x-sim-trailers`.
    pub trailers: bool,
}

impl Directives {
    /// Reads the `x-sim-*` headers.
    ///
    /// # Errors
    /// A sentence that names the header, where its value is not one of those in the table or over its limit.
    pub fn read(headers: &HeaderMap) -> Result<Self, String> {
        Ok(Self {
            reply: text(headers, "x-sim-reply"),
            reply_bytes: count(headers, "x-sim-reply-bytes", LONGEST_REPLY)?,
            tool_call: flag(headers, "x-sim-tool-call")?,
            delay: pause(headers, "x-sim-delay-ms")?,
            chunk_delay: pause(headers, "x-sim-chunk-delay-ms")?,
            input_tokens: number(headers, "x-sim-input-tokens", MOST_TOKENS)?,
            output_tokens: number(headers, "x-sim-output-tokens", MOST_TOKENS)?,
            cached_tokens: number(headers, "x-sim-cached-tokens", MOST_TOKENS)?.unwrap_or(0),
            cache_write_tokens: number(headers, "x-sim-cache-write-tokens", MOST_TOKENS)?.unwrap_or(0),
            reasoning_tokens: number(headers, "x-sim-reasoning-tokens", MOST_TOKENS)?.unwrap_or(0),
            no_usage: flag(headers, "x-sim-no-usage")?,
            error: fault(headers, "x-sim-error")?,
            error_after_chunks: count(headers, "x-sim-error-after-chunks", u64::from(u32::MAX))?,
            cut_after_chunks: count(headers, "x-sim-cut-after-chunks", u64::from(u32::MAX))?,
            gzip: flag(headers, "x-sim-gzip")?,
            trailers: flag(headers, "x-sim-trailers")?,
        })
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn flag(headers: &HeaderMap, name: &str) -> Result<bool, String> {
    match text(headers, name).as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(other) => Err(format!("header {name} is {other:?}; it takes 0 or 1")),
    }
}

fn number(headers: &HeaderMap, name: &str, most: u64) -> Result<Option<u64>, String> {
    let Some(value) = text(headers, name) else { return Ok(None) };
    match value.parse::<u64>() {
        Ok(number) if number <= most => Ok(Some(number)),
        _ => Err(format!("header {name} is {value:?}; it takes a whole number up to {most}")),
    }
}

fn count(headers: &HeaderMap, name: &str, most: u64) -> Result<Option<usize>, String> {
    Ok(number(headers, name, most)?.and_then(|number| usize::try_from(number).ok()))
}

fn pause(headers: &HeaderMap, name: &str) -> Result<Duration, String> {
    Ok(Duration::from_millis(number(headers, name, LONGEST_PAUSE)?.unwrap_or(0)))
}

fn fault(headers: &HeaderMap, name: &str) -> Result<Option<Fault>, String> {
    match text(headers, name).as_deref() {
        None => Ok(None),
        Some("429") => Ok(Some(Fault::RateLimited)),
        Some("500") => Ok(Some(Fault::Internal)),
        Some("overloaded") => Ok(Some(Fault::Overloaded)),
        Some(other) => Err(format!("header {name} is {other:?}; it takes 429, 500 or overloaded")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &'static str)]) -> Result<Directives, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        Directives::read(&headers)
    }

    #[test]
    fn no_header_asks_for_nothing() {
        assert_eq!(read(&[]), Ok(Directives::default()));
    }

    #[test]
    fn each_header_sets_its_wish() {
        let directives = read(&[
            ("x-sim-reply", "hello"),
            ("x-sim-delay-ms", "7"),
            ("x-sim-cached-tokens", "40"),
            ("x-sim-error", "overloaded"),
            ("x-sim-cut-after-chunks", "3"),
            ("x-sim-gzip", "1"),
        ]);
        let expected = Directives {
            reply: Some("hello".into()),
            delay: Duration::from_millis(7),
            cached_tokens: 40,
            error: Some(Fault::Overloaded),
            cut_after_chunks: Some(3),
            gzip: true,
            ..Directives::default()
        };
        assert_eq!(directives, Ok(expected));
    }

    #[test]
    fn a_wrong_value_is_refused_by_the_name_of_its_header() {
        for (name, value) in [
            ("x-sim-delay-ms", "60001"),
            ("x-sim-reply-bytes", "9000000"),
            ("x-sim-output-tokens", "-1"),
            ("x-sim-error", "418"),
            ("x-sim-gzip", "yes"),
        ] {
            let message = read(&[(name, value)]).unwrap_err();
            assert!(message.contains(name) && message.contains(value), "{message}");
        }
    }
}
