//! A server of the real engine, and traffic whose sums are known.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod traffic;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tollgate_clickhouse::{Client, Compression, Credentials, Failure, Insert, Schema, rows, token};

/// The engine behind its HTTP shim, in a process of its own. The folder of its tables may outlive it.
pub(crate) struct Server {
    process: Child,
    pub(crate) endpoint: String,
    folder: Option<tempfile::TempDir>,
}

impl Server {
    /// A server with no tables, or a loud skip where the engine is not installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_as(&Credentials::default())
    }

    /// A server that asks for credentials.
    pub(crate) fn start_as(credentials: &Credentials) -> Option<Self> {
        let packages = packages()?;
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self::open(&packages, folder.path(), credentials);
        server.folder = Some(folder);
        Some(server)
    }

    fn open(packages: &Path, folder: &Path, credentials: &Credentials) -> Self {
        let shim = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/clickhouse_shim.py");
        let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
        let mut process = Command::new(python)
            .arg(shim)
            .arg(folder)
            .env("PYTHONPATH", packages)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SHIM_USER", &credentials.username)
            .env("SHIM_KEY", &credentials.password)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let endpoint = format!("http://127.0.0.1:{}", line.trim().parse::<u16>().expect("the shim prints its port"));
        Self { process, endpoint, folder: None }
    }

    /// The same tables in a new process.
    pub(crate) fn restart(&mut self) {
        let packages = packages().unwrap();
        self.stop();
        let folder = self.folder.take().unwrap();
        let mut next = Self::open(&packages, folder.path(), &Credentials::default());
        next.folder = Some(folder);
        *self = next;
    }

    pub(crate) fn client(&self) -> Client {
        self.client_as(&Credentials::default())
    }

    pub(crate) fn client_as(&self, credentials: &Credentials) -> Client {
        Client::new(reqwest::Client::new(), &self.endpoint, &schema().database, credentials).unwrap()
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The folder of the engine's package, or a loud skip.
pub(crate) fn packages() -> Option<PathBuf> {
    let folder = std::env::var_os("TOLLGATE_CHDB").map(PathBuf::from);
    if let Some(folder) = folder.filter(|folder| folder.join("chdb").exists()) {
        return Some(folder);
    }
    let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
    assert!(!required, "TOLLGATE_CHDB names no folder with chdb; run `cargo xtask test pure`");
    eprintln!("SKIPPED: TOLLGATE_CHDB names no folder with chdb; run `cargo xtask test pure`");
    None
}

/// Runs what waits for the server.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

pub(crate) fn schema() -> Schema {
    Schema { database: "otel".to_owned(), ..Schema::default() }
}

/// Most bytes of rows: none of the tests has as many.
pub(crate) const LIMIT: usize = 1 << 30;

pub(crate) async fn insert(
    client: &Client,
    table: &str,
    rows: Vec<u8>,
    compression: Compression,
    token: &str,
    asynchronous: bool,
) -> Result<(), Failure> {
    client.insert(&Insert { table, rows: rows.into(), compression, token, asynchronous }).await
}

pub(crate) async fn insert_spans(client: &Client, request: &[u8]) -> Result<(), Failure> {
    let rows = rows::spans(request, LIMIT).unwrap();
    insert(client, &schema().traces, rows.bytes, Compression::None, &token(request), true).await
}

pub(crate) async fn insert_logs(client: &Client, request: &[u8]) -> Result<(), Failure> {
    let rows = rows::logs(request, LIMIT).unwrap();
    insert(client, &schema().logs, rows.bytes, Compression::None, &token(request), true).await
}

/// The rows of a statement, as texts.
pub(crate) async fn table(client: &Client, statement: &str) -> Vec<Vec<String>> {
    let answer = client.query(&format!("{} FORMAT TSVRaw", statement.trim().trim_end_matches(';'))).await;
    let answer = answer.unwrap_or_else(|failure| panic!("{statement}\n{failure}"));
    answer.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// The one value of a statement.
pub(crate) async fn value(client: &Client, statement: &str) -> String {
    let rows = table(client, statement).await;
    assert_eq!(rows.len(), 1, "{statement}");
    rows[0][0].clone()
}
