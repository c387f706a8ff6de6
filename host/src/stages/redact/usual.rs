//! What stays where texts are masked because a redactor has failed: names and words that the conventions define. They are
//! compared as a whole, so nothing of a sender's own can hide in them.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use tollgate_semconv::{
    attribute, call_role, cost_level, cost_source, counts, operation, provider, token_type, usage_source,
};

/// Keys of attributes and other words that nearly all telemetry has, beside those of `tollgate_semconv`.
///
/// Source: OpenTelemetry semantic conventions 1.37 (resource, service, telemetry, HTTP, exceptions, errors), and the
/// names of severities in the data model of logs.
const COMMON: [&str; 61] = [
    "cloud.account.id",
    "cloud.availability_zone",
    "cloud.platform",
    "cloud.provider",
    "cloud.region",
    "code.function.name",
    "container.id",
    "container.name",
    "deployment.environment",
    "deployment.environment.name",
    "enduser.id",
    "event.name",
    "exception",
    "exception.message",
    "exception.stacktrace",
    "exception.type",
    "host.id",
    "host.ip",
    "host.name",
    "http.request.method",
    "http.response.status_code",
    "http.route",
    "k8s.namespace.name",
    "k8s.node.name",
    "k8s.pod.name",
    "network.protocol.name",
    "network.protocol.version",
    "os.type",
    "peer.service",
    "process.pid",
    "process.runtime.name",
    "process.runtime.version",
    "server.address",
    "server.port",
    "service.instance.id",
    "service.name",
    "service.namespace",
    "service.version",
    "session.id",
    "telemetry.sdk.language",
    "telemetry.sdk.name",
    "telemetry.sdk.version",
    "thread.id",
    "thread.name",
    "url.full",
    "url.path",
    "url.scheme",
    "user.id",
    "user_agent.original",
    "TRACE",
    "DEBUG",
    "INFO",
    "WARN",
    "WARNING",
    "ERROR",
    "FATAL",
    "content",
    "parts",
    "role",
    "text",
    "type",
];

/// Whether a text is one of them.
pub(super) fn is_usual(text: &str) -> bool {
    static WORDS: OnceLock<BTreeSet<&str>> = OnceLock::new();
    let words = WORDS.get_or_init(|| {
        let own = [attribute::ALL, operation::ALL, provider::ALL, token_type::ALL, usage_source::ALL, counts::ALL];
        let own = own.into_iter().chain([call_role::ALL, cost_source::ALL]).flatten().copied();
        own.chain([cost_level::WARNING, cost_level::CRITICAL]).chain(COMMON).collect()
    });
    words.contains(text)
}

#[cfg(test)]
mod tests {
    use super::is_usual;

    #[test]
    fn only_whole_words_of_the_conventions_are_usual() {
        for word in
            ["gen_ai.request.model", "tollgate.call.role", "billable", "chat", "openai", "service.name", "ERROR"]
        {
            assert!(is_usual(word), "{word}");
        }
        for word in ["", "gen_ai.request.model ", "chat ann@example.com", "customer.name", "4111111111111111"] {
            assert!(!is_usual(word), "{word}");
        }
    }
}
