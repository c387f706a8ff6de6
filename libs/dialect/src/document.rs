//! The tables as a page of documentation.

use crate::presets::Preset;
use crate::rule::{Action, Keep, Others, Rule};
use std::fmt::Write as _;

const HEAD: &str = "# Dialects

<!-- Written by `TOLLGATE_WRITE_DOCS=1 cargo test -p tollgate-dialect --test document` from the tables in
libs/dialect/src/presets. Change those, not this page. -->

Tollgate speaks the current GenAI conventions of OpenTelemetry. Backends know older names, or names of their own, and count
wrongly where they meet others. An output has a `dialect`, which is one of the presets below, with what you change of it:

```yaml
outputs:
  otlp_http/phoenix:
    endpoint: http://127.0.0.1:6006
    dialect: openinference
  otlp_http/other:
    endpoint: https://otlp.example.com
    dialect:
      preset: otel-1.36
      rename: {app.tier: tier}
      copy: {gen_ai.usage.input_tokens: gen_ai.usage.prompt_tokens}
      drop: [gen_ai.prompt]
```

Rules are applied in the order of their table, to spans; logs and metrics are sent as they are.

- A rule that writes a name which the span has already is not applied: what the emitter wrote stays.
- A value that cannot be converted (text that is not JSON, a value of another type) stays as it is, and is counted in
  `tollgate_output_unconverted_total`. A list is flattened into 2,000 attributes at most; of a longer one the source stays too,
  and it is counted there.
- What no rule treats goes as it came, byte for byte.
- Your own `rename`, `copy` and `drop` see what the preset leaves, and win over it: what stands under the new name already is
  replaced. A name that you rename or copy is not taken out by the preset before. Drops come last.
- *Calls that count* are spans whose `tollgate.call.role` is `billable`; where there is none, those whose operation is a call
  to a model, or whose `openinference.span.kind` is; and spans that say neither.
";

/// The page `docs/DIALECTS.md`.
#[must_use]
pub fn document() -> String {
    let mut page = HEAD.to_owned();
    for preset in Preset::ALL {
        // Writing to a string does not fail.
        let _ = write!(page, "\n## `{}`\n\n{}\n", preset.name(), preset.about());
        if preset.rules().is_empty() {
            continue;
        }
        page.push_str("\n| from | to | how | the source | spans | why |\n|---|---|---|---|---|---|\n");
        preset.rules().iter().for_each(|rule| row(&mut page, rule));
        let tables = preset.rules().iter().filter_map(values).collect::<String>();
        page.push_str(&tables);
    }
    page
}

fn row(page: &mut String, rule: &Rule) {
    let code = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
    let joined = match rule.action {
        Action::Same | Action::Values(..) => ", else ",
        _ => ", ",
    };
    let from = code(rule.from).join(joined);
    let to = match (rule.action, rule.to.ends_with('.')) {
        (Action::Drop, _) => "nothing".to_owned(),
        (_, true) => format!("`{}<i>...`", rule.to),
        (_, false) => format!("`{}`", rule.to),
    };
    let how = match rule.action {
        Action::Same => "as it is".to_owned(),
        Action::Values(_, Others::Same) => "by the values below; others as they are".to_owned(),
        Action::Values(_, Others::Unwritten) => "by the values below; nothing for others".to_owned(),
        Action::Convert(conversion) => conversion.to_string(),
        Action::Drop => "taken out".to_owned(),
    };
    let source = match (rule.action, rule.keep) {
        (Action::Drop, _) | (_, Keep::Go) => "goes".to_owned(),
        (_, Keep::Stay) => "stays".to_owned(),
        (_, Keep::Without(patterns)) => format!("{} go", code(patterns).join(", ")),
    };
    let _ = writeln!(page, "| {from} | {to} | {how} | {source} | {} | {} |", rule.when, rule.why);
}

/// The values of a rule that has some.
fn values(rule: &Rule) -> Option<String> {
    let Action::Values(table, _) = rule.action else { return None };
    let mut text = format!("\nValues of `{}`:\n\n| from | to |\n|---|---|\n", rule.to);
    for (from, to) in table {
        let _ = writeln!(text, "| `{from}` | `{to}` |");
    }
    Some(text)
}
