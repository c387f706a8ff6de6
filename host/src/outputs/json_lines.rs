//! A file with one OTLP/JSON request a line, set aside when it reaches its size or age.

use super::{Delivery, SendError, Sink, rotation, wire};
use crate::config::{self, Retry};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// A full disk is waited for.
pub const RETRY: Retry = Retry {
    initial_interval: Duration::from_secs(1),
    max_interval: Duration::from_secs(5),
    max_elapsed_time: Duration::ZERO,
};

/// The output.
#[derive(Debug)]
pub struct Lines {
    /// Files block, so what is done with them is done elsewhere.
    file: Arc<Mutex<Rotated>>,
}

/// The file that is written.
#[derive(Debug)]
struct Rotated {
    config: config::JsonLines,
    file: File,
    size: u64,
    begun: SystemTime,
    /// Whether a write has failed in the middle of a line, and the half could not be taken back yet.
    torn: bool,
}

impl Lines {
    /// Opens the file and goes on at its end. A last line that was not written to its end is ended.
    ///
    /// # Errors
    /// The file cannot be opened for writing.
    pub async fn open(config: &config::JsonLines) -> io::Result<Self> {
        let config = config.clone();
        let file = tokio::task::spawn_blocking(move || Rotated::open(config)).await??;
        Ok(Self { file: Arc::new(Mutex::new(file)) })
    }
}

impl Sink for Lines {
    async fn send(&self, delivery: &Delivery) -> Result<u64, SendError> {
        let (items, bytes) = (wire::items(delivery.signal), delivery.bytes.clone());
        let file = Arc::clone(&self.file);
        let write = move || {
            let mut line = wire::json(items, &bytes).map_err(|why| SendError::Never { why })?;
            line.push(b'\n');
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write(&line).map_err(|error| SendError::Again {
                why: format!("{}: {error}", file.config.path.display()),
                after: None,
            })
        };
        match tokio::task::spawn_blocking(write).await {
            Ok(written) => written.map(|()| 0),
            Err(error) => Err(SendError::Again { why: format!("the line was not written: {error}"), after: None }),
        }
    }
}

impl Rotated {
    fn open(config: config::JsonLines) -> io::Result<Self> {
        if let Some(folder) = config.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let (file, size, begun) = open(&config)?;
        let mut file = Self { config, file, size, begun, torn: false };
        file.end_last_line()?;
        Ok(file)
    }

    /// After a crash the file may end within a line: then what comes next must not stand on that line.
    fn end_last_line(&mut self) -> io::Result<()> {
        if self.size == 0 {
            return Ok(());
        }
        let mut last = [0];
        let mut reader = File::open(&self.config.path)?;
        reader.seek(SeekFrom::End(-1))?;
        reader.read_exact(&mut last)?;
        if last != *b"\n" {
            tracing::warn!(path = %self.config.path.display(), "the last line is cut off, and is left so");
            self.file.write_all(b"\n")?;
            self.size += 1;
        }
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.file.set_len(self.size)?;
            self.torn = false;
        }
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        let full = self.size.saturating_add(length) > self.config.max_bytes;
        let age = self.begun.elapsed().unwrap_or_default();
        let old = !self.config.max_age.is_zero() && age >= self.config.max_age;
        if self.size > 0 && (full || old) {
            self.set_aside()?;
        }
        if let Err(error) = self.file.write_all(line) {
            // Half a line is taken back, so that what follows begins a line.
            self.torn = self.file.set_len(self.size).is_err();
            return Err(error);
        }
        self.size += length;
        Ok(())
    }

    fn set_aside(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        rotation::set_aside(&self.config.path, self.config.max_files)?;
        (self.file, self.size, self.begun) = open(&self.config)?;
        // The lines are safe either way, so a failure is no reason to keep the next one waiting.
        if let Err(error) = rotation::compress(&self.config.path, self.config.compression) {
            tracing::warn!(path = %self.config.path.display(), %error, "the file set aside stays uncompressed");
        }
        Ok(())
    }
}

/// The file, its size, and when it was begun: now where it is empty, else when the file system says that it was made.
fn open(config: &config::JsonLines) -> io::Result<(File, u64, SystemTime)> {
    let file = OpenOptions::new().create(true).append(true).open(&config.path)?;
    let metadata = file.metadata()?;
    let now = SystemTime::now();
    let begun =
        if metadata.len() == 0 { now } else { metadata.created().or_else(|_| metadata.modified()).unwrap_or(now) };
    Ok((file, metadata.len(), begun))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Compression;
    use crate::receivers::Signal;
    use std::path::{Path, PathBuf};
    use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("tollgate-lines-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn files(&self) -> Vec<String> {
            let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn config(path: &Path) -> config::JsonLines {
        config::JsonLines {
            name: "json_lines".to_owned(),
            path: path.to_owned(),
            max_bytes: 1 << 20,
            max_files: 3,
            max_age: Duration::ZERO,
            compression: Compression::None,
            queue: config::Queue { max_bytes: 1 << 20 },
        }
    }

    /// A request with one span of the given name.
    fn span(name: &str) -> Delivery {
        let mut writer = RequestWriter::new();
        writer.push(&Envelope::new(&[], "", ""), SpanWriter::new([1; 16], [2; 8], name).bytes());
        Delivery { signal: Signal::Traces, bytes: writer.finish().into(), items: 1 }
    }

    /// The names of spans in a file, line by line; a line that is not JSON is there as it is.
    fn names(text: &str) -> Vec<String> {
        let name = |line: &str| match serde_json::from_str::<serde_json::Value>(line) {
            Ok(line) => line["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"].as_str().unwrap().to_owned(),
            Err(_) => line.to_owned(),
        };
        text.lines().map(name).collect()
    }

    #[tokio::test]
    async fn a_line_that_a_crash_cut_off_is_ended() {
        let folder = Folder::new("torn");
        let path = folder.0.join("out.jsonl");
        let whole = {
            Lines::open(&config(&path)).await.unwrap().send(&span("before")).await.unwrap();
            fs::read_to_string(&path).unwrap()
        };
        for cut in 0..whole.len() {
            fs::write(&path, format!("{whole}{}", &whole[..cut])).unwrap();
            Lines::open(&config(&path)).await.unwrap().send(&span("after")).await.unwrap();
            let found = names(&fs::read_to_string(&path).unwrap());
            assert_eq!((found.first().unwrap().as_str(), found.last().unwrap().as_str()), ("before", "after"), "{cut}");
            assert_eq!(found.len(), if cut == 0 { 2 } else { 3 }, "{cut}: {found:?}");
        }
    }

    #[tokio::test]
    async fn files_are_set_aside_compressed_whatever_they_were_compressed_with_before() {
        let folder = Folder::new("aside");
        let path = folder.0.join("out.jsonl");
        for (name, compression) in [
            ("a", Compression::None),
            ("b", Compression::Gzip),
            ("c", Compression::Zstd),
            ("d", Compression::Gzip),
            ("e", Compression::None),
        ] {
            // Each line is over the size, so each begins a file.
            let lines = Lines::open(&config::JsonLines { max_bytes: 1, compression, ..config(&path) }).await.unwrap();
            lines.send(&span(name)).await.unwrap();
        }
        assert_eq!(folder.files(), ["out.jsonl", "out.jsonl.1", "out.jsonl.2.gz", "out.jsonl.3.zst"]);
        let read = |name: &str| fs::read(folder.0.join(name)).unwrap();
        let text = |bytes: Vec<u8>| names(&String::from_utf8(bytes).unwrap());
        assert_eq!(text(read("out.jsonl")), ["e"]);
        assert_eq!(text(read("out.jsonl.1")), ["d"]);
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(&read("out.jsonl.2.gz")[..]).read_to_end(&mut unpacked).unwrap();
        assert_eq!(text(unpacked), ["c"]);
        assert_eq!(text(zstd::decode_all(&read("out.jsonl.3.zst")[..]).unwrap()), ["b"]);
    }

    #[tokio::test]
    async fn a_file_is_set_aside_at_its_age_and_without_keeping_any_if_so_configured() {
        let folder = Folder::new("age");
        let path = folder.0.join("out.jsonl");
        let old = config::JsonLines { max_age: Duration::from_nanos(1), ..config(&path) };
        for name in ["a", "b"] {
            Lines::open(&old).await.unwrap().send(&span(name)).await.unwrap();
        }
        assert_eq!(folder.files(), ["out.jsonl", "out.jsonl.1"]);
        let young = config::JsonLines { max_age: Duration::from_secs(3600), ..config(&path) };
        Lines::open(&young).await.unwrap().send(&span("c")).await.unwrap();
        assert_eq!(names(&fs::read_to_string(&path).unwrap()), ["b", "c"]);
        let none = config::JsonLines { max_files: 0, ..old };
        Lines::open(&none).await.unwrap().send(&span("d")).await.unwrap();
        assert_eq!(names(&fs::read_to_string(&path).unwrap()), ["d"]);
        assert_eq!(folder.files(), ["out.jsonl", "out.jsonl.1"]);
    }

    #[tokio::test]
    async fn a_full_disk_is_for_later() {
        let full = Path::new("/dev/full");
        if !full.exists() {
            eprintln!("SKIPPED: there is no /dev/full here");
            return;
        }
        let lines = Lines::open(&config(full)).await.unwrap();
        for _ in 0..2 {
            let error = lines.send(&span("a")).await.unwrap_err();
            assert!(matches!(error, SendError::Again { .. }), "{error:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused_and_leaves_no_line() {
        let folder = Folder::new("garbage");
        let path = folder.0.join("out.jsonl");
        let lines = Lines::open(&config(&path)).await.unwrap();
        let garbage = Delivery { bytes: bytes::Bytes::from_static(b"\xff"), ..span("a") };
        assert!(matches!(lines.send(&garbage).await, Err(SendError::Never { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}
