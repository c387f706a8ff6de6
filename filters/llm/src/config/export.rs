//! Where spans and events go, what may be held until they are there, and what they are sent by.

use crate::fields::Fields;

/// Where spans and events go, and what may be held until they are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Envoy cluster of the OTLP/HTTP receiver.
    pub cluster: String,
    /// `:authority` of the requests.
    pub authority: String,
    /// `:path` of requests with spans.
    pub path: String,
    /// `:path` of requests with events.
    pub logs_path: String,
    /// More headers, for example an authorization.
    pub headers: Vec<(String, String)>,
    /// What carries captured content.
    pub content: ContentPlace,
    /// Milliseconds that an item waits for others at most, while the receiver is well.
    pub flush_ms: u32,
    /// Milliseconds to wait for the receiver's answer.
    pub timeout_ms: u32,
    /// Bytes of items that make a batch go at once.
    pub batch_bytes: usize,
    /// Bytes of spans and events that are held at most, in flight included, by each worker thread.
    pub queue_bytes: usize,
    /// Requests with spans under way at most, by each worker thread; as many again with events.
    pub in_flight: usize,
    /// How often a batch is tried.
    pub attempts: u8,
    /// Milliseconds to wait after the first failure; each further one doubles it.
    pub backoff_ms: u32,
    /// Milliseconds to wait at most, however many failed.
    pub max_backoff_ms: u32,
}

impl Export {
    /// Whether requests go where the other's go, and the same way.
    #[must_use]
    pub fn goes_where(&self, other: &Self) -> bool {
        (&self.cluster, &self.authority, &self.path, &self.logs_path, &self.headers)
            == (&other.cluster, &other.authority, &other.path, &other.logs_path, &other.headers)
    }
}

/// What carries captured content, by the words of OpenTelemetry's own
/// `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`. How much of it there is, is another setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentPlace {
    /// Spans.
    SpanOnly,
    /// Events.
    EventOnly,
    /// Both.
    SpanAndEvent,
}

impl ContentPlace {
    /// Whether spans carry it.
    #[must_use]
    pub const fn on_spans(self) -> bool {
        matches!(self, Self::SpanOnly | Self::SpanAndEvent)
    }

    /// Whether there are events that carry it.
    #[must_use]
    pub const fn on_events(self) -> bool {
        matches!(self, Self::EventOnly | Self::SpanAndEvent)
    }
}

/// What spans and events are sent by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Attributes as configured. They win over those that are detected.
    pub attributes: Vec<(String, String)>,
    /// Whether attributes are taken from what Envoy is told of itself, its node.
    pub detect: bool,
}

/// Takes `export`.
pub(super) fn read(fields: &mut Fields<'_>) -> Option<Export> {
    let value = fields.value("export")?;
    let mut fields = fields.child("export", value);
    let cluster = fields.line("cluster");
    let milliseconds = |fields: &mut Fields<'_>, name, least, default| {
        fields.whole(name, least, 60_000).and_then(|n| n.try_into().ok()).unwrap_or(default)
    };
    let whole = |fields: &mut Fields<'_>, name, least, most, default| {
        fields.whole(name, least, most).and_then(|n| n.try_into().ok()).unwrap_or(default)
    };
    let places = [
        ("span_only", ContentPlace::SpanOnly),
        ("event_only", ContentPlace::EventOnly),
        ("span_and_event", ContentPlace::SpanAndEvent),
    ];
    let export = Export {
        cluster: cluster.clone().unwrap_or_default(),
        authority: fields.line("authority").unwrap_or_else(|| "tollgate".to_owned()),
        path: path(&mut fields, "path", "/v1/traces"),
        logs_path: path(&mut fields, "logs_path", "/v1/logs"),
        headers: header_names(&mut fields),
        content: fields.choice("content", &places).unwrap_or(ContentPlace::SpanOnly),
        flush_ms: milliseconds(&mut fields, "flush_ms", 10, 1_000),
        timeout_ms: milliseconds(&mut fields, "timeout_ms", 10, 5_000),
        batch_bytes: whole(&mut fields, "batch_bytes", 1_024, 4 << 20, 128 << 10),
        queue_bytes: whole(&mut fields, "queue_bytes", 1_024, 64 << 20, 1 << 20),
        in_flight: whole(&mut fields, "in_flight", 1, 64, 4),
        attempts: fields.whole("attempts", 1, 10).and_then(|n| n.try_into().ok()).unwrap_or(5),
        backoff_ms: milliseconds(&mut fields, "backoff_ms", 1, 500),
        max_backoff_ms: milliseconds(&mut fields, "max_backoff_ms", 1, 30_000),
    };
    if cluster.is_none() {
        fields.wrong::<()>("cluster", "must name the Envoy cluster that spans are sent to");
    }
    fields.finish();
    Some(export)
}

fn path(fields: &mut Fields<'_>, name: &str, default: &str) -> String {
    let path = fields.line(name).unwrap_or_else(|| default.to_owned());
    if !path.starts_with('/') {
        fields.wrong::<()>(name, "must start with /");
    }
    path
}

/// Header names in lower case, as HTTP/2 and Envoy want them.
fn header_names(fields: &mut Fields<'_>) -> Vec<(String, String)> {
    let headers = fields.texts("headers");
    for (name, _) in &headers {
        let token = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !token {
            fields.wrong::<()>(&format!("headers.{name}"), "is no header name");
        }
    }
    headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()
}

/// Takes `resource` and `resource_detection`.
pub(super) fn resource(fields: &mut Fields<'_>) -> Resource {
    Resource { attributes: fields.texts("resource"), detect: fields.truth("resource_detection").unwrap_or(true) }
}

#[cfg(test)]
mod tests {
    use super::{ContentPlace, Export, Resource};
    use crate::config::Config;

    #[test]
    fn the_defaults_are_as_documented() {
        let config = Config::parse(br#"{"export": {"cluster": "c"}}"#).unwrap();
        assert_eq!(
            config.export,
            Some(Export {
                cluster: "c".into(),
                authority: "tollgate".into(),
                path: "/v1/traces".into(),
                logs_path: "/v1/logs".into(),
                headers: vec![],
                content: ContentPlace::SpanOnly,
                flush_ms: 1000,
                timeout_ms: 5000,
                batch_bytes: 131_072,
                queue_bytes: 1_048_576,
                in_flight: 4,
                attempts: 5,
                backoff_ms: 500,
                max_backoff_ms: 30_000,
            })
        );
        assert_eq!(config.resource, Resource { attributes: vec![], detect: true });
    }

    #[test]
    fn every_field_is_read() {
        let config = Config::parse(
            br#"{"export": {"cluster": "c", "authority": "a", "path": "/p", "logs_path": "/l", "headers": {"X-Key": "v"},
                           "content": "span_and_event", "flush_ms": 20, "timeout_ms": 30, "batch_bytes": 2048,
                           "queue_bytes": 4096, "in_flight": 2, "attempts": 1, "backoff_ms": 3, "max_backoff_ms": 4},
                "resource": {"service.name": "gateway"}, "resource_detection": false}"#,
        )
        .unwrap();
        assert_eq!(
            config.export,
            Some(Export {
                cluster: "c".into(),
                authority: "a".into(),
                path: "/p".into(),
                logs_path: "/l".into(),
                headers: vec![("x-key".into(), "v".into())],
                content: ContentPlace::SpanAndEvent,
                flush_ms: 20,
                timeout_ms: 30,
                batch_bytes: 2048,
                queue_bytes: 4096,
                in_flight: 2,
                attempts: 1,
                backoff_ms: 3,
                max_backoff_ms: 4,
            })
        );
        let attributes = vec![("service.name".to_owned(), "gateway".to_owned())];
        assert_eq!(config.resource, Resource { attributes, detect: false });
    }

    #[test]
    fn every_problem_is_reported_with_its_path() {
        let refusal = Config::parse(
            br#"{"export": {"path": "p", "logs_path": "l", "flush_ms": 0.5, "headers": {"a b": "c"}, "content": "events",
                           "attempts": 11, "backoff_ms": 0, "max_backoff_ms": 60001},
                "resource": {"service.name": 3}, "resource_detection": "on"}"#,
        )
        .unwrap_err();
        let mut paths: Vec<_> = refusal.problems.iter().map(|problem| problem.path.as_str()).collect();
        paths.sort_unstable();
        let expected = [
            "export.attempts",
            "export.backoff_ms",
            "export.cluster",
            "export.content",
            "export.flush_ms",
            "export.headers.a b",
            "export.logs_path",
            "export.max_backoff_ms",
            "export.path",
            "resource.service.name",
            "resource_detection",
        ];
        assert_eq!(paths, expected, "{refusal}");
    }

    #[test]
    fn content_is_where_the_words_say() {
        for (place, spans, events) in [
            (ContentPlace::SpanOnly, true, false),
            (ContentPlace::EventOnly, false, true),
            (ContentPlace::SpanAndEvent, true, true),
        ] {
            assert_eq!((place.on_spans(), place.on_events()), (spans, events), "{place:?}");
        }
    }
}
