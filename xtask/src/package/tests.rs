//! What is written is what those who pull it want, whoever reads it: the rules here, and real tools.

use super::image::{LAYER, MODULE};
use super::layout::{Blobs, Descriptor, MANIFEST, sha256};
use super::pull::{PullError, module};
use super::{VERSION, layout, write};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A module: the head of one, and a custom section with text that compresses.
fn sample() -> Vec<u8> {
    let text = "tollgate ".repeat(13);
    let mut bytes = b"\0asm\x01\0\0\0\0".to_vec();
    bytes.push(u8::try_from(text.len() + 2).unwrap());
    bytes.extend([1, b'n']);
    bytes.extend(text.as_bytes());
    wasmparser::Validator::new().validate_all(&bytes).expect("a module");
    bytes
}

fn tags() -> [String; 2] {
    [VERSION.to_owned(), format!("{VERSION}-artifact")]
}

/// A folder that is removed again.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tollgate-package-{name}-{}", std::process::id()));
        let _absent = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn of(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn both_forms_are_pulled_by_the_rules() {
    let folder = Folder::new("pulled");
    write(&sample(), &folder.of("oci")).unwrap();
    for tag in tags() {
        assert_eq!(module(&folder.of("oci"), &tag).unwrap(), sample(), "{tag}");
    }
    assert!(matches!(module(&folder.of("oci"), "latest"), Err(PullError::NoTag)));
}

#[test]
fn the_same_module_gives_the_same_bytes_and_another_gives_others() {
    let folder = Folder::new("same");
    let first = write(&sample(), &folder.of("one")).unwrap();
    let one = files(&folder.of("one"));
    // Later, elsewhere, and over what is there already.
    std::thread::sleep(Duration::from_millis(1100));
    write(b"\0asm\x01\0\0\0", &folder.of("two")).unwrap();
    let second = write(&sample(), &folder.of("two")).unwrap();
    assert_eq!(one, files(&folder.of("two")));
    assert_eq!(first.map(|each| each.form.manifest), second.map(|each| each.form.manifest));
    // Two files of the layout, two manifests, the image's layer and configuration, the artifact's two layers.
    assert_eq!(one.len(), 8, "{:?}", one.keys());
}

#[test]
fn every_blob_is_named_by_its_digest() {
    let folder = Folder::new("digests");
    write(&sample(), &folder.of("oci")).unwrap();
    for (path, bytes) in files(&folder.of("oci/blobs/sha256")) {
        assert_eq!(path.to_str().unwrap(), sha256(&bytes));
    }
    let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sha256(b"abc"), known, "the example of FIPS 180");
}

#[test]
fn a_changed_byte_is_noticed() {
    let folder = Folder::new("changed");
    let oci = folder.of("oci");
    write(&sample(), &oci).unwrap();
    for (path, bytes) in files(&oci.join("blobs/sha256")) {
        let path = oci.join("blobs/sha256").join(path);
        let mut changed = bytes.clone();
        *changed.last_mut().unwrap() ^= 1;
        fs::write(&path, changed).unwrap();
        assert!(tags().iter().any(|tag| module(&oci, tag).is_err()), "{}", path.display());
        fs::write(&path, bytes).unwrap();
    }
    assert!(tags().iter().all(|tag| module(&oci, tag).is_ok()));
}

/// What those who pull refuse, so that a layout of that kind is never taken for a good one.
#[test]
fn what_cannot_be_pulled_is_refused() {
    type Layers = &'static [(&'static str, &'static [u8])];
    let cases: [(&str, Layers); 5] = [
        ("neither an image", &[]),
        ("neither an image", &[(MODULE, b"\0asm\x01\0\0\0")]),
        ("neither an image", &[(MODULE, b"\0asm\x01\0\0\0"), ("text/plain", b""), ("text/plain", b"x")]),
        ("the layer: ", &[(LAYER, b"no gzip")]),
        ("no WebAssembly", &[(MODULE, b"\x7fELF\x01\0\0\0"), ("text/plain", b"")]),
    ];
    for (expected, layers) in cases {
        let folder = Folder::new("refused");
        let mut blobs = Blobs::default();
        let config = blobs.add("application/json", b"{}".to_vec());
        let layers: Vec<_> = layers.iter().map(|(kind, bytes)| blobs.add(kind, bytes.to_vec()).json()).collect();
        let manifest = json!({"schemaVersion": 2, "config": config.json(), "layers": layers});
        let manifest: Descriptor = blobs.add(MANIFEST, manifest.to_string().into_bytes()).named("t");
        layout::write(&folder.of("oci"), &blobs, &[manifest]).unwrap();
        let refused = module(&folder.of("oci"), "t").unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn libraries_of_another_language_read_the_same() {
    let folder = Folder::new("python");
    write(&sample(), &folder.of("oci")).unwrap();
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/package/read_back.py");
    for (tag, kind) in tags().iter().zip([LAYER, MODULE]) {
        let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
        let said = output(Command::new(python).arg(&program).arg(folder.of("oci")).arg(tag));
        assert_eq!(String::from_utf8(said).unwrap().trim(), format!("{} {kind}", sha256(&sample())));
    }
}

#[test]
fn skopeo_reads_it_and_a_registry_keeps_it_as_it_is() {
    if !installed("skopeo") || !installed("docker-registry") {
        return;
    }
    let folder = Folder::new("registry");
    let oci = folder.of("oci");
    let packaged = write(&sample(), &oci).unwrap();
    let registry = Registry::start(&folder);
    for each in &packaged {
        let local = format!("oci:{}:{}", oci.display(), each.tag);
        let remote = format!("docker://127.0.0.1:{}/tollgate:{}", registry.port, each.tag);
        let pulled = folder.of(each.what);
        let raw = skopeo(&["inspect", "--raw", &local]);
        assert_eq!(format!("sha256:{}", sha256(&raw)), each.form.manifest.digest, "{}", each.what);
        skopeo(&["copy", "--preserve-digests", "--dest-tls-verify=false", &local, &remote]);
        let to = format!("dir:{}", pulled.display());
        skopeo(&["copy", "--preserve-digests", "--src-tls-verify=false", &remote, &to]);
        assert_eq!(fs::read(pulled.join("manifest.json")).unwrap(), raw, "{}", each.what);
        let manifest: Value = serde_json::from_slice(&raw).unwrap();
        let layer = manifest["layers"].as_array().unwrap().last().unwrap();
        let file = pulled.join(layer["digest"].as_str().unwrap().trim_start_matches("sha256:"));
        let content = match layer["mediaType"].as_str().unwrap() {
            LAYER => output(Command::new("tar").args(["-xzOf"]).arg(file).arg("plugin.wasm")),
            MODULE => fs::read(file).unwrap(),
            other => panic!("{other}"),
        };
        assert_eq!(content, sample(), "{}", each.what);
    }
    let image = skopeo(&["inspect", &format!("oci:{}:{VERSION}", oci.display())]);
    let image: Value = serde_json::from_slice(&image).unwrap();
    assert_eq!(image["Layers"].as_array().unwrap().len(), 1);
}

fn installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        // Not with eprintln, which a test that passes keeps to itself.
        let _shown =
            writeln!(std::io::stderr(), "SKIPPED: {program} is not on PATH (Debian: apt-get install {program})");
    }
    found
}

fn skopeo(arguments: &[&str]) -> Vec<u8> {
    output(Command::new("skopeo").arg("--insecure-policy").args(arguments))
}

fn output(command: &mut Command) -> Vec<u8> {
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ran.stderr));
    ran.stdout
}

/// A registry of its own, on a port of its own, until it is dropped.
struct Registry {
    process: Child,
    port: u16,
}

impl Registry {
    fn start(folder: &Folder) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let storage = folder.of("storage");
        let config = json!({"version": 0.1, "log": {"level": "error", "accesslog": {"disabled": true}},
                            "storage": {"filesystem": {"rootdirectory": storage}},
                            "http": {"addr": format!("127.0.0.1:{port}")}});
        let file = folder.of("registry.yaml");
        fs::write(&file, config.to_string()).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let registry = Self { process, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "the registry does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        registry
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _gone = self.process.kill().and_then(|()| self.process.wait().map(drop));
    }
}
