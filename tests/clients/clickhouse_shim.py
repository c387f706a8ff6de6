"""ClickHouse's HTTP interface in front of the engine of the package `chdb-core`, which has none of its own.

    PYTHONPATH=... python3 clickhouse_shim.py FOLDER [PORT]

FOLDER holds the tables, and outlives the process. The port is printed on the first line. It speaks what clients of an
insert and of a query use: the statement in the address or in the body, `INSERT ... FORMAT ...` with the rows in the body,
settings as parameters of the address, `Content-Encoding`, `X-ClickHouse-User` and `X-ClickHouse-Key`, the headers
`X-ClickHouse-Summary` and `X-ClickHouse-Exception-Code`. What the rows and statements mean is the engine's business alone.

`SHIM_USER` and `SHIM_KEY` in the environment ask for credentials.
"""

import gzip
import json
import os
import re
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import lz4.frame
import zstandard
from chdb import session

# Parameters of the interface itself; all others are settings of the statement.
RESERVED = {"query", "database", "default_format", "user", "password", "query_id", "session_id", "wait_end_of_query"}
# The interface answers with these statuses; everything else is a 500.
STATUS = {60: 404, 81: 404, 16: 404, 516: 403, 497: 403, 62: 400, 27: 400, 117: 400, 6: 400}
# One statement at a time: the engine in a process has one session.
LOCK = threading.Lock()


def unpacked(body, coding):
    if coding == "gzip":
        return gzip.decompress(body)
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    if coding == "lz4":
        return lz4.frame.decompress(body)
    if coding:
        raise ValueError(f"Code: 89. DB::Exception: Unknown compression method {coding}")
    return body


def literal(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine = None

    def log_message(self, *_):
        pass

    def answer(self, status, body, code=None):
        self.send_response(status)
        self.send_header("X-ClickHouse-Summary", json.dumps({"written_rows": "0"}))
        self.send_header("X-ClickHouse-Server-Display-Name", "chdb")
        if code is not None:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fail(self, error):
        words = str(error)
        found = re.search(r"Code: (\d+)\. DB::", words)
        code = int(found.group(1)) if found else 1001
        self.answer(STATUS.get(code, 500), words.encode(), code)

    def do_GET(self):
        if urlsplit(self.path).path == "/ping":
            self.answer(200, b"Ok.\n")
        else:
            self.do_POST()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        wanted = (os.environ.get("SHIM_USER", ""), os.environ.get("SHIM_KEY", ""))
        given = (self.headers.get("X-ClickHouse-User", ""), self.headers.get("X-ClickHouse-Key", ""))
        if wanted != ("", "") and given != wanted:
            return self.fail(f"Code: 516. DB::Exception: {given[0]}: Authentication failed")
        parameters = parse_qsl(urlsplit(self.path).query, keep_blank_values=True)
        settings = [(name, value) for name, value in parameters if name not in RESERVED]
        try:
            body = unpacked(body, self.headers.get("Content-Encoding", ""))
            statement = dict(parameters).get("query", "")
            rows = b""
            if statement:
                rows = body
            else:
                statement = body.decode()
            self.answer(200, self.run(statement.strip().rstrip(";"), rows, settings))
        except Exception as error:  # whatever the engine says is an answer
            self.fail(error)

    def run(self, statement, rows, settings):
        insert = re.fullmatch(r"(?is)(insert\s+into\s+.*?)\s+format\s+(\w+)", statement)
        if not insert:
            if settings:
                statement += " SETTINGS " + ", ".join(f"{name} = {literal(value)}" for name, value in settings)
            with LOCK:
                result = self.engine.query(statement, "TSV")
                return bytes(result.bytes() or b"") if hasattr(result, "bytes") else str(result).encode()
        into, form = insert.groups()
        with tempfile.NamedTemporaryFile(dir=FOLDER, suffix=".rows") as file:
            file.write(rows)
            file.flush()
            clause = "".join(f" {name} = {literal(value)}," for name, value in settings)
            clause = f" SETTINGS{clause.rstrip(',')}" if clause else ""
            with LOCK:
                self.engine.query(f"{into} FROM INFILE {literal(file.name)}{clause} FORMAT {form}", "TSV")
        return b""


def leave_with_parent():
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    FOLDER = os.path.abspath(sys.argv[1])
    os.makedirs(FOLDER, exist_ok=True)
    Handler.engine = session.Session(os.path.join(FOLDER, "engine"))
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=leave_with_parent, daemon=True).start()
    print(server.server_address[1], flush=True)
    server.serve_forever()
