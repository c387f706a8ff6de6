"""Three applications with the OpenTelemetry SDK, which send their own spans over OTLP: the demo's second seat.

Usage: python3 sdk_spans.py OTLP_URL REPORT

Each application is instrumented in another dialect, none of them the conventions of today. What was sent is written to
REPORT as JSON: a ledger of the calls in the form of the simulated provider's, which personal data was planted, which
traces have to be kept, and which teams have to be charged. Ids and counts are the same on every run.
"""

import hashlib
import json
import sys
import time
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

# Personal data to plant: valid by its checksum, and nobody's. The key was made up in the form of its vendor.
PERSONAL = {
    "EMAIL_ADDRESS": "grace.hopper@example.org",
    "CREDIT_CARD": "5555 5555 5555 4444",
    "PHONE_NUMBER": "+44 20 7946 0958",
    "IBAN_CODE": "DE89 3704 0044 0532 0130 00",
    "IP_ADDRESS": "203.0.113.77",
    "AWS_ACCESS_KEY": "AKIAQ7XK3WTVN5PLZ2DM",
}

MILLISECOND = 1_000_000


@dataclass
class Call:
    """One call to a model, as an application reports it. `provider` is in the dialect's spelling."""

    provider: str
    model: str
    input: int
    output: int
    cached: int = 0
    plant: str | None = None  # type of the personal data in its prompt
    error: str | None = None  # message of the exception that ended it, with personal data of `plant` behind it


@dataclass
class Application:
    """A service: its team by the table of the example configuration, its dialect, and the calls of each trace."""

    name: str
    team: str
    dialect: callable
    traces: list


def openinference(span, call, prompt):
    """OpenInference: counts under `llm.token_count`, content in attributes."""
    span.set_attributes({
        "openinference.span.kind": "LLM",
        "llm.provider": call.provider,
        "llm.model_name": call.model,
        "input.value": json.dumps({"messages": [{"role": "user", "content": prompt}]}),
        "llm.input_messages.0.message.content": prompt,
    })
    if not call.error:
        span.set_attributes({
            "llm.token_count.prompt": call.input,
            "llm.token_count.completion": call.output,
            "llm.token_count.total": call.input + call.output,
            "llm.token_count.prompt_details.cache_read": call.cached,
        })
    return 2  # times that the prompt is on the span


def older_conventions(span, call, prompt):
    """The GenAI conventions as they were: `gen_ai.system`, prompt and completion tokens, content in events."""
    span.set_attributes({
        "gen_ai.system": call.provider,
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": call.model,
    })
    span.add_event("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps([{"role": "user", "content": prompt}])})
    if not call.error:
        span.set_attributes({
            "gen_ai.usage.prompt_tokens": call.input,
            "gen_ai.usage.completion_tokens": call.output,
            "gen_ai.usage.cache_read_input_tokens": call.cached,
        })
    return 1


def openllmetry(span, call, prompt):
    """OpenLLMetry: its own names for kind, vendor and counts, content in numbered attributes."""
    span.set_attributes({
        "llm.request.type": "chat",
        "llm.vendor": call.provider,
        "llm.request.model": call.model,
        "gen_ai.prompt.0.content": prompt,
    })
    if not call.error:
        span.set_attributes({
            "llm.usage.prompt_tokens": call.input,
            "llm.usage.completion_tokens": call.output,
            "llm.usage.cache_read_input_tokens": call.cached,
        })
    return 1


# The conventions' names for the spellings that are used below.
PROVIDERS = {"mistralai": "mistral_ai", "vertex_ai": "gcp.vertex_ai"}

# In every application one trace costs more than the 0.05 dollars above which the example keeps all.
APPLICATIONS = [
    Application("shop", "checkout", openinference, [
        [Call("openai", "gpt-4.1", 31_000, 900, cached=4_096), Call("openai", "gpt-4o-mini", 220, 40)],
        [Call("openai", "gpt-4o-mini", 310, 55, plant="CREDIT_CARD"), Call("openai", "gpt-4.1", 640, 120)],
        [Call("openai", "gpt-4.1", 480, 0, plant="EMAIL_ADDRESS", error="no delivery to")],
    ]),
    Application("support-desk", "support", older_conventions, [
        [Call("anthropic", "claude-opus-4-5", 9_000, 1_100, plant="PHONE_NUMBER"),
         Call("anthropic", "claude-haiku-4-5", 700, 90, cached=512)],
        [Call("vertex_ai", "gemini-2.5-flash", 1_500, 200, plant="IP_ADDRESS")],
        [Call("anthropic", "claude-haiku-4-5", 400, 0, plant="IBAN_CODE", error="no such account:")],
    ]),
    Application("nightly-reports", "unknown", openllmetry, [
        [Call("mistralai", "mistral-large-latest", 28_000, 2_000, plant="AWS_ACCESS_KEY"),
         Call("mistralai", "mistral-large-latest", 1_200, 300)],
        [Call("openai", "gpt-4o-mini", 150, 30), Call("openai", "in-house-7b", 90, 12)],
    ]),
]  # fmt: skip


class RepeatableIds(IdGenerator):
    """Ids that look random, as sampling by trace id expects, and are the same on every run."""

    def __init__(self, seed):
        self.seed, self.made = seed, 0

    def generate_trace_id(self):
        return self._next(16)

    def generate_span_id(self):
        return self._next(8)

    def _next(self, size):
        self.made += 1
        return int.from_bytes(hashlib.sha256(f"{self.seed} {self.made}".encode()).digest()[:size], "big")


class Report:
    """What was sent."""

    def __init__(self):
        self.ledger, self.planted, self.kept_trace_ids, self.spans = [], [], [], 0

    def call(self, call, places):
        self.spans += 1
        usage = {"input_tokens": call.input, "output_tokens": call.output, "cache_read_tokens": call.cached}
        self.ledger.append({
            "provider": PROVIDERS.get(call.provider, call.provider),
            "request_model": call.model,
            "usage": None if call.error else usage,
            "error": "exception" if call.error else None,
        })
        if call.plant:
            self.planted += [{"type": call.plant, "value": PERSONAL[call.plant]}] * places

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({
                "calls": len(self.ledger),
                "spans": self.spans,
                "ledger": self.ledger,
                "planted": self.planted,
                "kept_trace_ids": self.kept_trace_ids,
                "teams": [application.team for application in APPLICATIONS],
            }, file, indent=1)  # fmt: skip


def send_call(tracer, parent, application, call, start, report):
    """Reports one call as a span below `parent`; returns when it ended."""
    end = start + (200 + call.output) * MILLISECOND
    span = tracer.start_span(f"{call.model} call", set_span_in_context(parent), SpanKind.CLIENT, start_time=start)
    value = PERSONAL[call.plant] if call.plant else "none given"
    places = application.dialect(span, call, f"Please answer the customer; their contact: {value} (from the form).")
    if call.error:
        try:
            raise RuntimeError(f"{call.error} {value}")
        except RuntimeError as error:
            span.record_exception(error, timestamp=end)
            span.set_status(Status(StatusCode.ERROR, str(error)))
        places += 3  # message and stack trace of the exception, message of the status
    span.end(end)
    report.call(call, places)
    return end


def send_application(application, url, report):
    """Sends the traces of one application; false where the SDK could not."""
    resource = Resource.create({"service.name": application.name, "deployment.environment.name": "demo"})
    provider = TracerProvider(resource=resource, id_generator=RepeatableIds(application.name), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url}/v1/traces")))
    tracer = provider.get_tracer("demo")
    for number, calls in enumerate(application.traces):
        start = time.time_ns() - 20_000 * MILLISECOND
        root = tracer.start_span("POST /assistant", kind=SpanKind.SERVER, start_time=start)
        root.set_attributes({"http.request.method": "POST", "user.id": f"u-{number + 1}"})
        end = start
        for call in calls:
            end = send_call(tracer, root, application, call, end + MILLISECOND, report)
        root.end(end + MILLISECOND)
        report.spans += 1
        # The first trace of each is the dear one; sampling also always keeps errors.
        if number == 0 or any(call.error for call in calls):
            report.kept_trace_ids.append(f"{root.get_span_context().trace_id:032x}")
    sent = provider.force_flush()
    provider.shutdown()
    return sent


def main():
    url, report_path = sys.argv[1:]
    report = Report()
    for application in APPLICATIONS:
        if not send_application(application, url.rstrip("/"), report):
            print(f"the spans of {application.name} could not be sent", file=sys.stderr)
            return 1
    report.write(report_path)
    print(f"  {report.spans} spans of {len(APPLICATIONS)} applications, {len(report.ledger)} of them calls", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
