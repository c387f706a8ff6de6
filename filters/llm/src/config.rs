//! The plugin configuration: one JSON object, read whole, every problem reported with its path.
//!
//! `docs/ENVOY.md` is the reference of the fields.

mod export;

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

pub use export::{ContentPlace, Export, Resource};

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
    /// What sends the spans.
    pub resource: Resource,
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
        let export = export::read(&mut fields);
        let resource = export::resource(&mut fields);
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
                "metrics": {"series": 7}, "access_log": "record"}"#,
        )
        .unwrap();
        assert_eq!(config.content, ContentLimits { input_bytes: 4096, output_bytes: 100 });
        assert_eq!(config.extractor, r#"{"content":{"input_bytes":4096,"output_bytes":100}}"#);
        assert_eq!(config.sampling, Sampling { ratio: Ratio::new(0.5).unwrap(), follow_parent: true });
        assert_eq!((config.series, config.access_log), (7, AccessLog::Record));
    }

    #[test]
    fn every_problem_is_reported_with_its_path() {
        let refusal = Config::parse(
            br#"{"capture_content": {"input_bytes": -1, "output": 3}, "sampling": {"ratio": 2, "parent": "maybe"},
                "export": {"path": "p"},
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
            "metrics",
            "access_log",
            "spelling",
            "extractor.content",
        ] {
            assert!(paths.contains(&path), "{path} is not in {paths:?}");
        }
        assert_eq!(paths.len(), 10, "{refusal}");
    }

    #[test]
    fn what_is_not_json_is_said_to_be_so() {
        for text in [&b"{"[..], b"\xff", b"{} {}"] {
            assert!(Config::parse(text).unwrap_err().to_string().starts_with("is not JSON"));
        }
    }
}
