//! What was really served, one entry a call, bounded.

use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One call as it was served. Written when the call ends, however it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// The id in the answer (`chatcmpl-…`, `resp_…`, `msg_…`); the request id where an error was answered.
    pub id: String,
    /// `openai` or `anthropic`.
    pub provider: String,
    /// `chat_completions`, `responses` or `messages`; `other` for paths that the API does not have.
    pub api: String,
    /// The model as requested; absent where the request names none.
    pub request_model: Option<String>,
    /// The model as the answer names it; absent in errors.
    pub model: Option<String>,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// The status in the response head; absent where the client left before it.
    pub status: Option<u16>,
    /// The usage that the frames handed to the transport reported; absent where they reported none.
    pub usage: Option<ServedUsage>,
    /// Frames handed to the transport: events of a stream, one for a JSON body.
    pub frames: usize,
    /// Frames that the whole answer has.
    pub frames_planned: usize,
    /// How the call ended before its end; absent where it was served whole.
    pub cut: Option<Cut>,
    /// The native error type, of an error answer or an error event inside the stream.
    pub error: Option<String>,
}

/// Canonical counts: inputs include cached tokens, outputs include reasoning. A count is absent where the frames
/// sent so far did not report it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedUsage {
    /// Everything read, cached parts included.
    pub input_tokens: Option<u64>,
    /// Everything written, reasoning included.
    pub output_tokens: Option<u64>,
    /// Part of the input read from the prompt cache.
    pub cache_read_tokens: Option<u64>,
    /// Part of the input written to the prompt cache.
    pub cache_write_tokens: Option<u64>,
    /// Part of the output that was reasoning.
    pub reasoning_tokens: Option<u64>,
}

/// Who ended a call early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cut {
    /// The provider dropped the connection, as the request asked it to.
    Provider,
    /// The client went away.
    Client,
}

/// The entries, at most a fixed number of them.
#[derive(Debug)]
pub struct Ledger {
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: Vec<Served>,
    dropped: u64,
}

impl Ledger {
    /// An empty ledger that keeps `limit` entries and counts the rest.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, state: Mutex::default() }
    }

    /// Adds an entry, or counts it where the ledger is full.
    pub fn add(&self, served: Served) {
        let mut state = self.lock();
        if state.entries.len() < self.limit {
            state.entries.push(served);
        } else {
            state.dropped += 1;
        }
    }

    /// The entries in the order in which their calls ended.
    #[must_use]
    pub fn entries(&self) -> Vec<Served> {
        self.lock().entries.clone()
    }

    /// Entries that found no room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Forgets all entries and the count of dropped ones.
    pub fn reset(&self) {
        *self.lock() = State::default();
    }

    /// The entries as JSON lines.
    #[must_use]
    pub fn to_json_lines(&self) -> String {
        let mut lines = String::new();
        for entry in &self.lock().entries {
            // Served holds nothing that JSON cannot say.
            lines.push_str(&serde_json::to_string(entry).unwrap_or_default());
            lines.push('\n');
        }
        lines
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Entries are pushed whole: a panic elsewhere leaves no half-made state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(id: &str) -> Served {
        Served {
            id: id.into(),
            provider: "openai".into(),
            api: "responses".into(),
            request_model: Some("gpt-4o".into()),
            model: None,
            stream: true,
            status: Some(200),
            usage: None,
            frames: 2,
            frames_planned: 9,
            cut: Some(Cut::Client),
            error: None,
        }
    }

    #[test]
    fn a_full_ledger_counts_what_it_turns_away() {
        let ledger = Ledger::new(2);
        for id in ["a", "b", "c", "d"] {
            ledger.add(served(id));
        }
        let ids: Vec<_> = ledger.entries().into_iter().map(|entry| entry.id).collect();
        assert_eq!((ids, ledger.dropped()), (vec!["a".to_owned(), "b".to_owned()], 2));
        ledger.reset();
        assert_eq!((ledger.entries().len(), ledger.dropped()), (0, 0));
    }

    #[test]
    fn a_line_reads_back_as_its_entry() {
        let ledger = Ledger::new(9);
        ledger.add(served("a"));
        let lines = ledger.to_json_lines();
        assert_eq!(serde_json::from_str::<Served>(lines.trim_end()).unwrap(), served("a"));
        assert!(lines.contains(r#""cut":"client""#), "{lines}");
    }
}
