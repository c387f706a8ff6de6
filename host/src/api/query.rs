//! What is asked: `window=24h&top=10`.

use crate::config::units;
use std::time::Duration;
use tollgate_ledger::Limits;

const MINUTE: Duration = Duration::from_secs(60);

/// What is asked about costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// How far back.
    pub(super) window: Duration,
    /// How many values of each dimension.
    pub(super) top: usize,
}

impl Query {
    /// Reads the part of an address behind its question mark.
    ///
    /// # Errors
    /// A sentence that says what to write.
    pub(super) fn parse(text: &str, limits: &Limits) -> Result<Self, String> {
        let mut query = Self { window: Duration::from_secs(86_400).min(limits.retention), top: limits.values.min(10) };
        let mut seen = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if seen.contains(&name) {
                return Err(format!("{name}: is there twice; write it once"));
            }
            seen.push(name);
            match name {
                "window" => query.window = window(value, limits)?,
                "top" => query.top = top(value, limits)?,
                _ => {
                    return Err(format!(
                        "{name:?} cannot be asked for; there are window, such as window=24h, and top, such as top=10"
                    ));
                }
            }
        }
        Ok(query)
    }
}

fn window(value: &str, limits: &Limits) -> Result<Duration, String> {
    let Some(window) = units::duration(value) else {
        return Err(format!("window: {value:?} is not a length of time; write one such as 15m, 24h or 7d"));
    };
    if window < MINUTE {
        return Err(format!("window: {value} is shorter than a minute; ask for 1m or more"));
    }
    if window > limits.retention {
        let minutes = limits.retention.as_secs() / 60;
        let held = if minutes.is_multiple_of(60) { format!("{}h", minutes / 60) } else { format!("{minutes}m") };
        return Err(format!(
            "window: {value} is longer than what is held; ask for {held} or less, or raise cost.retention"
        ));
    }
    Ok(window)
}

fn top(value: &str, limits: &Limits) -> Result<usize, String> {
    let most = limits.values;
    match value.parse() {
        Ok(top) if (1..=most).contains(&top) => Ok(top),
        _ => Err(format!("top: {value:?} is not a number from 1 to {most}; cost.max_values is the most that is held")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_read_or_said_what_to_write() {
        let limits = Limits { retention: Duration::from_secs(48 * 3_600), values: 50, ..Limits::default() };
        for (text, expected) in [
            ("", Ok((24 * 60, 10))),
            ("window=15m", Ok((15, 10))),
            ("top=50&window=2d", Ok((48 * 60, 50))),
            ("&window=1h30m&", Ok((90, 10))),
            ("window=", Err("window: \"\" is not a length of time; write one such as 15m, 24h or 7d")),
            ("window=24", Err("window: \"24\" is not a length of time; write one such as 15m, 24h or 7d")),
            ("window=-1h", Err("window: \"-1h\" is not a length of time; write one such as 15m, 24h or 7d")),
            ("window=30s", Err("window: 30s is shorter than a minute; ask for 1m or more")),
            ("window=0", Err("window: 0 is shorter than a minute; ask for 1m or more")),
            ("window=3d", Err("window: 3d is longer than what is held; ask for 48h or less, or raise cost.retention")),
            ("window=1h&window=2h", Err("window: is there twice; write it once")),
            ("top=0", Err("top: \"0\" is not a number from 1 to 50; cost.max_values is the most that is held")),
            ("top=51", Err("top: \"51\" is not a number from 1 to 50; cost.max_values is the most that is held")),
            ("top=many", Err("top: \"many\" is not a number from 1 to 50; cost.max_values is the most that is held")),
            (
                "from=yesterday",
                Err("\"from\" cannot be asked for; there are window, such as window=24h, and top, such as top=10"),
            ),
        ] {
            let read = Query::parse(text, &limits).map(|query| (query.window.as_secs() / 60, query.top));
            assert_eq!(read, expected.map_err(str::to_owned), "{text}");
        }
        let short = Limits { retention: Duration::from_secs(5_400), values: 3, ..limits };
        let read = Query::parse("", &short).unwrap();
        assert_eq!(
            (read.window, read.top),
            (short.retention, 3),
            "what is held is the most that is asked for by default"
        );
        assert!(Query::parse("window=2h", &short).unwrap_err().contains("ask for 90m or less"));
    }
}
