"""What a model costs and what that makes of a usage: money per token and per unit, exactly.

Knows no names, files or settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from traces.spans import Usage

PER_MILLION = Decimal(1_000_000)
NANO_DOLLAR = Decimal("0.000000001")
STANDARD = ""
"""The service tier of an ordinary request."""
_NOTHING = Decimal(0)
_NO_UNITS: Mapping[str, float] = {}
# Units that are billed in place of tokens; beside tokens they would count the same thing twice.
_INSTEAD_OF_TOKENS = frozenset({"second", "character", "image", "page"})
_BESIDE_TOKENS = frozenset({"search"})


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars a token. None: priced as the tokens around it (input or output)."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None
    input_audio: Decimal | None = None
    output_audio: Decimal | None = None
    input_image: Decimal | None = None
    output_image: Decimal | None = None

    @property
    def is_free(self) -> bool:
        return not self.input and not self.output


@dataclass(frozen=True, slots=True)
class Tier:
    """Rates of requests with more than `above` tokens of gross input."""

    above: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Price:
    """`tiers`: by service tier, each by size, the largest first; the standard one always ends with
    a tier above -1. `units`: US dollars for one request, query, second and so on.
    """

    model: str
    tiers: Mapping[str, tuple[Tier, ...]]
    units: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def base(self) -> Rates:
        return self.tiers[STANDARD][-1].rates

    @property
    def bills_units(self) -> bool:
        """Whether something that is not a token is billed: free tokens alone are then no cost."""
        return any(unit not in _BESIDE_TOKENS for unit in self.units)

    def tier(self, input_tokens: int, service: str = STANDARD) -> tuple[str, Tier]:
        """Which service tier is priced, and its tier by size. An unknown one is the standard."""
        name = service if service in self.tiers else STANDARD
        tiers = self.tiers[name]
        if len(tiers) == 1:
            return name, tiers[0]
        return name, next(tier for tier in tiers if input_tokens > tier.above)

    def rates(self, input_tokens: int, service: str = STANDARD) -> Rates:
        return self.tier(input_tokens, service)[1].rates


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation: so many of a unit, at so many US dollars each."""

    bucket: str
    quantity: float
    usd_per_unit: Decimal
    cost_usd: Decimal
    unit: str = "token"

    @property
    def tokens(self) -> int:
        return int(self.quantity) if self.unit == "token" else 0

    @property
    def usd_per_million(self) -> Decimal:
        return (self.usd_per_unit * PER_MILLION).normalize()


def cost(
    price: Price,
    usage: Usage | None,
    service: str = STANDARD,
    units: Mapping[str, float] = _NO_UNITS,
) -> Decimal | None:
    """What it costs, to a billionth of a dollar; None when what is billed was not said.

    Called for every model call that arrives: nearly all of them take the short way.
    """
    if usage is not None and not units and not usage.other:
        rates = price.rates(usage.input, service)
        if rates.reasoning is None or not usage.reasoning:
            if price.units and rates.is_free and price.bills_units:
                return None
            return _text_cost(rates, usage).quantize(NANO_DOLLAR)
    found = lines(price, usage, service, units)
    if all(line.unit == "token" for line in found) and price.base.is_free and price.bills_units:
        return None
    if not found and usage is None:
        return None
    return sum((line.cost_usd for line in found), _NOTHING).quantize(NANO_DOLLAR)


def lines(
    price: Price,
    usage: Usage | None,
    service: str = STANDARD,
    units: Mapping[str, float] = _NO_UNITS,
) -> list[Line]:
    """How the cost comes about; what nothing was counted of has no line."""
    found = []
    if usage is not None:
        rates = price.rates(usage.input, service)
        found = [
            Line(bucket, tokens, rate, rate * tokens)
            for bucket, tokens, rate in _buckets(rates, usage)
            if tokens
        ]
    has_tokens = bool(found)
    for unit, usd in price.units.items():
        quantity = units.get(unit, 0)
        if quantity and not (has_tokens and unit in _INSTEAD_OF_TOKENS):
            exact = Decimal(str(quantity))
            found.append(Line(unit, quantity, usd, usd * exact, unit))
    return found


def _text_cost(rates: Rates, usage: Usage) -> Decimal:
    total = rates.input * usage.uncached_input + rates.output * usage.output
    if usage.cache_read:
        total += _or(rates.cache_read, rates.input) * usage.cache_read
    if usage.cache_write_5m:
        total += _or(rates.cache_write_5m, rates.input) * usage.cache_write_5m
    if usage.cache_write_1h:
        total += _write_1h(rates) * usage.cache_write_1h
    return total


def _buckets(rates: Rates, usage: Usage) -> Iterator[tuple[str, int, Decimal]]:
    """Disjoint: audio and images are taken out of the input, and with reasoning of the output,
    where they have a rate of their own.
    """
    text, output = usage.uncached_input, usage.output
    special: list[tuple[str, int, Decimal]] = []
    for bucket, rate in (("input_audio", rates.input_audio), ("input_image", rates.input_image)):
        if rate is not None:
            count = min(text, _other(usage, bucket))
            text -= count
            special.append((bucket, count, rate))
    yield "uncached_input", text, rates.input
    yield from special
    yield "cache_read", usage.cache_read, _or(rates.cache_read, rates.input)
    yield "cache_write_5m", usage.cache_write_5m, _or(rates.cache_write_5m, rates.input)
    yield "cache_write_1h", usage.cache_write_1h, _write_1h(rates)
    special = []
    for bucket, rate in (
        ("output_audio", rates.output_audio),
        ("output_image", rates.output_image),
        ("reasoning", rates.reasoning),
    ):
        if rate is not None:
            count = usage.reasoning if bucket == "reasoning" else _other(usage, bucket)
            count = min(output, count)
            output -= count
            special.append((bucket, count, rate))
    yield "output", output, rates.output
    yield from special


def _other(usage: Usage, bucket: str) -> int:
    count = usage.other.get(bucket, 0.0)
    return int(count) if 0 < count < 2**53 else 0  # NaN is in no range


def _write_1h(rates: Rates) -> Decimal:
    return _or(rates.cache_write_1h, _or(rates.cache_write_5m, rates.input))


def _or(rate: Decimal | None, otherwise: Decimal) -> Decimal:
    return otherwise if rate is None else rate
