//! Finding the row for a call.
//!
//! 1. The provider: by our aliases, then by id, then by the rules on names in the order of the set. Without a
//!    provider (none named, a name that says nothing, or one that is not in the set) the first provider whose rules
//!    claim the model, in the order of the set.
//! 2. The model: the provider's first row that matches, in the order of the set; then the rows of the providers it
//!    falls back to, in their order; then both again with compact dates (`-20251211`) written with dashes.
//! 3. A prefix: where that finds nothing and the model is `PREFIX/REST` with a prefix that names a provider, REST is
//!    looked up there. Where the call names a provider of the set, only its own name counts as such a prefix:
//!    `mistralai/mixtral` at another provider is not billed by Mistral.

use crate::data::alias;
use crate::data::clause::letter_pairs;
use crate::data::table::{self, Model, Span, Tables};
use crate::name::{Name, Room};
use crate::unpriced::Unpriced;
use std::cell::OnceCell;

/// A row that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) model: &'a Model,
    /// Whether the row is of the provider that served the call, not of one that it falls back to.
    pub(crate) own: bool,
    /// Whether the model's name alone led here.
    pub(crate) by_model: bool,
}

/// A name that is looked for.
#[derive(Clone, Debug)]
struct Wanted<'n> {
    bytes: &'n [u8],
    /// Its letter pairs, once a rule asks for them.
    pairs: OnceCell<u64>,
}

impl<'n> Wanted<'n> {
    fn new(bytes: &'n [u8]) -> Self {
        Self { bytes, pairs: OnceCell::new() }
    }

    fn pairs(&self) -> u64 {
        *self.pairs.get_or_init(|| letter_pairs(self.bytes))
    }
}

/// The row for `model` at `provider`.
pub(crate) fn find<'a>(tables: &'a Tables, provider: Option<&str>, model: &str) -> Result<Found<'a>, Unpriced> {
    if model.is_empty() {
        return Err(Unpriced::MissingModel);
    }
    let (mut room, mut provider_room) = (Room::new(), Room::new());
    let name = Name::new(model, &mut room).ok_or(Unpriced::UnknownModel)?;
    let wanted = Wanted::new(name.as_bytes());
    let named = match provider.map(|provider| Name::new(provider, &mut provider_room)) {
        None => None,
        Some(None) => return Err(Unpriced::UnknownProvider),
        Some(Some(provider)) if alias::says_nothing(provider.as_bytes()) => None,
        Some(Some(provider)) => Some(provider),
    };
    if let Some(number) = named.as_ref().and_then(|named| provider_named(tables, named.as_bytes())) {
        return at_provider(tables, number, &wanted)
            .or_else(|| with_prefix(tables, name, Some(number)))
            .ok_or_else(|| unknown_model(tables, number));
    }
    let unknown = if named.is_some() { Unpriced::UnknownProvider } else { Unpriced::UnknownModel };
    let claimed = (0_u16..).zip(tables.providers.iter()).find(|(_, p)| claims(tables, p.serves, &wanted));
    claimed
        .and_then(|(number, _)| at_provider(tables, number, &wanted))
        .or_else(|| with_prefix(tables, name, None))
        .map(|found| Found { by_model: true, ..found })
        .ok_or_else(|| {
            let prefix = name.split_prefix().and_then(|(prefix, _)| provider_named(tables, prefix));
            let mut asked = claimed.map(|(number, _)| number).into_iter().chain(prefix);
            let is_left_out = asked.any(|number| unknown_model(tables, number) == Unpriced::LeftOut);
            if is_left_out { Unpriced::LeftOut } else { unknown }
        })
}

/// The row for `model` at `provider` in tables that know some models only: what they do not name is not theirs.
pub(crate) fn find_only<'a>(tables: &'a Tables, provider: Option<&str>, model: &str) -> Option<Found<'a>> {
    let (mut room, mut provider_room) = (Room::new(), Room::new());
    let name = Name::new(model, &mut room)?;
    let wanted = Wanted::new(name.as_bytes());
    let number = match provider.filter(|provider| !alias::says_nothing(provider.as_bytes())) {
        Some(provider) => provider_named(tables, Name::new(provider, &mut provider_room)?.as_bytes())?,
        None => {
            let mut numbered = (0_u16..).zip(tables.providers.iter());
            numbered.find(|(_, provider)| claims(tables, provider.serves, &wanted))?.0
        }
    };
    let found = at_provider(tables, number, &wanted)?;
    Some(Found { by_model: provider.is_none(), ..found })
}

fn provider_named(tables: &Tables, name: &[u8]) -> Option<u16> {
    whole_name(tables, &tables.provider_names, name).or_else(|| {
        let wanted = Wanted::new(name);
        let mut numbered = (0_u16..).zip(tables.providers.iter());
        numbered.find(|(_, provider)| claims(tables, provider.named, &wanted)).map(|(number, _)| number)
    })
}

fn with_prefix<'a>(tables: &'a Tables, name: Name<'_>, only: Option<u16>) -> Option<Found<'a>> {
    let (prefix, rest) = name.split_prefix()?;
    let number = provider_named(tables, prefix)?;
    if only.is_some_and(|only| only != number) {
        return None;
    }
    at_provider(tables, number, &Wanted::new(rest))
}

fn at_provider<'a>(tables: &'a Tables, number: u16, name: &Wanted<'_>) -> Option<Found<'a>> {
    let provider = tables.providers.get(usize::from(number))?;
    own_or_fallback(tables, provider, name).or_else(|| {
        let mut room = Room::new();
        let dashed = Name::with_dashed_dates(name.bytes, &mut room)?;
        own_or_fallback(tables, provider, &Wanted::new(dashed.as_bytes()))
    })
}

fn own_or_fallback<'a>(tables: &'a Tables, provider: &table::Provider, name: &Wanted<'_>) -> Option<Found<'a>> {
    if let Some(model) = row(tables, provider, name) {
        return Some(Found { model, own: true, by_model: false });
    }
    let others = provider.fallback.of(&tables.fallbacks).iter();
    others
        .filter_map(|&number| tables.providers.get(usize::from(number)))
        .find_map(|other| row(tables, other, name))
        .map(|model| Found { model, own: false, by_model: false })
}

/// The provider's first row that matches: whole names are looked up, the other rules are tried up to that row.
fn row<'a>(tables: &'a Tables, provider: &table::Provider, name: &Wanted<'_>) -> Option<&'a Model> {
    let whole = whole_name(tables, provider.exact.of(&tables.exact), name.bytes);
    let rules = provider.rules.of(&tables.rules);
    if rules.is_empty() {
        return tables.models.get(usize::from(whole?));
    }
    let (before, lacks) = (whole.unwrap_or(u16::MAX), !name.pairs());
    let ruled = rules
        .iter()
        .take_while(|rule| rule.model < before)
        .find(|rule| rule.pairs & lacks == 0 && passes(tables, rule, name.bytes));
    tables.models.get(usize::from(ruled.map(|rule| rule.model).or(whole)?))
}

/// Why a provider has no row for a model.
fn unknown_model(tables: &Tables, number: u16) -> Unpriced {
    let provider = |number: u16| tables.providers.get(usize::from(number));
    let has_no_models = |number: u16| provider(number).is_some_and(|one| one.exact.count == 0 && one.rules.count == 0);
    let fallback = provider(number).map(|one| one.fallback.of(&tables.fallbacks)).unwrap_or_default();
    if has_no_models(number) || fallback.iter().any(|&number| has_no_models(number)) {
        Unpriced::LeftOut
    } else {
        Unpriced::UnknownModel
    }
}

/// What a name that is matched whole leads to.
fn whole_name(tables: &Tables, names: &[table::Exact], name: &[u8]) -> Option<u16> {
    let hash = table::hash(name);
    let first = names.partition_point(|exact| exact.hash < hash);
    let mut same = names.get(first..)?.iter().take_while(|exact| exact.hash == hash);
    same.find(|exact| tables.bytes(exact.name) == name).map(|exact| exact.leads_to)
}

fn claims(tables: &Tables, rules: Span, name: &Wanted<'_>) -> bool {
    rules.of(&tables.rules).iter().any(|rule| rule.pairs & !name.pairs() == 0 && passes(tables, rule, name.bytes))
}

fn passes(tables: &Tables, rule: &table::Rule, name: &[u8]) -> bool {
    let passes = |clause: &table::Clause| clause.test.passes(tables.bytes(clause.text), name) != clause.negated;
    rule.clauses.of(&tables.clauses).iter().all(passes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PriceSet;

    #[test]
    fn aliases_lead_to_providers_of_the_set() {
        let set = PriceSet::builtin();
        for (name, id) in
            [("azure.ai.openai", "azure"), ("gcp.vertex_ai", "google"), ("aws.bedrock", "aws"), ("xai", "x-ai")]
        {
            let found = provider_named(set.tables(), name.as_bytes());
            let found = found.and_then(|number| set.providers().nth(usize::from(number)));
            assert_eq!(found, Some(id), "{name}");
        }
        let ids: Vec<_> = set.providers().collect();
        for (number, id) in (0..).zip(&ids) {
            assert_eq!(provider_named(set.tables(), id.as_bytes()), Some(number), "{id}");
        }
        assert!(alias::all().all(|(_, id)| ids.contains(&id)));
        assert!(alias::all().is_sorted_by(|one, other| one.0 < other.0));
    }
}
