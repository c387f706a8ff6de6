//! A push JSON reader: bytes in, cut anywhere; the values somebody asked for out; in memory that does not grow.
//!
//! A [`Reader`] is fed chunks as they come from the network. A [`Visitor`] is asked at every key and array element
//! whether it [`Want`]s the value. What it wants it gets as [`Scalar`]s, addressed by [`Node`], a number of its own
//! that it gave to the container; what it does not want is passed over in bulk, whatever its size.
//!
//! - **Any chunking.** A chunk may end in the middle of a key, an escape, a character or a number; the visitor sees
//!   the same calls as for the whole text.
//! - **Constant memory.** Containers nest to [`MAX_DEPTH`]; a text is held up to the limit the reader was made with
//!   and is marked where it was longer; a value that lies whole in one chunk, without escapes, is not copied at all.
//! - **No panic.** Text that is not JSON puts the reader in error: [`Reader::push`] says what was met, and where.
//!
//! Wanted values are held to the grammar of RFC 8259, except that control characters are let through in strings and
//! that a lone surrogate reads as U+FFFD. Of skipped values only strings and brackets are checked, which is what makes
//! them cheap.
//!
//! ```
//! use tollgate_json::{Node, Reader, Scalar, Visitor, Want};
//!
//! #[derive(Default)]
//! struct Model(String);
//!
//! impl Visitor for Model {
//!     fn key(&mut self, at: Node, key: &[u8]) -> Want {
//!         if at == Reader::ROOT && key == b"model" { Want::Take(1) } else { Want::Skip }
//!     }
//!     fn item(&mut self, _at: Node) -> Want {
//!         Want::Skip
//!     }
//!     fn scalar(&mut self, _at: Node, value: Scalar<'_>) {
//!         if let Scalar::Text(text) = value {
//!             self.0 = text.to_str().into_owned();
//!         }
//!     }
//! }
//!
//! let (mut reader, mut model) = (Reader::new(256), Model::default());
//! for chunk in [br#"{"messages":[{"content":"a long"#.as_slice(), br#" story"}],"mod"#, br#"el":"gpt-\u0034"}"#] {
//!     reader.push(chunk, &mut model)?;
//! }
//! reader.finish(&mut model)?;
//! assert_eq!(model.0, "gpt-4");
//! # Ok::<(), tollgate_json::Error>(())
//! ```
#![forbid(unsafe_code)]

mod error;
mod escape;
mod reader;
mod scan;
mod visitor;

pub use error::{Error, Reason};
pub use reader::{MAX_DEPTH, MAX_KEY, MAX_NUMBER, Mark, Reader};
pub use visitor::{Kind, Node, Scalar, Text, Visitor, Want};
