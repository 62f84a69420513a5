"""Amounts of money in the smallest unit of their currency, as the payment provider wants them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

EXPONENTS = {"EUR": 2, "USD": 2, "GBP": 2, "SEK": 2, "NOK": 2, "CHF": 2, "JPY": 0}


def to_minor_units(amount: Decimal, currency: str) -> int:
    exponent = EXPONENTS[currency]
    return int(amount.scaleb(exponent).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def shown(minor_units: int, currency: str) -> str:
    exponent = EXPONENTS[currency]
    return f"{Decimal(minor_units).scaleb(-exponent):,.{exponent}f} {currency}"
