//! Streams of every API, made from texts and read back to texts, by the APIs' references and not by the library.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A text of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Text,
    Reasoning,
    Arguments,
}

/// How events are transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// Server-sent events without names, ended by `[DONE]`.
    Done,
    /// Server-sent events without names, and no last one.
    Unnamed,
    /// Server-sent events with the `type` as name; lines end in CRLF.
    Named,
    Lines,
    Array,
    /// AWS event stream.
    Messages,
    /// AWS event stream, the documents in base64.
    Wrapped,
}

/// A text in its stream: what begins it, a piece of it (`$` in the place of the text), the place of the text, and what
/// ends it.
pub(crate) type Part = (Field, &'static [&'static str], &'static str, &'static str, &'static [&'static str]);

/// An API's stream.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) transfer: Transfer,
    /// What comes first.
    pub(crate) begin: &'static [&'static str],
    /// Texts in the order in which they come.
    pub(crate) fields: &'static [Part],
    /// What comes last.
    pub(crate) end: &'static [&'static str],
}

pub(crate) const FORMATS: &[Format] = &[
    Format {
        name: "chat completions",
        content_type: "text/event-stream; charset=utf-8",
        transfer: Transfer::Done,
        begin: &[
            r#"{"id":"c1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}"#,
        ],
        fields: &[
            (
                Field::Reasoning,
                &[],
                r#"{"id":"c1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"$"},"finish_reason":null}]}"#,
                "/choices/0/delta/reasoning_content",
                &[],
            ),
            (
                Field::Text,
                &[],
                r#"{"id":"c1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":"$"},"logprobs":null,"finish_reason":null}],"obfuscation":"aB3"}"#,
                "/choices/0/delta/content",
                &[],
            ),
            (
                Field::Arguments,
                &[
                    r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"send","arguments":""}}]},"finish_reason":null}]}"#,
                ],
                r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"$"}}]},"finish_reason":null}]}"#,
                "/choices/0/delta/tool_calls/0/function/arguments",
                &[],
            ),
        ],
        end: &[
            r#"{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
            r#"{"id":"c1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#,
        ],
    },
    Format {
        name: "completions",
        content_type: "text/event-stream",
        transfer: Transfer::Done,
        begin: &[],
        fields: &[(
            Field::Text,
            &[],
            r#"{"id":"cmpl-1","object":"text_completion","created":1700000000,"choices":[{"text":"$","index":0,"logprobs":null,"finish_reason":null}],"model":"m"}"#,
            "/choices/0/text",
            &[],
        )],
        end: &[r#"{"id":"cmpl-1","choices":[{"text":"","index":0,"finish_reason":"stop"}]}"#],
    },
    Format {
        name: "responses",
        content_type: "text/event-stream; charset=utf-8",
        transfer: Transfer::Named,
        begin: &[
            r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","created_at":1700000000,"status":"in_progress","output":[]}}"#,
        ],
        fields: &[
            (
                Field::Reasoning,
                &[
                    r#"{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}"#,
                ],
                r#"{"type":"response.reasoning_summary_text.delta","sequence_number":2,"item_id":"rs_1","output_index":0,"summary_index":0,"delta":"$"}"#,
                "/delta",
                &[
                    r#"{"type":"response.reasoning_summary_text.done","sequence_number":3,"item_id":"rs_1","output_index":0,"summary_index":0,"text":"$$"}"#,
                ],
            ),
            (
                Field::Text,
                &[
                    r#"{"type":"response.output_item.added","sequence_number":4,"output_index":1,"item":{"id":"msg_1","type":"message","status":"in_progress","content":[],"role":"assistant"}}"#,
                    r#"{"type":"response.content_part.added","sequence_number":5,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","annotations":[],"text":""}}"#,
                ],
                r#"{"type":"response.output_text.delta","sequence_number":6,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"$","logprobs":[],"obfuscation":"xY"}"#,
                "/delta",
                &[
                    r#"{"type":"response.output_text.done","sequence_number":7,"item_id":"msg_1","output_index":1,"content_index":0,"text":"$$","logprobs":[]}"#,
                    r#"{"type":"response.content_part.done","sequence_number":8,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","annotations":[],"text":"$$"}}"#,
                ],
            ),
            (
                Field::Arguments,
                &[
                    r#"{"type":"response.output_item.added","sequence_number":9,"output_index":2,"item":{"id":"fc_1","type":"function_call","call_id":"call_1","name":"send","arguments":""}}"#,
                ],
                r#"{"type":"response.function_call_arguments.delta","sequence_number":10,"item_id":"fc_1","output_index":2,"delta":"$"}"#,
                "/delta",
                &[
                    r#"{"type":"response.function_call_arguments.done","sequence_number":11,"item_id":"fc_1","output_index":2,"arguments":"$$"}"#,
                ],
            ),
        ],
        end: &[
            r#"{"type":"response.completed","sequence_number":12,"response":{"id":"resp_1","status":"completed","usage":{"input_tokens":9,"output_tokens":2}}}"#,
        ],
    },
    Format {
        name: "messages",
        content_type: "text/event-stream; charset=utf-8",
        transfer: Transfer::Named,
        begin: &[
            r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"m","stop_reason":null,"usage":{"input_tokens":9}}}"#,
        ],
        fields: &[
            (
                Field::Reasoning,
                &[
                    r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
                ],
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"$"}}"#,
                "/delta/thinking",
                &[
                    r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk"}}"#,
                    r#"{"type":"content_block_stop","index":0}"#,
                ],
            ),
            (
                Field::Text,
                &[
                    r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
                    r#"{"type":"ping"}"#,
                ],
                r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"$"}}"#,
                "/delta/text",
                &[r#"{"type":"content_block_stop","index":1}"#],
            ),
            (
                Field::Arguments,
                &[
                    r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"send","input":{}}}"#,
                ],
                r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"$"}}"#,
                "/delta/partial_json",
                &[r#"{"type":"content_block_stop","index":2}"#],
            ),
        ],
        end: &[
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":2}}"#,
            r#"{"type":"message_stop"}"#,
        ],
    },
    Format {
        name: "gemini events",
        content_type: "text/event-stream",
        transfer: Transfer::Unnamed,
        begin: &[],
        fields: GEMINI,
        end: &[
            r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9},"modelVersion":"g"}"#,
        ],
    },
    Format {
        name: "gemini that says in every event that it is the last",
        content_type: "text/event-stream",
        transfer: Transfer::Unnamed,
        begin: &[],
        fields: &[(
            Field::Text,
            &[],
            r#"{"candidates":[{"content":{"parts":[{"text":"$"}],"role":"model"},"finishReason":"STOP","index":0}]}"#,
            "/candidates/0/content/parts/0/text",
            &[],
        )],
        end: &[],
    },
    Format {
        name: "gemini array",
        content_type: "application/json; charset=UTF-8",
        transfer: Transfer::Array,
        begin: &[],
        fields: GEMINI,
        end: &[
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}}],"role":"model"},"finishReason":"STOP"}]}"#,
        ],
    },
    Format {
        name: "cohere",
        content_type: "text/event-stream",
        transfer: Transfer::Named,
        begin: &[
            r#"{"type":"message-start","id":"1","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#,
        ],
        fields: &[
            (
                Field::Reasoning,
                &[],
                r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"$"}}}"#,
                "/delta/message/tool_plan",
                &[],
            ),
            (
                Field::Arguments,
                &[
                    r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"t1","type":"function","function":{"name":"send","arguments":""}}}}}"#,
                ],
                r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"$"}}}}}"#,
                "/delta/message/tool_calls/function/arguments",
                &[r#"{"type":"tool-call-end","index":0}"#],
            ),
            (
                Field::Text,
                &[r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#],
                r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"$"}}}}"#,
                "/delta/message/content/text",
                &[r#"{"type":"content-end","index":0}"#],
            ),
        ],
        end: &[
            r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":9}}}}"#,
        ],
    },
    Format {
        name: "cohere v1",
        content_type: "application/stream+json",
        transfer: Transfer::Lines,
        begin: &[r#"{"is_finished":false,"event_type":"stream-start","generation_id":"g1"}"#],
        fields: &[(
            Field::Text,
            &[],
            r#"{"is_finished":false,"event_type":"text-generation","text":"$"}"#,
            "/text",
            &[],
        )],
        end: &[
            r#"{"is_finished":true,"event_type":"stream-end","finish_reason":"COMPLETE","response":{"generation_id":"g1","text":""}}"#,
        ],
    },
    Format {
        name: "ollama chat",
        content_type: "application/x-ndjson",
        transfer: Transfer::Lines,
        begin: &[],
        fields: &[
            (
                Field::Reasoning,
                &[],
                r#"{"model":"m","created_at":"2026-01-02T03:04:05.678901234Z","message":{"role":"assistant","content":"","thinking":"$"},"done":false}"#,
                "/message/thinking",
                &[],
            ),
            (
                Field::Text,
                &[],
                r#"{"model":"m","created_at":"2026-01-02T03:04:05.678901234Z","message":{"role":"assistant","content":"$"},"done":false}"#,
                "/message/content",
                &[],
            ),
        ],
        end: &[
            r#"{"model":"m","created_at":"2026-01-02T03:04:05.678901234Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":4883583458,"eval_count":2}"#,
        ],
    },
    Format {
        name: "ollama generate",
        content_type: "application/json",
        transfer: Transfer::Lines,
        begin: &[],
        fields: &[(Field::Text, &[], r#"{"model":"m","response":"$","done":false}"#, "/response", &[])],
        end: &[r#"{"model":"m","response":"","done":true,"context":[1,2,3]}"#],
    },
    Format {
        name: "converse",
        content_type: "application/vnd.amazon.eventstream",
        transfer: Transfer::Messages,
        begin: &[r#"{"role":"assistant","p":"ab"}"#],
        fields: &[
            (
                Field::Reasoning,
                &[],
                r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"$"}},"p":"abcd"}"#,
                "/delta/reasoningContent/text",
                &[r#"{"contentBlockIndex":0,"p":"a"}"#],
            ),
            (
                Field::Text,
                &[],
                r#"{"contentBlockIndex":1,"delta":{"text":"$"},"p":"abcdef"}"#,
                "/delta/text",
                &[r#"{"contentBlockIndex":1,"p":"a"}"#],
            ),
            (
                Field::Arguments,
                &[r#"{"contentBlockIndex":2,"p":"abc","start":{"toolUse":{"name":"send","toolUseId":"tooluse_1"}}}"#],
                r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":"$"}},"p":"abc"}"#,
                "/delta/toolUse/input",
                &[r#"{"contentBlockIndex":2,"p":"a"}"#],
            ),
        ],
        end: &[
            r#"{"p":"abc","stopReason":"tool_use"}"#,
            r#"{"metrics":{"latencyMs":1234567},"p":"a","usage":{"inputTokens":9,"outputTokens":2}}"#,
        ],
    },
    Format {
        name: "invoke, messages",
        content_type: "application/vnd.amazon.eventstream",
        transfer: Transfer::Wrapped,
        begin: &[
            r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[]}}"#,
        ],
        fields: &[(
            Field::Text,
            &[r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#],
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"$"}}"#,
            "/delta/text",
            &[r#"{"type":"content_block_stop","index":0}"#],
        )],
        end: &[
            r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":9,"invocationLatency":1234567}}"#,
        ],
    },
    Format {
        name: "invoke, nova",
        content_type: "application/vnd.amazon.eventstream",
        transfer: Transfer::Wrapped,
        begin: &[r#"{"messageStart":{"role":"assistant"}}"#],
        fields: &[(
            Field::Text,
            &[],
            r#"{"contentBlockDelta":{"delta":{"text":"$"},"contentBlockIndex":0}}"#,
            "/contentBlockDelta/delta/text",
            &[r#"{"contentBlockStop":{"contentBlockIndex":0}}"#],
        )],
        end: &[r#"{"messageStop":{"stopReason":"end_turn"}}"#],
    },
    Format {
        name: "invoke, titan",
        content_type: "application/vnd.amazon.eventstream",
        transfer: Transfer::Wrapped,
        begin: &[],
        fields: &[(Field::Text, &[], r#"{"outputText":"$","index":0,"completionReason":null}"#, "/outputText", &[])],
        end: &[r#"{"outputText":"","index":0,"completionReason":"FINISH"}"#],
    },
    Format {
        name: "invoke, llama",
        content_type: "application/vnd.amazon.eventstream",
        transfer: Transfer::Wrapped,
        begin: &[],
        fields: &[(Field::Text, &[], r#"{"generation":"$","stop_reason":null}"#, "/generation", &[])],
        end: &[r#"{"generation":"","stop_reason":"stop"}"#],
    },
    Format {
        name: "invoke, mistral",
        content_type: "application/vnd.amazon.eventstream",
        transfer: Transfer::Wrapped,
        begin: &[],
        fields: &[(Field::Text, &[], r#"{"outputs":[{"text":"$","stop_reason":null}]}"#, "/outputs/0/text", &[])],
        end: &[r#"{"outputs":[{"text":"","stop_reason":"stop"}]}"#],
    },
];

const GEMINI: &[Part] = &[
    (
        Field::Reasoning,
        &[],
        r#"{"candidates":[{"content":{"parts":[{"text":"$","thought":true}],"role":"model"},"index":0}],"modelVersion":"g"}"#,
        "/candidates/0/content/parts/0/text",
        &[],
    ),
    (
        Field::Text,
        &[],
        r#"{"candidates":[{"content":{"parts":[{"text":"$"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9},"modelVersion":"g"}"#,
        "/candidates/0/content/parts/0/text",
        &[],
    ),
];

fn string(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

impl Format {
    /// Whether the stream has such a text.
    pub(crate) fn has(&self, field: Field) -> bool {
        self.fields.iter().any(|(of, ..)| *of == field)
    }

    /// The stream of these texts, each in its pieces.
    pub(crate) fn stream(&self, texts: &[(Field, Vec<String>)]) -> Vec<u8> {
        let mut events: Vec<String> = self.begin.iter().map(|event| (*event).to_owned()).collect();
        for (field, begin, piece, _, end) in self.fields {
            let Some((_, pieces)) = texts.iter().find(|(of, _)| of == field) else { continue };
            events.extend(begin.iter().map(|event| (*event).to_owned()));
            events.extend(pieces.iter().map(|text| piece.replace('$', &string(text))));
            events.extend(end.iter().map(|event| event.replace("$$", &string(&pieces.concat()))));
        }
        events.extend(self.end.iter().map(|event| (*event).to_owned()));
        self.framed(&events)
    }

    /// The beginning of a stream that breaks off behind these pieces of a text.
    pub(crate) fn unended(&self, text: &[&str]) -> Vec<u8> {
        let (_, begin, piece, ..) = self.fields.iter().find(|(of, ..)| *of == Field::Text).unwrap();
        let first = self.begin.iter().chain(*begin).map(|event| (*event).to_owned());
        let stream =
            self.framed(&first.chain(text.iter().map(|text| piece.replace('$', &string(text)))).collect::<Vec<_>>());
        let end: &[u8] = if self.transfer == Transfer::Done { b"data: [DONE]\n\n" } else { b"" };
        stream.strip_suffix(end).unwrap().to_vec()
    }

    fn framed(&self, events: &[String]) -> Vec<u8> {
        let named = |data: &String| {
            let kind: Value = serde_json::from_str(data).unwrap();
            format!("event: {}\r\ndata: {data}\r\n\r\n", kind["type"].as_str().unwrap()).into_bytes()
        };
        match self.transfer {
            Transfer::Done | Transfer::Unnamed => {
                let mut stream = String::from(": hello\n\n");
                events.iter().for_each(|data| stream.push_str(&format!("data: {data}\n\n")));
                if self.transfer == Transfer::Done {
                    stream.push_str("data: [DONE]\n\n");
                }
                stream.into_bytes()
            }
            Transfer::Named => events.iter().flat_map(named).collect(),
            Transfer::Lines => events.iter().map(|data| format!("{data}\n")).collect::<String>().into_bytes(),
            Transfer::Array => format!("[{}\n]\n", events.join("\n,\r\n")).into_bytes(),
            Transfer::Messages => events.iter().flat_map(|data| message(data)).collect(),
            Transfer::Wrapped => events
                .iter()
                .flat_map(|data| message(&format!(r#"{{"bytes":"{}","p":"abcdefgh"}}"#, STANDARD.encode(data))))
                .collect(),
        }
    }

    /// The documents of a stream.
    pub(crate) fn documents(&self, stream: &[u8]) -> Vec<Value> {
        let text = || std::str::from_utf8(stream).unwrap();
        let parse =
            |data: &str| serde_json::from_str::<Value>(data).unwrap_or_else(|_| panic!("{}: {data}", self.name));
        match self.transfer {
            Transfer::Done | Transfer::Unnamed | Transfer::Named => {
                let text = text().replace("\r\n", "\n");
                let data = text.split("\n\n").filter_map(|event| {
                    let lines: Vec<_> = event.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
                    (!lines.is_empty()).then(|| lines.join("\n"))
                });
                data.filter(|data| data != "[DONE]").map(|data| parse(&data)).collect()
            }
            Transfer::Lines => text().lines().filter(|line| !line.is_empty()).map(parse).collect(),
            Transfer::Array => parse(text()).as_array().unwrap().clone(),
            Transfer::Messages => messages(stream).iter().map(|payload| parse(payload)).collect(),
            Transfer::Wrapped => {
                let inner = |payload: &String| {
                    let bytes = STANDARD.decode(parse(payload)["bytes"].as_str().unwrap()).unwrap();
                    parse(std::str::from_utf8(&bytes).unwrap())
                };
                messages(stream).iter().map(inner).collect()
            }
        }
    }

    /// The texts of a stream, as a client puts them together.
    pub(crate) fn read(&self, stream: &[u8]) -> Vec<(Field, String)> {
        let documents = self.documents(stream);
        let mut texts = Vec::new();
        for (field, _, piece, place, _) in self.fields {
            let form: Value = serde_json::from_str(piece).unwrap();
            let same = |document: &&Value| {
                document.pointer(place).is_some_and(Value::is_string)
                    && ["/type", "/contentBlockIndex", "/candidates/0/content/parts/0/thought"]
                        .iter()
                        .all(|place| document.pointer(place) == form.pointer(place))
            };
            let text: String = documents
                .iter()
                .filter(same)
                .map(|document| document.pointer(place).unwrap().as_str().unwrap())
                .collect();
            texts.push((*field, text));
        }
        texts
    }
}

/// A message of an AWS event stream.
pub(crate) fn message(payload: &str) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in [(":event-type", "chunk"), (":content-type", "application/json"), (":message-type", "event")] {
        headers.push(name.len() as u8);
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&(value.len() as u16).to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let total = headers.len() + payload.len() + 16;
    let mut message = Vec::new();
    message.extend_from_slice(&(total as u32).to_be_bytes());
    message.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message.extend_from_slice(&headers);
    message.extend_from_slice(payload.as_bytes());
    message.extend_from_slice(&crc32fast::hash(&message).to_be_bytes());
    message
}

/// The payloads of an AWS event stream, whose checksums must be right.
fn messages(stream: &[u8]) -> Vec<String> {
    let mut rest = stream;
    let mut payloads = Vec::new();
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    while !rest.is_empty() {
        let total = number(&rest[..4]) as usize;
        let headers = number(&rest[4..8]) as usize;
        assert_eq!(crc32fast::hash(&rest[..8]), number(&rest[8..12]));
        assert_eq!(crc32fast::hash(&rest[..total - 4]), number(&rest[total - 4..total]));
        payloads.push(String::from_utf8(rest[12 + headers..total - 4].to_vec()).unwrap());
        rest = &rest[total..];
    }
    payloads
}
