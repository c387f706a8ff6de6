//! The forms of keys and tokens as their issuers publish them, in their references or for secret scanning.
//!
//! Each row: the type, the parts (a literal, and how many characters of which alphabet follow), what else is asked of
//! them, and who issues it.

use crate::kind::Kind;
use crate::secret::form::{ANY, Alphabet, By, Check, Form, Group, Part, count};
use Alphabet::{Base32, Base64, Digit, Dotted, Encoded, Hex, Plain, Upper, Url};
use Check::{Random, Real, Sum};

macro_rules! forms {
    ($($kind:ident $rule:literal $check:expr; $($prefix:literal $alphabet:ident $shortest:literal..$longest:expr),+;)+) => {
        &[$(Form {
            kind: Kind::$kind,
            parts: &[$(Part($prefix, $alphabet, $shortest, $longest)),+],
            check: $check,
            rule: concat!("form of a key: ", $rule),
        },)+]
    };
}

/// Every form.
pub(super) const FORMS: &[Form] = forms! {
    // Clouds.
    AWS_ACCESS_KEY "AWS access key id" Real; "AKIA" Base32 16..16;
    AWS_ACCESS_KEY "AWS temporary access key id" Real; "ASIA" Base32 16..16;
    AWS_ACCESS_KEY "AWS bearer token id" Real; "ABIA" Base32 16..16;
    AWS_ACCESS_KEY "AWS context credential id" Real; "ACCA" Base32 16..16;
    AWS_BEDROCK_KEY "Bedrock, long-lived" Real; "ABSKQmVkcm9ja0FQSUtleS" Base64 80..ANY;
    AWS_BEDROCK_KEY "Bedrock, short-lived" Check::Form; "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t" Base64 0..ANY;
    GCP_API_KEY "Google API key" Random(5); "AIza" Url 35..35;
    GCP_API_KEY "Google API key bound to a service account" Random(16); "AQ.Ab8RN6" Url 40..60;
    GOOGLE_OAUTH_TOKEN "Google access token" Random(10); "ya29." Dotted 20..ANY;
    GOOGLE_OAUTH_TOKEN "Google refresh token" Random(10); "1//0" Url 40..ANY;
    GOOGLE_OAUTH_SECRET "Google OAuth client" Real; "GOCSPX-" Url 28..28;
    ALIBABA_KEY "Alibaba Cloud access key id" Random(12); "LTAI" Plain 12..26;
    TENCENT_KEY "Tencent Cloud secret id" Random(16); "AKID" Plain 32..32;
    YANDEX_KEY "Yandex API key" Random(8); "AQVN" Url 35..36;
    YANDEX_KEY "Yandex access key" Random(8); "YCA" Url 37..37;
    YANDEX_KEY "Yandex secret key" Random(8); "YCB" Url 37..37;
    YANDEX_KEY "Yandex IAM token" Real; "t1." Url 5..ANY, "." Url 40..ANY;
    DIGITALOCEAN_TOKEN "DigitalOcean personal" Real; "dop_v1_" Hex 64..64;
    DIGITALOCEAN_TOKEN "DigitalOcean OAuth" Real; "doo_v1_" Hex 64..64;
    DIGITALOCEAN_TOKEN "DigitalOcean refresh" Real; "dor_v1_" Hex 64..64;
    CLOUDFLARE_KEY "Cloudflare origin CA" Real; "v1.0-" Hex 24..24, "-" Hex 146..146;
    DATABRICKS_TOKEN "Databricks" Real; "dapi" Hex 32..32;
    DATABRICKS_TOKEN "Databricks, numbered" Real; "dapi" Hex 32..32, "-" Digit 1..1;
    FLYIO_TOKEN "Fly.io" Random(6); "fo1_" Url 43..43;
    FLYIO_TOKEN "Fly.io macaroon" Real; "fm1r_" Base64 80..ANY;
    FLYIO_TOKEN "Fly.io macaroon" Real; "fm1a_" Base64 80..ANY;
    FLYIO_TOKEN "Fly.io macaroon" Real; "fm2_" Base64 80..ANY;
    HEROKU_KEY "Heroku" Random(6); "HRKU-AA" Url 58..58;
    SCALINGO_TOKEN "Scalingo" Real; "tk-us-" Url 48..48;
    OPENSHIFT_TOKEN "OpenShift" Real; "sha256~" Url 43..43;
    PLANETSCALE_TOKEN "PlanetScale password" Real; "pscale_pw_" Dotted 32..64;
    PLANETSCALE_TOKEN "PlanetScale token" Real; "pscale_tkn_" Dotted 32..64;
    PLANETSCALE_TOKEN "PlanetScale OAuth" Real; "pscale_oauth_" Dotted 32..64;
    CLICKHOUSE_KEY "ClickHouse Cloud" Real; "4b1d" Plain 38..38;
    API_KEY "Supabase" Real; "sbp_" Hex 40..40;
    API_KEY "Netlify" Real; "nfp_" Plain 36..36;
    API_KEY "Render" Real; "rnd_" Plain 28..40;

    // Code and packages.
    GITHUB_TOKEN "GitHub personal" Sum; "ghp_" Plain 36..251;
    GITHUB_TOKEN "GitHub OAuth" Sum; "gho_" Plain 36..251;
    GITHUB_TOKEN "GitHub app, for a user" Sum; "ghu_" Plain 36..251;
    GITHUB_TOKEN "GitHub app" Sum; "ghs_" Plain 36..251;
    GITHUB_TOKEN "GitHub refresh" Sum; "ghr_" Plain 36..251;
    GITHUB_TOKEN "GitHub fine-grained" Real; "github_pat_" Url 82..82;
    GITLAB_PAT "GitLab personal" Real; "glpat-" Url 20..ANY;
    GITLAB_PAT "GitLab personal, routable" Real; "glpat-" Url 27..300, "." Plain 9..9;
    GITLAB_TOKEN "GitLab pipeline trigger" Real; "glptt-" Url 20..ANY;
    GITLAB_TOKEN "GitLab runner registration" Random(6); "GR1348941" Url 20..20;
    GITLAB_TOKEN "GitLab runner" Real; "glrt-" Url 20..ANY;
    GITLAB_TOKEN "GitLab runner, routable" Real; "glrt-" Url 27..300, "." Plain 9..9;
    GITLAB_TOKEN "GitLab job" Real; "glcbt-" Url 20..ANY;
    GITLAB_TOKEN "GitLab deploy" Real; "gldt-" Url 20..ANY;
    GITLAB_TOKEN "GitLab feature flags" Real; "glffct-" Url 20..ANY;
    GITLAB_TOKEN "GitLab feed" Real; "glft-" Url 20..ANY;
    GITLAB_TOKEN "GitLab incoming mail" Real; "glimt-" Url 20..ANY;
    GITLAB_TOKEN "GitLab cluster agent" Real; "glagent-" Url 20..ANY;
    GITLAB_TOKEN "GitLab OAuth application" Real; "gloas-" Url 20..ANY;
    GITLAB_TOKEN "GitLab SCIM" Real; "glsoat-" Url 20..ANY;
    GITLAB_TOKEN "GitLab workspace" Real; "glwt-" Url 20..ANY;
    GITLAB_TOKEN "GitLab session cookie" Real; "_gitlab_session=" Plain 32..32;
    ATLASSIAN_TOKEN "Atlassian" Real; "ATATT3" Dotted 60..ANY;
    ATLASSIAN_TOKEN "Atlassian" Real; "ATCTT3" Dotted 60..ANY;
    ATLASSIAN_TOKEN "Bitbucket app password" Real; "ATBB" Plain 32..32;
    NPM_TOKEN "npm" Sum; "npm_" Plain 36..36;
    PYPI_TOKEN "PyPI" Real; "pypi-AgE" Url 50..ANY;
    RUBYGEMS_TOKEN "RubyGems" Real; "rubygems_" Hex 48..48;
    API_KEY "Clojars" Real; "CLOJARS_" Plain 60..60;
    API_KEY "crates.io" Real; "cio" Plain 32..32;
    API_KEY "NuGet" Random(12); "oy2" Plain 43..43;
    API_KEY "Docker Hub" Real; "dckr_pat_" Url 27..ANY;
    API_KEY "Docker organisation" Real; "dckr_oat_" Url 32..ANY;
    API_KEY "Artifactory" Real; "AKCp" Plain 69..69;
    API_KEY "Artifactory reference" Real; "cmVmdGtuO" Plain 50..64;
    API_KEY "Sourcegraph" Real; "sgp_" Hex 40..40;
    API_KEY "Sourcegraph" Real; "sgp_" Hex 16..16, "_" Hex 40..40;
    API_KEY "Sourcegraph, local" Real; "sgp_local_" Hex 40..40;
    API_KEY "SonarQube" Real; "sqp_" Hex 40..40;
    API_KEY "SonarQube" Real; "squ_" Hex 40..40;
    API_KEY "SonarQube" Real; "sqa_" Hex 40..40;
    API_KEY "CircleCI" Real; "CCIPAT_" Url 40..ANY;
    API_KEY "Octopus Deploy" Random(20); "API-" Upper 26..26;
    API_KEY "Harness" Real; "pat." Url 22..22, "." Plain 24..24, "." Plain 20..20;
    API_KEY "Harness" Real; "sat." Url 22..22, "." Plain 24..24, "." Plain 20..20;

    // Infrastructure and the keeping of secrets.
    VAULT_TOKEN "Vault service" Random(16); "hvs." Url 24..ANY;
    VAULT_TOKEN "Vault batch" Random(16); "hvb." Url 24..ANY;
    VAULT_TOKEN "Vault recovery" Random(16); "hvr." Url 24..ANY;
    VAULT_TOKEN "Vault service, before 1.10" Random(24); "s." Plain 24..24;
    TERRAFORM_TOKEN "Terraform Cloud" Real; "" Plain 14..14, ".atlasv1." Dotted 60..70;
    DOPPLER_TOKEN "Doppler" Real; "dp.pt." Plain 40..44;
    DOPPLER_TOKEN "Doppler service" Real; "dp.st." Url 2..35, "." Plain 40..44;
    DOPPLER_TOKEN "Doppler CLI" Real; "dp.ct." Plain 40..44;
    PULUMI_TOKEN "Pulumi" Real; "pul-" Hex 40..40;
    API_KEY "Prefect" Real; "pnu_" Plain 36..36;
    API_KEY "Infracost" Random(6); "ico-" Plain 32..32;
    AGE_SECRET_KEY "age" Real; "AGE-SECRET-KEY-1" Upper 58..58;
    ONEPASSWORD_TOKEN "1Password service account" Real; "ops_eyJ" Dotted 80..ANY;
    ONEPASSWORD_TOKEN "1Password secret key" Real; "A3-" Upper 6..6, "-" Upper 11..11, "-" Upper 5..5, "-" Upper 5..5, "-" Upper 5..5;
    ONEPASSWORD_TOKEN "1Password secret key" Real; "A3-" Upper 6..6, "-" Upper 6..6, "-" Upper 5..5, "-" Upper 5..5, "-" Upper 5..5, "-" Upper 5..5;
    API_KEY "Tailscale" Random(8); "tskey-" Url 20..ANY;
    API_KEY "Defined Networking" Real; "dnkey-" Dotted 60..90;

    // Language models.
    OPENAI_KEY "OpenAI project" Random(12); "sk-proj-" Url 48..ANY;
    OPENAI_KEY "OpenAI service account" Random(12); "sk-svcacct-" Url 40..ANY;
    OPENAI_KEY "OpenAI administrator" Random(12); "sk-admin-" Url 40..ANY;
    OPENAI_KEY "OpenAI user" Check::Form; "sk-" Plain 20..20, "T3BlbkFJ" Plain 20..20;
    ANTHROPIC_KEY "Anthropic" Random(12); "sk-ant-" Url 60..ANY;
    OPENROUTER_KEY "OpenRouter" Real; "sk-or-v1-" Hex 64..64;
    LLM_KEY "DeepSeek, DashScope and others" Real; "sk-" Hex 32..32;
    LLM_KEY "Moonshot, OpenAI and others" Random(16); "sk-" Plain 40..64;
    LLM_KEY "a vendor of language models" Random(16); "sk-" Url 20..ANY;
    XAI_KEY "xAI" Real; "xai-" Plain 60..100;
    GROQ_KEY "Groq" Real; "gsk_" Plain 48..60;
    PERPLEXITY_KEY "Perplexity" Real; "pplx-" Plain 48..64;
    HF_TOKEN "Hugging Face" Real; "hf_" Plain 34..40;
    HF_TOKEN "Hugging Face organisation" Real; "api_org_" Plain 34..34;
    REPLICATE_TOKEN "Replicate" Real; "r8_" Plain 37..40;
    NVIDIA_KEY "NVIDIA" Real; "nvapi-" Url 60..ANY;
    ZHIPU_KEY "Zhipu" Real; "" Hex 32..32, "." Plain 16..16;
    LLM_KEY "Cerebras" Real; "csk-" Plain 40..64;
    LLM_KEY "Together" Real; "tgp_v1_" Url 43..43;
    LLM_KEY "Fireworks" Random(16); "fw_" Plain 20..40;
    LLM_KEY "Voyage" Random(10); "pa-" Url 43..43;
    LLM_KEY "Jina" Real; "jina_" Url 48..70;
    LLM_KEY "LangSmith" Real; "lsv2_pt_" Hex 32..32, "_" Hex 10..10;
    LLM_KEY "LangSmith" Real; "lsv2_sk_" Hex 32..32, "_" Hex 10..10;
    LLM_KEY "Langfuse" Real; "sk-lf-" Url 36..36;
    LLM_KEY "Pinecone" Real; "pcsk_" Url 60..80;
    LLM_KEY "Tavily" Random(16); "tvly-" Url 32..64;
    LLM_KEY "Baidu Qianfan" Real; "bce-v3/ALTAK-" Plain 21..21, "/" Hex 40..40;
    LLM_KEY "ElevenLabs" Real; "sk_" Hex 48..48;

    // Talking and mailing.
    SLACK_TOKEN "Slack bot" Real; "xoxb-" Digit 9..14, "-" Digit 9..14, "-" Url 20..ANY;
    SLACK_TOKEN "Slack bot, before 2018" Real; "xoxb-" Digit 8..14, "-" Plain 18..26;
    SLACK_TOKEN "Slack user" Real; "xoxp-" Digit 9..13, "-" Digit 9..13, "-" Digit 9..13, "-" Plain 28..34;
    SLACK_TOKEN "Slack user" Real; "xoxp-" Digit 9..13, "-" Digit 9..13, "-" Plain 24..34;
    SLACK_TOKEN "Slack workspace" Real; "xoxe-" Digit 9..13, "-" Digit 9..13, "-" Digit 9..13, "-" Plain 28..34;
    SLACK_TOKEN "Slack configuration" Random(16); "xoxe.xoxp-" Digit 1..1, "-" Plain 140..ANY;
    SLACK_TOKEN "Slack configuration" Random(16); "xoxe.xoxb-" Digit 1..1, "-" Plain 140..ANY;
    SLACK_TOKEN "Slack refresh" Random(16); "xoxe-" Digit 1..1, "-" Plain 140..ANY;
    SLACK_TOKEN "Slack workspace, old" Random(10); "xoxa-" Url 20..100;
    SLACK_TOKEN "Slack workspace, old" Random(10); "xoxr-" Url 20..100;
    SLACK_TOKEN "Slack user, old" Real; "xoxs-" Digit 9..13, "-" Digit 8..13, "-" Digit 7..13, "-" Hex 10..64;
    SLACK_TOKEN "Slack user, old" Real; "xoxo-" Digit 9..13, "-" Digit 8..13, "-" Digit 7..13, "-" Hex 10..64;
    SLACK_TOKEN "Slack cookie" Random(16); "xoxd-" Url 40..ANY;
    SLACK_TOKEN "Slack client" Real; "xoxc-" Digit 9..13, "-" Digit 9..13, "-" Digit 9..13, "-" Hex 64..64;
    SLACK_TOKEN "Slack app" Real; "xapp-" Digit 1..1, "-" Upper 8..14, "-" Digit 9..14, "-" Hex 32..64;
    SENDGRID_KEY "SendGrid" Real; "SG." Dotted 66..66;
    TWILIO_KEY "Twilio" Real; "SK" Hex 32..32;
    TELEGRAM_TOKEN "Telegram bot" Real; "" Digit 8..10, ":AA" Url 33..33;
    DISCORD_TOKEN "Discord bot" Random(16); "M" Plain 23..27, "." Url 6..6, "." Url 27..38;
    DISCORD_TOKEN "Discord bot" Random(16); "N" Plain 23..27, "." Url 6..6, "." Url 27..38;
    DISCORD_TOKEN "Discord bot" Random(16); "O" Plain 23..27, "." Url 6..6, "." Url 27..38;
    MAILGUN_KEY "Mailgun" Real; "key-" Hex 32..32;
    MAILGUN_KEY "Mailgun public" Real; "pubkey-" Hex 32..32;
    MAILCHIMP_KEY "Mailchimp" Real; "" Hex 32..32, "-us" Digit 1..2;
    BREVO_KEY "Brevo" Real; "xkeysib-" Hex 64..64, "-" Plain 16..16;
    BREVO_KEY "Brevo SMTP" Real; "xsmtpsib-" Hex 64..64, "-" Plain 16..16;

    // Paying and selling.
    STRIPE_KEY "Stripe secret" Real; "sk_live_" Plain 10..ANY;
    STRIPE_KEY "Stripe secret" Real; "sk_test_" Plain 10..ANY;
    STRIPE_KEY "Stripe secret" Real; "sk_prod_" Plain 10..ANY;
    STRIPE_KEY "Stripe restricted" Real; "rk_live_" Plain 10..ANY;
    STRIPE_KEY "Stripe restricted" Real; "rk_test_" Plain 10..ANY;
    STRIPE_KEY "Stripe restricted" Real; "rk_prod_" Plain 10..ANY;
    STRIPE_KEY "Stripe webhook" Random(16); "whsec_" Plain 24..64;
    SQUARE_TOKEN "Square" Random(6); "EAAA" Url 22..60;
    SQUARE_TOKEN "Square" Random(6); "sq0atp-" Url 22..60;
    SQUARE_TOKEN "Square OAuth" Random(6); "sq0csp-" Url 43..60;
    SHOPIFY_TOKEN "Shopify access" Real; "shpat_" Hex 32..32;
    SHOPIFY_TOKEN "Shopify custom app" Real; "shpca_" Hex 32..32;
    SHOPIFY_TOKEN "Shopify private app" Real; "shppa_" Hex 32..32;
    SHOPIFY_TOKEN "Shopify shared secret" Real; "shpss_" Hex 32..32;
    API_KEY "EasyPost" Random(10); "EZAK" Plain 54..54;
    API_KEY "EasyPost test" Random(10); "EZTK" Plain 54..54;
    API_KEY "Flutterwave public" Real; "FLWPUBK_TEST-" Hex 32..32, "-X" Plain 0..0;
    API_KEY "Flutterwave secret" Real; "FLWSECK_TEST-" Hex 32..32, "-X" Plain 0..0;
    API_KEY "Flutterwave secret" Real; "FLWSECK-" Hex 32..32, "-X" Plain 0..0;
    API_KEY "Flutterwave encryption" Real; "FLWSECK_TEST-" Hex 12..12;
    API_KEY "Shippo" Real; "shippo_live_" Hex 40..40;
    API_KEY "Shippo test" Real; "shippo_test_" Hex 40..40;
    API_KEY "Duffel" Real; "duffel_test_" Dotted 43..43;
    API_KEY "Duffel" Real; "duffel_live_" Dotted 43..43;
    API_KEY "Plaid" Real; "access-sandbox-" Hex 8..8, "-" Url 27..27;
    API_KEY "Plaid" Real; "access-development-" Hex 8..8, "-" Url 27..27;
    API_KEY "Plaid" Real; "access-production-" Hex 8..8, "-" Url 27..27;
    API_KEY "Lob" Real; "live_" Hex 35..35;
    API_KEY "Lob test" Real; "test_" Hex 35..35;
    API_KEY "Lob public" Real; "live_pub_" Hex 31..31;
    API_KEY "Lob public test" Real; "test_pub_" Hex 31..31;

    // Watching, planning, drawing.
    GRAFANA_TOKEN "Grafana service account" Real; "glsa_" Plain 32..32, "_" Hex 8..8;
    GRAFANA_TOKEN "Grafana Cloud" Random(16); "glc_" Base64 32..ANY;
    GRAFANA_TOKEN "Grafana API key" Real; "eyJrIjoi" Base64 60..ANY;
    SENTRY_TOKEN "Sentry user" Real; "sntryu_" Hex 64..64;
    SENTRY_TOKEN "Sentry organisation" Real; "sntrys_eyJ" Base64 60..ANY, "_" Base64 43..ANY;
    NEW_RELIC_KEY "New Relic user" Real; "NRAK-" Plain 27..27;
    NEW_RELIC_KEY "New Relic insert" Real; "NRII-" Url 32..32;
    NEW_RELIC_KEY "New Relic browser" Real; "NRJS-" Hex 19..19;
    DYNATRACE_TOKEN "Dynatrace" Real; "dt0c01." Upper 24..24, "." Upper 64..64;
    DYNATRACE_TOKEN "Dynatrace" Real; "dt0c01." Plain 24..24, "." Plain 64..64;
    POSTMAN_KEY "Postman" Real; "PMAK-" Hex 24..24, "-" Hex 34..34;
    LINEAR_KEY "Linear" Real; "lin_api_" Plain 40..40;
    NOTION_TOKEN "Notion" Random(16); "ntn_" Digit 11..11, "" Plain 35..35;
    NOTION_TOKEN "Notion, before 2024" Random(16); "secret_" Plain 43..43;
    AIRTABLE_TOKEN "Airtable" Real; "pat" Plain 14..14, "." Hex 64..64;
    API_KEY "Figma" Real; "figd_" Url 40..40;
    API_KEY "Typeform" Real; "tfp_" Dotted 44..64;
    API_KEY "ReadMe" Real; "rdme_" Plain 70..70;
    API_KEY "Frame.io" Random(6); "fio-u-" Dotted 64..64;
    API_KEY "Contentful" Real; "CFPAT-" Url 43..43;
    API_KEY "HubSpot" Real; "pat-na1-" Hex 8..8, "-" Url 27..27;
    API_KEY "HubSpot" Real; "pat-eu1-" Hex 8..8, "-" Url 27..27;
    API_KEY "Adafruit" Real; "aio_" Plain 28..28;
    API_KEY "Mapbox" Real; "sk.eyJ" Url 40..ANY, "." Url 20..ANY;
    API_KEY "Mapbox" Random(16); "pk." Plain 60..60, "." Plain 22..22;
    API_KEY "Intra 42" Real; "s-s4t2ud-" Hex 64..64;
    API_KEY "Intra 42" Real; "s-s4t2af-" Hex 64..64;
    API_KEY "SettleMint" Real; "sm_pat_" Plain 16..16;
    API_KEY "SettleMint" Real; "sm_aat_" Plain 16..16;
    API_KEY "SettleMint" Real; "sm_sat_" Plain 16..16;
    FACEBOOK_TOKEN "Meta app" Real; "" Digit 15..16, "|" Url 27..40;
    FACEBOOK_TOKEN "Meta page or user" Random(20); "EAAM" Plain 100..ANY;
    FACEBOOK_TOKEN "Meta page or user" Random(20); "EAAC" Plain 100..ANY;
    FACEBOOK_TOKEN "Meta page or user" Random(20); "EAA" Plain 100..ANY;
    TWITTER_TOKEN "X bearer" Check::Form; "AAAAAAAAAAAAAAAAAAAAAA" Encoded 60..ANY;
};

/// Forms by how they are recognised.
pub(super) static HYPHEN: Group<{ count(FORMS, By::Anchor(b'-')) }> = Group::of(FORMS, By::Anchor(b'-'));
pub(super) static UNDERSCORE: Group<{ count(FORMS, By::Anchor(b'_')) }> = Group::of(FORMS, By::Anchor(b'_'));
pub(super) static TILDE: Group<{ count(FORMS, By::Anchor(b'~')) }> = Group::of(FORMS, By::Anchor(b'~'));
pub(super) static CAPITAL_A: Group<{ count(FORMS, By::Anchor(b'A')) }> = Group::of(FORMS, By::Anchor(b'A'));
pub(super) static CAPITAL_J: Group<{ count(FORMS, By::Anchor(b'J')) }> = Group::of(FORMS, By::Anchor(b'J'));
pub(super) static START: Group<{ count(FORMS, By::Start) }> = Group::of(FORMS, By::Start);
pub(super) static SHAPE: Group<{ count(FORMS, By::Shape) }> = Group::of(FORMS, By::Shape);
