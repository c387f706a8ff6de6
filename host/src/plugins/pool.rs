//! Instances of one plugin, so that as many batches can be worked on as there are processors.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};

/// A fixed number of instances; each serves one caller at a time.
#[derive(Debug)]
pub(super) struct Pool<T> {
    first: Mutex<T>,
    others: Vec<Mutex<T>>,
    next: AtomicUsize,
}

impl<T> Pool<T> {
    pub(super) fn new(first: T, others: Vec<T>) -> Self {
        let others = others.into_iter().map(Mutex::new).collect();
        Self { first: Mutex::new(first), others, next: AtomicUsize::new(0) }
    }

    /// Lends a free instance, or waits for one.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        for step in 0..=self.others.len() {
            match self.seat(turn.wrapping_add(step)).try_lock() {
                Ok(mut free) => return work(&mut free),
                Err(TryLockError::Poisoned(poisoned)) => return work(&mut poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        work(&mut self.seat(turn).lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the instances one after the other, so that at any time only one of them is there twice.
    ///
    /// # Errors
    /// An instance could not be made; it and those after it are still the old ones.
    pub(super) fn replace<E>(&self, make: impl Fn() -> Result<T, E>) -> Result<(), E> {
        for seat in std::iter::once(&self.first).chain(&self.others) {
            let new = make()?;
            *seat.lock().unwrap_or_else(PoisonError::into_inner) = new;
        }
        Ok(())
    }

    fn seat(&self, turn: usize) -> &Mutex<T> {
        match turn % (self.others.len() + 1) {
            0 => &self.first,
            number => self.others.get(number - 1).unwrap_or(&self.first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;

    #[test]
    fn instances_are_replaced_up_to_the_first_that_cannot_be_made() {
        let pool = Pool::new(0, vec![0, 0]);
        let seen = |pool: &Pool<i32>| [0, 1, 2].map(|_| pool.with(|value| *value));
        assert_eq!(pool.replace(|| Ok::<_, ()>(7)), Ok(()));
        assert_eq!(seen(&pool), [7; 3]);
        assert_eq!(pool.replace(|| Err("no")), Err("no"));
        assert_eq!(seen(&pool), [7; 3]);
    }

    #[test]
    fn a_call_within_a_call_gets_another_instance() {
        let pool = Pool::new(0, vec![0]);
        pool.with(|outer| {
            *outer += 1;
            pool.with(|inner| *inner += 10);
        });
        let mut seen = [pool.with(|value| *value), pool.with(|value| *value)];
        seen.sort_unstable();
        assert_eq!(seen, [1, 10]);
    }
}
