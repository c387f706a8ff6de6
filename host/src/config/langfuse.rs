//! `langfuse`: traces over OTLP/HTTP as Langfuse wants them, and scores through its API.

use super::dialect::Dialect;
use super::otlp::{ClientTls, OtlpHttp, check_url, read_headers};
use super::section::Section;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tollgate_dialect::Preset;

/// Where the cloud of Langfuse in the EU is.
const CLOUD: &str = "https://cloud.langfuse.com";
/// The path of OTLP below the base URL.
const OTLP: &str = "/api/public/otel";

/// A project of Langfuse.
#[derive(Clone, Debug, PartialEq)]
pub struct Langfuse {
    /// How traces are sent.
    pub otlp: OtlpHttp,
    /// Where scores are sent.
    pub scores: String,
}

impl Langfuse {
    pub(super) fn read(name: &str, mut section: Section<'_>) -> Self {
        let endpoint = section.text("endpoint").unwrap_or_else(|| CLOUD.to_owned());
        let tls = ClientTls::read(&mut section, None);
        if let Err(message) = check_url(&endpoint).and_then(|()| tls.is_used(&endpoint)) {
            section.problem("endpoint", message);
        } else if let Some((base, _)) = endpoint.split_once("/api/public") {
            section.problem("endpoint", format!("{endpoint:?} has the path of the API, which is added; write {base}"));
        }
        let base = endpoint.trim_end_matches('/');
        let public = section.required_text("public_key", "the public key of the project, pk-lf-...");
        let secret =
            section.required_text("secret_key", "the secret key of the project, such as ${env:LANGFUSE_SECRET_KEY}");
        if public.starts_with("sk-lf-") || secret.starts_with("pk-lf-") {
            section.problem(
                "public_key",
                "the keys are the wrong way round: public keys begin with pk-lf-, secret keys with sk-lf-",
            );
        }
        if public.contains(':') {
            section.problem("public_key", "has a colon, which cannot be sent");
        }
        let mut headers = read_headers(&mut section);
        let credentials = STANDARD.encode(format!("{public}:{secret}"));
        headers.push(("authorization".to_owned(), format!("Basic {credentials}")));
        // Without it what is sent is shown minutes later.
        headers.push(("x-langfuse-ingestion-version".to_owned(), "4".to_owned()));
        let dialect = Dialect::read(&mut section, Preset::Langfuse);
        let otlp = OtlpHttp::to(name, &format!("{base}{OTLP}"), (tls, headers), dialect, &mut section);
        let output = Self { otlp, scores: format!("{base}/api/public/scores") };
        section.finish();
        output
    }
}
