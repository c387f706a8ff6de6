//! The text forms of a page: Prometheus 0.0.4 and OpenMetrics 1.0.0.
//!
//! Numbers have all their digits. Bounds of buckets are written as OpenMetrics wants them (`le="64.0"`) in both, so that
//! a series has one name however it is scraped.

use crate::exemplar::{Exemplar, hexadecimal};
use crate::histogram::{Layout, State};
use crate::names::{label_name, unit_word};
use crate::number::Scale;
use crate::snapshot::{FamilySnapshot, Kind, Point, Value};
use std::fmt::Write as _;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Prometheus,
    OpenMetrics,
}

/// The page.
pub(crate) fn encode(families: &[FamilySnapshot], resource: &[(String, String)], dialect: Dialect) -> String {
    let mut out = String::new();
    if !resource.is_empty() {
        info(&mut out, resource, dialect);
    }
    for family in families {
        head(&mut out, family, dialect);
        for point in &family.points {
            Writer { out: &mut out, family, point, dialect }.point();
        }
    }
    if dialect == Dialect::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

fn info(out: &mut String, resource: &[(String, String)], dialect: Dialect) {
    let (name, kind) = match dialect {
        Dialect::Prometheus => ("target_info", "gauge"),
        Dialect::OpenMetrics => ("target", "info"),
    };
    let _ = writeln!(out, "# HELP {name} What this process is\n# TYPE {name} {kind}");
    out.push_str("target_info");
    labels(out, resource.iter().map(|(name, value)| (name.as_str(), value.as_str())), None);
    out.push_str(" 1\n");
}

fn head(out: &mut String, family: &FamilySnapshot, dialect: Dialect) {
    let described = &family.described;
    let (kind, suffix) = match (family.kind, dialect) {
        (Kind::Sum, Dialect::Prometheus) => ("counter", "_total"),
        (Kind::Sum, Dialect::OpenMetrics) => ("counter", ""),
        (Kind::Level, _) => ("gauge", ""),
        (Kind::Histogram, _) => ("histogram", ""),
    };
    let name = &described.page_name;
    let _ = write!(out, "# HELP {name}{suffix} ");
    escape(out, &described.help, dialect == Dialect::OpenMetrics);
    let _ = writeln!(out, "\n# TYPE {name}{suffix} {kind}");
    let unit = unit_word(described.unit);
    if dialect == Dialect::OpenMetrics && !unit.is_empty() && name.ends_with(&format!("_{unit}")) {
        let _ = writeln!(out, "# UNIT {name} {unit}");
    }
}

struct Writer<'a> {
    out: &'a mut String,
    family: &'a FamilySnapshot,
    point: &'a Point,
    dialect: Dialect,
}

impl Writer<'_> {
    fn point(&mut self) {
        let scale = self.family.described.scale;
        match &self.point.value {
            Value::Sum { value, exemplar } => {
                self.sample("_total", None);
                scale.write(u128::from(*value), self.out);
                self.end(exemplar.as_ref(), scale);
            }
            Value::Level(value) => {
                self.sample("", None);
                let _ = write!(self.out, "{value}");
                self.end(None, scale);
            }
            Value::Histogram { state, layout } => self.histogram(state, layout),
        }
    }

    fn histogram(&mut self, state: &State, layout: &Layout) {
        let mut bounds = layout.bounds.iter();
        let mut sum = 0_u64;
        for (place, count) in state.buckets.iter().enumerate() {
            let mut bound = String::new();
            match bounds.next() {
                Some(next) => layout.scale.write_real((*next).into(), &mut bound),
                None => bound.push_str("+Inf"),
            }
            sum += count;
            self.sample("_bucket", Some(&bound));
            let _ = write!(self.out, "{sum}");
            self.end(state.exemplars.get(place).and_then(Option::as_ref), layout.scale);
        }
        self.sample("_sum", None);
        layout.scale.write_real(state.sum, self.out);
        self.end(None, layout.scale);
        self.sample("_count", None);
        let _ = write!(self.out, "{}", state.count);
        self.end(None, layout.scale);
    }

    fn sample(&mut self, suffix: &str, le: Option<&str>) {
        let _ = write!(self.out, "{}{suffix}", self.family.described.page_name);
        labels(self.out, self.point.labels.iter().map(|(name, value)| (&**name, &**value)), le);
        self.out.push(' ');
    }

    fn end(&mut self, exemplar: Option<&Exemplar>, scale: Scale) {
        if let Some(exemplar) = exemplar.filter(|_| self.dialect == Dialect::OpenMetrics) {
            let Exemplar { value, origin } = exemplar;
            let (trace, span) = (hexadecimal(&origin.trace_id), hexadecimal(&origin.span_id));
            let _ = write!(self.out, " # {{trace_id=\"{trace}\",span_id=\"{span}\"}} ");
            scale.write_real((*value).into(), self.out);
            let (seconds, rest) = (origin.time / 1_000_000_000, origin.time % 1_000_000_000);
            let _ = write!(self.out, " {seconds}.{:03}", rest / 1_000_000);
        }
        self.out.push('\n');
    }
}

fn labels<'l>(out: &mut String, labels: impl Iterator<Item = (&'l str, &'l str)>, le: Option<&'l str>) {
    let bound = le.map(|le| ("le", le));
    let mut before = '{';
    for (name, value) in bound.into_iter().chain(labels) {
        let _ = write!(out, "{before}{}=\"", label_name(name));
        escape(out, value, true);
        out.push('"');
        before = ',';
    }
    if before == ',' {
        out.push('}');
    }
}

/// Prometheus text has quotes in help as they are.
fn escape(out: &mut String, text: &str, quotes: bool) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            c => out.push(c),
        }
    }
}
