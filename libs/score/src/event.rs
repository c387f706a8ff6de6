//! Scores as events of the GenAI conventions.
//!
//! Source: `gen_ai.evaluation.result` of the GenAI conventions, "Events".

use crate::{About, Score, Value};
use tollgate_otlp::{Log, LogWriter, Severity};
use tollgate_semconv::attribute::{
    GEN_AI_CONVERSATION_ID as CONVERSATION, GEN_AI_EVALUATION_EXPLANATION as EXPLANATION,
    GEN_AI_EVALUATION_NAME as NAME, GEN_AI_EVALUATION_SCORE_LABEL as LABEL, GEN_AI_EVALUATION_SCORE_VALUE as VALUE,
    TOLLGATE_EVALUATION_SOURCE as SOURCE,
};
use tollgate_semconv::event::GEN_AI_EVALUATION_RESULT as EVENT;

/// Whether a log record is the result of an evaluation.
#[must_use]
pub fn is_result(log: &Log<'_>) -> bool {
    log.event_name() == EVENT
}

impl Score {
    /// Reads a score from a log record; its source is `tollgate.evaluation.source`, else the instrumentation scope. It is about the span that the record is in; without one, about its trace; without
    /// that, about its conversation.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn of_log(log: &Log<'_>) -> Result<Self, &'static str> {
        let attributes = log.attributes();
        let text = |name| attributes.get(name).and_then(tollgate_otlp::Value::as_text).filter(|text| !text.is_empty());
        let name = text(NAME).ok_or("it has no gen_ai.evaluation.name")?;
        let number = attributes.get(VALUE).and_then(tollgate_otlp::Value::as_real).filter(|number| number.is_finite());
        let value = match (number, text(LABEL)) {
            (Some(number), Some(label)) => Value::Labelled(number, label.to_owned()),
            (Some(number), None) => Value::Number(number),
            (None, Some(label)) => Value::Label(label.to_owned()),
            (None, None) => {
                return Err("it has neither gen_ai.evaluation.score.value nor gen_ai.evaluation.score.label");
            }
        };
        let about = match (log.trace_id(), log.span_id(), text(CONVERSATION)) {
            (Some(trace_id), Some(span_id), _) => About::Span { trace_id, span_id },
            (Some(trace_id), None, _) => About::Trace(trace_id),
            (None, _, Some(session)) => About::Session(session.to_owned()),
            (None, _, None) => return Err("it is about nothing: it has no trace id, and no gen_ai.conversation.id"),
        };
        let source = text(SOURCE).unwrap_or_else(|| log.scope_name());
        let comment = text(EXPLANATION).map(str::to_owned);
        Ok(Self { about, name: name.to_owned(), value, source: source.to_owned(), comment, time: log.time() })
    }

    /// The score as an event. A score of a session says its conversation; that of a trace cannot be an event, which is
    /// always in a span, and gives `None`.
    #[must_use]
    pub fn event(&self) -> Option<LogWriter> {
        let mut log = LogWriter::event(EVENT, self.time, Severity::Info);
        match &self.about {
            About::Span { trace_id, span_id } => {
                log.within(*trace_id, *span_id, 1);
            }
            About::Session(session) => {
                log.attributes().set(CONVERSATION, session.as_str());
            }
            About::Trace(_) => return None,
        }
        let mut attributes = log.attributes();
        attributes.set(NAME, self.name.as_str()).set(SOURCE, self.source.as_str());
        if let Value::Number(number) | Value::Labelled(number, _) = &self.value {
            attributes.set(VALUE, *number);
        }
        if let Value::Label(label) | Value::Labelled(_, label) = &self.value {
            attributes.set(LABEL, label.as_str());
        }
        if let Some(comment) = &self.comment {
            attributes.set(EXPLANATION, comment.as_str());
        }
        Some(log)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tollgate_otlp::{Envelope, Limits, LogsRequest, RequestWriter};

    fn read(log: &LogWriter) -> Result<Score, &'static str> {
        let mut writer = RequestWriter::new();
        writer.push(&Envelope::new(&[], "judge", "1"), log.bytes());
        let bytes = writer.finish();
        let request = LogsRequest::scan(&bytes, &Limits::default()).unwrap();
        let log = request.log(0).unwrap();
        assert!(is_result(&log));
        Score::of_log(&log)
    }

    #[test]
    fn what_is_missing_is_said() {
        let mut log = LogWriter::event(EVENT, 1, Severity::Info);
        assert_eq!(read(&log), Err("it has no gen_ai.evaluation.name"));
        log.attributes().set(NAME, "relevance");
        assert!(read(&log).unwrap_err().starts_with("it has neither"));
        log.attributes().set(VALUE, 1_i64);
        assert!(read(&log).unwrap_err().starts_with("it is about nothing"));
        log.within([1; 16], [0; 8], 1);
        let score = read(&log).unwrap();
        assert_eq!((score.about, score.value), (About::Trace([1; 16]), Value::Number(1.0)));
        assert_eq!(score.source, "judge", "the scope, where nobody else is named");
    }

    proptest! {
        #[test]
        fn an_event_reads_as_the_score_it_was(name in "[a-z]{1,8}", number: i32, label in "[a-z]{1,8}", which in 0..3, session: bool, comment in proptest::option::of("[a-z]{1,8}"), time: u64) {
            let about = if session { About::Session("s".into()) } else { About::Span { trace_id: [1; 16], span_id: [2; 8] } };
            let number = f64::from(number) / 7.0;
            let value = match which {
                0 => Value::Number(number),
                1 => Value::Label(label),
                _ => Value::Labelled(number, label),
            };
            let score = Score { comment, ..Score::new(about, &name, value, "judge-v2", time) };
            prop_assert_eq!(read(&score.event().unwrap()), Ok(score));
        }
    }
}
