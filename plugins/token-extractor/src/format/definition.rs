//! A format as it is written down, built in or by a user.

use super::{Format, Reader};
use crate::api::ruled::Field;
use crate::tree::{Elements, Tree};
use crate::usage::CountRules;
use tollgate_call::{Api, Operation};
use tollgate_json::Node;

/// A format as it is written down. Rules are pairs of a name and of places, `a.b | c[].d`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition<'d> {
    pub(crate) name: &'d str,
    /// The API's name where it is not that of the format.
    pub(crate) api: Option<&'d str>,
    pub(crate) operation: Operation,
    pub(crate) provider: Option<&'static str>,
    pub(crate) output_type: Option<&'static str>,
    pub(crate) reader: Reader,
    pub(crate) uploads: bool,
    pub(crate) bare_stream: bool,
    pub(crate) events: bool,
    pub(crate) wrapped: bool,
    /// Where things are in an answer; see [`field`] for the names.
    pub(crate) response: &'d [(&'d str, &'d str)],
    /// How native counts become canonical.
    pub(crate) usage: &'d [(&'d str, &'d str)],
}

impl Definition<'_> {
    /// Nothing but a chat that is read by its own rules.
    pub(crate) const EMPTY: Definition<'static> = Definition {
        name: "",
        api: None,
        operation: Operation::Chat,
        provider: None,
        output_type: None,
        reader: Reader::Rules,
        uploads: false,
        bare_stream: false,
        events: false,
        wrapped: false,
        response: &[],
        usage: &[],
    };

    /// Makes ready to read.
    ///
    /// # Errors
    /// Everything that is wrong: where (`response.id`), and what.
    pub(crate) fn compile(&self) -> Result<Format, Vec<(String, String)>> {
        let mut problems = Vec::new();
        let (mut response, mut says_end) = (Tree::new(), false);
        let mut named: Vec<(Node, Elements)> = Vec::new();
        for (name, places) in self.response {
            for place in places.split('|').map(str::trim) {
                let (place, value) = match place.split_once('=') {
                    Some((place, value)) => (place.trim(), Some(value.trim())),
                    None => (place, None),
                };
                let added = field(name, place, value).and_then(|field| {
                    says_end |= matches!(field, Field::End(_));
                    response.add(place, field)
                });
                if let Err(problem) = added {
                    problems.push((format!("response.{name}"), problem));
                }
            }
        }
        for at in 0..=Node::MAX {
            if let Some((elements, item)) = response.item(at)
                && elements != Elements::Any
            {
                named.push((item, elements));
            }
        }
        let counts = CountRules::compile(self.usage.iter().copied()).unwrap_or_else(|wrong| {
            problems.extend(wrong.into_iter().map(|(name, problem)| (format!("usage.{name}"), problem)));
            CountRules::default()
        });
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Format {
            name: self.name.into(),
            api: Api::named(self.api.unwrap_or(self.name)),
            operation: self.operation,
            provider: self.provider,
            output_type: self.output_type,
            reader: self.reader,
            request: None,
            uploads: self.uploads,
            response,
            elements: named,
            says_end,
            bare_stream: self.bare_stream,
            events: self.events,
            wrapped: self.wrapped,
            counts,
        })
    }
}

/// What is found at a place.
///
/// | name | what is there |
/// |---|---|
/// | `id`, `model` | id of the answer, model that answered |
/// | `finish_reasons` | why the model stopped, of each `[choice]` |
/// | `choice_index`, `block_index` | number of the choice or block, where it is not its place in the array |
/// | `service_tier`, `system_fingerprint` | as served |
/// | `usage` | an object of counts; its fields are kept as `<last key>.<field>` |
/// | `count`, `sum`, `most` | one count, one to be added up, or one whose largest value counts; kept under the place, without brackets |
/// | `items` | a list whose elements are counted; kept under the place, without brackets |
/// | `text`, `reasoning`, `output` | what the model wrote; the first two are content |
/// | `tool_id`, `tool_name`, `tool_arguments` | a tool that the model calls |
/// | `thought` | `true` beside a text that is reasoning |
/// | `redacted` | reasoning that only the provider can read; content, in so far as it is said to be there |
/// | `blob`, `blob_type` | base64 of data that the model made, and its media type; of content its size and hash |
/// | `error` | an object or text that is there only where the call failed |
/// | `error_type`, `error_code` | the provider's words for it |
/// | `end` | there, or of this value (`type=done`), only at the end of a stream |
fn field(name: &str, place: &str, value: Option<&str>) -> Result<Field, String> {
    if value.is_some() && name != "end" {
        return Err(format!("{place:?} cannot have a value here; only `end` compares"));
    }
    let native = || place.replace("[]", "").replace("[choice]", "").replace("[block]", "").into_boxed_str();
    Ok(match name {
        "id" => Field::Id,
        "model" => Field::Model,
        "finish_reasons" => Field::Finish,
        "choice_index" => Field::ChoiceIndex,
        "block_index" => Field::BlockIndex,
        "service_tier" => Field::Tier,
        "system_fingerprint" => Field::Fingerprint,
        "usage" => {
            let native = native();
            Field::Usage(native.rsplit('.').next().unwrap_or(&native).into())
        }
        "count" => Field::Count(native()),
        "sum" => Field::Sum(native()),
        "most" => Field::Most(native()),
        "items" => Field::Items(native()),
        "text" => Field::Text,
        "reasoning" => Field::Reasoning,
        "output" => Field::Output,
        "tool_id" => Field::ToolId,
        "tool_name" => Field::ToolName,
        "tool_arguments" => Field::ToolArguments,
        "thought" => Field::Thought,
        "redacted" => Field::Redacted,
        "blob" => Field::Blob,
        "blob_type" => Field::BlobType,
        "error" => Field::Error,
        "error_type" => Field::ErrorType,
        "error_code" => Field::ErrorCode,
        "end" => Field::End(value.map(Into::into)),
        _ => return Err(format!("is not known; known are {}", NAMES.join(", "))),
    })
}

/// Names of the rules of an answer.
const NAMES: [&str; 26] = [
    "id",
    "model",
    "finish_reasons",
    "choice_index",
    "block_index",
    "service_tier",
    "system_fingerprint",
    "usage",
    "count",
    "sum",
    "most",
    "items",
    "text",
    "reasoning",
    "output",
    "tool_id",
    "tool_name",
    "tool_arguments",
    "thought",
    "redacted",
    "blob",
    "blob_type",
    "error",
    "error_type",
    "error_code",
    "end",
];
