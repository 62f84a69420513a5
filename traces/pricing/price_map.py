"""litellm's price map: one JSON object, model name to an entry of rates.

Entries are read when they are asked for: of some four thousand an installation uses a dozen.
https://github.com/BerriAI/litellm/blob/main/model_prices_and_context_window.json
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from traces.pricing import names
from traces.pricing.rates import STANDARD, Price, Rates, Tier

_SAMPLE = "sample_spec"
_SIZE = re.compile(
    r"^(?:input_cost_per_token|output_cost_per_token|cache_read_input_token_cost"
    r"|cache_creation_input_token_cost)_above_(\d+)(k?)_tokens"
)
# Service tier to the ending of its keys. https://docs.litellm.ai/docs/proxy/custom_pricing
_SERVICES: Mapping[str, str] = {
    "batch": "_batches",
    "priority": "_priority",
    "flex": "_flex",
    "balanced": "_balanced",
    "ultrafast": "_ultrafast",
}
_KEYS: Mapping[str, tuple[str, ...]] = {
    "input": ("input_cost_per_token",),
    "output": ("output_cost_per_token",),
    "cache_read": ("cache_read_input_token_cost", "input_cost_per_token_cache_hit"),
    "cache_write_5m": ("cache_creation_input_token_cost",),
    "cache_write_1h": ("cache_creation_input_token_cost_above_1hr",),
    "reasoning": ("output_cost_per_reasoning_token",),
    "input_audio": ("input_cost_per_audio_token",),
    "output_audio": ("output_cost_per_audio_token",),
    "input_image": ("input_cost_per_image_token",),
    "output_image": ("output_cost_per_image_token",),
}
# Unit to its keys, the first that is not 0: some entries give one second's price under two names.
_UNITS: Mapping[str, tuple[str, ...]] = {
    "request": ("input_cost_per_request",),
    "query": ("input_cost_per_query",),
    "search": ("search_context_cost_per_query",),
    "second": ("input_cost_per_second", "output_cost_per_second"),
    "character": ("input_cost_per_character",),
    "image": ("output_cost_per_image",),
    "page": ("ocr_cost_per_page",),
}
_USUAL_SEARCH = "search_context_size_medium"
# These bill the larger size from the limit on, the others beyond it.
_LIMIT_INCLUDED = frozenset({"xai"})


class BadPriceMap(ValueError):
    """The text is no price map."""


class PriceMap:
    """`version` is what is written beside each cost that the map made."""

    def __init__(self, content: bytes, version: str) -> None:
        """Raises BadPriceMap when the content is not an object of entries."""
        try:
            entries = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise BadPriceMap(f"A price map is a JSON object of models: {error}.") from error
        self.version = version
        # Names differ in case here and there; the first of two that differ in nothing else counts.
        self._entries: dict[str, tuple[str, msgspec.Raw]] = {}
        for name, entry in entries.items():
            if name != _SAMPLE:
                self._entries.setdefault(name.lower(), (name, entry))

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, model: str, provider: str = "") -> Price | None:
        """The price of a model as emitters name it, or None."""
        for name in names.candidates(model, provider):
            if name in self._entries:
                price = self._price(name)
                if price is not None:
                    return price
        return None

    def prices(self) -> Iterator[tuple[str, Price | None]]:
        """Every entry by its own name; None for one that prices nothing we know how to count."""
        for lower, (name, _) in self._entries.items():
            yield name, self._price(lower)

    def _price(self, lower: str) -> Price | None:
        name, raw = self._entries[lower]
        try:
            entry = msgspec.json.decode(raw)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise BadPriceMap(f"The entry of {name[:100]!r} is no JSON: {error}.") from error
        return _price(lower, entry) if isinstance(entry, dict) else None


def _price(name: str, entry: Mapping[str, Any]) -> Price | None:
    base = _base(entry)
    units = _units(entry)
    if base is None and not units:
        return None
    if base is None:
        base = Rates(Decimal(0), Decimal(0))
    tiers = {STANDARD: _ranges(entry, base) or _sizes(entry, "", base)}
    for service, ending in _SERVICES.items():
        if f"input_cost_per_token{ending}" in entry or f"output_cost_per_token{ending}" in entry:
            tiers[service] = _sizes(entry, ending, base)
    return Price(name, tiers, units)


def _base(entry: Mapping[str, Any]) -> Rates | None:
    found = _read(entry, "")
    if found["input"] is None and found["output"] is None:
        ranges = entry.get("tiered_pricing")
        if not isinstance(ranges, list) or not ranges or not isinstance(ranges[0], dict):
            return None
        found = _read(ranges[0], "")
    return _filled(found, None)


def _sizes(entry: Mapping[str, Any], ending: str, base: Rates) -> tuple[Tier, ...]:
    """Of one service tier, the largest size first. What it leaves out is as in the standard tier;
    but a batch, which is billed apart, keeps its own flat rate at any size.
    """
    flat = _filled(_read(entry, ending), base) if ending else base
    tiers = [Tier(-1, flat)]
    sizes = {
        (int(found[1]) * (1000 if found[2] else 1), found[1] + found[2])
        for key in entry
        if (found := _SIZE.match(key))
    }
    for tokens, said in sorted(sizes):
        above = f"_above_{said}_tokens"
        own = _read(entry, f"{above}{ending}")
        below = flat if ending == _SERVICES["batch"] else _filled(_read(entry, above), flat)
        limit = tokens - 1 if entry.get("litellm_provider") in _LIMIT_INCLUDED else tokens
        tiers.append(Tier(limit, _filled(own, below)))
    return tuple(reversed(tiers))


def _ranges(entry: Mapping[str, Any], base: Rates) -> tuple[Tier, ...]:
    """Sizes as a list of ranges: one range prices all tokens of a request."""
    ranges = entry.get("tiered_pricing")
    if not isinstance(ranges, list):
        return ()
    tiers = []
    for item in ranges:
        limits = item.get("range") if isinstance(item, dict) else None
        if isinstance(limits, list) and limits and isinstance(limits[0], int | float):
            rates = _filled(_read(item, ""), base)
            tiers.append(Tier(int(limits[0]) if limits[0] > 0 else -1, rates))
    tiers.sort(key=lambda tier: tier.above, reverse=True)
    return tuple(tiers) if tiers and tiers[-1].above == -1 else ()


def _read(entry: Mapping[str, Any], ending: str) -> dict[str, Decimal | None]:
    return {
        name: next((r for key in keys if (r := _rate(entry.get(key + ending))) is not None), None)
        for name, keys in _KEYS.items()
    }


def _filled(found: Mapping[str, Decimal | None], below: Rates | None) -> Rates:
    """What was not said is as in `below`; reasoning under an output rate of its own is output."""
    rates: dict[str, Any] = {
        name: rate if rate is not None or below is None else getattr(below, name)
        for name, rate in found.items()
    }
    if found["output"] is not None:
        rates["reasoning"] = found["reasoning"]
    rates["input"] = rates["input"] or Decimal(0)
    rates["output"] = rates["output"] or Decimal(0)
    return Rates(**rates)


def _units(entry: Mapping[str, Any]) -> dict[str, Decimal]:
    found = {}
    for unit, keys in _UNITS.items():
        for key in keys:
            value = entry.get(key)
            rate = _rate(value.get(_USUAL_SEARCH) if isinstance(value, dict) else value)
            if rate:
                found[unit] = rate
                break
    return found


def _rate(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        return None
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
