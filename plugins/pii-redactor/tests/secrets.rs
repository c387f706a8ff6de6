//! Secrets on labelled samples, where the data sets are at hand (folder in `TOLLGATE_PII`).
#![expect(clippy::unwrap_used, reason = "a data set that is not as its description says must stop the test")]

use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use tollgate_pii_redactor::{Finding, Redactor};

/// The samples; without their folder the test says so and passes, unless the data is required.
fn rows() -> Option<Vec<Value>> {
    let file = "secrets_gitleaks.jsonl.gz";
    let Ok(folder) = std::env::var("TOLLGATE_PII") else {
        assert!(std::env::var("TOLLGATE_REQUIRE_DATA").is_err(), "TOLLGATE_PII is not set");
        eprintln!("SKIPPED: TOLLGATE_PII is not set, {file} was not scored");
        return None;
    };
    let lines = BufReader::new(GzDecoder::new(File::open(PathBuf::from(folder).join(file)).unwrap())).lines();
    Some(lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect())
}

/// Rules whose vendors publish a form that is theirs alone, and the type that has it.
const WITH_A_FORM: &[(&str, &str)] = &[
    ("1password-secret-key", "ONEPASSWORD_TOKEN"),
    ("1password-service-account-token", "ONEPASSWORD_TOKEN"),
    ("age-secret-key", "AGE_SECRET_KEY"),
    ("airtable-personnal-access-token", "AIRTABLE_TOKEN"),
    ("alibaba-access-key-id", "ALIBABA_KEY"),
    ("anthropic-admin-api-key", "ANTHROPIC_KEY"),
    ("anthropic-api-key", "ANTHROPIC_KEY"),
    ("atlassian-api-token", "ATLASSIAN_TOKEN"),
    ("aws-access-token", "AWS_ACCESS_KEY"),
    ("aws-amazon-bedrock-api-key-short-lived", "AWS_BEDROCK_KEY"),
    ("azure-ad-client-secret", "AZURE_CLIENT_SECRET"),
    ("clickhouse-cloud-api-secret-key", "CLICKHOUSE_KEY"),
    ("clojars-api-token", "API_KEY"),
    ("cloudflare-origin-ca-key", "CLOUDFLARE_KEY"),
    ("curl-auth-header", "AUTHORIZATION"),
    ("curl-auth-user", "PASSWORD"),
    ("databricks-api-token", "DATABRICKS_TOKEN"),
    ("defined-networking-api-token", "API_KEY"),
    ("digitalocean-access-token", "DIGITALOCEAN_TOKEN"),
    ("digitalocean-pat", "DIGITALOCEAN_TOKEN"),
    ("digitalocean-refresh-token", "DIGITALOCEAN_TOKEN"),
    ("doppler-api-token", "DOPPLER_TOKEN"),
    ("duffel-api-token", "API_KEY"),
    ("dynatrace-api-token", "DYNATRACE_TOKEN"),
    ("easypost-api-token", "API_KEY"),
    ("easypost-test-api-token", "API_KEY"),
    ("facebook-access-token", "FACEBOOK_TOKEN"),
    ("facebook-page-access-token", "FACEBOOK_TOKEN"),
    ("flutterwave-encryption-key", "API_KEY"),
    ("flutterwave-public-key", "API_KEY"),
    ("flutterwave-secret-key", "API_KEY"),
    ("flyio-access-token", "FLYIO_TOKEN"),
    ("frameio-api-token", "API_KEY"),
    ("gcp-api-key", "GCP_API_KEY"),
    ("github-app-token", "GITHUB_TOKEN"),
    ("github-fine-grained-pat", "GITHUB_TOKEN"),
    ("github-oauth", "GITHUB_TOKEN"),
    ("github-pat", "GITHUB_TOKEN"),
    ("github-refresh-token", "GITHUB_TOKEN"),
    ("gitlab-cicd-job-token", "GITLAB_TOKEN"),
    ("gitlab-deploy-token", "GITLAB_TOKEN"),
    ("gitlab-feature-flag-client-token", "GITLAB_TOKEN"),
    ("gitlab-feed-token", "GITLAB_TOKEN"),
    ("gitlab-incoming-mail-token", "GITLAB_TOKEN"),
    ("gitlab-kubernetes-agent-token", "GITLAB_TOKEN"),
    ("gitlab-oauth-app-secret", "GITLAB_TOKEN"),
    ("gitlab-pat", "GITLAB_PAT"),
    ("gitlab-pat-routable", "GITLAB_PAT"),
    ("gitlab-ptt", "GITLAB_TOKEN"),
    ("gitlab-rrt", "GITLAB_TOKEN"),
    ("gitlab-runner-authentication-token", "GITLAB_TOKEN"),
    ("gitlab-runner-authentication-token-routable", "GITLAB_TOKEN"),
    ("gitlab-scim-token", "GITLAB_TOKEN"),
    ("gitlab-session-cookie", "GITLAB_TOKEN"),
    ("grafana-api-key", "GRAFANA_TOKEN"),
    ("grafana-cloud-api-token", "GRAFANA_TOKEN"),
    ("grafana-service-account-token", "GRAFANA_TOKEN"),
    ("harness-api-key", "API_KEY"),
    ("hashicorp-tf-api-token", "TERRAFORM_TOKEN"),
    ("heroku-api-key-v2", "HEROKU_KEY"),
    ("huggingface-access-token", "HF_TOKEN"),
    ("huggingface-organization-api-token", "HF_TOKEN"),
    ("infracost-api-token", "API_KEY"),
    ("intra42-client-secret", "API_KEY"),
    ("jwt", "JWT"),
    ("linear-api-key", "LINEAR_KEY"),
    ("lob-api-key", "API_KEY"),
    ("lob-pub-api-key", "API_KEY"),
    ("mailchimp-api-key", "MAILCHIMP_KEY"),
    ("mailgun-private-api-token", "MAILGUN_KEY"),
    ("mailgun-pub-key", "MAILGUN_KEY"),
    ("mapbox-api-token", "API_KEY"),
    ("new-relic-browser-api-token", "NEW_RELIC_KEY"),
    ("new-relic-insert-key", "NEW_RELIC_KEY"),
    ("new-relic-user-api-key", "NEW_RELIC_KEY"),
    ("notion-api-token", "NOTION_TOKEN"),
    ("npm-access-token", "NPM_TOKEN"),
    ("octopus-deploy-api-key", "API_KEY"),
    ("openai-api-key", "OPENAI_KEY"),
    ("openshift-user-token", "OPENSHIFT_TOKEN"),
    ("perplexity-api-key", "PERPLEXITY_KEY"),
    ("plaid-api-token", "API_KEY"),
    ("planetscale-api-token", "PLANETSCALE_TOKEN"),
    ("planetscale-oauth-token", "PLANETSCALE_TOKEN"),
    ("planetscale-password", "PLANETSCALE_TOKEN"),
    ("postman-api-token", "POSTMAN_KEY"),
    ("prefect-api-token", "API_KEY"),
    ("private-key", "PRIVATE_KEY"),
    ("pulumi-api-token", "PULUMI_TOKEN"),
    ("pypi-upload-token", "PYPI_TOKEN"),
    ("readme-api-token", "API_KEY"),
    ("rubygems-api-token", "RUBYGEMS_TOKEN"),
    ("scalingo-api-token", "SCALINGO_TOKEN"),
    ("sendgrid-api-token", "SENDGRID_KEY"),
    ("sendinblue-api-token", "BREVO_KEY"),
    ("sentry-org-token", "SENTRY_TOKEN"),
    ("sentry-user-token", "SENTRY_TOKEN"),
    ("settlemint-application-access-token", "API_KEY"),
    ("settlemint-personal-access-token", "API_KEY"),
    ("settlemint-service-access-token", "API_KEY"),
    ("shippo-api-token", "API_KEY"),
    ("shopify-access-token", "SHOPIFY_TOKEN"),
    ("shopify-custom-access-token", "SHOPIFY_TOKEN"),
    ("shopify-private-app-access-token", "SHOPIFY_TOKEN"),
    ("shopify-shared-secret", "SHOPIFY_TOKEN"),
    ("sidekiq-sensitive-url", "URL_CREDENTIAL"),
    ("slack-app-token", "SLACK_TOKEN"),
    ("slack-bot-token", "SLACK_TOKEN"),
    ("slack-config-access-token", "SLACK_TOKEN"),
    ("slack-config-refresh-token", "SLACK_TOKEN"),
    ("slack-legacy-bot-token", "SLACK_TOKEN"),
    ("slack-legacy-token", "SLACK_TOKEN"),
    ("slack-legacy-workspace-token", "SLACK_TOKEN"),
    ("slack-user-token", "SLACK_TOKEN"),
    ("slack-webhook-url", "SLACK_WEBHOOK"),
    ("sourcegraph-access-token", "API_KEY"),
    ("square-access-token", "SQUARE_TOKEN"),
    ("stripe-access-token", "STRIPE_KEY"),
    ("twilio-api-key", "TWILIO_KEY"),
    ("twitter-bearer-token", "TWITTER_TOKEN"),
    ("typeform-api-token", "API_KEY"),
    ("vault-service-token", "VAULT_TOKEN"),
    ("yandex-access-token", "YANDEX_KEY"),
    ("yandex-api-key", "YANDEX_KEY"),
    ("yandex-aws-access-token", "YANDEX_KEY"),
];

/// Rules whose values are random without a mark, so that only a name before them tells: the type is that of the name.
const WITH_A_NAME: &[&str] = &[];

/// Whether a finding says what the row says: of that type, and over the value where the row knows its place.
fn hits(row: &Value, found: &[Finding], kind: &str) -> bool {
    let place = |field: &str| row[field].as_u64().and_then(|place| usize::try_from(place).ok());
    // Places in the rows count characters; the generated texts are ASCII.
    let value = place("start").zip(place("end"));
    found.iter().any(|finding| {
        let over = value.is_none_or(|(start, end)| finding.start < end && finding.end > start);
        over && (kind.is_empty() || Redactor::type_name(finding.kind) == kind)
    })
}

fn kinds(found: &[Finding]) -> Vec<&'static str> {
    found.iter().map(|finding| Redactor::type_name(finding.kind)).collect()
}

#[test]
fn secrets_of_the_rules() {
    let Some(rows) = rows() else { return };
    let redactor = Redactor::default();
    let mut by_rule: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    let (mut supported, mut right, mut all, mut any) = (0, 0, 0, 0);
    for row in rows.iter().filter(|row| row["positive"] == true) {
        let (rule, text) = (row["rule"].as_str().unwrap(), row["text"].as_str().unwrap());
        let found = redactor.redact_text(text).1;
        let kind = WITH_A_FORM.iter().find(|known| known.0 == rule).map(|known| known.1);
        let kind = kind.or_else(|| WITH_A_NAME.contains(&rule).then_some(""));
        let hit = kind.is_some_and(|kind| hits(row, &found, kind));
        let seen = hits(row, &found, "");
        let entry = by_rule.entry(rule).or_default();
        entry.0 += usize::from(hit);
        entry.1 += usize::from(seen);
        entry.2 += 1;
        all += 1;
        any += usize::from(seen);
        supported += usize::from(kind.is_some());
        right += usize::from(hit);
        if !seen || (kind.is_some() && !hit) {
            println!("missed {rule}: {:?} {:?}", kinds(&found), &text.chars().take(160).collect::<String>());
        }
    }
    for (rule, (hit, seen, all)) in &by_rule {
        println!("  {rule:46} {hit:2} / {seen:2} of {all:2}");
    }
    println!("supported {right} of {supported}, any {any} of {all}");
    let (mut hits, mut negatives) = (0, 0);
    for row in rows.iter().filter(|row| row["positive"] == false) {
        let text = row["text"].as_str().unwrap();
        let found = redactor.redact_text(text).1;
        let secret: Vec<_> = found
            .iter()
            .filter(|f| {
                !["EMAIL_ADDRESS", "IP_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "US_SSN", "IBAN_CODE"]
                    .contains(&Redactor::type_name(f.kind))
            })
            .copied()
            .collect();
        negatives += 1;
        hits += usize::from(!secret.is_empty());
        if let Some(first) = secret.first() {
            println!(
                "wrong {}: {:?} {:?}",
                row["rule"],
                kinds(&secret),
                &text[first.start..first.end].chars().take(100).collect::<String>()
            );
        }
    }
    println!("negatives {hits} of {negatives}");
}
