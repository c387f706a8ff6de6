//! What the enricher writes: current names, each with a number and a type.

use tollgate_columns::Kind;
use tollgate_semconv::attribute as name;

macro_rules! writes {
    ($($constant:ident = $name:path, $kind:ident;)+) => {
        #[repr(u16)]
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Number { $($constant),+ }
        $(#[allow(dead_code, reason = "some are only reached through the tables of names")]
        pub(super) const $constant: u16 = Number::$constant as u16;)+

        /// Name and type of each, at its number. Those from [`SYSTEM_INSTRUCTIONS`] on are content.
        pub(super) const WRITES: &[(&str, Kind)] = &[$(($name, Kind::$kind)),+];
    };
}

writes! {
    OPERATION = name::GEN_AI_OPERATION_NAME, Text;
    PROVIDER = name::GEN_AI_PROVIDER_NAME, Text;
    REQUEST_MODEL = name::GEN_AI_REQUEST_MODEL, Text;
    INPUT = name::GEN_AI_USAGE_INPUT_TOKENS, Integer;
    OUTPUT = name::GEN_AI_USAGE_OUTPUT_TOKENS, Integer;
    CACHE_READ = name::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, Integer;
    CACHE_WRITE = name::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, Integer;
    CACHE_WRITE_5M = name::TOLLGATE_USAGE_CACHE_WRITE_5M_TOKENS, Integer;
    CACHE_WRITE_1H = name::TOLLGATE_USAGE_CACHE_WRITE_1H_TOKENS, Integer;
    REASONING = name::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, Integer;
    AUDIO_INPUT = name::GEN_AI_USAGE_AUDIO_INPUT_TOKENS, Integer;
    AUDIO_OUTPUT = name::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS, Integer;
    IMAGE_INPUT = name::GEN_AI_USAGE_IMAGE_INPUT_TOKENS, Integer;
    IMAGE_OUTPUT = name::GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS, Integer;
    USAGE_SOURCE = name::TOLLGATE_USAGE_SOURCE, Text;
    REPORTED_INPUT = name::TOLLGATE_USAGE_REPORTED_INPUT_TOKENS, Integer;
    REPORTED_OUTPUT = name::TOLLGATE_USAGE_REPORTED_OUTPUT_TOKENS, Integer;
    ROLE = name::TOLLGATE_CALL_ROLE, Text;
    RESPONSE_MODEL = name::GEN_AI_RESPONSE_MODEL, Text;
    RESPONSE_ID = name::GEN_AI_RESPONSE_ID, Text;
    FINISH_REASONS = name::GEN_AI_RESPONSE_FINISH_REASONS, Composite;
    FIRST_CHUNK = name::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, Real;
    STREAM = name::GEN_AI_REQUEST_STREAM, Boolean;
    TEMPERATURE = name::GEN_AI_REQUEST_TEMPERATURE, Real;
    TOP_P = name::GEN_AI_REQUEST_TOP_P, Real;
    TOP_K = name::GEN_AI_REQUEST_TOP_K, Integer;
    MAX_TOKENS = name::GEN_AI_REQUEST_MAX_TOKENS, Integer;
    FREQUENCY_PENALTY = name::GEN_AI_REQUEST_FREQUENCY_PENALTY, Real;
    PRESENCE_PENALTY = name::GEN_AI_REQUEST_PRESENCE_PENALTY, Real;
    SEED = name::GEN_AI_REQUEST_SEED, Integer;
    CHOICE_COUNT = name::GEN_AI_REQUEST_CHOICE_COUNT, Integer;
    STOP_SEQUENCES = name::GEN_AI_REQUEST_STOP_SEQUENCES, Composite;
    REASONING_LEVEL = name::GEN_AI_REQUEST_REASONING_LEVEL, Text;
    PREVIOUS_RESPONSE = name::GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID, Text;
    OUTPUT_TYPE = name::GEN_AI_OUTPUT_TYPE, Text;
    CONVERSATION = name::GEN_AI_CONVERSATION_ID, Text;
    USER = name::USER_ID, Text;
    AGENT_NAME = name::GEN_AI_AGENT_NAME, Text;
    TOOL_NAME = name::GEN_AI_TOOL_NAME, Text;
    TOOL_CALL_ID = name::GEN_AI_TOOL_CALL_ID, Text;
    REQUEST_TIER = name::OPENAI_REQUEST_SERVICE_TIER, Text;
    RESPONSE_TIER = name::OPENAI_RESPONSE_SERVICE_TIER, Text;
    FINGERPRINT = name::OPENAI_RESPONSE_SYSTEM_FINGERPRINT, Text;
    SYSTEM_INSTRUCTIONS = name::GEN_AI_SYSTEM_INSTRUCTIONS, Text;
    INPUT_MESSAGES = name::GEN_AI_INPUT_MESSAGES, Text;
    OUTPUT_MESSAGES = name::GEN_AI_OUTPUT_MESSAGES, Text;
}

/// How many there are; the numbers of what is read begin with these.
pub(super) const COUNT: usize = WRITES.len();
/// Every count of tokens.
pub(super) const COUNTS: std::ops::RangeInclusive<u16> = INPUT..=IMAGE_OUTPUT;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_in_one_row_and_content_is_last() {
        for number in COUNTS {
            assert!(WRITES[usize::from(number)].0.ends_with("_tokens"));
        }
        assert_eq!(usize::from(OUTPUT_MESSAGES) + 1, COUNT);
        assert!(WRITES[..usize::from(SYSTEM_INSTRUCTIONS)].iter().all(|(name, _)| !name.contains("messages")));
    }
}
