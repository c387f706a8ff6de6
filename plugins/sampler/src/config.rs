//! The configuration of a sampler: `tail_sampling` policies, checked whole before any is used.

use crate::head::Ratio;
use crate::policy::Condition;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use tollgate_columns::{ConfigError, Problem};

/// More policies than this are a mistake.
const MOST_POLICIES: usize = 1_000;

/// A policy: its name, its condition, and the share that it keeps of the traces it decides.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) condition: Condition,
    pub(crate) ratio: Ratio,
}

/// What the configuration comes to.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) policies: Vec<Policy>,
    /// Attributes that the conditions look at; conditions name them by place.
    pub(crate) reads: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    #[serde(borrow, default)]
    policies: Option<Vec<&'a RawValue>>,
}

/// One entry of `policies`, as written. Exactly the block that `type` names has to be there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    /// Share of the traces decided by this policy that is kept, in percent.
    #[serde(default)]
    sampling_percentage: Option<f64>,
    latency: Option<Latency>,
    status_code: Option<StatusCode>,
    string_attribute: Option<StringAttribute>,
    numeric_attribute: Option<NumericAttribute>,
    boolean_attribute: Option<BooleanAttribute>,
    probabilistic: Option<Probabilistic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Latency {
    threshold_ms: u64,
    #[serde(default)]
    upper_threshold_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusCode {
    status_codes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StringAttribute {
    key: String,
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumericAttribute {
    key: String,
    #[serde(default)]
    min_value: Option<f64>,
    #[serde(default)]
    max_value: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BooleanAttribute {
    key: String,
    value: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Probabilistic {
    sampling_percentage: f64,
}

impl Settings {
    /// Reads the JSON text. Without `policies` every trace is kept.
    ///
    /// # Errors
    /// Everything that is wrong, each with its path.
    pub(crate) fn parse(json: &str) -> Result<Self, ConfigError> {
        let file: File<'_> = serde_json::from_str(json)
            .map_err(|error| ConfigError::new("", format!("{error}; expected {{\"policies\": [...]}}")))?;
        let mut reader = Reader { reads: Vec::new(), problems: Vec::new() };
        let policies = match file.policies {
            None => {
                vec![Policy { name: "always_sample".into(), condition: Condition::AlwaysSample, ratio: Ratio::ALWAYS }]
            }
            Some(entries) => reader.policies(&entries),
        };
        if reader.problems.is_empty() {
            Ok(Self { policies, reads: reader.reads })
        } else {
            Err(ConfigError { problems: reader.problems })
        }
    }
}

/// Collects what the policies read, and what is wrong with them.
struct Reader {
    reads: Vec<String>,
    problems: Vec<Problem>,
}

impl Reader {
    fn problem(&mut self, path: String, message: impl Into<String>) {
        self.problems.push(Problem { path, message: message.into() });
    }

    fn policies(&mut self, entries: &[&RawValue]) -> Vec<Policy> {
        if entries.len() > MOST_POLICIES {
            self.problem("policies".into(), format!("{} policies; at most {MOST_POLICIES}", entries.len()));
        }
        let mut names = BTreeSet::new();
        let mut policies = Vec::new();
        for (index, raw) in entries.iter().take(MOST_POLICIES).enumerate() {
            let path = format!("policies[{index}]");
            let entry: Entry = match serde_json::from_str(raw.get()) {
                Ok(entry) => entry,
                Err(error) => {
                    self.problem(path, error.to_string());
                    continue;
                }
            };
            if entry.name.is_empty() || !names.insert(entry.name.clone()) {
                self.problem(format!("{path}.name"), "a policy needs a name that no other has");
            }
            policies.extend(self.policy(&path, entry));
        }
        policies
    }

    fn policy(&mut self, path: &str, entry: Entry) -> Option<Policy> {
        let mut ratio =
            self.percentage(&format!("{path}.sampling_percentage"), entry.sampling_percentage.unwrap_or(100.0))?;
        let given = [
            ("latency", entry.latency.is_some()),
            ("status_code", entry.status_code.is_some()),
            ("string_attribute", entry.string_attribute.is_some()),
            ("numeric_attribute", entry.numeric_attribute.is_some()),
            ("boolean_attribute", entry.boolean_attribute.is_some()),
            ("probabilistic", entry.probabilistic.is_some()),
        ];
        for (block, present) in given {
            if present && block != entry.kind {
                self.problem(
                    format!("{path}.{block}"),
                    format!("this policy is of type `{}`; leave the block out", entry.kind),
                );
            }
        }
        let missing = |reader: &mut Self| {
            reader.problem(path.to_owned(), format!("a policy of type `{0}` needs a block `{0}`", entry.kind));
            None
        };
        let condition = match entry.kind.as_str() {
            "always_sample" => Condition::AlwaysSample,
            "probabilistic" => match entry.probabilistic {
                Some(block) => {
                    ratio = self
                        .percentage(&format!("{path}.probabilistic.sampling_percentage"), block.sampling_percentage)?;
                    Condition::AlwaysSample
                }
                None => return missing(self),
            },
            "latency" => match entry.latency {
                Some(block) => self.latency(path, &block),
                None => return missing(self),
            },
            "status_code" => match entry.status_code {
                Some(block) => self.status_code(path, &block),
                None => return missing(self),
            },
            "string_attribute" => match entry.string_attribute {
                Some(block) => Condition::StringAttribute { attribute: self.read(&block.key), values: block.values },
                None => return missing(self),
            },
            "numeric_attribute" => match entry.numeric_attribute {
                Some(block) => self.numeric_attribute(path, &block),
                None => return missing(self),
            },
            "boolean_attribute" => match entry.boolean_attribute {
                Some(block) => Condition::BooleanAttribute { attribute: self.read(&block.key), value: block.value },
                None => return missing(self),
            },
            other => {
                self.problem(
                    format!("{path}.type"),
                    format!(
                        "no policy type `{other}`; write always_sample, probabilistic, latency, status_code, \
                         string_attribute, numeric_attribute or boolean_attribute"
                    ),
                );
                return None;
            }
        };
        Some(Policy { name: entry.name, condition, ratio })
    }

    fn percentage(&mut self, path: &str, percentage: f64) -> Option<Ratio> {
        let ratio = Ratio::new(percentage / 100.0);
        if ratio.is_none() {
            self.problem(path.to_owned(), format!("{percentage} is no percentage; write a number from 0 to 100"));
        }
        ratio
    }

    fn latency(&mut self, path: &str, block: &Latency) -> Condition {
        let nanos = |ms: u64| i64::try_from(ms.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        if block.upper_threshold_ms.is_some_and(|upper| upper <= block.threshold_ms) {
            self.problem(format!("{path}.latency.upper_threshold_ms"), "must be above threshold_ms, or left out");
        }
        Condition::Latency {
            at_least: nanos(block.threshold_ms),
            below: block.upper_threshold_ms.map(nanos),
            start: self.read("span:startTime"),
            duration: self.read("span:duration"),
        }
    }

    fn status_code(&mut self, path: &str, block: &StatusCode) -> Condition {
        let statuses: Vec<String> = block.status_codes.iter().map(|code| code.to_ascii_lowercase()).collect();
        for (index, status) in statuses.iter().enumerate() {
            if !matches!(status.as_str(), "ok" | "error" | "unset") {
                self.problem(
                    format!("{path}.status_code.status_codes[{index}]"),
                    format!("no status `{status}`; write OK, ERROR or UNSET"),
                );
            }
        }
        Condition::StatusCode { statuses, status: self.read("span:status") }
    }

    fn numeric_attribute(&mut self, path: &str, block: &NumericAttribute) -> Condition {
        let (min, max) = (block.min_value.unwrap_or(f64::NEG_INFINITY), block.max_value.unwrap_or(f64::INFINITY));
        if (block.min_value, block.max_value) == (None, None) || min > max {
            self.problem(
                format!("{path}.numeric_attribute"),
                "give min_value, max_value or both, the first not above the second",
            );
        }
        Condition::NumericAttribute { attribute: self.read(&block.key), min, max }
    }

    /// The place of an attribute in the list of what is read.
    fn read(&mut self, name: &str) -> u16 {
        let at = self.reads.iter().position(|known| known == name).unwrap_or_else(|| {
            self.reads.push(name.to_owned());
            self.reads.len() - 1
        });
        // Each of at most a thousand policies reads two attributes at most.
        u16::try_from(at).unwrap_or(u16::MAX)
    }
}
