//! What was said, captured within limits, as the JSON texts of the GenAI conventions: messages
//! (`[{"role": .., "parts": [{"type": "text", "content": ..}]}]`), system instructions and definitions of tools.
//!
//! Nothing is captured unless the configuration says how many bytes may be held. What a model says is gathered by the
//! reading of its API ([`output`]); a request is read a second time, for its content alone ([`input`]). Both hold texts
//! up to the limit and cut them there, so that what is given is JSON at whatever place it was cut. Binary data is never
//! held: its media type, its size and its hash stand for it.

mod binary;
mod held;
mod input;
mod keys;
mod messages;
mod outline;
mod output;
mod parts;
mod write;

pub(crate) use input::{Input, InputContent};
pub(crate) use output::{OutputText, PartKind, Place, Slot};
