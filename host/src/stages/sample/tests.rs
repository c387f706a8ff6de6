//! The stage with the real sampler, natively, and an output that keeps what comes: what is decided when, and what is on
//! the spans.

use super::*;
use crate::config::{OnError, Queue as QueueLimits, Retry, Stage};
use crate::outputs::{self, Delivery, SendError, Sink, Worker};
use crate::stages::plugin::Failure;
use std::collections::BTreeMap;
use tollgate_columns::{SamplerManifest, Traces, Verdicts};
use tollgate_otlp::{Envelope, Limits, RequestWriter, SpanWriter, TraceRequest};

/// The sampler as a library; it fails where it has no configuration.
struct Native {
    manifest: SamplerManifest,
    sampler: Option<Mutex<tollgate_sampler::Sampler>>,
}

impl Sampler for Native {
    fn manifest(&self) -> &SamplerManifest {
        &self.manifest
    }

    fn decide(&self, traces: Traces) -> Result<Verdicts, Failure> {
        let failure = Failure { kind: "trap", message: "unreachable".to_owned() };
        let sampler = self.sampler.as_ref().ok_or(failure)?;
        Ok(sampler.lock().unwrap().decide(&traces))
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Bytes>>>);

impl Sink for Kept {
    async fn send(&mut self, delivery: &Delivery) -> Result<u64, SendError> {
        self.0.lock().unwrap().push(delivery.bytes.clone());
        Ok(0)
    }
}

struct Bench {
    stage: Sample,
    kept: Kept,
    worker: Worker,
    metrics: Metrics,
    start: Instant,
}

const SETTINGS: Settings = Settings {
    bounds: Bounds {
        wait: Duration::from_secs(30),
        wait_complete: Duration::from_secs(2),
        wait_open: Duration::from_secs(120),
        traces: 100,
        bytes: 1 << 20,
        trace_bytes: 1 << 19,
    },
    decisions: Sizes { sampled: 100, non_sampled: 100 },
    stress: None,
};

fn bench(config: Option<&str>, settings: Settings) -> Bench {
    let metrics = Metrics::new(100);
    let kept = Kept::default();
    let limits = QueueLimits { max_bytes: 1 << 30, max_requests: 10_000 };
    let retry = Retry {
        initial_interval: Duration::from_secs(1),
        max_interval: Duration::from_secs(1),
        max_elapsed_time: Duration::from_secs(1),
    };
    let (queue, worker) = outputs::start("kept", kept.clone(), limits, retry, &metrics);
    let deliver = Arc::new(Deliver::new(vec![queue], &metrics));
    let sampler = config.map(|config| tollgate_sampler::Sampler::configure(config).unwrap());
    let manifest = sampler.as_ref().map(tollgate_sampler::Sampler::manifest).unwrap_or_default();
    let native = Native { manifest, sampler: sampler.map(Mutex::new) };
    let hosted: Hosted<dyn Sampler> = Hosted::new("s", Stage::Sample, OnError::Bypass, &metrics, Box::new(native));
    let stage = Sample::new(hosted, settings, deliver, &metrics).unwrap();
    let start = stage.moment.0;
    Bench { stage, kept, worker, metrics, start }
}

/// A span: trace, id, parent (0 for none), name, trace state.
type Given<'a> = (u8, u8, u8, &'a str, &'a str);

fn request(spans: &[Given<'_>]) -> Bytes {
    let envelope = Envelope::new(&[("service.name", "shop".into())], "test", "1");
    let mut writer = RequestWriter::new();
    for (trace, id, parent, name, state) in spans {
        let mut span = SpanWriter::new([*trace; 16], [*id; 8], name);
        if *parent > 0 {
            span.parent([*parent; 8]);
        }
        if !state.is_empty() {
            span.trace_state(state);
        }
        writer.push(&envelope, span.bytes());
    }
    writer.finish().into()
}

/// A span that came out: rule, probability, trace state.
type Seen = (String, Option<f64>, String);

impl Bench {
    fn add(&self, second: u64, spans: &[Given<'_>]) {
        self.stage.add(&request(spans), &Receipt::default(), self.at(second));
    }

    fn at(&self, second: u64) -> Instant {
        self.start + Duration::from_secs(second)
    }

    /// Spans that came out by trace and id, and the metrics page.
    async fn end(self) -> (BTreeMap<(u8, u8), Seen>, String) {
        self.worker.drain(tokio::time::Instant::now() + Duration::from_secs(60)).await;
        let mut seen = BTreeMap::new();
        for bytes in self.kept.0.lock().unwrap().iter() {
            let request = TraceRequest::scan(bytes, &Limits::default()).unwrap();
            for span in request.spans() {
                let text = |key: &str| span.attributes().get(key).and_then(|value| value.as_text()).unwrap_or("");
                let probability = span.attributes().get("tollgate.sampling.probability");
                let found = (
                    text("tollgate.sampling.rule").to_owned(),
                    probability.and_then(|value| value.as_real()),
                    span.trace_state().to_owned(),
                );
                let before = seen.insert((span.trace_id()[0], span.span_id()[0]), found);
                assert_eq!(before, None, "a span came out twice");
            }
        }
        (seen, self.metrics.page())
    }
}

/// Keeps a share of the traces by their ids: 0xff passes, 0x11 does not.
const HALF: &str =
    r#"{"policies": [{"name": "half", "type": "probabilistic", "probabilistic": {"sampling_percentage": 50}}]}"#;

fn counted(page: &str, line: &str) -> bool {
    page.lines().any(|found| found == line)
}

#[tokio::test]
async fn kept_spans_say_why_and_late_ones_follow_the_decision() {
    let bench = bench(Some(HALF), SETTINGS);
    bench.add(0, &[(0xff, 1, 0, "root", ""), (0x11, 1, 0, "root", ""), (0xfe, 2, 1, "child", "ot=th:c")]);
    bench.stage.tick(bench.at(1));
    assert!(bench.stage.state.lock().unwrap().assembly.traces() == 3);
    bench.stage.tick(bench.at(2));
    bench.add(3, &[(0xff, 2, 1, "late", ""), (0x11, 2, 1, "late", "")]);
    bench.add(4, &[(0xfe, 1, 0, "root", "")]);
    bench.stage.tick(bench.at(6));
    let (seen, page) = bench.end().await;
    let half = |state: &str, probability| ("half".to_owned(), Some(probability), state.to_owned());
    let expected = [
        ((0xfe, 1), half("ot=th:8", 0.5)),
        ((0xfe, 2), half("ot=th:c", 0.25)),
        ((0xff, 1), half("ot=th:8", 0.5)),
        ((0xff, 2), half("ot=th:8", 0.5)),
    ];
    assert_eq!(seen, BTreeMap::from(expected));
    assert!(counted(&page, "tollgate_sampling_late_spans_total 2"), "{page}");
    assert!(counted(&page, r#"tollgate_spans_dropped_total{reason="sampled"} 2"#), "{page}");
    assert!(counted(&page, r#"tollgate_sampling_decisions_total{rule="half",verdict="keep"} 2"#), "{page}");
    assert!(counted(&page, "tollgate_sampling_remembered 3"), "{page}");
}

#[tokio::test]
async fn what_a_limit_let_through_has_no_threshold() {
    let limit =
        r#"{"policies": [{"name": "limit", "type": "rate_limiting", "rate_limiting": {"spans_per_second": 1}}]}"#;
    let bench = bench(Some(limit), SETTINGS);
    bench.add(0, &[(0xff, 1, 0, "root", "ot=th:8;rv:ffffffffffffff,a=b")]);
    bench.stage.flush();
    let (seen, _) = bench.end().await;
    assert_eq!(seen[&(0xff, 1)], ("limit".to_owned(), None, "ot=rv:ffffffffffffff,a=b".to_owned()));
}

#[tokio::test]
async fn at_a_bound_traces_are_decided_early_and_none_is_lost() {
    let bounds = Bounds { traces: 3, ..SETTINGS.bounds };
    let bench = bench(Some("{}"), Settings { bounds, ..SETTINGS });
    for trace in 1..=10 {
        bench.add(0, &[(trace, 2, 1, "child", "")]);
    }
    assert_eq!(bench.stage.state.lock().unwrap().assembly.traces(), 3);
    let large = "x".repeat(1 << 19);
    bench.add(0, &[(11, 2, 1, &large, "")]);
    bench.stage.flush();
    let (seen, page) = bench.end().await;
    assert_eq!(seen.len(), 11);
    assert!(counted(&page, r#"tollgate_sampling_evicted_total{reason="traces"} 7"#), "{page}");
    assert!(counted(&page, r#"tollgate_sampling_evicted_total{reason="trace_size"} 1"#), "{page}");
    assert!(counted(&page, "tollgate_sampling_pending_bytes 0"), "{page}");
}

#[tokio::test]
async fn under_stress_new_traces_are_decided_at_once_and_those_that_wait_go_on_waiting() {
    let ratio = Ratio::new(0.5).unwrap();
    let stress = StressRelief { activation: 0.4, deactivation: 0.1, minimum: Duration::ZERO, ratio };
    let bench = bench(Some("{}"), Settings { stress: Some(stress), ..SETTINGS });
    let large = "x".repeat(450_000);
    bench.add(0, &[(1, 2, 1, &large, "")]);
    bench.add(1, &[(0xff, 2, 1, "kept", ""), (0x11, 2, 1, "dropped", ""), (1, 3, 1, "waits", "")]);
    assert_eq!(bench.stage.state.lock().unwrap().assembly.traces(), 1);
    bench.stage.tick(bench.at(30));
    // What was decided stays so when the stress is over.
    bench.add(31, &[(0x11, 3, 1, "late", ""), (0x12, 3, 1, "new", "")]);
    bench.stage.flush();
    let (seen, page) = bench.end().await;
    let keys: Vec<_> = seen.keys().copied().collect();
    assert_eq!(keys, [(1, 2), (1, 3), (0x12, 3), (0xff, 2)]);
    assert_eq!(seen[&(0xff, 2)], ("stress_relief".to_owned(), Some(0.5), "ot=th:8".to_owned()));
    assert_eq!(seen[&(0x12, 3)].0, "no rule matched");
    assert!(counted(&page, r#"tollgate_sampling_decisions_total{rule="stress_relief",verdict="drop"} 1"#), "{page}");
    assert!(counted(&page, "tollgate_sampling_stress_relief 0"), "{page}");
}

#[tokio::test]
async fn where_the_sampler_fails_traces_are_kept() {
    let bench = bench(None, SETTINGS);
    bench.add(0, &[(0x11, 1, 0, "root", "")]);
    bench.stage.tick(bench.at(2));
    let (seen, page) = bench.end().await;
    assert_eq!(seen[&(0x11, 1)], ("sampler_failed".to_owned(), Some(1.0), "ot=th:0".to_owned()));
    assert!(counted(&page, r#"tollgate_sampling_decisions_total{rule="sampler_failed",verdict="keep"} 1"#), "{page}");
}

/// A sampler that lets spans come in while it decides.
struct Slow(Mutex<Option<std::sync::mpsc::Receiver<()>>>, std::sync::mpsc::Sender<()>);

impl Sampler for Slow {
    fn manifest(&self) -> &SamplerManifest {
        static MANIFEST: std::sync::OnceLock<SamplerManifest> = std::sync::OnceLock::new();
        MANIFEST.get_or_init(|| SamplerManifest { rules: vec!["all".to_owned()], ..SamplerManifest::default() })
    }

    fn decide(&self, traces: Traces) -> Result<Verdicts, Failure> {
        self.1.send(()).unwrap();
        if let Some(go_on) = self.0.lock().unwrap().take() {
            go_on.recv().unwrap();
        }
        let count = traces.len();
        Ok(Verdicts { keep: vec![1; count], thresholds: vec![0; count], rules: vec![0; count] })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_come_while_their_trace_is_decided_follow_it_and_others_are_not_held_up() {
    let (go_on, gone_on) = std::sync::mpsc::channel();
    let (begun, begins) = std::sync::mpsc::channel();
    let mut bench = bench(None, SETTINGS);
    let slow = Slow(Mutex::new(Some(gone_on)), begun);
    bench.stage.sampler = Hosted::new("s", Stage::Sample, OnError::Bypass, &bench.metrics, Box::new(slow));
    bench.add(0, &[(1, 1, 0, "root", "")]);
    std::thread::scope(|scope| {
        scope.spawn(|| bench.stage.tick(bench.at(2)));
        begins.recv().unwrap();
        // The sampler is at work: this must neither wait nor make a trace of its own.
        bench.add(2, &[(1, 2, 1, "meanwhile", ""), (2, 1, 0, "root", "")]);
        assert_eq!(bench.stage.state.lock().unwrap().assembly.traces(), 1);
        go_on.send(()).unwrap();
    });
    bench.stage.flush();
    let (seen, page) = bench.end().await;
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [(1, 1), (1, 2), (2, 1)]);
    assert!(counted(&page, "tollgate_sampling_late_spans_total 1"), "{page}");
}
