//! `receivers:`, with the keys of the OpenTelemetry Collector's `otlp` receiver.

use super::section::Section;
use std::net::{Ipv4Addr, SocketAddr};

/// Where telemetry comes in; at least one of the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receivers {
    /// OTLP over gRPC.
    pub grpc: Option<Grpc>,
    /// OTLP over HTTP.
    pub http: Option<Http>,
}

/// OTLP over gRPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grpc {
    /// Address to listen on.
    pub endpoint: SocketAddr,
    /// Largest message in bytes, after decompression.
    pub max_message: usize,
}

/// OTLP over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http {
    /// Address to listen on.
    pub endpoint: SocketAddr,
    /// Largest request body in bytes, before and after decompression.
    pub max_body: usize,
}

const MIB: u64 = 1 << 20;

impl Receivers {
    pub(super) fn read(root: &mut Section<'_>) -> Self {
        let mut receivers = Self::default();
        if let Some(mut section) = root.section("receivers") {
            if let Some(mut otlp) = section.section("otlp") {
                if let Some(mut protocols) = otlp.section("protocols") {
                    receivers.grpc = protocols.section("grpc").map(Grpc::read);
                    receivers.http = protocols.section("http").map(Http::read);
                    protocols.finish();
                }
                otlp.finish();
            }
            section.finish();
        }
        if receivers.grpc.is_none() && receivers.http.is_none() {
            root.problem("receivers", "nothing is received; add otlp.protocols.grpc or otlp.protocols.http");
        }
        receivers
    }
}

impl Grpc {
    fn read(mut section: Section<'_>) -> Self {
        let endpoint = section.listen("endpoint", SocketAddr::from((Ipv4Addr::LOCALHOST, 4317)));
        let mebibytes = section.integer("max_recv_msg_size_mib", 4, 1..=1024);
        section.finish();
        Self { endpoint, max_message: bytes(mebibytes * MIB) }
    }
}

impl Http {
    fn read(mut section: Section<'_>) -> Self {
        let endpoint = section.listen("endpoint", SocketAddr::from((Ipv4Addr::LOCALHOST, 4318)));
        let max_body = section.size("max_request_body_size", 20 * MIB, 1..=1024 * MIB);
        section.finish();
        Self { endpoint, max_body: bytes(max_body) }
    }
}

fn bytes(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
