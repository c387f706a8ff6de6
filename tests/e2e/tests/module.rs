//! What the module asks of the proxy: these calls and no others, so that its reach can be read off it.

use std::collections::BTreeSet;
use std::fs;
use tollgate_e2e::build_output;
use wasmparser::{Parser, Payload};

const CALLS: [&str; 19] = [
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_value",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_effective_context",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

#[test]
fn the_module_imports_nineteen_calls() {
    let Some(file) = build_output("filter/tollgate_filter.wasm") else { return };
    let module = fs::read(file).unwrap();
    let mut imports = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&module) {
        if let Payload::ImportSection(section) = payload.unwrap() {
            imports.extend(section.into_imports().map(|import| {
                let import = import.unwrap();
                format!("{}.{}", import.module, import.name)
            }));
        }
    }
    let expected: BTreeSet<_> = CALLS.iter().map(|call| format!("env.{call}")).collect();
    assert_eq!(imports, expected);
}
