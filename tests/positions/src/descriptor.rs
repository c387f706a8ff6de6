//! As much of protobuf's descriptors as is needed to find fields.
//!
//! Source: `google/protobuf/descriptor.proto`.

use prost::Message;
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Message)]
struct FileSet {
    #[prost(message, repeated, tag = "1")]
    file: Vec<File>,
}

#[derive(Clone, PartialEq, Message)]
struct File {
    #[prost(string, tag = "2")]
    package: String,
    #[prost(message, repeated, tag = "4")]
    messages: Vec<Type>,
}

#[derive(Clone, PartialEq, Message)]
struct Type {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    fields: Vec<TypeField>,
    #[prost(message, repeated, tag = "3")]
    nested: Vec<Type>,
}

#[derive(Clone, PartialEq, Message)]
struct TypeField {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "3")]
    number: i32,
    #[prost(int32, tag = "5")]
    kind: i32,
    #[prost(string, tag = "6")]
    type_name: String,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Bytes,
    Message(String),
    Number,
}

/// A field of a message.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) kind: Kind,
}

/// Fields by the full name of their message.
#[derive(Debug)]
pub(crate) struct Schema(BTreeMap<String, Vec<Field>>);

impl Schema {
    /// The descriptors of OTLP.
    pub(crate) fn read() -> Result<Self, String> {
        let set = FileSet::decode(opentelemetry_proto::DESCRIPTORS).map_err(|error| error.to_string())?;
        let mut messages = BTreeMap::new();
        for file in set.file {
            for message in file.messages {
                add(&mut messages, &file.package, message)?;
            }
        }
        Ok(Self(messages))
    }

    pub(crate) fn fields(&self, message: &str) -> Result<&[Field], String> {
        self.0.get(message).map(Vec::as_slice).ok_or_else(|| format!("there is no message {message}"))
    }
}

fn add(messages: &mut BTreeMap<String, Vec<Field>>, around: &str, message: Type) -> Result<(), String> {
    let name = format!("{around}.{}", message.name);
    for nested in message.nested {
        add(messages, &name, nested)?;
    }
    let fields = message.fields.into_iter().map(field).collect::<Result<_, _>>()?;
    messages.insert(name, fields);
    Ok(())
}

fn field(TypeField { name, number, kind, type_name }: TypeField) -> Result<Field, String> {
    let number = u32::try_from(number).map_err(|error| format!("{name}: {error}"))?;
    let kind = match kind {
        9 => Kind::Text,
        12 => Kind::Bytes,
        11 => Kind::Message(type_name.trim_start_matches('.').to_owned()),
        10 => return Err(format!("{name}: groups are not handled")),
        _ => Kind::Number,
    };
    Ok(Field { name, number, kind })
}
