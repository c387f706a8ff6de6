//! Budgets of tokens and dollars for each consumer, where they are switched on.
//!
//! A consumer is who a header of the request names. What its calls take is added up, at their end, in windows of time
//! that begin at whole multiples of their length since 1970. A call that comes when a budget of the window is used up is
//! refused, here with an answer of status 429, or by Envoy's rate-limit filters, which find the name of the budget in
//! filter state. What calls under way will take is not known, so budgets can be passed by those.
//!
//! # Across workers
//! Every worker has a module of its own. The sums are in the proxy's shared data, which all of them have, in a fixed
//! number of values that are changed by compare and swap: see [`ledger`].

mod ledger;
mod options;

use ledger::{Ledger, Spent, Unkept};
pub(crate) use options::options;
pub use options::{Limit, Options, Unit};

use crate::proxy::{Headers, Proxy};
use serde_json::json;
use std::hash::{DefaultHasher, Hasher};

/// Filter state with the name of a budget that is used up.
const STATE: &str = "tollgate.budget";

/// Filter state with the seconds until it begins anew.
const STATE_RESET: &str = "tollgate.budget_resets_s";

/// Budgets at work.
pub(crate) struct Budgets {
    options: Options,
    ledger: Ledger,
}

/// What a call that has ended took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    /// Input and output, of the usage that there is.
    pub(crate) tokens: u64,
    /// Billionths of a US dollar.
    pub(crate) nano_usd: u64,
}

/// A budget that is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UsedUp {
    /// Its name.
    pub(crate) name: String,
    /// Whether the call was answered here, and does not go on.
    pub(crate) answered: bool,
}

impl Budgets {
    /// Budgets, and room for their sums.
    pub(crate) fn new(proxy: &impl Proxy, options: Options) -> Self {
        let ledger = Ledger::new(proxy, &options);
        Self { options, ledger }
    }

    /// Who a request is of. Requests that do not say have one budget together.
    pub(crate) fn consumer(&self, proxy: &impl Proxy) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(&proxy.header(Headers::Request, &self.options.key_header).unwrap_or_default());
        hasher.finish()
    }

    /// Looks whether a budget of a consumer is used up, at nanoseconds since 1970. Sets filter state, and answers the
    /// call where that is wanted.
    pub(crate) fn check(&self, proxy: &impl Proxy, consumer: u64, now: u64) -> Option<UsedUp> {
        let now = now / 1_000_000_000;
        let spent = self.ledger.spent(proxy, consumer, now);
        // Of several that are used up, the one that lasts longest says when it is worth while to come again.
        let used_up = self.options.limits.iter().zip(spent).filter(|(limit, spent)| spent.amount >= limit.most);
        let (limit, spent) = used_up.max_by_key(|(_, spent)| spent.resets_at)?;
        let resets_in = spent.resets_at.saturating_sub(now);
        let _ = proxy.set_state(STATE, limit.name.as_bytes());
        let _ = proxy.set_state(STATE_RESET, resets_in.to_string().as_bytes());
        if self.options.refuse {
            self.answer(proxy, limit, spent, resets_in);
        }
        Some(UsedUp { name: limit.name.clone(), answered: self.options.refuse })
    }

    /// Adds what a call took.
    ///
    /// # Errors
    /// Why that could not be kept.
    pub(crate) fn spend(&self, proxy: &impl Proxy, consumer: u64, now: u64, took: Took) -> Result<(), Unkept> {
        let amounts = self.options.limits.iter().map(|limit| match limit.unit {
            Unit::Tokens => took.tokens,
            Unit::NanoUsd => took.nano_usd,
        });
        self.ledger.spend(proxy, consumer, now / 1_000_000_000, amounts)
    }

    fn answer(&self, proxy: &impl Proxy, limit: &Limit, spent: Spent, resets_in: u64) {
        let show = |amount: u64| match limit.unit {
            Unit::Tokens => format!("{amount} tokens"),
            Unit::NanoUsd => format!("{} USD", tollgate_cost_calculator::Usd::from_nanos(amount)),
        };
        let message = format!(
            "tollgate: the budget {} is used up: {} of {} for {} seconds. It begins anew in {resets_in} seconds.",
            limit.name,
            show(spent.amount),
            show(limit.most),
            limit.period_s
        );
        let error = json!({
            "type": "error",
            "error": {"type": "budget_exceeded", "code": limit.name, "message": message, "resets_in_s": resets_in},
        });
        let headers = [("content-type", "application/json"), ("retry-after", &resets_in.to_string())];
        // Where the proxy refuses that as well, the call is held until a time limit ends it.
        let _ = proxy.answer(429, "tollgate_budget", &headers, error.to_string().as_bytes());
    }
}
