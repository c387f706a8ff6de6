//! What passes real Envoy with the filter and is not read: other protocols, and more than HTTP's plainest forms.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tollgate_e2e::chat::{ANSWER, PATH, REQUEST};
use tollgate_e2e::{Answer, Envoy, Piece, Request, Settings, Upstream, client};

const CONNECTIONS: &str = r#"
upgrade_configs: [{ upgrade_type: websocket }, { upgrade_type: CONNECT }]
http2_protocol_options: { allow_connect: true }
http_protocol_options: { enable_trailers: true }"#;
const TUNNEL: &str = r#"
- match: { connect_matcher: {} }
  route: { cluster: provider, upgrade_configs: [{ upgrade_type: CONNECT, connect_config: {} }] }"#;
const OVER_HTTP_2: &str = r#"
- match: { prefix: "/", headers: [{ name: x-http, string_match: { exact: "2" } }] }
  route: { cluster: http-2 }"#;
const GRPC: &[u8] = b"\x00\x00\x00\x00\x05\x0a\x03abc";

fn act(request: &Request) -> Answer {
    if request.header("upgrade").is_some() {
        let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        return Answer::raw(head).then(Piece::Echo);
    }
    match request.header("content-type").unwrap_or_default().as_str() {
        kind if kind.starts_with("application/grpc") => {
            assert_eq!(request.body, GRPC);
            let trailers = Piece::Bytes(b"0\r\ngrpc-status: 0\r\n\r\n".to_vec());
            Answer::chunked(200, &[("content-type", kind)], [GRPC, GRPC]).then(trailers)
        }
        _ => Answer::json(ANSWER),
    }
}

/// A connection that patience is limited with.
fn connect(port: u16) -> BufReader<TcpStream> {
    let socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    BufReader::new(socket)
}

fn write(socket: &mut BufReader<TcpStream>, bytes: &[u8]) {
    socket.get_mut().write_all(bytes).unwrap();
}

/// The lines of a head.
fn head(socket: &mut BufReader<TcpStream>) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        socket.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => return lines,
            line => lines.push(line.to_ascii_lowercase()),
        }
    }
}

/// Opens a WebSocket and sends bytes both ways; what comes back has to be what went.
fn web_socket(port: u16, path: &str) {
    let mut socket = connect(port);
    write(
        &mut socket,
        format!(
            "GET {path} HTTP/1.1\r\nhost: api.openai.com\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        .as_bytes(),
    );
    let lines = head(&mut socket);
    assert!(lines[0].starts_with("http/1.1 101"), "{path}: {lines:?}");
    for length in [1, 200, 70_000] {
        // What looks like an answer of the API is none here.
        let sent: Vec<u8> = ANSWER.bytes().cycle().take(length).collect();
        write(&mut socket, &sent);
        let mut got = vec![0; length];
        socket.read_exact(&mut got).unwrap();
        assert!(got == sent, "{path}: {length} bytes did not come back");
    }
}

/// A call of gRPC as far as an HTTP/1.1 client can make one.
fn grpc(port: u16, kind: &str) {
    let headers: &[(&str, &[u8])] = &[("content-type", kind.as_bytes()), ("te", b"trailers")];
    let response = client::request(port, "POST", "/google.ai.v1.GenerativeService/GenerateContent", headers, GRPC);
    assert_eq!((response.status, response.whole), (200, true), "{kind}");
    assert_eq!(response.body, [GRPC, GRPC].concat(), "{kind}");
    assert_eq!(response.trailers, ["grpc-status: 0"], "{kind}");
}

#[test]
fn other_protocols_pass_and_are_counted() {
    let upstream = Upstream::start(act);
    let settings = |provider| Settings::new(provider).connections(CONNECTIONS.trim_start());
    let both = "http_protocol_options: { enable_trailers: true }";
    let http_2 = "http2_protocol_options: { allow_connect: true }";
    // Over HTTP/2: caller, Envoy alone, the filter, Envoy alone, provider.
    let Some(behind) = Envoy::start(&settings(upstream.port()).speaking(both).without_filter()) else { return };
    let filtering = settings(upstream.port()).speaking(both).routes(TUNNEL.trim_start());
    let filtering = filtering.cluster("http-2", behind.port(), http_2);
    let Some(envoy) = Envoy::start(&filtering.routes(OVER_HTTP_2.trim_start())) else { return };
    let mark = "request_headers_to_add: [{ header: { key: x-http, value: \"2\" } }]";
    let ahead = settings(envoy.port()).speaking(http_2).without_filter().route_table(mark);
    let Some(ahead) = Envoy::start(&ahead) else { return };

    for port in [envoy.port(), ahead.port()] {
        web_socket(port, "/v1/realtime?model=gpt-realtime");
        web_socket(port, "/v1/responses");
        web_socket(port, PATH);
        for kind in ["application/grpc", "application/grpc-web+proto", "application/grpc-web-text"] {
            grpc(port, kind);
        }
    }
    // A tunnel: what is in it is not read, though it is a call.
    let mut tunnel = connect(envoy.port());
    write(&mut tunnel, b"CONNECT api.openai.com:443 HTTP/1.1\r\nhost: api.openai.com:443\r\n\r\n");
    assert!(head(&mut tunnel)[0].starts_with("http/1.1 200"));
    let request = format!("POST {PATH} HTTP/1.1\r\nhost: api.openai.com\r\ncontent-length: {}\r\n\r\n", REQUEST.len());
    write(&mut tunnel, &[request.as_bytes(), REQUEST].concat());
    assert!(head(&mut tunnel)[0].starts_with("http/1.1 200"));
    let mut body = vec![0; ANSWER.len()];
    tunnel.read_exact(&mut body).unwrap();
    assert_eq!(body, ANSWER.as_bytes());
    drop(tunnel);

    let lines = envoy.access_log(13);
    assert!(lines.iter().all(|line| line["record"].is_null()), "{lines:#?}");
    envoy.settle();
    let counted = ["realtime", "upgrade", "grpc"].map(|reason| envoy.count(&format!("skipped;reason={reason}")));
    assert_eq!(counted, [2, 5, 6], "{:?}", envoy.metrics());
    assert_eq!((envoy.count("skipped"), envoy.count("calls")), (13, 0));
    assert!(envoy.stat("http.llm_egress.downstream_cx_http2_total") > 0);
    assert!(envoy.stat("cluster.http-2.upstream_cx_http2_total") > 0);
}

#[test]
fn a_caller_that_waits_for_100_continue() {
    // Envoy answers `100` itself, or asks the provider, whose interim answer then comes first.
    for asks in [false, true] {
        let upstream = Upstream::start(move |request| {
            assert_eq!(request.header("expect").is_some(), asks);
            let interim = if asks { "HTTP/1.1 100 Continue\r\n\r\n" } else { "" };
            let length = ANSWER.len();
            Answer::raw(format!(
                "{interim}HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{ANSWER}"
            ))
        });
        let settings = Settings::new(upstream.port()).connections(&format!("proxy_100_continue: {asks}"));
        let Some(envoy) = Envoy::start(&settings) else { return };
        let mut socket = connect(envoy.port());
        let request = format!(
            "POST {PATH} HTTP/1.1\r\nhost: api.openai.com\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n\
             connection: close\r\ncontent-length: {}\r\n\r\n",
            REQUEST.len()
        );
        write(&mut socket, request.as_bytes());
        if !asks {
            assert!(head(&mut socket)[0].starts_with("http/1.1 100"));
        }
        write(&mut socket, REQUEST);
        if asks {
            assert!(head(&mut socket)[0].starts_with("http/1.1 100"));
        }
        assert!(head(&mut socket)[0].starts_with("http/1.1 200"), "asks: {asks}");
        let mut body = Vec::new();
        socket.read_to_end(&mut body).unwrap();
        assert_eq!(body, ANSWER.as_bytes());
        let line = &envoy.access_log(1)[0];
        assert_eq!((&line["outcome"], &line["input_tokens"]), (&"complete".into(), &"1000".into()));
        assert_eq!(line["status"], 200);
    }
}
