"""Calls of the official Python clients, each kind of them once, and what the clients made of the answers.

Usage: python3 calls.py BASE_URL CLIENT..

CLIENT is openai, openai-embeddings, anthropic, google,
google-embeddings or bedrock. BASE_URL is a provider, or a proxy before one. Prints a JSON object: for
each call, by the name that it carries in `x-request-id`, the parsed answer, without what differs from call to call. The
texts say how they are to be answered: `tool` by a tool call, `limit` with status 429, `failed` with status 500; the
simulated provider is told by headers.
"""

import json
import sys

USAGE = {"x-sim-input-tokens": "11", "x-sim-output-tokens": "5"}
SAID = {"document": "hello", "stream": "hello", "tool": "tool", "tool stream": "tool", "limit": "limit", "failed": "failed"}
ASKED = {
    "tool": {"x-sim-tool-call": "1"},
    "tool stream": {"x-sim-tool-call": "1"},
    "limit": {"x-sim-error": "429"},
    "failed": {"x-sim-error": "500"},
}
SCHEMA = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}
# Ids and times, which differ from call to call.
VOLATILE = {
    "id", "created", "created_at", "completed_at", "item_id", "call_id", "response_id", "request_id", "_request_id",
    "toolUseId", "ResponseMetadata", "sdk_http_response",
}  # fmt: skip


def steady(value):
    """A parsed answer without what differs from call to call."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    if isinstance(value, dict):
        return {name: steady(part) for name, part in value.items() if name not in VOLATILE}
    if isinstance(value, (list, tuple)):
        return [steady(part) for part in value]
    return value.decode() if isinstance(value, bytes) else value


def attempt(results, name, call):
    """Makes a call, and keeps its answer or its error."""
    try:
        results[name] = steady(call())
    except Exception as error:  # noqa: BLE001 - whatever the client raises is what the application sees
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        if hasattr(error, "response") and isinstance(error.response, dict):
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        body = getattr(error, "body", None)
        results[name] = {"error": type(error).__name__, "status": status, "body": steady(body)}


def headers(name, kind):
    return {"x-request-id": name, **USAGE, **ASKED.get(kind, {})}


def of_openai(base, results):
    import openai

    client = openai.OpenAI(api_key="sk-none", base_url=f"{base}/v1", max_retries=1)
    function = {"name": "send", "description": "Sends", "parameters": SCHEMA}
    for kind, said in SAID.items():
        streams = kind.endswith("stream")
        name = f"openai chat {kind}"
        request = {
            "model": "gpt-4o",
            "messages": [{"role": "user", "content": said}],
            "tools": [{"type": "function", "function": function}],
            "extra_headers": headers(name, kind),
        }
        if streams:
            request |= {"stream": True, "stream_options": {"include_usage": True}}
        make = client.chat.completions.create
        attempt(results, name, lambda: list(make(**request)) if streams else make(**request))
        name = f"openai responses {kind}"
        request = {
            "model": "gpt-4o",
            "input": said,
            "tools": [{"type": "function", **function}],
            "stream": streams,
            "extra_headers": headers(name, kind),
        }
        make = client.responses.create
        attempt(results, name, lambda: list(make(**request)) if streams else make(**request))


def of_openai_embeddings(base, results):
    import openai

    client = openai.OpenAI(api_key="sk-none", base_url=f"{base}/v1", max_retries=1)
    name = "openai embeddings document"
    make = client.embeddings.create
    attempt(results, name, lambda: make(model="text-embedding-3-small", input="hello", extra_headers=headers(name, "")))


def of_anthropic(base, results):
    import anthropic

    client = anthropic.Anthropic(api_key="none", base_url=base, max_retries=1)
    for kind, said in SAID.items():
        name = f"anthropic messages {kind}"
        request = {
            "model": "claude-sonnet-4-5",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": said}],
            "tools": [{"name": "send", "description": "Sends", "input_schema": SCHEMA}],
            "extra_headers": headers(name, kind),
        }
        make = client.messages.create
        streams = kind.endswith("stream")
        attempt(results, name, lambda: list(make(stream=True, **request)) if streams else make(**request))


def of_google(base, results):
    from google import genai
    from google.genai import types

    retry = types.HttpRetryOptions(attempts=2, initial_delay=0.05, max_delay=0.1)
    client = genai.Client(api_key="none", http_options=types.HttpOptions(base_url=base, api_version="v1beta", retry_options=retry))
    tool = types.Tool(
        function_declarations=[types.FunctionDeclaration(name="send", description="Sends", parameters_json_schema=SCHEMA)]
    )
    off = types.AutomaticFunctionCallingConfig(disable=True)
    for kind, said in SAID.items():
        name = f"google generateContent {kind}"
        options = types.HttpOptions(headers=headers(name, kind))
        config = types.GenerateContentConfig(tools=[tool], automatic_function_calling=off, http_options=options)
        request = {"model": "gemini-2.5-flash", "contents": said, "config": config}
        models = client.models
        streams = kind.endswith("stream")
        attempt(
            results,
            name,
            lambda: list(models.generate_content_stream(**request)) if streams else models.generate_content(**request),
        )


def of_google_embeddings(base, results):
    from google import genai
    from google.genai import types

    client = genai.Client(api_key="none", http_options=types.HttpOptions(base_url=base, api_version="v1beta"))
    name = "google embedContent document"
    config = types.EmbedContentConfig(http_options=types.HttpOptions(headers=headers(name, "")))
    attempt(
        results,
        name,
        lambda: client.models.embed_content(model="gemini-embedding-001", contents="hello", config=config),
    )


def of_bedrock(base, results):
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "bedrock-runtime",
        endpoint_url=base,
        region_name="us-east-1",
        # The values of the documentation; requests are signed with them all the same.
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        config=Config(retries={"total_max_attempts": 2, "mode": "standard"}),
    )
    current = {}
    client.meta.events.register(
        "before-sign.bedrock-runtime",
        lambda request, **_: [request.headers.__setitem__(name, value) for name, value in current.items()] and None,
    )
    model = "anthropic.claude-3-haiku-20240307-v1:0"
    tools = {"tools": [{"toolSpec": {"name": "send", "description": "Sends", "inputSchema": {"json": SCHEMA}}}]}
    for kind, said in SAID.items():
        streams = kind.endswith("stream")
        name = f"bedrock converse {kind}"
        current.clear()
        current.update(headers(name, kind))
        request = {"modelId": model, "messages": [{"role": "user", "content": [{"text": said}]}], "toolConfig": tools}
        attempt(
            results,
            name,
            lambda: list(client.converse_stream(**request)["stream"]) if streams else client.converse(**request),
        )
        name = f"bedrock invoke {kind}"
        current.clear()
        current.update(headers(name, kind))
        tool = {"name": "send", "description": "Sends", "input_schema": SCHEMA}
        messages = [{"role": "user", "content": said}]
        body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": messages, "tools": [tool]}
        request = {"modelId": model, "body": json.dumps(body)}
        attempt(
            results,
            name,
            lambda: [json.loads(event["chunk"]["bytes"]) for event in client.invoke_model_with_response_stream(**request)["body"]]
            if streams
            else json.loads(client.invoke_model(**request)["body"].read()),
        )


CLIENTS = {
    "openai": of_openai,
    "openai-embeddings": of_openai_embeddings,
    "anthropic": of_anthropic,
    "google": of_google,
    "google-embeddings": of_google_embeddings,
    "bedrock": of_bedrock,
}


def main():
    base, *clients = sys.argv[1:]
    results = {}
    for client in clients:
        CLIENTS[client](base, results)
    print(json.dumps(results))


main()
