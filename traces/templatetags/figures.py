"""Figures as people read them: durations, tokens, money, times. A narrow space before each unit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from django import template

register = template.Library()
_THIN = "\u202f"


@register.filter
def duration(ns: int | None) -> str:
    """`850 ms`, `14.8 s`, `3 m 12 s`, `2 h 5 m`; empty for none."""
    if ns is None:
        return ""
    milliseconds = ns / 1e6
    if milliseconds < 1:
        return f"{max(0, ns // 1000)}{_THIN}µs"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f}{_THIN}ms"
    seconds = milliseconds / 1000
    if seconds < 99.95:
        return f"{seconds:.1f}{_THIN}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{_THIN}m {rest}{_THIN}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}{_THIN}h {minutes}{_THIN}m"
    return f"{hours // 24}{_THIN}d {hours % 24}{_THIN}h"


@register.filter
def count(value: int | None) -> str:
    """`842`, `40.2 k`, `1.3 M`; empty for none."""
    if not isinstance(value, int):  # a template hands over "" where a part is missing
        return ""
    if value < 1000:
        return str(value)
    divisor = 1000
    for unit in "kMGTP":
        if value < divisor * 1000 - divisor // 20:  # what rounds up to the next unit is shown in it
            return f"{value / divisor:.1f}{_THIN}{unit}"
        divisor *= 1000
    return f"{value / divisor:,.1f}{_THIN}E"


@register.filter
def size(value: int | None) -> str:
    """`842 B`, `40.2 kB`, `1.3 MB`: thousands, as disks are sold; empty for none."""
    if not isinstance(value, int):
        return ""
    if value < 1000:
        return f"{value}{_THIN}B"
    for divisor, unit in ((1e3, "kB"), (1e6, "MB"), (1e9, "GB"), (1e12, "TB")):
        if value < divisor * 1000 - divisor / 20:
            return f"{value / divisor:.1f}{_THIN}{unit}"
    return f"{value / 1e15:,.1f}{_THIN}PB"


@register.filter
def money(value: Decimal | None) -> str:
    """US dollars, with as many digits as the amount needs; empty for none."""
    if value is None:
        return ""
    if value == 0:
        return "$0"
    if value < 0:
        return f"-{money(-value)}"
    if value < Decimal("0.0001"):
        return "<$0.0001"
    if value < Decimal("0.1"):
        return f"${value:.4f}"
    if value < 100:
        return f"${value:.2f}"
    return f"${value:,.0f}"


@register.filter
def moment(ns: int | None) -> datetime | None:
    """Nanoseconds since the epoch as an aware datetime; None for none, or when it has no date."""
    if not ns:
        return None
    try:
        return datetime.fromtimestamp(ns / 1e9, UTC)
    except (OverflowError, ValueError, OSError):
        return None


@register.filter
def hexid(value: bytes) -> str:
    return value.hex()


@register.filter
def short_id(value: bytes | str) -> str:
    text = value.hex() if isinstance(value, bytes) else value
    return f"{text[:4]}…{text[-4:]}" if len(text) > 12 else text
