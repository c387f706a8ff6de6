//! `cargo xtask package`: the Envoy filter as OCI images, in an image layout under `target/tollgate/oci/`.
//!
//! The layout has the module twice, because what pulls it differs. The *image* is an ordinary one of a single layer with
//! the file `plugin.wasm`: every registry and tool takes it, and Kubernetes can mount it. The *artifact* has the module as
//! it is under media types of its own. Istio and Envoy Gateway pull either, by the rules in [`pull`], by which the layout
//! is read back before the command says that it is there.

mod image;
mod layout;
mod pull;
#[cfg(test)]
mod tests;

use crate::build::{self, BuildError, Layout};
use image::Form;
use layout::{Blobs, sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Version of the images: the tag of the image, and of the artifact with `-artifact` behind it.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why there is no layout.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackageError {
    /// The filter could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A file could not be read or written.
    #[error("{path}: {error}", path = path.display())]
    File { path: PathBuf, error: io::Error },
    /// The file of the module is something else.
    #[error("{path} is no WebAssembly module of version 1: {error}", path = path.display())]
    NoModule { path: PathBuf, error: wasmparser::BinaryReaderError },
    /// A layer could not be made.
    #[error("the layer with plugin.wasm: {0}")]
    Layer(io::Error),
    /// What was written does not read back.
    #[error("the layout that was written cannot be pulled: {tag}: {error}")]
    Unreadable { tag: String, error: pull::PullError },
    /// What was written reads back as another module.
    #[error("the layout that was written has another module under {tag}")]
    Differs { tag: String },
}

/// One of the two forms, as it was written.
struct Packaged {
    what: &'static str,
    tag: String,
    form: Form,
}

/// Builds the filter, packages it, and says how to push it.
///
/// # Errors
/// It could not be built, written, or read back.
pub(crate) fn run(layout: &Layout) -> Result<(), PackageError> {
    build::ensure_target(layout)?;
    build::filter(layout)?;
    built(layout)
}

/// Packages the filter that was built.
///
/// # Errors
/// It could not be written or read back.
pub(crate) fn built(layout: &Layout) -> Result<(), PackageError> {
    let path = layout.filter();
    let module = fs::read(&path).map_err(|error| PackageError::File { path: path.clone(), error })?;
    wasmparser::Validator::new()
        .validate_all(&module)
        .map_err(|error| PackageError::NoModule { path: path.clone(), error })?;
    let folder = layout.out().join("oci");
    let packaged = write(&module, &folder)?;
    let sum = beside(&path);
    let line = format!("{}  {}\n", sha256(&module), file_name(&path));
    fs::write(&sum, line).map_err(|error| PackageError::File { path: sum.clone(), error })?;
    report(&module, &path, &folder, &packaged);
    Ok(())
}

/// Writes the layout with both forms of the module, and reads it back as those who pull it do.
fn write(module: &[u8], folder: &Path) -> Result<[Packaged; 2], PackageError> {
    let mut blobs = Blobs::default();
    let image = image::image(&mut blobs, module).map_err(PackageError::Layer)?;
    let artifact = image::artifact(&mut blobs, module);
    let packaged = [
        Packaged { what: "image", tag: VERSION.to_owned(), form: image },
        Packaged { what: "artifact", tag: format!("{VERSION}-artifact"), form: artifact },
    ];
    let index = packaged.iter().map(|each| each.form.manifest.clone().named(&each.tag)).collect::<Vec<_>>();
    layout::write(folder, &blobs, &index).map_err(|(path, error)| PackageError::File { path, error })?;
    for Packaged { tag, .. } in &packaged {
        let pulled = pull::module(folder, tag);
        let pulled = pulled.map_err(|error| PackageError::Unreadable { tag: tag.clone(), error })?;
        if pulled != module {
            return Err(PackageError::Differs { tag: tag.clone() });
        }
    }
    Ok(packaged)
}

fn report(module: &[u8], path: &Path, folder: &Path, packaged: &[Packaged]) {
    println!("\nmodule    {}  {} bytes", sha256(module), module.len());
    println!("          {}, its sha256 beside it", path.display());
    for Packaged { what, tag, form } in packaged {
        let digest = form.manifest.digest.trim_start_matches("sha256:");
        println!("{what:<9} {digest}  {} bytes, tag {tag}", form.bytes);
    }
    let tag = packaged.first().map_or(VERSION, |image| image.tag.as_str());
    println!(
        "\nPush one of them, for example the image, with either of
    skopeo copy --preserve-digests oci:{folder}:{tag} docker://REGISTRY/tollgate:{tag}
    oras cp --from-oci-layout {folder}:{tag} REGISTRY/tollgate:{tag}
For `oci://` a `sha256` field takes the digest of the image or artifact, for `https://` and files that of the module.
docs/ENVOY.md has the rest.",
        folder = folder.display()
    );
}

/// The file with the module's digest, in the form of sha256sum.
fn beside(module: &Path) -> PathBuf {
    let mut name = module.as_os_str().to_owned();
    name.push(".sha256");
    name.into()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
