//! What is wrong with a configuration, or different here, although it can be expressed.

use super::document::{Document, Processor};
use super::{Kind, Remark, Remarks};
use serde_json::Value;

/// The default of `decision_wait`, in seconds.
const DECISION_WAIT: f64 = 30.0;
/// The default of `num_traces`.
const NUM_TRACES: u64 = 50_000;

/// Connectors that make metrics of the spans that they are given.
const METRICS_OF_SPANS: [&str; 6] =
    ["spanmetrics", "span_metrics", "servicegraph", "service_graph", "count", "signal_to_metrics"];

/// What one policy after the other, and all of them together, have to be told.
pub(super) fn on_policies(processor: &Processor, remarks: &mut Remarks<'_>) {
    waiting(processor, remarks);
    let policies = processor.policies();
    let first_match = processor.settings.get("sample_on_first_match") == Some(&Value::Bool(true));
    let kinds: Vec<&str> = policies.iter().map(kind).collect();
    for (index, policy) in policies.iter().enumerate() {
        let path = format!("policies[{index}]");
        let before = kinds.get(..index).unwrap_or_default();
        match kind(policy) {
            "drop" if first_match && before.iter().any(|kind| *kind != "drop") => remarks.add(
                Kind::Warning,
                &path,
                "is not asked about traces that a policy before it samples, because of sample_on_first_match; put it first",
            ),
            "drop" => remarks.add(
                Kind::Warning,
                &path,
                "drops what it matches even where other policies sample it, traces with errors included",
            ),
            "always_sample" if policies.len() > 1 && !first_match => remarks.add(
                Kind::Warning,
                &path,
                "keeps every trace that no policy drops: any policy may sample a trace, so the others have no say",
            ),
            "probabilistic" if policies.len() > 1 && !first_match => remarks.add(
                Kind::Note,
                &path,
                "is a share of all traces, not of those that the other policies leave",
            ),
            _ => {}
        }
        on_policy(policy, &path, remarks);
    }
}

fn kind(policy: &Value) -> &str {
    policy.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// What a policy by itself has to be told, and those within it.
fn on_policy(policy: &Value, path: &str, remarks: &mut Remarks<'_>) {
    let kind = kind(policy);
    let block = policy.get(kind).unwrap_or(&Value::Null);
    let at = |key: &str| format!("{path}.{kind}.{key}");
    match kind {
        "latency" => {
            let bound = "from the earliest start to the latest end in whole milliseconds, more than threshold_ms (until \
                         0.156 the Collector took a trace that is exactly as long too)";
            remarks.add(Kind::Same, &at("threshold_ms"), bound);
            if block.get("upper_threshold_ms").is_some() {
                let message = "is of the whole trace here; the Collector looks at one span after the other, and takes a \
                               trace whose first spans are within the bounds";
                remarks.add(Kind::Warning, &at("upper_threshold_ms"), message);
            }
        }
        "probabilistic" => {
            let message =
                "the trace's own randomness is compared with a threshold that spans carry as `ot=th`, not a hash";
            remarks.add(Kind::Note, path, message);
            if block.get("hash_salt").is_some() {
                let message = "is of no use: every layer and replica draws from the same randomness, and thresholds are \
                               combined, so a second layer keeps what its own percentage says of all";
                remarks.add(Kind::Warning, &at("hash_salt"), message);
            }
        }
        "rate_limiting" | "bytes_limiting" | "composite" => {
            let message = "limits are of one process, so that more replicas let more through; what passes one stands for \
                           an unknown number of traces and carries no threshold";
            remarks.add(Kind::Warning, path, message);
        }
        "string_attribute" if block.get("enabled_regex_matching") == Some(&Value::Bool(true)) => {
            remarks.add(
                Kind::Same,
                &at("values"),
                "expressions are found anywhere in a value; anchor them with ^ and $",
            );
        }
        _ => remarks.add(Kind::Same, path, format!("{kind} is as in the Collector")),
    }
    if block.get("cache_max_size").is_some() {
        remarks.add(Kind::Note, &at("cache_max_size"), "is not needed: matching takes linear time");
    }
    if block.get("invert_match") == Some(&Value::Bool(true)) {
        let message = "is deprecated; by itself it drops what matches whatever other policies say, and keeps the rest only \
                       where no policy of another kind stands beside it; write drop or not";
        remarks.add(Kind::Warning, &at("invert_match"), message);
    }
    let lists = [
        ("and_sub_policy", true),
        ("drop_sub_policy", true),
        ("composite_sub_policy", true),
        ("not_sub_policy", false),
    ];
    for (key, is_list) in lists {
        let Some(parts) = block.get(key) else { continue };
        if is_list {
            for (index, part) in parts.as_array().into_iter().flatten().enumerate() {
                on_policy(part, &format!("{}[{index}]", at(key)), remarks);
            }
        } else {
            on_policy(parts, &at(key), remarks);
        }
    }
}

/// Whether traces of LLM calls are waited for, and whether there is room for those that wait.
fn waiting(processor: &Processor, remarks: &mut Remarks<'_>) {
    let settings = &processor.settings;
    let number = |key: &str| settings.get(key).and_then(Value::as_u64);
    let wait = settings.get("decision_wait").and_then(Value::as_str).and_then(seconds).unwrap_or(DECISION_WAIT);
    if wait < 60.0 {
        let message = format!(
            "a span is sent when its call has ended, and calls of models and agents take minutes: after {wait} s they \
             are missing from the decision there; here their parents are waited for up to max_open_wait"
        );
        remarks.add(Kind::Warning, "decision_wait", message);
    }
    let traces = number("num_traces").unwrap_or(NUM_TRACES);
    match number("expected_new_traces_per_sec").filter(|rate| *rate > 0) {
        Some(rate) if (traces as f64) < rate as f64 * wait => {
            let message = format!(
                "{traces} traces are {:.0} s of {rate} a second, less than decision_wait: the rest is decided early \
                 here, and dropped undecided there",
                traces as f64 / rate as f64
            );
            remarks.add(Kind::Warning, "num_traces", message);
        }
        Some(_) => {}
        None => {
            let message = format!("is enough for {:.0} traces a second", traces as f64 / wait.max(1.0));
            remarks.add(Kind::Note, "num_traces", message);
        }
    }
}

fn seconds(text: &str) -> Option<f64> {
    crate::config::units::duration(text).map(|duration| duration.as_secs_f64())
}

/// Metrics that are made of what sampling left.
pub(super) fn on_pipelines(document: &Document, processor: &Processor, remarks: &mut Remarks<'_>) {
    if let Some((line, connector)) = document.after(&processor.name, &METRICS_OF_SPANS) {
        let message = format!(
            "{connector} is fed with what {} left over, so its metrics are of the sample; here metering comes first",
            processor.name
        );
        remarks.list.push(Remark { line, path: "service.pipelines".to_owned(), kind: Kind::Warning, message });
    }
}
