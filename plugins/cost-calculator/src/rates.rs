//! The rates in force for one call: by time, by how it was served, by how much was read, and by what was agreed.

use crate::cost::Tier;
use crate::data::rate::{Factor, Rate};
use crate::data::table::{Model, Price, Tables, Validity};
use crate::data::unit::Unit;
use crate::overlay::Agreed;
use crate::served::Served;
use crate::unpriced::Unpriced;

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
    /// A bit for each unit that has a rate.
    listed: u32,
    /// What the rates for tokens are multiplied with, because of how the call was served.
    scale: Factor,
    agreed: Agreed<'a>,
    pub(crate) tier: Tier<'a>,
}

impl<'a> Rates<'a> {
    /// `served` says nothing where the row is of another provider than the one that served: its special prices are not
    /// this provider's. `None` where no price of the row was in force yet and `strict` says that another row has to
    /// tell; else the first holds for the time before it, too.
    pub(crate) fn in_force(
        tables: &'a Tables,
        model: &Model,
        at_unix_seconds: i64,
        served: Served<'_>,
        input_tokens: u64,
        strict: bool,
    ) -> Option<Self> {
        let mut rates = Self {
            all: &tables.rates,
            by_unit: [NONE; Unit::COUNT],
            listed: 0,
            scale: Factor::ONE,
            agreed: Agreed::default(),
            tier: Tier::default(),
        };
        let standard = model.standard.of(&tables.prices);
        let active = standard.iter().rev().find(|price| in_force(price.validity, at_unix_seconds));
        let active = active.or(if strict { None } else { standard.first() });
        if let Some(price) = active {
            rates.apply(tables, price, input_tokens, 0);
        } else if strict {
            return None;
        }
        if !served.is_unknown() {
            rates.as_served(tables, model, at_unix_seconds, served, input_tokens);
        }
        Some(rates)
    }

    fn as_served(&mut self, tables: &'a Tables, model: &Model, at: i64, served: Served<'_>, input_tokens: u64) {
        let mut named = 0_u32;
        for price in model.variants.of(&tables.prices) {
            if in_force(price.validity, at) && served_so(tables, price, served) {
                let before = named;
                named = self.apply(tables, price, input_tokens, named);
                if named != before && self.tier.served.is_none() {
                    let condition = price.when.of(&tables.conditions).first();
                    self.tier.served = condition.map(|condition| tables.text(condition.value));
                }
            }
        }
        for scale in model.scales.of(&tables.scales) {
            let value = tables.text(scale.when.value);
            if served.is(tables.text(scale.when.key), value)
                && let Some(scaled) = self.scale.and(scale.factor)
            {
                self.scale = scaled;
                self.tier.scaled = Some(value);
            }
        }
    }

    /// The same rates, as the user has agreed them with the provider.
    pub(crate) fn agreed_as(self, agreed: Agreed<'a>) -> Self {
        Self { agreed, ..self }
    }

    pub(crate) fn has(&self, unit: Unit) -> bool {
        self.listed & bit(unit) != 0
    }

    /// Whether any token has a rate.
    pub(crate) const fn prices_tokens(&self) -> bool {
        self.listed & TOKENS != 0
    }

    /// The rate of a unit as the row lists it.
    fn listed(&self, unit: Unit) -> Option<Rate> {
        self.all.get(usize::from(*self.by_unit.get(unit as usize)?)).copied()
    }

    /// The rate of a unit, after all factors.
    pub(crate) fn get(&self, unit: Unit) -> Result<Rate, Unpriced> {
        let listed = self.listed(unit).ok_or(Unpriced::NoRate)?;
        if self.agreed.is_empty() && self.scale == Factor::ONE {
            return Ok(listed);
        }
        let scale = if unit.is_token() { self.scale } else { Factor::ONE };
        let factor = self.agreed.factor(unit).and_then(|agreed| agreed.and(scale)).ok_or(Unpriced::Overflow)?;
        factor.of(listed).ok_or(Unpriced::Overflow)
    }

    /// Takes over the price's rates but for the units in `named`, and gives `named` with those it added.
    fn apply(&mut self, tables: &Tables, price: &Price, input_tokens: u64, named: u32) -> u32 {
        let mut added = 0;
        for quote in price.quotes.of(&tables.quotes) {
            let bit = bit(quote.unit);
            if named & bit != 0 || (quote.over > 0 && input_tokens <= u64::from(quote.over)) {
                continue;
            }
            added |= bit;
            self.tier.over = self.tier.over.max(quote.over);
            if let Some(slot) = self.by_unit.get_mut(quote.unit as usize) {
                *slot = quote.rate;
            }
        }
        self.listed |= added;
        named | added
    }
}

const fn bit(unit: Unit) -> u32 {
    1 << unit as u32
}

/// A bit for each unit that counts tokens.
#[expect(clippy::indexing_slicing, reason = "evaluated, and checked, while compiling")]
const TOKENS: u32 = {
    let (mut tokens, mut place) = (0, 0);
    while place < Unit::COUNT {
        if Unit::ALL[place].is_token() {
            tokens |= bit(Unit::ALL[place]);
        }
        place += 1;
    }
    tokens
};

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

/// Whether all conditions of the price hold.
fn served_so(tables: &Tables, price: &Price, served: Served<'_>) -> bool {
    let mut conditions = price.when.of(&tables.conditions).iter();
    conditions.all(|condition| served.is(tables.text(condition.key), tables.text(condition.value)))
}
