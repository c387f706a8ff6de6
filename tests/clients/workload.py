"""About a hundred calls of the official OpenAI and Anthropic clients: the traffic of the demo.

Usage: python3 workload.py BASE_URL REPORT

BASE_URL is the proxy (or the simulated provider itself). Each call asks the simulated provider for a certain answer
through `x-sim-*` headers and checks that the client returns exactly that, so a proxy that changed a byte would be
noticed here. REPORT is written as JSON: what was called, which personal data was planted where, which trace ids errors
were sent with, and what did not come back as expected. Progress goes to standard output. Exits 1 where something was
unexpected.
"""

import hashlib
import json
import sys
from dataclasses import dataclass, field

import anthropic
import openai

# Personal data to plant: valid by its checksum, and nobody's. Each type goes into prompts and into answers.
PERSONAL = {
    "EMAIL_ADDRESS": "ada.lovelace@example.com",
    "CREDIT_CARD": "4111 1111 1111 1111",
    "PHONE_NUMBER": "+1 415-555-0132",
    "IBAN_CODE": "GB82 WEST 1234 5698 7654 32",
    "US_SSN": "536-22-8726",
    "CN_ID_CARD": "11010519491231002X",
}

TEAMS = ["team-search", "team-support", "team-billing"]


@dataclass
class Call:
    """One call: which API and model, how it is to be answered, and how it is to end."""

    api: str
    model: str
    stream: bool = False
    prompt: str = "What is the tallest mountain of the Alps?"
    reply: str = "It is Mont Blanc, about 4806 metres high."
    sim: dict = field(default_factory=dict)
    ends: str = "whole"  # whole, error, error_in_stream, aborted (by us), cut (by the provider)
    usage: bool = True
    traceparent: str | None = None
    planted: list = field(default_factory=list)  # [type, "prompt" or "answer"]


def calls():
    """The workload, the same on every run."""
    chat, responses, messages = "chat", "responses", "messages"
    plan = []

    # Everyday traffic: every API, several models, bodies and streams.
    for model, times in [("gpt-4o", 4), ("gpt-4o-mini", 6), ("gpt-4.1", 3)]:
        for n in range(times):
            plan.append(Call(chat, model, sim={"delay-ms": 5 + 3 * n, "output-tokens": 40 + 7 * n}))
            plan.append(Call(chat, model, stream=True, sim={"delay-ms": 10 + 5 * n, "chunk-delay-ms": 2}))
    for model, times in [("gpt-5", 3), ("gpt-5-mini", 4)]:
        for n in range(times):
            reasoning = {"reasoning-tokens": 128 * (n + 1)}
            plan.append(Call(responses, model, sim={"delay-ms": 20, **reasoning}))
            plan.append(Call(responses, model, stream=True, sim={"delay-ms": 25, "chunk-delay-ms": 2, **reasoning}))
    for model, times in [("claude-opus-4-5", 4), ("claude-haiku-4-5", 5)]:
        for n in range(times):
            plan.append(Call(messages, model, sim={"delay-ms": 10 + 3 * n, "output-tokens": 60 + 11 * n}))
            plan.append(Call(messages, model, stream=True, sim={"delay-ms": 15, "chunk-delay-ms": 2}))

    # Prompt caches: read, and for Anthropic also written.
    for stream in (False, True):
        cached = {"cached-tokens": 1024, "input-tokens": 1500}
        plan.append(Call(chat, "gpt-4o", stream=stream, sim=cached))
        plan.append(Call(responses, "gpt-5", stream=stream, sim=cached))
        plan.append(Call(messages, "claude-opus-4-5", stream=stream, sim={**cached, "cache-write-tokens": 300}))

    # Reasoning of a chat model, a compressed answer, a stream without usage, a model that no price list knows.
    plan.append(Call(chat, "o3-mini", sim={"reasoning-tokens": 640}))
    plan.append(Call(chat, "gpt-4.1", sim={"gzip": 1}))
    plan.append(Call(chat, "gpt-4o-mini", stream=True, usage=False))
    plan.append(Call(chat, "acme-lm-1"))
    plan.append(Call(chat, "acme-lm-1", stream=True))

    # Personal data, in prompts and in answers, in bodies and in streams.
    for n, (kind, value) in enumerate(PERSONAL.items()):
        ask = f"Please note this down for the file: {value} (that is all)."
        tell = f"Noted: {value} is on file."
        stream = n % 2 == 0
        plan.append(Call(chat, "gpt-4o", prompt=ask, planted=[[kind, "prompt"]], stream=stream))
        plan.append(Call(messages, "claude-haiku-4-5", reply=tell, planted=[[kind, "answer"]], stream=not stream))
        both = [[kind, "prompt"], [kind, "answer"]]
        plan.append(Call(responses, "gpt-5-mini", prompt=ask, reply=tell, planted=both, stream=stream))

    # Errors, before the answer and in the middle of it.
    for api, model in [(chat, "gpt-4o"), (responses, "gpt-5"), (messages, "claude-opus-4-5")]:
        for error in ("429", "500"):
            plan.append(Call(api, model, sim={"error": error}, ends="error"))
    plan.append(Call(messages, "claude-haiku-4-5", stream=True, sim={"error": "overloaded"}, ends="error"))
    in_stream = {"error": "overloaded", "error-after-chunks": 4}
    plan.append(Call(messages, "claude-haiku-4-5", stream=True, sim=in_stream, ends="error_in_stream"))

    # Streams that do not reach their end. The pauses are long enough that nobody can have read the end by then.
    slow = {"chunk-delay-ms": 150}
    plan.append(Call(chat, "gpt-4o", stream=True, sim=slow, ends="aborted"))
    plan.append(Call(messages, "claude-opus-4-5", stream=True, sim=slow, ends="aborted"))
    plan.append(Call(chat, "gpt-4.1", stream=True, sim={"cut-after-chunks": 4}, ends="cut"))
    plan.append(Call(messages, "claude-haiku-4-5", stream=True, sim={"cut-after-chunks": 5}, ends="cut"))

    # Every fifth call belongs to a trace of the caller's.
    for n, call in enumerate(plan):
        if n % 5 == 0:
            # Ids look random, as sampling by trace id expects, and are the same on every run.
            trace_id = hashlib.sha256(str(n).encode()).hexdigest()
            call.traceparent = f"00-{trace_id[:32]}-{trace_id[32:48]}-01"
    return plan


class Unexpected(Exception):
    """What came back is not what was asked for."""


class Clients:
    """The two official clients, pointed at one address. They never retry, so that every call is one call."""

    def __init__(self, base_url):
        self.openai = openai.OpenAI(base_url=f"{base_url}/v1", api_key="sk-simulated", max_retries=0, timeout=30)
        self.anthropic = anthropic.Anthropic(base_url=base_url, api_key="simulated", max_retries=0, timeout=30)

    def make(self, number, call):
        """Makes the call and returns the text of its answer."""
        headers = {f"x-sim-{name}": str(value) for name, value in call.sim.items()}
        headers["x-sim-reply"] = call.reply
        if call.traceparent:
            headers["traceparent"] = call.traceparent
        team = TEAMS[number % len(TEAMS)]
        return getattr(self, call.api)(call, team, headers)

    def chat(self, call, team, headers):
        request = {
            "model": call.model,
            "messages": [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": call.prompt}],
            "user": team,
            "extra_headers": headers,
        }
        if not call.stream:
            answer = self.openai.chat.completions.create(**request)
            self.expect(answer.usage is not None, "no usage")
            return answer.choices[0].message.content
        if call.usage:
            request["stream_options"] = {"include_usage": True}
        with self.openai.chat.completions.create(stream=True, **request) as stream:
            text, usage = "", None
            for seen, chunk in enumerate(stream, 1):
                usage = chunk.usage or usage
                text += "".join(choice.delta.content or "" for choice in chunk.choices)
                if call.ends == "aborted" and seen == 3:
                    return None
        self.expect((usage is not None) == call.usage, f"usage is {usage}")
        return text

    def responses(self, call, team, headers):
        request = {
            "model": call.model,
            "instructions": "Answer briefly.",
            "input": call.prompt,
            "user": team,
            "extra_headers": headers,
        }
        if not call.stream:
            answer = self.openai.responses.create(**request)
            self.expect(answer.usage is not None, "no usage")
            return answer.output_text
        with self.openai.responses.create(stream=True, **request) as stream:
            events = list(stream)
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        last = events[-1]
        self.expect(last.type == "response.completed" and last.response.usage is not None, f"the last is {last.type}")
        self.expect(last.response.output_text == text, "the deltas are not the text")
        return text

    def messages(self, call, team, headers):
        request = {
            "model": call.model,
            "max_tokens": 1024,
            "system": "Answer briefly.",
            "messages": [{"role": "user", "content": call.prompt}],
            "metadata": {"user_id": team},
            "extra_headers": headers,
        }
        if not call.stream:
            answer = self.anthropic.messages.create(**request)
            self.expect(answer.usage.output_tokens > 0, "no usage")
            return answer.content[0].text
        with self.anthropic.messages.stream(**request) as stream:
            text = ""
            for seen, piece in enumerate(stream.text_stream, 1):
                text += piece
                if call.ends == "aborted" and seen == 3:
                    return None
            message = stream.get_final_message()
        self.expect(message.content[0].text == text, "the deltas are not the text")
        return text

    @staticmethod
    def expect(holds, otherwise):
        if not holds:
            raise Unexpected(otherwise)


def check(clients, number, call):
    """Makes a call and says in words what was unexpected about how it ended, or None."""
    errors = (openai.APIStatusError, anthropic.APIStatusError)
    try:
        text = clients.make(number, call)
    except Unexpected as unexpected:
        return str(unexpected)
    except errors as error:
        if call.ends == "error":
            return None
        return None if call.ends == "error_in_stream" else f"{type(error).__name__}: {error}"
    except Exception as error:  # a cut stream ends in different exceptions of the two clients' transports
        return None if call.ends == "cut" else f"{type(error).__name__}: {error}"
    if call.ends == "aborted":
        return None
    if call.ends == "cut":
        return None if text != call.reply else "the stream was to be cut and came whole"
    if call.ends != "whole":
        return f"it was to end with {call.ends} and came whole"
    return None if text == call.reply else f"the answer is {text!r}, not {call.reply!r}"


def main():
    base_url, report_path = sys.argv[1:]
    plan = calls()
    clients = Clients(base_url.rstrip("/"))
    unexpected = []
    for number, call in enumerate(plan):
        problem = check(clients, number, call)
        if problem:
            kind = "stream" if call.stream else "body"
            unexpected.append(f"call {number + 1} ({call.api}, {call.model}, {kind}, {call.sim}): {problem}")
        if (number + 1) % 10 == 0 or number + 1 == len(plan):
            print(f"{number + 1}/{len(plan)} calls", flush=True)
    planted = [
        {"type": kind, "where": where, "value": PERSONAL[kind]} for call in plan for kind, where in call.planted
    ]
    report = {
        "calls": len(plan),
        "aborted": sum(call.ends == "aborted" for call in plan),
        "cut": sum(call.ends == "cut" for call in plan),
        "errors": sum(call.ends.startswith("error") for call in plan),
        "planted": planted,
        # Sampling always keeps errors, so these have to be found on spans.
        "kept_trace_ids": [
            call.traceparent.split("-")[1] for call in plan if call.traceparent and call.ends == "error"
        ],
        "unexpected": unexpected,
    }
    with open(report_path, "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
    for line in unexpected:
        print(line, file=sys.stderr)
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
