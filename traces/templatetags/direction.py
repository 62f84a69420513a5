"""Text of others beside ours: characters that turn its direction are shown, not obeyed.

A name with U+202E would otherwise mirror the rest of its line. `direction.js` does the same for
what scripts draw.
"""

from __future__ import annotations

import re
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

CONTROLS = {
    "\u061c": ("ALM", "Arabic letter mark"),
    "\u200e": ("LRM", "left-to-right mark"),
    "\u200f": ("RLM", "right-to-left mark"),
    "\u202a": ("LRE", "left-to-right embedding"),
    "\u202b": ("RLE", "right-to-left embedding"),
    "\u202c": ("PDF", "end of embedding or override"),
    "\u202d": ("LRO", "left-to-right override"),
    "\u202e": ("RLO", "right-to-left override"),
    "\u2066": ("LRI", "left-to-right isolate"),
    "\u2067": ("RLI", "right-to-left isolate"),
    "\u2068": ("FSI", "first strong isolate"),
    "\u2069": ("PDI", "end of isolate"),
}
_CONTROL = re.compile(f"[{''.join(CONTROLS)}]")


@register.filter
def isolated(text: Any) -> SafeString:
    """Markup: the text, escaped, in an isolate of its own, with a mark for each control."""
    escaped = _CONTROL.sub(lambda found: _mark(found[0]), conditional_escape(_text(text)))
    return mark_safe(f"<bdi>{escaped}</bdi>" if escaped else "")


@register.filter
def spelled(text: Any) -> str:
    """Plain text for attributes and titles: `‹RLO›` where the control was."""
    return _CONTROL.sub(lambda found: f"‹{CONTROLS[found[0]][0]}›", _text(text))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _mark(control: str) -> str:
    short, name = CONTROLS[control]
    title = f"U+{ord(control):04X} {name}"
    return format_html('<span class="control-mark" title="{}">{}</span>', title, short)
