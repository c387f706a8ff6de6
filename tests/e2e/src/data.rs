//! Where binaries, build outputs and recorded traffic are.

use std::env;
use std::path::{Path, PathBuf};

/// Root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// Says that a test cannot run here, or fails where it must.
pub fn skipped(why: &str) {
    if env::var("TOLLGATE_REQUIRE_DATA").is_ok_and(|value| value == "1") {
        panic!("TOLLGATE_REQUIRE_DATA is set, and {why}");
    }
    eprintln!("SKIPPED: {why}");
}

/// A file that `cargo xtask build` makes, such as `filter/tollgate_filter.wasm`.
#[must_use]
pub fn build_output(name: &str) -> Option<PathBuf> {
    let folder = env::var_os("TOLLGATE_BUILD").map_or_else(|| root().join("target/tollgate"), PathBuf::from);
    let file = folder.join(name);
    if file.exists() {
        return Some(file);
    }
    skipped(&format!("there is no {}; run `cargo xtask build`", file.display()));
    None
}

/// The recorded traffic, a gzip file of JSON lines.
#[must_use]
pub fn recorded_traffic() -> Option<PathBuf> {
    let file = env::var_os("TOLLGATE_TRAFFIC").map(PathBuf::from).filter(|file| file.exists());
    if file.is_none() {
        skipped("TOLLGATE_TRAFFIC names no file of recorded traffic");
    }
    file
}

/// The Envoy binary: `ENVOY`, else `envoy` on the search path, else the one that xtask installs.
pub(crate) fn envoy_binary() -> Option<PathBuf> {
    let named = env::var_os("ENVOY").map(PathBuf::from);
    let on_path = env::var_os("PATH").map(|path| env::split_paths(&path).map(|dir| dir.join("envoy")).collect());
    let candidates: Vec<PathBuf> = match named {
        Some(named) => vec![named],
        None => on_path.unwrap_or_default(),
    };
    let installed = root().join(".tools/envoy/envoy/_bin/envoy");
    let found = candidates.into_iter().chain([installed]).find(|file| file.is_file());
    if found.is_none() {
        skipped("there is no Envoy; set ENVOY to its binary");
    }
    found
}
