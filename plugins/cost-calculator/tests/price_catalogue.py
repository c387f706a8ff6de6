"""Prices the whole catalogue of the installed genai-prices package, one JSON line a call.

Every model under every name its rules give an example of, around every price change and tier edge, served in every
way it has prices for. The random usages are the same in every run.
"""

import json
import random
import re
import sys
from datetime import UTC, datetime, timedelta

from genai_prices import Usage, calc_price
from genai_prices.data import providers
from genai_prices.types import ModelPrice, StartDateConstraint, TieredPrices, TimeOfDateConstraint

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RANDOM = random.Random(20261123)


def examples(clause):
    """Names that a rule may match. Whether they do is for both sides to say."""
    for part in getattr(clause, "or_", None) or getattr(clause, "and_", None) or ():
        yield from examples(part)
    for field in ("equals", "starts_with", "ends_with", "contains", "regex"):
        text = getattr(clause, field, None)
        if text is None:
            continue
        if field == "regex":
            text = re.sub(r"\\d\{4\}-\\d\{2\}-\\d\{2\}", "2025-12-11", text)
            text = re.sub(r"\\d\{8\}", "20251211", text).replace(r"\d", "7")
            text = re.sub(r"\(\?[!:].*|[\^$()?]", "", text).replace("[-@]", "@").replace("\\", "")
        yield text
        if field in ("starts_with", "regex"):
            yield text + "-2025-12-11"
            yield text + "-20251211:beta"
        if field in ("ends_with", "contains"):
            yield "x/" + text
        if field == "contains":
            yield text.upper() + "-V1"


def moments(model):
    yield NOW
    prices = [] if isinstance(model.prices, ModelPrice) else model.prices
    for row in [*prices, *(model.price_variants or [])]:
        if isinstance(row.constraint, StartDateConstraint):
            start = datetime.combine(row.constraint.start_date, datetime.min.time(), tzinfo=UTC)
            yield from (start - timedelta(seconds=1), start)
        if isinstance(row.constraint, TimeOfDateConstraint):
            for time in (row.constraint.start_time, row.constraint.end_time):
                at = datetime.combine(NOW.date(), time)
                yield from (at - timedelta(seconds=1), at)


def edges(model):
    prices = [model.prices] if isinstance(model.prices, ModelPrice) else [row.prices for row in model.prices]
    for price in [*prices, *(row.prices for row in model.price_variants or [])]:
        for rate in price.__dict__.values():
            if isinstance(rate, TieredPrices):
                for tier in rate.tiers:
                    yield from (tier.start, tier.start + 1)


def split(whole, parts):
    """Shares of a whole, of which some are nothing; what remains is text."""
    shares = {}
    for part in parts:
        if RANDOM.random() < 0.4:
            shares[part] = RANDOM.randrange(whole + 1)
            whole -= shares[part]
    return shares


def usage(input_tokens):
    """A random consistent usage of so many input tokens; parts that are nothing are left out."""
    shares = split(input_tokens, ("read", "read_audio", "read_image", "write", "audio", "image"))
    share = lambda *names: sum(shares.get(name, 0) for name in names)  # noqa: E731
    counts = {"input_tokens": input_tokens, "output_tokens": RANDOM.randrange(20_000)}
    counts |= {
        "cache_read_tokens": share("read", "read_audio", "read_image"),
        "cache_write_tokens": share("write"),
        "input_audio_tokens": share("audio", "read_audio"),
        "input_image_tokens": share("image", "read_image"),
    }
    if counts["cache_write_tokens"] and RANDOM.random() < 0.5:
        counts["cache_write_1h_tokens"] = RANDOM.randrange(counts["cache_write_tokens"] + 1)
        counts["cache_write_5m_tokens"] = counts["cache_write_tokens"] - counts["cache_write_1h_tokens"]
    parts = ("output_reasoning_tokens", "output_audio_tokens", "output_image_tokens")
    counts |= split(counts["output_tokens"], parts)
    if RANDOM.random() < 0.05:
        counts["cache_read_tokens"] = input_tokens + 1
    counts = {part: count for part, count in counts.items() if count or part in ("input_tokens", "output_tokens")}
    # The package wants to be told what was both.
    for modality in ("audio", "image"):
        counts[f"cache_{modality}_read_tokens"] = share(f"read_{modality}")
    return counts | others()


def others():
    """What is billed besides tokens, now and then."""
    units = {}
    for unit in ("web_searches", "storage_searches", "input_document_pages", "input_characters"):
        if RANDOM.random() < 0.2:
            units[unit] = RANDOM.randrange(5_000)
    if RANDOM.random() < 0.2:
        heard, made = RANDOM.randrange(5_000), RANDOM.choice((0, RANDOM.randrange(5_000)))
        units |= {"input_audio_seconds": heard, "output_audio_seconds": made, "audio_seconds": heard + made}
    return units


def line(provider, name, counts, at, context):
    asked = {"provider": provider, "model": name, "usage": counts, "at": int(at.timestamp()), "context": context}
    told = Usage(**counts)
    try:
        answer = calc_price(
            told, name, provider_id=provider, genai_request_timestamp=at, price_context=context or None
        )
    except LookupError:
        asked["error"] = "lookup"
    except ValueError:
        asked["error"] = "usage"
    else:
        asked["total"] = format(answer.total_price, "f")
        asked["row"] = f"{answer.model.id}"
        asked["rates"] = [key for key, rate in answer.model_price.__dict__.items() if rate is not None]
    sys.stdout.write(json.dumps(asked) + "\n")


for provider in providers:
    for model in provider.models:
        names = dict.fromkeys([model.id, *examples(model.match)])
        contexts = [{}, *(row.when for row in model.price_variants or [])]
        contexts = [dict(pairs) for pairs in dict.fromkeys(tuple(context.items()) for context in contexts)]
        sizes = [RANDOM.randrange(1, 60_000), RANDOM.randrange(100_000, 2_000_000)]
        # Twenty usages for every moment, and for every side of every tier's edge.
        sizes = [size for size in sizes for _ in range(10)] + [size for size in dict.fromkeys(edges(model)) for _ in range(20)]
        for at in dict.fromkeys(moments(model)):
            for context in contexts:
                for size in sizes:
                    line(provider.id, model.id, usage(size), at, context)
        for name in filter(None, names):
            line(provider.id, name, usage(sizes[0]), NOW, {})
            line(None, name, usage(sizes[0]), NOW, {})
