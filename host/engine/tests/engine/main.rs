//! The engine against components: one that misbehaves, broken ones, and the project's own.

#[cfg(test)]
mod common;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod load;
#[cfg(test)]
mod plugins;
