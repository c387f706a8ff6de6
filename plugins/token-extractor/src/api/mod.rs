//! What is read from the answers of each API, one module an API.

pub(crate) mod anthropic_messages;
pub(crate) mod openai_chat;
pub(crate) mod openai_responses;
pub(crate) mod ruled;
pub(crate) mod shape;

use crate::facts::Facts;
use tollgate_json::Visitor;

/// The reading of one API's answers: a visitor for the document, or for each event's data in turn.
pub(crate) trait Reading: Visitor {
    /// What has been read so far.
    fn facts(&self) -> &Facts;

    /// The same, to add to it.
    fn facts_mut(&mut self) -> &mut Facts;

    /// The data of an event begins, which the stream calls by this name; empty where it gives none.
    fn begin_event(&mut self, name: &[u8]) {
        let _ = name;
    }

    /// What the reading has to remember of the event so far, to go on from here in another event that went on with the
    /// same bytes; `None` where more than that would have to be remembered.
    fn memory(&self) -> Option<Memory> {
        None
    }

    /// Goes on as if the event had gone on with the bytes after which this was remembered.
    fn recall(&mut self, memory: &Memory) {
        let _ = memory;
    }

    /// A document, or the data of an event, is at its end.
    fn end_document(&mut self) {}
}

/// What a reading remembers of an event: numbers of its own, whether there was output, and which facts are known
/// already, which decides what else is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) own: [u64; 4],
    pub(crate) output: bool,
    /// A bit for each.
    pub(crate) known: u8,
}
