//! What caller and provider know of each other: both are in this process, and Envoy is between them.
//!
//! Every exchange under way has a lane. The caller lays the answer into it that the provider is to give, and says there
//! how much of it has come; the provider, where the answer goes in steps, sends no step before the one ahead has come
//! through Envoy. So Envoy gets every step in a read of its own, whatever the machine is busy with.

use crate::answer::Answer;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// One exchange at a time.
#[derive(Debug)]
pub(crate) struct Lane {
    answer: RefCell<Rc<Answer>>,
    /// Bytes of the last request's body, as the provider got it.
    request_bytes: Cell<usize>,
    /// How far the caller has got: 1 for the head, and 1 for each byte of the body.
    reached: Cell<usize>,
    /// How far the step goes that is under way.
    awaited: Cell<usize>,
    sent: Cell<Instant>,
    arrived: Notify,
    /// The caller has got all that it wants.
    sufficed: Notify,
    /// Times of steps, but for heads, from the provider's write to the caller's read, where they are wanted.
    delays: RefCell<Option<Vec<Duration>>>,
}

impl Lane {
    fn new() -> Self {
        Self {
            answer: RefCell::default(),
            request_bytes: Cell::new(0),
            reached: Cell::new(0),
            awaited: Cell::new(0),
            sent: Cell::new(Instant::now()),
            arrived: Notify::new(),
            sufficed: Notify::new(),
            delays: RefCell::default(),
        }
    }

    /// The caller begins an exchange, and wants this answer.
    pub(crate) fn begin(&self, answer: Rc<Answer>) {
        self.answer.replace(answer);
        self.reached.set(0);
        self.awaited.set(0);
        self.request_bytes.set(0);
    }

    /// The answer that the caller wants.
    pub(crate) fn answer(&self) -> Rc<Answer> {
        Rc::clone(&self.answer.borrow())
    }

    /// The provider has got the request.
    pub(crate) fn got_request(&self, bytes: usize) {
        self.request_bytes.set(bytes);
    }

    /// Bytes of the body of the request that the provider got.
    pub(crate) fn request_bytes(&self) -> usize {
        self.request_bytes.get()
    }

    /// The provider is about to send a step.
    pub(crate) fn sends(&self, until: usize) {
        self.awaited.set(until);
        self.sent.set(Instant::now());
    }

    /// Waits until the caller has the step.
    pub(crate) async fn arrival(&self) {
        while self.reached.get() < self.awaited.get() {
            self.arrived.notified().await;
        }
    }

    /// The caller has got so far.
    pub(crate) fn reach(&self, position: usize) {
        let before = self.reached.replace(position);
        let awaited = self.awaited.get();
        if before < awaited && position >= awaited {
            if before > 0
                && let Some(delays) = self.delays.borrow_mut().as_mut()
            {
                delays.push(self.sent.get().elapsed());
            }
            self.arrived.notify_one();
        }
    }

    /// The caller has got all that it wants, and tells the provider no more.
    pub(crate) fn suffice(&self) {
        self.sufficed.notify_one();
    }

    /// Waits until the caller has got all that it wants.
    pub(crate) async fn enough(&self) {
        self.sufficed.notified().await;
    }

    /// From now on the times of steps are kept.
    pub(crate) fn keep_delays(&self) {
        self.delays.replace(Some(Vec::new()));
    }

    /// The times of steps since then; no more are kept.
    pub(crate) fn take_delays(&self) -> Vec<Duration> {
        self.delays.take().unwrap_or_default()
    }
}

/// All lanes.
#[derive(Debug)]
pub(crate) struct Stage {
    lanes: Vec<Rc<Lane>>,
}

impl Stage {
    /// So many lanes.
    pub(crate) fn new(lanes: usize) -> Self {
        Self { lanes: (0..lanes).map(|_| Rc::new(Lane::new())).collect() }
    }

    /// The lane of a number, as the header `x-lane` names it.
    pub(crate) fn lane(&self, number: usize) -> Option<Rc<Lane>> {
        self.lanes.get(number).map(Rc::clone)
    }
}
