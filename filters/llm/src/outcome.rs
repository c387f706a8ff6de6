//! How an exchange ended, from Envoy's `response.code_details`.
//!
//! The details are the only place that tells a whole answer from one that was cut off: the end-of-stream flag does not
//! come when trailers follow, when the caller goes away, or when the provider resets. Source: Envoy's documentation,
//! "Response Code Details", and the reset reasons that Envoy puts in braces.

use tollgate_call::Outcome;

/// How a stream ended. `details` is `response.code_details`; `ended` is whether the end of the answer was seen, which
/// decides where there are no details.
#[must_use]
pub fn of_details(details: Option<&[u8]>, ended: bool) -> Outcome {
    let Some(details) = details.filter(|details| !details.is_empty()) else {
        return if ended { Outcome::Complete } else { Outcome::UpstreamAborted };
    };
    let details = String::from_utf8_lossy(details);
    if details.contains("timeout") || details.contains("max_duration") || details.contains("max_stream_duration") {
        Outcome::TimedOut
    } else if BROKEN_UPSTREAM.iter().any(|start| details.starts_with(start)) {
        Outcome::UpstreamAborted
    } else if GONE_CLIENT.iter().any(|start| details.starts_with(start)) && !ended {
        Outcome::ClientAborted
    } else {
        Outcome::Complete
    }
}

/// Starts of details that blame the provider, or the way to it.
const BROKEN_UPSTREAM: &[&str] = &["upstream_reset", "upstream_", "no_healthy_upstream", "cluster_not_found"];

/// Starts of details that blame the caller, or its connection.
const GONE_CLIENT: &[&str] = &["downstream_", "http1.", "http2.", "http3.", "codec_error", "codec error"];

#[cfg(test)]
mod tests {
    use super::of_details;
    use tollgate_call::Outcome::{self, ClientAborted, Complete, TimedOut, UpstreamAborted};

    #[test]
    fn details_as_envoy_writes_them() {
        let table: &[(&str, bool, Outcome)] = &[
            ("via_upstream", true, Complete),
            ("via_upstream", false, Complete),
            ("direct_response", true, Complete),
            ("route_not_found", true, Complete),
            ("downstream_remote_disconnect", false, ClientAborted),
            ("downstream_local_disconnect(something)", false, ClientAborted),
            ("http2.remote_reset", false, ClientAborted),
            ("http2.remote_reset", true, Complete),
            ("codec_error:unexpected_end", false, ClientAborted),
            ("upstream_reset_after_response_started{connection_termination}", false, UpstreamAborted),
            ("upstream_reset_before_response_started{remote_connection_failure}", true, UpstreamAborted),
            ("no_healthy_upstream", true, UpstreamAborted),
            ("upstream_response_timeout", true, TimedOut),
            ("response_timeout", true, TimedOut),
            ("upstream_per_try_timeout", true, TimedOut),
            ("stream_idle_timeout", false, TimedOut),
            ("upstream_max_stream_duration_reached", false, TimedOut),
            ("max_duration_timeout", false, TimedOut),
            ("", true, Complete),
            ("", false, UpstreamAborted),
        ];
        for (details, ended, outcome) in table {
            assert_eq!(of_details(Some(details.as_bytes()), *ended), *outcome, "{details}, ended: {ended}");
        }
        assert_eq!(of_details(None, true), Complete);
        assert_eq!(of_details(Some(b"\xff\xfe"), true), Complete);
    }
}
