//! Any callbacks on several contexts of several roots, in any order. Run with `cargo +nightly fuzz run callbacks`.
//!
//! Nothing panics, queues and shared data stay within their limits, nothing is held or changed where nothing may be, log
//! lines say nothing of bodies, what waits is delivered once the proxy is well again, and when all contexts are gone
//! nothing is left.

#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::{Corpus, fuzz_target};
use std::cell::RefCell;
use tollgate_envoy_model::chaos::{
    BUDGET_BYTES, CANARY, CHUNKS, DETAILS, HEADER_NAMES, HEADER_VALUES, OBSERVING, QUEUE_BYTES, Step, configurations,
};
use tollgate_envoy_model::{HeaderMap, Model};
use tollgate_filter::filter::Filter;
use tollgate_filter::proxy::Flow;

/// Roots and streams share these ids, and 0, which is nobody's.
const MOST_ID: u32 = 6;

/// Roots that are configured, of which streams may be.
const ROOTS: u32 = 2;

const MOST_STEPS: usize = 400;

fn id(input: &mut Unstructured<'_>) -> Result<u32> {
    input.int_in_range(0..=MOST_ID)
}

/// A word, and sometimes any bytes.
fn word(input: &mut Unstructured<'_>, words: &[&str]) -> Result<Vec<u8>> {
    if input.ratio(7, 8)? {
        return Ok(input.choose(words)?.as_bytes().to_vec());
    }
    let length = input.int_in_range(0..=64_usize)?.min(input.len());
    Ok(input.bytes(length)?.to_vec())
}

fn headers(input: &mut Unstructured<'_>) -> Result<HeaderMap> {
    let count = input.int_in_range(0..=8_u8)?;
    (0..count).map(|_| Ok(((*input.choose(HEADER_NAMES)?).to_owned(), word(input, HEADER_VALUES)?))).collect()
}

/// Headers with which a call is recognised, and sometimes any.
fn request_headers(input: &mut Unstructured<'_>) -> Result<HeaderMap> {
    let any = headers(input)?;
    if input.arbitrary()? {
        return Ok(any);
    }
    let known = [
        (":method", "POST"),
        (":path", "/v1/chat/completions"),
        (":authority", "api.openai.com"),
        ("content-type", "application/json"),
    ];
    // The proxy gives the first of a name.
    Ok(any.into_iter().chain(known.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))).collect())
}

fn response_headers(input: &mut Unstructured<'_>) -> Result<HeaderMap> {
    let any = headers(input)?;
    let kind = match input.int_in_range(0..=2_u8)? {
        0 => return Ok(any),
        1 => "application/json",
        _ => "text/event-stream",
    };
    let known = [(":status", "200"), ("content-type", kind)];
    Ok(any.into_iter().chain(known.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))).collect())
}

/// Some words, cut anywhere.
fn chunk(input: &mut Unstructured<'_>) -> Result<(Vec<u8>, usize)> {
    let pieces = input.int_in_range(0..=4_u8)?;
    let mut chunk = Vec::new();
    for _ in 0..pieces {
        chunk.extend(word(input, CHUNKS)?);
    }
    if input.ratio(1, 4)? {
        let (from, to): (u8, u8) = input.arbitrary()?;
        chunk = chunk.into_iter().skip(from.into()).take(to.into()).collect();
    }
    let said = if input.ratio(1, 8)? { input.int_in_range(0..=300_usize)? } else { chunk.len() };
    Ok((chunk, said))
}

fn step(input: &mut Unstructured<'_>) -> Result<Step> {
    Ok(match input.int_in_range(0..=15_u8)? {
        0 if input.ratio(1, 16)? => {
            Step::Configure { root: input.int_in_range(1..=ROOTS)?, which: input.arbitrary::<u8>()?.into() }
        }
        0 | 1 => Step::Create { id: id(input)?, root: input.int_in_range(0..=ROOTS + 1)? },
        2 | 3 => Step::RequestHeaders { id: id(input)?, headers: request_headers(input)?, end: input.ratio(1, 8)? },
        4 | 5 => {
            let (chunk, said) = chunk(input)?;
            Step::RequestBody { id: id(input)?, chunk, said, end: input.arbitrary()? }
        }
        6 => Step::RequestTrailers { id: id(input)? },
        7 => Step::ResponseHeaders { id: id(input)?, headers: response_headers(input)?, end: input.ratio(1, 8)? },
        8 | 9 => {
            let (chunk, said) = chunk(input)?;
            Step::ResponseBody { id: id(input)?, chunk, said, end: input.arbitrary()? }
        }
        10 => Step::ResponseTrailers { id: id(input)? },
        11 => {
            let details = if input.arbitrary()? { Some(word(input, DETAILS)?) } else { None };
            Step::Log { id: id(input)?, details }
        }
        12 => Step::Delete { id: id(input)? },
        13 => Step::Tick { root: id(input)? },
        14 => Step::Answered {
            root: id(input)?,
            token: input.int_in_range(0..=8)?,
            status: if input.arbitrary()? { Some(word(input, &["200", "503", "429", "400"])?) } else { None },
            wait: word(input, &["0", "1", "99999999999999999999"])?,
            body: word(input, &["", "\n\u{2}\u{8}\u{1}"])?,
        },
        _ => match input.int_in_range(0..=3_u8)? {
            0 => Step::Refuse(input.arbitrary()?),
            1 => Step::Refuse(0),
            2 => Step::Clock(input.arbitrary()?),
            // Seconds, so that timers come to their ends.
            _ => Step::Clock(input.arbitrary::<u32>()? as u64 * 1_000_000_000),
        },
    })
}

/// Whether a step may lead to changes of calls.
fn changes(step: &Step) -> bool {
    matches!(step, Step::Configure { which, .. } if which % configurations().len() >= OBSERVING)
}

fn check(model: &Model, filter: &Filter, may_change: bool, flow: Flow) {
    assert!(may_change || (flow, model.changes(), model.is_answered()) == (Flow::Continue, 0, false));
    assert!(filter.held_bytes() <= ROOTS as usize * QUEUE_BYTES, "{}", filter.held_bytes());
    assert!(filter.open_streams() <= MOST_ID as usize + 1);
    // Budgets of two configurations are one where their limits are the same.
    let shared: usize = model.shared.borrow().values().map(|(value, _)| value.len()).sum();
    assert!(shared <= BUDGET_BYTES, "{shared}");
}

/// The root that every input has from the start.
const FIRST: u32 = 1;

const START: u64 = 1_790_000_000_000_000_000;

/// Inputs that one filter serves. To configure it takes longer than a hundred steps.
const MOST_INPUTS: usize = 200;

/// A filter whose first root is configured, without streams and with nothing queued.
struct Seat {
    model: Model,
    filter: Filter,
    inputs: usize,
}

thread_local! {
    /// By configuration; made when they are wanted.
    static SEATS: RefCell<Vec<Option<Seat>>> = RefCell::new(configurations().iter().map(|_| None).collect());
}

impl Seat {
    fn new(which: usize) -> Self {
        let (model, mut filter) = (Model::default(), Filter::default());
        model.now.set(START);
        Step::Configure { root: FIRST, which }.take(&model, &mut filter);
        Self { model, filter, inputs: 0 }
    }

    /// Takes all steps, and says whether roots are as they were.
    fn steps(&mut self, input: &mut Unstructured<'_>, which: usize, roots_change: bool) -> bool {
        let Self { model, filter, .. } = self;
        let mut may_change = which >= OBSERVING;
        let mut as_before = true;
        for id in [3, 4] {
            Step::Create { id, root: FIRST }.take(model, filter);
        }
        for _ in 0..MOST_STEPS {
            if input.is_empty() {
                break;
            }
            let Ok(step) = step(input) else { break };
            if matches!(step, Step::Configure { .. } | Step::Delete { id: ..=ROOTS }) {
                if !roots_change {
                    continue;
                }
                as_before = false;
            }
            may_change |= changes(&step);
            let flow = step.take(model, filter);
            check(model, filter, may_change, flow);
        }
        as_before
    }

    /// The proxy is well again: streams go away, and whatever waits is delivered.
    fn settle(&mut self) {
        let Self { model, filter, .. } = self;
        model.refusals.set(Default::default());
        model.now.set(START);
        // An id may be of a root as well, which goes away only without a stream.
        (0..=MOST_ID).filter(|id| *id != FIRST).for_each(|id| filter.delete(model, id));
        if filter.open_streams() > 0 {
            filter.delete(model, FIRST);
        }
        assert_eq!(filter.open_streams(), 0);
        let status = vec![(":status".to_owned(), b"200".to_vec())];
        model.headers.borrow_mut()[2] = status;
        model.callout.borrow_mut().clear();
        let mut rounds = 0;
        while rounds == 0 || filter.held_bytes() > 0 {
            for sent in model.take_sent() {
                filter.call_answered(model, FIRST, sent.token, true);
            }
            // Longer than any wait for a receiver that failed.
            model.now.set(model.now.get() + 4_000_000_000_000);
            filter.tick(model, FIRST);
            rounds += 1;
            assert!(rounds < 100, "{} bytes are never sent", filter.held_bytes());
        }
        drop((model.take_answered(), model.take_resumed(), model.take_sent()));
        model.shared.borrow_mut().clear();
        model.now.set(START);
    }

    /// All contexts go away.
    fn end(&mut self) {
        // Streams first: an id may be of both, and goes away twice.
        for id in (0..=MOST_ID).chain(0..=MOST_ID) {
            self.filter.delete(&self.model, id);
        }
        assert_eq!((self.filter.open_streams(), self.filter.held_bytes()), (0, 0));
    }
}

fuzz_target!(|input: &[u8]| -> Corpus {
    let input = &mut Unstructured::new(input);
    let Ok((which, lends)) = input.arbitrary::<(u8, u8)>() else { return Corpus::Reject };
    SEATS.with_borrow_mut(|seats| {
        // Few inputs change roots: that takes longer than all the rest.
        let roots_change = which >= 0xe0;
        let which = usize::from(which) % seats.len();
        let mut seat = seats[which].take().unwrap_or_else(|| Seat::new(which));
        seat.model.lends.set(lends.into());
        seat.inputs += 1;
        let as_before = seat.steps(input, which, roots_change);
        let lines = seat.model.log_lines();
        assert!(lines.iter().all(|line| !line.contains(CANARY)), "{lines:?}");
        if as_before {
            seat.settle();
        }
        if as_before && seat.inputs < MOST_INPUTS {
            seats[which] = Some(seat);
        } else {
            seat.end();
        }
        Corpus::Keep
    })
});
