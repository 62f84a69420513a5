"""Tokens to US dollars, by litellm's price map.

The map is read as a file: importing litellm costs seconds and 190 MB. An unknown model has no
price, never the price 0. https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from traces.spans import Span, Usage

_FILE = "litellm/model_prices_and_context_window_backup.json"
_PER_MILLION = Decimal(1_000_000)
_NANO_DOLLAR = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars a token. None: the map does not say."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """`tiers`: rates in place of `base` above so many tokens of gross input, highest first."""

    model: str
    base: Rates
    tiers: tuple[tuple[int, Rates], ...] = ()

    def rates(self, input_tokens: int) -> Rates:
        return next((rates for above, rates in self.tiers if input_tokens > above), self.base)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation: `tokens` of `bucket` at `usd_per_million` cost `cost_usd`."""

    bucket: str
    tokens: int
    usd_per_million: Decimal
    cost_usd: Decimal


def cost_usd(model: str, provider: str, usage: Usage) -> Decimal | None:
    """What `usage` costs; None when the model has no known price."""
    price = find(model, provider)
    if price is None:
        return None
    total = sum((line.cost_usd for line in _lines(price, usage)), Decimal(0))
    return total.quantize(_NANO_DOLLAR)


def explain(span: Span) -> list[Line]:
    """How `span.computed_cost_usd` comes about; empty when there is no usage or no price."""
    price = find(span.model, span.provider)
    return list(_lines(price, span.usage)) if price is not None and span.usage is not None else []


def find(model: str, provider: str = "") -> Price | None:
    """The price of a model as emitters name it: with provider, date, region or without."""
    if not model or len(model) > 200:
        return None
    return _find(model.lower(), provider.lower()[:50])


def load() -> None:
    """Reads the map now, so that the first caller of `find` need not wait."""
    _prices()


def version() -> str:
    """Which prices: `litellm 1.105.3`."""
    return _version()


def _lines(price: Price, usage: Usage) -> Iterator[Line]:
    rates = price.rates(usage.input)
    write_5m = _or(rates.cache_write_5m, rates.input)
    for bucket, tokens, rate in (
        ("uncached_input", usage.uncached_input, rates.input),
        ("cache_read", usage.cache_read, _or(rates.cache_read, rates.input)),
        ("cache_write_5m", usage.cache_write_5m, write_5m),
        ("cache_write_1h", usage.cache_write_1h, _or(rates.cache_write_1h, write_5m)),
        ("output", usage.output, rates.output),
    ):
        if tokens:
            yield Line(bucket, tokens, (rate * _PER_MILLION).normalize(), rate * tokens)


def _or(rate: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if rate is None else rate


# --- names ----------------------------------------------------------------------------------

_DATE = re.compile(r"[-@](20\d{2}-?\d{2}-?\d{2}|\d{4})$")
_SUFFIX = re.compile(r"(-latest|:latest|-v\d+:\d+|-v\d+|:\d+|@default)$")
_BEDROCK_REGION = re.compile(r"^(us|eu|apac|ap|au|jp|ca|sa|us-gov|global)\.(?=[a-z0-9]+\.)")
_ARN = re.compile(r"^arn:aws[^/]*/(?P<model>.+)$")
_PREFIXES: Mapping[str, str] = {
    "openai": "",
    "anthropic": "",
    "azure": "azure/",
    "azure_openai": "azure/",
    "azure.ai.openai": "azure/",
    "az.ai.openai": "azure/",
    "azure.ai.inference": "azure_ai/",
    "az.ai.inference": "azure_ai/",
    "aws.bedrock": "",
    "aws_bedrock": "",
    "bedrock": "",
    "aws": "",
    "google": "gemini/",
    "gemini": "gemini/",
    "gcp.gemini": "gemini/",
    "gcp.gen_ai": "gemini/",
    "google_genai": "gemini/",
    "vertex_ai": "vertex_ai/",
    "gcp.vertex_ai": "vertex_ai/",
    "vertexai": "vertex_ai/",
    "mistral_ai": "mistral/",
    "mistralai": "mistral/",
    "x_ai": "xai/",
    "xai": "xai/",
    "together": "together_ai/",
    "fireworks": "fireworks_ai/",
    "ibm.watsonx.ai": "watsonx/",
}


@lru_cache(maxsize=2048)
def _find(model: str, provider: str) -> Price | None:
    prices = _prices()
    for name in _spellings(model):
        for key in (_prefix(provider) + name, name):
            price = prices.get(key)
            if price is not None:
                return price
    return None


def _prefix(provider: str) -> str:
    return _PREFIXES.get(provider, f"{provider}/" if provider else "")


def _spellings(model: str) -> Iterator[str]:
    """The name as sent, then without what says where or when: the exact entry wins."""
    arn = _ARN.match(model)
    name = arn["model"] if arn else model.removeprefix("models/")
    while True:
        yield from _without_suffixes(name)
        regional = _BEDROCK_REGION.sub("", name)
        if regional != name:
            name = regional
        elif "/" in name:
            name = name.split("/", 1)[1]
        else:
            return


def _without_suffixes(name: str) -> Iterator[str]:
    seen = name
    while seen:
        yield seen
        if ":" not in seen and "." in seen:
            yield seen.replace(".", "-")
        shorter = _SUFFIX.sub("", seen)
        if shorter == seen:
            shorter = _DATE.sub("", seen)
        if shorter == seen:
            return
        seen = shorter


# --- the map --------------------------------------------------------------------------------

_TIER = re.compile(r"^input_cost_per_token_above_(\d+)k_tokens$")


@lru_cache(maxsize=1)
def _version() -> str:
    return f"litellm {metadata.version('litellm')}"


@lru_cache(maxsize=1)
def _prices() -> dict[str, Price]:
    """Name in lower case to price; only models that are priced by the token."""
    found = metadata.distribution("litellm").locate_file(_FILE)
    entries = msgspec.json.decode(Path(str(found)).read_bytes())
    return {
        name.lower(): price
        for name, entry in entries.items()
        if name != "sample_spec" and (price := _price(name, entry)) is not None
    }


def _price(name: str, entry: Mapping[str, Any]) -> Price | None:
    base = _rates(entry, "")
    if base is None:
        return None
    sizes = sorted((int(m[1]) for key in entry if (m := _TIER.match(key))), reverse=True)
    tiers = tuple(
        (size * 1000, rates)
        for size in sizes
        if (rates := _rates(entry, f"_above_{size}k_tokens", base)) is not None
    )
    return Price(name, base, tiers)


def _rates(entry: Mapping[str, Any], suffix: str, base: Rates | None = None) -> Rates | None:
    """Rates of a tier fall back to the base's where the map leaves one out."""
    input_rate = _rate(entry, f"input_cost_per_token{suffix}")
    output_rate = _rate(entry, f"output_cost_per_token{suffix}")
    if base is not None:
        input_rate = _or(input_rate, base.input)
        output_rate = _or(output_rate, base.output)
    if input_rate is None and output_rate is None:
        return None
    write_1h = "cache_creation_input_token_cost_above_1hr"
    return Rates(
        input=input_rate or Decimal(0),
        output=output_rate or Decimal(0),
        cache_read=_tier_rate(entry, f"cache_read_input_token_cost{suffix}", base, "cache_read"),
        cache_write_5m=_tier_rate(
            entry, f"cache_creation_input_token_cost{suffix}", base, "cache_write_5m"
        ),
        cache_write_1h=_tier_rate(entry, f"{write_1h}{suffix}", base, "cache_write_1h"),
    )


def _tier_rate(
    entry: Mapping[str, Any], key: str, base: Rates | None, field: str
) -> Decimal | None:
    rate = _rate(entry, key)
    if rate is None and base is not None:
        inherited: Decimal | None = getattr(base, field)
        return inherited
    return rate


def _rate(entry: Mapping[str, Any], key: str) -> Decimal | None:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        return None
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
