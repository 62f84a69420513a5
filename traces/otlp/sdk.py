"""Which SDK sent a request: its own headers say so, else its resource, else the User-Agent.

The text is the sender's: it is cut short and holds nothing that does not show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from traces.spans import Attributes

_LONGEST = 100
_LONGEST_READ = 1_000
_HEADER = "x-traceroot-sdk-"
_RESOURCE = "telemetry.sdk."


@dataclass(frozen=True, slots=True)
class Sdk:
    """Empty texts where nothing is said."""

    name: str = ""
    version: str = ""
    language: str = ""


NOT_SAID = Sdk()


def of(headers: Mapping[str, str], resource: Attributes) -> Sdk:
    """`headers` have names in lower case; over gRPC they are the metadata.

    https://opentelemetry.io/docs/specs/semconv/resource/#telemetry-sdk
    """
    name = _clean(headers.get(f"{_HEADER}name"))
    language = _clean(resource.get(f"{_RESOURCE}language"))
    if name:
        version = _clean(headers.get(f"{_HEADER}version"))
        return Sdk(name, version, _clean(headers.get(f"{_HEADER}language")) or language)
    name = _clean(resource.get(f"{_RESOURCE}name"))
    if name:
        return Sdk(name, _clean(resource.get(f"{_RESOURCE}version")), language)
    # https://www.rfc-editor.org/rfc/rfc9110#name-user-agent: the first product matters most.
    product = _clean(headers.get("user-agent")).partition(" ")[0]
    name, _, version = product.partition("/")
    return Sdk(name, version, language if name else "")


def _clean(value: object) -> str:
    if not isinstance(value, str):
        return ""
    text = value[:_LONGEST_READ]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
