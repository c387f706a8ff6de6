#!/usr/bin/env python3
"""What the filter costs Envoy, in CPU time a request, beside Envoy alone and Envoy's own token counting filter.

    cargo xtask build && tests/bench/overhead.py [--seconds 5] [--rounds 3]

Needs nginx (the provider) and wrk (the callers) on the search path, and Envoy as the tests find it. One worker, eight
connections. Two answers: JSON of 4 kB, and a stream of 55 kB in 301 events, both with usage. The variants take turns,
round by round; what is printed is the median of the rounds. CPU is what Envoy's own process used (user and system).
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/envoy/envoy.yaml"
MODULE = Path(os.environ.get("TOLLGATE_BUILD", ROOT / "target/tollgate")) / "filter/tollgate_filter.wasm"
LISTENER, ADMIN, PROVIDER, COLLECTOR = 21000, 21001, 21002, 21003
REQUEST = '{"model":"gpt-4o","stream":true,"messages":[{"role":"user","content":"Say something long."}]}'

NATIVE = """- name: native
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.http.ai_protocol_manager.v3.AiProtocolManager
                      response_handling:
                        token_usage:
                          include_unconfigured_routes: true
"""

# Name of the variant, and the configuration of our filter in it.
VARIANTS = {
    "envoy alone": None,
    "ai_protocol_manager": None,
    "tollgate, metrics": {"access_log": "off"},
    "tollgate, metrics, asks for usage": {"access_log": "off", "include_usage": "inject_and_strip"},
    "tollgate, metrics and access log": {},
    "tollgate, metrics, access log, spans": {"export": {"cluster": "collector"}},
}


def answers(folder: Path) -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 80
    usage = {"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300}
    whole = {
        "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": usage,
    }
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1790000000,
             "model": "gpt-4o-2024-08-06"}
    events = [dict(chunk, choices=[{"index": 0, "delta": {"content": f" word{n}"}, "finish_reason": None}])
              for n in range(299)] + [dict(chunk, choices=[], usage=usage)]
    stream = "".join(f"data: {json.dumps(event, separators=(',', ':'))}\n\n" for event in events) + "data: [DONE]\n\n"
    (folder / "v1/chat").mkdir(parents=True)
    (folder / "v1/chat/completions").write_text(json.dumps(whole))
    (folder / "stream/v1/chat").mkdir(parents=True)
    (folder / "stream/v1/chat/completions").write_text(stream)
    print(f"JSON answer {len(json.dumps(whole))} bytes; stream {len(stream)} bytes, 301 events\n")


def nginx(folder: Path) -> subprocess.Popen:
    config = folder / "nginx.conf"
    config.write_text(f"""
        worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
        events {{ worker_connections 512; }}
        http {{
            access_log off; sendfile on; keepalive_requests 1000000; client_body_temp_path {folder}/tmp;
            server {{
                listen 127.0.0.1:{PROVIDER}; root {folder}/www; error_page 405 =200 $uri;
                default_type application/json;
                location /stream/ {{ default_type text/event-stream; }}
            }}
            server {{ listen 127.0.0.1:{COLLECTOR}; location / {{ return 200; }} }}
        }}""")
    return subprocess.Popen(["nginx", "-p", str(folder), "-c", str(config)])


def block(text: str, start: str, replacement: str) -> str:
    """Replaces a YAML list item or field, and what is below it."""
    pattern = re.compile(rf"^( *){re.escape(start)}.*\n(?:(?:\1 +.*)?\n)*", re.M)
    return pattern.sub(lambda match: match[1] + replacement if replacement else "", text, count=1)


def config(variant: str, folder: Path) -> Path:
    text = EXAMPLE.read_text()
    for old, new in ((10000, LISTENER), (9901, ADMIN), (8080, PROVIDER), (4318, COLLECTOR)):
        text = text.replace(f"port_value: {old} ", f"port_value: {new} ")
    text = text.replace("target/tollgate/filter/tollgate_filter.wasm", str(MODULE))
    text = text.replace("/dev/stdout", "/dev/null")
    ours = VARIANTS[variant]
    if variant == "envoy alone":
        text = block(text, "- name: tollgate", "")
    elif ours is None:
        text = block(text, "- name: tollgate", NATIVE)
    else:
        text = block(text, "value: |", f"value: {json.dumps(json.dumps(ours))}\n")
    file = folder / "envoy.yaml"
    file.write_text(text)
    return file


def envoy_binary() -> str:
    installed = ROOT / ".tools/envoy/envoy/_bin/envoy"
    return os.environ.get("ENVOY") or shutil.which("envoy") or str(installed)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def admin(path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{ADMIN}{path}", timeout=5) as answer:
        return answer.read().decode()


def load(path: str, seconds: int, folder: Path) -> int:
    script = folder / "post.lua"
    script.write_text(f"wrk.method = 'POST'\nwrk.body = '{REQUEST}'\nwrk.headers['content-type'] = 'application/json'\n"
                      "wrk.headers['host'] = 'api.openai.com'\n")
    out = subprocess.run(
        ["wrk", "-t1", "-c8", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{LISTENER}{path}"],
        check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        sys.exit(f"the load did not pass:\n{out}")
    return int(re.search(r"(\d+) requests in", out)[1])


def measure(variant: str, path: str, seconds: int, folder: Path) -> tuple[float, float, float]:
    """Microseconds of CPU a request, megabytes resident, megabytes of the filter's own memory."""
    log = (folder / "envoy.log").open("w")
    process = subprocess.Popen([envoy_binary(), "--disable-hot-restart", "--concurrency", "1", "-l", "error", "-c",
                                str(config(variant, folder))], stdout=log, stderr=log)
    try:
        for _ in range(200):
            try:
                admin("/ready")
                break
            except OSError:
                time.sleep(0.05)
        else:
            sys.exit(f"Envoy does not start:\n{(folder / 'envoy.log').read_text()}")
        load(path, 1, folder)
        before = cpu_seconds(process.pid)
        requests = load(path, seconds, folder)
        used = cpu_seconds(process.pid) - before
        memory = re.search(r"tollgate\.memory_bytes: (\d+)", admin("/stats?filter=memory_bytes"))
        return used / requests * 1e6, resident_mb(process.pid), int(memory[1]) / 2**20 if memory else 0.0
    finally:
        process.kill()
        process.wait()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--rounds", type=int, default=3)
    options = options.parse_args()
    print(f"module {MODULE.stat().st_size / 1024:.0f} KiB")
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        answers(folder / "www")
        server = nginx(folder)
        try:
            time.sleep(0.5)
            for title, path in (("JSON", "/v1/chat/completions"), ("stream", "/stream/v1/chat/completions")):
                results = {variant: [] for variant in VARIANTS}
                for _ in range(options.rounds):
                    for variant, rounds in results.items():
                        rounds.append(measure(variant, path, options.seconds, folder))
                base = statistics.median(cpu for cpu, _, _ in results["envoy alone"])
                print(f"{title:40} CPU us a request   over Envoy alone   RSS MB   module MB")
                for variant, rounds in results.items():
                    cpu, resident, own = (statistics.median(column) for column in zip(*rounds))
                    print(f"  {variant:38} {cpu:12.1f} {cpu - base:+18.1f} {resident:13.0f} {own:10.1f}")
                print()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
