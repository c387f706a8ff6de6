//! Samples of secrets by rule: which are found, of the vendors that the redactor names and of all.

use crate::data::{Folder, Secret};
use crate::detector::Detector;
use crate::ours::Ours;
use crate::span::{Span, ratio};
use std::collections::BTreeMap;
use tollgate_pii_redactor::{Category, Kind};

/// How a vendor is called in names of types, where that is not how its rules begin.
const VENDORS: &[(&str, &[&str])] = &[
    ("alibaba", &["ALIBABA", "ALIYUN"]),
    ("aws-amazon-bedrock", &["AWS", "BEDROCK"]),
    ("azure-ad", &["AZURE", "MICROSOFT"]),
    ("cisco-meraki", &["CISCO", "MERAKI"]),
    ("curl-auth", &["HTTP", "AUTHORIZATION", "BASIC_AUTH"]),
    ("flyio", &["FLY", "FLYIO"]),
    ("gcp", &["GCP", "GOOGLE"]),
    ("generic-api-key", &["GENERIC", "PASSWORD"]),
    ("hashicorp-tf", &["TERRAFORM", "HASHICORP"]),
    ("huggingface", &["HF", "HUGGINGFACE", "HUGGING_FACE"]),
    ("jfrog", &["JFROG", "ARTIFACTORY"]),
    ("artifactory", &["JFROG", "ARTIFACTORY"]),
    ("new-relic", &["NEW_RELIC", "NEWRELIC"]),
    ("private-key", &["PRIVATE_KEY", "PEM"]),
    ("sidekiq-sensitive-url", &["URL_CREDENTIALS", "URL_PASSWORD", "CONNECTION_STRING"]),
    ("vault", &["VAULT", "HASHICORP"]),
];

/// Whether a type of the redactor holds secrets.
fn is_secret(kind: &str) -> bool {
    Kind::from_name(kind).is_some_and(|kind| kind.category() == Category::Secret)
}

/// Whether one of the types is of the vendor of the rule: its name begins with the vendor's.
fn is_named(rule: &str, types: &[String]) -> bool {
    let own = rule.split('-').next().unwrap_or(rule).to_uppercase();
    let vendor = VENDORS.iter().find(|(prefix, _)| rule.starts_with(prefix));
    let names: Vec<&str> = vendor.map_or_else(|| vec![own.as_str()], |(_, names)| names.to_vec());
    types.iter().any(|kind| {
        names.iter().any(|name| kind.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')))
    })
}

/// Counts of one rule.
#[derive(Clone, Copy, Default)]
struct Counts {
    positives: usize,
    found: usize,
    negatives: usize,
    hit: usize,
}

/// Prints samples found and others hit, by rule.
pub(crate) fn report(folder: &Folder, ours: &mut Ours, show: bool) -> Result<(), String> {
    let secrets = folder.secrets()?;
    println!("\n=== secrets_gitleaks: {} texts (Presidio has no type for secrets)", secrets.len());
    let found = ours.find(&secrets.iter().map(|secret| secret.text.as_str()).collect::<Vec<_>>())?;
    let mut rules: BTreeMap<&str, Counts> = BTreeMap::new();
    for (secret, findings) in secrets.iter().zip(&found.findings) {
        let counts = rules.entry(&secret.rule).or_default();
        let hit = is_hit(secret, findings);
        *(if secret.positive { &mut counts.positives } else { &mut counts.negatives }) += 1;
        *(if secret.positive { &mut counts.found } else { &mut counts.hit }) += usize::from(hit);
        if show && hit != secret.positive {
            eprintln!("{} secret of {} in {:?}", if hit { "other" } else { "missed" }, secret.rule, secret.text);
        }
    }
    println!("{:<48} {:>7} {:>7}   {:>7} {:>7}", "rule", "secrets", "found", "none", "hit");
    let mut sums = [Counts::default(); 2];
    for (rule, counts) in &rules {
        let named = is_named(rule, ours.types());
        let Counts { positives, found, negatives, hit } = counts;
        println!(
            "{rule:<48} {positives:>7} {found:>7}   {negatives:>7} {hit:>7}{}",
            if named { "  named" } else { "" }
        );
        for sum in sums.iter_mut().skip(usize::from(!named)) {
            sum.positives += positives;
            sum.found += found;
            sum.negatives += negatives;
            sum.hit += hit;
        }
    }
    let [named, all] = &sums;
    match named.positives {
        0 => println!("the manifest names no vendor of a rule"),
        _ => line("vendors that the manifest names", named),
    }
    line("all", all);
    println!("a text without a secret of its rule may rightly hold one of another");
    Ok(())
}

fn line(what: &str, counts: &Counts) {
    let Counts { positives, found, negatives, hit } = counts;
    let recall = ratio(*found, *positives);
    println!("{what:<48} {positives:>7} {found:>7}   {negatives:>7} {hit:>7}  recall {recall:.3}");
}

/// Whether a secret was found where it is, or anywhere if that is not known.
fn is_hit(secret: &Secret, findings: &[Span]) -> bool {
    let mut secrets = findings.iter().filter(|finding| is_secret(&finding.kind));
    secrets.any(|finding| secret.span.as_ref().is_none_or(|span| span.overlap(finding) > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_secrets_are_told() {
        for kind in ["API_KEY", "GITHUB_TOKEN", "JWT", "PRIVATE_KEY", "URL_CREDENTIAL", "AUTHORIZATION"] {
            assert!(is_secret(kind), "{kind}");
        }
        for kind in ["US_SSN", "PHONE_NUMBER", "CN_PASSPORT", "UNSCANNED"] {
            assert!(!is_secret(kind), "{kind}");
        }
    }

    #[test]
    fn vendors_are_named_by_the_beginning_of_a_type() {
        let types = ["GITHUB_TOKEN", "GOOGLE_API_KEY", "JWT", "SLACKER_KEY", "API_KEY"].map(str::to_owned);
        for rule in ["github-pat", "github-fine-grained-pat", "gcp-api-key", "jwt", "jwt-base64"] {
            assert!(is_named(rule, &types), "{rule}");
        }
        for rule in ["gitlab-pat", "slack-bot-token", "private-key", "generic-api-key", "openai-api-key"] {
            assert!(!is_named(rule, &types), "{rule}");
        }
    }

    #[test]
    fn a_secret_is_found_where_it_is() {
        let secret = |span| Secret { rule: "x".into(), text: "key abcdef".into(), positive: true, span };
        let placed = secret(Some(Span::new("", 4, 10)));
        assert!(is_hit(&placed, &[Span::new("API_KEY", 6, 8)]));
        assert!(!is_hit(&placed, &[Span::new("API_KEY", 0, 3)]));
        assert!(!is_hit(&placed, &[Span::new("EMAIL_ADDRESS", 4, 10)]));
        assert!(is_hit(&secret(None), &[Span::new("API_KEY", 0, 3)]));
        assert!(!is_hit(&secret(None), &[]));
    }
}
