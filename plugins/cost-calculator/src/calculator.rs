//! Prices, whose amount counts, and what is remarkable: what the enricher and the Envoy filter share.

use crate::charge::{Charge, Policy};
use crate::config::{Config, Levels};
use crate::money::Usd;
use crate::price_set::{Call, PriceSet};
use crate::unpriced::Unpriced;
use tollgate_columns::ConfigError;

/// A price set with an overlay, and how what the provider reports is weighed against it.
#[derive(Clone, Debug)]
pub struct Calculator {
    prices: PriceSet,
    policy: Policy,
    levels: Levels,
}

impl Calculator {
    /// Reads the configuration of [`Enricher::configure`](crate::Enricher::configure), of which `names` and `explanation`
    /// are for spans alone; `prices` is the set where it names none.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub fn configure(json: &str, prices: &PriceSet) -> Result<Self, ConfigError> {
        Ok(Self::new(&mut Config::parse(json)?, prices))
    }

    pub(crate) fn new(config: &mut Config, prices: &PriceSet) -> Self {
        let prices = config.prices.take().unwrap_or_else(|| prices.clone());
        let prices = match config.overlay.take() {
            Some(overlay) => prices.with_overlay(overlay),
            None => prices,
        };
        Self { prices, policy: config.policy, levels: config.levels }
    }

    /// The prices.
    #[must_use]
    pub fn prices(&self) -> &PriceSet {
        &self.prices
    }

    /// What a call cost: as the provider reports it in `call.usage`, and as it is computed by the model that answered,
    /// else by the one that was `asked` for.
    ///
    /// # Errors
    /// Why there is no cost.
    pub fn charge(&self, call: &Call<'_>, asked: Option<&str>) -> Result<Charge<'_>, Unpriced> {
        self.policy.charge(self.prices.price_or_as_asked(call, asked), call.usage.provider_cost_nano_usd)
    }

    /// What a call cost of which only the provider can say it.
    pub(crate) fn without_price(&self, reason: Unpriced, reported: Option<u64>) -> Result<Charge<'_>, Unpriced> {
        self.policy.charge(Err(reason), reported)
    }

    /// The level that the amount of a single call reaches: see [`cost_level`](tollgate_semconv::cost_level).
    #[must_use]
    pub fn level(&self, amount: Usd) -> Option<&'static str> {
        self.levels.of(amount)
    }
}
