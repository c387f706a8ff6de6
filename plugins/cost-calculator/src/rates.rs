//! The rates in force for one call: by time, by how it was served, by how much was read.

use crate::cost::Tier;
use crate::data::rate::Rate;
use crate::data::table::{Model, Price, Tables, Validity};
use crate::data::unit::Unit;

/// No rate. The tables number fewer rates than this.
const NONE: u16 = u16::MAX;
const _: () = assert!(Unit::COUNT <= 32, "sets of units are held in 32 bits");
const SECONDS_A_DAY: i64 = 86_400;

/// Rates by unit, and the tier they come from.
#[derive(Clone, Debug)]
pub(crate) struct Rates<'a> {
    all: &'a [Rate],
    /// Places in `all`, or [`NONE`].
    by_unit: [u16; Unit::COUNT],
    pub(crate) tier: Tier<'a>,
}

impl<'a> Rates<'a> {
    /// `served` is `None` where the row is of another provider than the one that served: its special prices are not
    /// this provider's.
    pub(crate) fn in_force(
        tables: &'a Tables,
        model: &Model,
        at_unix_seconds: i64,
        served: Option<&str>,
        input_tokens: u64,
    ) -> Self {
        let mut rates = Self { all: &tables.rates, by_unit: [NONE; Unit::COUNT], tier: Tier::default() };
        let standard = model.standard.of(&tables.prices);
        let active = standard.iter().rev().find(|price| in_force(price.validity, at_unix_seconds));
        if let Some(price) = active.or(standard.first()) {
            rates.apply(tables, price, input_tokens, 0);
        }
        let Some(served) = served else { return rates };
        let mut named = 0_u32;
        for price in model.variants.of(&tables.prices) {
            if in_force(price.validity, at_unix_seconds) && served_so(tables, price, served) {
                let before = named;
                named = rates.apply(tables, price, input_tokens, named);
                if named != before && rates.tier.served.is_none() {
                    let condition = price.when.of(&tables.conditions).first();
                    rates.tier.served = condition.map(|condition| tables.text(condition.value));
                }
            }
        }
        rates
    }

    pub(crate) fn get(&self, unit: Unit) -> Option<Rate> {
        self.all.get(usize::from(*self.by_unit.get(unit as usize)?)).copied()
    }

    /// Whether any token has a rate.
    pub(crate) fn prices_tokens(&self) -> bool {
        Unit::ALL.iter().any(|&unit| unit.is_token() && self.get(unit).is_some())
    }

    /// Takes over the price's rates but for the units in `named`, and gives `named` with those it added.
    fn apply(&mut self, tables: &Tables, price: &Price, input_tokens: u64, named: u32) -> u32 {
        let mut added = 0;
        for quote in price.quotes.of(&tables.quotes) {
            let bit = 1_u32 << quote.unit as u32;
            if named & bit != 0 || (quote.over > 0 && input_tokens <= u64::from(quote.over)) {
                continue;
            }
            added |= bit;
            self.tier.over = self.tier.over.max(quote.over);
            if let Some(slot) = self.by_unit.get_mut(quote.unit as usize) {
                *slot = quote.rate;
            }
        }
        named | added
    }
}

fn in_force(validity: Validity, at_unix_seconds: i64) -> bool {
    match validity {
        Validity::Always => true,
        Validity::From(day) => at_unix_seconds.div_euclid(SECONDS_A_DAY) >= i64::from(day),
        Validity::Daily(start, end) => {
            let minute = at_unix_seconds.rem_euclid(SECONDS_A_DAY) / 60;
            let (start, end) = (i64::from(start), i64::from(end));
            if end < start { minute >= start || minute < end } else { (start..end).contains(&minute) }
        }
    }
}

/// Whether all conditions of the price hold for `served`: words separated by commas or blanks, each a value of
/// `service_tier`, `processing` or `speed`, or any `key=value`.
fn served_so(tables: &Tables, price: &Price, served: &str) -> bool {
    price.when.of(&tables.conditions).iter().all(|condition| {
        let (key, value) = (tables.text(condition.key), tables.text(condition.value));
        served.split([',', ' ']).any(|word| match word.split_once('=') {
            Some((said, word)) => said.eq_ignore_ascii_case(key) && word.eq_ignore_ascii_case(value),
            None => matches!(key, "service_tier" | "processing" | "speed") && word.eq_ignore_ascii_case(value),
        })
    })
}
