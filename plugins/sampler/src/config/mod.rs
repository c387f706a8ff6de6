//! The configuration of a sampler: policies or rules, checked whole before any is used.

mod fields;
mod policies;
mod rules;

use crate::policy::Policies;
use crate::reads::ReadList;
use crate::rule::Rules;
use fields::{Fields, Problems};
use serde_json::Value;
use tollgate_columns::ConfigError;

/// Most policies or rules, those within others included. More are a mistake.
const MOST: usize = 1_000;

/// Name of the rule of a trace that no policy, or no rule, is about.
const NO_POLICY: &str = "no policy matched";
const NO_RULE: &str = "no rule matched";

/// How decisions are made.
#[derive(Clone, Debug)]
pub(crate) enum Method {
    Policies(Policies),
    Rules(Rules),
}

/// What a configuration comes to.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) method: Method,
    /// What is read of spans, in the order of the columns.
    pub(crate) reads: Vec<String>,
    /// Names that verdicts point at.
    pub(crate) rules: Vec<String>,
}

impl Settings {
    /// Reads the JSON text. Without policies and rules every trace is kept.
    ///
    /// # Errors
    /// Everything that is wrong, each with its path.
    pub(crate) fn parse(json: &str) -> Result<Self, ConfigError> {
        let document: Value =
            serde_json::from_str(json).map_err(|error| ConfigError::new("", format!("is not JSON: {error}")))?;
        let mut problems = Problems::default();
        let mut reader = Reader { reads: ReadList::default(), names: Vec::new() };
        let method = Fields::open(&document, "", &mut problems)
            .map(|mut fields| {
                let method = reader.method(&mut fields, &mut problems);
                fields.finish(&mut problems);
                method
            })
            .unwrap_or(Method::Rules(Rules { rules: Vec::new() }));
        let reads = reader.reads.into_names();
        if reads.len() > usize::from(u16::MAX) {
            problems.add("", format!("{} attributes are looked at; at most 65535 are possible", reads.len()));
        }
        let problems = problems.into_vec();
        if problems.is_empty() {
            Ok(Self { method, reads, rules: reader.names })
        } else {
            Err(ConfigError { problems })
        }
    }
}

/// Collects what is read, and the names of rules.
struct Reader {
    reads: ReadList,
    names: Vec<String>,
}

impl Reader {
    fn method(&mut self, fields: &mut Fields<'_>, problems: &mut Problems) -> Method {
        if fields.has("policies") && fields.has("rules") {
            problems.add(
                "rules",
                "policies and rules decide in different ways and cannot be mixed: any policy may keep a trace, \
                 whereas the first rule that holds decides",
            );
        }
        let first_match = fields.has("sample_on_first_match");
        match (fields.list("policies", problems), fields.list("rules", problems)) {
            (Some(items), _) => {
                let first_match = fields.flag("sample_on_first_match", problems);
                let policies = self.policies(&items, problems);
                let unmatched = self.name(NO_POLICY);
                Method::Policies(Policies { policies, first_match, unmatched })
            }
            (None, items) => {
                if first_match {
                    problems
                        .add("sample_on_first_match", "belongs to policies; of rules the first match always decides");
                    fields.take("sample_on_first_match");
                }
                let rules = self.rules(&items.unwrap_or_default(), problems);
                self.name(NO_RULE);
                Method::Rules(Rules { rules })
            }
        }
    }

    /// The place of a new name.
    fn name(&mut self, name: &str) -> u16 {
        self.names.push(name.to_owned());
        u16::try_from(self.names.len() - 1).unwrap_or(u16::MAX)
    }

    /// The place of a name that has to be there, and no other's.
    fn own_name(&mut self, fields: &mut Fields<'_>, problems: &mut Problems) -> u16 {
        let name = fields.text("name", problems).unwrap_or_default().trim();
        if name.is_empty() || self.names.iter().any(|known| known == name) || name == NO_POLICY || name == NO_RULE {
            problems.add(fields.at("name"), "needs a name that no other has");
        }
        self.name(name)
    }
}
