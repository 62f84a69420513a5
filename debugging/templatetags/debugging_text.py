"""How sentences of debugging are set: code in backticks as code, spans of time in words."""

from __future__ import annotations

import datetime as dt
import re

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_CODE = re.compile(r"`([^`\n]{1,200})`")


@register.filter
def code_marks(text: str) -> SafeString:
    """Escapes everything, then sets `names` as code."""
    return mark_safe(_CODE.sub(r"<code>\1</code>", conditional_escape(text)))


@register.filter
def took(value: dt.timedelta | int | None) -> str:
    """A duration, or milliseconds: `420 ms`, `3.2 s`, `2 m 14 s`; empty for None."""
    if value is None:
        return ""
    seconds = value.total_seconds() if isinstance(value, dt.timedelta) else value / 1000
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} m {int(seconds % 60)} s"
