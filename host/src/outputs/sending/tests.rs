use super::*;
use crate::outputs::Prepared;
use crate::receivers::Signal;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;
use tollgate_otlp::{Envelope, RequestWriter, SpanWriter};

const RETRY: Retry = Retry {
    initial_interval: Duration::from_millis(1),
    max_interval: Duration::from_millis(2),
    max_elapsed_time: Duration::ZERO,
};

/// A receiver with a limit of its own, which answers as scripted before it takes what is within the limit.
#[derive(Default)]
struct Receiver {
    limits: Option<Limits>,
    preparation: Option<Arc<Widening>>,
    takes: usize,
    answers: Mutex<VecDeque<Result<u64, SendError>>>,
    /// Items of each request: those that were taken, and those that were refused for size.
    taken: Mutex<Vec<u64>>,
    refused: Mutex<Vec<usize>>,
}

impl Sink for Arc<Receiver> {
    fn limits(&self) -> Limits {
        self.limits.unwrap_or(Limits::AS_IT_COMES)
    }

    fn preparation(&self) -> Option<Arc<dyn Prepare>> {
        self.preparation.clone().map(|widening| widening as Arc<dyn Prepare>)
    }

    async fn send(&self, delivery: &Delivery) -> Result<u64, SendError> {
        if delivery.bytes.len() > self.takes {
            self.refused.lock().unwrap().push(delivery.bytes.len());
            return Err(SendError::TooLarge { why: "too large".to_owned() });
        }
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Ok(0));
        if answer.is_ok() {
            self.taken.lock().unwrap().push(delivery.items);
        }
        answer
    }
}

/// Makes a text of each span longer, does not want one item, and cannot convert two.
#[derive(Debug, Default)]
struct Widening {
    asked: AtomicUsize,
}

impl Prepare for Widening {
    fn prepare(&self, delivery: Delivery) -> Prepared {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let sizes = vec![3_000; delivery.items as usize - 1];
        Prepared { delivery: Some(spans(&sizes)), not_wanted: 1, unconverted: 2 }
    }
}

#[tokio::test]
async fn a_delivery_is_prepared_once_then_cut_and_then_sent_again() {
    let widening = Arc::new(Widening::default());
    let receiver = Arc::new(Receiver {
        limits: Some(Limits { max_bytes: 4_000, ..Limits::AS_IT_COMES }),
        preparation: Some(Arc::clone(&widening)),
        takes: 4_000,
        answers: Mutex::new(VecDeque::from([again(), again()])),
        ..Receiver::default()
    });
    let (sending, metrics) = start(&receiver, RETRY);
    let mut shipment = Shipment::new(spans(&[10; 4]));
    sending.send(&mut shipment).await;
    assert_eq!(*receiver.taken.lock().unwrap(), [1, 1, 1], "one by one, because they have grown");
    assert_eq!(widening.asked.load(Ordering::Relaxed), 1);
    assert_eq!(count(&metrics, "tollgate_output_unconverted_total{output=\"out\"}"), 2);
    assert_eq!(count(&metrics, "tollgate_output_dropped_total{output=\"out\",reason=\"not_wanted\"}"), 1);
    assert_eq!(count(&metrics, "tollgate_output_sent_total{output=\"out\"}"), 3);
    // What was prepared is in memory until the shipment is gone.
    let held = |metrics: &Metrics| count(metrics, "tollgate_memory_bytes{use=\"queues\"}");
    assert!(held(&metrics) > 9_000, "{}", held(&metrics));
    drop(shipment);
    assert_eq!(held(&metrics), 0);
}

/// A request of spans, each with a text of so many bytes.
fn spans(sizes: &[usize]) -> Delivery {
    let envelope = Envelope::new(&[("service.name", "shop".into())], "tests", "1");
    let mut writer = RequestWriter::new();
    for (at, &size) in sizes.iter().enumerate() {
        let mut span = SpanWriter::new([1; 16], [at as u8 + 1; 8], "chat");
        span.set("text", "x".repeat(size).as_str());
        writer.push(&envelope, span.bytes());
    }
    Delivery { signal: Signal::Traces, bytes: writer.finish().into(), items: sizes.len() as u64 }
}

fn start(receiver: &Arc<Receiver>, retry: Retry) -> (Sending<Arc<Receiver>>, Metrics) {
    let metrics = Metrics::new(100);
    let memory = Memory::new(1 << 30, &metrics);
    (Sending::new("out", Arc::clone(receiver), retry, &memory, &metrics), metrics)
}

async fn send(sending: &Sending<Arc<Receiver>>, delivery: Delivery) {
    let mut shipment = Shipment::new(delivery);
    sending.send(&mut shipment).await;
    assert_eq!(shipment.left(), 0);
}

fn count(metrics: &Metrics, line: &str) -> u64 {
    let page = metrics.page();
    let found = page.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok());
    found.unwrap_or(0)
}

fn again() -> Result<u64, SendError> {
    Err(SendError::Again { why: "down".to_owned(), after: None })
}

#[tokio::test]
async fn a_delivery_is_cut_to_the_limits_of_its_sink() {
    let limits = Limits { max_bytes: 4_000, max_items: 3, join: false, num_consumers: 1 };
    for (sizes, parts) in [
        (vec![1_000; 3], vec![3]),
        (vec![1_000; 7], vec![3, 3, 1]),
        (vec![10; 7], vec![3, 3, 1]),
        (vec![1_500, 1_500, 1_500, 9_000, 10], vec![2, 1, 1, 1]),
    ] {
        let receiver = Arc::new(Receiver { limits: Some(limits), takes: usize::MAX, ..Receiver::default() });
        let (sending, metrics) = start(&receiver, RETRY);
        send(&sending, spans(&sizes)).await;
        assert_eq!(*receiver.taken.lock().unwrap(), parts, "{sizes:?}");
        assert_eq!(count(&metrics, r#"tollgate_output_sent_total{output="out"}"#), sizes.len() as u64);
    }
}

#[tokio::test]
async fn what_is_refused_for_size_is_halved_until_it_is_taken_and_the_bound_is_remembered() {
    let receiver = Arc::new(Receiver { takes: 320_000, ..Receiver::default() });
    let (sending, metrics) = start(&receiver, RETRY);
    send(&sending, spans(&[100_000; 16])).await;
    assert_eq!(receiver.taken.lock().unwrap().iter().sum::<u64>(), 16);
    let refusals = receiver.refused.lock().unwrap().len();
    assert_eq!(refusals, 2, "1.6 MB and its half");
    send(&sending, spans(&[100_000; 16])).await;
    assert_eq!(receiver.refused.lock().unwrap().len(), refusals, "the bound is known now");
    assert_eq!(count(&metrics, r#"tollgate_output_sent_total{output="out"}"#), 32);
}

#[tokio::test]
async fn one_item_that_is_too_large_is_dropped_alone() {
    let receiver = Arc::new(Receiver { takes: 5_000, ..Receiver::default() });
    let (sending, metrics) = start(&receiver, RETRY);
    send(&sending, spans(&[10, 10, 9_000, 10, 10, 10, 10, 10])).await;
    assert_eq!(receiver.taken.lock().unwrap().iter().sum::<u64>(), 7);
    assert_eq!(count(&metrics, r#"tollgate_output_sent_total{output="out"}"#), 7);
    assert_eq!(count(&metrics, r#"tollgate_output_dropped_total{output="out",reason="too_large"}"#), 1);
    // What was refused is smaller than what a bound is learned from.
    send(&sending, spans(&[1_000; 4])).await;
    assert_eq!(receiver.taken.lock().unwrap().last(), Some(&4));
}

#[tokio::test]
async fn one_item_that_is_too_large_makes_no_other_request_smaller() {
    let receiver = Arc::new(Receiver { takes: 500_000, ..Receiver::default() });
    let (sending, _) = start(&receiver, RETRY);
    send(&sending, spans(&[900_000])).await;
    send(&sending, spans(&[100_000; 4])).await;
    assert_eq!(*receiver.taken.lock().unwrap(), [4]);
}

#[tokio::test]
async fn what_cannot_be_cut_is_dropped_when_it_is_refused_for_size() {
    let receiver = Arc::new(Receiver { takes: 3, ..Receiver::default() });
    let (sending, metrics) = start(&receiver, RETRY);
    send(&sending, Delivery { signal: Signal::Logs, bytes: Bytes::from_static(b"\xff\xff\xff\xff"), items: 2 }).await;
    assert_eq!(count(&metrics, r#"tollgate_output_dropped_total{output="out",reason="too_large"}"#), 2);
}

#[tokio::test]
async fn parts_that_were_taken_are_not_sent_again() {
    let limits = Limits { max_bytes: usize::MAX, max_items: 2, join: false, num_consumers: 1 };
    let refused = Err(SendError::Never { why: "bad".to_owned() });
    let answers = [Ok(0), again(), again(), Ok(1), refused, Ok(0)];
    let receiver = Arc::new(Receiver {
        limits: Some(limits),
        takes: usize::MAX,
        answers: Mutex::new(answers.into()),
        ..Receiver::default()
    });
    let (sending, metrics) = start(&receiver, RETRY);
    send(&sending, spans(&[1; 8])).await;
    assert_eq!(*receiver.taken.lock().unwrap(), [2, 2, 2]);
    for (line, expected) in [
        (r#"tollgate_output_sent_total{output="out"}"#, 5),
        (r#"tollgate_output_retries_total{output="out"}"#, 2),
        (r#"tollgate_output_dropped_total{output="out",reason="rejected"}"#, 1),
        (r#"tollgate_output_dropped_total{output="out",reason="refused"}"#, 2),
    ] {
        assert_eq!(count(&metrics, line), expected, "{line}");
    }
}

#[tokio::test]
async fn whoever_stops_waiting_knows_what_is_left() {
    let limits = Limits { max_bytes: usize::MAX, max_items: 2, join: false, num_consumers: 1 };
    let answers = std::iter::once(Ok(0)).chain(std::iter::repeat_with(again).take(100_000)).collect();
    let receiver = Arc::new(Receiver {
        limits: Some(limits),
        takes: usize::MAX,
        answers: Mutex::new(answers),
        ..Receiver::default()
    });
    let (sending, metrics) = start(&receiver, RETRY);
    let mut shipment = Shipment::new(spans(&[1; 7]));
    assert!(tokio::time::timeout(Duration::from_millis(50), sending.send(&mut shipment)).await.is_err());
    assert_eq!(shipment.left(), 5);
    assert_eq!(count(&metrics, r#"tollgate_output_sent_total{output="out"}"#), 2);
}

#[tokio::test]
async fn when_the_time_to_try_is_up_the_delivery_is_dropped() {
    let answers = std::iter::repeat_with(again).take(100_000).collect();
    let receiver = Arc::new(Receiver { takes: usize::MAX, answers: Mutex::new(answers), ..Receiver::default() });
    let (sending, metrics) = start(&receiver, Retry { max_elapsed_time: Duration::from_millis(20), ..RETRY });
    send(&sending, spans(&[1; 3])).await;
    assert_eq!(count(&metrics, r#"tollgate_output_dropped_total{output="out",reason="retries_exhausted"}"#), 3);
}
