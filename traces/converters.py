"""Ids in URLs: 32 and 16 hex digits, as OpenTelemetry writes them; views get bytes."""

from __future__ import annotations

from django.urls import register_converter


class TraceIdConverter:
    regex = "[0-9a-fA-F]{32}"

    def to_python(self, value: str) -> bytes:
        return bytes.fromhex(value)

    def to_url(self, value: bytes | str) -> str:
        return value.hex() if isinstance(value, bytes) else value.lower()


class SpanIdConverter(TraceIdConverter):
    regex = "[0-9a-fA-F]{16}"


def register() -> None:
    register_converter(TraceIdConverter, "hex32")
    register_converter(SpanIdConverter, "hex16")
