//! `loki`: log records over OTLP/HTTP, as Loki wants them.

use super::dialect::Dialect;
use super::otlp::{ClientTls, OtlpHttp, check_url, read_headers};
use super::outputs::Compression;
use super::section::Section;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A tenant of Loki.
#[derive(Clone, Debug, PartialEq)]
pub struct Loki {
    /// How log records are sent.
    pub otlp: OtlpHttp,
    /// Whether what was said in calls, and what redactors found there, is sent as log records.
    pub content: bool,
}

impl Loki {
    pub(super) fn read(name: &str, mut section: Section<'_>) -> Self {
        let endpoint = section.required_text("endpoint", "the base URL of Loki, such as http://loki:3100");
        let tls = ClientTls::read(&mut section, None);
        if let Err(message) = check_url(&endpoint).and_then(|()| tls.is_used(&endpoint)) {
            section.problem("endpoint", message);
        }
        let base = endpoint.trim_end_matches('/');
        for path in ["/otlp/v1/logs", "/otlp", "/loki/api/v1/push"] {
            if let Some(base) = base.strip_suffix(path) {
                section.problem("endpoint", format!("has the path {path}, and /otlp/v1/logs is added; write {base}"));
            }
        }
        let mut headers = read_headers(&mut section);
        if let Some(tenant) = section.text("tenant") {
            match check_tenant(&tenant) {
                Ok(()) => headers.push(("x-scope-orgid".to_owned(), tenant)),
                Err(message) => section.problem("tenant", message),
            }
        }
        if let Some(mut auth) = section.section("basic_auth") {
            headers.push(basic(&mut auth));
            auth.finish();
        }
        let otlp = OtlpHttp::to(name, &format!("{base}/otlp"), (tls, headers), Dialect::default(), &mut section);
        let output = Self { otlp, content: section.truth("content", false) };
        if output.otlp.compression == Compression::Zstd {
            section.problem("compression", "Loki takes gzip and none");
        }
        section.finish();
        output
    }
}

/// The header of `username` and `password`.
pub(super) fn basic(auth: &mut Section<'_>) -> (String, String) {
    let username = auth.required_text("username", "the name of the user");
    let password = auth.required_text("password", "the password, such as ${env:PASSWORD}");
    if username.contains(':') {
        auth.problem("username", "has a colon, which cannot be sent");
    }
    ("authorization".to_owned(), format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}

/// Source: Loki documentation, "Manage tenant IDs": at most 150 bytes, letters, digits and `!-_.*'()`.
fn check_tenant(tenant: &str) -> Result<(), String> {
    let may = |c: char| c.is_ascii_alphanumeric() || "!-_.*'()".contains(c);
    if tenant.is_empty() || tenant.len() > 150 || !tenant.chars().all(may) || matches!(tenant, "." | "..") {
        return Err(format!("{tenant:?} is no tenant id: letters, digits and !-_.*'(), 150 at most"));
    }
    Ok(())
}
