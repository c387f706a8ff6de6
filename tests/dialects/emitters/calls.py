"""The calls that every emitter makes, as far as its client can: one scenario, told in as many dialects.

Token counts are wishes to the simulated provider (`x-sim-*` headers); what it served stands in its ledger.
"""

CHAT = {
    "model": "gpt-4o",
    "temperature": 0.25,
    "top_p": 0.9,
    "max_tokens": 400,
    "messages": [
        {"role": "system", "content": "Answer in one sentence."},
        {"role": "user", "content": "Why is the sky blue?"},
    ],
}
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Looks a word up.",
        "parameters": {"type": "object", "properties": {"text": {"type": "string"}}},
    },
}
MESSAGE = {
    "model": "claude-sonnet-4-5",
    "max_tokens": 300,
    "stop_sequences": ["THE END"],
    "system": "Answer in one sentence.",
    "messages": [{"role": "user", "content": "Why is grass green?"}],
}
RESPONSE = {"model": "gpt-5", "instructions": "Answer in one sentence.", "input": "Why is the sea salty?"}


def wishes(reply="Because of how light scatters.", **counts):
    """Request headers for the simulated provider: `input=1200` is `x-sim-input-tokens: 1200`."""
    headers = {f"x-sim-{name.replace('_', '-')}-tokens": str(count) for name, count in counts.items()}
    return {"x-sim-reply": reply, **headers}


def openai_calls(client, responses=True):
    """Five calls: whole with a cached prompt, streamed, with a tool call, refused, and the Responses API."""
    client.chat.completions.create(**CHAT, extra_headers=wishes(input=1200, cached=1000, output=60, reasoning=20))
    stream = client.chat.completions.create(
        **CHAT, stream=True, stream_options={"include_usage": True}, extra_headers=wishes(input=310, output=41)
    )
    for _ in stream:
        pass
    client.chat.completions.create(
        **CHAT, tools=[TOOL], extra_headers={**wishes("blue", input=150, output=12), "x-sim-tool-call": "1"}
    )
    try:
        client.chat.completions.create(**CHAT, extra_headers={"x-sim-error": "429"})
    except Exception as error:  # noqa: BLE001 - the application goes on, whatever the client raises
        print("refused:", type(error).__name__)
    if responses:
        client.responses.create(**RESPONSE, extra_headers=wishes(input=900, cached=512, output=200, reasoning=128))


def anthropic_calls(client):
    """Two calls: whole with cache reads and writes, and streamed."""
    client.messages.create(**MESSAGE, extra_headers=wishes(input=2500, cached=2000, cache_write=300, output=70))
    with client.messages.create(**MESSAGE, stream=True, extra_headers=wishes(input=800, cached=600, output=33)) as stream:
        for _ in stream:
            pass
