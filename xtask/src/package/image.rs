//! The two forms in which a module is an image, by the Wasm Image Specification (solo.io, `spec.md` and
//! `spec-compat.md`), to which Istio and Envoy Gateway refer.

use super::VERSION;
use super::layout::{Blobs, Descriptor, MANIFEST, sha256};
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Media type of the module as it is.
pub(super) const MODULE: &str = "application/vnd.module.wasm.content.layer.v1+wasm";
/// Media type of what is said about the module.
const RUNTIME: &str = "application/vnd.module.wasm.config.v1+json";
/// Media type of an ordinary layer.
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Name of the module in an ordinary layer.
pub(super) const PLUGIN: &str = "plugin.wasm";

/// A form of the module, among the blobs.
pub(super) struct Form {
    /// What refers to its manifest.
    pub(super) manifest: Descriptor,
    /// Bytes that are pushed: manifest, configuration and layers.
    pub(super) bytes: usize,
}

/// The module in a layer of an ordinary image; the specification calls this form *compat*.
///
/// # Errors
/// The layer could not be made.
pub(super) fn image(blobs: &mut Blobs, module: &[u8]) -> io::Result<Form> {
    let tar = archive(module)?;
    // The header of gzip without a time, a name or a system; the compression is of the locked crate, so its bytes stay.
    let mut gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
    gzip.write_all(&tar)?;
    let layer = blobs.add(LAYER, gzip.finish()?);
    // A module runs anywhere. The specification of images wants a platform all the same, and tools know no other that
    // all of them accept: who pulls a single image, and no list of them, does not compare it.
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", sha256(&tar))]},
        "history": [{"created_by": "cargo xtask package"}],
    });
    let config = blobs.add(CONFIG, text(&config));
    let mut annotations = annotations();
    if let Some(map) = annotations.as_object_mut() {
        map.insert("module.wasm.image/variant".to_owned(), json!("compat"));
    }
    Ok(manifest(blobs, &config, &[layer], &annotations))
}

/// The module as it is, as an artifact. Those who pull it want two layers.
pub(super) fn artifact(blobs: &mut Blobs, module: &[u8]) -> Form {
    let runtime = json!({"type": "envoy_proxy", "abiVersions": ["0.2.1"], "config": {"rootIds": ["tollgate"]}});
    let runtime = blobs.add(RUNTIME, text(&runtime));
    let content = blobs.add(MODULE, module.to_vec());
    let layers = [runtime.clone().titled("runtime-config.json"), content.titled(PLUGIN)];
    manifest(blobs, &runtime, &layers, &annotations())
}

fn manifest(blobs: &mut Blobs, config: &Descriptor, layers: &[Descriptor], annotations: &Value) -> Form {
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.json(),
        "layers": layers.iter().map(Descriptor::json).collect::<Vec<_>>(),
        "annotations": annotations,
    });
    let manifest = blobs.add(MANIFEST, text(&manifest));
    let apart = layers.iter().filter(|layer| layer.digest != config.digest).map(|layer| layer.size);
    let bytes = manifest.size + config.size + apart.sum::<usize>();
    Form { manifest, bytes }
}

fn annotations() -> Value {
    json!({
        "org.opencontainers.image.title": "tollgate_filter",
        "org.opencontainers.image.description": "Observes LLM traffic inside Envoy (proxy-wasm)",
        "org.opencontainers.image.version": VERSION,
        "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
    })
}

/// An archive with the module alone, owned by nobody in particular, of no time.
fn archive(module: &[u8]) -> io::Result<Vec<u8>> {
    let mut header = tar::Header::new_ustar();
    header.set_size(module.len().try_into().map_err(io::Error::other)?);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, PLUGIN, module)?;
    archive.into_inner()
}

fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
