"""The clients and the SDK as the emitters need them. The address of the provider is the program's argument."""

import sys

BASE = sys.argv[1] if len(sys.argv) > 1 else ""


def openai():
    from openai import OpenAI

    return OpenAI(base_url=f"{BASE}/v1", api_key="none", max_retries=0)


def anthropic():
    from anthropic import Anthropic

    return Anthropic(base_url=BASE, api_key="none", max_retries=0)


def tracer_provider():
    """An SDK that exports every span in one request at the end, to OTEL_EXPORTER_OTLP_ENDPOINT."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "app"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=60_000))
    trace.set_tracer_provider(provider)
    return provider
