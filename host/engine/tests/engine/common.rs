//! What the engine's tests share: the components that `cargo xtask build` made, and a small engine.

use std::path::{Path, PathBuf};
use std::time::Duration;
use tollgate_columns::{Batch, Edits};
use tollgate_engine::{Engine, EngineConfig, Plugin};

/// The bytes of a built component. Without it the test says so and passes, unless `TOLLGATE_REQUIRE_DATA=1`.
pub(crate) fn component(path: &str) -> Option<Vec<u8>> {
    let built = std::env::var_os("TOLLGATE_BUILD").map(PathBuf::from);
    let built = built.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tollgate"));
    let file = built.join(path);
    match std::fs::read(&file) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let why = format!("{}: {error}; `cargo xtask build` makes it", file.display());
            assert!(std::env::var_os("TOLLGATE_REQUIRE_DATA").is_none_or(|set| set != "1"), "{why}");
            eprintln!("SKIPPED: {why}");
            None
        }
    }
}

/// Limits that make a test short.
pub(crate) fn small() -> EngineConfig {
    EngineConfig {
        instances: 8,
        memory_bytes: 64 << 20,
        result_bytes: 8 << 20,
        deadline: Duration::from_millis(300),
        configure_deadline: Duration::from_millis(1500),
        ..EngineConfig::default()
    }
}

/// The component that misbehaves, loaded with these limits.
pub(crate) fn hostile_with(config: EngineConfig) -> Option<Plugin> {
    let bytes = component("tests/hostile.wasm")?;
    Some(Engine::new(config).unwrap().load(&bytes).unwrap())
}

/// The configuration that makes it misbehave in one way.
pub(crate) fn mode(mode: &str) -> String {
    format!("{{\"mode\": \"{mode}\"}}")
}

/// A batch of two items, the first with a text for attribute 0.
pub(crate) fn batch(text: &str) -> Batch {
    let mut cells = Edits::new(2);
    cells.text(0, 0, text);
    cells.finish()
}
