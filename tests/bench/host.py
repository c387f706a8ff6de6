#!/usr/bin/env python3
"""What the host costs a span, by stage, beside another OTLP pipeline that only passes spans on.

    cargo xtask build && tests/bench/host.py [--seconds 5] [--rounds 3]

Needs nginx (the backend, which answers 200) and wrk (the senders, four connections). Requests are OTLP/HTTP protobuf
of 100 spans of about 3 kB: a call's attributes and two messages, in one of ten of which stands an e-mail address. The
variants take turns; what is printed is the median of the rounds. CPU is what the process used (user and system). The
peer is rotel, whose agent `ROTEL` names (Python package `rotel`, file rotel/rotel-agent); without it there is none.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TOLLGATE_BUILD", ROOT / "target/tollgate"))
RECEIVER, METRICS, BACKEND = 22001, 22002, 22003
SPANS = 100

PLUGINS = {name: f"{{path: {BUILD}/plugins/{name}.wasm}}"
           for name in ("token_extractor", "cost_calculator", "pii_redactor")}
ENRICH = f"enrich: [{PLUGINS['token_extractor']}, {PLUGINS['cost_calculator']}]"
REDACT = f"redact: [{PLUGINS['pii_redactor']}]"
VARIANTS = {
    "tollgate, passing on": "",
    "tollgate, enriching": ENRICH,
    "tollgate, enriching and redacting": f"{ENRICH}\n{REDACT}",
}


def field(number: int, value: bytes | int) -> bytes:
    """A field of a protobuf message: bytes, or an unsigned number."""
    def varint(n: int) -> bytes:
        out = bytearray()
        while n > 0x7F:
            out.append(n & 0x7F | 0x80)
            n >>= 7
        return bytes([*out, n])
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def attribute(key: str, value: str | int) -> bytes:
    any_value = field(1, value.encode()) if isinstance(value, str) else field(3, value)
    return field(9, field(1, key.encode()) + field(2, any_value))


def request() -> bytes:
    words = "The quarterly report shows that revenue grew in every region while costs stayed flat. " * 15
    spans = b""
    for n in range(SPANS):
        contact = f"Write to person{n}@example.com." if n % 10 == 0 else ""
        message = json.dumps([{"role": "user", "parts": [{"type": "text", "content": words + contact}]}])
        start = 1_790_000_000_000_000_000 + n
        span = field(1, struct.pack(">QQ", 7, n + 1)) + field(2, struct.pack(">Q", n + 1)) + field(5, b"chat gpt-4o")
        span += field(6, 3) + b"\x39" + struct.pack("<Q", start) + b"\x41" + struct.pack("<Q", start + 10**9)
        for key, value in {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.response.id": f"chatcmpl-{n}",
            "gen_ai.usage.input_tokens": 1200 + n, "gen_ai.usage.output_tokens": 300,
            "gen_ai.usage.cache_read.input_tokens": 1024, "server.address": "api.openai.com", "server.port": 443,
            "gen_ai.input.messages": message, "gen_ai.output.messages": message,
        }.items():
            span += attribute(key, value)
        spans += field(2, span)
    resource = field(1, field(1, field(1, b"service.name") + field(2, field(1, b"shop"))))
    return field(1, resource + field(2, spans))


def start(variant: str, folder: Path) -> subprocess.Popen:
    if variant == "rotel, passing on":
        command = [os.environ["ROTEL"], "start", "--otlp-http-endpoint", f"127.0.0.1:{RECEIVER}",
                   "--otlp-grpc-endpoint", f"127.0.0.1:{METRICS}", "--exporter", "otlp",
                   "--otlp-exporter-protocol", "http", "--otlp-exporter-compression", "none",
                   "--otlp-exporter-endpoint", f"http://127.0.0.1:{BACKEND}"]
    else:
        config = folder / "tollgate.yaml"
        config.write_text(f"""
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{RECEIVER}"}}}}}}}}
{VARIANTS[variant]}
outputs:
  prometheus: {{endpoint: "127.0.0.1:{METRICS}"}}
  otlp_http: {{endpoint: "http://127.0.0.1:{BACKEND}", compression: none}}
""")
        command = [str(BUILD / "bin/tollgate"), "run", "--config", str(config)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=(folder / "log").open("w"))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def send(body: bytes) -> None:
    sent = urllib.request.Request(f"http://127.0.0.1:{RECEIVER}/v1/traces", body,
                                  {"content-type": "application/x-protobuf"})
    urllib.request.urlopen(sent, timeout=5).close()


def measure(variant: str, body: bytes, seconds: int, folder: Path) -> tuple[float, float, float, float]:
    """Spans accepted a second, MB delivered for a MB accepted, CPU microseconds a span, and the most memory in MB."""
    log = folder / "nginx.access"
    log.write_text("")
    process = start(variant, folder)
    try:
        for _ in range(100):
            try:
                send(body)
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit(f"{variant} did not start:\n{(folder / 'log').read_text()}")
        (folder / "body").write_bytes(body)
        script = folder / "post.lua"
        script.write_text(f"wrk.method = 'POST'\nwrk.body = io.open('{folder}/body', 'rb'):read('*a')\n"
                          "wrk.headers['content-type'] = 'application/x-protobuf'\n")
        before = cpu_seconds(process.pid)
        out = subprocess.run(
            ["wrk", "-t1", "-c4", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{RECEIVER}/v1/traces"],
            check=True, capture_output=True, text=True).stdout
        refused = int(match[1]) if (match := re.search(r"Non-2xx or 3xx responses: (\d+)", out)) else 0
        spans = (int(re.search(r"(\d+) requests in", out)[1]) - refused) * SPANS
        used = cpu_seconds(process.pid) - before
        memory = resident_mb(process.pid)
        process.terminate()
        process.wait(15)
        delivered = sum(int(line) for line in log.read_text().split() if line.isdigit())
        return spans / seconds, delivered / (spans / SPANS * len(body)), used / spans * 1e6, memory
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=int, default=5)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    if missing := [tool for tool in ("nginx", "wrk") if not shutil.which(tool)]:
        sys.exit(f"{' and '.join(missing)} not found; on Debian: apt-get install nginx wrk")
    variants = (["rotel, passing on"] if "ROTEL" in os.environ else []) + list(VARIANTS)
    body = request()
    print(f"{SPANS} spans a request, {len(body) // SPANS} bytes a span\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "nginx.conf"
        config.write_text(f"""
            worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
            {"user root;" if os.geteuid() == 0 else ""}
            events {{ worker_connections 512; }}
            http {{ log_format length '$http_content_length'; access_log {folder}/nginx.access length;
                    client_max_body_size 100m; client_body_temp_path {folder}/tmp;
                    keepalive_requests 1000000;
                    server {{ listen 127.0.0.1:{BACKEND}; location / {{ return 200; }} }} }}""")
        backend = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config)])
        try:
            measured = {variant: [] for variant in variants}
            for _ in range(given.rounds):
                for variant in variants:
                    measured[variant].append(measure(variant, body, given.seconds, folder))
        finally:
            backend.terminate()
            backend.wait(10)
    print(f"{'':36} {'spans/s':>9} {'out/in':>7} {'CPU us a span':>14} {'most MB':>9}")
    for variant, rounds in measured.items():
        rate, share, cpu, memory = (statistics.median(column) for column in zip(*rounds))
        print(f"  {variant:34} {rate:9.0f} {share:7.2f} {cpu:14.2f} {memory:9.0f}")


if __name__ == "__main__":
    main()
