//! What is looked for where: types by the place of a text.

use crate::kind::{Kind, Kinds};

/// Places that hold addresses of services by their very meaning (OpenTelemetry semantic conventions: `url.*`,
/// `server.*`, `http.*` of older versions, and what instrumentations call a base address). Replacing those would say
/// nothing about people and make the telemetry useless, so there a web address is no finding. Credentials in it are.
const ADDRESSES: &[&str] = &[
    "url.full",
    "url.original",
    "url.path",
    "url.domain",
    "http.url",
    "http.target",
    "http.host",
    "rpc.service",
    "server.address",
    "peer.service",
    "net.peer.name",
    "db.connection_string",
    "gen_ai.openai.api_base",
    "llm.openai.api_base",
];

/// A place, or all that begin so, and what is looked for there.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    name: String,
    /// The name is only the beginning.
    open: bool,
    kinds: Kinds,
}

impl Place {
    /// A place by its name; `*` at the end stands for any rest.
    pub(crate) fn new(name: &str, kinds: Kinds) -> Self {
        match name.strip_suffix('*') {
            Some(head) => Self { name: head.to_owned(), open: true, kinds },
            None => Self { name: name.to_owned(), open: false, kinds },
        }
    }

    fn is(&self, place: &str) -> bool {
        if self.open { place.starts_with(&self.name) } else { place == self.name }
    }
}

/// Types by place: the first entry that fits decides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    entries: Vec<Place>,
}

impl Places {
    /// Entries of the user's; the conventions say of every other place.
    pub(crate) fn new(entries: Vec<Place>) -> Self {
        Self { entries }
    }

    /// What is looked for at a place, of all that is looked for at all.
    pub(crate) fn kinds(&self, place: &str, all: Kinds) -> Kinds {
        if let Some(entry) = self.entries.iter().find(|entry| entry.is(place)) {
            return all.both(entry.kinds);
        }
        let mut kinds = all;
        let key = place.split_once(".attributes.").map_or(place, |(_, key)| key);
        if ADDRESSES.contains(&key) || place.ends_with("schema_url") {
            kinds.remove(Kind::URL);
        }
        kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_that_fits_decides() {
        let all = Kinds::of(Kind::all());
        let places = Places::new(vec![
            Place::new("span.attributes.user.*", Kinds::NONE),
            Place::new("log.body", Kinds::of([Kind::JWT])),
        ]);
        for (place, kind, expected) in [
            ("span.attributes.user.email", Kind::EMAIL_ADDRESS, false),
            ("span.attributes.username", Kind::EMAIL_ADDRESS, true),
            ("log.body", Kind::EMAIL_ADDRESS, false),
            ("log.body", Kind::JWT, true),
            ("span.attributes.url.full", Kind::URL, false),
            ("span.attributes.url.full", Kind::EMAIL_ADDRESS, true),
            ("resource.schema_url", Kind::URL, false),
            ("span.attributes.gen_ai.input.messages", Kind::URL, true),
        ] {
            assert_eq!(places.kinds(place, all).has(kind), expected, "{place} {}", kind.name());
        }
    }
}
