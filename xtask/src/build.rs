//! `cargo xtask build`: the five components, the Envoy filter, the host binary, the example plugin and the component
//! that the tests stop, all under `target/tollgate/`.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

const WASM: &str = "wasm32-unknown-unknown";
/// Vector instructions: the redactor's search for candidates takes 13 % less time with them, a stream in the filter
/// about as much less, and nothing takes more. wasmtime has them, and so has the engine inside Envoy.
const SIMD: &str = "-C target-feature=+simd128";
/// Addresses and numbers of functions in as few bytes as they need: 7 % of the code.
const SHORT: &str = "-C link-arg=--compress-relocations";
/// What a component may import: the type-only interfaces of the project's own package.
const ALLOWED_IMPORTS: [&str; 2] = ["tollgate:plugin/types@0.1.0", "tollgate:plugin/columns@0.1.0"];

/// Where everything is built to.
pub(crate) struct Layout {
    /// Root of the checkout.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
}

impl Layout {
    /// The layout of this checkout; `CARGO_TARGET_DIR` moves it as it moves cargo's.
    pub(crate) fn find() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().unwrap_or(manifest).to_path_buf();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |set| root.join(set));
        Self { root, target }
    }

    /// The folder with all that is built: `target/tollgate`.
    pub(crate) fn out(&self) -> PathBuf {
        self.target.join("tollgate")
    }

    /// The host binary.
    pub(crate) fn binary(&self) -> PathBuf {
        self.out().join("bin").join(format!("tollgate{}", std::env::consts::EXE_SUFFIX))
    }

    /// The host binary that ends itself where a test tells it to.
    pub(crate) fn failpoints(&self) -> PathBuf {
        self.out().join("tests").join(format!("tollgate-failpoints{}", std::env::consts::EXE_SUFFIX))
    }

    /// The Envoy filter.
    pub(crate) fn filter(&self) -> PathBuf {
        self.out().join("filter/tollgate_filter.wasm")
    }

    /// A component by its name, for example `cost_calculator`.
    pub(crate) fn plugin(&self, name: &str) -> PathBuf {
        self.out().join("plugins").join(format!("{name}.wasm"))
    }

    /// The example plugin.
    fn example(&self) -> PathBuf {
        self.out().join("examples/business_tags.wasm")
    }

    /// The component that misbehaves.
    pub(crate) fn hostile(&self) -> PathBuf {
        self.out().join("tests/hostile.wasm")
    }
}

/// Why something could not be built.
#[derive(Debug)]
pub(crate) enum BuildError {
    /// The wasm target is missing and could not be installed.
    Target(String),
    /// A command could not be started.
    Start { command: String, error: io::Error },
    /// A command ended badly; it has said why itself.
    Failed { command: String, status: ExitStatus },
    /// A file could not be read or written.
    File { path: PathBuf, error: io::Error },
    /// A module could not be made a component, or is not what it should be.
    Component { path: PathBuf, why: String },
    /// A component wants something from its host.
    Import { path: PathBuf, import: String },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(why) => write!(
                f,
                "the Rust target {WASM} is not installed, and installing it did not work ({why}); run\n    \
                 rustup target add {WASM}\nor install your distribution's package of the Rust standard library \
                 for {WASM}"
            ),
            Self::Start { command, error } => write!(f, "`{command}` could not be started: {error}"),
            Self::Failed { command, status } => write!(f, "`{command}` failed: {status}"),
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Component { path, why } => write!(f, "{} cannot be made a component: {why}", path.display()),
            Self::Import { path, import } => write!(
                f,
                "{} imports `{import}`; a plugin may import nothing but the types of its own package, so look for a \
                 dependency that reads a clock, files or randomness",
                path.display()
            ),
        }
    }
}

impl std::error::Error for BuildError {}

/// Builds everything.
pub(crate) fn run() -> Result<Layout, BuildError> {
    let layout = Layout::find();
    guests(&layout)?;
    binary(&layout)?;
    Ok(layout)
}

/// Builds what is WebAssembly.
pub(crate) fn guests(layout: &Layout) -> Result<(), BuildError> {
    ensure_target(layout)?;
    plugins(layout)?;
    filter(layout)
}

/// Builds the Envoy filter and nothing else.
pub(crate) fn filter_alone() -> Result<(), BuildError> {
    let layout = Layout::find();
    ensure_target(&layout)?;
    filter(&layout)
}

/// The components: package, features, and where each goes.
fn packages(layout: &Layout) -> [(&'static str, &'static [&'static str], PathBuf); 6] {
    let shell: &[&str] = &["--features", "component"];
    [
        ("tollgate-token-extractor", shell, layout.plugin("token_extractor")),
        ("tollgate-cost-calculator", shell, layout.plugin("cost_calculator")),
        ("tollgate-pii-redactor", shell, layout.plugin("pii_redactor")),
        ("tollgate-sampler", shell, layout.plugin("sampler")),
        ("tollgate-tokenizer", shell, layout.plugin("tokenizer")),
        ("tollgate-hostile-plugin", &[], layout.hostile()),
    ]
}

/// Builds the components: the five, the one that misbehaves, and the example.
pub(crate) fn plugins(layout: &Layout) -> Result<(), BuildError> {
    for (package, more, to) in packages(layout) {
        component(&guest(layout, package, more)?, &to)?;
    }
    example(layout)
}

/// Builds the example as its reader would: alone, from its own folder, with the release profile.
fn example(layout: &Layout) -> Result<(), BuildError> {
    let target = layout.target.join("examples-plugin");
    let mut cargo = cargo(layout, ["build", "--release", "--target", WASM, "--target-dir"]);
    cargo.arg(&target).current_dir(layout.root.join("examples/plugin"));
    step(&mut cargo)?;
    component(&target.join(WASM).join("release/business_tags.wasm"), &layout.example())
}

/// Builds the Envoy filter. A proxy-wasm filter is a core module, not a component.
pub(crate) fn filter(layout: &Layout) -> Result<(), BuildError> {
    let module = module(layout, "filter", "tollgate-filter", &[], &[SIMD, SHORT])?;
    write(&layout.filter(), &read(&module)?)
}

/// Builds the host binary.
pub(crate) fn binary(layout: &Layout) -> Result<(), BuildError> {
    host(layout, &[], &layout.binary())
}

/// Builds the host binary that ends itself where a test tells it to.
pub(crate) fn failpoints(layout: &Layout) -> Result<(), BuildError> {
    host(layout, &["--features", "failpoints"], &layout.failpoints())
}

/// Puts the host binary that the tests were built with where the others are.
pub(crate) fn tested_binary(layout: &Layout) -> Result<(), BuildError> {
    install(layout, &layout.binary())
}

fn host(layout: &Layout, more: &[&str], to: &Path) -> Result<(), BuildError> {
    step(cargo(layout, ["build", "--release", "--package", "tollgate"]).args(more))?;
    install(layout, to)
}

fn install(layout: &Layout, to: &Path) -> Result<(), BuildError> {
    let built = layout.target.join("release").join(format!("tollgate{}", std::env::consts::EXE_SUFFIX));
    folder_of(to)?;
    // Copied beside and renamed, because a running program cannot be written to.
    let beside = to.with_extension("new");
    fs::copy(&built, &beside).map_err(|error| BuildError::File { path: built, error })?;
    fs::rename(&beside, to).map_err(|error| BuildError::File { path: to.to_path_buf(), error })?;
    report(to, fs::metadata(to).map_or(0, |file| file.len()));
    Ok(())
}

/// Makes a component of a module that the plugin kit's bindings are linked into, and checks what it imports.
pub(crate) fn component(module: &Path, to: &Path) -> Result<(), BuildError> {
    let refuse = |why: &dyn fmt::Display| BuildError::Component { path: module.to_path_buf(), why: why.to_string() };
    let bytes = read(module)?;
    let component = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(&bytes)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| refuse(&format!("{error:#}")))?;
    let imports = imports(&component).map_err(|error| refuse(&error))?;
    if let Some(import) = imports.into_iter().find(|name| !ALLOWED_IMPORTS.contains(&name.as_str())) {
        return Err(BuildError::Import { path: module.to_path_buf(), import });
    }
    write(to, &component)
}

/// Names of what a component imports.
fn imports(component: &[u8]) -> Result<Vec<String>, wasmparser::BinaryReaderError> {
    let mut names = Vec::new();
    let mut depth = 0_u32;
    for payload in wasmparser::Parser::new(0).parse_all(component) {
        match payload? {
            wasmparser::Payload::ModuleSection { .. } | wasmparser::Payload::ComponentSection { .. } => depth += 1,
            wasmparser::Payload::End(_) => depth = depth.saturating_sub(1),
            wasmparser::Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    names.push(import?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(names)
}

/// Builds one package of the workspace for wasm. Only the dynamic library is built: with a second crate type beside
/// it, cargo leaves out link-time optimisation. Says where the module is.
///
/// # Errors
/// It could not be built.
pub(crate) fn guest(layout: &Layout, package: &str, more: &[&str]) -> Result<PathBuf, BuildError> {
    module(layout, "wasm", package, more, &[SIMD])
}

fn module(layout: &Layout, profile: &str, package: &str, more: &[&str], flags: &[&str]) -> Result<PathBuf, BuildError> {
    let mut cargo = cargo(layout, ["rustc", "--profile", profile, "--target", WASM, "--lib"]);
    cargo.args(["--crate-type", "cdylib", "--package", package]).args(more);
    cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", flags.join(" "));
    step(&mut cargo)?;
    Ok(layout.target.join(WASM).join(profile).join(format!("{}.wasm", package.replace('-', "_"))))
}

/// Installs the wasm target where the toolchain lacks it.
pub(crate) fn ensure_target(layout: &Layout) -> Result<(), BuildError> {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--print", "target-libdir", "--target", WASM]).current_dir(&layout.root);
    let folder = rustc.output().map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    let installed = folder.and_then(fs::read_dir).is_ok_and(|mut files| files.next().is_some());
    if installed {
        return Ok(());
    }
    println!("installing the Rust target {WASM}");
    let rustup = Command::new("rustup").args(["target", "add", WASM]).current_dir(&layout.root).status();
    match rustup {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(BuildError::Target(format!("rustup: {status}"))),
        Err(error) => Err(BuildError::Target(format!("rustup could not be started: {error}"))),
    }
}

fn cargo<const N: usize>(layout: &Layout, arguments: [&str; N]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(&layout.root);
    cargo
}

/// Runs a command, showing it first.
fn step(command: &mut Command) -> Result<(), BuildError> {
    let program = Path::new(command.get_program()).file_stem().unwrap_or(OsStr::new("cargo")).to_string_lossy();
    let arguments = command.get_args().map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    let shown = format!("{program} {arguments}");
    println!("$ {shown}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(BuildError::Failed { command: shown, status }),
        Err(error) => Err(BuildError::Start { command: shown, error }),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|error| BuildError::File { path: path.to_path_buf(), error })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    folder_of(path)?;
    fs::write(path, bytes).map_err(|error| BuildError::File { path: path.to_path_buf(), error })?;
    report(path, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    Ok(())
}

fn folder_of(path: &Path) -> Result<(), BuildError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| BuildError::File { path: folder.to_path_buf(), error })
}

fn report(path: &Path, bytes: u64) {
    println!("  {:>9} KiB  {}", bytes.div_ceil(1024), path.display());
}
