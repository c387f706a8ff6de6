//! Where redaction changed a request.

use std::collections::BTreeSet;
use tollgate_otlp::TextSet;
use tollgate_semconv::attribute::TOLLGATE_REDACTION_PREFIX;

/// What redaction changed in a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// The places of texts that were changed, by name: `span.attributes.user.email`. A key that was changed has the name of
    /// what holds it: `span.attributes`.
    places: BTreeSet<String>,
    /// Whether counts of findings were written.
    counts: bool,
}

impl Changed {
    /// Adds the places of some rows.
    pub(super) fn add(&mut self, texts: &TextSet, rows: impl Iterator<Item = u32>) {
        for row in rows {
            let name = texts.name(row);
            if !self.places.contains(name) {
                self.places.insert(name.to_owned());
            }
        }
    }

    /// Notes that counts were written.
    pub(super) fn add_counts(&mut self) {
        self.counts = true;
    }

    /// Whether none of the names that are read of a span, as [`Reads`](tollgate_otlp::Reads) has them, reads what was
    /// changed.
    pub fn spares<'n>(&self, mut names: impl Iterator<Item = &'n str>) -> bool {
        let reads = |name: &str| {
            let counts = self.counts && name.starts_with(TOLLGATE_REDACTION_PREFIX);
            counts || self.places.iter().any(|place| is_read(place, name))
        };
        (self.places.is_empty() && !self.counts) || !names.any(reads)
    }
}

/// Whether a name reads what stands at a place.
fn is_read(place: &str, name: &str) -> bool {
    let attribute = |owner: &str, key: &str| match place.strip_prefix(owner) {
        // Keys.
        Some("") => true,
        Some(rest) => rest.strip_prefix('.').is_some_and(|changed| match key.strip_suffix('*') {
            Some(family) => changed.starts_with(family),
            None => changed == key,
        }),
        None => false,
    };
    match name {
        "span:name" => place == "span.name",
        "span:traceState" => place == "span.trace_state",
        "scope:name" => place == "scope.name",
        _ if name.starts_with("span:") => false,
        _ => match name.strip_prefix("resource:") {
            Some(key) => attribute("resource.attributes", key),
            None => attribute("span.attributes", name),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_its_own_place_and_is_unsure_of_changed_keys() {
        for (place, name, read) in [
            ("span.attributes.user.id", "user.id", true),
            ("span.attributes.user.id", "user", false),
            ("span.attributes.user.id", "user.*", true),
            ("span.attributes.user.id", "resource:user.id", false),
            ("span.attributes", "user.id", true),
            ("resource.attributes.team", "resource:team", true),
            ("resource.attributes", "resource:team", true),
            ("resource.attributes.team", "team", false),
            ("span.name", "span:name", true),
            ("span.name", "span:duration", false),
            ("span.name", "name", false),
            ("span.trace_state", "span:traceState", true),
            ("scope.name", "scope:name", true),
            ("event.attributes.user.id", "user.id", false),
            ("span.status.message", "span:status", false),
        ] {
            assert_eq!(is_read(place, name), read, "{place} {name}");
            let changed = Changed { places: BTreeSet::from([place.to_owned()]), counts: false };
            assert_eq!(changed.spares(["span:kind", name].into_iter()), !read, "{place} {name}");
        }
        let counts = Changed { places: BTreeSet::new(), counts: true };
        assert!(counts.spares(["user.id"].into_iter()));
        assert!(!counts.spares(["tollgate.redaction.count"].into_iter()));
        assert!(Changed::default().spares(["user.id", "tollgate.redaction.count"].into_iter()));
    }
}
