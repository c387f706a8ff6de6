//! Asking for the usage of streams that would not report it.
//!
//! OpenAI's chat completions and completions, and the servers that speak them, report the usage of a stream only where
//! the request says `"stream_options": {"include_usage": true}`; the stream then has one chunk more, before its end,
//! with no choices and the usage (API reference, "Create chat completion", `stream_options`). Most callers do not
//! say it. Two editors make up for that:
//!
//! - [`Request`] reads the body of a request and gives it back with the member put in, everything else byte for byte
//!   as it was.
//! - [`Strip`] takes the chunk that nobody but us asked for out of the answer, while it passes.
//!
//! ```
//! use tollgate_token_extractor::include_usage::{Request, Strip};
//!
//! let body = br#"{"stream": true, "messages": []}"#;
//! let request = Request::read(body)?;
//! assert_eq!((request.asks_for_stream(), request.include_usage()), (true, None));
//! let edited = request.edited(body).unwrap();
//! assert_eq!(edited, br#"{"stream_options":{"include_usage":true},"stream": true, "messages": []}"#);
//!
//! let (mut strip, mut passed) = (Strip::new(65_536), Vec::new());
//! for chunk in ["data: {\"choices\":[{\"delta\":{}}]}\n\ndata: {\"choices\":[],\"us", "age\":{}}\n\ndata: [DONE]\n\n"] {
//!     strip.push(chunk.as_bytes(), &mut passed);
//! }
//! strip.finish(&mut passed);
//! assert_eq!(passed, b"data: {\"choices\":[{\"delta\":{}}]}\n\ndata: [DONE]\n\n");
//! # Ok::<(), tollgate_token_extractor::include_usage::Malformed>(())
//! ```

mod request;
mod strip;

pub use request::{MOST_ADDED, Malformed, Request};
pub use strip::{Strip, Stripped};
