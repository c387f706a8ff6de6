//! Ports: the ones of the examples where they are free, else others.

use std::net::{Ipv4Addr, TcpListener};

/// The ports of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// The simulated provider.
    pub(crate) provider: u16,
    /// OTLP over gRPC into the host.
    pub(crate) otlp_grpc: u16,
    /// OTLP over HTTP into the host.
    pub(crate) otlp_http: u16,
    /// The host's metrics page.
    pub(crate) metrics: u16,
    /// Where callers reach Envoy.
    pub(crate) envoy: u16,
    /// Envoy's admin pages.
    pub(crate) admin: u16,
}

/// The ports that the examples are written with.
const EXAMPLES: Ports =
    Ports { provider: 8080, otlp_grpc: 4317, otlp_http: 4318, metrics: 9464, envoy: 10000, admin: 9901 };

impl Ports {
    /// Ports that are free now.
    pub(crate) fn free() -> Result<Self, String> {
        let mut held = Vec::new();
        let mut take = |wanted: u16| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
                .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
                .map_err(|error| format!("no port of 127.0.0.1 can be listened on: {error}"))?;
            let port = listener.local_addr().map_err(|error| error.to_string())?.port();
            if port != wanted {
                println!("  port {wanted} is taken; {port} instead");
            }
            // Held until all are chosen, so that none is chosen twice.
            held.push(listener);
            Ok::<u16, String>(port)
        };
        Ok(Self {
            provider: take(EXAMPLES.provider)?,
            otlp_grpc: take(EXAMPLES.otlp_grpc)?,
            otlp_http: take(EXAMPLES.otlp_http)?,
            metrics: take(EXAMPLES.metrics)?,
            envoy: take(EXAMPLES.envoy)?,
            admin: take(EXAMPLES.admin)?,
        })
    }

    /// The ports of the examples beside those of this run.
    pub(crate) fn moved(&self) -> [(u16, u16); 6] {
        [
            (EXAMPLES.provider, self.provider),
            (EXAMPLES.otlp_grpc, self.otlp_grpc),
            (EXAMPLES.otlp_http, self.otlp_http),
            (EXAMPLES.metrics, self.metrics),
            (EXAMPLES.envoy, self.envoy),
            (EXAMPLES.admin, self.admin),
        ]
    }
}

/// The text with the ports of addresses (`127.0.0.1:4317`, `port_value: 8080`) moved. Other numbers stay.
pub(crate) fn renumber(text: &str, moved: &[(u16, u16)]) -> String {
    let mut renumbered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|character: char| character.is_ascii_digit()) {
        let (before, from) = rest.split_at(at);
        renumbered.push_str(before);
        let end = from.find(|character: char| !character.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        let is_port = ["port_value: ", "127.0.0.1:", "0.0.0.0:", "localhost:", "[::1]:"]
            .iter()
            .any(|place| renumbered.ends_with(place));
        let other = moved.iter().find(|(example, _)| is_port && digits == example.to_string());
        match other {
            Some((_, port)) => renumbered.push_str(&port.to_string()),
            None => renumbered.push_str(digits),
        }
        rest = after;
    }
    renumbered + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ports_of_addresses_are_moved() {
        let moved = [(4317, 5317), (8080, 9090)];
        for (text, expected) in [
            ("endpoint: 127.0.0.1:4317 # 4317", "endpoint: 127.0.0.1:5317 # 4317"),
            ("port_value: 8080 }", "port_value: 9090 }"),
            ("port_value: 80801", "port_value: 80801"),
            ("limit: 8080, http://localhost:8080/", "limit: 8080, http://localhost:9090/"),
            ("no number", "no number"),
        ] {
            assert_eq!(renumber(text, &moved), expected);
        }
    }
}
