//! Outputs of the filter in real Envoy: the cost in headers and trailers, tokens for feedback, metrics with labels.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};
use tollgate_e2e::{Answer, Envoy, Piece, Settings, Upstream, client};
use tollgate_feedback::{Key, verify};

const PATH: &str = "/v1/chat/completions";
const REQUEST: &[u8] = br#"{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}"#;
const ANSWER: &str = r#"{"id":"c1","object":"chat.completion","model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":200,"total_tokens":1200}}"#;
const EVENTS: [&[u8]; 3] = [
    b"data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n",
    b"data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-4o\",\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":200}}\n\n",
    b"data: [DONE]\n\n",
];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const SECRET: &str = "Bw8XHycvNz9HT1dfZ293f4ePl5+nr7e/x8/X3+fv9/8=";

/// Envoy as `response_headers` needs it.
fn holding(upstream: &Upstream, filter: &str) -> Settings {
    let policy = "failure_policy: FAIL_RELOAD";
    let both = format!("{policy}\n                        allow_on_headers_stop_iteration: true");
    Settings::new(upstream.port()).filter(filter).replaced(policy, &both)
}

fn ours(response: &client::Response) -> Vec<String> {
    let fields = response.headers.iter().filter_map(|(name, value)| {
        Some(format!("{}={}", name.strip_prefix("x-tollgate-")?, String::from_utf8_lossy(value)))
    });
    let mut fields: Vec<_> = fields.collect();
    fields.sort();
    fields
}

const SET: [&str; 5] =
    ["cost=0.0045", "input-tokens=1000", "model=gpt-4o-2024-08-06", "output-tokens=200", "usage-source=reported"];

#[test]
fn a_document_says_what_it_cost() {
    let large = ANSWER.replace("\"hi\"", &format!("{:?}", "x".repeat(900_000)));
    let too_large = ANSWER.replace("\"hi\"", &format!("{:?}", "x".repeat(3 << 20)));
    let bodies = [ANSWER.to_owned(), large, too_large];
    let answers = bodies.clone();
    let upstream = Upstream::start(move |request| {
        let number: usize = request.header("x-number").unwrap().parse().unwrap();
        let body = answers[number / 2].as_bytes();
        match number % 2 {
            0 => Answer::sized(200, JSON, body),
            _ => Answer::chunked(200, JSON, body.chunks(50_000)).end(),
        }
    });
    let Some(envoy) = Envoy::start(&holding(&upstream, r#"{"access_log": "record", "response_headers": true}"#)) else {
        return;
    };
    for number in 0..6 {
        let number_text = number.to_string();
        let headers: [(&str, &[u8]); 2] = [("content-type", b"application/json"), ("x-number", number_text.as_bytes())];
        let response = client::request(envoy.port(), "POST", PATH, &headers, REQUEST);
        assert!(response.whole && response.body == bodies[number / 2].as_bytes(), "{number}: {}", response.body.len());
        assert_eq!(response.status, 200);
        assert_eq!(ours(&response), if number < 4 { &SET[..] } else { &[] }, "{number}");
        assert_eq!(response.header("content-length").is_some(), number % 2 == 0, "{number}");
    }
    assert_eq!(envoy.wait_count("response_headers;result=set", 4), 4);
    assert_eq!(envoy.wait_count("response_headers;result=too_large", 2), 2);
    for line in envoy.access_log(6) {
        assert_eq!((&line["cost_usd"], &line["outcome"]), (&"0.0045".into(), &"complete".into()));
    }
}

#[test]
fn a_document_that_comes_slowly_or_not_at_all() {
    let (one, two) = ANSWER.as_bytes().split_at(60);
    let upstream = Upstream::start(move |request| {
        let begun = Answer::chunked(200, JSON, [one]);
        match request.header("x-number").unwrap().as_str() {
            "0" => begun.then(Piece::Pause(Duration::from_millis(200))).chunk(two).end(),
            "1" => begun.then(Piece::Pause(Duration::from_millis(1500))).chunk(two).chunk(b" ").end(),
            _ => begun.then(Piece::Reset),
        }
    });
    let filter = r#"{"response_headers": {"wait_ms": 1000}}"#;
    let Some(envoy) = Envoy::start(&holding(&upstream, filter)) else { return };
    let call = |number: &str| {
        let headers: [(&str, &[u8]); 2] = [("content-type", b"application/json"), ("x-number", number.as_bytes())];
        client::request(envoy.port(), "POST", PATH, &headers, REQUEST)
    };
    assert_eq!(ours(&call("0")), SET);
    let late = call("1");
    assert_eq!((ours(&late), late.body), (Vec::new(), [ANSWER.as_bytes(), b" "].concat()));
    // Nothing of it had gone on, so that Envoy can say what happened.
    let broken = call("2");
    assert_eq!((broken.status, broken.whole), (502, true));
    assert_eq!(envoy.wait_count("response_headers;result=late", 1), 1);
    assert_eq!(envoy.wait_count("response_headers;result=incomplete", 1), 1);
}

#[test]
fn more_than_envoy_buffers_is_slower_and_not_lost() {
    let body = ANSWER.replace("\"hi\"", &format!("{:?}", "x".repeat(4 << 20)));
    let sent = body.clone();
    let upstream = Upstream::start(move |_| Answer::chunked(200, JSON, sent.as_bytes().chunks(100_000)).end());
    let filter = r#"{"response_headers": {"max_body_bytes": 8388608, "wait_ms": 500}}"#;
    let Some(envoy) = Envoy::start(&holding(&upstream, filter)) else { return };
    for _ in 0..3 {
        let response = client::post(envoy.port(), PATH, REQUEST);
        assert_eq!(response.status, 200);
        assert!(response.whole && response.body == body.as_bytes(), "{} bytes came", response.body.len());
    }
    let told = envoy.wait_count("response_headers;result=", 3);
    assert_eq!(told, 3, "{:?}", envoy.metrics());
}

#[test]
fn without_the_option_of_envoy_answers_go_on_without_headers() {
    let upstream = Upstream::start(|_| Answer::json(ANSWER));
    let settings = Settings::new(upstream.port()).filter(r#"{"response_headers": {"wait_ms": 200}}"#);
    let Some(envoy) = Envoy::start(&settings) else { return };
    for number in 0..5 {
        let since = Instant::now();
        let response = client::post(envoy.port(), PATH, REQUEST);
        assert_eq!((response.status, response.body.as_slice()), (200, ANSWER.as_bytes()));
        assert_eq!(ours(&response), Vec::<String>::new());
        assert!(number < 3 || since.elapsed() < Duration::from_millis(150), "{number}: no more are held");
    }
    assert_eq!(envoy.wait_count("response_headers;result=not_held", 5), 5);
    assert!(envoy.log().contains("allow_on_headers_stop_iteration"), "{}", envoy.log());
}

#[test]
fn a_stream_says_it_in_trailers() {
    for trailers in ["", "x-checksum: abc\r\n"] {
        let upstream = Upstream::start(move |_| {
            let headers = &[("content-type", "text/event-stream")];
            Answer::chunked(200, headers, EVENTS).then(Piece::Bytes(format!("0\r\n{trailers}\r\n").into_bytes()))
        });
        let on = "stream_idle_timeout: 300s\n                http_protocol_options: { enable_trailers: true }";
        let filter = r#"{"response_headers": {"trailers": true}}"#;
        let upstream_on = "connect_timeout: 5s
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http_protocol_options: { enable_trailers: true } }";
        let settings = holding(&upstream, filter)
            .replaced("stream_idle_timeout: 300s", on)
            .replaced("connect_timeout: 5s", upstream_on);
        let Some(envoy) = Envoy::start(&settings) else { return };
        let mut socket = TcpStream::connect(("127.0.0.1", envoy.port())).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head = format!(
            "POST {PATH} HTTP/1.1\r\nhost: api.openai.com\r\nconnection: close\r\nte: trailers\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            REQUEST.len()
        );
        socket.write_all(&[head.as_bytes(), REQUEST].concat()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (_, behind) = answer.split_once("data: [DONE]\n\n\r\n0\r\n").unwrap();
        for field in ["x-tollgate-cost: 0.0045", "x-tollgate-output-tokens: 200", trailers.trim()] {
            assert!(behind.contains(field), "{field}: {answer}");
        }
        assert_eq!(envoy.wait_count("response_headers;result=trailers", 1), 1);
    }
}

#[test]
fn every_answer_has_a_token_for_feedback() {
    let upstream = Upstream::start(|request| {
        if request.body.windows(6).any(|part| part == b"stream") {
            return Answer::chunked(200, &[("content-type", "text/event-stream")], EVENTS).then(Piece::Hold).end();
        }
        Answer::json(ANSWER)
    });
    let filter = format!(r#"{{"feedback": {{"key": "{SECRET}", "key_id": 2}}}}"#);
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port()).filter(&filter)) else { return };
    let keys = [Key::read(2, SECRET).unwrap()];
    let token = |response: &client::Response| {
        let text = String::from_utf8(response.header("x-tollgate-feedback").unwrap().to_vec()).unwrap();
        let token = verify(&keys, &text, 0).unwrap();
        let hex: String = token.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
        hex
    };
    let parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers: [(&str, &[u8]); 2] = [("content-type", b"application/json"), ("traceparent", parent)];
    let response = client::request(envoy.port(), "POST", PATH, &headers, REQUEST);
    assert_eq!(token(&response), "0af7651916cd43dd8448eb211c80319c");
    let streamed = br#"{"model":"gpt-4o","stream":true,"messages":[]}"#;
    let mut exchange = client::Exchange::begin(envoy.port(), "POST", PATH, &headers[..1], streamed);
    let of_stream = token(&exchange.head());
    upstream.go_on();
    let head = client::Response {
        status: 200,
        headers: vec![("transfer-encoding".into(), b"chunked".to_vec())],
        body: Vec::new(),
        trailers: Vec::new(),
        whole: false,
    };
    assert!(exchange.rest(head).whole);
    let lines = envoy.access_log(2);
    assert_eq!(lines[0]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(lines[1]["trace_id"].as_str(), Some(of_stream.as_str()), "the ids of the call are those of the token");
    assert!(!envoy.log().contains(SECRET) && !envoy.admin("/stats").contains(SECRET));
}

#[test]
fn models_and_labels_come_out_as_tags() {
    let upstream = Upstream::start(|request| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        Answer::json(ANSWER.replace("gpt-4o-2024-08-06", body["model"].as_str().unwrap()))
    });
    let filter = r#"{"metrics": {"models": ["gpt-4o*"]}, "cost": {"warning_usd": 0.001, "critical_usd": null}}"#;
    let Some(envoy) = Envoy::start(&Settings::new(upstream.port()).filter(filter)) else { return };
    for model in ["gpt-4o", "probe-1", "probe-2"] {
        let body = String::from_utf8_lossy(REQUEST).replace("gpt-4o", model);
        assert_eq!(client::post(envoy.port(), PATH, body.as_bytes()).status, 200);
    }
    assert_eq!(envoy.wait_count("calls", 3), 3);
    // What the filter gathers it tells with its timer at the latest.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let page = envoy.admin("/stats/prometheus?filter=wasmcustom");
        let wanted = [
            r#"tollgate_calls{provider="openai",operation="chat",model="gpt-4o",outcome="complete"} 1"#,
            r#"tollgate_calls{provider="openai",operation="chat",model="other",outcome="complete"} 2"#,
            r#"tollgate_cost_alerts{level="warning"} 1"#,
        ];
        let missing: Vec<_> = wanted.iter().filter(|line| !has_series(&page, line)).collect();
        if missing.is_empty() {
            assert!(!page.contains("probe-"), "{page}");
            return;
        }
        assert!(Instant::now() < deadline, "{missing:?} in\n{page}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Whether a page has a series, whatever the order of its labels.
fn has_series(page: &str, wanted: &str) -> bool {
    let parts = |line: &str| {
        let (name, rest) = line.split_once('{')?;
        let (labels, value) = rest.rsplit_once('}')?;
        let mut labels: Vec<_> = labels.split(',').map(str::to_owned).collect();
        labels.sort();
        let name = name.rsplit_once("tollgate_").map_or(name, |(_, name)| name).to_owned();
        Some((name, labels, value.trim().to_owned()))
    };
    let wanted = parts(wanted);
    page.lines().any(|line| parts(line) == wanted)
}
