//! The configuration of an Envoy: that of `examples/envoy`, its ports replaced, and what a test adds to it.

use crate::data::{build_output, root};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

/// What differs from the example.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Port of the provider.
    pub provider: u16,
    /// Port of the collector; one where nobody listens unless it is set.
    pub collector: u16,
    /// The example in `examples/envoy`.
    pub example: &'static str,
    /// Configuration of the filter, JSON text; `None` leaves the filter out, and an empty text leaves what the example has.
    pub filter: Option<String>,
    /// Worker threads.
    pub workers: u32,
    /// Whether the listener comes from a file that Envoy watches, so that it can be configured anew.
    pub dynamic: bool,
    /// Texts of the example to be replaced by others, before anything else.
    pub replace: Vec<(String, String)>,
    /// YAML that goes before lines of the example.
    insert: Vec<(&'static str, String)>,
}

/// The files of a configuration.
pub(crate) struct Written {
    /// What Envoy is started on.
    pub(crate) bootstrap: PathBuf,
    /// What it watches, where the listener is dynamic.
    pub(crate) listeners: PathBuf,
}

impl Settings {
    /// The filter with its whole record in the access log and quick export, one worker.
    #[must_use]
    pub fn new(provider: u16) -> Self {
        let filter = r#"{"access_log": "record", "export": {"cluster": "collector", "flush_ms": 50}}"#;
        Self {
            provider,
            collector: free_port(),
            example: "envoy.yaml",
            filter: Some(filter.to_owned()),
            workers: 1,
            dynamic: false,
            replace: Vec::new(),
            insert: Vec::new(),
        }
    }

    /// Another configuration of the filter.
    #[must_use]
    pub fn filter(mut self, json: &str) -> Self {
        self.filter = Some(json.to_owned());
        self
    }

    /// Another example, with the configuration of the filter that it has.
    #[must_use]
    pub fn example(mut self, name: &'static str) -> Self {
        self.example = name;
        self.filter = Some(String::new());
        self
    }

    /// A text of the example replaced by another.
    #[must_use]
    pub fn replaced(mut self, from: &str, to: &str) -> Self {
        self.replace.push((from.to_owned(), to.to_owned()));
        self
    }

    /// Envoy alone.
    #[must_use]
    pub fn without_filter(mut self) -> Self {
        self.filter = None;
        self
    }

    /// A collector.
    #[must_use]
    pub const fn collector(mut self, port: u16) -> Self {
        self.collector = port;
        self
    }

    /// Fields of the HTTP connection manager.
    #[must_use]
    pub fn connections(self, yaml: &str) -> Self {
        self.before("stream_idle_timeout: 300s", yaml)
    }

    /// Fields of the route configuration.
    #[must_use]
    pub fn route_table(self, yaml: &str) -> Self {
        self.before("name: llm", yaml)
    }

    /// Routes that are looked at before that of the example.
    #[must_use]
    pub fn routes(self, yaml: &str) -> Self {
        self.before("- match: { prefix: \"/\" }", yaml)
    }

    /// HTTP filters between the caller and the filter.
    #[must_use]
    pub fn filters_ahead(self, yaml: &str) -> Self {
        self.before("- name: tollgate", yaml)
    }

    /// HTTP filters between the filter and the provider.
    #[must_use]
    pub fn filters_behind(self, yaml: &str) -> Self {
        self.before("- name: envoy.filters.http.router", yaml)
    }

    /// Access loggers beside that of the example.
    #[must_use]
    pub fn access_loggers(self, yaml: &str) -> Self {
        self.before("- name: envoy.access_loggers.file", yaml)
    }

    /// Clusters beside those of the example.
    #[must_use]
    pub fn clusters(self, yaml: &str) -> Self {
        self.before("- name: provider", yaml)
    }

    /// Another cluster of one host, with its HTTP protocol options, such as `http2_protocol_options: {}`.
    #[must_use]
    pub fn cluster(self, name: &str, port: u16, protocol: &str) -> Self {
        let options = protocol_options(protocol);
        let endpoint =
            format!("endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }} }}");
        let yaml = format!(
            "- name: {name}\n  type: STATIC\n  connect_timeout: 5s\n{options}  load_assignment:\n    cluster_name: {name}\n    \
             endpoints:\n      - lb_endpoints:\n          - {endpoint}"
        );
        self.clusters(&yaml)
    }

    /// HTTP protocol options of the provider's cluster.
    #[must_use]
    pub fn speaking(mut self, protocol: &str) -> Self {
        let from = "    - name: provider\n".to_owned();
        let options: String = protocol_options(protocol).lines().map(|line| format!("    {line}\n")).collect();
        self.replace.push((from.clone(), from + &options));
        self
    }

    /// Trailers on both sides.
    #[must_use]
    pub fn trailers(self) -> Self {
        self.connections("http_protocol_options: { enable_trailers: true }")
            .speaking("http_protocol_options: { enable_trailers: true }")
    }

    fn before(mut self, line: &'static str, yaml: &str) -> Self {
        self.insert.push((line, yaml.to_owned()));
        self
    }

    pub(crate) fn write(&self, folder: &Path, listener: u16, admin: u16) -> Option<Written> {
        let mut text = fs::read_to_string(root().join("examples/envoy").join(self.example)).expect("the example");
        if self.filter.is_some() {
            let module = build_output("filter/tollgate_filter.wasm")?;
            text = text.replace("target/tollgate/filter/tollgate_filter.wasm", &module.display().to_string());
        }
        for (line, yaml) in &self.insert {
            text = insert_before(&text, line, yaml);
        }
        for (from, to) in &self.replace {
            assert!(text.contains(from), "the example has no {from:?}");
            text = text.replace(from, to);
        }
        for (from, to) in [(10000, listener), (9901, admin), (8080, self.provider), (4318, self.collector)] {
            text = text.replace(&format!("port_value: {from} "), &format!("port_value: {to} "));
        }
        text = text.replace("/dev/stdout", &folder.join("access.log").display().to_string());
        let record = "record: \"%FILTER_STATE(wasm.tollgate.record:PLAIN)%\"\n";
        text = text.replace("trace_id: \"%", &format!("{record}                          trace_id: \"%"));
        match &self.filter {
            Some(json) => {
                if !json.is_empty() {
                    text = replace_block(&text, "value: |", &format!("value: {}", quoted(json)));
                }
            }
            None => text = without_block(&text, "- name: tollgate\n"),
        }
        let written = Written { bootstrap: folder.join("envoy.yaml"), listeners: folder.join("listeners.yaml") };
        if self.dynamic {
            let (bootstrap, listeners) = apart(&text, &written.listeners);
            text = bootstrap;
            // Envoy reads the file anew when another is moved into its place.
            let beside = folder.join("listeners.new");
            fs::write(&beside, listeners).expect("a configuration");
            fs::rename(&beside, &written.listeners).expect("a configuration");
        }
        fs::write(&written.bootstrap, text).expect("a configuration");
        Some(written)
    }
}

/// A cluster's field with its HTTP protocol options.
fn protocol_options(protocol: &str) -> String {
    const KIND: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    format!(
        "  typed_extension_protocol_options:\n    {KIND}:\n      \"@type\": type.googleapis.com/{KIND}\n      \
         explicit_http_config: {{ {protocol} }}\n"
    )
}

/// The same configuration in two: the bootstrap, and the listener as an answer of LDS.
fn apart(text: &str, listeners: &Path) -> (String, String) {
    const LIST: &str = "  listeners:\n";
    const NEXT: &str = "  clusters:\n";
    let (head, rest) = text.split_once(LIST).expect("listeners");
    let (listener, tail) = rest.split_once(NEXT).expect("clusters");
    let watched = format!(
        "node: {{ id: e2e, cluster: e2e }}\ndynamic_resources:\n  lds_config:\n    path_config_source: {{ path: {} }}\n",
        listeners.display()
    );
    let kind = "    - \"@type\": type.googleapis.com/envoy.config.listener.v3.Listener\n      name:";
    (format!("{watched}{head}{NEXT}{tail}"), format!("resources:\n{}", listener.replacen("    - name:", kind, 1)))
}

/// A port where nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Replaces a line, found by how it starts, and the deeper lines after it.
fn replace_block(text: &str, start: &str, with: &str) -> String {
    let mut lines = Vec::new();
    let mut inside = None;
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        if inside.is_some_and(|outer| depth > outer || line.trim().is_empty()) {
            continue;
        }
        inside = None;
        if format!("{}\n", line.trim_start()).starts_with(start) {
            inside = Some(depth);
            if !with.is_empty() {
                lines.push(format!("{}{with}", " ".repeat(depth)));
            }
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n") + "\n"
}

/// Puts lines before a line, as deep as that one.
fn insert_before(text: &str, line: &str, yaml: &str) -> String {
    let mut lines = Vec::new();
    let mut found = false;
    for given in text.lines() {
        if given.trim_start() == line && !found {
            found = true;
            let depth = " ".repeat(given.len() - given.trim_start().len());
            lines.extend(yaml.lines().map(|line| format!("{depth}{line}")));
        }
        lines.push(given.to_owned());
    }
    assert!(found, "the example has no line {line:?}");
    lines.join("\n") + "\n"
}

fn without_block(text: &str, start: &str) -> String {
    replace_block(text, start, "")
}

/// A YAML scalar: JSON is one.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
