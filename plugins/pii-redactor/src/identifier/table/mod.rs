//! The identifiers, by region. Of two rows that a place fits equally well the earlier one counts.

mod americas;
mod britain;
mod china;
mod europe;
mod france_spain;
mod germany;
mod india;
mod italy;
mod north;
mod pacific;
mod south;
mod united_states;

use super::row::Row;

pub(super) use europe::{BIC, bic};

/// All tables.
pub(super) const ALL: &[&[Row]] = &[
    china::ROWS,
    united_states::ROWS,
    americas::ROWS,
    britain::ROWS,
    india::ROWS,
    france_spain::ROWS,
    italy::ROWS,
    germany::ROWS,
    north::ROWS,
    europe::ROWS,
    pacific::ROWS,
    south::ROWS,
];
