//! Whatever the proxy does, the filter does not panic and does not grow; and where no rewriting is on, it never holds
//! and never changes anything.
#![allow(clippy::indexing_slicing, reason = "a test that fails says where")]

use proptest::prelude::*;
use tollgate_envoy_model::chaos::{
    BUDGET_BYTES, CHUNKS, DETAILS, HEADER_NAMES, HEADER_VALUES, OBSERVING, QUEUE_BYTES, SERIES, Step, configurations,
};
use tollgate_envoy_model::{Model, ROOT};
use tollgate_filter::filter::Filter;
use tollgate_filter::proxy::Flow;

/// Few ids, so that callbacks meet: two roots, streams of both, and one that nobody created.
fn id() -> impl Strategy<Value = u32> {
    1..6u32
}

fn words(words: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => proptest::sample::select(words).prop_map(|word| word.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let values = words(HEADER_VALUES);
    proptest::collection::vec((proptest::sample::select(HEADER_NAMES).prop_map(str::to_owned), values), 0..9)
}

fn chunk() -> impl Strategy<Value = Vec<u8>> {
    let model = "[a-z]{1,3}".prop_map(|model| format!("{{\"model\":\"{model}\",\"messages\":[]}}").into_bytes());
    prop_oneof![
        2 => model,
        3 => words(CHUNKS),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let said = prop_oneof![3 => Just(usize::MAX), 1 => 0..50usize];
    let said2 = prop_oneof![3 => Just(usize::MAX), 1 => 0..50usize];
    let details = words(DETAILS);
    prop_oneof![
        3 => (id(), 0..3u32).prop_map(|(id, root)| Step::Create { id, root }),
        4 => (id(), headers(), prop::bool::weighted(0.1))
            .prop_map(|(id, headers, end)| Step::RequestHeaders { id, headers, end }),
        4 => (id(), chunk(), said, any::<bool>())
            .prop_map(|(id, chunk, said, end)| Step::RequestBody { id, chunk, said, end }),
        4 => (id(), headers(), any::<bool>()).prop_map(|(id, headers, end)| Step::ResponseHeaders { id, headers, end }),
        6 => (id(), chunk(), said2, any::<bool>())
            .prop_map(|(id, chunk, said, end)| Step::ResponseBody { id, chunk, said, end }),
        1 => id().prop_map(|id| Step::RequestTrailers { id }),
        1 => id().prop_map(|id| Step::ResponseTrailers { id }),
        4 => (id(), proptest::option::of(details)).prop_map(|(id, details)| Step::Log { id, details }),
        1 => id().prop_map(|id| Step::Delete { id }),
        2 => id().prop_map(|root| Step::Tick { root }),
        2 => (id(), 0..4u32, proptest::option::of(words(&["200", "503", "400"])), words(&["1", "0"]), words(&["\n\u{2}\u{8}\u{1}"]))
            .prop_map(|(root, token, status, wait, body)| Step::Answered { root, token, status, wait, body }),
        1 => any::<u16>().prop_map(Step::Refuse),
        1 => any::<u64>().prop_map(Step::Clock),
    ]
}

proptest! {
    #[test]
    fn any_callbacks_in_any_order(which in 0..configurations().len(), steps in proptest::collection::vec(step(), 0..120)) {
        let (model, mut filter) = (Model::default(), Filter::default());
        prop_assert!(model.configure(&mut filter, &configurations()[which]), "{:?}", model.log_lines());
        for step in steps {
            let flow = step.take(&model, &mut filter);
            prop_assert!(which >= OBSERVING || (flow, model.changes()) == (Flow::Continue, 0));
            prop_assert!(filter.held_bytes() <= QUEUE_BYTES);
            prop_assert!(filter.open_streams() <= 5);
            prop_assert!(model.shared.borrow().values().map(|(value, _)| value.len()).sum::<usize>() <= BUDGET_BYTES);
        }
        // Models that come from outside get no more series than were allowed, and `other`.
        let names = model.metric_names();
        let models: std::collections::BTreeSet<_> = names
            .iter()
            .filter_map(|name| name.split(';').find(|label| label.starts_with("model=") && *label != "model=other"))
            .collect();
        prop_assert!(models.len() <= SERIES, "{models:?}");
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        prop_assert_eq!(distinct.len(), names.len(), "a metric was declared twice");
    }

    #[test]
    fn any_bytes_as_configuration(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = tollgate_filter::config::Config::parse(&bytes);
    }

    #[test]
    fn any_traceparent(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = tollgate_filter::trace_context::Parent::parse(&bytes);
        let _ = tollgate_filter::trace_context::trace_state(&bytes);
    }
}

#[test]
fn contexts_that_nobody_created_are_ignored() {
    let (model, mut filter) = (Model::default(), Filter::default());
    for id in [0, ROOT, 7, u32::MAX] {
        filter.request_headers(&model, id, false);
        filter.request_body(&model, id, 5, true);
        filter.request_trailers(&model, id);
        filter.response_headers(&model, id, true);
        filter.response_body(&model, id, 5, true);
        filter.response_trailers(&model, id);
        filter.log(&model, id);
        filter.tick(&model, id);
        filter.call_answered(&model, id, id, true);
        filter.delete(&model, id);
    }
    assert_eq!(model.metric_names(), Vec::<String>::new());
}
