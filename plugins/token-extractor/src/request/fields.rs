//! Where requests say what they ask for, over all APIs: what a member means does not depend on the API that has it.
//!
//! Source of each place: the API reference of the provider that is named beside it; OpenAI's where none is.

use crate::tree::Tree;

/// What a member of a request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Model,
    Stream,
    Temperature,
    TopP,
    TopK,
    MaxTokens,
    ChoiceCount,
    Seed,
    FrequencyPenalty,
    PresencePenalty,
    StopSequences,
    ReasoningLevel,
    EncodingFormats,
    Dimensions,
    OutputType,
    /// A schema for the output, which is JSON then.
    JsonSchema,
    PreviousResponseId,
    ServiceTier,
    Tools,
    User,
    ConversationId,
}

/// Fields by the names that a configuration gives them: those of the record.
const NAMES: &[(&str, Field)] = &[
    ("model", Field::Model),
    ("stream", Field::Stream),
    ("temperature", Field::Temperature),
    ("top_p", Field::TopP),
    ("top_k", Field::TopK),
    ("max_tokens", Field::MaxTokens),
    ("choice_count", Field::ChoiceCount),
    ("seed", Field::Seed),
    ("frequency_penalty", Field::FrequencyPenalty),
    ("presence_penalty", Field::PresencePenalty),
    ("stop_sequences", Field::StopSequences),
    ("reasoning_level", Field::ReasoningLevel),
    ("encoding_formats", Field::EncodingFormats),
    ("dimensions", Field::Dimensions),
    ("output_type", Field::OutputType),
    ("json_schema", Field::JsonSchema),
    ("previous_response_id", Field::PreviousResponseId),
    ("service_tier", Field::ServiceTier),
    ("tools", Field::Tools),
    ("user", Field::User),
    ("conversation_id", Field::ConversationId),
];

/// Places by field.
const PLACES: &[(&str, &str)] = &[
    ("model", "model | modelId | model_id"),
    ("stream", "stream"),
    // Gemini and Vertex, Converse, Nova on `InvokeModel`, Ollama, watsonx.
    (
        "temperature",
        "temperature | generationConfig.temperature | inferenceConfig.temperature | options.temperature | parameters.temperature",
    ),
    ("top_p", "top_p | p | generationConfig.topP | inferenceConfig.topP | options.top_p | parameters.top_p"),
    ("top_k", "top_k | k | generationConfig.topK | inferenceConfig.topK | options.top_k | parameters.top_k"),
    (
        "max_tokens",
        "max_tokens | max_completion_tokens | max_output_tokens | max_gen_len | generationConfig.maxOutputTokens | inferenceConfig.maxTokens | inferenceConfig.max_new_tokens | textGenerationConfig.maxTokenCount | options.num_predict | parameters.max_new_tokens",
    ),
    ("choice_count", "n | num_generations | generationConfig.candidateCount"),
    ("seed", "seed | random_seed | generationConfig.seed | options.seed | parameters.random_seed"),
    ("frequency_penalty", "frequency_penalty | generationConfig.frequencyPenalty | options.frequency_penalty"),
    ("presence_penalty", "presence_penalty | generationConfig.presencePenalty | options.presence_penalty"),
    (
        "stop_sequences",
        "stop | stop[] | stop_sequences[] | generationConfig.stopSequences[] | inferenceConfig.stopSequences[] | options.stop[] | parameters.stop_sequences[]",
    ),
    (
        "reasoning_level",
        "reasoning_effort | reasoning.effort | output_config.effort | generationConfig.thinkingConfig.thinkingLevel",
    ),
    ("encoding_formats", "encoding_format | embedding_types[]"),
    ("dimensions", "dimensions | output_dimension | outputDimensionality"),
    ("output_type", "response_format.type | text.format.type | generationConfig.responseMimeType | format"),
    ("json_schema", "format | output_format"),
    ("previous_response_id", "previous_response_id"),
    ("service_tier", "service_tier | serviceTier.type"),
    (
        "tools",
        "tools[].name | tools[].function.name | tools[].functionDeclarations[].name | tools[].function_declarations[].name | toolConfig.tools[].toolSpec.name",
    ),
    ("user", "user | safety_identifier | metadata.user_id"),
    ("conversation_id", "conversation | conversation.id | session_id"),
];

/// Names that a configuration may use.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// Fields at the places that rules give.
///
/// # Errors
/// The name of a rule, and what is wrong with it.
pub(crate) fn compile<'r>(
    rules: impl IntoIterator<Item = (&'r str, &'r str)>,
) -> Result<Tree<Field>, Vec<(String, String)>> {
    let (mut tree, mut problems) = (Tree::new(), Vec::new());
    for (name, places) in rules {
        let Some((_, field)) = NAMES.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = names().collect();
            problems.push((name.to_owned(), format!("is not known; known are {}", known.join(", "))));
            continue;
        };
        for place in places.split('|') {
            if let Err(problem) = tree.add(place.trim(), *field) {
                problems.push((name.to_owned(), problem));
            }
        }
    }
    if problems.is_empty() { Ok(tree) } else { Err(problems) }
}

/// The fields of every API that is built in.
pub(crate) fn builtin() -> Tree<Field> {
    // A test compiles it; without it no field is known.
    compile(PLACES.iter().copied()).unwrap_or_else(|_| Tree::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_compiles() {
        assert!(compile(PLACES.iter().copied()).is_ok());
        assert_eq!(compile([("modell", "model"), ("model", "a..b")]).unwrap_err().len(), 2);
    }
}
