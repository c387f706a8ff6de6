//! A redactor that misbehaves. When polite it finds nothing and changes nothing.

use crate::{grow, spin, text_member, trap};
use tollgate_sdk::{ConfigError, Given, Redaction, Redactor, RedactorManifest};

tollgate_sdk::export_redactor!(Hostile);

struct Hostile {
    mode: String,
}

impl Redactor for Hostile {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        Ok(Self { mode: text_member(config, "mode").unwrap_or("polite").to_owned() })
    }

    fn manifest(&self) -> RedactorManifest {
        RedactorManifest { name: "hostile".into(), version: "0.0.1".into(), types: vec!["SECRET".into()] }
    }

    fn redact(&mut self, given: &Given) -> Result<Redaction, String> {
        let mut answer = Redaction::default();
        match self.mode.as_str() {
            "trap" => trap(),
            "loop" => spin(),
            "grow" => grow(),
            "refuse" => return Err("not today".into()),
            "finding outside the text" => answer.findings.push(0, 0, 0, u32::MAX),
            "type that was not declared" => answer.findings.push(0, 1, 0, 0),
            // Refuses what a test sends it, so that one instance does its work before and after.
            "refuse a word" if given.texts.iter().any(|(_, text)| text.contains("refuse")) => {
                return Err("not today".into());
            }
            "count" => answer.skipped = vec![("seen_texts".into(), given.len() as u64)],
            "reason that is no word" => answer.skipped.push(("ann@example.com".into(), 1)),
            // So that a test sees what it is given: each text becomes its place and its group.
            "places and groups" => {
                for (index, &row) in given.texts.rows.iter().enumerate() {
                    answer.changed.push(row, &format!("{}#{}", given.place(index), given.group(index)));
                }
                answer.skipped = vec![("seen_texts".into(), given.len() as u64)];
            }
            _ => {}
        }
        Ok(answer)
    }
}
