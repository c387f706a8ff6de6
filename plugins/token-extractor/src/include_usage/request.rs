//! The body of a request, and the one member that is put into it.

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Put in where there are no stream options. The object has a member already, since it has `stream`.
const OPTIONS: &str = r#""stream_options":{"include_usage":true},"#;
/// Takes the place of `"stream_options": null`.
const OPTIONS_VALUE: &str = r#"{"include_usage":true}"#;
/// Put in before the other members of stream options.
const MEMBER_AND_MORE: &str = r#""include_usage":true,"#;
/// Put into stream options without members.
const MEMBER: &str = r#""include_usage":true"#;

/// Most bytes that a body grows by.
pub const MOST_ADDED: usize = OPTIONS.len();

/// Why a body is not edited: it is not what its API defines, and whatever the server makes of it is between the
/// caller and the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// No JSON text (RFC 8259), or more than one.
    NotJson,
    /// The text is no object.
    NotAnObject,
    /// A member that matters is there twice, and servers differ in which of the two they take.
    Duplicate,
    /// `stream`, `stream_options` or `include_usage` is of another type than the API defines.
    WrongType,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "the body is not JSON",
            Self::NotAnObject => "the body is no JSON object",
            Self::Duplicate => "`stream`, `stream_options` or `include_usage` is there twice",
            Self::WrongType => "`stream`, `stream_options` or `include_usage` is of the wrong type",
        })
    }
}

impl std::error::Error for Malformed {}

/// Bytes of a body, and what takes their place.
type Splice = (Range<usize>, &'static str);

/// What the body of a request says of streaming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    stream: bool,
    include_usage: Option<bool>,
    /// Bytes that are replaced, and by what; `None` where nothing is to be done.
    splice: Option<Splice>,
}

impl Request {
    /// Reads a whole body of a chat completions or completions request.
    ///
    /// # Errors
    /// Where the body is not what the API defines; it must then go on as it is.
    pub fn read(body: &[u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(body).map_err(|_| Malformed::NotJson)?;
        let [stream, options] = members(text, ["stream", "stream_options"])?;
        let stream = stream.map_or(Ok(None), boolean)?.unwrap_or(false);
        // The beginning of the object is the first byte that is no white space: the text was read, and is an object.
        let start = text.find('{').map_or(0, |at| at + 1);
        let (include_usage, splice) = match options {
            None => (None, Some((start..start, OPTIONS))),
            Some(options) if options.get() == "null" => (None, Some((span(text, options), OPTIONS_VALUE))),
            Some(options) => within(text, options)?,
        };
        Ok(Self { stream, include_usage, splice: splice.filter(|_| stream) })
    }

    /// Whether a stream is asked for.
    #[must_use]
    pub const fn asks_for_stream(&self) -> bool {
        self.stream
    }

    /// What `stream_options.include_usage` says; `None` where it is absent or `null`.
    #[must_use]
    pub const fn include_usage(&self) -> Option<bool> {
        self.include_usage
    }

    /// The body with `include_usage` true, where it asks for a stream and does not say so itself. `body` is the one
    /// that was read.
    #[must_use]
    pub fn edited(&self, body: &[u8]) -> Option<Vec<u8>> {
        let (Range { start, end }, text) = self.splice.clone()?;
        let (before, after) = (body.get(..start)?, body.get(end..)?);
        Some([before, text.as_bytes(), after].concat())
    }
}

/// What stream options say, and the splice that makes them say `true`.
fn within(text: &str, options: &RawValue) -> Result<(Option<bool>, Option<Splice>), Malformed> {
    let inside = options.get();
    let [include_usage] = members(inside, ["include_usage"]).map_err(|malformed| match malformed {
        Malformed::NotAnObject => Malformed::WrongType,
        other => other,
    })?;
    let Some(value) = include_usage else {
        let start = span(text, options).start + 1;
        let empty = inside.get(1..).is_some_and(|rest| rest.trim_start().starts_with('}'));
        return Ok((None, Some((start..start, if empty { MEMBER } else { MEMBER_AND_MORE }))));
    };
    let said = boolean(value)?;
    Ok((said, (said != Some(true)).then(|| (span(text, value), "true"))))
}

/// `true`, `false` or `null`.
fn boolean(value: &RawValue) -> Result<Option<bool>, Malformed> {
    match value.get() {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        "null" => Ok(None),
        _ => Err(Malformed::WrongType),
    }
}

/// Where a value stands in the text that it was read from.
fn span(text: &str, value: &RawValue) -> Range<usize> {
    let start = value.get().as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    start..start.wrapping_add(value.get().len())
}

/// The values of the named members of the object that `text` is.
fn members<'t, const N: usize>(text: &'t str, names: [&str; N]) -> Result<[Option<&'t RawValue>; N], Malformed> {
    struct Members<'n, const N: usize> {
        names: [&'n str; N],
        duplicate: &'n mut bool,
    }

    impl<'t, const N: usize> Visitor<'t> for Members<'_, N> {
        type Value = [Option<&'t RawValue>; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = [None; N];
            while let Some(Key(name)) = map.next_key::<Key<'t>>()? {
                let value: &'t RawValue = map.next_value()?;
                let place = self.names.iter().zip(&mut found).find(|(known, _)| **known == name);
                if let Some((_, place)) = place
                    && place.replace(value).is_some()
                {
                    *self.duplicate = true;
                    return Err(A::Error::custom("duplicate"));
                }
            }
            Ok(found)
        }
    }

    let mut duplicate = false;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = json.deserialize_map(Members { names, duplicate: &mut duplicate });
    match read.and_then(|found| json.end().map(|()| found)) {
        Ok(found) => Ok(found),
        Err(_) if duplicate => Err(Malformed::Duplicate),
        Err(error) if error.is_data() => Err(Malformed::NotAnObject),
        Err(_) => Err(Malformed::NotJson),
    }
}

/// A key, escapes decoded.
struct Key<'t>(Cow<'t, str>);

impl<'t> serde::Deserialize<'t> for Key<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'t> Visitor<'t> for Text {
            type Value = Key<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'t str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[test]
    fn the_member_is_put_in_and_nothing_else_changes() {
        let cases: &[(&str, Option<bool>, &str)] = &[
            (r#"{"stream":true}"#, None, r#"{"stream_options":{"include_usage":true},"stream":true}"#),
            (
                " \n{ \"stream\" : true }\r\n",
                None,
                " \n{\"stream_options\":{\"include_usage\":true}, \"stream\" : true }\r\n",
            ),
            (
                r#"{"model":"gpt-4o","messages":[{"role":"user","content":"{\"stream\":false}"}],"stream":true}"#,
                None,
                r#"{"stream_options":{"include_usage":true},"model":"gpt-4o","messages":[{"role":"user","content":"{\"stream\":false}"}],"stream":true}"#,
            ),
            // Other options stay: a gateway that overwrites the object loses them.
            (
                r#"{"stream":true,"stream_options":{"include_obfuscation":false}}"#,
                None,
                r#"{"stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false}}"#,
            ),
            (
                r#"{"stream_options": { "chunk_size" : 9 , "deep":{"include_usage":false}},"stream":true}"#,
                None,
                r#"{"stream_options": {"include_usage":true, "chunk_size" : 9 , "deep":{"include_usage":false}},"stream":true}"#,
            ),
            // A gateway that looks only at whether the object is there leaves these unmetered.
            (
                r#"{"stream":true,"stream_options":{"include_usage":false}}"#,
                Some(false),
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{"a":1, "include_usage" : false ,"b":[]}}"#,
                Some(false),
                r#"{"stream":true,"stream_options":{"a":1, "include_usage" : true ,"b":[]}}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage":null}}"#,
                None,
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{}}"#,
                None,
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{ }}"#,
                None,
                r#"{"stream":true,"stream_options":{"include_usage":true }}"#,
            ),
            (
                r#"{"stream_options":null,"stream":true}"#,
                None,
                r#"{"stream_options":{"include_usage":true},"stream":true}"#,
            ),
            (
                r#"{"str\u0065am":true,"stream_\u006fptions":{"include\u005fusage":false}}"#,
                Some(false),
                r#"{"str\u0065am":true,"stream_\u006fptions":{"include\u005fusage":true}}"#,
            ),
        ];
        for (body, said, edited) in cases {
            let request = Request::read(body.as_bytes()).unwrap();
            assert_eq!((request.asks_for_stream(), request.include_usage()), (true, *said), "{body}");
            let result = request.edited(body.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(result).unwrap(), *edited, "{body}");
            assert!(edited.len() <= body.len() + MOST_ADDED, "{body}");
            let again = Request::read(edited.as_bytes()).unwrap();
            assert_eq!((again.include_usage(), again.edited(edited.as_bytes())), (Some(true), None), "{body}");
        }
    }

    #[test]
    fn bodies_without_need_of_an_edit() {
        for (body, stream, said) in [
            ("{}", false, None),
            (r#"{"stream":false}"#, false, None),
            (r#"{"stream":null}"#, false, None),
            (r#"{"messages":[{"stream":true}]}"#, false, None),
            (r#"{"stream_options":{"include_usage":false}}"#, false, Some(false)),
            (r#"{"stream":true,"stream_options":{"include_usage":true}}"#, true, Some(true)),
        ] {
            let request = Request::read(body.as_bytes()).unwrap();
            assert_eq!((request.asks_for_stream(), request.include_usage()), (stream, said), "{body}");
            assert_eq!(request.edited(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn bodies_that_are_not_what_the_api_defines_are_left_alone() {
        use Malformed::{Duplicate, NotAnObject, NotJson, WrongType};
        let cases: &[(&[u8], Malformed)] = &[
            (b"", NotJson),
            (b"{", NotJson),
            (br#"{"stream":true"#, NotJson),
            (br#"{"stream":true}}"#, NotJson),
            (br#"{"stream":true} {"stream":true}"#, NotJson),
            (br#"{"stream":true,}"#, NotJson),
            (br#"{"stream":true,"a":[1,}"#, NotJson),
            (br#"{"stream":true,'a':1}"#, NotJson),
            (b"{\"stream\":true,\"a\":\"\xff\"}", NotJson),
            (b"\xEF\xBB\xBF{\"stream\":true}", NotJson),
            (b"--boundary\r\n", NotJson),
            (b"[]", NotAnObject),
            (b"null", NotAnObject),
            (br#""{\"stream\":true}""#, NotAnObject),
            (br#"{"stream":true,"stream":false}"#, Duplicate),
            (br#"{"stream":true,"str\u0065am":true}"#, Duplicate),
            (br#"{"stream":true,"stream_options":{},"stream_options":{}}"#, Duplicate),
            (br#"{"stream":true,"stream_options":{"include_usage":true,"include_usage":false}}"#, Duplicate),
            (br#"{"stream":"true"}"#, WrongType),
            (br#"{"stream":1}"#, WrongType),
            (br#"{"stream":true,"stream_options":[]}"#, WrongType),
            (br#"{"stream":true,"stream_options":true}"#, WrongType),
            (br#"{"stream":true,"stream_options":{"include_usage":"false"}}"#, WrongType),
        ];
        for (body, malformed) in cases {
            assert_eq!(Request::read(body), Err(*malformed), "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn a_body_that_nests_without_end_is_read_in_constant_stack() {
        let deep = format!(r#"{{"a":{}{},"stream":true}}"#, "[".repeat(200_000), "]".repeat(200_000));
        assert!(Request::read(deep.as_bytes()).unwrap().edited(deep.as_bytes()).is_some());
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ -~]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let key = prop_oneof![Just("stream".to_owned()), Just("include_usage".to_owned()), "[a-z\"\\\\]{0,6}"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key, inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_edited_body_differs_in_that_one_member(
            others in prop::collection::btree_map("[a-z]{1,5}", value(), 0..5),
            options in prop::option::of(prop_oneof![
                Just(Value::Null),
                Just(json!({"include_usage": false})),
                prop::collection::btree_map("[a-z]{1,5}", value(), 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]),
            pretty in any::<bool>(),
        ) {
            let mut body: serde_json::Map<String, Value> = others.into_iter().collect();
            body.insert("stream".to_owned(), true.into());
            if let Some(options) = options {
                body.insert("stream_options".to_owned(), options);
            }
            let text = if pretty { serde_json::to_vec_pretty(&body) } else { serde_json::to_vec(&body) }.unwrap();
            let edited = Request::read(&text).unwrap().edited(&text).unwrap();
            let options = body.entry("stream_options").or_insert(Value::Null);
            if options.is_null() {
                *options = json!({});
            }
            options["include_usage"] = true.into();
            prop_assert_eq!(serde_json::from_slice::<Value>(&edited).unwrap(), Value::Object(body));
        }

        #[test]
        fn any_bytes(body in prop::collection::vec(prop::sample::select(b"{}[]:,\"stream_options truefalsn\\u".to_vec()), 0..60)) {
            if let Ok(request) = Request::read(&body) && let Some(edited) = request.edited(&body) {
                prop_assert!(Request::read(&edited).unwrap().include_usage() == Some(true));
            }
        }
    }
}
