"""Langfuse's drop-in OpenAI client, below a span, and a generation that the application reports itself."""

import os

os.environ.update(LANGFUSE_PUBLIC_KEY="pk-none", LANGFUSE_SECRET_KEY="sk-none", LANGFUSE_FLUSH_AT="1000")
os.environ["LANGFUSE_BASE_URL"] = os.environ["LANGFUSE_HOST"] = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]

import calls
import providers
from langfuse import Langfuse, get_client
from langfuse.openai import OpenAI

langfuse = Langfuse(flush_interval=60)
client = OpenAI(base_url=f"{providers.BASE}/v1", api_key="none", max_retries=0)
with get_client().start_as_current_observation(as_type="span", name="answer a question"):
    try:
        from langfuse import propagate_attributes

        with propagate_attributes(session_id="session-1", user_id="user-1"):
            calls.openai_calls(client)
    except ImportError:
        calls.openai_calls(client)
    # As the application of an Anthropic client has to: Langfuse's input is without what the cache served.
    anthropic = providers.anthropic()
    with get_client().start_as_current_observation(
        as_type="generation", name="claude", model=calls.MESSAGE["model"], input=calls.MESSAGE["messages"]
    ) as generation:
        headers = calls.wishes(input=2500, cached=2000, cache_write=300, output=70)
        answer = anthropic.messages.create(**calls.MESSAGE, extra_headers=headers)
        generation.update(
            output=answer.content[0].text,
            usage_details={
                "input": answer.usage.input_tokens,
                "output": answer.usage.output_tokens,
                "cache_read_input_tokens": answer.usage.cache_read_input_tokens,
                "cache_creation_input_tokens": answer.usage.cache_creation_input_tokens,
            },
        )
langfuse.flush()
langfuse.shutdown()
