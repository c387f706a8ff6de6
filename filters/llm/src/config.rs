//! The plugin configuration: one JSON object, read whole, every problem reported with its path.
//!
//! `docs/ENVOY.md` is the reference of the fields.

use crate::budgets;
use crate::feedback;
use crate::fields::{Fields, Problems};
use crate::include_usage::{self, Options};
use crate::models::{self, Models};
use crate::redact_traffic;
use crate::response_headers;
use serde_json::{Value, json};
use tollgate_call::ContentLimits;
use tollgate_columns::ConfigError;
use tollgate_sampler::head::Ratio;

/// Most bytes of content that may be captured of either side of a call.
const MOST_CONTENT: u64 = 1 << 20;

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    /// Configuration of the token extractor, as JSON text; holds the content limits too.
    pub extractor: String,
    /// How much of what was said is captured; zero, the default, captures nothing.
    pub content: ContentLimits,
    /// Configuration of the redactor, as JSON text.
    pub redactor: String,
    /// Configuration of the cost calculator, as JSON text.
    pub cost: String,
    /// Which spans are exported.
    pub sampling: Sampling,
    /// Where spans go; `None` exports none.
    pub export: Option<Export>,
    /// Attributes of the resource that sends the spans.
    pub resource: Vec<(String, String)>,
    /// Combinations of provider, operation and model that get metrics of their own; what comes later is `other`.
    pub series: usize,
    /// Models with metrics of their own.
    pub models: Models,
    /// What is set for the access log.
    pub access_log: AccessLog,
    /// Whether values for Envoy's global rate limit are set.
    pub rate_limit_values: bool,
    /// How usage is asked for in the place of callers; `None` changes nothing of any call.
    pub include_usage: Option<Options>,
    /// How the traffic itself is redacted; `None` changes nothing of any call.
    pub redact_traffic: Vec<redact_traffic::Route>,
    /// How answers say what they cost; `None` changes no answer.
    pub response_headers: Option<response_headers::Options>,
    /// How answers get tokens for feedback; `None` gives none.
    pub feedback: Option<feedback::Options>,
    /// What consumers may take; `None` refuses nobody.
    pub budgets: Option<budgets::Options>,
}

/// Which spans are exported. Metrics and access-log fields are never sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Share of traces, consistent by trace id.
    pub ratio: Ratio,
    /// Whether a caller that sent a `traceparent` decides instead.
    pub follow_parent: bool,
}

/// Where spans go, and what may be held until they are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Envoy cluster of the OTLP/HTTP receiver.
    pub cluster: String,
    /// `:authority` of the requests.
    pub authority: String,
    /// `:path` of the requests.
    pub path: String,
    /// More headers, for example an authorization.
    pub headers: Vec<(String, String)>,
    /// Milliseconds that a span waits for others at most.
    pub flush_ms: u32,
    /// Milliseconds to wait for the receiver's answer.
    pub timeout_ms: u32,
    /// Bytes of spans that make a batch go at once.
    pub batch_bytes: usize,
    /// Bytes of spans that are held at most, in flight included, by each worker thread.
    pub queue_bytes: usize,
    /// Requests under way at most, by each worker thread.
    pub in_flight: usize,
    /// How often a batch is tried.
    pub attempts: u8,
}

/// What is set for the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// Nothing.
    Off,
    /// One field for each number and name.
    Fields,
    /// The fields, and the whole record as JSON text.
    Record,
}

impl Config {
    /// Reads the configuration; nothing at all is the default configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(text: &[u8]) -> Result<Self, ConfigError> {
        let text = if text.trim_ascii().is_empty() { b"{}" } else { text };
        let value: Value =
            serde_json::from_slice(text).map_err(|error| ConfigError::new("", format!("is not JSON: {error}")))?;
        let mut problems = Problems::new();
        let mut fields = Fields::new(value, "", &mut problems);

        let content = capture_content(&mut fields);
        let extractor = extractor(&mut fields, content);
        let redactor = fields.value("redactor").unwrap_or_else(|| json!({})).to_string();
        let cost = fields.value("cost").unwrap_or_else(|| json!({})).to_string();
        let sampling = sampling(&mut fields);
        let export = export(&mut fields);
        let resource = resource(&mut fields);
        let (series, models) = metrics(&mut fields);
        let choices = [("off", AccessLog::Off), ("fields", AccessLog::Fields), ("record", AccessLog::Record)];
        let access_log = fields.choice("access_log", &choices).unwrap_or(AccessLog::Fields);
        let rate_limit_values = fields.truth("rate_limit_values").unwrap_or(false);
        let include_usage = include_usage::options(&mut fields);
        let redact_traffic = redact_traffic::routes(&mut fields);
        if !redact_traffic.is_empty() && include_usage.as_ref().is_some_and(|options| options.hold_headers) {
            let why = "cannot be `rewrite` together with redact_traffic, with which the length is not said";
            fields.wrong::<()>("include_usage.content_length", why);
        }
        let response_headers = response_headers::options(&mut fields);
        if !redact_traffic.is_empty() && response_headers.is_some() {
            let why =
                "cannot be had together with redact_traffic, which changes answers while their headers would wait";
            fields.wrong::<()>("response_headers", why);
        }
        let feedback = feedback::options(&mut fields);
        let budgets = budgets::options(&mut fields);
        fields.finish();

        if problems.is_empty() {
            Ok(Self {
                extractor,
                content,
                redactor,
                cost,
                sampling,
                export,
                resource,
                series,
                models,
                access_log,
                rate_limit_values,
                include_usage,
                redact_traffic,
                response_headers,
                feedback,
                budgets,
            })
        } else {
            Err(ConfigError { problems })
        }
    }
}

fn capture_content(fields: &mut Fields<'_>) -> ContentLimits {
    let mut fields = fields.object("capture_content");
    let mut bytes = |name| fields.whole(name, 0, MOST_CONTENT).and_then(|n| n.try_into().ok()).unwrap_or(0);
    let limits = ContentLimits { input_bytes: bytes("input_bytes"), output_bytes: bytes("output_bytes") };
    fields.finish();
    limits
}

/// The extractor's own configuration, with the content limits put in.
fn extractor(fields: &mut Fields<'_>, content: ContentLimits) -> String {
    let mut value = fields.value("extractor").unwrap_or_else(|| json!({}));
    if let Value::Object(map) = &mut value {
        if map.contains_key("content") {
            fields.wrong::<()>("extractor.content", "is set with capture_content");
        }
        map.insert("content".to_owned(), json!(content));
    }
    value.to_string()
}

fn sampling(fields: &mut Fields<'_>) -> Sampling {
    let mut fields = fields.object("sampling");
    let ratio = fields.ratio("ratio").and_then(Ratio::new).unwrap_or(Ratio::ALWAYS);
    let follow_parent = fields.choice("parent", &[("ignore", false), ("follow", true)]).unwrap_or(false);
    fields.finish();
    Sampling { ratio, follow_parent }
}

fn export(fields: &mut Fields<'_>) -> Option<Export> {
    let value = fields.value("export")?;
    let mut fields = fields.child("export", value);
    let whole32 = |fields: &mut Fields<'_>, name, least, most, default| {
        fields.whole(name, least, most).and_then(|n| n.try_into().ok()).unwrap_or(default)
    };
    let whole = |fields: &mut Fields<'_>, name, least, most, default| {
        fields.whole(name, least, most).and_then(|n| n.try_into().ok()).unwrap_or(default)
    };
    let cluster = fields.line("cluster");
    let export = Export {
        cluster: cluster.clone().unwrap_or_default(),
        authority: fields.line("authority").unwrap_or_else(|| "tollgate".to_owned()),
        path: fields.line("path").unwrap_or_else(|| "/v1/traces".to_owned()),
        headers: header_names(&mut fields),
        flush_ms: whole32(&mut fields, "flush_ms", 10, 60_000, 1_000),
        timeout_ms: whole32(&mut fields, "timeout_ms", 10, 60_000, 5_000),
        batch_bytes: whole(&mut fields, "batch_bytes", 1_024, 4 << 20, 128 << 10),
        queue_bytes: whole(&mut fields, "queue_bytes", 1_024, 64 << 20, 1 << 20),
        in_flight: whole(&mut fields, "in_flight", 1, 64, 4),
        attempts: fields.whole("attempts", 1, 10).and_then(|n| n.try_into().ok()).unwrap_or(3),
    };
    if cluster.is_none() {
        fields.wrong::<()>("cluster", "must name the Envoy cluster that spans are sent to");
    }
    if !export.path.starts_with('/') {
        fields.wrong::<()>("path", "must start with /");
    }
    fields.finish();
    Some(export)
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

fn resource(fields: &mut Fields<'_>) -> Vec<(String, String)> {
    let mut resource = fields.texts("resource");
    let service = tollgate_semconv::attribute::SERVICE_NAME;
    if !resource.iter().any(|(name, _)| name == service) {
        resource.push((service.to_owned(), "envoy".to_owned()));
    }
    resource
}

fn metrics(fields: &mut Fields<'_>) -> (usize, Models) {
    let mut fields = fields.object("metrics");
    let series = fields.whole("series", 0, 10_000).and_then(|n| n.try_into().ok()).unwrap_or(500);
    let models = models::models(&mut fields);
    fields.finish();
    (series, models)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_the_default() {
        for text in ["", "  ", "{}", "null"] {
            let config = Config::parse(text.as_bytes()).unwrap();
            assert_eq!(config.content, ContentLimits::default());
            assert_eq!(config.export, None);
            assert_eq!(config.series, 500);
            assert_eq!(config.access_log, AccessLog::Fields);
            assert_eq!(config.include_usage, None);
            assert_eq!(config.redact_traffic, []);
            assert!(config.sampling.ratio.decide([0; 16]));
        }
    }

    #[test]
    fn every_field_is_read() {
        let config = Config::parse(
            br#"{"capture_content": {"input_bytes": 4096.0, "output_bytes": 100},
                "extractor": {}, "redactor": {}, "sampling": {"ratio": 0.5, "parent": "follow"},
                "export": {"cluster": "c", "authority": "a", "path": "/p", "headers": {"X-Key": "v"}, "flush_ms": 20,
                           "timeout_ms": 30, "batch_bytes": 2048, "queue_bytes": 4096, "in_flight": 2, "attempts": 1},
                "resource": {"service.name": "gateway"}, "metrics": {"series": 7}, "access_log": "record"}"#,
        )
        .unwrap();
        assert_eq!(config.content, ContentLimits { input_bytes: 4096, output_bytes: 100 });
        assert_eq!(config.extractor, r#"{"content":{"input_bytes":4096,"output_bytes":100}}"#);
        assert_eq!(config.sampling, Sampling { ratio: Ratio::new(0.5).unwrap(), follow_parent: true });
        assert_eq!(
            config.export,
            Some(Export {
                cluster: "c".into(),
                authority: "a".into(),
                path: "/p".into(),
                headers: vec![("x-key".into(), "v".into())],
                flush_ms: 20,
                timeout_ms: 30,
                batch_bytes: 2048,
                queue_bytes: 4096,
                in_flight: 2,
                attempts: 1,
            })
        );
        assert_eq!(config.resource, [("service.name".to_owned(), "gateway".to_owned())]);
        assert_eq!((config.series, config.access_log), (7, AccessLog::Record));
    }

    #[test]
    fn every_problem_is_reported_with_its_path() {
        let refusal = Config::parse(
            br#"{"capture_content": {"input_bytes": -1, "output": 3}, "sampling": {"ratio": 2, "parent": "maybe"},
                "export": {"path": "p", "flush_ms": 0.5, "headers": {"a b": "c"}}, "resource": {"service.name": 3},
                "metrics": [], "access_log": true, "spelling": 1, "extractor": {"content": {}}}"#,
        )
        .unwrap_err();
        let paths: Vec<_> = refusal.problems.iter().map(|problem| problem.path.as_str()).collect();
        for path in [
            "capture_content.input_bytes",
            "capture_content.output",
            "sampling.ratio",
            "sampling.parent",
            "export.cluster",
            "export.path",
            "export.flush_ms",
            "export.headers.a b",
            "resource.service.name",
            "metrics",
            "access_log",
            "spelling",
            "extractor.content",
        ] {
            assert!(paths.contains(&path), "{path} is not in {paths:?}");
        }
        assert_eq!(paths.len(), 13, "{refusal}");
    }

    #[test]
    fn what_is_not_json_is_said_to_be_so() {
        for text in [&b"{"[..], b"\xff", b"{} {}"] {
            assert!(Config::parse(text).unwrap_err().to_string().starts_with("is not JSON"));
        }
    }
}
