//! Names of attributes that Tollgate emits.
//!
//! Source of `gen_ai.*`, `openai.*`, `server.*` and `error.type`: the OpenTelemetry GenAI conventions. Types are those
//! of the conventions: counts are integers, times are doubles in seconds, lists are arrays of text.

crate::names::names! {
    // The call.
    /// What was asked for, text: see [`crate::operation`].
    GEN_AI_OPERATION_NAME = "gen_ai.operation.name";
    /// Who answered, text: see [`crate::provider`].
    GEN_AI_PROVIDER_NAME = "gen_ai.provider.name";
    /// Id of the conversation, text; only where the application states one.
    GEN_AI_CONVERSATION_ID = "gen_ai.conversation.id";
    /// Kind of content asked for, text: `text`, `json`, `image`, `speech`.
    GEN_AI_OUTPUT_TYPE = "gen_ai.output.type";

    // The request.
    /// Model as the request names it, text.
    GEN_AI_REQUEST_MODEL = "gen_ai.request.model";
    /// Number of answers asked for, integer; only where it is not 1.
    GEN_AI_REQUEST_CHOICE_COUNT = "gen_ai.request.choice.count";
    /// Seed, integer.
    GEN_AI_REQUEST_SEED = "gen_ai.request.seed";
    /// Whether a stream was asked for, boolean; only where true.
    GEN_AI_REQUEST_STREAM = "gen_ai.request.stream";
    /// Top-k, integer.
    GEN_AI_REQUEST_TOP_K = "gen_ai.request.top_k";
    /// Top-p, double.
    GEN_AI_REQUEST_TOP_P = "gen_ai.request.top_p";
    /// Temperature, double.
    GEN_AI_REQUEST_TEMPERATURE = "gen_ai.request.temperature";
    /// Largest number of tokens to write, integer.
    GEN_AI_REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens";
    /// Frequency penalty, double.
    GEN_AI_REQUEST_FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty";
    /// Presence penalty, double.
    GEN_AI_REQUEST_PRESENCE_PENALTY = "gen_ai.request.presence_penalty";
    /// Texts at which the model stops, array of text.
    GEN_AI_REQUEST_STOP_SEQUENCES = "gen_ai.request.stop_sequences";
    /// Effort to spend on reasoning, text.
    GEN_AI_REQUEST_REASONING_LEVEL = "gen_ai.request.reasoning.level";
    /// Id of the answer that this request goes on from, text.
    GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID = "gen_ai.request.previous_response.id";
    /// Encodings asked of an embeddings endpoint, array of text.
    GEN_AI_REQUEST_ENCODING_FORMATS = "gen_ai.request.encoding_formats";

    /// Length of the vectors asked of an embeddings endpoint, integer.
    GEN_AI_EMBEDDINGS_DIMENSION_COUNT = "gen_ai.embeddings.dimension.count";

    // The answer.
    /// Id of the answer, text.
    GEN_AI_RESPONSE_ID = "gen_ai.response.id";
    /// Model as the answer names it, text.
    GEN_AI_RESPONSE_MODEL = "gen_ai.response.model";
    /// Why the model stopped, array of text, one an answer.
    GEN_AI_RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons";
    /// Seconds from request to first chunk of a stream, double.
    GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk";

    // Usage. Totals include their parts.
    /// Everything the model read, cached parts included, integer.
    GEN_AI_USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens";
    /// Everything the model wrote, reasoning included, integer.
    GEN_AI_USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens";
    /// Part of the input served from the provider's cache, integer.
    GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.cache_read.input_tokens";
    /// Part of the input written to the provider's cache, integer.
    GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS = "gen_ai.usage.cache_write.input_tokens";
    /// Part of the output that was reasoning, integer.
    GEN_AI_USAGE_REASONING_OUTPUT_TOKENS = "gen_ai.usage.reasoning.output_tokens";
    /// Part of the input that was text, integer.
    GEN_AI_USAGE_TEXT_INPUT_TOKENS = "gen_ai.usage.text.input_tokens";
    /// Part of the input that was images, integer.
    GEN_AI_USAGE_IMAGE_INPUT_TOKENS = "gen_ai.usage.image.input_tokens";
    /// Part of the input that was audio, integer.
    GEN_AI_USAGE_AUDIO_INPUT_TOKENS = "gen_ai.usage.audio.input_tokens";
    /// Part of the cached input that was text, integer.
    GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.text.cache_read.input_tokens";
    /// Part of the cached input that was images, integer.
    GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.image.cache_read.input_tokens";
    /// Part of the cached input that was audio, integer.
    GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS = "gen_ai.usage.audio.cache_read.input_tokens";
    /// Part of the output that was text, integer.
    GEN_AI_USAGE_TEXT_OUTPUT_TOKENS = "gen_ai.usage.text.output_tokens";
    /// Part of the output that was images, integer.
    GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS = "gen_ai.usage.image.output_tokens";
    /// Part of the output that was audio, integer.
    GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS = "gen_ai.usage.audio.output_tokens";

    // Cost as the conventions propose it; only where the call itself is recorded, not for later enrichment.
    /// Amount in units of the currency, double.
    GEN_AI_USAGE_COST_AMOUNT = "gen_ai.usage.cost.amount";
    /// Currency, text, ISO 4217.
    GEN_AI_USAGE_COST_CURRENCY = "gen_ai.usage.cost.currency";
    /// Who computed it, text: see [`crate::cost_source`].
    GEN_AI_USAGE_COST_SOURCE = "gen_ai.usage.cost.source";

    // Content; only where it was asked for.
    /// System instructions, structured or JSON text.
    GEN_AI_SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions";
    /// Messages sent to the model, structured or JSON text.
    GEN_AI_INPUT_MESSAGES = "gen_ai.input.messages";
    /// Messages the model wrote, structured or JSON text.
    GEN_AI_OUTPUT_MESSAGES = "gen_ai.output.messages";
    /// Tools offered to the model, structured or JSON text.
    GEN_AI_TOOL_DEFINITIONS = "gen_ai.tool.definitions";

    // Agents, tools, data sources, workflows.
    /// Name of the agent, text.
    GEN_AI_AGENT_NAME = "gen_ai.agent.name";
    /// Id of the agent, text.
    GEN_AI_AGENT_ID = "gen_ai.agent.id";
    /// Name of the tool, text.
    GEN_AI_TOOL_NAME = "gen_ai.tool.name";
    /// Kind of tool, text.
    GEN_AI_TOOL_TYPE = "gen_ai.tool.type";
    /// Id of the tool call, text.
    GEN_AI_TOOL_CALL_ID = "gen_ai.tool.call.id";
    /// Arguments of the tool call, structured or JSON text.
    GEN_AI_TOOL_CALL_ARGUMENTS = "gen_ai.tool.call.arguments";
    /// Result of the tool call, structured or JSON text.
    GEN_AI_TOOL_CALL_RESULT = "gen_ai.tool.call.result";
    /// Id of the data source of a retrieval, text.
    GEN_AI_DATA_SOURCE_ID = "gen_ai.data_source.id";
    /// Name of the workflow, text.
    GEN_AI_WORKFLOW_NAME = "gen_ai.workflow.name";

    // Results of evaluations, which are events.
    /// Name of what was evaluated, text.
    GEN_AI_EVALUATION_NAME = "gen_ai.evaluation.name";
    /// The result as a number, double.
    GEN_AI_EVALUATION_SCORE_VALUE = "gen_ai.evaluation.score.value";
    /// The result as a word, text.
    GEN_AI_EVALUATION_SCORE_LABEL = "gen_ai.evaluation.score.label";
    /// Why, in words, text.
    GEN_AI_EVALUATION_EXPLANATION = "gen_ai.evaluation.explanation";
    /// Who evaluated, text; the conventions have no name for it.
    TOLLGATE_EVALUATION_SOURCE = "tollgate.evaluation.source";

    // Metric attributes.
    /// Which tokens a metric counts, text: see [`crate::token_type`].
    GEN_AI_TOKEN_TYPE = "gen_ai.token.type";
    /// Modality of the tokens a metric counts, text: `text`, `image`, `audio`, `unknown`.
    GEN_AI_TOKEN_MODALITY = "gen_ai.token.modality";

    // OpenAI.
    /// Which OpenAI API, text: `chat_completions`, `responses`.
    OPENAI_API_TYPE = "openai.api.type";
    /// Service tier asked for, text.
    OPENAI_REQUEST_SERVICE_TIER = "openai.request.service_tier";
    /// Service tier served, text.
    OPENAI_RESPONSE_SERVICE_TIER = "openai.response.service_tier";
    /// Fingerprint of the serving system, text.
    OPENAI_RESPONSE_SYSTEM_FINGERPRINT = "openai.response.system_fingerprint";

    // General conventions.
    /// Host the client called, text.
    SERVER_ADDRESS = "server.address";
    /// Port the client called, integer.
    SERVER_PORT = "server.port";
    /// Class of the failure, text; absent where the call succeeded.
    ERROR_TYPE = "error.type";
    /// Status of the answer, integer.
    HTTP_RESPONSE_STATUS_CODE = "http.response.status_code";
    /// Size of the request's body, integer, bytes as transferred.
    HTTP_REQUEST_BODY_SIZE = "http.request.body.size";
    /// Size of the answer's body, integer, bytes as transferred.
    HTTP_RESPONSE_BODY_SIZE = "http.response.body.size";
    /// The end user, text, as the application names them to the provider.
    USER_ID = "user.id";

    // The resource that sends telemetry.
    /// Name of the service, text.
    SERVICE_NAME = "service.name";
    /// What the name is unique in, text.
    SERVICE_NAMESPACE = "service.namespace";
    /// Version of the service, text.
    SERVICE_VERSION = "service.version";
    /// One of the processes of a service, text, unlike all others of the same name and namespace.
    SERVICE_INSTANCE_ID = "service.instance.id";
    /// Name of the Kubernetes cluster, text.
    K8S_CLUSTER_NAME = "k8s.cluster.name";
    /// Namespace in Kubernetes, text.
    K8S_NAMESPACE_NAME = "k8s.namespace.name";
    /// Node of the pod, text.
    K8S_NODE_NAME = "k8s.node.name";
    /// Name of the pod, text.
    K8S_POD_NAME = "k8s.pod.name";
    /// Deployment of the pod, text.
    K8S_DEPLOYMENT_NAME = "k8s.deployment.name";
    /// Replica set of the pod, text.
    K8S_REPLICASET_NAME = "k8s.replicaset.name";
    /// Stateful set of the pod, text.
    K8S_STATEFULSET_NAME = "k8s.statefulset.name";
    /// Daemon set of the pod, text.
    K8S_DAEMONSET_NAME = "k8s.daemonset.name";
    /// Job of the pod, text.
    K8S_JOB_NAME = "k8s.job.name";
    /// Cron job of the pod, text.
    K8S_CRONJOB_NAME = "k8s.cronjob.name";
    /// Region in the cloud, text.
    CLOUD_REGION = "cloud.region";
    /// Zone within the region, text.
    CLOUD_AVAILABILITY_ZONE = "cloud.availability_zone";

    // Tollgate's own: the call.
    /// Where the counts come from, text: see [`crate::usage_source`].
    TOLLGATE_USAGE_SOURCE = "tollgate.usage.source";
    /// Whether the proxy asked for the counts in the caller's place, boolean; only where true.
    TOLLGATE_USAGE_REQUESTED = "tollgate.usage.requested";
    /// What estimated the counts, text: a tokenizer and its vocabulary, for example `tiktoken o200k_base`.
    TOLLGATE_USAGE_ESTIMATOR = "tollgate.usage.estimator";
    /// Which counts are estimates, text: see [`crate::counts`].
    TOLLGATE_USAGE_ESTIMATED = "tollgate.usage.estimated";
    /// Which estimates leave out something that was billed, text: see [`crate::counts`].
    TOLLGATE_USAGE_LOWER_BOUND = "tollgate.usage.lower_bound";
    /// Why a count that nobody reported was not estimated, text, one word.
    TOLLGATE_USAGE_UNESTIMATED = "tollgate.usage.unestimated";
    /// What the span is to the bill, text: see [`crate::call_role`].
    TOLLGATE_CALL_ROLE = "tollgate.call.role";
    /// `gen_ai.usage.input_tokens` as the emitter had it, integer; only where it left the cached parts out.
    TOLLGATE_USAGE_REPORTED_INPUT_TOKENS = "tollgate.usage.reported_input_tokens";
    /// `gen_ai.usage.output_tokens` as the emitter had it, integer; only where it left reasoning out.
    TOLLGATE_USAGE_REPORTED_OUTPUT_TOKENS = "tollgate.usage.reported_output_tokens";
    /// The wire API that was spoken, text.
    TOLLGATE_API = "tollgate.api";
    /// How the exchange ended, text.
    TOLLGATE_OUTCOME = "tollgate.outcome";
    /// The provider's code of an error, text, beside `error.type`.
    TOLLGATE_ERROR_CODE = "tollgate.error.code";
    /// Names of the tools that the model was offered, array of text.
    TOLLGATE_REQUEST_TOOLS = "tollgate.request.tools";
    /// Service tier asked for, text, of any provider.
    TOLLGATE_REQUEST_SERVICE_TIER = "tollgate.request.service_tier";
    /// Service tier served, text, of any provider.
    TOLLGATE_RESPONSE_SERVICE_TIER = "tollgate.response.service_tier";
    /// Names of the tools that the model called, array of text, each once.
    TOLLGATE_RESPONSE_TOOLS_CALLED = "tollgate.response.tools_called";
    /// Speed that was served, text; it has a price of its own.
    TOLLGATE_RESPONSE_SPEED = "tollgate.response.speed";
    /// Where the answer was computed, text; it has a price of its own.
    TOLLGATE_RESPONSE_INFERENCE_GEO = "tollgate.response.inference_geo";
    /// Seconds between chunks of output after the first, double, the mean.
    TOLLGATE_RESPONSE_TIME_PER_OUTPUT_CHUNK = "tollgate.response.time_per_output_chunk";
    /// Chunks of a stream that carried output, integer.
    TOLLGATE_RESPONSE_OUTPUT_CHUNKS = "tollgate.response.output_chunks";
    /// Whether the content that was captured is not all that was said, boolean; only where true.
    TOLLGATE_CONTENT_TRUNCATED = "tollgate.content.truncated";
    /// Part of the cache write kept for five minutes, integer.
    TOLLGATE_USAGE_CACHE_WRITE_5M_TOKENS = "tollgate.usage.cache_write_5m_tokens";
    /// Part of the cache write kept for one hour, integer.
    TOLLGATE_USAGE_CACHE_WRITE_1H_TOKENS = "tollgate.usage.cache_write_1h_tokens";

    /// Part of the input that the provider's own tools put there, integer.
    TOLLGATE_USAGE_TOOL_USE_INPUT_TOKENS = "tollgate.usage.tool_use_input_tokens";

    // Tollgate's own: cost.
    /// What the provider says the call cost, in billionths of a US dollar, integer.
    TOLLGATE_COST_PROVIDER_NANO_USD = "tollgate.cost.provider_nano_usd";
    /// Cost in US dollars, double; for display. The exact value is `tollgate.cost.nano_usd`.
    TOLLGATE_COST_AMOUNT = "tollgate.cost.amount";
    /// Cost in billionths of a US dollar, integer.
    TOLLGATE_COST_NANO_USD = "tollgate.cost.nano_usd";
    /// Currency, text, ISO 4217.
    TOLLGATE_COST_CURRENCY = "tollgate.cost.currency";
    /// Who computed the cost, text: see [`crate::cost_source`].
    TOLLGATE_COST_SOURCE = "tollgate.cost.source";
    /// Version of the price set, text.
    TOLLGATE_COST_PRICE_SET = "tollgate.cost.price_set";
    /// Row of the price set, text.
    TOLLGATE_COST_PRICE_ROW = "tollgate.cost.price_row";
    /// Service tier that was priced, text.
    TOLLGATE_COST_TIER = "tollgate.cost.tier";
    /// Why there is no cost, text, one word; set instead of an amount.
    TOLLGATE_COST_UNPRICED = "tollgate.cost.unpriced";
    /// The parts of the cost in short, text: `600 input at 2.5, 400 cache_read at 1.25, 200 output at 10`; rates are US
    /// dollars for the unit's number.
    TOLLGATE_COST_PARTS = "tollgate.cost.parts";
    /// The cost that was computed here in billionths of a US dollar, integer; only where the provider's own stands in
    /// `tollgate.cost.nano_usd`.
    TOLLGATE_COST_COMPUTED_NANO_USD = "tollgate.cost.computed_nano_usd";
    /// Whether the cost that the provider reports and the one computed here differ by more than the configured tolerance,
    /// boolean; only where true.
    TOLLGATE_COST_DISAGREES = "tollgate.cost.disagrees";
    /// Whether the call by itself cost more than a configured level, text: see [`crate::cost_level`].
    TOLLGATE_COST_LEVEL = "tollgate.cost.level";
    /// What reading from the provider's cache saved against reading the same tokens anew, in billionths of a US dollar,
    /// integer.
    TOLLGATE_SAVINGS_CACHE_READ_NANO_USD = "tollgate.savings.cache_read_nano_usd";
    /// What writing to the provider's cache saved against reading the same tokens without, in billionths of a US dollar,
    /// integer; below zero where writing costs more than reading.
    TOLLGATE_SAVINGS_CACHE_WRITE_NANO_USD = "tollgate.savings.cache_write_nano_usd";
    /// The whole bill as a map: total, parts with units, rate and amount, and the price they come from.
    TOLLGATE_COST_EXPLANATION = "tollgate.cost.explanation";

    // Tollgate's own: redaction and sampling.
    /// How many findings were taken out of the span, integer. Counts by type are `tollgate.redaction.<TYPE>`.
    TOLLGATE_REDACTION_COUNT = "tollgate.redaction.count";
    /// How many findings were taken out of the resource and the scope of the span, integer. All spans below them share
    /// these, so sums over spans say nothing.
    TOLLGATE_REDACTION_SHARED_COUNT = "tollgate.redaction.shared.count";
    /// Name of the rule that kept the span, text.
    TOLLGATE_SAMPLING_RULE = "tollgate.sampling.rule";
    /// Probability with which spans like this one are kept, double in (0, 1].
    TOLLGATE_SAMPLING_PROBABILITY = "tollgate.sampling.probability";
}

/// Start of the names of counts of findings by type: `tollgate.redaction.EMAIL_ADDRESS`, integer.
pub const TOLLGATE_REDACTION_PREFIX: &str = "tollgate.redaction.";

/// Start of the names of counts of what is billed besides tokens: `tollgate.usage.unit.images`, integer. The units are
/// `images`, `audio_input_seconds`, `audio_output_seconds`, `video_seconds`, `characters`, `pages`, `search_units`.
pub const TOLLGATE_USAGE_UNIT_PREFIX: &str = "tollgate.usage.unit.";
/// Start of the names of counts of calls of tools that the provider ran: `tollgate.usage.server_tool.web_search`, integer.
pub const TOLLGATE_USAGE_SERVER_TOOL_PREFIX: &str = "tollgate.usage.server_tool.";
