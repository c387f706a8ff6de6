//! A part that is exchanged while it is in use.

use std::sync::{Arc, PoisonError, RwLock};

/// Holds a part. Who uses it keeps the one that was there when he began; it goes when the last one is done.
#[derive(Debug)]
pub struct Exchange<T: ?Sized>(RwLock<Arc<T>>);

impl<T: ?Sized> Exchange<T> {
    /// Holds `part`.
    pub fn new(part: Arc<T>) -> Self {
        Self(RwLock::new(part))
    }

    /// The part as it is now.
    #[must_use]
    pub fn now(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another in its place.
    pub fn exchange(&self, part: Arc<T>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = part;
    }
}
