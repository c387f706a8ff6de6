"""The official OpenAI and Anthropic clients against a provider that repeats what it was told.

Usage: python3 redaction.py BASE_URL TEXT

Prints one JSON object: for each call, as a document and as a stream, with text and with a tool call, what the client
made of the answer.
"""

import json
import sys

import anthropic
import openai

TOOL = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}


def chat(client, text):
    request = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": text}],
        "tools": [{"type": "function", "function": {"name": "send", "description": "Sends", "parameters": TOOL}}],
    }
    whole = client.chat.completions.create(**request).choices[0].message
    said, arguments = "", ""
    for chunk in client.chat.completions.create(stream=True, **request):
        for choice in chunk.choices:
            said += choice.delta.content or ""
            for call in choice.delta.tool_calls or []:
                arguments += call.function.arguments or ""
    # The client's own way of putting a stream together.
    with client.chat.completions.stream(**request) as stream:
        final = stream.get_final_completion().choices[0].message
    return {
        "document": [whole.content, whole.tool_calls[0].function.arguments],
        "stream": [said, arguments],
        "put together": [final.content, final.tool_calls[0].function.arguments],
    }


def messages(client, text):
    request = {
        "model": "claude-sonnet-4-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": text}],
        "tools": [{"name": "send", "description": "Sends", "input_schema": TOOL}],
    }

    def parts(message):
        return [message.content[0].text, json.dumps(message.content[1].input, separators=(",", ":"), ensure_ascii=False)]

    whole = client.messages.create(**request)
    said = ""
    with client.messages.stream(**request) as stream:
        for piece in stream.text_stream:
            said += piece
        final = stream.get_final_message()
    return {"document": parts(whole), "stream": [said, parts(final)[1]], "put together": parts(final)}


def main():
    base, text = sys.argv[1:]
    print(
        json.dumps(
            {
                "chat": chat(openai.OpenAI(api_key="sk-none", base_url=f"{base}/v1", max_retries=0), text),
                "messages": messages(anthropic.Anthropic(api_key="none", base_url=base, max_retries=0), text),
            }
        )
    )


main()
