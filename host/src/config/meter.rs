//! `meter:`, what of calls and operations is counted. Keys are those of the Collector's span metrics connector where it has
//! the same thing.

use super::problem::Problems;
use super::section::{Section, did_you_mean};
use super::stages::whole;
use std::collections::BTreeMap;
use std::time::Duration;
use tollgate_metering::{CallsOptions, MIN_EXPONENTIAL_SIZE, Names, label_name};
use tollgate_otlp::Reads;

/// Most dimensions of the user's.
const MOST_DIMENSIONS: usize = 16;
/// Most buckets of a histogram.
const MOST_BUCKETS: usize = 200;

/// Labels that are there without being asked for, and those that pages need for themselves.
const TAKEN: [&str; 16] = [
    "gen_ai_operation_name",
    "gen_ai_provider_name",
    "gen_ai_request_model",
    "gen_ai_response_model",
    "gen_ai_token_type",
    "gen_ai_token_modality",
    "error_type",
    "source",
    "reason",
    "operation",
    "provider",
    "model",
    "type",
    "le",
    "quantile",
    "otel_metric_overflow",
];

/// What of calls and operations is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Meter {
    /// Most label combinations a metric; what comes after is counted under `other`.
    pub max_series: usize,
    /// How long a series of calls is held when nothing is counted in it; `None` holds it for good.
    pub expiration: Option<Duration>,
    /// Names under which calls are counted.
    pub names: Vec<Names>,
    /// What the names of the metrics of all operations begin with.
    pub namespace: String,
    /// Labels of the user's.
    pub dimensions: Vec<Dimension>,
    /// Upper bounds of the buckets of durations, in seconds; `None` has those of the conventions.
    pub buckets: Option<Vec<f64>>,
    /// Most exponential buckets of a histogram; 0 has none.
    pub max_size: usize,
    /// Whether numbers carry the ids of a span they were counted from.
    pub exemplars: bool,
    /// What is said of the process besides what it knows of itself.
    pub resource: Vec<(String, String)>,
    /// How metrics are sent to the OTLP outputs; `None` does not send them.
    pub otlp: Option<MeterOtlp>,
}

/// An attribute whose values are a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// What is read: `team`, `resource:service.name`.
    pub read: String,
    /// The value of spans that have none.
    pub default: Option<String>,
}

impl Dimension {
    /// The attribute without the place where it stands.
    #[must_use]
    pub fn attribute(&self) -> &str {
        self.read.strip_prefix("resource:").unwrap_or(&self.read)
    }
}

/// How metrics are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeterOtlp {
    /// How often.
    pub interval: Duration,
    /// Whether histograms are sent as exponential ones.
    pub exponential: bool,
}

impl Default for Meter {
    fn default() -> Self {
        let CallsOptions { names, namespace, max_size, exemplars, .. } = CallsOptions::default();
        Self {
            max_series: 1_000,
            expiration: None,
            names,
            namespace,
            dimensions: Vec::new(),
            buckets: None,
            max_size,
            exemplars,
            resource: Vec::new(),
            otlp: None,
        }
    }
}

impl Meter {
    pub(super) fn read(root: &mut Section<'_>, problems: &Problems) -> Self {
        let mut meter = Self::default();
        let Some(mut section) = root.section("meter") else { return meter };
        meter.max_series = whole(section.integer("aggregation_cardinality_limit", 1_000, 1..=1_000_000));
        let day = Duration::from_secs(86_400);
        let expiration = section.duration("metrics_expiration", Duration::ZERO, Duration::ZERO..=30 * day);
        meter.expiration = (!expiration.is_zero()).then_some(expiration);
        if let Some(names) = names(&mut section, problems) {
            meter.names = names;
        }
        if let Some(namespace) = section.text("namespace") {
            match check_namespace(&namespace) {
                Ok(()) => meter.namespace = namespace,
                Err(message) => section.problem("namespace", message),
            }
        }
        meter.dimensions = dimensions(&mut section, problems);
        if let Some(histogram) = section.section("histogram") {
            meter.histogram(histogram, problems);
        }
        if let Some(mut exemplars) = section.section("exemplars") {
            meter.exemplars = exemplars.truth("enabled", meter.exemplars);
            exemplars.finish();
        }
        if let Some(resource) = section.section("resource") {
            meter.resource = resource.texts();
        }
        meter.otlp = section.section("otlp").map(MeterOtlp::read);
        section.finish();
        meter
    }

    fn histogram(&mut self, mut section: Section<'_>, problems: &Problems) {
        if let Some(mut explicit) = section.section("explicit") {
            self.buckets = buckets(&mut explicit, problems);
            explicit.finish();
        }
        if let Some(mut exponential) = section.section("exponential") {
            let size = exponential.integer("max_size", 160, 0..=1_000);
            self.max_size = whole(size);
            if size > 0 && self.max_size < MIN_EXPONENTIAL_SIZE {
                exponential.problem("max_size", format!("is less than {MIN_EXPONENTIAL_SIZE}; 0 has none"));
            }
            exponential.finish();
        }
        section.finish();
    }
}

impl MeterOtlp {
    fn read(mut section: Section<'_>) -> Self {
        let second = Duration::from_secs(1);
        let otlp = Self {
            interval: section.duration("interval", 60 * second, second..=3_600 * second),
            exponential: section.word("histograms", false, &[("explicit", false), ("exponential", true)]),
        };
        section.finish();
        otlp
    }
}

fn names(section: &mut Section<'_>, problems: &Problems) -> Option<Vec<Names>> {
    const WORDS: [(&str, Names); 3] =
        [("client", Names::Client), ("inference", Names::Inference), ("llm_app", Names::LlmApp)];
    section.node("names")?;
    let mut names = Vec::new();
    for (word, line, path) in section.text_list("names") {
        match WORDS.iter().find(|(known, _)| *known == word) {
            Some((_, name)) if names.contains(name) => problems.add(line, path, format!("{word:?} is here twice")),
            Some((_, name)) => names.push(*name),
            None => {
                let known = WORDS.map(|(known, _)| known);
                let hint = did_you_mean(&word, &known);
                problems.add(line, path, format!("{word:?} is not one of {}{hint}", known.join(", ")));
            }
        }
    }
    Some(names)
}

/// Two metrics of one name would make a page that nobody reads.
fn check_namespace(namespace: &str) -> Result<(), String> {
    let name = label_name(namespace.trim_end_matches('.'));
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    if namespace.trim_end_matches('.').is_empty() || !namespace.chars().all(allowed) {
        return Err(format!("{namespace:?} is not one; write letters, digits, dots and underscores"));
    }
    let own = name.starts_with("tollgate") && name != "tollgate_operation";
    if own || name == "llm_app" || name.starts_with("gen_ai_client") {
        return Err(format!("{namespace:?} is taken by other metrics; write another, such as traces.span.metrics"));
    }
    Ok(())
}

fn dimensions(section: &mut Section<'_>, problems: &Problems) -> Vec<Dimension> {
    let mut dimensions = Vec::new();
    let mut labels = BTreeMap::new();
    for (node, path) in section.list("dimensions") {
        // As text, or as the connector has it: a name and the value of spans that have none.
        let (read, default) = if node.is_mapping() {
            let mut section = Section::open(node, path.as_str(), problems);
            let read = section.required_text("name", "the attribute, such as team or resource:service.name");
            let default = section.text("default");
            section.finish();
            (read, default)
        } else if let Some(text) = node.text() {
            (text, None)
        } else {
            problems.add(node.line, path, "expected an attribute, such as team or resource:service.name");
            continue;
        };
        let dimension = Dimension { read, default };
        match check(&dimension, &labels) {
            Ok(label) => {
                labels.insert(label, dimension.read.clone());
                dimensions.push(dimension);
            }
            Err(message) => problems.add(node.line, path, message),
        }
    }
    if dimensions.len() > MOST_DIMENSIONS {
        let count = dimensions.len();
        section.problem("dimensions", format!("has {count} attributes; at most {MOST_DIMENSIONS} are possible"));
        dimensions.clear();
    }
    dimensions
}

/// The label of a dimension.
fn check(dimension: &Dimension, before: &BTreeMap<String, String>) -> Result<String, String> {
    let read = &dimension.read;
    if read.is_empty() || read.ends_with('*') {
        return Err(format!("{read:?} is not one attribute; write a whole name, such as team"));
    }
    if let Some((of, _)) = read.split_once(':') {
        let known = ["span", "scope", "resource"];
        // An attribute may have a colon in its name; one that nearly says where it is has a mistake in it.
        let hint = did_you_mean(of, &known);
        if !known.contains(&of) && !hint.is_empty() {
            return Err(format!("{read:?}: {of:?} has no attributes{hint}"));
        }
    }
    Reads::compile(&[read]).map_err(|error| error.to_string())?;
    let label = label_name(dimension.attribute());
    if TAKEN.contains(&label.as_str()) || label.starts_with("__") {
        return Err(format!("{read:?} would be the label {label:?}, which is there already; leave it out"));
    }
    match before.get(&label) {
        Some(other) => Err(format!("{read:?} would be the label {label:?}, as {other:?} is")),
        None => Ok(label),
    }
}

fn buckets(section: &mut Section<'_>, problems: &Problems) -> Option<Vec<f64>> {
    section.node("buckets")?;
    let mut bounds: Vec<f64> = Vec::new();
    for (text, line, path) in section.text_list("buckets") {
        match super::units::duration(&text).map(|bound| bound.as_secs_f64()) {
            Some(bound) if bounds.last().is_some_and(|last| *last >= bound) => {
                problems.add(line, path, format!("{text} is not longer than the bucket before it"));
            }
            Some(bound) => bounds.push(bound),
            None => problems.add(line, path, format!("{text:?} is not a duration; write one such as 100ms or 5s")),
        }
    }
    if bounds.len() > MOST_BUCKETS {
        section.problem("buckets", format!("has {} bounds; at most {MOST_BUCKETS} are possible", bounds.len()));
        return None;
    }
    Some(bounds)
}
