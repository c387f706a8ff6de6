//! The generator: senders that each have a connection and one request under way, and do as the protocol says.

use crate::client::{Answer, Connection, Payload, Transport, Unknown};
use crate::ledger::Ledger;
use crate::spans::Template;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Wait before a further attempt where the other side asked for none.
const AGAIN: Duration = Duration::from_millis(50);
/// Longest that a sender sleeps without looking whether it is to stop.
const STEP: Duration = Duration::from_millis(50);

/// A request to send.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) payload: Payload,
    /// Number of its first span.
    pub(crate) first: u64,
    pub(crate) spans: u64,
}

/// What makes the next request.
pub(crate) type Source = Box<dyn Fn() -> Request>;

/// Requests of those templates in turn, numbered on and on. Packing takes longer than sending: requests in gzip are
/// packed beforehand, as many as `packed_spans` need, and come round again.
pub(crate) fn source(
    templates: Vec<Template>,
    transport: Transport,
    numbers: &Rc<Cell<u64>>,
    packed_spans: u64,
) -> Source {
    let turn = Cell::new(0);
    let numbers = Rc::clone(numbers);
    let fresh = move || {
        let (first, at) = (numbers.get(), turn.get());
        turn.set(at + 1);
        let template = templates.get(at % templates.len().max(1));
        let spans = template.map_or(0, Template::spans);
        numbers.set(first + spans);
        let payload = match template {
            Some(template) => Payload::of(template, first, transport),
            None => Payload::encoded(&[], transport),
        };
        Request { payload, first, spans }
    };
    if !transport.gzip() {
        return Box::new(fresh);
    }
    let (mut packed, mut spans) = (Vec::new(), 0);
    while spans < packed_spans {
        let request = fresh();
        spans += request.spans.max(1);
        packed.push(request);
    }
    let turn = Cell::new(0);
    Box::new(move || {
        let at = turn.get();
        turn.set((at + 1) % packed.len().max(1));
        packed.get(at).cloned().unwrap_or_else(&fresh)
    })
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Spans acknowledged.
    pub(crate) accepted: Cell<u64>,
    /// Bytes of requests that were acknowledged, and of all attempts, as they were sent.
    pub(crate) bytes: Cell<u64>,
    pub(crate) offered: Cell<u64>,
    /// Refusals to be sent again that said when.
    pub(crate) again: Cell<u64>,
    /// Refusals to be sent again that did not say when.
    pub(crate) again_without: Cell<u64>,
    /// Requests without an answer.
    pub(crate) unknown: Cell<u64>,
    /// Requests refused for good, and the first one's reason.
    pub(crate) refused: Cell<u64>,
    pub(crate) reason: RefCell<Option<String>>,
    /// Times from sending to acknowledgement, where they are wanted.
    pub(crate) times: RefCell<Option<Vec<Duration>>>,
}

pub(crate) fn add(cell: &Cell<u64>, more: u64) {
    cell.set(cell.get() + more);
}

impl Tally {
    /// Notes an answer; gives the time after which the request is to be sent again, where it is.
    fn note(&self, answer: &Result<Answer, Unknown>, request: &Request, took: Duration) -> Option<Duration> {
        add(&self.offered, request.payload.len());
        match answer {
            Ok(Answer::Accepted) => {
                add(&self.accepted, request.spans);
                add(&self.bytes, request.payload.len());
                if let Some(times) = self.times.borrow_mut().as_mut() {
                    times.push(took);
                }
                None
            }
            Ok(Answer::Again { after }) => {
                add(if after.is_some() { &self.again } else { &self.again_without }, 1);
                Some(after.unwrap_or(AGAIN))
            }
            Ok(Answer::Refused(reason)) => {
                add(&self.refused, 1);
                self.reason.borrow_mut().get_or_insert_with(|| reason.clone());
                None
            }
            Err(Unknown) => {
                add(&self.unknown, 1);
                Some(AGAIN)
            }
        }
    }
}

/// Senders of one kind of traffic.
pub(crate) struct Load {
    tally: Rc<Tally>,
    stop: Rc<Cell<bool>>,
    tasks: JoinSet<()>,
}

/// What the senders of a load have in common.
struct Shared {
    source: Source,
    port: u16,
    grpc: bool,
    pause: Duration,
    ledger: Option<Rc<RefCell<Ledger>>>,
    tally: Rc<Tally>,
    stop: Rc<Cell<bool>>,
}

impl Load {
    /// Starts so many senders, who send what is refused again when they were told to, and wait for `pause` between
    /// requests. What is acknowledged is owed from then on, where a ledger is given.
    pub(crate) fn start(
        source: Source,
        (port, grpc): (u16, bool),
        senders: usize,
        pause: Duration,
        ledger: Option<&Rc<RefCell<Ledger>>>,
    ) -> Self {
        let (tally, stop) = (Rc::new(Tally::default()), Rc::new(Cell::new(false)));
        let shared = Rc::new(Shared {
            source,
            port,
            grpc,
            pause,
            ledger: ledger.map(Rc::clone),
            tally: Rc::clone(&tally),
            stop: Rc::clone(&stop),
        });
        let mut tasks = JoinSet::new();
        for _ in 0..senders {
            let shared = Rc::clone(&shared);
            tasks.spawn_local(async move { shared.send().await });
        }
        Self { tally, stop, tasks }
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Lets requests that are under way end, and sends no more. What is refused now is not sent again.
    pub(crate) async fn finish(mut self) -> Rc<Tally> {
        self.stop.set(true);
        while self.tasks.join_next().await.is_some() {}
        self.tally
    }
}

impl Shared {
    async fn send(&self) {
        let mut connection = None;
        while !self.stop.get() {
            let request = (self.source)();
            while let Some(wait) = self.attempt(&mut connection, &request).await {
                self.rest(wait).await;
                if self.stop.get() {
                    return;
                }
            }
            self.rest(self.pause).await;
        }
    }

    async fn attempt(&self, connection: &mut Option<Connection>, request: &Request) -> Option<Duration> {
        let open = match connection {
            Some(open) => open,
            None => match Connection::open(self.port, self.grpc).await {
                Ok(opened) => connection.insert(opened),
                Err(Unknown) => return Some(AGAIN),
            },
        };
        let sent = Instant::now();
        let answer = open.send(&request.payload).await;
        if answer.is_err() {
            *connection = None;
        }
        if let (Ok(Answer::Accepted), Some(ledger)) = (&answer, &self.ledger) {
            ledger.borrow_mut().owe(request.first, request.spans);
        }
        self.tally.note(&answer, request, sent.elapsed())
    }

    async fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.stop.get() && Instant::now() < until {
            sleep(until.saturating_duration_since(Instant::now()).min(STEP)).await;
        }
    }
}
