//! What is wrong with a configuration file is said with file, line, path and what to write instead, all at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use support::{Folder, build, run};

/// Runs `tollgate check` and gives what it says, line by line, without the file's name.
fn check(yaml: &str, plugins: bool) -> (bool, Vec<String>) {
    let folder = Folder::new();
    let file = folder.write("tollgate.yaml", yaml).display().to_string();
    let mut arguments = vec!["check", "--config", file.as_str()];
    if !plugins {
        arguments.push("--no-plugins");
    }
    let output = run(&arguments, b"");
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let lines = said.lines().map(|line| line.strip_prefix(&format!("{file}:")).unwrap_or(line).to_owned());
    (output.status.success(), lines.collect())
}

const GOOD: &str = "receivers: {otlp: {protocols: {http: }}}\noutputs: {prometheus: }\n";

#[test]
fn each_mistake_is_named_with_its_line() {
    let known = "known here: receivers, admit, memory, enrich, link, redact, log, meter, cost, sample, outputs, health, shutdown";
    let cases: Vec<(String, Vec<String>)> = vec![
        (GOOD.to_owned(), vec![" ok".to_owned()]),
        (String::new(), vec!["1: the file is empty; examples/tollgate.yaml is a configuration to start from".into()]),
        ("a: [1\nb: 2".into(), vec!["2: is not YAML: ".into()]),
        (format!("{GOOD}---\na: 1\n"), vec!["4: is a second YAML document; a configuration is one document".into()]),
        (format!("{GOOD}ouputs: 1\n"), vec![format!("3: ouputs: is not a known key (did you mean \"outputs\"?); {known}")]),
        (
            format!("{GOOD}memory:\n  limit: lots\nadmit:\n  retry_after: 5\n"),
            vec![
                "4: memory.limit: \"lots\" is not a size; write bytes, or a number with KiB, MiB or GiB".into(),
                "6: admit.retry_after: expected a duration with its unit, such as 5s, found a whole number".into(),
            ],
        ),
        (
            format!("{GOOD}link: {{ttl: 5}}\n"),
            vec!["3: link.ttl: expected a duration with its unit, such as 5s, found a whole number".into()],
        ),
        (
            format!("{GOOD}meter: {{aggregation_cardinality_limit: 0}}\nshutdown: 5s\n"),
            vec![
                "3: meter.aggregation_cardinality_limit: 0 is outside 1 to 1000000".into(),
                "4: shutdown: expected a mapping of keys, found text".into(),
            ],
        ),
        (
            format!("{GOOD}meter:\n  names: [clint, llm_app, llm_app]\n  namespace: tollgate\n  metrics_expiration: 5\n  exemplars: {{enabled: 1}}\n  dimensions:\n    - team\n    - \"resource:team\"\n    - gen_ai.request.model\n    - {{name: a, defualt: b}}\n    - 7\n    - __name__\n  histogram:\n    explicit: {{buckets: [1s, 500ms, 2]}}\n    exponential: {{max_size: 5}}\n  otlp: {{interval: 1ms, histograms: native}}\n  max_series: 5\n"),
            vec![
                "4: meter.names[0]: \"clint\" is not one of client, inference, llm_app (did you mean \"client\"?)".into(),
                "4: meter.names[2]: \"llm_app\" is here twice".into(),
                "5: meter.namespace: \"tollgate\" is taken by other metrics".into(),
                "6: meter.metrics_expiration: expected a duration with its unit".into(),
                "7: meter.exemplars.enabled: expected true or false, found a whole number".into(),
                "10: meter.dimensions[1]: \"resource:team\" would be the label \"team\", as \"team\" is".into(),
                "11: meter.dimensions[2]: \"gen_ai.request.model\" would be the label \"gen_ai_request_model\", which is there already".into(),
                "12: meter.dimensions[3].defualt: is not a known key (did you mean \"default\"?)".into(),
                "13: meter.dimensions[4]: expected an attribute, such as team or resource:service.name".into(),
                "14: meter.dimensions[5]: \"__name__\" would be the label \"__name__\", which is there already".into(),
                "16: meter.histogram.explicit.buckets[1]: 500ms is not longer than the bucket before it".into(),
                "16: meter.histogram.explicit.buckets[2]: expected text, found a whole number".into(),
                "17: meter.histogram.exponential.max_size: is less than 8; 0 has none".into(),
                "18: meter.otlp.histograms: \"native\" is not one of explicit, exponential".into(),
                "18: meter.otlp.interval: 1ms is outside 1s to 3600s".into(),
                "19: meter.max_series: is not a known key".into(),
            ],
        ),
        (
            format!("{GOOD}cost:\n  dimension: [a]\n  recent: 2d\n  retention: 1w\n  max_values: 0\n  max_alerts: many\n  alert_logs_per_minute: -1\n"),
            vec![
                "4: cost.dimension: is not a known key (did you mean \"dimensions\"?); known here: dimensions, recent, retention, max_values, max_alerts, alert_logs_per_minute".into(),
                "5: cost.recent: 2d is outside 60s to 86400s".into(),
                "6: cost.retention: \"1w\" is not a duration; write one such as 200ms, 5s or 1m30s".into(),
                "7: cost.max_values: 0 is outside 1 to 10000".into(),
                "8: cost.max_alerts: expected a whole number, found text".into(),
                "9: cost.alert_logs_per_minute: -1 is outside 0 to 1000000".into(),
            ],
        ),
        (
            format!("{GOOD}cost:\n  recent: 6h\n  retention: 5h\n  dimensions:\n    - user.id\n    - user.id\n    - model\n    - resouce:team\n    - span:user\n    - llm.*\n    - 7\n    - \"\"\n    - resource:team\n"),
            vec![
                "4: cost.recent: is longer than retention".into(),
                "8: cost.dimensions[1]: \"user.id\" is here twice".into(),
                "9: cost.dimensions[2]: \"model\" is added up always; leave it out".into(),
                "10: cost.dimensions[3]: \"resouce:team\": \"resouce\" has no attributes (did you mean \"resource\"?)".into(),
                "11: cost.dimensions[4]: \"span:user\" cannot be read: there are span:name".into(),
                "12: cost.dimensions[5]: \"llm.*\" is not one attribute; write a whole name, such as user.id".into(),
                "13: cost.dimensions[6]: expected text, found a whole number".into(),
                "14: cost.dimensions[7]: is empty; write the name of an attribute".into(),
            ],
        ),
        (
            format!("{GOOD}cost: {{dimensions: [{}]}}\n", (0..17).map(|n| format!("a{n}")).collect::<Vec<_>>().join(", ")),
            vec!["3: cost.dimensions: has 17 attributes; at most 16 are possible".into()],
        ),
        (
            "receivers: {otlp: {protocols: {http: }}}\noutputs:\n  loki: {endpoint: \"http://loki:3100/otlp\", tenant: a/b, compression: zstd}\n  parquet: {max_bytes: 64MiB, compression: gzip}\n  prometheus_remote_write: {interval: 10ms, basic_auth: {username: \"a:b\"}, external_labels: {a: [1]}}\n".into(),
            vec![
                "3: outputs.loki.compression: Loki takes gzip and none".into(),
                "3: outputs.loki.endpoint: has the path /otlp, and /otlp/v1/logs is added; write http://loki:3100".into(),
                "3: outputs.loki.tenant: \"a/b\" is no tenant id: letters, digits and !-_.*'(), 150 at most".into(),
                "4: outputs.parquet.compression: \"gzip\" is not one of zstd, snappy, none".into(),
                "4: outputs.parquet.max_bytes: is more than half of queue.max_bytes".into(),
                "4: outputs.parquet.path: is missing: the folder to write to".into(),
                "5: outputs.prometheus_remote_write.basic_auth.password: is missing: the password".into(),
                "5: outputs.prometheus_remote_write.basic_auth.username: has a colon, which cannot be sent".into(),
                "5: outputs.prometheus_remote_write.endpoint: is missing: the URL that takes remote write".into(),
                "5: outputs.prometheus_remote_write.external_labels.a: expected text, found a list".into(),
                "5: outputs.prometheus_remote_write.interval: 10ms is outside 100ms to 3600s".into(),
            ],
        ),
        (
            "receivers:\n  otlp:\n    protocols:\n      grpc: {endpoint: nowhere}\noutputs:\n  promethius: {}\n".into(),
            vec![
                "4: receivers.otlp.protocols.grpc.endpoint: \"nowhere\" is not an address to listen on; write one such as 127.0.0.1:4317".into(),
                "6: outputs.promethius: is not a known type of output (did you mean \"prometheus\"?); known: otlp_grpc, ".into(),
            ],
        ),
        (
            format!("{GOOD}enrich:\n  - name: a\n    path: a.wasm\n    on_error: blok\n    sha256: 12\n  - name: a\n    path: b.wasm\n"),
            vec![
                "6: enrich[0].on_error: \"blok\" is not one of bypass, block (did you mean \"block\"?)".into(),
                "7: enrich[0].sha256: expected text, found a whole number".into(),
                "8: enrich[1]: another plugin of this stage is named \"a\"; give one of them a name".into(),
            ],
        ),
        (
            format!("{GOOD}redact:\n  - path: a.wasm\n    on_error: bypass\n"),
            vec!["5: redact[0].on_error: \"bypass\" is not one of block, pass, mask_all".into()],
        ),
        (
            format!("{GOOD}redact:\n  on_error: mask_al\n  unknown_fields: remove\n  on_oversize: refuse\n  max_text_size: 1\n  max_known_names: -1\n  plugin: []\n"),
            vec![
                "3: redact.plugins: is missing: a list of redactors, each with its path".into(),
                "4: redact.on_error: \"mask_al\" is not one of block, pass, mask_all (did you mean \"mask_all\"?)".into(),
                "5: redact.unknown_fields: \"remove\" is not one of drop, keep".into(),
                "6: redact.on_oversize: \"refuse\" is not one of mask, block, pass".into(),
                "7: redact.max_text_size: 1 is outside 1024 to 67108864 bytes".into(),
                "8: redact.max_known_names: -1 is outside 0 to 1000000".into(),
                "9: redact.plugin: is not a known key (did you mean \"plugins\"?); known here: on_error, plugins, unknown_fields, on_oversize, max_text_size, max_known_names".into(),
            ],
        ),
        (
            format!("{GOOD}redact:\n  on_error: mask_all\n  plugins:\n    - path: a.wasm\n    - path: a.wasm\n      on_error: pass\n"),
            vec!["7: redact.plugins[1]: another plugin of this stage is named \"a\"; give one of them a name".into()],
        ),
        (
            format!("{GOOD}sample:\n  plugin:\n    path: a.wasm\n    on_error: block\n"),
            vec!["4: sample.plugin: on_error: a sampler cannot block, because its traces were acknowledged before; where it fails, traces are kept".into()],
        ),
        (
            "receivers: {otlp: {protocols: {grpc: }}}\noutputs:\n  otlp_http/a:\n    endpoint: mailto:me\n    headers: {\"x y\": z}\n    compression: zip\n    retry: {initial_interval: 5s, max_interval: 1s}\n".into(),
            vec![
                "4: outputs.otlp_http/a.endpoint: \"mailto:me\" is not an http or https URL".into(),
                "5: outputs.otlp_http/a.headers.x y: is not a header name".into(),
                "6: outputs.otlp_http/a.compression: \"zip\" is not one of gzip, zstd, none (did you mean \"gzip\"?)".into(),
                "7: outputs.otlp_http/a.retry.max_interval: is shorter than initial_interval".into(),
            ],
        ),
        (
            "receivers: {otlp: {protocols: {grpc: }}}\noutputs:\n  otlp_grpc/a:\n    endpoint: http://a:1\n    tls: {cert_file: a.pem, insecure: no way}\n    headers: {x-bin: z}\n    queue: {num_consumer: 2, batch: {max_size: 1}}\n  otlp_grpc/b:\n    endpoint: https://b:1\n    tls: {insecure: true}\n  otlp_grpc/c:\n    endpoint: c:1/v1/traces\n  otlp_grpc/d:\n    endpoint: \n  otlp_http/e:\n    endpoint: http://e\n    tls: {ca_file: ca.pem, server_name_override: f}\n    encoding: protobuf\n  json_lines: {path: f, max_age: 1, compression: zstd}\n".into(),
            vec![
                "4: outputs.otlp_grpc/a.endpoint: \"http://a:1\" does not speak TLS, but tls has files; write https://".into(),
                "5: outputs.otlp_grpc/a.tls.cert_file: needs key_file beside it".into(),
                "5: outputs.otlp_grpc/a.tls.insecure: expected true or false, found text".into(),
                "6: outputs.otlp_grpc/a.headers: \"x-bin\": headers of gRPC that end in -bin are binary".into(),
                "7: outputs.otlp_grpc/a.queue.batch.max_size: 1 is outside 1024 to 1073741824 bytes".into(),
                "7: outputs.otlp_grpc/a.queue.num_consumer: is not a known key (did you mean \"num_consumers\"?); known here: max_bytes, num_consumers, batch".into(),
                "9: outputs.otlp_grpc/b.endpoint: \"https://b:1\" speaks TLS, but tls.insecure says not to; write http://".into(),
                "12: outputs.otlp_grpc/c.endpoint: \"https://c:1/v1/traces\" has a path, which gRPC has no use for".into(),
                "14: outputs.otlp_grpc/d.endpoint: is missing: the backend's address, such as backend.example.com:4317".into(),
                "16: outputs.otlp_http/e.endpoint: \"http://e\" does not speak TLS, but tls has files; write https://".into(),
                "17: outputs.otlp_http/e.tls.server_name_override: is not a known key; known here: ca_file, cert_file, key_file".into(),
                "18: outputs.otlp_http/e.encoding: \"protobuf\" is not one of proto, json".into(),
                "19: outputs.json_lines.max_age: expected a duration with its unit, such as 5s, found a whole number".into(),
            ],
        ),
        ("receivers: {kafka: }\noutputs: {kafka: }\n".into(), vec![" ok".into()]),
        (
            "receivers:\n  kafka:\n    brokers: [\"kafka:9092\"]\n    traces: {topics: [a, b], encoding: otlp_proto}\n    logs: {topics: []}\n    group_id: g\n    group_instance_id: one\n    initial_offset: latest\n    session_timeout: 30s\n    heartbeat_interval: 1s\n    min_fetch_size: 1KiB\n    max_fetch_size: 8MiB\n    max_partition_fetch_size: 2MiB\n    max_fetch_wait: 1s\n    autocommit: {interval: 5s}\n    auth: {sasl: {mechanism: SCRAM-SHA-512, username: me, password: secret}}\n    tls: {server_name_override: kafka}\noutputs:\n  kafka/a:\n    brokers: [\"a:1\", \"b:2\"]\n    traces: {topic: t}\n    partition_logs_by_trace_id: true\n    record_partitioner: {sticky_key: {hasher: murmur2}}\n    producer: {max_message_bytes: 10MB, required_acks: leader, compression: lz4, linger: 0}\n    tls: {insecure: true}\n".into(),
            vec![" ok".into()],
        ),
        (
            "receivers:\n  kafka:\n    brokers: [kafka, \"http://k:1\"]\n    traces: {topics: [\"a b\", x, x]}\n    logs: {topic: l}\n    group_id: \"\"\n    initial_offset: newest\n    session_timeout: 2s\n    min_fetch_size: 2MiB\n    auth: {sasl: {mechanism: GSSAPI, username: me}}\n    encoding: otlp_json\noutputs:\n  kafka:\n    brokers: []\n    traces: {topic: \"..\", encoding: jaeger_proto}\n    partition_logs_by_trace_id: true\n    partition_logs_by_resource_attributes: true\n    producer: {max_message_bytes: 10, required_acks: none, compression: brotli}\n    auth: {plain_text: {username: a}}\n    tls: {insecure: true, ca_file: ca.pem}\n    record_partitioner: {round_robin: }\n".into(),
            vec![
                "2: receivers.kafka.heartbeat_interval: has to be shorter than session_timeout".into(),
                "3: receivers.kafka.brokers[0]: \"kafka\" has no port; write host:port".into(),
                "3: receivers.kafka.brokers[1]: \"http://k:1\" is a URL; write host:port".into(),
                "4: receivers.kafka.traces.topics[0]: \"a b\" has characters other than a-z, A-Z, 0-9, '.', '_' and '-'".into(),
                "4: receivers.kafka.traces.topics[2]: \"x\" is read already".into(),
                "5: receivers.kafka.logs.topic: is not a known key (did you mean \"topics\"?); known here: topics, encoding".into(),
                "6: receivers.kafka.group_id: is empty: offsets are committed for a group".into(),
                "7: receivers.kafka.initial_offset: \"newest\" is not one of earliest, latest".into(),
                "9: receivers.kafka.min_fetch_size: is more than max_fetch_size".into(),
                "10: receivers.kafka.auth.sasl.mechanism: \"GSSAPI\" is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512".into(),
                "10: receivers.kafka.auth.sasl.password: is missing: the password, such as ${env:KAFKA_PASSWORD}".into(),
                "11: receivers.kafka.encoding: is not a known key; known here: brokers, client_id, tls, auth, timeout, traces".into(),
                "14: outputs.kafka.brokers: names no broker; list one as host:port".into(),
                "15: outputs.kafka.traces.encoding: \"jaeger_proto\" is not known; records are in otlp_proto".into(),
                "15: outputs.kafka.traces.topic: \"..\" is no name of a topic".into(),
                "17: outputs.kafka.partition_logs_by_resource_attributes: cannot be beside partition_logs_by_trace_id".into(),
                "18: outputs.kafka.producer.compression: \"brotli\" is not one of none, gzip, snappy, lz4, zstd".into(),
                "18: outputs.kafka.producer.max_message_bytes: 10 is outside 1024 to 104857600 bytes".into(),
                "18: outputs.kafka.producer.required_acks: \"none\" is not one of all, leader".into(),
                "19: outputs.kafka.auth.plain_text: is not a known key; known here: sasl".into(),
                "19: outputs.kafka.auth.sasl: is missing: a username, a password and a mechanism".into(),
                "20: outputs.kafka.tls: has files or a name, but insecure says not to speak TLS".into(),
                "21: outputs.kafka.record_partitioner.round_robin: is not a known key; known here: sticky_key".into(),
            ],
        ),
    ];
    for (yaml, expected) in cases {
        let (ok, said) = check(&yaml, false);
        assert_eq!(ok, expected == [" ok"], "{yaml}\n{said:?}");
        assert_eq!(said.len(), expected.len(), "{yaml}\n{said:#?}");
        for (said, expected) in said.iter().zip(&expected) {
            assert!(said.starts_with(expected.as_str()), "{yaml}\nsaid     {said}\nexpected {expected}");
        }
    }
}

#[test]
fn plugins_are_loaded_and_configured_and_their_problems_have_lines_too() {
    let Some(build) = build() else { return };
    let build = build.display();
    let yaml = format!(
        "{GOOD}enrich:
  - path: {build}/plugins/none.wasm
  - path: {build}/plugins/cost_calculator.wasm
    sha256: sha256:{zeros}
  - path: {build}/plugins/sampler.wasm
  - path: {build}/tests/hostile.wasm
    config:
      mode: config error
      rules: [0, 1, {{ratio: 7}}]
sample:
  plugin:
    path: {build}/plugins/sampler.wasm
    config:
      policies:
        - {{name: rest, type: probabilistic, probabilistic: {{sampling_percentage: 10}}}}
        - {{name: rest, type: always_sample}}
",
        zeros = "0".repeat(64)
    );
    let (ok, said) = check(&yaml, true);
    assert!(!ok);
    let expected = [
        ("4: enrich[0].path: ", "No such file"),
        ("5: enrich[1].sha256: the file's digest is sha256:", "pins sha256:0000"),
        ("7: enrich[2]: the plugin is not an enricher; it is a sampler", ""),
        ("9: enrich[3].config: no table given", ""),
        ("11: enrich[3].config.rules[2].ratio: must be at most 1", ""),
        ("18: sample.plugin.config.policies[1].name: ", ""),
    ];
    assert_eq!(said.len(), expected.len(), "{said:#?}");
    for (said, (start, holds)) in said.iter().zip(expected) {
        assert!(said.starts_with(start) && said.contains(holds), "said {said}\nexpected {start} .. {holds}");
    }
}

/// The configurations that come with the project, from the root of the checkout.
const EXAMPLES: [&str; 4] = [
    "examples/tollgate.yaml",
    "examples/stack/tollgate.yaml",
    "examples/kubernetes/host.yaml",
    "packaging/tollgate.yaml",
];

#[test]
fn the_examples_are_configurations() {
    for example in EXAMPLES {
        let text = std::fs::read_to_string(format!("{}/../{example}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        // In a manifest it is the text of a member, indented.
        let text = match text.split_once("tollgate.yaml: |\n") {
            Some((_, rest)) => rest
                .lines()
                .take_while(|line| line.starts_with("    "))
                .fold(String::new(), |all, line| all + line.strip_prefix("    ").unwrap_or(line) + "\n"),
            None => text,
        };
        let (ok, said) = check(&text, false);
        assert!(ok, "{example}: {said:?}");
    }
}
