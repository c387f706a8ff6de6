//! Secrets on labelled samples, where the data sets are at hand (folder in `TOLLGATE_PII`).

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use support::rows;
use tollgate_pii_redactor::{Category, Finding, Kind, Redactor};

const FILE: &str = "secrets_gitleaks.jsonl.gz";

/// Rules whose vendors publish a form that is theirs alone, and the type that has it; a header may hold any.
const WITH_A_FORM: &[(&str, &str)] = &[
    ("1password-secret-key", "ONEPASSWORD_TOKEN"),
    ("1password-service-account-token", "ONEPASSWORD_TOKEN"),
    ("age-secret-key", "AGE_SECRET_KEY"),
    ("airtable-personnal-access-token", "AIRTABLE_TOKEN"),
    ("alibaba-access-key-id", "ALIBABA_KEY"),
    ("anthropic-admin-api-key", "ANTHROPIC_KEY"),
    ("anthropic-api-key", "ANTHROPIC_KEY"),
    ("aws-access-token", "AWS_ACCESS_KEY"),
    ("aws-amazon-bedrock-api-key-short-lived", "AWS_BEDROCK_KEY"),
    ("azure-ad-client-secret", "AZURE_CLIENT_SECRET"),
    ("clickhouse-cloud-api-secret-key", "CLICKHOUSE_KEY"),
    ("clojars-api-token", "API_KEY"),
    ("cloudflare-origin-ca-key", "CLOUDFLARE_KEY"),
    ("curl-auth-header", ""),
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
    ("aws-amazon-bedrock-api-key-long-lived", "AWS_BEDROCK_KEY"),
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
    ("square-secret", ""),
    ("stripe-access-token", "STRIPE_KEY"),
    ("twilio-api-key", "TWILIO_KEY"),
    ("twitter-bearer-token", "TWITTER_TOKEN"),
    ("typeform-api-token", "API_KEY"),
    ("vault-service-token", "VAULT_TOKEN"),
    ("yandex-access-token", "YANDEX_KEY"),
    ("yandex-api-key", "YANDEX_KEY"),
    ("yandex-aws-access-token", "YANDEX_KEY"),
];

/// Rules whose values are random without a mark of the vendor: only a name before them tells, and gives the type.
const WITH_A_NAME: &[&str] = &[
    "adafruit-api-key",
    "adobe-client-id",
    "airtable-api-key",
    "algolia-api-key",
    "alibaba-secret-key",
    "asana-client-secret",
    "atlassian-api-token",
    "beamer-api-token",
    "bitbucket-client-id",
    "bitbucket-client-secret",
    "bittrex-access-key",
    "bittrex-secret-key",
    "cisco-meraki-api-key",
    "cloudflare-api-key",
    "cloudflare-global-api-key",
    "codecov-access-token",
    "cohere-api-token",
    "coinbase-access-token",
    "confluent-access-token",
    "confluent-secret-key",
    "contentful-delivery-api-token",
    "datadog-access-token",
    "discord-api-token",
    "discord-client-secret",
    "droneci-access-token",
    "dropbox-api-token",
    "etsy-access-token",
    "facebook-secret",
    "fastly-api-token",
    "finicity-api-token",
    "finicity-client-secret",
    "finnhub-access-token",
    "flickr-access-token",
    "freemius-secret-key",
    "freshbooks-access-token",
    "generic-api-key",
    "gitter-access-token",
    "gocardless-api-token",
    "heroku-api-key",
    "hubspot-api-key",
    "intercom-api-key",
    "jfrog-identity-token",
    "jwt",
    "kraken-access-token",
    "kucoin-access-token",
    "kucoin-secret-key",
    "launchdarkly-access-token",
    "linear-client-secret",
    "linkedin-client-id",
    "linkedin-client-secret",
    "looker-client-id",
    "looker-client-secret",
    "mailgun-signing-key",
    "mattermost-access-token",
    "maxmind-license-key",
    "messagebird-api-token",
    "messagebird-client-id",
    "netlify-access-token",
    "new-relic-user-api-id",
    "nuget-config-password",
    "nytimes-access-token",
    "okta-access-token",
    "plaid-client-id",
    "plaid-secret-key",
    "privateai-api-token",
    "rapidapi-access-token",
    "sendbird-access-id",
    "sendbird-access-token",
    "sentry-access-token",
    "sidekiq-secret",
    "snyk-api-token",
    "sonar-api-token",
    "squarespace-access-token",
    "sumologic-access-id",
    "sumologic-access-token",
    "travisci-access-token",
    "trello-access-token",
    "twitch-api-token",
    "twitter-access-secret",
    "twitter-access-token",
    "twitter-api-key",
    "twitter-api-secret",
    "zendesk-secret-key",
];

/// Rules that are not supported, and why.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("asana-client-id", "a number that identifies an application and opens nothing"),
    ("discord-client-id", "a number that identifies an application and opens nothing"),
    ("gcp-service-account", "the sample is the type of a file, without a value"),
    ("kubernetes-secret-yaml", "the kind of a manifest stands further from its values than a stream is looked at"),
];

/// The rule whose negatives are keys in full, which their owners published: their form is that of any other key.
const PUBLISHED: &str = "gcp-api-key";

/// The secrets among the findings.
fn secrets(text: &str) -> Vec<(&'static str, Finding)> {
    let found = Redactor::default().redact_text(text).1.into_iter();
    let named = found.filter_map(|finding| {
        let kind = Kind::all().find(|kind| kind.number() == finding.kind)?;
        (kind.category() == Category::Secret).then(|| (kind.name(), finding))
    });
    named.collect()
}

/// Whether a finding is of that type, any type where it is empty, and over the value where the row knows its place.
fn hits(row: &Value, found: &[(&str, Finding)], kind: &str) -> bool {
    let place = |field: &str| row[field].as_u64().and_then(|place| usize::try_from(place).ok());
    // Places in the rows count characters; the texts that have them are ASCII.
    let value = place("start").zip(place("end"));
    found.iter().any(|(name, finding)| {
        let over = value.is_none_or(|(start, end)| finding.start < end && finding.end > start);
        over && (kind.is_empty() || *name == kind)
    })
}

fn share(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a few hundred")]
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// What a rule asks for: a type, any type, or nothing where it is not supported.
fn expected(rule: &str) -> Option<&'static str> {
    let form = WITH_A_FORM.iter().find(|known| known.0 == rule).map(|known| known.1);
    let named = WITH_A_NAME.contains(&rule).then_some("");
    let unsupported = UNSUPPORTED.iter().any(|known| known.0 == rule);
    assert!(form.or(named).is_some() != unsupported, "{rule} must be in one table");
    form.or(named)
}

fn show(outcome: &str, row: &Value, found: &[(&str, Finding)]) {
    if std::env::var("TOLLGATE_SHOW_MISSES").is_ok() {
        let names: Vec<_> = found.iter().map(|found| found.0).collect();
        eprintln!("{outcome} {} {names:?} in {}", row["rule"], row["text"]);
    }
}

#[test]
fn secrets_are_found() {
    let Some(rows) = rows(FILE) else { return };
    let mut by_rule: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let (mut any, mut all) = (0, 0);
    for row in rows.iter().filter(|row| row["positive"] == true) {
        let rule = row["rule"].as_str().unwrap();
        let found = secrets(row["text"].as_str().unwrap());
        let kind = expected(rule);
        let hit = hits(row, &found, kind.unwrap_or(""));
        all += 1;
        any += usize::from(hits(row, &found, ""));
        let score = by_rule.entry(rule).or_default();
        score.0 += usize::from(hit);
        score.1 += 1;
        if !hit {
            show("missed", row, &found);
        }
    }
    let (mut found, mut supported) = (0, 0);
    for (rule, (hit, of)) in &by_rule {
        println!("  {rule:46} {hit:2} of {of:2}{}", if expected(rule).is_none() { "  unsupported" } else { "" });
        if expected(rule).is_some() {
            found += hit;
            supported += of;
        }
    }
    println!(
        "  supported rules {found} of {supported} {:.3}, all {any} of {all} {:.3}",
        share(found, supported),
        share(any, all)
    );
    assert!(share(found, supported) >= 0.95, "{found} of {supported}");
}

#[test]
fn what_is_no_secret_stays() {
    let Some(rows) = rows(FILE) else { return };
    let (mut wrong, mut all, mut published) = (0, 0, 0);
    for row in rows.iter().filter(|row| row["positive"] == false) {
        let found = secrets(row["text"].as_str().unwrap());
        let hit = !found.is_empty();
        if row["rule"] == PUBLISHED && found.iter().any(|found| found.0 == "GCP_API_KEY") {
            published += 1;
            continue;
        }
        all += 1;
        wrong += usize::from(hit);
        if hit {
            show("wrong", row, &found);
        }
    }
    println!("  hit {wrong} of {all} {:.3}, and {published} keys that were published", share(wrong, all));
    assert!(share(wrong, all) <= 0.03, "{wrong} of {all}");
}
