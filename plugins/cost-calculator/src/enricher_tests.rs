use super::*;
use tollgate_columns::{Attribute, Kind};

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

const START: Cell = Integer(read::START_TIME, 1_795_000_000_000_000_000);

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
        problems(r#"{"explanation": 1, "price_list": "mine"}"#),
        [
            "explanation: write true or false",
            "price_list: there is no such field; there are `explanation`, `prices`, `prices_file`, `overlay`, \
             `overlay_file`, `authority`, `tolerance`, `warning_usd`, `critical_usd`, `names`"
        ]
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
        (read::OPENAI_SERVICE_TIER, "openai.response.service_tier"),
    ] {
        assert_eq!(manifest.reads[usize::from(place)], name);
    }
}

/// Everything that is written for one span, by name, as text.
fn written(config: &str, cells: &[Cell]) -> Vec<(String, String)> {
    let enricher = Enricher::configure(config).unwrap();
    let edits = enricher.enrich(&batch(&[cells]));
    assert_eq!(edits.check(1, enricher.manifest().writes.len()), Ok(()));
    let span = edits.rows().next().unwrap();
    let value = |place| {
        let text = span.text(place).map(str::to_owned);
        text.or_else(|| span.integer(place).map(|integer| integer.to_string()))
            .or_else(|| span.real(place).map(|real| real.to_string()))
    };
    let writes = enricher.manifest().writes;
    (0..).zip(writes).filter_map(|(place, write)| Some((write.name, value(place)?))).collect()
}

fn call() -> Vec<Cell> {
    vec![
        Text(read::PROVIDER, "openai"),
        Text(read::REQUEST_MODEL, "gpt-4o"),
        Integer(read::INPUT, 100_000),
        Integer(read::CACHE_READ, 40_000),
        Integer(read::OUTPUT, 1_000),
        START,
    ]
}

fn value<'w>(written: &'w [(String, String)], name: &str) -> Option<&'w str> {
    written.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_cost_says_what_it_is_made_of() {
    let written = written("{}", &call());
    for (name, expected) in [
        ("tollgate.cost.nano_usd", Some("210000000")),
        ("tollgate.cost.source", Some("local")),
        ("tollgate.cost.parts", Some("40000 cache_read at 1.25, 60000 input at 2.5, 1000 output at 10")),
        ("tollgate.cost.level", Some("warning")),
        ("tollgate.savings.cache_read_nano_usd", Some("50000000")),
        ("tollgate.savings.cache_write_nano_usd", None),
        ("tollgate.cost.computed_nano_usd", None),
        ("tollgate.cost.disagrees", None),
    ] {
        assert_eq!(value(&written, name), expected, "{name}");
    }
}

#[test]
fn what_the_provider_reports_counts_as_configured() {
    // what is reported and configured; amount, source, computed, whether they disagree
    for (config, reported, expected) in [
        ("{}", 210_000_000, ["210000000", "provider", "210000000", "-"]),
        ("{}", 300_000_000, ["300000000", "provider", "210000000", "1"]),
        (r#"{"authority": "local"}"#, 300_000_000, ["210000000", "local", "-", "1"]),
        (r#"{"tolerance": 0.5}"#, 300_000_000, ["300000000", "provider", "210000000", "-"]),
    ] {
        let mut cells = call();
        cells.push(Integer(read::PROVIDER_COST, reported));
        let written = written(config, &cells);
        let names = ["nano_usd", "source", "computed_nano_usd", "disagrees"];
        let found = names.map(|name| value(&written, &format!("tollgate.cost.{name}")).unwrap_or("-"));
        assert_eq!(found, expected, "{config} {reported}");
    }
    // A model that only the provider has a price for.
    let cells = [Text(read::REQUEST_MODEL, "no-such"), Integer(read::INPUT, 1), Integer(read::PROVIDER_COST, 7), START];
    let written = written("{}", &cells);
    assert_eq!(value(&written, "tollgate.cost.nano_usd"), Some("7"));
    assert_eq!(value(&written, "tollgate.cost.price_row"), None);
    assert_eq!(value(&written, "tollgate.cost.unpriced"), None);
}

#[test]
fn other_tools_read_the_cost_under_their_own_names() {
    let config =
        r#"{"explanation": true, "names": ["llm.cost.usd", "gen_ai.usage.cost", "llm.cost.*", "gen_ai.cost.usd"]}"#;
    let written = written(config, &call());
    for (name, expected) in [
        ("gen_ai.usage.cost", Some("0.21")),
        ("llm.cost.usd", Some("0.21")),
        ("gen_ai.cost.usd", Some("0.21")),
        ("llm.cost.total", Some("0.21")),
        ("llm.cost.prompt", Some("0.2")),
        ("llm.cost.completion", Some("0.01")),
        ("llm.cost.prompt_details.input", Some("0.15")),
        ("llm.cost.prompt_details.cache_read", Some("0.05")),
        ("llm.cost.prompt_details.cache_write", None),
        ("llm.cost.completion_details.output", Some("0.01")),
    ] {
        assert_eq!(value(&written, name), expected, "{name}");
    }
    assert!(value(&written, "tollgate.cost.explanation").is_some());
}

#[test]
fn the_way_a_call_was_served_has_its_price() {
    let served = |place, how| {
        let mut cells = call();
        cells.push(Text(place, how));
        value(&written("{}", &cells), "tollgate.cost.tier").map(str::to_owned)
    };
    assert_eq!(served(read::SERVICE_TIER, "priority").as_deref(), Some("priority"));
    assert_eq!(served(read::OPENAI_SERVICE_TIER, "priority").as_deref(), Some("priority"));
    assert_eq!(served(read::SERVICE_TIER, "default").as_deref(), Some("base"));
}

#[test]
fn what_is_no_tokens_is_priced() {
    let cells = [
        Text(read::PROVIDER, "openai"),
        Text(read::OPERATION, "chat"),
        Text(read::REQUEST_MODEL, "whisper-1"),
        Integer(read::OTHER_UNITS + 1, 90),
        START,
    ];
    let written = written("{}", &cells);
    assert_eq!(value(&written, "tollgate.cost.parts"), Some("90 audio_input_time at 0.36"));
    assert_eq!(value(&written, "tollgate.cost.nano_usd"), Some("9000000"), "0.6 cents a minute");
    // Two searches of the web beside the tokens, at $10 a thousand.
    let mut cells = call();
    cells.push(Integer(read::SERVER_TOOLS, 2));
    let searched = self::written("{}", &cells);
    assert_eq!(value(&searched, "tollgate.cost.nano_usd"), Some("230000000"));
    assert!(value(&searched, "tollgate.cost.parts").unwrap().ends_with("2 web_search at 10"), "{searched:?}");
}

#[test]
fn an_overlay_changes_the_prices() {
    let config =
        r#"{"overlay": "overlay acme 7 2026-11-01\nadjust provider:openai -10%", "overlay_file": "acme.prices"}"#;
    let written = written(config, &call());
    assert_eq!(value(&written, "tollgate.cost.nano_usd"), Some("189000000"));
    assert!(value(&written, "tollgate.cost.price_set").unwrap().ends_with(" + acme 7 (2026-11-01)"));
}
