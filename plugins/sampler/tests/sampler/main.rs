//! The sampler as a whole: configurations as users write them, traces as the host hands them over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod collector;
mod counts;
mod given;
mod limits;
mod policies;
mod problems;
mod rules;
