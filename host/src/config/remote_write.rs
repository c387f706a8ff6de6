//! `prometheus_remote_write`: the metrics of the process and of calls for those who do not scrape.

use super::dialect::Dialect;
use super::loki::basic;
use super::otlp::{ClientTls, Encoding, OtlpHttp, check_url, read_headers, read_timeout};
use super::outputs::{Compression, Queue, Requests, Retry};
use super::section::Section;
use std::time::Duration;

/// A receiver of remote write.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteWrite {
    /// How requests are sent; its endpoint is the whole URL.
    pub http: OtlpHttp,
    /// How often.
    pub interval: Duration,
    /// Labels that all series have.
    pub external_labels: Vec<(String, String)>,
}

impl RemoteWrite {
    pub(super) fn read(name: &str, mut section: Section<'_>) -> Self {
        let endpoint = section
            .required_text("endpoint", "the URL that takes remote write, such as http://prometheus:9090/api/v1/write");
        let tls = ClientTls::read(&mut section, None);
        if let Err(message) = check_url(&endpoint).and_then(|()| tls.is_used(&endpoint)) {
            section.problem("endpoint", message);
        }
        let mut headers = read_headers(&mut section);
        if let Some(mut auth) = section.section("basic_auth") {
            headers.push(basic(&mut auth));
            auth.finish();
        }
        // Source: Remote-Write 1.0 specification, "Protocol".
        headers.push(("content-encoding".to_owned(), "snappy".to_owned()));
        headers.push(("x-prometheus-remote-write-version".to_owned(), "0.1.0".to_owned()));
        headers.push(("user-agent".to_owned(), concat!("tollgate/", env!("CARGO_PKG_VERSION")).to_owned()));
        let range = Duration::from_millis(100)..=Duration::from_secs(3_600);
        let interval = section.duration("interval", Duration::from_secs(15), range);
        let external_labels = section.section("external_labels").map(|labels| labels.texts()).unwrap_or_default();
        let output = Self {
            http: OtlpHttp {
                name: name.to_owned(),
                endpoint,
                tls,
                headers,
                encoding: Encoding::Proto,
                compression: Compression::None,
                timeout: read_timeout(&mut section),
                retry: Retry::read(&mut section),
                queue: Queue::DEFAULT,
                requests: Requests::DEFAULT,
                dialect: Dialect::default(),
            },
            interval,
            external_labels,
        };
        section.finish();
        output
    }
}
