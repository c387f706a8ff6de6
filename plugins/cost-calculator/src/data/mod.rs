//! The price set as data: the text document, and the tables it is compiled to.
//!
//! The build script compiles the committed document with this very code, so this module uses nothing of the rest of
//! the crate.

pub(crate) mod alias;
pub(crate) mod clause;
pub(crate) mod compile;
pub mod document;
pub(crate) mod rate;
pub(crate) mod table;
pub(crate) mod unit;
