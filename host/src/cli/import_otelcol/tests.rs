use super::*;
use crate::config::Config;

/// What is printed for a file: the section, and the remarks.
fn printed(text: &str) -> String {
    let imported = import(text).unwrap();
    let remarks: Vec<String> = imported.remarks.iter().map(ToString::to_string).collect();
    format!("{}{}\n", imported.sections, remarks.join("\n"))
}

#[test]
fn files_are_imported_as_written_down() {
    let cases = [
        ("plain", include_str!("golden/plain.yaml"), include_str!("golden/plain.txt")),
        ("hard", include_str!("golden/hard.yaml"), include_str!("golden/hard.txt")),
    ];
    for (name, given, expected) in cases {
        let found = printed(given);
        assert!(found == expected, "{name}:\n{found}");
    }
}

#[test]
fn what_is_printed_is_a_configuration() {
    let imported = import(include_str!("golden/plain.yaml")).unwrap();
    assert!(imported.remarks.iter().all(|remark| remark.kind != Kind::Problem));
    let config = format!(
        "{}receivers: {{otlp: {{protocols: {{http: {{}}}}}}}}\noutputs: {{json_lines: {{path: x}}}}\n",
        imported.sections
    );
    let sample = Config::parse(&config).unwrap().sample.unwrap();
    assert_eq!(sample.num_traces, 1000);
    assert_eq!(sample.decision_cache.sampled_cache_size, 100_000);
    let mut sampler = Sampler::configure(&sample.plugin.config).unwrap();
    assert_eq!(sampler.manifest().rules, ["errors", "slow", "health", "rest", "cap", "no policy matched"]);
    let _ = sampler.decide(&tollgate_columns::Traces::default());
}

#[test]
fn what_is_no_configuration_of_a_collector_is_refused() {
    for (text, why) in [("", "empty"), ("processors: {batch: {}}", "no processor"), ("a: [", "not YAML")] {
        assert!(import(text).unwrap_err().contains(why), "{text}");
    }
}
