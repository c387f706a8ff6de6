//! A redactor that misbehaves. When polite it finds nothing and changes nothing.

use crate::{grow, spin, text_member, trap};
use tollgate_sdk::{ConfigError, Redaction, Redactor, RedactorManifest, Texts};

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

    fn redact(&mut self, _: &Texts) -> Result<Redaction, String> {
        let mut answer = Redaction::default();
        match self.mode.as_str() {
            "trap" => trap(),
            "loop" => spin(),
            "grow" => grow(),
            "refuse" => return Err("not today".into()),
            "finding outside the text" => answer.findings.push(0, 0, 0, u32::MAX),
            "type that was not declared" => answer.findings.push(0, 1, 0, 0),
            _ => {}
        }
        Ok(answer)
    }
}
