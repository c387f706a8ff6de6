//! Well-known values of attributes.

/// Values of `gen_ai.operation.name`.
pub mod operation {
    crate::names::names! {
        /// A chat turn.
        CHAT = "chat";
        /// A plain completion.
        TEXT_COMPLETION = "text_completion";
        /// Multimodal generation.
        GENERATE_CONTENT = "generate_content";
        /// Embeddings.
        EMBEDDINGS = "embeddings";
        /// Ordering documents by relevance; the conventions have no word for it.
        RERANK = "rerank";
        /// Classifying content as harmful; the conventions have no word for it.
        MODERATION = "moderation";
        /// A search for documents.
        RETRIEVAL = "retrieval";
        /// Fetching an answer that was made before; never has usage.
        FETCH_RESPONSE = "fetch_response";
        /// Making an agent.
        CREATE_AGENT = "create_agent";
        /// Running an agent; its usage is the sum of what is below it.
        INVOKE_AGENT = "invoke_agent";
        /// Running a workflow; its usage is the sum of what is below it.
        INVOKE_WORKFLOW = "invoke_workflow";
        /// An agent's planning.
        PLAN = "plan";
        /// Running a tool.
        EXECUTE_TOOL = "execute_tool";
    }

    /// Operations that are calls to a model. Only their spans carry usage of their own; on any other span usage is an
    /// aggregate, and adding it would count twice.
    pub const INFERENCE: &[&str] = &[CHAT, TEXT_COMPLETION, GENERATE_CONTENT, EMBEDDINGS, RERANK, MODERATION];
}

/// Values of `gen_ai.provider.name`.
pub mod provider {
    crate::names::names! {
        /// OpenAI.
        OPENAI = "openai";
        /// Anthropic.
        ANTHROPIC = "anthropic";
        /// Amazon Bedrock.
        AWS_BEDROCK = "aws.bedrock";
        /// Azure AI inference.
        AZURE_AI_INFERENCE = "azure.ai.inference";
        /// Azure OpenAI.
        AZURE_AI_OPENAI = "azure.ai.openai";
        /// Cohere.
        COHERE = "cohere";
        /// DeepSeek.
        DEEPSEEK = "deepseek";
        /// Gemini at its own endpoint.
        GCP_GEMINI = "gcp.gemini";
        /// Vertex AI.
        GCP_VERTEX_AI = "gcp.vertex_ai";
        /// Google, endpoint unknown.
        GCP_GEN_AI = "gcp.gen_ai";
        /// Groq.
        GROQ = "groq";
        /// IBM watsonx.
        IBM_WATSONX_AI = "ibm.watsonx.ai";
        /// Mistral.
        MISTRAL_AI = "mistral_ai";
        /// Moonshot.
        MOONSHOT_AI = "moonshot_ai";
        /// Perplexity.
        PERPLEXITY = "perplexity";
        /// xAI.
        X_AI = "x_ai";
    }

    /// Values of the older `gen_ai.system` that were spelt otherwise, and what they are now.
    pub const RENAMED: &[(&str, &str)] = &[
        ("az.ai.inference", AZURE_AI_INFERENCE),
        ("az.ai.openai", AZURE_AI_OPENAI),
        ("gemini", GCP_GEMINI),
        ("vertex_ai", GCP_VERTEX_AI),
        ("xai", X_AI),
    ];
}

/// Values of `gen_ai.token.type`.
pub mod token_type {
    crate::names::names! {
        /// Everything read.
        INPUT = "input";
        /// Everything written.
        OUTPUT = "output";
    }
}

/// Values of `tollgate.usage.source`.
pub mod usage_source {
    crate::names::names! {
        /// The provider reported the counts, whole.
        REPORTED = "reported";
        /// The provider reported some of them.
        PARTIAL = "partial";
        /// The stream was cut off; these were reported until then.
        ABORTED = "aborted";
        /// Nobody reported them; they are our estimate.
        ESTIMATED = "estimated";
    }
}

/// Values of `tollgate.usage.estimated` and `tollgate.usage.lower_bound`.
pub mod counts {
    crate::names::names! {
        /// `gen_ai.usage.input_tokens`.
        INPUT = "input";
        /// `gen_ai.usage.output_tokens`.
        OUTPUT = "output";
        /// Both.
        BOTH = "input,output";
    }
}

/// Values of `tollgate.call.role`.
pub mod call_role {
    crate::names::names! {
        /// One call to a model, which the provider bills.
        BILLABLE = "billable";
        /// An agent, a workflow, a step, a tool: what usage it has is the sum of the calls below it.
        AGGREGATE = "aggregate";
        /// A span around one operation, which repeats the usage of what it wraps.
        WRAPPER = "wrapper";
        /// A call that another span has reported already.
        DUPLICATE = "duplicate";
    }

    /// Whether a span counts: by its role, or where it has none by its operation.
    ///
    /// ```
    /// use tollgate_semconv::call_role::is_billable;
    /// assert!(is_billable(Some("billable"), None) && is_billable(None, Some("chat")));
    /// assert!(!is_billable(Some("duplicate"), Some("chat")) && !is_billable(None, Some("invoke_agent")));
    /// ```
    #[must_use]
    pub fn is_billable(role: Option<&str>, operation: Option<&str>) -> bool {
        match role {
            Some(role) => role == BILLABLE,
            None => operation.is_some_and(|name| super::operation::INFERENCE.contains(&name)),
        }
    }
}

/// Values of `error.type`.
pub mod error_type {
    /// What the conventions say for an error that nothing names.
    pub const OTHER: &str = "_OTHER";

    /// The type of a span's error: what it says, or where it says nothing, and its `status` is `error`, [`OTHER`].
    ///
    /// ```
    /// use tollgate_semconv::error_type::{OTHER, of};
    /// assert_eq!([of(Some("429"), Some("error")), of(None, Some("error"))], [Some("429"), Some(OTHER)]);
    /// assert_eq!(of(None, Some("ok")), None);
    /// ```
    #[must_use]
    pub fn of<'a>(said: Option<&'a str>, status: Option<&str>) -> Option<&'a str> {
        said.or_else(|| (status == Some("error")).then_some(OTHER))
    }
}

/// Values of `tollgate.cost.level`.
pub mod cost_level {
    /// The call cost as much as the level for warnings, or more.
    pub const WARNING: &str = "warning";
    /// The call cost as much as the level for alarms, or more.
    pub const CRITICAL: &str = "critical";
}

/// Values of `tollgate.cost.source` and `gen_ai.usage.cost.source`.
pub mod cost_source {
    crate::names::names! {
        /// Computed here from usage and a price set.
        LOCAL = "local";
        /// Stated by the provider.
        PROVIDER = "provider";
    }
}
