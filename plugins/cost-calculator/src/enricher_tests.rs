use super::*;

enum Cell {
    Text(u16, &'static str),
    Integer(u16, i64),
    Real(u16, f64),
}
use Cell::{Integer, Real, Text};

fn batch(spans: &[&[Cell]]) -> Batch {
    let mut cells = Edits::new(u32::try_from(spans.len()).unwrap());
    for (row, span) in (0..).zip(spans) {
        for cell in *span {
            match *cell {
                Text(attribute, value) => cells.text(row, attribute, value),
                Integer(attribute, value) => cells.integer(row, attribute, value),
                Real(attribute, value) => cells.real(row, attribute, value),
            }
        }
    }
    cells.finish()
}

/// What is written for one span: the nano-dollars or the reason; `None` where nothing is.
fn priced(cells: &[Cell]) -> Option<Result<i64, String>> {
    let enricher = Enricher::configure("{}").unwrap();
    let edits = enricher.enrich(&batch(&[cells]));
    assert_eq!(edits.check(1, enricher.manifest().writes.len()), Ok(()));
    let span = edits.rows().next().unwrap();
    match (span.integer(write::NANO_USD), span.text(write::UNPRICED)) {
        (None, None) => None,
        (Some(nanos), None) => Some(Ok(nanos)),
        (None, Some(reason)) => Some(Err(reason.to_owned())),
        both => panic!("a span has both a cost and a reason for having none: {both:?}"),
    }
}

const START: Cell = Integer(read::START_TIME, 1_790_000_000_000_000_000);

#[test]
fn calls_to_a_model_are_priced_and_nothing_else_is() {
    let model = || Text(read::RESPONSE_MODEL, "gpt-4o-2024-08-06");
    let (input, output) = (|| Integer(read::INPUT, 1_000), || Integer(read::OUTPUT, 200));
    let operation = |operation| Text(read::OPERATION, operation);
    for (cells, answer) in [
        (vec![operation("chat"), model(), input(), output(), START], Some(Ok(4_500_000))),
        (vec![operation("text_completion"), model(), input(), output(), START], Some(Ok(4_500_000))),
        (vec![model(), input(), output(), START], Some(Ok(4_500_000))),
        (vec![operation("invoke_agent"), model(), input(), output(), START], None),
        (vec![operation("fetch_response"), model(), input(), output(), START], None),
        (vec![operation("handle_conversation_turn"), model(), input(), output(), START], None),
        (vec![Text(read::ROLE, "billable"), model(), input(), output(), START], Some(Ok(4_500_000))),
        (vec![Text(read::ROLE, "duplicate"), operation("chat"), model(), input(), output(), START], None),
        (vec![Text(read::ROLE, "wrapper"), model(), input(), output(), START], None),
        (vec![Text(read::ROLE, "aggregate"), operation("chat"), model(), input(), output(), START], None),
        (vec![Text(read::REQUEST_MODEL, "no-such"), input(), output(), START], Some(Err("unknown_model"))),
        (vec![model(), START], None),
        (vec![input(), START], None),
        (vec![operation("chat"), model(), START], Some(Err("missing_usage"))),
        (vec![operation("chat"), input(), output(), START], Some(Err("missing_model"))),
        (vec![operation("chat"), model(), input(), output()], Some(Err("missing_time"))),
        (vec![operation("chat"), model(), Integer(read::STATUS, 429), START], None),
        (vec![operation("chat"), model(), Text(read::ERROR, "503"), START], None),
        (vec![operation("chat"), model(), Text(read::ERROR, "timeout"), START], Some(Err("missing_usage"))),
        (vec![operation("chat"), model(), Integer(read::STATUS, 200), START], Some(Err("missing_usage"))),
        (vec![operation("chat"), model(), input(), output(), Text(read::ERROR, "500"), START], Some(Ok(4_500_000))),
        (vec![operation("chat"), model(), Integer(read::INPUT, -1), START], Some(Err("malformed_usage"))),
        (vec![operation("chat"), model(), Real(read::INPUT, 1.5), START], Some(Err("malformed_usage"))),
        (vec![operation("chat"), model(), Real(read::INPUT, f64::NAN), START], Some(Err("malformed_usage"))),
        (vec![operation("chat"), model(), Text(read::INPUT, "many"), START], Some(Err("malformed_usage"))),
        (vec![operation("chat"), model(), Real(read::INPUT, 1e3), output(), START], Some(Ok(4_500_000))),
        (vec![operation("chat"), model(), Text(read::INPUT, "1000"), output(), START], Some(Ok(4_500_000))),
        (
            vec![operation("chat"), model(), input(), Integer(read::CACHE_READ, 2_000), START],
            Some(Err("inconsistent_usage")),
        ),
        (vec![model(), input(), output(), Integer(read::KNOWN_COST, 1), START], None),
        (vec![model(), input(), output(), Text(read::KNOWN_UNPRICED, "unknown_model"), START], None),
    ] {
        assert_eq!(priced(&cells), answer.map(|answer| answer.map_err(str::to_owned)));
    }
}

#[test]
fn the_model_that_was_asked_for_counts_where_the_answers_name_is_unknown() {
    let cells = |provider| {
        [
            Text(read::PROVIDER, provider),
            Text(read::OPERATION, "chat"),
            Text(read::REQUEST_MODEL, "gpt-4o"),
            Text(read::RESPONSE_MODEL, "our-deployment"),
            Integer(read::INPUT, 1_000),
            Integer(read::OUTPUT, 200),
            START,
        ]
    };
    assert_eq!(priced(&cells("azure.ai.openai")), Some(Ok(4_500_000)));
    let both = [Text(read::REQUEST_MODEL, "our-model"), Text(read::RESPONSE_MODEL, "our-deployment")];
    let usage = [Integer(read::INPUT, 1), Integer(read::OUTPUT, 1), START];
    assert_eq!(priced(&both.into_iter().chain(usage).collect::<Vec<_>>()), Some(Err("unknown_model".to_owned())));
    assert_eq!(priced(&cells("our-gateway")), Some(Ok(4_500_000)));
}

#[test]
fn rows_of_a_batch_keep_their_place() {
    let other = [Text(read::OPERATION, "execute_tool")];
    let call = [Text(read::REQUEST_MODEL, "gpt-4o"), Integer(read::INPUT, 2), Integer(read::OUTPUT, 0), START];
    let edits = Enricher::configure("{}").unwrap().enrich(&batch(&[&other, &call, &other]));
    let nanos: Vec<_> = edits.rows().map(|span| span.integer(write::NANO_USD)).collect();
    assert_eq!(nanos, [None, Some(5_000), None]);
}

#[test]
fn the_explanation_is_written_where_it_is_asked_for() {
    let call = [Text(read::REQUEST_MODEL, "gpt-4o"), Integer(read::INPUT, 2), Integer(read::OUTPUT, 0), START];
    let enricher = Enricher::configure(r#"{"explanation": true}"#).unwrap();
    let place = usize::from(write::EXPLANATION);
    assert_eq!(enricher.manifest().writes[place], Attribute::new("tollgate.cost.explanation", Kind::Composite));
    let edits = enricher.enrich(&batch(&[&call]));
    let json: serde_json::Value =
        serde_json::from_str(edits.rows().next().unwrap().text(write::EXPLANATION).unwrap()).unwrap();
    assert_eq!(json["total"], "0.000005");
    assert_eq!(json["notes"], serde_json::json!(["by_model"]));
}

#[test]
fn every_problem_of_a_configuration_is_reported_with_its_path() {
    let problems = |json: &str| {
        let error = Enricher::configure(json).unwrap_err();
        error.problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        problems(r#"{"explanation": 1, "prices": "mine"}"#),
        ["explanation: write true or false", "prices: there is no such field; there is `explanation`"]
    );
    assert_eq!(problems("[]"), ["the configuration is a JSON object, `{}` for the defaults"]);
    assert!(problems("{")[0].starts_with("the configuration is not JSON"));
}

#[test]
fn the_manifest_names_no_attribute_that_can_hold_a_prompt() {
    let manifest = Enricher::configure("{}").unwrap().manifest();
    for name in &manifest.reads {
        assert!(
            !["messages", "prompt", "completion", "instructions", "content"].iter().any(|word| name.contains(word))
        );
    }
    for (place, name) in [
        (read::ROLE, "tollgate.call.role"),
        (read::START_TIME, "span:startTime"),
        (read::SERVICE_TIER, "openai.response.service_tier"),
    ] {
        assert_eq!(manifest.reads[usize::from(place)], name);
    }
}
