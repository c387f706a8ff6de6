//! Who may send: TLS with certificates of an authority of the test's own, certificates of clients, and bearer tokens.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use support::{Folder, Host, chat, client, request, run};
use tonic::{Code, Status};

/// A certificate authority.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for `localhost`, and its key.
    fn certificate(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// Writes a certificate and its key, and gives their names.
    fn write(&self, folder: &Folder) {
        let (certificate, key) = self.certificate();
        folder.write("cert.pem", certificate);
        folder.write("key.pem", key);
    }

    /// A client that trusts this authority alone, with a certificate where `identity` is one.
    fn client(&self, identity: Option<(String, String)>) -> reqwest::Client {
        drop(client());
        let root = reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap();
        let mut builder = reqwest::Client::builder().tls_certs_only([root]);
        if let Some((certificate, key)) = identity {
            builder = builder.identity(reqwest::Identity::from_pem(format!("{key}{certificate}").as_bytes()).unwrap());
        }
        builder.build().unwrap()
    }
}

/// A receiver's configuration with these keys; `DIR` is the folder of certificates.
fn receiver(protocol: &str, keys: &str, folder: &Folder) -> String {
    let keys = keys.replace("DIR", &folder.path("").display().to_string());
    format!("{protocol}: {{endpoint: 127.0.0.1:0, {keys}}}")
}

const TLS: &str = "tls: {cert_file: DIR/cert.pem, key_file: DIR/key.pem}";

fn https(address: &str) -> String {
    address.replace("http://127.0.0.1", "https://localhost")
}

/// Status of a request of spans over HTTP; `None` where there was no answer.
async fn post(client: &reqwest::Client, address: &str, token: Option<&str>) -> Option<u16> {
    let mut sent = client.post(format!("{address}/v1/traces")).header("content-type", "application/x-protobuf");
    if let Some(token) = token {
        sent = sent.header("authorization", format!("Bearer {token}"));
    }
    let answer = sent.body(request(&[chat(1, 1)])).send().await.ok()?;
    if answer.status() == 401 {
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
    }
    Some(answer.status().as_u16())
}

/// Code of a call of spans over gRPC; `None` where there was no answer.
async fn call(client: &reqwest::Client, address: &str, token: Option<&str>) -> Option<Code> {
    let message = request(&[chat(1, 1)]);
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let mut sent = client.post(format!("{address}{path}")).header("content-type", "application/grpc");
    if let Some(token) = token {
        sent = sent.header("authorization", format!("Bearer {token}"));
    }
    let answer = sent.body([&[0], length.as_slice(), &message].concat()).send().await.ok()?;
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    // An answer with a message has its status in the trailers, which this client does not show.
    Some(Status::from_header_map(answer.headers()).map_or(Code::Ok, |status| status.code()))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_client_that_knows_the_authority_gets_through() {
    let folder = Folder::new();
    let (authority, other) = (Authority::new(), Authority::new());
    authority.write(&folder);
    let host = Host::start_both(&receiver("grpc", TLS, &folder), &receiver("http", TLS, &folder), "");
    let (http, grpc) = (https(&host.http), https(&host.grpc));
    let right = authority.client(None);
    assert_eq!(post(&right, &http, None).await, Some(200));
    assert_eq!(call(&right, &grpc, None).await, Some(Code::Ok));
    let wrong = other.client(None);
    assert_eq!(post(&wrong, &http, None).await, None);
    assert_eq!(call(&wrong, &grpc, None).await, None);
    assert_eq!(post(&right, &host.http, None).await, None, "not encrypted");
    host.until_metric(r#"tollgate_connections_ended_total{receiver="OTLP/HTTP",reason="tls"} 2"#).await;
    host.until_metric(r#"tollgate_connections_ended_total{receiver="OTLP/gRPC",reason="tls"} 1"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_clients_are_required_or_optional() {
    let folder = Folder::new();
    let (authority, other) = (Authority::new(), Authority::new());
    authority.write(&folder);
    folder.write("ca.pem", &authority.pem);
    let tls = |more: &str| TLS.replace('}', &format!(", client_ca_file: DIR/ca.pem{more}}}"));
    let host = Host::start_both(
        &receiver("grpc", &tls(""), &folder),
        &receiver("http", &tls(", client_certificate: optional, min_version: \"1.3\""), &folder),
        "",
    );
    let (http, grpc) = (https(&host.http), https(&host.grpc));
    let none = authority.client(None);
    let right = authority.client(Some(authority.certificate()));
    let wrong = authority.client(Some(other.certificate()));
    assert_eq!(call(&none, &grpc, None).await, None);
    assert_eq!(call(&right, &grpc, None).await, Some(Code::Ok));
    assert_eq!(call(&wrong, &grpc, None).await, None);
    assert_eq!(post(&none, &http, None).await, Some(200));
    assert_eq!(post(&right, &http, None).await, Some(200));
    assert_eq!(post(&wrong, &http, None).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_certificates_are_used_without_a_restart() {
    let folder = Folder::new();
    let (old, new) = (Authority::new(), Authority::new());
    old.write(&folder);
    let host = Host::start_with(&receiver("http", TLS, &folder), "");
    let http = https(&host.http);
    assert_eq!(post(&old.client(None), &http, None).await, Some(200));
    // A key that does not fit is not taken, and said once.
    folder.write("key.pem", new.certificate().1);
    let reloads = |outcome: &str, count: u32| {
        format!(
            r#"tollgate_credential_reloads_total{{receiver="OTLP/HTTP",what="certificates",outcome="{outcome}"}} {count}"#
        )
    };
    host.until_metric(&reloads("failed", 1)).await;
    assert_eq!(post(&old.client(None), &http, None).await, Some(200));
    new.write(&folder);
    host.until_metric(&reloads("taken", 1)).await;
    assert_eq!(post(&new.client(None), &http, None).await, Some(200));
    assert_eq!(post(&old.client(None), &http, None).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_token_opens_and_tokens_are_exchanged_without_a_restart() {
    let folder = Folder::new();
    folder.write("tokens", "from-a-file\n\nfrom-a-file-too\n");
    let auth = "auth: {bearer_tokens: [\"written\", \"${env:PATH_NOT}\"], bearer_token_files: [DIR/tokens]}";
    let auth = auth.replace(", \"${env:PATH_NOT}\"", "");
    let host = Host::start_both(&receiver("grpc", &auth, &folder), &receiver("http", &auth, &folder), "");
    let client = client();
    let h2 = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let cases = [
        (None, false),
        (Some("wrong"), false),
        (Some("written"), true),
        (Some("from-a-file"), true),
        (Some("from-a-file-too"), true),
    ];
    for (token, right) in cases {
        assert_eq!(post(&client, &host.http, token).await, Some(if right { 200 } else { 401 }), "{token:?}");
        let code = if right { Code::Ok } else { Code::Unauthenticated };
        assert_eq!(call(&h2, &host.grpc, token).await, Some(code), "{token:?}");
    }
    host.until_metric(r#"tollgate_requests_refused_total{reason="unauthenticated"} 4"#).await;
    folder.write("tokens", "new-in-the-file\n");
    let taken = r#"tollgate_credential_reloads_total{receiver="OTLP/HTTP",what="tokens",outcome="taken"} 1"#;
    host.until_metric(taken).await;
    assert_eq!(post(&client, &host.http, Some("new-in-the-file")).await, Some(200));
    assert_eq!(post(&client, &host.http, Some("from-a-file")).await, Some(401));
    assert_eq!(post(&client, &host.http, Some("written")).await, Some(200));
}

#[test]
fn what_is_wrong_with_certificates_and_tokens_is_said_with_its_line() {
    let folder = Folder::new();
    let authority = Authority::new();
    authority.write(&folder);
    folder.write("other.pem", authority.certificate().1);
    folder.write("empty", "\n");
    let yaml = "receivers:
  otlp:
    protocols:
      http:
        tls:
          cert_file: DIR/none.pem
          key_file: DIR/key.pem
        auth:
          bearer_tokens: [\"\", \"two words\"]
          bearer_token_files:
            - DIR/empty
            - DIR/none
      grpc:
        tls:
          cert_file: DIR/cert.pem
          key_file: DIR/other.pem
          client_certificate: optional
        auth: {}
outputs: {prometheus: }
";
    let yaml = yaml.replace("DIR", &folder.path("").display().to_string());
    let file = folder.write("tollgate.yaml", yaml).display().to_string();
    let output = run(&["check", "--config", &file], b"");
    assert!(!output.status.success());
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let lines: Vec<_> = said.lines().map(|line| line.strip_prefix(&format!("{file}:")).unwrap_or(line)).collect();
    let at = "receivers.otlp.protocols";
    let expected = [
        (format!("6: {at}.http.tls.cert_file: "), "No such file"),
        (format!("9: {at}.http.auth.bearer_tokens[0]: is empty"), ""),
        (format!("9: {at}.http.auth.bearer_tokens[1]: has characters"), ""),
        (format!("11: {at}.http.auth.bearer_token_files[0]: "), "has no token"),
        (format!("12: {at}.http.auth.bearer_token_files[1]: "), "No such file"),
        (format!("16: {at}.grpc.tls.key_file: "), "is not the key of the certificate in"),
        (format!("17: {at}.grpc.tls.client_certificate: needs client_ca_file"), ""),
        (format!("18: {at}.grpc.auth.bearer_tokens: is missing"), ""),
    ];
    assert_eq!(lines.len(), expected.len(), "{said}");
    for (line, (start, holds)) in lines.iter().zip(expected) {
        assert!(line.starts_with(&start) && line.contains(holds), "said {line}\nexpected {start} .. {holds}");
    }
}
