//! Families: a metric by labels, with a bound on the combinations.

use crate::exemplar::Origin;
use crate::histogram::Distribution;
use crate::registry::Described;
use crate::snapshot::{FamilySnapshot, Kind, Point, Value};
use crate::table::Table;
use crate::value::{Level, Sum};
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most bytes of a label's value; longer ones are cut.
const VALUE_BYTES: usize = 128;
/// What stands for values from outside where a family is full.
const OTHER: &str = "other";
/// OpenTelemetry's mark of the series that takes what exceeds the limit.
pub(crate) const OVERFLOW: &str = "otel.metric.overflow";

/// A counter.
pub type Counter = Handle<Sum>;
/// A gauge.
pub type Gauge = Handle<Level>;
/// A histogram.
pub type Histogram = Handle<Distribution>;

/// Names and values of labels, in the order in which they were given.
pub(crate) type Labels = Box<[(Box<str>, Box<str>)]>;

/// What can be counted in.
pub trait Metric: Debug + Send + Sync + 'static {
    #[doc(hidden)]
    const KIND: Kind;
    #[doc(hidden)]
    fn read(&self) -> Value;
}

impl Metric for Sum {
    const KIND: Kind = Kind::Sum;
    fn read(&self) -> Value {
        Value::Sum { value: self.value(), exemplar: self.exemplar() }
    }
}

impl Metric for Level {
    const KIND: Kind = Kind::Level;
    fn read(&self) -> Value {
        Value::Level(self.value())
    }
}

impl Metric for Distribution {
    const KIND: Kind = Kind::Histogram;
    fn read(&self) -> Value {
        Value::Histogram { state: Box::new(self.state()), layout: self.layout() }
    }
}

/// One series of a family.
#[derive(Debug)]
pub(crate) struct Series<M> {
    labels: Labels,
    metric: M,
    /// When it came to be, in nanoseconds since 1970.
    created: u64,
    /// When it was last handed out or [said to be used](Handle::used).
    used: AtomicU64,
    /// Counts what is counted here because there was no room for a series of its own.
    limited: Option<Counter>,
}

/// A series to count in. Cheap to clone; clones count into the same place. While there is one the series stays.
#[derive(Debug)]
pub struct Handle<M>(Arc<Series<M>>);

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> Handle<M> {
    fn metric(&self) -> &M {
        if let Some(limited) = &self.0.limited {
            limited.inc();
        }
        &self.0.metric
    }

    /// Says that the series was in use at a time.
    pub(crate) fn used(&self, time: u64) {
        self.0.used.fetch_max(time, Ordering::Relaxed);
    }
}

impl Counter {
    /// Counts one.
    pub fn inc(&self) {
        self.inc_by(1);
    }

    /// Counts several.
    pub fn inc_by(&self, by: u64) {
        self.metric().add(by, None);
    }

    /// Counts several, and remembers where they come from.
    pub fn inc_from(&self, by: u64, origin: Option<&Origin>) {
        self.metric().add(by, origin);
    }

    /// What was counted.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.metric.value()
    }
}

impl Gauge {
    /// Sets the value.
    pub fn set(&self, value: i64) {
        self.metric().set(value);
    }

    /// Adds to the value; a negative number takes away.
    pub fn add(&self, by: i64) {
        self.metric().add(by);
    }

    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Takes one away.
    pub fn dec(&self) {
        self.add(-1);
    }

    /// The value.
    #[must_use]
    pub fn get(&self) -> i64 {
        self.0.metric.value()
    }
}

impl Histogram {
    /// Observes a value, and remembers where it comes from.
    pub fn observe(&self, value: u64, origin: Option<&Origin>) {
        self.metric().observe(value, origin);
    }
}

/// A metric by labels. Cheap to clone; clones count into the same place.
#[derive(Debug)]
pub struct Family<M>(pub(crate) Arc<Core<M>>);

impl<M> Clone for Family<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Metric> Family<M> {
    /// The series with these labels; with `other` for what comes from outside, where the family is full.
    ///
    /// Labels come in the same order always. One without a value is left out; long values are cut.
    #[must_use]
    pub fn with<N: AsRef<str>, V: AsRef<str>>(&self, labels: impl AsRef<[(N, V)]>) -> Handle<M> {
        let labels = labels.as_ref();
        let given =
            || labels.iter().map(|(name, value)| (name.as_ref(), cut(value.as_ref()))).filter(|(_, v)| !v.is_empty());
        let core = &*self.0;
        let hash = core.series.hash(given());
        let found = core.series.find(hash, |series| same(&series.labels, given()), |series| core.hand_out(series));
        if let Some(found) = found {
            return found;
        }
        let new = || Arc::new(core.new_series(given(), None));
        let added = core.series.add(hash, |series| same(&series.labels, given()), new, |series| core.hand_out(series));
        added.unwrap_or_else(|| core.other(given()))
    }
}

/// What a family is.
pub(crate) struct Core<M> {
    described: Arc<Described>,
    series: Table<Arc<Series<M>>>,
    limited: Option<Family<Sum>>,
    new: Box<dyn Fn() -> M + Send + Sync>,
}

impl<M> Debug for Core<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Family").field("name", &self.described.name).finish_non_exhaustive()
    }
}

impl<M: Metric> Core<M> {
    pub(crate) fn new(
        described: Arc<Described>,
        max_series: usize,
        limited: Option<Family<Sum>>,
        new: impl Fn() -> M + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { described, series: Table::new(max_series), limited, new: Box::new(new) })
    }

    fn hand_out(&self, series: &Arc<Series<M>>) -> Handle<M> {
        if self.described.expires {
            series.used.fetch_max(crate::now(), Ordering::Relaxed);
        }
        Handle(Arc::clone(series))
    }

    fn new_series<'l>(&self, labels: impl Iterator<Item = (&'l str, &'l str)>, limited: Option<Counter>) -> Series<M> {
        let labels = labels.map(|(name, value)| (name.into(), value.into())).collect();
        Series { labels, metric: (self.new)(), created: crate::now(), used: AtomicU64::new(0), limited }
    }

    /// The series for what there is no room for. There are as many as the words of this program can be put together.
    fn other<'l>(&self, given: impl Iterator<Item = (&'l str, &'l str)>) -> Handle<M> {
        let labels: Vec<_> = given
            .map(|(name, value)| (name, if self.described.closed.contains(&name) { value } else { OTHER }))
            .chain([(OVERFLOW, "true")])
            .collect();
        let hash = self.series.hash(labels.iter().copied());
        let limited = || self.limited.as_ref().map(|limited| limited.with([("metric", &self.described.page_name)]));
        let new = || Arc::new(self.new_series(labels.iter().copied(), limited()));
        let is = |series: &Arc<Series<M>>| same(&series.labels, labels.iter().copied());
        let found = self.series.force(hash, is, new, |series| self.hand_out(series));
        // A forced series is always there.
        found.unwrap_or_else(|| Handle(Arc::new(self.new_series(labels.iter().copied(), limited()))))
    }
}

/// A family whatever it counts.
pub(crate) trait AnyFamily: Debug + Send + Sync {
    fn described(&self) -> &Described;
    fn kind(&self) -> Kind;
    fn snapshot(&self) -> FamilySnapshot;
    /// Forgets series that nobody holds and nobody used since a time, and gives how many.
    fn expire(&self, before: u64) -> u64;
}

impl<M: Metric> AnyFamily for Core<M> {
    fn described(&self) -> &Described {
        &self.described
    }

    fn kind(&self) -> Kind {
        M::KIND
    }

    fn snapshot(&self) -> FamilySnapshot {
        let mut points = Vec::new();
        self.series.for_each(|series| {
            points.push(Point { labels: series.labels.clone(), created: series.created, value: series.metric.read() });
        });
        points.sort_by(|a, b| a.labels.cmp(&b.labels));
        FamilySnapshot { described: Arc::clone(&self.described), kind: M::KIND, points }
    }

    fn expire(&self, before: u64) -> u64 {
        if !self.described.expires {
            return 0;
        }
        // Handles are given out under the lock that is held here, so who has none now cannot count any more.
        let held = |series: &Arc<Series<M>>| Arc::strong_count(series) > 1;
        self.series.retain(
            |series| held(series) || series.used.load(Ordering::Relaxed) >= before,
            |series| series.limited.is_none(),
        )
    }
}

/// A value as it stands in a label.
pub(crate) fn cut(value: &str) -> &str {
    value.get(..value.floor_char_boundary(VALUE_BYTES)).unwrap_or(value)
}

fn same<'l>(labels: &Labels, mut given: impl Iterator<Item = (&'l str, &'l str)>) -> bool {
    labels.iter().all(|(name, value)| given.next() == Some((name, value))) && given.next().is_none()
}
