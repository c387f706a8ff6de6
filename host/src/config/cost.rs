//! `cost:`, what is added up of costs.

use super::problem::Problems;
use super::section::{Section, did_you_mean};
use super::stages::whole;
use std::time::Duration;
use tollgate_ledger::Limits;
use tollgate_otlp::Reads;

/// Dimensions that there are without being asked for, by their names in the answer.
pub(crate) const ALWAYS: [&str; 4] = ["model", "provider", "operation", "source"];

/// Most dimensions of the user's.
const MOST_DIMENSIONS: usize = 16;

/// What is added up of costs, for how long, and how alerts are logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Attributes by whose values costs are added up, as `user.id` or `resource:service.name`.
    pub dimensions: Vec<String>,
    /// How much is held.
    pub limits: Limits,
    /// Most alerts that are logged a minute; 0 logs none.
    pub alert_logs_per_minute: u32,
}

impl Cost {
    pub(super) fn read(root: &mut Section<'_>, problems: &Problems) -> Self {
        let mut cost = Self { dimensions: Vec::new(), limits: Limits::default(), alert_logs_per_minute: 60 };
        if let Some(mut section) = root.section("cost") {
            cost.dimensions = dimensions(&mut section, problems);
            cost.limits = limits(&mut section, cost.dimensions.len());
            let most = section.integer("alert_logs_per_minute", 60, 0..=1_000_000);
            cost.alert_logs_per_minute = u32::try_from(most).unwrap_or(u32::MAX);
            section.finish();
        }
        cost
    }
}

fn limits(section: &mut Section<'_>, dimensions: usize) -> Limits {
    let (default, hour) = (Limits::default(), Duration::from_secs(3_600));
    let limits = Limits {
        recent: section.duration("recent", default.recent, Duration::from_secs(60)..=24 * hour),
        retention: section.duration("retention", default.retention, hour..=24 * 92 * hour),
        dimensions,
        values: whole(section.integer("max_values", 100, 1..=10_000)),
        alerts: whole(section.integer("max_alerts", 100, 0..=10_000)),
    };
    if limits.recent > limits.retention {
        section.problem("recent", "is longer than retention");
    }
    limits
}

fn dimensions(section: &mut Section<'_>, problems: &Problems) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, line, path) in section.text_list("dimensions") {
        match check(&name, &names) {
            Ok(()) => names.push(name),
            Err(message) => problems.add(line, path, message),
        }
    }
    if names.len() > MOST_DIMENSIONS {
        section
            .problem("dimensions", format!("has {} attributes; at most {MOST_DIMENSIONS} are possible", names.len()));
        names.clear();
    }
    names
}

fn check(name: &str, before: &[String]) -> Result<(), String> {
    if name.is_empty() {
        return Err("is empty; write the name of an attribute, such as user.id or resource:service.name".to_owned());
    }
    if ALWAYS.contains(&name) {
        return Err(format!("{name:?} is added up always; leave it out"));
    }
    if name.ends_with('*') {
        return Err(format!("{name:?} is not one attribute; write a whole name, such as user.id"));
    }
    if before.iter().any(|other| other == name) {
        return Err(format!("{name:?} is here twice"));
    }
    if let Some((of, _)) = name.split_once(':') {
        let known = ["span", "scope", "resource"];
        // An attribute may have a colon in its name; one that nearly says where it is has a mistake in it.
        let hint = did_you_mean(of, &known);
        if !known.contains(&of) && !hint.is_empty() {
            return Err(format!("{name:?}: {of:?} has no attributes{hint}"));
        }
    }
    Reads::compile(&[name]).map(drop).map_err(|error| error.to_string())
}
