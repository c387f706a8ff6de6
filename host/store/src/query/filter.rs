//! Which calls are asked about.

use crate::call::cut;
use crate::store::nanoseconds;
use rusqlite::types::Value;

/// Which calls are asked about: those for which all that is set here holds. Times are nanoseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// That ended at this time or later.
    pub since: Option<u64>,
    /// That ended before this time.
    pub until: Option<u64>,
    /// Whose model, asked for or answering, is this.
    pub model: Option<String>,
    /// Whose provider is this.
    pub provider: Option<String>,
    /// Whose service is this.
    pub service: Option<String>,
    /// Whose operation is this.
    pub operation: Option<String>,
    /// Whose span's name has this text in it, ASCII letters in any case.
    pub text: Option<String>,
    /// Whose user is this.
    pub user: Option<String>,
    /// Whose session is this.
    pub session: Option<String>,
    /// Of this trace.
    pub trace_id: Option<[u8; 16]>,
    /// That failed, or did not.
    pub failed: Option<bool>,
    /// That failed with this type of error.
    pub error_type: Option<String>,
    /// That cost at least this many nano-dollars; calls whose cost is not known are not among them.
    pub min_cost: Option<u64>,
}

/// A condition in SQL, and the values for its question marks.
#[derive(Debug, Default)]
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Condition {
    pub(super) fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(if self.sql.is_empty() { " WHERE " } else { " AND " });
        self.sql.push_str(sql);
        self.values.extend(values);
    }
}

impl Filter {
    /// The filter over the table `calls`, as `calls`.
    pub(super) fn condition(&self) -> Condition {
        let mut condition = Condition::default();
        let time = |time: u64| [Value::from(nanoseconds(time))];
        let text = |text: &str| Value::from(cut(text).to_owned());
        if let Some(since) = self.since {
            condition.and("calls.time >= ?", time(since));
        }
        if let Some(until) = self.until {
            condition.and("calls.time < ?", time(until));
        }
        if let Some(model) = &self.model {
            condition.and("(calls.request_model = ? OR calls.response_model = ?)", [text(model), text(model)]);
        }
        for (column, wanted) in [
            ("calls.provider = ?", &self.provider),
            ("calls.service = ?", &self.service),
            ("calls.operation = ?", &self.operation),
            ("calls.user = ?", &self.user),
            ("calls.session = ?", &self.session),
            ("calls.error_type = ?", &self.error_type),
        ] {
            if let Some(wanted) = wanted {
                condition.and(column, [text(wanted)]);
            }
        }
        if let Some(part) = &self.text {
            condition.and("instr(lower(calls.name), lower(?)) > 0", [text(part)]);
        }
        if let Some(trace_id) = self.trace_id {
            let of = "calls.id IN (SELECT id FROM spans WHERE trace_id = ?)";
            condition.and(of, [Value::from(trace_id.to_vec())]);
        }
        match self.failed {
            Some(true) => condition.and("calls.error_type IS NOT NULL", []),
            Some(false) => condition.and("calls.error_type IS NULL", []),
            None => {}
        }
        if let Some(nanos) = self.min_cost {
            condition.and("calls.nano_usd >= ?", time(nanos));
        }
        condition
    }
}
