//! Histograms: classic buckets, exponential buckets, and exemplars for them.

use crate::exemplar::{Exemplar, Origin};
use crate::exponential::{Exponential, index};
use crate::number::Scale;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Buckets of a histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// What is observed.
    pub scale: Scale,
    /// Upper bounds of the classic buckets, inclusive, ascending, in what is observed; that without a bound is not among
    /// them.
    pub bounds: Vec<u64>,
    /// Most exponential buckets, [`MIN_EXPONENTIAL_SIZE`](crate::MIN_EXPONENTIAL_SIZE) or more; 0 has none.
    pub max_size: usize,
}

impl Layout {
    /// Buckets with bounds in the unit of the metric. Bounds that are no amounts are left out.
    #[must_use]
    pub fn new(scale: Scale, bounds: &[f64], max_size: usize) -> Self {
        Self { scale, bounds: bounds.iter().filter_map(|bound| scale.whole(*bound)).collect(), max_size }
    }
}

/// A distribution of whole values.
///
/// What belongs together changes together, under a lock that is held for a few additions, so that a page never shows a
/// count that is not the sum of its buckets.
#[derive(Debug)]
pub struct Distribution {
    layout: Arc<Layout>,
    state: Mutex<State>,
}

#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) count: u64,
    pub(crate) sum: u128,
    /// By classic bucket, the one without a bound last.
    pub(crate) buckets: Vec<u64>,
    /// The last span of each classic bucket, of those that came with one.
    pub(crate) exemplars: Vec<Option<Exemplar>>,
    pub(crate) exponential: Option<Exponential>,
}

impl Distribution {
    pub(crate) fn new(layout: &Arc<Layout>) -> Self {
        let state = State {
            count: 0,
            sum: 0,
            buckets: vec![0; layout.bounds.len() + 1],
            exemplars: Vec::new(),
            exponential: (layout.max_size > 0).then(Exponential::new),
        };
        Self { layout: Arc::clone(layout), state: Mutex::new(state) }
    }

    pub(crate) fn observe(&self, value: u64, origin: Option<&Origin>) {
        let bucket = self.layout.bounds.partition_point(|bound| *bound < value);
        let exponential = if self.layout.max_size > 0 { index(value, self.layout.scale) } else { None };
        let mut state = self.lock();
        state.count += 1;
        state.sum += u128::from(value);
        if let Some(count) = state.buckets.get_mut(bucket) {
            *count += 1;
        }
        if let Some(buckets) = &mut state.exponential {
            buckets.add(exponential, self.layout.max_size);
        }
        if let Some(origin) = origin {
            let buckets = state.buckets.len();
            if state.exemplars.is_empty() {
                state.exemplars.resize(buckets, None);
            }
            if let Some(exemplar) = state.exemplars.get_mut(bucket) {
                *exemplar = Some(Exemplar { value, origin: *origin });
            }
        }
    }

    pub(crate) fn state(&self) -> State {
        self.lock().clone()
    }

    pub(crate) fn layout(&self) -> Arc<Layout> {
        Arc::clone(&self.layout)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
