"""OpenLLMetry's instrumentations of the OpenAI and Anthropic clients."""

import calls
import providers
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor

provider = providers.tracer_provider()
OpenAIInstrumentor().instrument(tracer_provider=provider)
AnthropicInstrumentor().instrument(tracer_provider=provider)
calls.openai_calls(providers.openai())
calls.anthropic_calls(providers.anthropic())
provider.shutdown()
