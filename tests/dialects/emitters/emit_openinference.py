"""OpenInference's instrumentations of the OpenAI and Anthropic clients, below a span of a chain."""

import calls
import providers
from openinference.instrumentation import using_attributes
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

provider = providers.tracer_provider()
OpenAIInstrumentor().instrument(tracer_provider=provider)
AnthropicInstrumentor().instrument(tracer_provider=provider)
with using_attributes(session_id="session-1", user_id="user-1"):
    calls.openai_calls(providers.openai())
    calls.anthropic_calls(providers.anthropic())
provider.shutdown()
