//! The one plugin that an instance holds.

use std::cell::RefCell;

/// Holds the configured plugin between calls. An instance runs one call at a time, so a cell is enough; a call that
/// comes before `configure` finds nothing and is refused in words.
#[derive(Debug)]
pub struct State<T>(RefCell<Option<T>>);

impl<T> State<T> {
    /// Nothing configured yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(None))
    }

    /// Puts a configured plugin in place.
    pub fn put(&self, plugin: T) {
        if let Ok(mut held) = self.0.try_borrow_mut() {
            *held = Some(plugin);
        }
    }

    /// Uses the plugin.
    ///
    /// # Errors
    /// A sentence, where `configure` has not succeeded before.
    pub fn with<R>(&self, use_it: impl FnOnce(&mut T) -> R) -> Result<R, String> {
        match self.0.try_borrow_mut().as_deref_mut() {
            Ok(Some(plugin)) => Ok(use_it(plugin)),
            _ => Err("called before it was configured".to_owned()),
        }
    }
}

impl<T> Default for State<T> {
    fn default() -> Self {
        Self::new()
    }
}
