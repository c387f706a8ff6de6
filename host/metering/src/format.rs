//! Forms of a page, and which one a scraper wants.

use crate::registry::Registry;
use crate::text::Dialect;
use crate::{protobuf, text};

/// The form of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus text 0.0.4, without exemplars.
    Text,
    /// OpenMetrics text 1.0.0.
    OpenMetrics,
    /// `io.prometheus.client.MetricFamily` messages, with native histograms.
    Protobuf,
}

impl Format {
    /// The form that an `Accept` header asks for: of those with the highest weight the one named first, and Prometheus text
    /// where none is named.
    ///
    /// Source: RFC 9110, section 12.5.1; Prometheus documentation, scrape protocol content negotiation.
    ///
    /// ```
    /// use tollgate_metering::Format;
    /// assert_eq!(Format::accepted(""), Format::Text);
    /// assert_eq!(Format::accepted("text/plain;q=0.4, application/openmetrics-text; version=1.0.0"), Format::OpenMetrics);
    /// ```
    #[must_use]
    pub fn accepted(accept: &str) -> Self {
        let mut best = (0.0, Self::Text);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let parameters: Vec<_> = parts.filter_map(|part| part.split_once('=')).collect();
            let parameter = |name: &str| {
                let found = parameters.iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.trim().trim_matches('"'))
            };
            let format = match media.as_str() {
                "application/openmetrics-text" if matches!(parameter("version"), None | Some("1.0.0" | "0.0.1")) => {
                    Self::OpenMetrics
                }
                "application/vnd.google.protobuf"
                    if parameter("proto") == Some("io.prometheus.client.MetricFamily")
                        && parameter("encoding") == Some("delimited") =>
                {
                    Self::Protobuf
                }
                "text/plain" | "text/*" | "*/*" => Self::Text,
                _ => continue,
            };
            let weight = parameter("q").map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
            if weight > best.0 {
                best = (weight, format);
            }
        }
        best.1
    }

    /// The `Content-Type` of the form.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }
}

impl Registry {
    /// All metrics in a form, after series that expired before `now`, in nanoseconds since 1970, are forgotten.
    #[must_use]
    pub fn page(&self, format: Format, now: u64) -> Vec<u8> {
        self.expire(now);
        let families = self.snapshot();
        match format {
            Format::Text => text::encode(&families, self.resource(), Dialect::Prometheus).into_bytes(),
            Format::OpenMetrics => text::encode(&families, self.resource(), Dialect::OpenMetrics).into_bytes(),
            Format::Protobuf => protobuf::encode(&families, self.resource()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Format::{self, OpenMetrics, Protobuf, Text};

    #[test]
    fn scrapers_get_what_they_ask_for() {
        let protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
        for (accept, expected) in [
            (String::new(), Text),
            ("*/*".into(), Text),
            ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8".into(), Text),
            ("image/png".into(), Text),
            ("application/openmetrics-text; version=2.0.0, text/plain;q=0.1".into(), Text),
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
                    .into(),
                OpenMetrics,
            ),
            (
                format!("{protobuf},application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5"),
                Protobuf,
            ),
            (format!("{protobuf};q=0.3,text/plain;q=0.5"), Text),
            (format!("{protobuf};q=0"), Text),
            (protobuf.replace("delimited", "text"), Text),
        ] {
            assert_eq!(Format::accepted(&accept), expected, "{accept}");
        }
    }
}
