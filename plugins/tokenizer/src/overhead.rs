//! What a chat has besides its text: the marks between messages, and the form in which tools are shown to the model.

use crate::vocabulary::Encoding;

/// Tokens that belong to no text.
///
/// As OpenAI gives them in the cookbook "How to count tokens with tiktoken", sections 6 and 7: for the messages of
/// gpt-3.5-turbo, gpt-4, gpt-4o and their successors, and for tools of the first two and of gpt-4o.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overhead {
    /// Around each message, besides its role.
    pub(crate) message: i64,
    /// For the name of who speaks, besides its text.
    pub(crate) name: i64,
    /// The beginning of the answer, which stands at the end of the input.
    pub(crate) reply: i64,
    /// Around each tool.
    pub(crate) tool: i64,
    /// The list of parameters, where there is one.
    pub(crate) properties: i64,
    /// Each parameter.
    pub(crate) property: i64,
    /// A list of allowed values.
    pub(crate) values: i64,
    /// Each allowed value.
    pub(crate) value: i64,
    /// All tools together.
    pub(crate) tools: i64,
}

const O200K_BASE: Overhead =
    Overhead { message: 3, name: 1, reply: 3, tool: 7, properties: 3, property: 3, values: -3, value: 3, tools: 12 };

const CL100K_BASE: Overhead = Overhead { tool: 10, ..O200K_BASE };

impl Overhead {
    /// That of the models that read a vocabulary.
    pub(crate) const fn of(encoding: Encoding) -> Self {
        match encoding {
            Encoding::O200kBase => O200K_BASE,
            Encoding::Cl100kBase => CL100K_BASE,
        }
    }
}
