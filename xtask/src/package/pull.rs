//! Pulls a module out of a layout by the rules of Istio's agent and of Envoy Gateway (`imagefetcher.go` in
//! `pkg/wasm` of the one and `internal/wasm` of the other; the same in both):
//!
//! 1. An image whose **last** layer is `application/vnd.oci.image.layer.v1.tar+gzip`: the first file of the archive that is
//!    called `plugin.wasm`, in whatever folder.
//! 2. Else an image of **exactly two** layers: the first that is `application/vnd.module.wasm.content.layer.v1+wasm`, as
//!    it is.
//! 3. What comes out has to begin with the four bytes of WebAssembly, and be at least eight bytes long.
//!
//! Their third form, Docker's manifests, is not written here. Unlike them this reader also compares every digest and size.

use super::image::{LAYER, MODULE, PLUGIN};
use super::layout::{REF_NAME, sha256};
use flate2::read::GzDecoder;
use serde_json::Value;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Why a module could not be pulled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullError {
    /// A file could not be read.
    #[error("{path}: {error}", path = path.display())]
    File { path: PathBuf, error: io::Error },
    /// A file is no JSON.
    #[error("{path}: {error}", path = path.display())]
    Json { path: PathBuf, error: serde_json::Error },
    /// The index has nothing under the tag.
    #[error("the index has no such tag")]
    NoTag,
    /// A descriptor lacks a member.
    #[error("a descriptor has no `{0}`")]
    Descriptor(&'static str),
    /// A blob is not what its descriptor says.
    #[error("{digest}: {what} differs")]
    Blob { digest: String, what: &'static str },
    /// The archive could not be read.
    #[error("the layer: {0}")]
    Archive(io::Error),
    /// The archive has no such file.
    #[error("{PLUGIN} is not in the layer")]
    NoPlugin,
    /// Neither form.
    #[error("neither an image nor an artifact: {layers} layers, the last of type {last}")]
    Form { layers: usize, last: String },
    /// What came out is something else.
    #[error("what came out is no WebAssembly")]
    NoModule,
}

/// The module under a tag.
///
/// # Errors
/// It is not there, or not as those who pull it want it.
pub(super) fn module(folder: &Path, tag: &str) -> Result<Vec<u8>, PullError> {
    let path = folder.join("index.json");
    let index = json(&path, &read(&path)?)?;
    let tagged = list(&index, "manifests").find(|manifest| {
        manifest.pointer("/annotations").and_then(|all| all.get(REF_NAME)).and_then(Value::as_str) == Some(tag)
    });
    let manifest = json(&path, &blob(folder, tagged.ok_or(PullError::NoTag)?)?)?;
    blob(folder, manifest.get("config").ok_or(PullError::Descriptor("config"))?)?;
    let layers: Vec<_> = list(&manifest, "layers").collect();
    let last = layers.last().map_or(Ok("none"), |layer| member(layer, "mediaType"))?;
    let module = if last == LAYER {
        let layer = layers.last().ok_or(PullError::Descriptor("layers"))?;
        from_archive(&blob(folder, layer)?)?
    } else {
        let content = layers.iter().find(|layer| member(layer, "mediaType").is_ok_and(|found| found == MODULE));
        match content {
            Some(layer) if layers.len() == 2 => blob(folder, layer)?,
            _ => return Err(PullError::Form { layers: layers.len(), last: last.to_owned() }),
        }
    };
    if module.len() >= 8 && module.starts_with(b"\0asm") { Ok(module) } else { Err(PullError::NoModule) }
}

fn from_archive(layer: &[u8]) -> Result<Vec<u8>, PullError> {
    let mut archive = tar::Archive::new(GzDecoder::new(layer));
    for file in archive.entries().map_err(PullError::Archive)? {
        let mut file = file.map_err(PullError::Archive)?;
        let path = file.path().map_err(PullError::Archive)?;
        if path.file_name().is_some_and(|name| name == PLUGIN) {
            let mut module = Vec::new();
            file.read_to_end(&mut module).map_err(PullError::Archive)?;
            return Ok(module);
        }
    }
    Err(PullError::NoPlugin)
}

/// The bytes that a descriptor refers to.
fn blob(folder: &Path, descriptor: &Value) -> Result<Vec<u8>, PullError> {
    let digest = member(descriptor, "digest")?;
    let size = descriptor.get("size").and_then(Value::as_u64).ok_or(PullError::Descriptor("size"))?;
    let differs = |what| Err(PullError::Blob { digest: digest.to_owned(), what });
    let Some(hex) = digest.strip_prefix("sha256:").filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    else {
        return differs("its algorithm");
    };
    let bytes = read(&folder.join("blobs/sha256").join(hex))?;
    if u64::try_from(bytes.len()) != Ok(size) {
        return differs("its size");
    }
    if sha256(&bytes) != hex {
        return differs("its digest");
    }
    Ok(bytes)
}

fn member<'a>(descriptor: &'a Value, name: &'static str) -> Result<&'a str, PullError> {
    descriptor.get(name).and_then(Value::as_str).ok_or(PullError::Descriptor(name))
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn read(path: &Path) -> Result<Vec<u8>, PullError> {
    fs::read(path).map_err(|error| PullError::File { path: path.to_path_buf(), error })
}

fn json(path: &Path, text: &[u8]) -> Result<Value, PullError> {
    serde_json::from_slice(text).map_err(|error| PullError::Json { path: path.to_path_buf(), error })
}
