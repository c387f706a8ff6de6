"""OpenTelemetry's own instrumentation of the OpenAI client."""

import calls
import providers
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

provider = providers.tracer_provider()
OpenAIInstrumentor().instrument(tracer_provider=provider)
calls.openai_calls(providers.openai(), responses=False)
provider.shutdown()
