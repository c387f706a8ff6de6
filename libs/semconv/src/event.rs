//! Names of events: what a log record has as its `event_name`.

crate::names::names! {
    /// What was said in a call, with everything else that is known of it. Of severity DEBUG, and only where it was asked
    /// for.
    GEN_AI_CLIENT_INFERENCE_OPERATION_DETAILS = "gen_ai.client.inference.operation.details";
    /// The result of an evaluation of a call, by a program or a person.
    GEN_AI_EVALUATION_RESULT = "gen_ai.evaluation.result";
}
