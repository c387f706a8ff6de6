//! What a request says: the model it asks for, whether it asks for a stream, and its parameters.

mod fields;
mod multipart;

use crate::facts::{MAX_NAME, keep, keep_each};
use crate::notes::{self, Notes};
use crate::tree::Tree;
pub(crate) use fields::{Field, builtin, compile};
use multipart::Multipart;
use std::sync::Arc;
use tollgate_call::Parameters;
use tollgate_json::{Kind, Node, Reader, Scalar, Text, Visitor, Want};

/// Reads the body of a request; everything but the fields is passed over.
#[derive(Debug)]
pub(crate) struct Request {
    form: Form,
    said: Said,
}

#[derive(Debug)]
enum Form {
    Json(Box<Reader>),
    Multipart(Box<Multipart>),
}

/// What the request has said so far.
#[derive(Debug)]
struct Said {
    fields: Arc<Tree<Field>>,
    model: Option<String>,
    stream: Option<bool>,
    parameters: Parameters,
    notes: Notes,
}

impl Request {
    /// A body of this content type, whose fields are where the tree says.
    pub(crate) fn new(fields: &Arc<Tree<Field>>, content_type: Option<&[u8]>) -> Self {
        let form = match content_type.and_then(Multipart::new) {
            Some(multipart) => Form::Multipart(Box::new(multipart)),
            None => Form::Json(Box::new(Reader::new(MAX_NAME + 1))),
        };
        let (parameters, notes) = (Parameters::default(), Notes::default());
        Self { form, said: Said { fields: Arc::clone(fields), model: None, stream: None, parameters, notes } }
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) {
        let Self { form, said } = self;
        match form {
            Form::Json(reader) => {
                if reader.push(chunk, said).is_err() {
                    said.notes.add(notes::MALFORMED_REQUEST);
                }
            }
            // The fields of a form have the names of the members that a JSON body would have.
            Form::Multipart(multipart) => multipart.push(chunk, |name, value| {
                if let Some(place) = said.fields.key(Reader::ROOT, name) {
                    said.take(place, Scalar::Text(value));
                }
            }),
        }
    }

    pub(crate) fn model(&self) -> Option<&str> {
        self.said.model.as_deref()
    }

    /// Whether a stream is asked for; `None` where the request does not say.
    pub(crate) fn stream(&self) -> Option<bool> {
        self.said.stream
    }

    pub(crate) fn take_parameters(&mut self) -> Parameters {
        std::mem::take(&mut self.said.parameters)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let form = match &self.form {
            Form::Json(reader) => size_of::<Reader>() + reader.heap_bytes(),
            Form::Multipart(multipart) => size_of::<Multipart>() + multipart.heap_bytes(),
        };
        let Parameters { stop_sequences, tools, .. } = &self.said.parameters;
        form + stop_sequences.iter().chain(tools).map(|name| name.capacity() + size_of::<String>()).sum::<usize>()
    }

    pub(crate) fn into_notes(self) -> Notes {
        self.said.notes
    }
}

impl Said {
    fn take(&mut self, place: Node, value: Scalar<'_>) {
        let fields = Arc::clone(&self.fields);
        for field in fields.fields(place) {
            self.set(*field, value);
        }
    }

    fn set(&mut self, field: Field, value: Scalar<'_>) {
        let Self { parameters, notes, .. } = self;
        let text = match field {
            Field::Model => &mut self.model,
            Field::ReasoningLevel => &mut parameters.reasoning_level,
            Field::PreviousResponseId => &mut parameters.previous_response_id,
            Field::ServiceTier => &mut parameters.service_tier,
            Field::User => &mut parameters.user,
            Field::ConversationId => &mut parameters.conversation_id,
            Field::Stream => {
                self.stream = match value {
                    Scalar::Bool(value) => Some(value),
                    Scalar::Text(text) => Some(text.bytes == b"true"),
                    Scalar::Number(_) | Scalar::Null => self.stream,
                };
                return;
            }
            Field::OutputType => {
                if let Scalar::Text(text) = value {
                    parameters.output_type = output_type(text).map(str::to_owned).or(parameters.output_type.take());
                }
                return;
            }
            Field::StopSequences | Field::Tools | Field::EncodingFormats => {
                if let Scalar::Text(text) = value {
                    let each = match field {
                        Field::StopSequences => &mut parameters.stop_sequences,
                        Field::Tools => &mut parameters.tools,
                        _ => &mut parameters.encoding_formats,
                    };
                    keep_each(each, text, notes);
                }
                return;
            }
            _ => return number(field, value, parameters),
        };
        if let Scalar::Text(value) = value {
            keep(text, value, notes);
        }
    }
}

fn number(field: Field, value: Scalar<'_>, parameters: &mut Parameters) {
    let text = match value {
        Scalar::Number(text) => text,
        // Fields of a form are texts.
        Scalar::Text(text) => str::from_utf8(text.bytes).unwrap_or_default(),
        Scalar::Bool(_) | Scalar::Null => return,
    };
    let real = match field {
        Field::Temperature => &mut parameters.temperature,
        Field::TopP => &mut parameters.top_p,
        Field::FrequencyPenalty => &mut parameters.frequency_penalty,
        Field::PresencePenalty => &mut parameters.presence_penalty,
        _ => {
            let whole = match field {
                Field::TopK => &mut parameters.top_k,
                Field::MaxTokens => &mut parameters.max_tokens,
                Field::ChoiceCount => &mut parameters.choice_count,
                Field::Seed => &mut parameters.seed,
                Field::Dimensions => &mut parameters.dimensions,
                _ => return,
            };
            *whole = text.strip_suffix(".0").unwrap_or(text).parse().ok().or(*whole);
            return;
        }
    };
    *real = text.parse().ok().filter(|value: &f64| value.is_finite()).or(*real);
}

/// `gen_ai.output.type` for what providers call it.
fn output_type(word: Text<'_>) -> Option<&'static str> {
    Some(match word.bytes {
        b"text" | b"text/plain" => "text",
        b"json_object" | b"json_schema" | b"json" | b"application/json" => "json",
        _ => return None,
    })
}

impl Visitor for Said {
    fn key(&mut self, at: Node, key: &[u8]) -> Want {
        self.fields.key(at, key).map_or(Want::Skip, Want::Take)
    }

    fn item(&mut self, at: Node) -> Want {
        self.fields.item(at).map_or(Want::Skip, |(_, place)| Want::Take(place))
    }

    fn begin(&mut self, at: Node, kind: Kind) {
        if kind == Kind::Object && self.fields.fields(at).contains(&Field::JsonSchema) {
            self.parameters.output_type = Some("json".to_owned());
        }
    }

    fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        self.take(at, value);
    }
}
