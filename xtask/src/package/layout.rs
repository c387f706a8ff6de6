//! An image layout of the OCI Image Format Specification 1.1 (Open Container Initiative): content-addressed files, and an
//! index that names manifests by tag.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Media type of manifests (`manifest.md`).
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Annotation by which an index names what it lists (`annotations.md`).
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// What refers to a blob.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Descriptor {
    /// What the blob is.
    pub(super) media_type: &'static str,
    /// `sha256:` and 64 hexadecimal digits.
    pub(super) digest: String,
    /// Bytes of the blob.
    pub(super) size: usize,
    /// More about it, by name.
    pub(super) annotations: BTreeMap<&'static str, String>,
}

impl Descriptor {
    /// The same, with a title, which tools take for the name of a file.
    pub(super) fn titled(mut self, title: &str) -> Self {
        self.annotations.insert("org.opencontainers.image.title", title.to_owned());
        self
    }

    /// The same, under a tag.
    pub(super) fn named(mut self, tag: &str) -> Self {
        self.annotations.insert(REF_NAME, tag.to_owned());
        self
    }

    /// As JSON.
    pub(super) fn json(&self) -> Value {
        let mut map = Map::new();
        map.insert("mediaType".to_owned(), json!(self.media_type));
        map.insert("digest".to_owned(), json!(self.digest));
        map.insert("size".to_owned(), json!(self.size));
        if !self.annotations.is_empty() {
            map.insert("annotations".to_owned(), json!(self.annotations));
        }
        map.into()
    }
}

/// Blobs by their digest in hexadecimal digits.
#[derive(Debug, Default)]
pub(super) struct Blobs(BTreeMap<String, Vec<u8>>);

impl Blobs {
    /// Takes a blob, and says what refers to it.
    pub(super) fn add(&mut self, media_type: &'static str, bytes: Vec<u8>) -> Descriptor {
        let hex = sha256(&bytes);
        let digest = format!("sha256:{hex}");
        let size = bytes.len();
        self.0.insert(hex, bytes);
        Descriptor { media_type, digest, size, annotations: BTreeMap::new() }
    }
}

/// SHA-256 in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes a layout in the place of any that is in `folder`. Nothing in it depends on when or where it is written.
///
/// # Errors
/// The file that could not be written, and why.
pub(super) fn write(folder: &Path, blobs: &Blobs, manifests: &[Descriptor]) -> Result<(), (PathBuf, io::Error)> {
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |error| (path, error)
    };
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(at(folder))?;
    }
    let by_digest = folder.join("blobs/sha256");
    fs::create_dir_all(&by_digest).map_err(at(&by_digest))?;
    let manifests: Vec<_> = manifests.iter().map(Descriptor::json).collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    let mut files = vec![
        (folder.join("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}).to_string().into_bytes()),
        (folder.join("index.json"), index.to_string().into_bytes()),
    ];
    files.extend(blobs.0.iter().map(|(hex, bytes)| (by_digest.join(hex), bytes.clone())));
    for (path, bytes) in files {
        fs::write(&path, bytes).map_err(at(&path))?;
    }
    Ok(())
}
