//! How the metrics of the process are declared: each once, with its field, its name, and its help, which is its comment.

use std::hash::{BuildHasher, Hasher, RandomState};
use tollgate_metering::{Counter, Described, Family, Gauge, Level, Registry, Sum};

/// Labels whose values are words of this program or its configuration. Values of all others come from outside.
const CLOSED: &[&str] =
    &["kind", "level", "plugin", "stage", "output", "rule", "verdict", "outcome", "action", "place", "use", "receiver"];

/// What can be declared.
pub(super) trait Register {
    /// Puts it on the page.
    fn register(registry: &Registry, described: Described) -> Self;
}

impl Register for Counter {
    fn register(registry: &Registry, described: Described) -> Self {
        registry.one_counter(described)
    }
}

impl Register for Gauge {
    fn register(registry: &Registry, described: Described) -> Self {
        registry.one_gauge(described)
    }
}

impl Register for Family<Sum> {
    fn register(registry: &Registry, described: Described) -> Self {
        registry.counter(described)
    }
}

impl Register for Family<Level> {
    fn register(registry: &Registry, described: Described) -> Self {
        registry.gauge(described)
    }
}

/// A metric whose help is the comment of its field.
pub(super) fn register<M: Register>(registry: &Registry, name: &'static str, comment: &str) -> M {
    let unit = if name.ends_with("_bytes") { "By" } else { "" };
    M::register(registry, Described::new(name, comment.trim()).unit(unit).closed(CLOSED))
}

/// Declares the metrics: `/// Help.`, `field: type = "name on pages without the suffix of its kind";`.
macro_rules! metrics {
    ($($(#[doc = $help:literal])+ $field:ident: $type:ty = $name:literal;)+) => {
        /// All metrics of the process. Cheap to clone; clones count into the same place.
        #[derive(Clone, Debug)]
        pub struct Metrics {
            registry: Arc<Registry>,
            /// Metrics of calls to models and of operations of agents.
            pub calls: Arc<Calls>,
            $($(#[doc = $help])+ pub $field: $type,)+
        }

        impl Metrics {
            fn register(registry: Arc<Registry>, calls: Arc<Calls>) -> Self {
                Self {
                    $($field: register::register(&registry, $name, concat!($($help),+)),)+
                    calls,
                    registry,
                }
            }
        }
    };
}
pub(super) use metrics;

/// What the process says of itself: what the configuration says, and what it does not.
pub(super) fn resource(configured: &[(String, String)]) -> Vec<(String, String)> {
    let own = [
        ("service.name", "tollgate".to_owned()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", instance()),
    ];
    let is_configured = |name: &str| configured.iter().any(|(other, _)| other == name);
    let own = own.into_iter().filter(|(name, _)| !is_configured(name));
    own.map(|(name, value)| (name.to_owned(), value)).chain(configured.iter().cloned()).collect()
}

/// A random UUID of version 4, as the conventions recommend for `service.instance.id`.
fn instance() -> String {
    let random = || RandomState::new().build_hasher().finish();
    let (high, low) = (random(), random());
    let high = (high & !0xf000) | 0x4000;
    let low = (low & !(0b11 << 62)) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_has_an_id_of_its_own_in_the_form_of_a_uuid() {
        let (a, b) = (instance(), instance());
        assert_ne!(a, b);
        let lengths: Vec<_> = a.split('-').map(str::len).collect();
        assert_eq!((lengths, &a[14..15]), (vec![8, 4, 4, 4, 12], "4"), "{a}");
        assert!(matches!(&a[19..20], "8" | "9" | "a" | "b"), "{a}");
    }

    #[test]
    fn what_the_configuration_says_of_the_process_goes_before() {
        let said = resource(&[("service.name".to_owned(), "eu".to_owned()), ("team".to_owned(), "x".to_owned())]);
        let names: Vec<_> = said.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["service.version", "service.instance.id", "service.name", "team"]);
    }
}
