//! One span as rules see it: the values of the names that any rule has to do with.

use crate::rule::When;
use tollgate_otlp::{Names, Span, Value};
use tollgate_semconv::{call_role, operation};

/// The place of a name among those of a dialect.
pub(crate) type Slot = u16;

/// The place of what is no attribute of the span.
const NOWHERE: u32 = u32::MAX;

/// Span kinds of OpenInference that are calls to a model.
const CALLS: &[&str] = &["LLM", "EMBEDDING", "RERANKER"];

/// What is read of one span, and which of its attributes are to go. It is made once a request, and filled for each span.
#[derive(Debug)]
pub(crate) struct Row<'r> {
    values: Vec<Option<(u32, Value<'r>)>>,
    filled: Vec<Slot>,
    gone: Vec<u32>,
    /// What the rules could not convert.
    pub(crate) unconverted: u64,
    counts: bool,
    operation: Option<&'r str>,
    /// Start of the span in nanoseconds since 1970.
    pub(crate) start: u64,
}

/// The names that a dialect has to do with, and their slots.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    pub(crate) names: Names,
    /// Beginnings of names that stand for one slot.
    pub(crate) prefixes: Vec<(String, Slot)>,
    /// Attributes of the resource.
    pub(crate) resource: Vec<(String, Slot)>,
    pub(crate) kinds: Kinds,
    pub(crate) count: usize,
}

/// The slots of the names that say what a span is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kinds {
    pub(crate) role: Slot,
    pub(crate) operation: Slot,
    pub(crate) open_inference: Slot,
}

impl<'r> Row<'r> {
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            values: vec![None; slots],
            filled: Vec::new(),
            gone: Vec::new(),
            unconverted: 0,
            counts: true,
            operation: None,
            start: 0,
        }
    }

    /// Reads a span. Of a name that is there twice the first is read.
    pub(crate) fn fill(&mut self, span: Span<'r>, names: &Slots) {
        for slot in self.filled.drain(..) {
            if let Some(value) = self.values.get_mut(usize::from(slot)) {
                *value = None;
            }
        }
        self.gone.clear();
        for (place, (key, value)) in span.attributes().enumerate() {
            let found = names.names.find(key.as_bytes()).next();
            let slot = found.or_else(|| {
                names.prefixes.iter().find(|(prefix, _)| key.starts_with(prefix.as_str())).map(|(_, slot)| *slot)
            });
            if let Some(slot) = slot
                && value != Value::Empty
            {
                self.set(slot, place as u32, value);
            }
        }
        for (name, slot) in &names.resource {
            if let Some(value) = span.resource().get(name) {
                self.set(*slot, NOWHERE, value);
            }
        }
        let kinds = names.kinds;
        self.start = span.start_time();
        let text = |row: &Self, slot| row.get(slot).and_then(Value::as_text);
        self.operation = text(self, kinds.operation);
        self.counts = match (text(self, kinds.role), self.operation, text(self, kinds.open_inference)) {
            (Some(role), _, _) => role == call_role::BILLABLE,
            (None, Some(name), _) => operation::INFERENCE.contains(&name),
            (None, None, Some(kind)) => CALLS.contains(&kind),
            (None, None, None) => true,
        };
    }

    fn set(&mut self, slot: Slot, place: u32, value: Value<'r>) {
        if let Some(entry @ None) = self.values.get_mut(usize::from(slot)) {
            *entry = Some((place, value));
            self.filled.push(slot);
        }
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<Value<'r>> {
        self.values
            .get(usize::from(slot))
            .copied()
            .flatten()
            .map(|(_, value)| value)
            .filter(|value| *value != Value::Empty)
    }

    /// Whether the span has the name, or a rule has written it.
    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.values.get(usize::from(slot)).is_some_and(Option::is_some)
    }

    /// Whether a rule is for this span.
    pub(crate) fn is(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Counts => self.counts,
            When::Aggregates => !self.counts,
            When::Operation(names) => self.operation.is_some_and(|operation| names.contains(&operation)),
        }
    }

    /// Marks the attribute of a slot as one that goes.
    pub(crate) fn remove(&mut self, slot: Slot) {
        if let Some(Some((place, _))) = self.values.get(usize::from(slot))
            && *place != NOWHERE
        {
            self.gone.push(*place);
        }
    }

    /// Marks the attribute at a place as one that goes.
    pub(crate) fn remove_at(&mut self, place: u32) {
        self.gone.push(place);
    }

    pub(crate) fn gone(&self) -> &[u32] {
        &self.gone
    }

    /// Marks a slot as written, so that no later rule writes it too.
    pub(crate) fn written(&mut self, slot: Slot) {
        self.set(slot, NOWHERE, Value::Empty);
    }
}
