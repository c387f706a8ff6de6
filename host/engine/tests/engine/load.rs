//! What is not loaded, and in which words it is refused.

use crate::common::{component, small};
use tollgate_engine::{Digest, Engine, LoadError, World};

fn refusal(source: &str) -> String {
    let bytes = wat::parse_str(source).unwrap();
    Engine::new(small()).unwrap().load(&bytes).unwrap_err().to_string()
}

#[test]
fn refusals_name_what_is_wrong() {
    let cases = [
        (
            "(module)",
            "the file is a WebAssembly module, not a component; `wasm-tools component new MODULE -o COMPONENT` makes \
             one of it",
        ),
        (
            r#"(component (import "wasi:filesystem/preopens@0.2.3" (instance)))"#,
            "the plugin imports `wasi:filesystem/preopens@0.2.3`; a plugin is given no files, network, clock or \
             anything else, so it may import nothing but the types of `tollgate:plugin`",
        ),
        (
            r#"(component (import "tollgate:plugin/secrets@0.1.0" (instance)))"#,
            "the plugin imports `tollgate:plugin/secrets@0.1.0`; a plugin is given no files, network, clock or \
             anything else, so it may import nothing but the types of `tollgate:plugin`",
        ),
        (
            r#"(component (import "log" (func)))"#,
            "the plugin imports `log`; a plugin is given no files, network, clock or anything else, so it may import \
             nothing but the types of `tollgate:plugin`",
        ),
        (
            r#"(component (instance $i) (export "tollgate:plugin/enrichment@0.3.0" (instance $i)))"#,
            "the plugin's `tollgate:plugin/enrichment` speaks 0.3.0, this host speaks 0.1.0",
        ),
        (
            r#"(component (import "tollgate:plugin/types@0.2.0" (instance)))"#,
            "the plugin's `tollgate:plugin/types` speaks 0.2.0, this host speaks 0.1.0",
        ),
        ("(component)", "the component exports no interface of a plugin (it exports nothing)"),
        (
            r#"(component (instance $i) (export "wasi:cli/run@0.2.0" (instance $i)))"#,
            "the component exports no interface of a plugin (it exports `wasi:cli/run@0.2.0`)",
        ),
    ];
    for (source, words) in cases {
        assert_eq!(refusal(source), words, "{source}");
    }
}

#[test]
fn an_import_inside_a_nested_component_is_no_import_of_the_plugin() {
    let source = r#"(component (component (import "wasi:cli/run@0.2.0" (instance))))"#;
    assert_eq!(refusal(source), "the component exports no interface of a plugin (it exports nothing)");
}

#[test]
fn an_interface_of_another_shape_is_refused() {
    let source = r#"(component (instance $i) (export "tollgate:plugin/enrichment@0.1.0" (instance $i)))"#;
    let words = refusal(source);
    assert!(words.starts_with("the plugin's interfaces are not those of the version it names: "), "{words}");
}

#[test]
fn functions_cannot_come_in_through_the_types() {
    let source = r#"(component
        (import "tollgate:plugin/types@0.1.0" (instance (export "now" (func (result u64)))))
        (instance $i) (export "tollgate:plugin/enrichment@0.1.0" (instance $i)))"#;
    let words = refusal(source);
    assert!(words.starts_with("the plugin's interfaces are not those of the version it names: "), "{words}");
}

#[test]
fn what_is_not_webassembly_is_refused() {
    let engine = Engine::new(small()).unwrap();
    for bytes in [b"".as_slice(), b"\0", b"\0asm", b"plugins: []", &[0xff; 100]] {
        let error = engine.load(bytes).unwrap_err();
        assert!(matches!(error, LoadError::NotWebAssembly), "{bytes:?}: {error}");
    }
}

#[test]
fn a_file_over_the_limit_is_refused_unread() {
    let engine = Engine::new(tollgate_engine::EngineConfig { component_bytes: 3, ..small() }).unwrap();
    assert_eq!(engine.load(b"1234").unwrap_err().to_string(), "the file has 4 bytes; a plugin may have at most 3");
}

#[test]
fn a_pin_that_does_not_fit_is_told_before_anything_is_read() {
    let engine = Engine::new(small()).unwrap();
    let pinned = Digest::of(b"the file that was meant");
    let error = engine.load_pinned(b"not even WebAssembly", pinned).unwrap_err();
    let found = Digest::of(b"not even WebAssembly");
    assert_eq!(error.to_string(), format!("the file's digest is {found}, but the configuration pins {pinned}"));
}

#[test]
fn a_description_says_what_the_file_is() {
    let Some(bytes) = component("plugins/cost_calculator.wasm") else { return };
    let plugin = Engine::new(small()).unwrap().load_pinned(&bytes, Digest::of(&bytes)).unwrap();
    let description = plugin.describe();
    assert_eq!(description.worlds, [World::Enricher]);
    assert_eq!(description.version, "0.1.0");
    assert_eq!(description.size, bytes.len());
    assert_eq!(description.sha256, Digest::of(&bytes));
    for import in &description.imports {
        assert!(
            ["tollgate:plugin/types@0.1.0", "tollgate:plugin/columns@0.1.0"].contains(&import.as_str()),
            "{import}"
        );
    }
    let error = plugin.redactor("{}").unwrap_err();
    assert_eq!(error.to_string(), "the plugin is not a redactor; it is an enricher");
}

#[test]
fn no_flipped_byte_and_no_cut_harms_the_host() {
    let Some(bytes) = component("tests/hostile.wasm") else { return };
    let engine = Engine::new(small()).unwrap();
    let pinned = Digest::of(&bytes);
    let step = bytes.len() / 41;
    for at in (0..bytes.len()).step_by(step) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x40;
        assert!(matches!(engine.load_pinned(&flipped, pinned), Err(LoadError::Digest { .. })), "byte {at}");
        // Without a pin a flipped byte may still be a valid component; whatever it is, it is contained.
        if let Ok(mut enricher) = engine.load(&flipped).map(|plugin| plugin.enricher("{}"))
            && let Ok(enricher) = &mut enricher
        {
            let _ = enricher.enrich(crate::common::batch("x"));
        }
        assert!(engine.load(&bytes[..at]).is_err(), "cut at {at}");
    }
}
