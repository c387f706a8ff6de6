//! `tollgate import-otelcol`: the `tail_sampling` processors of an OpenTelemetry Collector, as a `sample:` section.
//!
//! The section goes to standard output. What maps, what does not, and what is wrong with it goes to standard error, line by
//! line. Policies are checked by the sampler itself, so what is printed is what it takes.

mod advice;
mod document;
mod yaml;

use document::{Document, Processor, load};
use serde_json::{Map, Value, json};
use std::fmt;
use std::path::Path;
use std::process::ExitCode;
use tollgate_sampler::Sampler;

pub(super) fn import_otelcol(file: &Path) -> ExitCode {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return super::fail(format!("{}: {error}", file.display())),
    };
    let imported = match import(&text) {
        Ok(imported) => imported,
        Err(error) => return super::fail(format!("{}: {error}", file.display())),
    };
    print!("{}", imported.sections);
    for remark in &imported.remarks {
        eprintln!("{}:{remark}", file.display());
    }
    if imported.remarks.iter().any(|remark| remark.kind == Kind::Problem) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// What a configuration comes to.
#[derive(Debug)]
struct Imported {
    /// The sections as YAML.
    sections: String,
    /// In the order of the file.
    remarks: Vec<Remark>,
}

/// What there is to say about a place of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Remark {
    line: usize,
    path: String,
    kind: Kind,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// It means the same here.
    Same,
    /// It means something a little different here, or is of no use.
    Note,
    /// It does not do what one may think it does, there or here.
    Warning,
    /// It cannot be expressed.
    Problem,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Same => "same",
            Kind::Note => "note",
            Kind::Warning => "warning",
            Kind::Problem => "problem",
        };
        write!(f, "{}: {}: {kind}: {}", self.line, self.path, self.message)
    }
}

/// Reads a Collector's configuration.
fn import(text: &str) -> Result<Imported, String> {
    let document = load(text)?;
    let mut imported = Imported { sections: String::new(), remarks: Vec::new() };
    for (place, processor) in document.processors.iter().enumerate() {
        let mut remarks = Remarks { processor, list: Vec::new() };
        let section = section(processor, &mut remarks);
        advice::on_policies(processor, &mut remarks);
        advice::on_pipelines(&document, processor, &mut remarks);
        if place > 0 {
            let message = "there is one sampler here; join the policies, or run a process for each";
            remarks.add(Kind::Problem, "", message);
            imported.sections.push_str("---\n");
        }
        imported.sections.push_str(&format!("# {}\n", processor.name));
        yaml::write(&mut imported.sections, &section);
        imported.remarks.extend(remarks.list);
    }
    // What has a problem within it is not the same.
    let problems: Vec<String> = imported
        .remarks
        .iter()
        .filter(|remark| remark.kind == Kind::Problem)
        .map(|remark| remark.path.clone())
        .collect();
    let is_within = |path: &str, whole: &str| {
        path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    imported
        .remarks
        .retain(|remark| remark.kind != Kind::Same || !problems.iter().any(|problem| is_within(problem, &remark.path)));
    imported.remarks.sort();
    Ok(imported)
}

/// Remarks on one processor.
struct Remarks<'a> {
    processor: &'a Processor,
    list: Vec<Remark>,
}

impl Remarks<'_> {
    /// A remark on a path below the processor.
    fn add(&mut self, kind: Kind, path: &str, message: impl Into<String>) {
        let line = self.processor.line_of(path);
        let name = &self.processor.name;
        let path = if path.is_empty() { name.clone() } else { format!("{name}.{path}") };
        self.list.push(Remark { line, path, kind, message: message.into() });
    }
}

/// The `sample:` section for a processor.
fn section(processor: &Processor, remarks: &mut Remarks<'_>) -> Value {
    let mut sample = Map::new();
    let mut config = Map::new();
    for (key, value) in &processor.settings {
        match key.as_str() {
            "policies" => {
                config.insert(key.clone(), value.clone());
            }
            "sample_on_first_match" => {
                config.insert(key.clone(), value.clone());
                remarks.add(
                    Kind::Same,
                    key,
                    "a policy that samples ends the matter; later ones, drop included, are not asked",
                );
            }
            _ => top_level(key, value, &mut sample, remarks),
        }
    }
    if !processor.settings.contains_key("decision_cache") {
        let message = "the Collector remembers no decisions unless told to, so that late spans may get the opposite one; \
                       here they are remembered by default";
        remarks.add(Kind::Warning, "", message);
    }
    check(&config, remarks);
    sample.insert("plugin".into(), json!({ "path": "target/tollgate/plugins/sampler.wasm", "config": config }));
    json!({ "sample": sample })
}

/// A key beside the policies.
fn top_level(key: &str, value: &Value, sample: &mut Map<String, Value>, remarks: &mut Remarks<'_>) {
    let mut take = |remarks: &mut Remarks<'_>, message: &str| {
        sample.insert(key.to_owned(), value.clone());
        remarks.add(Kind::Same, key, message);
    };
    match key {
        "decision_wait" => take(remarks, "from the first span of a trace"),
        "decision_wait_after_root_received" => {
            take(remarks, "here the parents of all spans have to have come too, so that open calls are waited for");
        }
        "num_traces" => take(remarks, "what is past it is decided early here, and not dropped undecided"),
        "maximum_trace_size_bytes" => take(remarks, "a larger trace is decided at once here, and not dropped"),
        "decision_cache" => cache(value, sample, remarks),
        "expected_new_traces_per_sec" | "num_shards" | "block_on_overflow" => {
            remarks.add(Kind::Note, key, "is not needed here, and left out");
        }
        "drop_pending_traces_on_shutdown" if *value == Value::Bool(true) => {
            remarks.add(Kind::Problem, key, "what waits is decided when the process ends, and not dropped");
        }
        "drop_pending_traces_on_shutdown" => {
            remarks.add(Kind::Same, key, "what waits is decided when the process ends")
        }
        "sampling_strategy" if value == "trace-complete" => remarks.add(Kind::Same, key, "is what is done here"),
        "sampling_strategy" => {
            remarks.add(Kind::Problem, key, "traces are decided whole here, not when spans come in");
        }
        "tail_storage" => {
            remarks.add(
                Kind::Problem,
                key,
                "what waits is in memory here, within max_bytes, and in the log that acknowledged it",
            );
        }
        _ => remarks.add(Kind::Problem, key, "is not known here"),
    }
}

/// Cache sizes, of which 0 is the Collector's default and turns a cache off.
fn cache(value: &Value, sample: &mut Map<String, Value>, remarks: &mut Remarks<'_>) {
    let mut sizes = Map::new();
    for (key, size) in value.as_object().into_iter().flatten() {
        let path = format!("decision_cache.{key}");
        match key.as_str() {
            "sampled_cache_size" | "non_sampled_cache_size" if size.as_u64().is_some_and(|size| size > 0) => {
                sizes.insert(key.clone(), size.clone());
                remarks.add(Kind::Same, &path, "in traces");
            }
            "sampled_cache_size" | "non_sampled_cache_size" => {
                remarks.add(
                    Kind::Warning,
                    &path,
                    "without a cache late spans may get the opposite decision; the default is taken",
                );
            }
            _ => remarks.add(Kind::Problem, &path, "is not known here"),
        }
    }
    if !sizes.is_empty() {
        sample.insert("decision_cache".into(), sizes.into());
    }
}

/// Lets the sampler say what it cannot express.
fn check(config: &Map<String, Value>, remarks: &mut Remarks<'_>) {
    if !config.contains_key("policies") {
        remarks.add(Kind::Problem, "", "there are no policies");
        return;
    }
    if let Err(error) = Sampler::configure(&Value::from(config.clone()).to_string()) {
        for problem in error.problems {
            remarks.add(Kind::Problem, &problem.path, problem.message);
        }
    }
}

impl Document {
    /// Whether a traces pipeline has the processor and goes on to a component whose name begins so; its line.
    fn after(&self, processor: &str, kinds: &[&str]) -> Option<(usize, String)> {
        self.pipelines.iter().filter(|pipeline| pipeline.processors.iter().any(|name| name == processor)).find_map(
            |pipeline| {
                let found = pipeline.exporters.iter().find(|name| {
                    let kind = name.split('/').next().unwrap_or_default();
                    kinds.contains(&kind)
                });
                found.map(|name| (pipeline.line, name.clone()))
            },
        )
    }
}

#[cfg(test)]
mod tests;
