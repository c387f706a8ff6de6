//! The module as an access logger of Envoy: it sees no bodies there, so it says nothing, and does no harm.

use tollgate_e2e::chat::{ANSWER, PATH, REQUEST};
use tollgate_e2e::{Answer, Envoy, Settings, Upstream, build_output, client};

#[test]
fn as_an_access_logger_the_module_loads_and_counts_nothing() {
    let upstream = Upstream::start(|_| Answer::json(ANSWER));
    let Some(module) = build_output("filter/tollgate_filter.wasm") else { return };
    // In a module of its own, and in that of the filter.
    let logger = |id: &str| {
        format!(
            r#"
- name: envoy.access_loggers.wasm
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.access_loggers.wasm.v3.WasmAccessLog
    config:
      name: logger
      root_id: logger
      vm_config:
        vm_id: {id}
        runtime: envoy.wasm.runtime.v8
        code: {{ local: {{ filename: "{}" }} }}"#,
            module.display()
        )
    };
    let loggers = logger("alone") + &logger("tollgate");
    for filtered in [true, false] {
        let mut settings = Settings::new(upstream.port()).access_loggers(loggers.trim_start());
        if !filtered {
            settings = settings.without_filter();
        }
        let Some(envoy) = Envoy::start(&settings) else { return };
        for _ in 0..3 {
            let response = client::post(envoy.port(), PATH, REQUEST);
            assert_eq!((response.status, response.body.as_slice()), (200, ANSWER.as_bytes()));
        }
        assert_eq!(envoy.access_log(3).len(), 3);
        let calls = if filtered { 3 } else { 0 };
        assert_eq!(envoy.wait_count("calls", calls), calls);
        assert_eq!((envoy.count("calls"), envoy.count("skipped")), (calls, 0), "{:?}", envoy.metrics());
        assert!(!envoy.log().contains("Function"), "{}", envoy.log());
    }
}
