//! What is compared: configurations of Envoy, made of the example's by replacing parts of it.

use crate::fault::Fault;
use std::fs;
use std::path::{Path, PathBuf};

/// Envoy's own counter of tokens.
const NATIVE: &str = r#"- name: native
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.ai_protocol_manager.v3.AiProtocolManager
    response_handling:
      token_usage:
        include_unconfigured_routes: true"#;

/// A filter in WebAssembly.
const WASM: &str = r#"- name: empty
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
    config:
      name: empty
      root_id: empty
      failure_policy: FAIL_RELOAD
      vm_config:
        vm_id: empty
        runtime: envoy.wasm.runtime.v8
        code:
          local: { filename: MODULE }"#;

/// A filter that is called as often as ours, and does nothing.
const EMPTY: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_request_trailers") (param i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_response_trailers") (param i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_log") (param i32))
  (func (export "proxy_on_done") (param i32) (result i32) i32.const 1)
  (func (export "proxy_on_delete") (param i32)))"#;

/// The filter that Envoy runs.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// None but the router.
    None,
    /// Envoy's `ai_protocol_manager`.
    Native,
    /// A module that does nothing.
    Empty,
    /// Ours, with this configuration.
    Tollgate(String),
}

/// One of those that are compared.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    /// Name for options.
    pub(crate) name: &'static str,
    /// Name for people.
    pub(crate) title: &'static str,
    /// What it runs.
    pub(crate) filter: Filter,
}

/// Everything that is compared.
pub(crate) fn all() -> Vec<Variant> {
    let ours = |text: &str| Filter::Tollgate(text.to_owned());
    vec![
        Variant { name: "alone", title: "Envoy alone", filter: Filter::None },
        Variant { name: "native", title: "ai_protocol_manager", filter: Filter::Native },
        Variant { name: "empty", title: "an empty wasm filter", filter: Filter::Empty },
        Variant { name: "metrics", title: "Tollgate, metrics", filter: ours(r#"{"access_log": "off"}"#) },
        Variant {
            name: "spans",
            title: "Tollgate, metrics and spans",
            filter: ours(r#"{"access_log": "off", "export": {"cluster": "collector"}}"#),
        },
        Variant {
            name: "full",
            title: "Tollgate, metrics, spans, access log",
            filter: ours(r#"{"export": {"cluster": "collector"}}"#),
        },
    ]
}

/// The ports of one Envoy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    /// Where callers connect.
    pub(crate) listener: u16,
    /// The admin interface.
    pub(crate) admin: u16,
    /// The provider.
    pub(crate) provider: u16,
    /// The collector.
    pub(crate) collector: u16,
}

/// Writes the configuration into a folder; gives the file.
///
/// # Errors
/// The example is not what it was, or a file cannot be written.
pub(crate) fn write(filter: &Filter, ports: Ports, module: &Path, folder: &Path) -> Result<PathBuf, Fault> {
    let example = crate::root().join("examples/envoy/envoy.yaml");
    let mut text = fs::read_to_string(&example).map_err(|error| Fault::File { path: example, error })?;
    let ports = [(10000, ports.listener), (9901, ports.admin), (8080, ports.provider), (4318, ports.collector)];
    for (from, to) in ports {
        text = replaced(&text, &format!("port_value: {from} "), &format!("port_value: {to} "))?;
    }
    text = replaced(&text, "/dev/stdout", "/dev/null")?;
    // Without thresholds of its own a cluster has 1,024 requests at most.
    let many = "100000";
    text = replaced(
        &text,
        "connect_timeout: 5s",
        &format!(
            "connect_timeout: 5s\n      circuit_breakers:\n        thresholds:\n          - {{ max_connections: {many}, \
             max_pending_requests: {many}, max_requests: {many} }}"
        ),
    )?;
    text = match filter {
        Filter::None => block(&text, "- name: tollgate", "")?,
        Filter::Native => block(&text, "- name: tollgate", NATIVE)?,
        Filter::Empty => {
            let file = folder.join("empty.wasm");
            let bytes = wat::parse_str(EMPTY).map_err(|error| Fault::Option(error.to_string()))?;
            save(&file, &bytes)?;
            block(&text, "- name: tollgate", &WASM.replace("MODULE", &file.display().to_string()))?
        }
        Filter::Tollgate(configuration) => {
            let text = replaced(&text, "target/tollgate/filter/tollgate_filter.wasm", &module.display().to_string())?;
            // A YAML scalar: a text in JSON is one.
            block(&text, "value: |", &format!("value: {}", serde_json::Value::from(configuration.as_str())))?
        }
    };
    let file = folder.join("envoy.yaml");
    save(&file, text.as_bytes())?;
    Ok(file)
}

fn save(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    fs::write(path, bytes).map_err(|error| Fault::File { path: path.to_path_buf(), error })
}

fn replaced(text: &str, from: &str, to: &str) -> Result<String, Fault> {
    if !text.contains(from) {
        return Err(Fault::Example(from.to_owned()));
    }
    Ok(text.replace(from, to))
}

/// Replaces the line that starts so, and the deeper ones below it, by lines as deep.
fn block(text: &str, start: &str, with: &str) -> Result<String, Fault> {
    let mut lines = Vec::new();
    let mut inside = None;
    let mut found = false;
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        if inside.is_some_and(|outer| depth > outer || line.trim().is_empty()) {
            continue;
        }
        inside = None;
        if !found && line.trim() == start {
            (inside, found) = (Some(depth), true);
            lines.extend(with.lines().map(|line| format!("{}{line}", " ".repeat(depth))));
        } else {
            lines.push(line.to_owned());
        }
    }
    if found { Ok(lines.join("\n") + "\n") } else { Err(Fault::Example(start.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_replaced_with_what_is_below_it() {
        let text = "a:\n  - name: x\n    deep: 1\n\n      deeper: 2\n  - name: y\nb: 1\n";
        assert_eq!(block(text, "- name: x", "- z\n  w").unwrap(), "a:\n  - z\n    w\n  - name: y\nb: 1\n");
        assert!(block(text, "- name: w", "").is_err());
    }
}
