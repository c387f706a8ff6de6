//! Every way in which the hostile plugin misbehaves is stopped, counted, and over with the next call.

use crate::common::{batch, hostile_with, mode, small};
use std::time::Duration;
use tollgate_columns::{Given, Malformed, Problem};
use tollgate_engine::{CallError, ConfigureError, Counts, EngineConfig, Enricher};

/// How a call failed, without the details.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Failure {
    Trapped,
    Deadline,
    Memory,
    Refused,
    Unreadable,
    Malformed(&'static str),
}

fn failure(error: &CallError) -> Failure {
    match error {
        CallError::Trapped { .. } => Failure::Trapped,
        CallError::Deadline { .. } => Failure::Deadline,
        CallError::Memory { .. } => Failure::Memory,
        CallError::Refused(_) => Failure::Refused,
        CallError::Unreadable { .. } => Failure::Unreadable,
        CallError::Malformed(Malformed { what, .. }) => Failure::Malformed(what),
        CallError::Unavailable { why } => panic!("no instance: {why}"),
    }
}

fn counted(failure: Failure) -> Counts {
    let calls = Counts { calls: 2, instances: 2, ..Counts::default() };
    match failure {
        Failure::Trapped => Counts { traps: 2, ..calls },
        Failure::Deadline => Counts { deadlines: 2, ..calls },
        Failure::Memory => Counts { memory_denials: 2, ..calls },
        Failure::Refused => Counts { refused: 2, instances: 1, ..calls },
        Failure::Unreadable | Failure::Malformed(_) => Counts { malformed: 2, ..calls },
    }
}

#[test]
fn each_misbehaviour_is_stopped_and_counted() {
    let Some(plugin) = hostile_with(small()) else { return };
    let cases = [
        ("trap", Failure::Trapped),
        ("recurse", Failure::Trapped),
        ("loop", Failure::Deadline),
        ("fill", Failure::Deadline),
        ("grow", Failure::Memory),
        ("refuse", Failure::Refused),
        ("refuse at length", Failure::Refused),
        ("huge output", Failure::Unreadable),
        ("attribute outside the manifest", Failure::Malformed("attribute number is not in the manifest")),
        ("text for an integer", Failure::Malformed("values are not of the kind that the manifest declares")),
        ("real for a text", Failure::Malformed("values are not of the kind that the manifest declares")),
        ("column twice", Failure::Malformed("there are two columns for one attribute")),
        ("rows not ascending", Failure::Malformed("rows are not strictly ascending")),
        ("row past the end", Failure::Malformed("a row is past the end of the batch")),
        ("offsets broken", Failure::Malformed("offsets do not describe the data")),
        ("not utf-8", Failure::Malformed("text is not UTF-8")),
        ("rows without values", Failure::Malformed("rows and values differ in number")),
        ("wrong number of items", Failure::Malformed("the number of items differs from the batch that was given")),
    ];
    for (name, expected) in cases {
        let mut enricher = plugin.enricher(&mode(name)).unwrap();
        for _ in 0..2 {
            let error = enricher.enrich(batch("x")).unwrap_err();
            assert_eq!(failure(&error), expected, "{name}: {error}");
        }
        assert_eq!(enricher.counters().read(), counted(expected), "{name}");
    }
}

fn calls_of_instance(enricher: &mut Enricher) -> Result<i64, CallError> {
    enricher.enrich(batch("x")).map(|edits| edits.integers[0].values[0])
}

#[test]
fn the_call_after_a_trap_gets_a_fresh_instance() {
    let Some(plugin) = hostile_with(small()) else { return };
    let mut enricher = plugin.enricher(&mode("trap on second call")).unwrap();
    assert_eq!(calls_of_instance(&mut enricher).unwrap(), 1);
    assert!(matches!(calls_of_instance(&mut enricher), Err(CallError::Trapped { .. })));
    assert_eq!(calls_of_instance(&mut enricher).unwrap(), 1);
    let counts = enricher.counters().read();
    assert_eq!(counts, Counts { calls: 3, traps: 1, instances: 2, ..Counts::default() });
}

#[test]
fn an_instance_serves_so_many_calls_and_no_more() {
    let Some(plugin) = hostile_with(EngineConfig { calls_per_instance: 3, ..small() }) else { return };
    let mut enricher = plugin.enricher(&mode("polite")).unwrap();
    let calls: Vec<_> = (0..7).map(|_| calls_of_instance(&mut enricher).unwrap()).collect();
    assert_eq!(calls, [1, 2, 3, 1, 2, 3, 1]);
    assert_eq!(enricher.counters().read().instances, 3);
}

#[test]
fn an_instance_that_took_much_memory_for_a_call_is_replaced() {
    let Some(plugin) = hostile_with(EngineConfig { spare_bytes: 1 << 20, ..small() }) else { return };
    let mut enricher = plugin.enricher(&mode("polite")).unwrap();
    assert_eq!(calls_of_instance(&mut enricher).unwrap(), 1);
    enricher.enrich(batch(&"x".repeat(2 << 20))).unwrap();
    assert_eq!(calls_of_instance(&mut enricher).unwrap(), 1);
    assert_eq!(calls_of_instance(&mut enricher).unwrap(), 2);
    assert_eq!(enricher.counters().read().instances, 2);
}

#[test]
fn words_of_a_plugin_are_cut_and_cannot_steer_a_terminal() {
    let Some(plugin) = hostile_with(small()) else { return };
    let error = plugin.enricher(&mode("refuse")).unwrap().enrich(batch("x")).unwrap_err();
    assert_eq!(error.to_string(), "the plugin refused: today is \\u{1b}[31ma holiday");
    let error = plugin.enricher(&mode("refuse at length")).unwrap().enrich(batch("x")).unwrap_err();
    assert!(error.to_string().len() < 1100);
}

#[test]
fn what_goes_wrong_in_configure_is_told() {
    let Some(plugin) = hostile_with(EngineConfig { configure_deadline: Duration::from_millis(200), ..small() }) else {
        return;
    };
    let open = |name: &str| plugin.enricher(&mode(name)).unwrap_err();
    assert!(matches!(open("trap in configure"), ConfigureError::Stopped(CallError::Trapped { .. })));
    assert!(matches!(open("loop in configure"), ConfigureError::Stopped(CallError::Deadline { .. })));
    // Growing to the limit may take longer than that on a busy machine.
    let Some(patient) = hostile_with(small()) else { return };
    let grown = patient.enricher(&mode("grow in configure")).unwrap_err();
    assert!(matches!(grown, ConfigureError::Stopped(CallError::Memory { .. })), "{grown}");
    let problem = |path: &str, message: &str| Problem { path: path.into(), message: message.into() };
    match open("config error") {
        ConfigureError::Refused(error) => {
            assert_eq!(error.problems, [problem("rules[2].ratio", "must be at most 1"), problem("", "no table given")])
        }
        error => panic!("{error}"),
    }
    for (name, why) in [
        ("one attribute twice", "`word` is twice in its list of written attributes"),
        ("write a span field", "`span:name` cannot be written; only span attributes can"),
        ("no name", "a name in its name is empty"),
    ] {
        assert_eq!(open(name).to_string(), format!("the plugin's manifest breaks the rules: {why}"));
    }
}

#[test]
fn the_pool_has_a_limit_and_says_so() {
    let Some(plugin) = hostile_with(EngineConfig { instances: 2, ..small() }) else { return };
    let held: Vec<_> = (0..2).map(|_| plugin.enricher(&mode("polite")).unwrap()).collect();
    let error = plugin.enricher(&mode("polite")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "while the plugin was configured: no instance of the plugin can be made: all 2 instances that the engine may \
         have are in use"
    );
    drop(held);
    assert!(plugin.enricher(&mode("polite")).is_ok());
}

#[test]
fn a_secret_is_gone_with_its_instance() {
    // One slot in the pool, so that the second tenant gets the memory that the first one had.
    // It keeps its instance, however much it takes.
    let spare_bytes = usize::MAX;
    let config = EngineConfig { instances: 1, deadline: Duration::from_secs(20), spare_bytes, ..small() };
    let Some(plugin) = hostile_with(config) else { return };
    let secret = "4111-canary-of-tenant-a";
    let pattern: String = secret.bytes().map(|byte| char::from(byte ^ 1)).collect();
    let config = format!("{{\"mode\": \"canary\", \"pattern\": \"{pattern}\"}}");
    let sightings = |enricher: &mut Enricher, text: &str| {
        enricher.enrich(batch(text)).map(|edits| edits.integers[0].values[0]).unwrap()
    };
    let mut first = plugin.enricher(&config).unwrap();
    assert!(sightings(&mut first, secret) > 0, "the search finds what is there");
    assert!(sightings(&mut first, "harmless") > 0, "an instance may keep what it saw");
    drop(first);
    let mut second = plugin.enricher(&config).unwrap();
    assert_eq!(sightings(&mut second, "harmless"), 0);
}

#[test]
fn a_redactor_sees_places_and_groups_and_says_what_it_skipped() {
    let Some(plugin) = hostile_with(small()) else { return };
    let mut redactor = plugin.redactor(&mode("places and groups")).unwrap();
    let mut given = Given { names: vec!["log.body".to_owned(), "span.name".to_owned()], ..Given::default() };
    given.push("a", 1, 7);
    given.push("b", 0, 0);
    let redaction = redactor.redact(&given).unwrap();
    assert_eq!(redaction.changed.iter().collect::<Vec<_>>(), [(0, "span.name#7"), (1, "log.body#0")]);
    assert_eq!(redaction.skipped, [("seen_texts".to_owned(), 2)]);

    let mut redactor = plugin.redactor(&mode("reason that is no word")).unwrap();
    assert!(matches!(redactor.redact(&given), Err(CallError::Malformed(_))), "a reason can hold what it should not");
}
