"""Captures what published instrumentations send, against the simulated provider, into `captured/<emitter>.json`.

Usage: python3 tests/dialects/capture.py [--provider BINARY] [EMITTER ...]

Each emitter gets a folder of its own below `.tools/dialects`, with the versions pinned here, since instrumentations
disagree about their dependencies. It makes the calls of its program in `emitters/` to the simulated provider
(`cargo build --release -p tollgate-simulated-provider`) and sends its spans to a receiver in this script. What arrived is
written as OTLP/JSON with ids, times and the marks of this machine replaced by ones that are the same on every run,
together with the versions and with what the provider served. The tests read the files; nothing else runs this script.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TOOLS = ROOT / ".tools" / "dialects"

SDK = ["opentelemetry-sdk==1.45.2", "opentelemetry-exporter-otlp-proto-http==1.45.2"]
OPENAI, ANTHROPIC = "openai==3.57.0", "anthropic==2.14.0"
NODE_SDK = [
    "zod",
    "@opentelemetry/api",
    "@opentelemetry/sdk-trace-node",
    "@opentelemetry/resources",
    "@opentelemetry/exporter-trace-otlp-http",
]

# Emitter: its program and its packages, the emitter's own first.
EMITTERS = {
    "openinference": ("emit_openinference.py", [
        "openinference-instrumentation-openai==0.1.66", "openinference-instrumentation-anthropic==3.1.0",
        OPENAI, ANTHROPIC, *SDK,
    ]),
    "openllmetry": ("emit_openllmetry.py", [
        "opentelemetry-instrumentation-openai==0.62.4", "opentelemetry-instrumentation-anthropic==0.62.4",
        OPENAI, ANTHROPIC, *SDK,
    ]),
    # Newer clients and a newer common library are not what it was built for.
    "opentelemetry": ("emit_opentelemetry.py", [
        "opentelemetry-instrumentation-openai-v2==2.4b0", "openai==2.54.0", "opentelemetry-util-genai==1.1b0", *SDK,
    ]),
    "langfuse": ("emit_langfuse.py", ["langfuse==5.0.4", OPENAI, ANTHROPIC]),
    "pydantic-ai": ("emit_pydantic_ai.py", ["pydantic-ai-slim[openai,anthropic]==2.68.0", "logfire==5.4.0"]),
    "ai-sdk-5": ("emit_ai_sdk.mjs", [
        "ai@5.0.277", "@ai-sdk/openai@2.0.131", "@ai-sdk/anthropic@2.0.112", *NODE_SDK,
    ]),
    "ai-sdk-6": ("emit_ai_sdk.mjs", [
        "ai@6.0.326", "@ai-sdk/openai@3.0.141", "@ai-sdk/anthropic@3.0.140", *NODE_SDK,
    ]),
    "ai-sdk-7": ("emit_ai_sdk.mjs", [
        "ai@7.0.173", "@ai-sdk/openai@4.0.118", "@ai-sdk/anthropic@4.0.105", "@ai-sdk/otel@1.0.173", *NODE_SDK,
    ]),
}
# Of the SDKs that every emitter shares, the versions say nothing about a dialect.
SHARED = re.compile(r"opentelemetry-(sdk|exporter)|@opentelemetry/|^zod")

DECODE = """
import base64, json, sys
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
print(json.dumps(MessageToDict(ExportTraceServiceRequest.FromString(sys.stdin.buffer.read()))))
"""


def install(name, program, packages):
    """The interpreter of an emitter, in a folder with its packages; installed once."""
    folder = TOOLS / name
    marker = folder / "installed"
    python = folder / "bin" / "python"
    command = ["node"] if program.endswith(".mjs") else [str(python)]
    if marker.is_file() and marker.read_text() == " ".join(packages):
        return folder, command
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{name}: installing {' '.join(packages)}", flush=True)
    if program.endswith(".mjs"):
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        run(["npm", "install", "--silent", "--no-audit", "--no-fund", *packages], cwd=folder)
    else:
        run([sys.executable, "-m", "venv", str(folder)])
        run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", *packages])
    marker.write_text(" ".join(packages))
    return folder, command


def run(command, **options):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, **options)


def versions(folder, program, packages):
    """The versions of the emitter's own packages, as installed."""
    names = [re.sub(r"(?<=.)(@|==|\[).*", "", package) for package in packages if not SHARED.search(package)]
    if program.endswith(".mjs"):
        read = lambda name: json.loads((folder / "node_modules" / name / "package.json").read_text())["version"]
    else:
        code = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
        python = str(folder / "bin" / "python")
        read = lambda name: subprocess.check_output([python, "-c", code, name], text=True).strip()
    return {name: read(name) for name in names}


class Receiver:
    """OTLP over HTTP: keeps bodies of traces, and answers everything else with success."""

    def __init__(self):
        self.bodies = []
        bodies = self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = b"".join(self.chunks())
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                if self.path.endswith("/traces"):
                    bodies.append((self.headers.get("content-type", ""), body))
                self.answer()

            def chunks(self):
                """The body: by its length, or in chunks, as Node sends it."""
                if self.headers.get("transfer-encoding") != "chunked":
                    yield self.rfile.read(int(self.headers.get("content-length", 0)))
                    return
                while size := int(self.rfile.readline(), 16):
                    yield self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()

            def answer(self):
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"


class Provider:
    """The simulated provider, in a process of its own: fresh, so that ids of answers are the same on every run."""

    def __init__(self, binary):
        self.process = subprocess.Popen([binary, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def served(self):
        with urllib.request.urlopen(f"{self.url}/sim/served") as answer:
            return [json.loads(line) for line in answer.read().decode().splitlines()]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def requests(bodies, folder):
    """OTLP/JSON of each body."""
    for content_type, body in bodies:
        if "json" in content_type:
            yield json.loads(body)
        else:
            python = str(folder / "bin" / "python")
            yield json.loads(subprocess.check_output([python, "-c", DECODE], input=body))


class Normal:
    """Replaces what differs from run to run: ids, times, and the marks of this machine."""

    START = 1_790_000_000_000_000_000
    # Attributes that say where the program ran rather than what it did.
    LOCAL = re.compile(
        r"^(code\.|thread\.|process\.|host\.|service\.instance|server\.(address|port)$|telemetry\.sdk|os\."
        r"|langfuse\.(release|version)$|logfire\.(code|tags)|deployment)"
    )

    def __init__(self, base):
        self.ids, self.times = {}, []
        self.base = re.escape(base)

    def request(self, request):
        for group in request.get("resourceSpans", []):
            group.pop("schemaUrl", None)
            self.attributes(group.get("resource", {}))
            for scope in group["scopeSpans"]:
                scope["scope"] = {key: scope["scope"][key] for key in ("name",) if key in scope["scope"]}
                scope.pop("schemaUrl", None)
                for span in scope["spans"]:
                    self.span(span)
        return request

    def span(self, span):
        for key, size in (("traceId", 32), ("spanId", 16), ("parentSpanId", 16)):
            if span.get(key):
                span[key] = self.ids.setdefault(span[key], f"{len(self.ids) + 1:0{size}x}")
        span.pop("flags", None)
        span.pop("links", None)
        self.attributes(span)
        for event in span.get("events", []):
            event["timeUnixNano"] = str(self.START)
            self.attributes(event)
            # Stack traces name files of this machine.
            event["attributes"] = [a for a in event.get("attributes", []) if a["key"] != "exception.stacktrace"]
        self.times.append(span)

    def clock(self):
        """Spans take a second each, begin in their order, and lie within their parents."""
        moments = sorted({int(span[key]) for span in self.times for key in ("startTimeUnixNano", "endTimeUnixNano")})
        order = {moment: str(self.START + number * 1_000_000) for number, moment in enumerate(moments)}
        for span in self.times:
            for key in ("startTimeUnixNano", "endTimeUnixNano"):
                span[key] = order[int(span[key])]

    def attributes(self, holder):
        kept = [a for a in holder.get("attributes", []) if not self.LOCAL.search(a["key"])]
        holder["attributes"] = sorted(({"key": a["key"], "value": self.value(a["value"])} for a in kept), key=str)

    def value(self, value):
        if "stringValue" in value:
            return {"stringValue": self.text(value["stringValue"])}
        if "doubleValue" in value and value["doubleValue"] not in (0.25, 0.5, 0.9):
            # Only durations are fractions of no round number.
            whole = float(value["doubleValue"]).is_integer()
            return value if whole else {"doubleValue": 0.125}
        if "intValue" in value:
            return {"intValue": str(value["intValue"])}
        if "arrayValue" in value:
            return {"arrayValue": {"values": [self.value(item) for item in value["arrayValue"].get("values", [])]}}
        return value

    def text(self, text):
        text = re.sub(self.base, "http://provider", text)
        text = re.sub(r"/[\w./-]*/\.tools/[\w./@-]*", "/app", text)
        # Unix times, in seconds and as text; ids that clients invent.
        text = re.sub(r"(\"(?:created|created_at|completed_at)\\*\": ?)1[6-9]\d{8}(\.\d+)?", r"\g<1>1790000000", text)
        text = re.sub(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "2026-09-21T14:13:20Z", text)
        text = re.sub(
            r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
            lambda found: self.ids.setdefault(found[0], f"00000000-0000-4000-8000-{len(self.ids) + 1:012x}"),
            text,
        )
        return text


def hexadecimal(request):
    """Protobuf's own JSON has ids in base64; OTLP/JSON has them in hexadecimal, and kinds as numbers."""
    import base64

    kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
    codes = ["UNSET", "OK", "ERROR"]
    for group in request.get("resourceSpans", []):
        for scope in group["scopeSpans"]:
            for span in scope["spans"]:
                for key in ("traceId", "spanId", "parentSpanId"):
                    if key in span and not re.fullmatch(r"[0-9a-f]{16}|[0-9a-f]{32}", span[key]):
                        span[key] = base64.b64decode(span[key]).hex()
                if isinstance(span.get("kind"), str):
                    span["kind"] = kinds.index(span["kind"].removeprefix("SPAN_KIND_"))
                code = span.get("status", {}).get("code")
                if isinstance(code, str):
                    span["status"]["code"] = codes.index(code.removeprefix("STATUS_CODE_"))
    return request


def capture(name, binary):
    program, packages = EMITTERS[name]
    folder, command = install(name, program, packages)
    receiver, provider = Receiver(), Provider(binary)
    try:
        run(
            [*command, str(HERE / "emitters" / program), provider.url],
            cwd=folder,
            env={
                **os.environ,
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true",
                "NO_PROXY": "127.0.0.1",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            timeout=120,
        )
        served = provider.served()
    finally:
        provider.stop()
        receiver.server.shutdown()
    normal = Normal(provider.url)
    captured = [normal.request(hexadecimal(request)) for request in requests(receiver.bodies, folder)]
    normal.clock()
    kept = ("id", "provider", "api", "request_model", "model", "stream", "status", "usage")
    file = {
        "emitter": versions(folder, program, packages),
        "served": [{key: call[key] for key in kept} for call in served],
        "requests": captured,
    }
    spans = len(normal.times)
    (HERE / "captured" / f"{name}.json").write_text(json.dumps(file, indent=1, ensure_ascii=False) + "\n")
    print(f"{name}: {spans} spans of {len(served)} calls")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--provider", default=str(target / "release" / "simulated-provider"))
    parser.add_argument("emitters", nargs="*", default=list(EMITTERS))
    arguments = parser.parse_args()
    (HERE / "captured").mkdir(exist_ok=True)
    for name in arguments.emitters:
        capture(name, arguments.provider)


if __name__ == "__main__":
    main()
