//! Every object against the schema that its project publishes.
//!
//! `TOLLGATE_SCHEMAS` is the folder with the npm packages that have them; `cargo xtask test manifests` installs it. The
//! two files that are no objects of an API server are checked against tables made by hand of what their readers document.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that fails says where")]

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tollgate_manifests::{documents, root, skipped};

/// The helm values: members that this project uses, by Istio's reference of `MeshConfig.ExtensionProvider`.
const MESH: [&str; 6] = [
    "meshConfig",
    "meshConfig.extensionProviders",
    "meshConfig.extensionProviders.name",
    "meshConfig.extensionProviders.envoyFileAccessLog",
    "meshConfig.extensionProviders.envoyFileAccessLog.path",
    "meshConfig.extensionProviders.envoyFileAccessLog.logFormat",
];
/// Below it every member is a field of the log, and a text.
const LABELS: &str = "meshConfig.extensionProviders.envoyFileAccessLog.logFormat.labels";
/// The kustomization: members that this project uses, by kustomize's reference of `Kustomization`.
const KUSTOMIZATION: [&str; 3] = ["apiVersion", "kind", "resources"];

#[test]
fn every_object_fits_its_published_schema() {
    let Some(schemas) = schemas() else { return };
    let mut files: Vec<_> = documents().unwrap().into_iter().map(|document| document.file).collect();
    files.dedup();
    files.retain(|file| !by_hand(file));
    let (holds, said) = check(&schemas, files.iter().map(|file| root().join(file)));
    assert!(holds, "{said}");
    let objects = documents().unwrap().into_iter().filter(|document| !by_hand(&document.file)).count();
    assert!(said.contains(&format!("{objects} objects, 0 problems")), "{said}");
}

/// What the check has to find, so that its silence means something.
#[test]
fn what_does_not_fit_is_found() {
    let Some(schemas) = schemas() else { return };
    let cases = [
        ("extensions.istio.io/v1alpha1", "WasmPlugin", "{ url: u, failStrategi: FAIL_OPEN }", "failStrategi"),
        ("extensions.istio.io/v1alpha1", "WasmPlugin", "{ url: u, failStrategy: FAIL }", "failStrategy"),
        ("extensions.istio.io/v1alpha1", "WasmPlugin", "{ url: u, sha256: x }", "sha256"),
        ("extensions.istio.io/v1alpha1", "WasmPlugin", "{ pluginName: u }", "url"),
        ("networking.istio.io/v1", "DestinationRule", "{ host: h, tls: { mode: SIMPLE } }", "tls"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute", "{ rules: [{ timeout: 0s }] }", "timeout"),
        ("gateway.envoyproxy.io/v1alpha1", "EnvoyExtensionPolicy", "{ wasm: [{ rootID: r }] }", "code"),
        ("gateway.envoyproxy.io/v1alpha1", "EnvoyProxy", "{ bootstrap: { values: v } }", "values"),
        ("v1", "Service", "{ ports: [{ port: http }] }", "port"),
    ];
    let object = |(number, (api, kind, spec, _)): (usize, &(&str, &str, &str, &str))| {
        format!("---\napiVersion: {api}\nkind: {kind}\nmetadata: {{ name: x{number} }}\nspec: {spec}\n")
    };
    let file = std::env::temp_dir().join(format!("tollgate-manifest-{}.yaml", std::process::id()));
    fs::write(&file, cases.iter().enumerate().map(object).collect::<String>()).unwrap();
    let (holds, said) = check(&schemas, [file.clone()]);
    fs::remove_file(file).unwrap();
    assert!(!holds, "{said}");
    for (number, (_, kind, spec, expected)) in cases.iter().enumerate() {
        let found = said.lines().any(|line| line.contains(&format!("{kind} x{number}: ")) && line.contains(expected));
        assert!(found, "{spec} is not found in\n{said}");
    }
}

#[test]
fn what_is_no_object_has_known_members() {
    let documents = documents().unwrap();
    let mut seen = 0;
    for document in documents.iter().filter(|document| by_hand(&document.file)) {
        let table: &[&str] = if document.value.get("kind").is_some() { &KUSTOMIZATION } else { &MESH };
        let mut members = Vec::new();
        paths(&document.value, "", &mut members);
        for (path, value) in members {
            let label = path.strip_prefix(LABELS).is_some_and(|rest| rest.is_empty() || value.is_string());
            assert!(label || table.contains(&path.as_str()), "{}: {path}", document.file);
        }
        seen += 1;
    }
    assert_eq!(seen, 2);
}

fn by_hand(file: &str) -> bool {
    file.ends_with("mesh-values.yaml") || file.ends_with("kustomization.yaml")
}

/// Every member by its path; those of lists as those of what they list.
fn paths<'a>(value: &'a Value, at: &str, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                found.push((path.clone(), value));
                paths(value, &path, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, at, found)),
        _ => {}
    }
}

fn schemas() -> Option<PathBuf> {
    let folder = std::env::var_os("TOLLGATE_SCHEMAS").map(PathBuf::from);
    if folder.is_none() {
        skipped("TOLLGATE_SCHEMAS is not set; `cargo xtask test manifests` installs the schemas");
    }
    folder
}

fn check(schemas: &PathBuf, files: impl IntoIterator<Item = PathBuf>) -> (bool, String) {
    let mut node = Command::new("node");
    node.arg(root().join("tests/manifests/check.mjs")).arg(schemas).args(files);
    let ran = node.output().expect("node");
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    (ran.status.success(), said)
}
