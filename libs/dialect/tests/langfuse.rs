//! What the `langfuse` preset makes of a request, read with the models of the PyPI package `langfuse`.
//!
//! `TOLLGATE_LANGFUSE` names the folder that the package is installed in; `cargo xtask test` installs it and sets that.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::path::Path;
use std::process::Command;

/// Reads the request as the API's own model does, and checks each attribute of Langfuse against the package's constants:
/// its name, and for those whose value is JSON what is in it.
const CHECK: &str = r#"
import json, sys
from datetime import datetime
from langfuse.api.core.pydantic_utilities import parse_obj_as
from langfuse.api.opentelemetry.types.otel_resource_span import OtelResourceSpan
from langfuse._client.attributes import LangfuseOtelSpanAttributes as Known
from langfuse._client.constants import ObservationTypeLiteral, get_observation_types_list
import typing
body = json.load(sys.stdin)
resources = [parse_obj_as(OtelResourceSpan, resource) for resource in body["resourceSpans"]]
known = {value for name, value in vars(Known).items() if isinstance(value, str) and not name.startswith("_")}
types = set(get_observation_types_list(ObservationTypeLiteral))
numbers = lambda text: all(isinstance(value, (int, float)) and value >= 0 for value in json.loads(text).values())
checks = {
    Known.OBSERVATION_TYPE: lambda text: text in types,
    Known.OBSERVATION_USAGE_DETAILS: numbers,
    Known.OBSERVATION_COST_DETAILS: numbers,
    Known.OBSERVATION_MODEL_PARAMETERS: lambda text: isinstance(json.loads(text), dict),
    Known.OBSERVATION_COMPLETION_START_TIME: lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo,
}
seen = set()
spans = 0
for resource in resources:
    for scope in resource.scope_spans:
        for span in scope.spans:
            spans += 1
            for attribute in span.attributes:
                key = attribute.key
                if not key.startswith("langfuse."):
                    continue
                name = key if not key.startswith(Known.OBSERVATION_METADATA + ".") else Known.OBSERVATION_METADATA
                assert name in known, f"{key} is no attribute of Langfuse"
                assert attribute.value.string_value is not None, f"{key} is no text"
                assert checks.get(name, bool)(attribute.value.string_value), f"{key}: {attribute.value.string_value}"
                seen.add(name)
print(json.dumps([spans, sorted(set(checks) - seen)]))
"#;

#[test]
fn the_package_of_langfuse_reads_what_is_sent() {
    let required = std::env::var_os("TOLLGATE_REQUIRE_DATA").is_some_and(|value| value == "1");
    let Some(packages) = std::env::var_os("TOLLGATE_LANGFUSE") else {
        assert!(!required, "TOLLGATE_LANGFUSE is not set; run `cargo xtask test`");
        eprintln!("SKIPPED: TOLLGATE_LANGFUSE is not set; run `cargo xtask test`");
        return;
    };
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/langfuse.json");
    let python = std::env::var_os("TOLLGATE_PYTHON").unwrap_or_else(|| "python3".into());
    let output = Command::new(python)
        .args(["-c", CHECK])
        .env("PYTHONPATH", packages)
        .stdin(std::fs::File::open(golden).unwrap())
        .output()
        .expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "[8, []]", "all spans, and every check made");
}
