//! The store beside a list that is searched and summed by brute force.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;
use support::{NOW, SECOND, folder, ids, request};
use tollgate_otlp::{SpanWriter, StatusCode};
use tollgate_store::{Call, Filter, GroupKey, KeyValue, Latency, Options, Store, Sums};

/// A span as the tests think of it.
#[derive(Clone, Debug)]
struct Given {
    trace: u64,
    span: u64,
    parent: bool,
    seconds_ago: u64,
    duration: Option<u64>,
    operation: Option<&'static str>,
    role: Option<&'static str>,
    request_model: Option<&'static str>,
    response_model: Option<&'static str>,
    provider: Option<&'static str>,
    service: &'static str,
    user: Option<&'static str>,
    session: Option<&'static str>,
    error: Option<&'static str>,
    failed: bool,
    nano_usd: Option<i64>,
    input: Option<u64>,
    output: Option<u64>,
    first_chunk_ms: Option<u32>,
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    of(prop::sample::select(words))
}

prop_compose! {
    fn given()(
        (trace, span, parent, seconds_ago) in (0_u64..12, 0_u64..6, any::<bool>(), 0_u64..3_000),
        duration in of(0_u64..10_000_000_000),
        operation in one_of(&["chat", "embeddings", "invoke_agent", "execute_tool"]),
        role in weighted(0.2, prop::sample::select(&["billable", "duplicate", "aggregate"][..])),
        (request_model, response_model) in (one_of(&["gpt-4o", "claude"]), one_of(&["gpt-4o", "claude-4-5"])),
        (provider, service) in (one_of(&["openai", "anthropic"]), prop::sample::select(&["shop", "desk"][..])),
        (user, session) in (one_of(&["ada", "bob"]), one_of(&["s1", "s2", "s3"])),
        (error, failed) in (weighted(0.2, prop::sample::select(&["timeout", "429"][..])), prop::bool::weighted(0.1)),
        nano_usd in of(prop_oneof![0_i64..1_000_000, Just(i64::MAX), Just(-1)]),
        (input, output) in (of(0_u64..100_000), of(prop_oneof![0_u64..1_000, Just(1_u64 << 53), Just(1 << 54)])),
        first_chunk_ms in of(0_u32..5_000),
    ) -> Given {
        Given {
            trace, span, parent, seconds_ago, duration, operation, role, request_model, response_model, provider, service,
            user, session, error, failed, nano_usd, input, output, first_chunk_ms,
        }
    }
}

impl Given {
    fn ended(&self) -> u64 {
        NOW - self.seconds_ago * SECOND
    }

    fn writer(&self) -> SpanWriter {
        let (trace_id, span_id) = ids(self.trace, self.span);
        let name = format!("{} {}", self.operation.unwrap_or("GET"), self.request_model.unwrap_or("/"));
        let mut span = SpanWriter::new(trace_id, span_id, &name);
        if self.parent {
            span.parent([7; 8]);
        }
        span.times(self.duration.map_or(0, |duration| self.ended() - duration), self.ended());
        for (key, value) in [
            ("gen_ai.operation.name", self.operation),
            ("tollgate.call.role", self.role),
            ("gen_ai.request.model", self.request_model),
            ("gen_ai.response.model", self.response_model),
            ("gen_ai.provider.name", self.provider),
            ("user.id", self.user),
            ("gen_ai.conversation.id", self.session),
            ("error.type", self.error),
        ] {
            if let Some(value) = value {
                span.set(key, value);
            }
        }
        if self.failed {
            span.status(StatusCode::Error, "failed");
        }
        if let Some(nanos) = self.nano_usd {
            span.set("tollgate.cost.nano_usd", nanos);
        }
        for (key, value) in [("gen_ai.usage.input_tokens", self.input), ("gen_ai.usage.output_tokens", self.output)] {
            if let Some(value) = value {
                span.set(key, value);
            }
        }
        if let Some(millis) = self.first_chunk_ms {
            span.set("gen_ai.response.time_to_first_chunk", f64::from(millis) / 1e3);
        }
        span
    }

    /// What the store is to know of it, by the rules of docs/SEMANTICS.md.
    fn call(&self) -> Option<Call> {
        let billable = match self.role {
            Some(role) => role == "billable",
            None => matches!(self.operation, Some("chat" | "embeddings")),
        };
        let (trace_id, span_id) = ids(self.trace, self.span);
        let text = |text: Option<&str>| text.map(str::to_owned);
        billable.then(|| Call {
            time: self.ended(),
            trace_id,
            span_id,
            parent: self.parent.then_some([7; 8]),
            name: format!("{} {}", self.operation.unwrap_or("GET"), self.request_model.unwrap_or("/")),
            service: Some(self.service.to_owned()),
            operation: text(self.operation),
            provider: text(self.provider),
            request_model: text(self.request_model),
            response_model: text(self.response_model),
            tokens: [self.input, self.output.filter(|count| *count <= 1 << 53), None, None, None],
            usage_source: None,
            nano_usd: self.nano_usd.and_then(|nanos| u64::try_from(nanos).ok()),
            cost_source: None,
            unpriced: None,
            duration: self.duration,
            first_chunk: self.first_chunk_ms.map(|millis| u64::from(millis) * 1_000_000),
            finish: None,
            error_type: text(self.error.or(self.failed.then_some("_OTHER"))),
            status: self.failed.then(|| "error".to_owned()),
            user: text(self.user),
            session: text(self.session),
            role: text(self.role),
            truncated: false,
        })
    }
}

prop_compose! {
    fn filter()(
        (since, until) in (weighted(0.4, 0_u64..3_000), weighted(0.4, 0_u64..3_000)),
        model in weighted(0.3, prop::sample::select(&["gpt-4o", "claude", "claude-4-5", "none"][..])),
        provider in weighted(0.3, prop::sample::select(&["openai", "anthropic"][..])),
        service in weighted(0.3, prop::sample::select(&["shop", "desk"][..])),
        operation in weighted(0.3, prop::sample::select(&["chat", "embeddings"][..])),
        text in weighted(0.3, prop::sample::select(&["GPT", "chat ", "/", "_"][..])),
        (user, session) in (weighted(0.3, prop::sample::select(&["ada", "bob"][..])), weighted(0.3, Just("s1"))),
        trace in weighted(0.2, 0_u64..12),
        failed in weighted(0.3, any::<bool>()),
        error_type in weighted(0.2, prop::sample::select(&["timeout", "_OTHER"][..])),
        min_cost in weighted(0.3, 0_u64..1_000_000),
    ) -> Filter {
        let text_of = |text: Option<&str>| text.map(str::to_owned);
        let ago = |seconds: Option<u64>| seconds.map(|seconds| NOW - seconds * SECOND);
        Filter {
            since: ago(since), until: ago(until), model: text_of(model), provider: text_of(provider),
            service: text_of(service), operation: text_of(operation), text: text_of(text), user: text_of(user),
            session: text_of(session), trace_id: trace.map(|trace| ids(trace, 0).0), failed,
            error_type: text_of(error_type), min_cost,
        }
    }
}

fn passes(filter: &Filter, call: &Call) -> bool {
    let same = |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
    filter.since.is_none_or(|since| call.time >= since)
        && filter.until.is_none_or(|until| call.time < until)
        && (filter.model.is_none() || [&call.request_model, &call.response_model].contains(&&filter.model))
        && same(&filter.provider, &call.provider)
        && same(&filter.service, &call.service)
        && same(&filter.operation, &call.operation)
        && filter.text.as_ref().is_none_or(|text| call.name.to_lowercase().contains(&text.to_lowercase()))
        && same(&filter.user, &call.user)
        && same(&filter.session, &call.session)
        && filter.trace_id.is_none_or(|trace_id| call.trace_id == trace_id)
        && filter.failed.is_none_or(|failed| call.error_type.is_some() == failed)
        && same(&filter.error_type, &call.error_type)
        && filter.min_cost.is_none_or(|least| call.nano_usd.is_some_and(|nanos| nanos >= least))
}

fn sums<'c>(calls: impl IntoIterator<Item = &'c Call>) -> Sums {
    let mut sums = Sums::default();
    for call in calls {
        sums.calls += 1;
        sums.priced += u64::from(call.nano_usd.is_some());
        sums.failed += u64::from(call.error_type.is_some());
        sums.nano_usd += u128::from(call.nano_usd.unwrap_or(0));
        for (sum, tokens) in sums.tokens.iter_mut().zip(call.tokens) {
            *sum += u128::from(tokens.unwrap_or(0));
        }
    }
    sums
}

fn value(key: GroupKey, call: &Call) -> KeyValue {
    let minute = 60 * SECOND;
    let text = |text: &Option<String>| text.clone().map_or(KeyValue::Unset, KeyValue::Text);
    match key {
        GroupKey::Model => text(&call.request_model.clone().or_else(|| call.response_model.clone())),
        GroupKey::Provider => text(&call.provider),
        GroupKey::Service => text(&call.service),
        GroupKey::User => text(&call.user),
        GroupKey::Session => text(&call.session),
        GroupKey::Day => KeyValue::Time(call.time / (1_440 * minute) * 1_440 * minute),
        GroupKey::Hour => KeyValue::Time(call.time / (60 * minute) * 60 * minute),
        GroupKey::Minute => KeyValue::Time(call.time / minute * minute),
    }
}

/// The smallest time that at least so many of a hundred do not exceed.
fn percentile(times: &[u64], percent: usize) -> u64 {
    let enough = |time: &&u64| times.iter().filter(|other| other <= time).count() * 100 >= percent * times.len();
    times.iter().filter(enough).min().copied().unwrap_or(0)
}

fn latency(times: &[u64]) -> Latency {
    Latency {
        calls: times.len() as u64,
        p50: percentile(times, 50),
        p95: percentile(times, 95),
        p99: percentile(times, 99),
    }
}

/// Everything that can be asked, against the list of what is there in the order of arrival.
fn check(store: &Store, there: &[Given], filter: &Filter, keys: &[GroupKey], limit: usize) {
    let calls: Vec<Call> = there.iter().filter_map(Given::call).collect();
    let mut wanted: Vec<(usize, &Call)> = calls.iter().enumerate().filter(|(_, call)| passes(filter, call)).collect();
    wanted.sort_by_key(|(place, call)| std::cmp::Reverse((call.time, *place)));
    let wanted: Vec<&Call> = wanted.into_iter().map(|(_, call)| call).collect();

    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.calls(filter, after, limit).unwrap();
        assert!(page.calls.len() <= limit && (page.next.is_none() || page.calls.len() == limit));
        found.extend(page.calls);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found.iter().collect::<Vec<_>>(), wanted);

    let mut groups: BTreeMap<Vec<KeyValue>, Vec<&Call>> = BTreeMap::new();
    for call in &wanted {
        groups.entry(keys.iter().map(|key| value(*key, call)).collect()).or_default().push(call);
    }
    let cost = store.cost(filter, keys, 1_000).unwrap();
    assert_eq!(cost.totals, sums(wanted.iter().copied()));
    assert_eq!((cost.other, cost.other_groups), (Sums::default(), 0));
    let found: BTreeMap<_, _> = cost.groups.iter().map(|group| (group.values.clone(), group.sums)).collect();
    assert_eq!(found, groups.iter().map(|(values, calls)| (values.clone(), sums(calls.iter().copied()))).collect());
    assert_eq!(cost.groups.len(), found.len());
    let top = store.cost(filter, keys, 2).unwrap();
    let shown = top.groups.iter().map(|group| group.sums.nano_usd).sum::<u128>() + top.other.nano_usd;
    assert_eq!((top.groups.len(), shown), (groups.len().min(2), top.totals.nano_usd));
    assert_eq!(top.other_groups, groups.len().saturating_sub(2) as u64);

    let live = store.live(filter).unwrap();
    let times = |of: fn(&Call) -> Option<u64>| wanted.iter().filter_map(|call| of(call)).collect::<Vec<_>>();
    assert_eq!(live.totals, sums(wanted.iter().copied()));
    assert_eq!(live.duration, latency(&times(|call| call.duration)));
    assert_eq!(live.first_chunk, latency(&times(|call| call.first_chunk)));
    for model in &live.models {
        let of: Vec<_> = wanted.iter().filter(|call| call.model() == model.model.as_deref()).copied().collect();
        assert_eq!(model.sums, sums(of.iter().copied()));
        assert_eq!(model.duration, latency(&of.iter().filter_map(|call| call.duration).collect::<Vec<_>>()));
    }
    assert_eq!(live.models.iter().map(|model| model.sums.calls).sum::<u64>(), wanted.len() as u64);

    for trace in 0..12 {
        let of: Vec<_> = there.iter().filter(|given| given.trace == trace).collect();
        let found = store.trace(ids(trace, 0).0).unwrap();
        assert_eq!(found.as_ref().map_or(0, |trace| trace.spans), of.len());
        let Some(found) = found else { continue };
        let spans = tollgate_otlp::TraceRequest::scan(&found.request, &tollgate_otlp::Limits::default()).unwrap();
        let mut found: Vec<_> = spans.spans().map(|span| (span.span_id(), span.bytes().to_vec())).collect();
        let mut sent: Vec<_> = of.iter().map(|given| (ids(0, given.span).1, given.writer().bytes().to_vec())).collect();
        found.sort();
        sent.sort();
        assert_eq!(found, sent);
        for span in spans.spans() {
            let given = of.iter().find(|given| ids(0, given.span).1 == span.span_id()).unwrap();
            assert_eq!(span.resource().get("service.name").and_then(|value| value.as_text()), Some(given.service));
        }
    }
}

/// Adds what is not there yet, as the store is to.
fn add(there: &mut Vec<Given>, batch: &[Given]) -> (u64, u64) {
    let (mut stored, mut duplicates) = (0, 0);
    for given in batch {
        if there.iter().any(|other| (other.trace, other.span) == (given.trace, given.span)) {
            duplicates += 1;
        } else {
            stored += 1;
            there.push(given.clone());
        }
    }
    (stored, duplicates)
}

fn batches() -> impl Strategy<Value = Vec<Vec<Given>>> {
    vec(vec(given(), 1..12), 1..6)
}

fn keys() -> impl Strategy<Value = Vec<GroupKey>> {
    vec(prop::sample::select(GroupKey::ALL.map(|(_, key)| key).to_vec()), 0..3)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_what_a_list_answers(
        batches in batches(), filters in vec(filter(), 1..4), keys in keys(), limit in 1_usize..9, reopen in any::<bool>(),
    ) {
        let (_folder, options) = folder(8 << 20);
        let mut store = Store::open(options.clone(), NOW).unwrap();
        let mut there = Vec::new();
        for batch in &batches {
            // A request has one service; the order of arrival is that of the spans, service by service.
            for service in ["shop", "desk"] {
                let of: Vec<_> = batch.iter().filter(|given| given.service == service).cloned().collect();
                let spans: Vec<_> = of.iter().map(Given::writer).collect();
                let inserted = store.insert(NOW, &request(service, &spans)).unwrap();
                prop_assert_eq!((inserted.stored, inserted.duplicates), add(&mut there, &of));
            }
            if reopen {
                drop(store);
                store = Store::open(options.clone(), NOW).unwrap();
            }
            for filter in filters.iter().chain([&Filter::default()]) {
                check(&store, &there, filter, &keys, limit);
            }
        }
    }

    /// What goes for its age is the oldest by arrival, and what stays is answered as if nothing else had been.
    #[test]
    fn what_is_too_old_is_as_if_it_had_never_been(
        batches in batches(), filter in filter(), keys in keys(), minutes in vec(1_u64..40, 6),
    ) {
        let (_folder, options) = folder(8 << 20);
        let store = Store::open(Options { max_age: Duration::from_secs(3_600), ..options }, NOW).unwrap();
        let (mut there, mut now) = (Vec::<(u64, Vec<Given>)>::new(), NOW);
        for (batch, minutes) in batches.iter().zip(minutes) {
            now += minutes * 60 * SECOND;
            there.retain(|(received, _)| *received >= now - 3_600 * SECOND);
            store.tick(now).unwrap();
            for service in ["shop", "desk"] {
                let of: Vec<_> = batch.iter().filter(|given| given.service == service).cloned().collect();
                let mut all: Vec<Given> = there.iter().flat_map(|(_, givens)| givens.clone()).collect();
                let before = all.len();
                let spans: Vec<_> = of.iter().map(Given::writer).collect();
                store.insert(now, &request(service, &spans)).unwrap();
                add(&mut all, &of);
                there.push((now, all.split_off(before)));
            }
            let all: Vec<Given> = there.iter().flat_map(|(_, givens)| givens.clone()).collect();
            check(&store, &all, &filter, &keys, 5);
        }
    }
}
