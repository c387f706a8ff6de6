//! What is asked: `model=gpt-4o&since=1h`.

use super::{Context, Refusal};
use crate::moment;
use crate::money;
use crate::query::Filter;

/// Parameters of every question about calls.
pub(super) const FILTERS: [&str; 14] = [
    "window",
    "since",
    "until",
    "model",
    "provider",
    "service",
    "operation",
    "text",
    "user",
    "session",
    "trace_id",
    "error",
    "min_cost_usd",
    "limit",
];

/// Names and values, each name once.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads the part of an address behind its question mark.
    pub(super) fn parse(text: &str, known: &[&str]) -> Result<Self, Refusal> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if !known.contains(&name.as_ref()) {
                let known = known.join(", ");
                return Err(Refusal::Question(format!("{name:?} cannot be asked for; there are {known}")));
            }
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(Refusal::Question(format!("{name}: is there twice; write it once")));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// A whole number from 1 to `most`.
    pub(super) fn count(&self, name: &str, default: usize, most: usize) -> Result<usize, Refusal> {
        let Some(value) = self.get(name) else { return Ok(default) };
        match value.parse() {
            Ok(count) if (1..=most).contains(&count) => Ok(count),
            _ => Err(Refusal::Question(format!("{name}: {value:?} is not a number from 1 to {most}"))),
        }
    }

    /// The length of time that is asked about, in nanoseconds.
    pub(super) fn window(&self) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.get("window") else { return Ok(None) };
        match moment::length(value) {
            Some(window) if window > 0 => Ok(Some(window)),
            _ => Err(Refusal::Question(format!(
                "window: {value:?} is not a length of time; write one such as 15m, 24h or 7d"
            ))),
        }
    }

    /// Which calls; `default` is how far back where nothing is said of time.
    pub(super) fn filter(&self, context: Context, default: Option<u64>) -> Result<Filter, Refusal> {
        let text = |name| self.get(name).map(str::to_owned);
        let (since, until, window) = (self.time("since", context)?, self.time("until", context)?, self.window()?);
        if since.is_some() && window.is_some() {
            return Err(Refusal::Question("window and since both say where to begin; write one of them".to_owned()));
        }
        let end = until.unwrap_or(context.now);
        let window = window.or(default.filter(|_| since.is_none()));
        let since = since.or(window.map(|window| end.saturating_sub(window)));
        if since.is_some_and(|since| since > end) {
            return Err(Refusal::Question("since: is later than until; nothing is between them".to_owned()));
        }
        let (failed, error_type) = match self.get("error") {
            Some("true") => (Some(true), None),
            Some("false") => (Some(false), None),
            kind => (None, kind.map(str::to_owned)),
        };
        let min_cost = match self.get("min_cost_usd") {
            Some(value) => Some(money::nanos(value).ok_or_else(|| {
                Refusal::Question(format!(
                    "min_cost_usd: {value:?} is not an amount in US dollars; write one such as 0.05"
                ))
            })?),
            None => None,
        };
        Ok(Filter {
            since,
            until,
            model: text("model"),
            provider: text("provider"),
            service: text("service"),
            operation: text("operation"),
            text: text("text"),
            user: text("user"),
            session: text("session"),
            trace_id: self.get("trace_id").map(|id| trace_id("trace_id", id)).transpose()?,
            failed,
            error_type,
            min_cost,
        })
    }

    /// A moment, or how long ago.
    fn time(&self, name: &str, context: Context) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let moment = || moment::nanoseconds(value).and_then(|nanos| u64::try_from(nanos).ok());
        match moment::length(value).map(|ago| context.now.saturating_sub(ago)).or_else(moment) {
            Some(time) => Ok(Some(time)),
            None => Err(Refusal::Question(format!(
                "{name}: {value:?} is not a time; write one such as 2026-10-14T10:30:00Z, or how long ago, such as 1h"
            ))),
        }
    }
}

/// An id in hexadecimal.
pub(super) fn trace_id(name: &str, text: &str) -> Result<[u8; 16], Refusal> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let id = u128::from_str_radix(text, 16).ok().filter(|id| digits && *id > 0);
    id.map(u128::to_be_bytes).ok_or_else(|| {
        Refusal::Question(format!("{name}: {text:?} is not 32 hexadecimal digits, of which one at least is not 0"))
    })
}
