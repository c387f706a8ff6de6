//! An exchange of the conformance corpus, changed a little and cut anywhere, observed. Run with
//! `cargo +nightly fuzz run exchange`.
//!
//! What passes is what was sent, chunk by chunk, and nothing waits. What is told of it, in metrics and in the access log,
//! does not depend on the cuts.
//!
//! The input chooses a case, changes of its bodies, how it ends, and the sizes of the chunks.

#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::{Corpus, fuzz_target};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use tollgate_conformance::Case;
use tollgate_envoy_model::{Answer, End, HeaderMap, Model, Passed, Request, run};
use tollgate_filter::filter::Filter;
use tollgate_token_extractor::notes::{EXPANSION_LIMIT, UNDECODABLE_BODY};

const CONFIGS: [&str; 3] = [
    r#"{"access_log": "record"}"#,
    r#"{"access_log": "off"}"#,
    r#"{"access_log": "record", "rate_limit_values": true, "export": {"cluster": "c"},
        "capture_content": {"input_bytes": 4096, "output_bytes": 4096}}"#,
];

const START: u64 = 1_790_000_000_000_000_000;

/// Longest bodies that are run, in bytes: a case is large where it tests limits of the extractor.
const MOST_BYTES: usize = 64 << 10;

static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let cases = tollgate_conformance::load(tollgate_conformance::corpus()).expect("the corpus is right");
    let small = |case: &Case| case.request.body.len() + case.transferred().len() < MOST_BYTES;
    cases.into_iter().filter(small).collect()
});

/// What is sent, before it is cut.
struct Sent {
    request: Request,
    answer: Answer,
}

fn header(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}

fn headers(first: impl IntoIterator<Item = (String, Vec<u8>)>, more: &[(String, String)]) -> HeaderMap {
    first.into_iter().chain(more.iter().map(|(name, value)| header(name, value))).collect()
}

/// Bytes put in, taken out, or changed.
fn edit(input: &mut Unstructured<'_>, body: &mut Vec<u8>) -> Result<()> {
    for _ in 0..input.int_in_range(0..=3_u8)? {
        let at = usize::from(input.arbitrary::<u16>()?) % (body.len() + 1);
        let length = usize::from(input.arbitrary::<u8>()? % 24);
        let end = (at + length).min(body.len());
        match input.int_in_range(0..=3_u8)? {
            0 => drop(body.drain(at..end)),
            1 => drop(body.splice(at..at, input.bytes(length.min(input.len()))?.to_vec())),
            2 => drop(body.splice(at..end, input.bytes(length.min(input.len()))?.to_vec())),
            _ => body.extend_from_within(at..end),
        }
    }
    Ok(())
}

fn sent(input: &mut Unstructured<'_>) -> Result<Sent> {
    let case = &CASES[usize::from(input.arbitrary::<u16>()?) % CASES.len()];
    let of = &case.request;
    let pseudo = [(":method", &of.method), (":path", &of.path), (":authority", &of.host)];
    let mut request = Request {
        headers: headers(pseudo.map(|(name, value)| header(name, value)), &of.headers),
        body: vec![of.body.clone()],
        trailers: input.ratio(1, 4)?,
    };
    request = request.header("x-request-id", b"6f1d9f0e-1d0e-4b5e-9a9d-3c1b6d3a2f11");
    let end = [End::Flag, End::Trailers, End::ClientAbort, End::UpstreamReset][input.int_in_range(0..=3)?];
    let status = case.response.as_ref().map(|response| header(":status", &response.status.to_string()));
    let more = case.response.as_ref().map_or(&[][..], |response| response.headers.as_slice());
    let mut answer = Answer { headers: headers(status, more), body: vec![case.transferred().to_vec()], end, pause: 0 };
    edit(input, &mut request.body[0])?;
    edit(input, &mut answer.body[0])?;
    Ok(Sent { request, answer })
}

/// A body in chunks, some of them empty.
fn cut(input: &mut Unstructured<'_>, body: &[u8]) -> Result<Vec<Vec<u8>>> {
    let sizes: Vec<u8> = (0..input.int_in_range(1..=8_u8)?).map(|_| input.arbitrary()).collect::<Result<_>>()?;
    let (mut chunks, mut rest) = (Vec::new(), body);
    for size in sizes.iter().cycle() {
        // Small ones and large ones.
        let size = if *size < 128 { usize::from(*size % 16) } else { usize::from(*size - 128) * 8 };
        // Not all are empty, or it would not end.
        let size = if chunks.len() % 16 == 15 { size.max(1) } else { size };
        let (chunk, left) = rest.split_at(size.min(rest.len()));
        chunks.push(chunk.to_vec());
        rest = left;
        if rest.is_empty() {
            return Ok(chunks);
        }
    }
    Ok(chunks)
}

/// What was told of an exchange.
struct Told {
    metrics: BTreeMap<String, i64>,
    fields: BTreeMap<String, Vec<u8>>,
}

/// A filter that observes, and what it is told by.
struct Observer {
    model: Model,
    filter: Filter,
}

impl Observer {
    fn new(config: &str) -> Self {
        let (model, mut filter) = (Model::default(), Filter::default());
        model.now.set(START);
        assert!(model.configure(&mut filter, config), "{:?}", model.log_lines());
        Self { model, filter }
    }

    fn observe(&mut self, lends: usize, request: &Request, answer: &Answer) -> Told {
        let Self { model, filter } = self;
        model.now.set(START);
        model.lends.set(lends);
        let passed = run(model, filter, request, answer);
        let expected = Passed {
            headers: Some(request.headers.clone()),
            request: request.body.concat(),
            answer_headers: answer.headers.clone(),
            answer: answer.body.clone(),
            trailers: Vec::new(),
            local: None,
        };
        assert!(passed == expected, "{passed:?}\n{expected:?}");
        assert_eq!((model.changes(), filter.open_streams()), (0, 0));
        let mut fields = model.take_states();
        // The clock goes on with every chunk, and ids are made of the clock.
        fields.retain(|name, _| !["tollgate.trace_id", "tollgate.time_to_first_chunk_ms"].contains(&name.as_str()));
        Told { metrics: model.take_metrics(), fields }
    }
}

/// Two of each configuration: one for whole bodies, one for cut ones.
type Observers = [[Observer; 2]; CONFIGS.len()];

thread_local! {
    /// To configure one takes longer than to run an exchange, so they serve for a while: no longer than there is room for
    /// models and spans.
    static OBSERVERS: RefCell<(Observers, usize)> = RefCell::new((observers(), 0));
}

const MOST_EXCHANGES: usize = 200;

fn observers() -> Observers {
    CONFIGS.map(|config| [Observer::new(config), Observer::new(config)])
}

fuzz_target!(|input: &[u8]| -> Corpus {
    OBSERVERS.with_borrow_mut(|(observers, exchanges)| {
        *exchanges += 1;
        if *exchanges > MOST_EXCHANGES {
            (*observers, *exchanges) = (self::observers(), 0);
        }
        let input = &mut Unstructured::new(input);
        exchange(input, observers).map_or(Corpus::Reject, |()| Corpus::Keep)
    })
});

fn exchange(input: &mut Unstructured<'_>, observers: &mut Observers) -> Result<()> {
    let [of_whole, of_cut] = &mut observers[input.choose_index(CONFIGS.len())?];
    let lends: u8 = input.arbitrary()?;
    let Sent { mut request, mut answer } = sent(input)?;
    let (request_cut, answer_cut) = (cut(input, &request.body[0])?, cut(input, &answer.body[0])?);
    let whole = of_whole.observe(0, &request, &answer);
    (request.body, answer.body) = (request_cut, answer_cut);
    let cut = of_cut.observe(lends.into(), &request, &answer);
    // Damaged compressed data is decoded further in some chunks than in others, and so is what grows too much.
    let noted = |told: &Told, note: &str| told.metrics.keys().any(|name| name.contains(note));
    if [EXPANSION_LIMIT, UNDECODABLE_BODY].iter().any(|note| noted(&whole, note) || noted(&cut, note)) {
        return Ok(());
    }
    assert_eq!(cut.metrics, whole.metrics);
    assert_eq!(cut.fields, whole.fields);
    Ok(())
}
