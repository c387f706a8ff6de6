"""An agent of Pydantic AI that calls a tool, instrumented through Logfire, which sends to any OTLP receiver."""

import calls
import logfire
import providers
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

logfire.configure(send_to_logfire=False, service_name="app", console=False, inspect_arguments=False)
logfire.instrument_pydantic_ai()


def settings(headers):
    return ModelSettings(temperature=0.25, max_tokens=400, extra_headers=headers)


openai = OpenAIProvider(openai_client=AsyncOpenAI(base_url=f"{providers.BASE}/v1", api_key="none", max_retries=0))
agent = Agent(OpenAIChatModel("gpt-4o", provider=openai), system_prompt="Answer in one sentence.", name="asker")
headers = calls.wishes(input=1200, cached=1000, output=60, reasoning=20)
agent.run_sync("Why is the sky blue?", model_settings=settings(headers))

anthropic = AnthropicProvider(
    anthropic_client=AsyncAnthropic(base_url=providers.BASE, api_key="none", max_retries=0)
)
agent = Agent(AnthropicModel("claude-sonnet-4-5", provider=anthropic), name="gardener")
headers = calls.wishes(input=2500, cached=2000, cache_write=300, output=70)
agent.run_sync("Why is grass green?", model_settings=settings(headers))
logfire.force_flush()
logfire.shutdown()
