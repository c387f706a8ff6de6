//! `cargo xtask test`: everything that has to hold, in steps, with a summary at the end.

mod data;
mod results;
mod steps;

use crate::build::Layout;
use data::Data;
use results::Counts;
use std::time::{Duration, Instant};
use steps::STEPS;

/// What the steps need to know.
struct Context {
    layout: Layout,
    data: Data,
}

/// Runs the steps of those names, all where there are none.
///
/// # Errors
/// A sentence where a name is not that of a step, where needed data is absent, or where anything failed.
pub(crate) fn run(names: &[&str]) -> Result<(), String> {
    if names == ["--list"] {
        STEPS.iter().for_each(|step| println!("{:<9} {}", step.name, step.what));
        return Ok(());
    }
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        return Err(format!("there is no step `{unknown}`; cargo xtask test --list names them"));
    }
    let layout = Layout::find();
    let context = Context { data: Data::find(&layout.root)?, layout };
    println!("recorded traffic and labelled texts: {}", context.data);
    let wanted = STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name));
    let mut summary = Vec::new();
    let mut sum = Counts::default();
    let mut built = true;
    for step in wanted {
        println!("\n=== {}: {}", step.name, step.what);
        let begun = Instant::now();
        let (counts, failure) = if step.needs_build && !built {
            (Counts { passed: 0, failed: 1 }, Some("not run, because the build failed".to_owned()))
        } else {
            outcome((step.run)(&context))
        };
        built &= step.name != "build" || failure.is_none();
        println!("=== {}: {} in {}", step.name, if failure.is_none() { "ok" } else { "FAILED" }, time(begun.elapsed()));
        sum.passed += counts.passed;
        sum.failed += counts.failed;
        summary.push((step.name, begun.elapsed(), counts, failure));
    }
    println!("\n=== summary");
    for (name, elapsed, counts, failure) in &summary {
        let verdict = failure.as_deref().unwrap_or("ok");
        println!("{name:<9} {:>8}  {:>4} passed {:>3} failed  {verdict}", time(*elapsed), counts.passed, counts.failed);
    }
    println!("\n{} passed, {} failed", sum.passed, sum.failed);
    if sum.failed == 0 { Ok(()) } else { Err("not everything holds; the summary above names what does not".into()) }
}

/// Counts and failure of a step. A step that runs no test of its own counts as one, and so does a step that failed
/// without a test of it failing.
fn outcome(ran: Result<Counts, (Counts, String)>) -> (Counts, Option<String>) {
    match ran {
        Ok(Counts { passed: 0, failed: 0 }) => (Counts { passed: 1, failed: 0 }, None),
        Ok(counts) => (counts, None),
        Err((counts, why)) => (Counts { failed: counts.failed.max(1), ..counts }, Some(why)),
    }
}

fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    if seconds < 60 {
        format!("{:.1} s", elapsed.as_secs_f64())
    } else {
        format!("{} m {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_counts_at_least_once() {
        let counts = |passed, failed| Counts { passed, failed };
        assert_eq!(outcome(Ok(counts(0, 0))), (counts(1, 0), None));
        assert_eq!(outcome(Ok(counts(12, 0))), (counts(12, 0), None));
        assert_eq!(outcome(Err((counts(12, 0), "why".into()))), (counts(12, 1), Some("why".into())));
        assert_eq!(outcome(Err((counts(12, 3), "why".into()))), (counts(12, 3), Some("why".into())));
    }

    #[test]
    fn times_are_for_a_person() {
        assert_eq!(time(Duration::from_millis(1234)), "1.2 s");
        assert_eq!(time(Duration::from_secs(125)), "2 m 05 s");
    }
}
