//! All metrics of a process.

use crate::family::{AnyFamily, Core, Counter, Family};
use crate::histogram::{Distribution, Layout};
use crate::names::metric_name;
use crate::number::Scale;
use crate::snapshot::{FamilySnapshot, Kind};
use crate::value::{Level, Sum};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What every metric has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The name in OTLP; Prometheus' is made of it.
    pub(crate) name: String,
    /// The name on pages, without the suffix of its kind.
    pub(crate) page_name: String,
    pub(crate) help: String,
    /// In UCUM notation, as OpenTelemetry has it; empty where there is none.
    pub(crate) unit: &'static str,
    pub(crate) scale: Scale,
    /// Labels whose values are words of this program; values of all others come from outside.
    pub(crate) closed: &'static [&'static str],
    pub(crate) expires: bool,
}

impl Described {
    /// A metric of this name, without the suffixes of its unit and kind.
    #[must_use]
    pub fn new(name: impl Into<String>, help: &str) -> Self {
        let name = name.into();
        let page_name = metric_name(&name, "");
        let help = help.trim_end_matches('.').to_owned();
        Self { name, page_name, help, unit: "", scale: Scale::One, closed: &[], expires: false }
    }

    /// Its unit: `s`, `By`, `{token}`.
    #[must_use]
    pub fn unit(mut self, unit: &'static str) -> Self {
        self.page_name = metric_name(&self.name, unit);
        self.unit = unit;
        self
    }

    /// What is counted, as a part of the unit.
    #[must_use]
    pub fn scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// Labels whose values are words of this program, and are kept where the family is full.
    #[must_use]
    pub fn closed(mut self, closed: &'static [&'static str]) -> Self {
        self.closed = closed;
        self
    }

    /// Series that are idle for the time of [`Bounds::expiration`] are forgotten.
    #[must_use]
    pub fn expires(mut self) -> Self {
        self.expires = true;
        self
    }
}

/// How much is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Most series a family, besides those with `other`.
    pub max_series: usize,
    /// How long a series that may expire is held when nothing is counted in it.
    pub expiration: Option<Duration>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { max_series: 1_000, expiration: None }
    }
}

/// All metrics of a process.
#[derive(Debug)]
pub struct Registry {
    bounds: Bounds,
    /// What the process is: `service.name` and the like.
    resource: Vec<(String, String)>,
    families: Mutex<Vec<Arc<dyn AnyFamily>>>,
    limited: Family<Sum>,
    expired: Family<Sum>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::new(Bounds::default(), Vec::new())
    }
}

impl Registry {
    /// Without metrics but those about metrics. `resource` is `target_info` on pages and the resource in OTLP.
    #[must_use]
    pub fn new(bounds: Bounds, resource: Vec<(String, String)>) -> Self {
        let described = |name, help| Arc::new(Described::new(name, help).closed(&["metric"]));
        let limited = Core::new(
            described(
                "tollgate_metric_series_limited",
                "Observations counted under `other` because the metric has all the series it may have",
            ),
            usize::MAX,
            None,
            Sum::default,
        );
        let expired = Core::new(
            described("tollgate_metric_series_expired", "Series forgotten because nothing was counted in them"),
            usize::MAX,
            None,
            Sum::default,
        );
        let families: Vec<Arc<dyn AnyFamily>> = vec![limited.clone(), expired.clone()];
        Self { bounds, resource, families: Mutex::new(families), limited: Family(limited), expired: Family(expired) }
    }

    /// How much is held.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// What the process is.
    pub(crate) fn resource(&self) -> &[(String, String)] {
        &self.resource
    }

    /// A counter by labels.
    pub fn counter(&self, described: Described) -> Family<Sum> {
        self.family(described, Sum::default)
    }

    /// A counter without labels, which is on the page from the start.
    pub fn one_counter(&self, described: Described) -> Counter {
        self.counter(described).with(NONE)
    }

    /// A gauge by labels.
    pub fn gauge(&self, described: Described) -> Family<Level> {
        self.family(described, Level::default)
    }

    /// A gauge without labels, which is on the page from the start.
    pub fn one_gauge(&self, described: Described) -> crate::Gauge {
        self.gauge(described).with(NONE)
    }

    /// A histogram by labels.
    pub fn histogram(&self, described: Described, layout: Layout) -> Family<Distribution> {
        let layout = Arc::new(layout);
        self.family(described.scale(layout.scale), move || Distribution::new(&layout))
    }

    fn family<M: crate::family::Metric>(
        &self,
        described: Described,
        new: impl Fn() -> M + Send + Sync + 'static,
    ) -> Family<M> {
        let core = Core::new(Arc::new(described), self.bounds.max_series, Some(self.limited.clone()), new);
        self.families.lock().unwrap_or_else(PoisonError::into_inner).push(core.clone());
        Family(core)
    }

    /// Forgets series that expired before `now`, in nanoseconds since 1970.
    pub(crate) fn expire(&self, now: u64) {
        let Some(expiration) = self.bounds.expiration else { return };
        let before = now.saturating_sub(u64::try_from(expiration.as_nanos()).unwrap_or(u64::MAX));
        for family in self.families() {
            let gone = family.expire(before);
            if gone > 0 {
                self.expired.with([("metric", family.described().page_name.as_str())]).inc_by(gone);
            }
        }
    }

    /// Everything that there is to tell, sorted by name. Families without series are left out.
    pub(crate) fn snapshot(&self) -> Vec<FamilySnapshot> {
        let mut snapshots: Vec<_> = self.families().iter().map(|family| family.snapshot()).collect();
        snapshots.retain(|family| !family.points.is_empty());
        snapshots.sort_by(|a, b| a.described.page_name.cmp(&b.described.page_name));
        snapshots
    }

    /// Names on pages with their kinds, of everything that is registered.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let with_suffix = |family: &Arc<dyn AnyFamily>| {
            let name = &family.described().page_name;
            if family.kind() == Kind::Sum { format!("{name}_total") } else { name.clone() }
        };
        self.families().iter().map(with_suffix).collect()
    }

    fn families(&self) -> Vec<Arc<dyn AnyFamily>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

const NONE: [(&str, &str); 0] = [];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn page(registry: &Registry, now: u64) -> String {
        String::from_utf8(registry.page(Format::Text, now)).unwrap()
    }

    fn assert_lines(page: &str, lines: &[&str]) {
        for line in lines {
            assert!(page.lines().any(|found| found == *line), "no line {line} in\n{page}");
        }
    }

    #[test]
    fn a_full_family_counts_under_other_and_says_so() {
        let registry = Registry::new(Bounds { max_series: 2, expiration: None }, Vec::new());
        let calls = registry.counter(Described::new("calls", "Calls.").closed(&["kind"]));
        for (model, kind) in [("a", "x"), ("b", "x"), ("c", "x"), ("d", "y"), ("e", "x"), ("a", "x"), ("other", "x")] {
            calls.with([("gen_ai.request.model", model), ("kind", kind)]).inc();
        }
        assert_lines(
            &page(&registry, 0),
            &[
                "# HELP calls_total Calls",
                "# TYPE calls_total counter",
                r#"calls_total{gen_ai_request_model="a",kind="x"} 2"#,
                r#"calls_total{gen_ai_request_model="b",kind="x"} 1"#,
                r#"calls_total{gen_ai_request_model="other",kind="x",otel_metric_overflow="true"} 3"#,
                r#"calls_total{gen_ai_request_model="other",kind="y",otel_metric_overflow="true"} 1"#,
                r#"tollgate_metric_series_limited_total{metric="calls"} 4"#,
            ],
        );
    }

    #[test]
    fn long_values_are_cut_between_characters_and_empty_ones_left_out() {
        let registry = Registry::default();
        let counter = registry.counter(Described::new("c", "C"));
        counter.with([("type", format!("{}é", "x".repeat(127))), ("plugin", String::new())]).inc();
        assert_lines(&page(&registry, 0), &[&format!("c_total{{type=\"{}\"}} 1", "x".repeat(127))]);
    }

    #[test]
    fn idle_series_expire_and_make_room_but_not_those_in_use() {
        let second = Duration::from_secs(1);
        let registry = Registry::new(Bounds { max_series: 1, expiration: Some(second) }, Vec::new());
        let counter = registry.counter(Described::new("c", "C").expires());
        let kept = registry.counter(Described::new("kept", "K"));
        let held = counter.with([("a", "held")]);
        held.inc();
        kept.with([("a", "1")]).inc();
        let late = crate::now() + 10_000_000_000;
        assert_lines(&page(&registry, late), &[r#"c_total{a="held"} 1"#, r#"kept_total{a="1"} 1"#]);
        drop(held);
        let empty = page(&registry, late);
        assert!(!empty.contains("c_total{"), "{empty}");
        assert_lines(&empty, &[r#"tollgate_metric_series_expired_total{metric="c"} 1"#, r#"kept_total{a="1"} 1"#]);
        counter.with([("a", "new")]).inc();
        assert_lines(&page(&registry, crate::now()), &[r#"c_total{a="new"} 1"#]);
    }

    #[test]
    fn threads_lose_no_count_and_add_no_series_over_the_limit() {
        let registry = Registry::new(Bounds { max_series: 4, expiration: None }, Vec::new());
        let counter = registry.counter(Described::new("c", "C"));
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let counter = &counter;
                scope.spawn(move || {
                    for n in 0..5_000 {
                        counter.with([("a", ((n + thread) % 7).to_string())]).inc();
                    }
                });
            }
        });
        let page = page(&registry, 0);
        let counts = page.lines().filter(|line| line.starts_with("c_total{"));
        let counts: Vec<u64> = counts.map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert_eq!((counts.len(), counts.iter().sum::<u64>()), (5, 20_000), "{page}");
    }
}
