//! What an answer says, gathered while it passes, whatever its API.

use crate::api::Memory;
use crate::content::OutputText;
use crate::notes::{self, Notes};
use crate::usage::{self, Counts, Merge};
use tollgate_json::{Kind, Node, Scalar, Text, Want};

/// Bytes of the longest name (model, id, tier, reason, error) that is kept.
pub(crate) const MAX_NAME: usize = 256;
/// Choices of an answer whose finish reasons are kept.
const MAX_CHOICES: usize = 128;
/// Tools whose names are kept, of those offered and of those called.
pub(crate) const MAX_TOOLS: usize = 64;

/// Nodes that mean the same in every API. Those of an API are below [`node::OWN_END`].
pub(crate) mod node {
    use crate::usage::LEVELS;
    use tollgate_json::Node;

    pub(crate) const OWN_END: Node = 200;
    /// Something the model wrote, if there is anything in it.
    pub(crate) const OUTPUT: Node = 200;
    pub(crate) const ID: Node = 201;
    pub(crate) const MODEL: Node = 202;
    pub(crate) const TIER: Node = 203;
    pub(crate) const ERROR: Node = 204;
    pub(crate) const ERROR_TYPE: Node = 205;
    pub(crate) const ERROR_CODE: Node = 206;
    /// `type` and `code` of an error that is not in an object of its own.
    pub(crate) const FLAT_TYPE: Node = 207;
    pub(crate) const FLAT_CODE: Node = 208;
    pub(crate) const FINGERPRINT: Node = 209;
    /// The name of a tool that the model calls.
    pub(crate) const TOOL: Node = 210;
    /// The usage object, and one node a level below it.
    pub(crate) const USAGE: Node = 220;
    pub(crate) const USAGE_END: Node = USAGE + LEVELS;
}

/// What an answer has said so far.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) id: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) tier: Option<String>,
    pub(crate) speed: Option<String>,
    pub(crate) inference_geo: Option<String>,
    pub(crate) fingerprint: Option<String>,
    /// Tools that the model calls, each once.
    pub(crate) tools: Vec<String>,
    /// Finish reasons by number of the choice, in the order seen.
    finish_reasons: Vec<(u64, String)>,
    pub(crate) counts: Counts,
    error_type: Option<String>,
    error_code: Option<String>,
    flat_type: Option<String>,
    flat_code: Option<String>,
    pub(crate) has_error: bool,
    /// Whether the answer is a stream of events.
    pub(crate) stream: bool,
    /// Whether the event being read carries output.
    pub(crate) output: bool,
    /// How often the answer has said anything besides output.
    pub(crate) said: u64,
    /// Which of id, model, tier and fingerprint are known, a bit for each.
    known: u8,
    /// Whether what is read next is a count, or may be a usage object.
    counting: bool,
    /// Whether the stream said that it is at its end, or the document was.
    pub(crate) ended: bool,
    /// Whether the counts seen are the answer's last word, not a first message's placeholder.
    pub(crate) counts_final: bool,
    pub(crate) text: OutputText,
    pub(crate) notes: Notes,
}

impl Facts {
    pub(crate) fn key(&mut self, at: Node, key: &[u8]) -> Want {
        match at {
            node::OUTPUT => self.want_output(),
            node::ERROR => match key {
                // Google's word is the status; other statuses are numbers, and no words.
                b"type" | b"status" => Want::Take(node::ERROR_TYPE),
                b"code" => Want::Take(node::ERROR_CODE),
                _ => Want::Skip,
            },
            node::USAGE..=node::USAGE_END => {
                let level = at - node::USAGE;
                self.counting = true;
                self.say();
                usage::want(node::USAGE, level, self.counts.key(level, key, &mut self.notes))
            }
            _ => Want::Skip,
        }
    }

    pub(crate) fn item(&mut self, at: Node) -> Want {
        match at {
            node::OUTPUT => self.want_output(),
            node::USAGE..node::USAGE_END => {
                self.counting = true;
                self.say();
                self.counts.item(at - node::USAGE);
                Want::Take(at + 1)
            }
            _ => Want::Skip,
        }
    }

    pub(crate) fn end(&mut self, at: Node) {
        if (node::USAGE..=node::USAGE_END).contains(&at) {
            self.counting = false;
            if self.counts.in_list() {
                self.say();
            }
            self.counts.end(at - node::USAGE, &mut self.notes);
        }
    }

    /// A usage object may begin, which is called `name`. How it is to be read.
    pub(crate) fn usage(&mut self, name: &str) -> Want {
        self.counting = true;
        self.counts.root(name);
        Want::Take(node::USAGE)
    }

    /// A document of a stream is at its end.
    #[inline]
    pub(crate) fn end_document(&mut self) {
        self.counting = false;
    }

    /// A count that stands on its own.
    pub(crate) fn count(&mut self, name: &str, value: Scalar<'_>, merge: Merge) {
        self.say();
        self.counts_final = true;
        self.counts.set(name, value, merge, &mut self.notes);
    }

    /// A count that was made here, or read from a header.
    pub(crate) fn put_count(&mut self, name: &str, count: u64) {
        self.say();
        self.counts_final = true;
        self.counts.put(name, count, &mut self.notes);
    }

    /// The answer says something besides output: what has to be read, however often it comes.
    #[inline]
    pub(crate) fn say(&mut self) {
        self.said = self.said.wrapping_add(1);
    }

    /// What a reading remembers of the event so far: its own numbers. `None` where counts are named, or the answer is
    /// captured.
    #[inline]
    pub(crate) fn memory(&self, own: [u64; 4]) -> Option<Memory> {
        let known = self.known;
        (!self.counting && !self.text.wanted()).then_some(Memory { own, output: self.output, known })
    }

    /// The model calls a tool.
    pub(crate) fn called(&mut self, name: Text<'_>) {
        self.say();
        keep_each(&mut self.tools, name, &mut self.notes);
    }

    pub(crate) fn begin(&mut self, at: Node, kind: Kind) {
        if (node::USAGE..=node::USAGE_END).contains(&at) {
            self.counting = false;
            self.say();
        }
        if at == node::ERROR && kind == Kind::Object {
            self.has_error = true;
            self.say();
        }
    }

    pub(crate) fn scalar(&mut self, at: Node, value: Scalar<'_>) {
        self.counting = false;
        match (at, value) {
            // Nothing is said by what is not there.
            (_, Scalar::Null) | (node::USAGE, _) => return,
            (node::OUTPUT, Scalar::Text(text)) => {
                self.output |= !text.bytes.is_empty();
                return;
            }
            (node::OUTPUT, _) => return,
            _ => self.say(),
        }
        match (at, value) {
            (node::ID, Scalar::Text(text)) => keep(&mut self.id, text, &mut self.notes),
            (node::ID, Scalar::Number(number)) => self.id = Some(number.to_owned()),
            (node::MODEL, Scalar::Text(text)) => keep(&mut self.model, text, &mut self.notes),
            (node::TIER, Scalar::Text(text)) => keep(&mut self.tier, text, &mut self.notes),
            (node::FINGERPRINT, Scalar::Text(text)) => keep(&mut self.fingerprint, text, &mut self.notes),
            (node::TOOL, Scalar::Text(text)) => {
                self.output |= !text.bytes.is_empty();
                self.called(text);
            }
            (node::ERROR, Scalar::Text(text)) => self.has_error |= !text.bytes.is_empty(),
            (node::ERROR_TYPE, Scalar::Text(text)) => keep(&mut self.error_type, text, &mut self.notes),
            (node::ERROR_CODE, Scalar::Text(text)) => keep(&mut self.error_code, text, &mut self.notes),
            (node::ERROR_CODE, Scalar::Number(number)) => self.error_code = Some(number.to_owned()),
            (node::FLAT_TYPE, Scalar::Text(text)) => keep(&mut self.flat_type, text, &mut self.notes),
            (node::FLAT_CODE, Scalar::Text(text)) => keep(&mut self.flat_code, text, &mut self.notes),
            (node::FLAT_CODE, Scalar::Number(number)) => self.flat_code = Some(number.to_owned()),
            (node::USAGE..=node::USAGE_END, Scalar::Text(text)) if self.counts.is_field("service_tier") => {
                keep(&mut self.tier, text, &mut self.notes);
            }
            (node::USAGE..=node::USAGE_END, Scalar::Text(text)) if self.counts.is_field("speed") => {
                keep(&mut self.speed, text, &mut self.notes);
            }
            (node::USAGE..=node::USAGE_END, Scalar::Text(text)) if self.counts.is_field("inference_geo") => {
                keep(&mut self.inference_geo, text, &mut self.notes);
            }
            (node::USAGE..=node::USAGE_END, value) => self.counts.scalar(value, &mut self.notes),
            _ => {}
        }
        let known = [&self.id, &self.model, &self.tier, &self.fingerprint];
        self.known = known.into_iter().fold(0, |bits, fact| bits << 1 | u8::from(fact.is_some()));
    }

    /// Whether and how something that may be output is wanted: only until the event is known to have some.
    pub(crate) fn want_output(&self) -> Want {
        if self.stream && !self.output { Want::Take(node::OUTPUT) } else { Want::Skip }
    }

    /// A choice has finished.
    pub(crate) fn finish(&mut self, choice: u64, reason: String) {
        self.say();
        if let Some((_, known)) = self.finish_reasons.iter_mut().find(|(known, _)| *known == choice) {
            *known = reason;
        } else if self.finish_reasons.len() < MAX_CHOICES {
            self.finish_reasons.push((choice, reason));
        } else {
            self.notes.add(notes::FINISH_REASONS_LIMIT);
        }
    }

    pub(crate) fn take_finish_reasons(&mut self) -> Vec<String> {
        std::mem::take(&mut self.finish_reasons).into_iter().map(|(_, reason)| reason).collect()
    }

    /// Bytes of memory that the facts have allocated.
    pub(crate) fn heap_bytes(&self) -> usize {
        let names = [
            &self.id,
            &self.model,
            &self.tier,
            &self.speed,
            &self.inference_geo,
            &self.fingerprint,
            &self.error_type,
            &self.error_code,
            &self.flat_type,
            &self.flat_code,
        ];
        let names: usize = names.into_iter().flatten().chain(&self.tools).map(String::capacity).sum();
        let reasons: usize =
            self.finish_reasons.iter().map(|(_, reason)| reason.capacity() + size_of::<(u64, String)>()).sum();
        names + reasons + self.counts.heap_bytes() + self.text.heap_bytes()
    }

    /// The provider's words for what went wrong: the error's type, and its code. One of them stands for the other.
    pub(crate) fn take_error(&mut self) -> (Option<String>, Option<String>) {
        // `{"type": "error", ...}` is the name of the event or of the document, not a kind of error.
        let flat_type = self.flat_type.take().filter(|word| word != "error");
        let code = self.error_code.take();
        let word = self.error_type.take().or_else(|| code.clone()).or(flat_type).or_else(|| self.flat_code.clone());
        (word, code.or(self.flat_code.take()))
    }

    /// An error of which something else than the body tells.
    pub(crate) fn fail(&mut self, word: &[u8]) {
        self.has_error = true;
        keep(&mut self.error_type, Text { bytes: word, whole: true }, &mut self.notes);
    }
}

/// Sets `place` to a text, unless that is empty.
pub(crate) fn keep(place: &mut Option<String>, text: Text<'_>, notes: &mut Notes) {
    if text.bytes.is_empty() || place.as_ref().is_some_and(|known| known.as_bytes() == text.bytes) {
        return;
    }
    let text = match text.bytes.get(..MAX_NAME) {
        Some(beginning) if beginning.len() < text.bytes.len() => {
            notes.add(notes::NAME_TRUNCATED);
            Text { bytes: beginning, whole: false }
        }
        _ => text,
    };
    *place = Some(text.to_str().into_owned());
}

/// Adds a text to those that are kept, unless it is there.
pub(crate) fn keep_each(kept: &mut Vec<String>, text: Text<'_>, notes: &mut Notes) {
    if kept.iter().any(|known| known.as_bytes() == text.bytes) {
        return;
    }
    if kept.len() >= MAX_TOOLS {
        notes.add(notes::NAMES_LIMIT);
        return;
    }
    let mut place = None;
    keep(&mut place, text, notes);
    kept.extend(place);
}
