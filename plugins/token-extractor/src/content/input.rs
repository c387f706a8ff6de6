//! What a request says: system instructions, messages and definitions of tools.

use super::messages;
use super::outline::Outline;
use crate::notes::Notes;
use tollgate_json::Reader;

/// The content of a request, read as it passes. Where none is captured it costs nothing.
#[derive(Debug, Default)]
pub(crate) struct InputContent(Option<Box<State>>);

#[derive(Debug)]
struct State {
    reader: Reader,
    outline: Outline,
}

/// The content of a request, each as JSON text, where there is any.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) system_instructions: Option<String>,
    pub(crate) messages: Option<String>,
    pub(crate) tool_definitions: Option<String>,
    pub(crate) truncated: bool,
}

impl InputContent {
    /// Holds up to `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        // Texts come in pieces, so the reader itself holds none.
        let state = || Box::new(State { reader: Reader::new(0), outline: Outline::new(limit) });
        Self((limit > 0).then(state))
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        if let Some(state) = &mut self.0 {
            // What is no JSON is noted by the reading of the parameters.
            let _ = state.reader.push(chunk, &mut state.outline);
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |state| size_of::<State>() + state.reader.heap_bytes() + state.outline.heap_bytes())
    }

    /// Ends the request and says what was in it.
    pub(crate) fn finish(&mut self, notes: &mut Notes) -> Input {
        let Some(state) = self.0.take() else { return Input::default() };
        let (root, truncated) = state.outline.finish(notes);
        let Some(root) = root else { return Input { truncated, ..Input::default() } };
        Input {
            system_instructions: messages::system_instructions(&root),
            messages: messages::messages(&root),
            tool_definitions: messages::tool_definitions(&root),
            truncated,
        }
    }
}
