//! The engine against components: one that misbehaves, broken ones, and the project's own.

mod common;
mod hostile;
mod load;
mod plugins;
