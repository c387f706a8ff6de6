//! The demo's copies of the example configurations: the same but for ports, paths, content capture and patience.

use super::ports::{Ports, renumber};
use crate::build::Layout;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the demo keeps what it writes.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    /// An empty folder `target/demo`.
    pub(crate) fn fresh(layout: &Layout) -> Result<Self, String> {
        let folder = layout.target.join("demo");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// Bytes of content that the demo captures of either side of a call; the example captures none.
const CAPTURE: (&str, &str) =
    (r#""input_bytes": 0, "output_bytes": 0"#, r#""input_bytes": 4096, "output_bytes": 4096"#);
/// How long the host waits for the rest of a trace; the example waits longer, which nobody who watches wants to.
const WAIT: (&str, &str) = ("decision_wait: ", "1s");

/// Writes Envoy's configuration for this run and returns its path.
pub(crate) fn envoy(layout: &Layout, folder: &Folder, ports: &Ports) -> Result<PathBuf, String> {
    let example = layout.root.join("examples/envoy/envoy.yaml");
    let text = read(&example)?;
    if !text.contains(CAPTURE.0) {
        return Err(format!("{} has no `{}`, which the demo turns on", example.display(), CAPTURE.0));
    }
    write(layout, folder, ports, "envoy.yaml", &text.replace(CAPTURE.0, CAPTURE.1))
}

/// Writes the host's configuration for this run and returns its path.
pub(crate) fn host(layout: &Layout, folder: &Folder, ports: &Ports) -> Result<PathBuf, String> {
    let text = read(&layout.root.join("examples/tollgate.yaml"))?;
    write(layout, folder, ports, "tollgate.yaml", &replace_values(&text, WAIT.0, WAIT.1))
}

/// Replaces the value after each `key` by another.
fn replace_values(text: &str, key: &str, value: &str) -> String {
    let mut parts = text.split(key);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find([' ', ',', '}', '\n']).unwrap_or(part.len());
        replaced.extend([key, value, part.get(end..).unwrap_or_default()]);
    }
    replaced
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(layout: &Layout, folder: &Folder, ports: &Ports, name: &str, text: &str) -> Result<PathBuf, String> {
    // The examples name what is built relative to the checkout; the demo runs in its own folder.
    let text = text.replace("target/tollgate/", &format!("{}/", layout.out().display()));
    let path = folder.file(name);
    fs::write(&path, renumber(&text, &ports.moved())).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_after_a_key_is_replaced_and_nothing_else() {
        let text = "sample: { decision_wait: 10s, x: 1 }\ndecision_wait: 5s # why\nend";
        let expected = "sample: { decision_wait: 1s, x: 1 }\ndecision_wait: 1s # why\nend";
        assert_eq!(replace_values(text, "decision_wait: ", "1s"), expected);
    }
}
