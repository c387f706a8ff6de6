//! Tool definitions in, the tokens that they add to the input out.
//!
//! OpenAI shows tools to its models in a form of its own. The cookbook "How to count tokens with tiktoken", section 7, says
//! what that form costs: a line `name:description` for each tool and a line `name:type:description` for each parameter,
//! the allowed values, and the overheads in [`Overhead`]. It has flat parameters; nested ones are counted here by the
//! same rule.

use crate::overhead::Overhead;
use crate::tally::Tally;
use crate::unestimated::Unestimated;
use tollgate_json::{Kind, Node, Reader, Scalar, Visitor, Want};

/// Places in the JSON text.
mod node {
    use tollgate_json::{Node, Reader};
    pub(super) const ROOT: Node = Reader::ROOT;
    pub(super) const TOOL: Node = 1;
    pub(super) const FUNCTION: Node = 2;
    pub(super) const TOOL_NAME: Node = 3;
    pub(super) const TOOL_DESCRIPTION: Node = 4;
    pub(super) const SCHEMA: Node = 5;
    pub(super) const SCHEMAS: Node = 6;
    pub(super) const PROPERTIES: Node = 7;
    pub(super) const KIND: Node = 8;
    pub(super) const DESCRIPTION: Node = 9;
    pub(super) const VALUES: Node = 10;
    pub(super) const TOOL_TYPE: Node = 11;
}

/// Counts the tools of `json`: an array of definitions in the shape of the GenAI conventions
/// (`{"type": "function", "name", "description", "parameters"}`), of chat completions (the same in a `function`) or of
/// Anthropic (`input_schema`).
pub(crate) fn count(json: &str, overhead: Overhead, tally: &mut Tally) -> Result<(), Unestimated> {
    let mut reader = Reader::new(tally.room());
    let mut tools = Tools { tally, overhead, any: false, tool: Line::default(), schemas: Vec::new(), property: None };
    reader.push(json.as_bytes(), &mut tools).map_err(|_| Unestimated::MalformedContent)?;
    reader.finish(&mut tools).map_err(|_| Unestimated::MalformedContent)?;
    if tools.any {
        tools.tally.add(overhead.tools);
    }
    Ok(())
}

/// The line that a tool or a parameter is shown as.
#[derive(Debug, Default)]
struct Line {
    name: String,
    kind: String,
    description: String,
    /// Whether a list of parameters has been counted.
    has_properties: bool,
}

struct Tools<'t> {
    tally: &'t mut Tally,
    overhead: Overhead,
    any: bool,
    tool: Line,
    /// The schemas that are open, the innermost last; the reader's depth bounds them.
    schemas: Vec<Line>,
    /// Name of the parameter whose schema comes next.
    property: Option<String>,
}

impl Tools<'_> {
    fn end_tool(&mut self) {
        self.any = true;
        let tool = std::mem::take(&mut self.tool);
        self.tally.add(self.overhead.tool);
        self.tally.text(&format!("{}:{}", tool.name, without_full_stop(&tool.description)));
    }

    fn end_schema(&mut self) {
        let Some(line) = self.schemas.pop() else { return };
        let description = without_full_stop(&line.description);
        if !line.name.is_empty() {
            self.tally.text(&format!("{}:{}:{description}", line.name, line.kind));
        } else if !self.schemas.is_empty() {
            // The elements of an array, or one of several forms: it has no name of its own.
            self.tally.text(&line.kind);
            self.tally.text(description);
        }
    }

    /// A text of a line. It is held until the line ends, so it is bounded by the room that is left.
    fn held(&mut self, value: Scalar<'_>, place: impl FnOnce(&mut Self) -> Option<&mut String>) {
        let Scalar::Text(text) = value else { return };
        let room = self.tally.room();
        if !text.whole || text.bytes.len() > room {
            self.tally.overrun();
        } else if let Some(place) = place(self) {
            text.to_str().as_ref().clone_into(place);
        }
    }
}

fn without_full_stop(description: &str) -> &str {
    description.strip_suffix('.').unwrap_or(description)
}

impl Visitor for Tools<'_> {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        let want = match (at, key) {
            (node::TOOL, b"function") => node::FUNCTION,
            (node::TOOL, b"type") => node::TOOL_TYPE,
            (node::TOOL | node::FUNCTION, b"name") => node::TOOL_NAME,
            (node::TOOL | node::FUNCTION, b"description") => node::TOOL_DESCRIPTION,
            (node::TOOL | node::FUNCTION, b"parameters" | b"input_schema") => node::SCHEMA,
            (node::SCHEMA, b"type") => node::KIND,
            (node::SCHEMA, b"description") => node::DESCRIPTION,
            (node::SCHEMA, b"enum") => node::VALUES,
            (node::SCHEMA, b"properties" | b"$defs" | b"definitions") => node::PROPERTIES,
            (node::SCHEMA, b"items") => node::SCHEMA,
            (node::SCHEMA, b"anyOf" | b"oneOf" | b"allOf") => node::SCHEMAS,
            (node::PROPERTIES, name) => {
                if let Some(schema) = self.schemas.last_mut()
                    && !std::mem::replace(&mut schema.has_properties, true)
                {
                    self.tally.add(self.overhead.properties);
                }
                self.tally.add(self.overhead.property);
                self.property = Some(String::from_utf8_lossy(name).into_owned());
                node::SCHEMA
            }
            _ => return Want::Skip,
        };
        Want::Take(want)
    }

    fn item(&mut self, at: Node) -> Want {
        match at {
            node::ROOT => Want::Take(node::TOOL),
            node::SCHEMAS => Want::Take(node::SCHEMA),
            node::KIND => Want::Take(node::KIND),
            node::VALUES => {
                self.tally.add(self.overhead.value);
                Want::Take(node::VALUES)
            }
            _ => Want::Skip,
        }
    }

    fn begin(&mut self, at: Node, kind: Kind) {
        match (at, kind) {
            (node::SCHEMA, _) => {
                let name = self.property.take().unwrap_or_default();
                self.schemas.push(Line { name, ..Line::default() });
            }
            (node::VALUES, Kind::Array) => self.tally.add(self.overhead.values),
            _ => {}
        }
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        match at {
            // What a tool of the provider's own (a web search, say) reads is billed as input, and seen by nobody else.
            node::TOOL_TYPE => {
                if let Scalar::Text(kind) = value {
                    self.tally.lower_bound |= !matches!(kind.bytes, b"function" | b"custom" | b"");
                }
            }
            node::TOOL_NAME => self.held(value, |tools| Some(&mut tools.tool.name)),
            node::TOOL_DESCRIPTION => self.held(value, |tools| Some(&mut tools.tool.description)),
            // Of several types the first counts that says something; `null` says that the parameter may be left out.
            node::KIND if matches!(value, Scalar::Text(text) if text.bytes == b"null") => {}
            node::KIND => self.held(value, |tools| {
                tools.schemas.last_mut().map(|schema| &mut schema.kind).filter(|kind| kind.is_empty())
            }),
            node::DESCRIPTION => self.held(value, |tools| tools.schemas.last_mut().map(|line| &mut line.description)),
            // A schema may be `true`: then the name is all there is.
            node::SCHEMA => {
                if let Some(name) = self.property.take() {
                    self.tally.text(&name);
                }
            }
            node::VALUES => match value {
                Scalar::Text(text) => self.tally.text(&text.to_str()),
                Scalar::Number(number) => self.tally.text(number),
                Scalar::Bool(_) | Scalar::Null => self.tally.add(1),
            },
            _ => {}
        }
    }

    fn end(&mut self, at: Node) {
        match at {
            node::TOOL => self.end_tool(),
            node::SCHEMA => self.end_schema(),
            _ => {}
        }
    }
}

#[cfg(test)]
#[path = "tools_tests.rs"]
mod tests;
