//! What the manifests hand to the filter and to Envoy, read by the filter and by a real Envoy.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails says where"
)]

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tollgate_filter::config::Config;
use tollgate_manifests::{Document, documents, root, skipped, yaml};

/// Where each kind has the filter's configuration.
fn configurations(document: &Document) -> Vec<Value> {
    let value = &document.value;
    match value["kind"].as_str() {
        Some("WasmPlugin") => vec![value["spec"]["pluginConfig"].clone()],
        Some("EnvoyExtensionPolicy") => {
            value["spec"]["wasm"].as_array().unwrap().iter().map(|wasm| wasm["config"].clone()).collect()
        }
        Some("ConfigMap") if value["data"]["envoy.yaml"].is_string() => {
            let envoy = embedded(value);
            let text = filters(&envoy).find_map(|filter| {
                filter["typed_config"]["config"]["configuration"]["value"].as_str().map(str::to_owned)
            });
            vec![serde_json::from_str(&text.expect("a filter with a configuration")).unwrap()]
        }
        _ => vec![],
    }
}

#[test]
fn every_configuration_is_one_that_the_filter_takes() {
    let mut seen = BTreeSet::new();
    for document in documents().unwrap() {
        for configuration in configurations(&document) {
            let config = Config::parse(configuration.to_string().as_bytes())
                .unwrap_or_else(|error| panic!("{}: {error}", document.file));
            assert!(config.export.is_some(), "{}", document.file);
            seen.insert(document.file.clone());
        }
    }
    let expected = ["envoy-gateway/tollgate", "istio/egress-gateway", "istio/sidecar", "kubernetes/envoy"];
    let expected: Vec<_> = expected.iter().map(|name| format!("examples/{name}.yaml")).collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
}

/// Patterns for labels and fields of the access log are one list each, wherever they are written.
#[test]
fn labels_and_log_fields_are_those_of_the_envoy_example() {
    let envoy = yaml(&fs::read_to_string(root().join("examples/envoy/envoy.yaml")).unwrap()).unwrap().remove(0);
    let (tags, log) = (&envoy["stats_config"]["stats_tags"], log_of(&envoy));
    assert!(tags.as_array().unwrap().len() > 5 && log.as_object().unwrap().len() > 5);
    let documents = documents().unwrap();
    let of = |file: &str, kind: &str| {
        let found = documents.iter().find(|document| document.file.ends_with(file) && document.value["kind"] == kind);
        found.unwrap_or_else(|| panic!("{file}: {kind}")).value.clone()
    };
    let istio = of("stats-tags.yaml", "EnvoyFilter");
    assert_eq!(&istio["spec"]["configPatches"][0]["patch"]["value"]["stats_config"]["stats_tags"], tags);
    let mesh = documents.iter().find(|document| document.file.ends_with("mesh-values.yaml")).unwrap();
    let provider = &mesh.value["meshConfig"]["extensionProviders"][0];
    assert_eq!(&provider["envoyFileAccessLog"]["logFormat"]["labels"], log);
    let telemetry = of("access-log.yaml", "Telemetry");
    assert_eq!(telemetry["spec"]["accessLogging"][0]["providers"][0]["name"], provider["name"]);
    let proxy = of("tollgate.yaml", "EnvoyProxy");
    assert_eq!(&proxy["spec"]["telemetry"]["accessLog"]["settings"][0]["format"]["json"], log);
    let bootstrap = yaml(proxy["spec"]["bootstrap"]["value"].as_str().unwrap()).unwrap().remove(0);
    assert_eq!(&bootstrap["stats_config"]["stats_tags"], tags);
    let plain = embedded(&of("envoy.yaml", "ConfigMap"));
    assert_eq!((&plain["stats_config"]["stats_tags"], log_of(&plain)), (tags, log));
}

/// A digest that nobody has filled in must fail, and must be easy to find.
#[test]
fn digests_are_left_to_fill_in() {
    let zeros = "0".repeat(64);
    let mut seen = 0;
    for document in documents().unwrap() {
        let text = document.value.to_string();
        seen += text.matches(&zeros).count();
        assert!(!text.contains(":latest"), "{}", document.file);
    }
    assert_eq!(seen, 5);
}

#[test]
fn envoy_takes_what_is_written_for_it() {
    let (Some(envoy), Some(build)) = (std::env::var_os("ENVOY"), std::env::var_os("TOLLGATE_BUILD")) else {
        skipped("ENVOY and TOLLGATE_BUILD are not set; `cargo xtask test manifests` sets them");
        return;
    };
    let module = PathBuf::from(build).join("filter/tollgate_filter.wasm").display().to_string();
    let documents = documents().unwrap();
    let config_map = documents.iter().find(|document| document.value["kind"] == "ConfigMap").unwrap();
    let mut plain = embedded(&config_map.value);
    plugin(&mut plain)["vm_config"]["code"]["local"]["filename"] = json!(module);
    let proxy = documents.iter().find(|document| document.value["kind"] == "EnvoyProxy").unwrap();
    let merged = yaml(proxy.value["spec"]["bootstrap"]["value"].as_str().unwrap()).unwrap().remove(0);
    let mut cases =
        vec![("the ConfigMap".to_owned(), plain.clone(), true), ("the EnvoyProxy".to_owned(), merged, true)];
    for document in &documents {
        for configuration in configurations(document) {
            cases.push((document.file.clone(), handed(&plain, &configuration), true));
        }
    }
    // What has to fail, so that success means something.
    let mut broken = plain.clone();
    broken["stats_config"]["stats_tag"] = json!([]);
    cases.push(("a field that Envoy does not know".to_owned(), broken, false));
    cases.push(("a field that the filter does not know".to_owned(), handed(&plain, &json!({"exprt": {}})), false));
    assert_eq!(cases.len(), 8);
    for (name, config, holds) in cases {
        let file = std::env::temp_dir().join(format!("tollgate-manifest-{}.json", std::process::id()));
        fs::write(&file, config.to_string()).unwrap();
        let ran = Command::new(&envoy).args(["--mode", "validate", "-c"]).arg(&file).output().unwrap();
        fs::remove_file(file).unwrap();
        assert_eq!(ran.status.success(), holds, "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

/// The filter as Istio and Envoy Gateway hand it to their proxies: the configuration as JSON text, and, from Istio, a
/// variable in the environment of the module.
fn handed(envoy: &Value, configuration: &Value) -> Value {
    let mut envoy = envoy.clone();
    let plugin = plugin(&mut envoy);
    plugin["configuration"]["value"] = json!(configuration.to_string());
    plugin["vm_config"]["environment_variables"] =
        json!({"key_values": {"ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION": "1"}});
    envoy
}

/// The configuration of Envoy in a ConfigMap.
fn embedded(config_map: &Value) -> Value {
    yaml(config_map["data"]["envoy.yaml"].as_str().unwrap()).unwrap().remove(0)
}

fn managers(envoy: &Value) -> impl Iterator<Item = &Value> {
    envoy["static_resources"]["listeners"].as_array().into_iter().flatten().filter_map(|listener| {
        let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager.is_object().then_some(manager)
    })
}

fn filters(envoy: &Value) -> impl Iterator<Item = &Value> {
    managers(envoy).flat_map(|manager| manager["http_filters"].as_array().into_iter().flatten())
}

fn log_of(envoy: &Value) -> &Value {
    let log = managers(envoy).find_map(|manager| manager.get("access_log")).expect("an access log");
    &log[0]["typed_config"]["log_format"]["json_format"]
}

/// The configuration of the plugin in the ConfigMap.
fn plugin(envoy: &mut Value) -> &mut Value {
    let manager = &mut envoy["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    let plugin = &mut manager["http_filters"][0]["typed_config"]["config"];
    assert_eq!(plugin["root_id"], "tollgate");
    plugin
}
