//! What there is to know of an API: how its answers are read, and how its counts become canonical.

mod builtin;
mod definition;

pub(crate) use definition::Definition;

use crate::api::ruled::Field;
use crate::request;
use crate::tree::{Elements, Tree};
use crate::usage::CountRules;
use std::sync::Arc;
use tollgate_call::{Api, Operation};
use tollgate_json::Node;

/// Who reads the answers of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Chat completions, and completions, which differ in where the text is.
    Chat,
    Responses,
    Messages,
    /// The rules of the format.
    Rules,
}

/// One API, or a variant of it that has counts or answers of its own.
#[derive(Debug)]
pub(crate) struct Format {
    /// What the variant is called, where the API has several.
    pub(crate) name: Box<str>,
    pub(crate) api: Api,
    pub(crate) operation: Operation,
    /// Who alone speaks it, for endpoints whose host says nothing.
    pub(crate) provider: Option<&'static str>,
    /// `gen_ai.output.type` of all answers.
    pub(crate) output_type: Option<&'static str>,
    pub(crate) reader: Reader,
    /// Where requests say what they ask for, if it is in places of their own.
    pub(crate) request: Option<Arc<Tree<request::Field>>>,
    /// Whether requests may be forms.
    pub(crate) uploads: bool,
    pub(crate) response: Tree<Field>,
    /// Places that are elements of an array of choices or of blocks.
    elements: Vec<(Node, Elements)>,
    /// Whether the rules know when a stream is at its end.
    pub(crate) says_end: bool,
    /// Whether streams are documents without a frame around them: one after the other, or in one array.
    pub(crate) bare_stream: bool,
    /// Whether streams are AWS event streams, and whether payloads wrap what the model says in base64.
    pub(crate) events: bool,
    pub(crate) wrapped: bool,
    pub(crate) counts: CountRules,
}

impl Format {
    /// Whether a stream has an end of its own, which is missed where it does not come. Chat completions have one that
    /// many servers leave out.
    pub(crate) fn ends_streams(&self) -> bool {
        match self.reader {
            Reader::Chat => false,
            Reader::Responses | Reader::Messages => true,
            Reader::Rules => self.says_end,
        }
    }

    /// What the place is an element of.
    #[inline]
    pub(crate) fn element_of(&self, at: Node) -> Option<Elements> {
        self.elements.iter().find(|(place, _)| *place == at).map(|(_, elements)| *elements)
    }
}

/// The formats that an extractor reads.
#[derive(Clone, Debug)]
pub(crate) struct Formats(Vec<Arc<Format>>);

impl Default for Formats {
    /// Those that are built in.
    fn default() -> Self {
        // A test compiles every definition; what does not compile is not there.
        Self(builtin::DEFINITIONS.iter().filter_map(|definition| definition.compile().ok()).map(Arc::new).collect())
    }
}

impl Formats {
    /// Adds a format; it comes before those of the same name.
    pub(crate) fn add(&mut self, format: Arc<Format>) {
        self.0.insert(0, format);
    }

    /// The format of that name: an API, or a variant.
    pub(crate) fn named(&self, name: &str) -> Option<Arc<Format>> {
        self.0.iter().find(|format| &*format.name == name).cloned()
    }

    /// Names of all, as a configuration may use them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|format| &*format.name)
    }
}
