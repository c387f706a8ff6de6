//! What is under test: the host with some of its stages, or rotel.

use crate::fault::Fault;
use crate::process::{Folder, Process, free_port};
use crate::sink::Sink;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper_util::rt::TokioIo;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Ports of a process under test, the same at each of its starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) http: u16,
    pub(crate) grpc: u16,
    pub(crate) metrics: u16,
}

impl Ports {
    /// Free ones.
    ///
    /// # Errors
    /// There are none.
    pub(crate) fn free() -> Result<Self, Fault> {
        Ok(Self { http: free_port()?, grpc: free_port()?, metrics: free_port()? })
    }

    pub(crate) const fn receiver(self, grpc: bool) -> u16 {
        if grpc { self.grpc } else { self.http }
    }
}

/// Where things are, and which keys the host knows.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Place {
    /// The host; else `bin/tollgate` in the folder TOLLGATE_BUILD
    #[arg(long)]
    binary: Option<PathBuf>,
    /// The agent of rotel to compare with; else what ROTEL names, else none
    #[arg(long)]
    rotel: Option<PathBuf>,
    /// Parts of the configuration to leave out, for hosts that do not know them yet
    #[arg(long, value_delimiter = ',')]
    without: Vec<Part>,
    /// Where the folder of a run is made, which has the durable log; else among temporary files
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// A part of the configuration of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The durable log
    Log,
    /// The limit of memory
    Memory,
    /// The output over OTLP/gRPC
    OtlpGrpc,
}

impl Place {
    fn build() -> PathBuf {
        std::env::var_os("TOLLGATE_BUILD").map_or_else(|| root().join("target/tollgate"), PathBuf::from)
    }

    /// The host.
    ///
    /// # Errors
    /// It is not there.
    pub(crate) fn host(&self) -> Result<PathBuf, Fault> {
        there(self.binary.clone().unwrap_or_else(|| Self::build().join("bin/tollgate")))
    }

    /// The host with failpoints, where it was built.
    pub(crate) fn failing_host(&self) -> Option<PathBuf> {
        there(Self::build().join("tests/tollgate-failpoints")).ok()
    }

    /// The agent of rotel, where it was named.
    ///
    /// # Errors
    /// It was named and is not there.
    pub(crate) fn rotel(&self) -> Result<Option<PathBuf>, Fault> {
        self.rotel.clone().or_else(|| std::env::var_os("ROTEL").map(PathBuf::from)).map(there).transpose()
    }

    /// A folder for a run.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn folder(&self) -> Result<Folder, Fault> {
        Folder::new(self.folder.as_deref())
    }

    fn knows(&self, part: Part) -> bool {
        !self.without.contains(&part)
    }

    /// Whether the host has a durable log.
    pub(crate) fn durable(&self) -> bool {
        self.knows(Part::Log)
    }

    /// Whether both subjects can deliver over OTLP/gRPC.
    pub(crate) fn grpc_output(&self) -> bool {
        self.knows(Part::OtlpGrpc)
    }

    /// Whether the host has a limit of memory.
    pub(crate) fn limited(&self) -> bool {
        self.knows(Part::Memory)
    }
}

fn there(path: PathBuf) -> Result<PathBuf, Fault> {
    let path = std::path::absolute(&path).map_err(|error| Fault::File { path, error })?;
    if path.is_file() {
        return Ok(path);
    }
    Err(Fault::Option(format!("{} is not there; `cargo xtask build` makes the host", path.display())))
}

/// The checkout.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(3).unwrap_or(manifest).to_path_buf()
}

/// How the host delivers, and rotel as well.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) grpc: bool,
    pub(crate) gzip: bool,
    /// Whether waits between attempts are those of a test, far shorter than one would choose.
    pub(crate) hasty: bool,
}

/// Which stages of the host run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stages {
    pub(crate) enrich: bool,
    pub(crate) redact: bool,
    /// Keeps every trace; milliseconds until it is decided.
    pub(crate) sample: Option<u64>,
}

impl Stages {
    /// All four components; the sampler keeps everything, so that what comes out can be compared with what went in.
    pub(crate) const ALL: Self = Self { enrich: true, redact: true, sample: Some(1000) };
}

/// The durable log of the host.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// `always`, `never`, or a time between two calls.
    pub(crate) fsync: String,
    /// Bytes of a segment.
    pub(crate) segment: String,
    /// Bytes of all of them.
    pub(crate) most: String,
}

/// One configuration of the host.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) stages: Stages,
    pub(crate) output: Output,
    /// `None`: the log is in memory.
    pub(crate) log: Option<Log>,
    /// The limit of memory, in MiB.
    pub(crate) memory: Option<u64>,
}

impl Config {
    fn yaml(&self, place: &Place, folder: &Folder, ports: Ports, sink: &Sink) -> String {
        let plugin = |name: &str| format!("path: {}/plugins/{name}.wasm", Place::build().display());
        let mut yaml = format!(
            "receivers:\n  otlp:\n    protocols:\n      \
             http: {{endpoint: \"127.0.0.1:{}\", max_request_body_size: 64MiB}}\n      \
             grpc: {{endpoint: \"127.0.0.1:{}\", max_recv_msg_size_mib: 64}}\n",
            ports.http, ports.grpc
        );
        let mut line = |text: String| {
            let _ = writeln!(yaml, "{text}");
        };
        if let Some(limit) = self.memory.filter(|_| place.limited()) {
            line(format!("memory: {{limit: {limit}MiB}}"));
        }
        match self.log.as_ref().filter(|_| place.durable()) {
            Some(Log { fsync, segment, most }) => line(format!(
                "log: {{path: \"{}\", max_bytes: {most}, segment_bytes: {segment}, fsync: {fsync}}}",
                folder.path("log").display()
            )),
            None if place.durable() => line("log: {storage: memory}".to_owned()),
            None => {}
        }
        if self.stages.enrich {
            line(format!("enrich: [{{{}}}, {{{}}}]", plugin("token_extractor"), plugin("cost_calculator")));
        }
        if self.stages.redact {
            line(format!("redact: [{{{}}}]", plugin("pii_redactor")));
        }
        if let Some(wait) = self.stages.sample {
            // Requests come round again, so what was decided is not to be remembered for long.
            line(format!(
                "sample: {{decision_wait: {wait}ms, max_open_wait: {wait}ms, decision_cache: {{sampled_cache_size: 5000}}, plugin: {{{}}}}}",
                plugin("sampler")
            ));
        }
        let (kind, port) = if self.output.grpc { ("otlp_grpc", sink.grpc) } else { ("otlp_http", sink.http) };
        let compression = if self.output.gzip { "gzip" } else { "none" };
        let retry = if self.output.hasty {
            ", timeout: 2s, retry: {initial_interval: 20ms, max_interval: 200ms, max_elapsed_time: 24h}"
        } else {
            ", retry: {max_elapsed_time: 24h}"
        };
        line(format!(
            "outputs:\n  prometheus: {{endpoint: \"127.0.0.1:{}\"}}\n  \
             {kind}: {{endpoint: \"http://127.0.0.1:{port}\", compression: {compression}{retry}}}",
            ports.metrics
        ));
        yaml
    }

    /// Starts the host and waits until it is ready. `failpoints` go to a host that was built with them.
    ///
    /// # Errors
    /// It does not start; the fault has the end of its log.
    pub(crate) async fn start(
        &self,
        place: &Place,
        folder: &Folder,
        ports: Ports,
        sink: &Sink,
        core: Option<usize>,
        failpoint: Option<&str>,
    ) -> Result<Process, Fault> {
        let file = folder.write("tollgate.yaml", &self.yaml(place, folder, ports, sink))?;
        let binary = match failpoint {
            None => place.host()?,
            Some(_) => place.failing_host().ok_or_else(|| Fault::Option("no host with failpoints".to_owned()))?,
        };
        let mut command = Command::new(binary);
        command.args(["run", "--config"]).arg(file).env("TOLLGATE_LOG", "warn");
        if let Some(failpoint) = failpoint {
            command.env("TOLLGATE_FAILPOINTS", failpoint);
        }
        let mut process = Process::start("tollgate", command, folder.path("log.txt"), core)?;
        process.ready(&[ports.http, ports.grpc, ports.metrics]).await?;
        Ok(process)
    }
}

/// Starts rotel, which passes spans on, and waits until it is ready.
///
/// # Errors
/// It does not start.
pub(crate) async fn start_rotel(
    agent: &Path,
    folder: &Folder,
    ports: Ports,
    sink: &Sink,
    output: Output,
    core: Option<usize>,
) -> Result<Process, Fault> {
    let port = if output.grpc { sink.grpc } else { sink.http };
    let mut command = Command::new(agent);
    command.arg("start");
    command.args(["--otlp-http-endpoint", &format!("127.0.0.1:{}", ports.http)]);
    command.args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{}", ports.grpc)]);
    command.args(["--otlp-grpc-max-recv-msg-size-mib", "64", "--exporter", "otlp"]);
    command.args(["--otlp-exporter-endpoint", &format!("http://127.0.0.1:{port}")]);
    command.args(["--otlp-exporter-protocol", if output.grpc { "grpc" } else { "http" }]);
    command.args(["--otlp-exporter-compression", if output.gzip { "gzip" } else { "none" }]);
    command.arg("--pid-file").arg(folder.path("rotel.pid")).arg("--log-file").arg(folder.path("rotel.log"));
    let mut process = Process::start("rotel", command, folder.path("log.txt"), core)?;
    process.ready(&[ports.http, ports.grpc]).await?;
    Ok(process)
}

/// The metrics page of the host.
///
/// # Errors
/// The host does not answer.
pub(crate) async fn metrics(ports: Ports) -> Result<String, Fault> {
    let failed = |error: String| Fault::Option(format!("the metrics page: {error}"));
    let stream = tokio::net::TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, ports.metrics)).await;
    let stream = TokioIo::new(stream.map_err(|error| failed(error.to_string()))?);
    let (mut sender, driver) =
        hyper::client::conn::http1::handshake(stream).await.map_err(|error| failed(error.to_string()))?;
    tokio::task::spawn_local(driver);
    let request = Request::get("/metrics").header("host", "127.0.0.1").body(Empty::<bytes::Bytes>::new());
    let request = request.map_err(|error| failed(error.to_string()))?;
    let response = sender.send_request(request).await.map_err(|error| failed(error.to_string()))?;
    let body = response.into_body().collect().await.map_err(|error| failed(error.to_string()))?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}

/// The sum of the samples of a metric, whatever their labels are, on a page.
pub(crate) fn sum(page: &str, metric: &str) -> u64 {
    let sample = |line: &str| {
        let rest = line.strip_prefix(metric)?;
        let value = match rest.strip_prefix('{') {
            Some(labels) => labels.rsplit_once("} ")?.1,
            None => rest.strip_prefix(' ')?,
        };
        value.split(' ').next()?.parse::<u64>().ok()
    };
    page.lines().filter_map(sample).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_a_metric_are_added_up() {
        let page = "# TYPE a counter\na_total{x=\"1 } 2\"} 5\na_total{x=\"2\"} 7\na_total_created 9\nb_total 3\n";
        assert_eq!((sum(page, "a_total"), sum(page, "b_total"), sum(page, "c_total")), (12, 3, 0));
    }
}
