"""What a request's headers say; of gRPC they are called metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Of an ASGI request."""
    return named(scope["headers"])


def named(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """With names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def media_type(headers: Mapping[str, str]) -> str:
    """Without its parameters."""
    return headers.get("content-type", "").split(";", 1)[0].strip().lower()


def raw_key(headers: Mapping[str, str]) -> str:
    """The API key as it was sent; empty without one."""
    scheme, _, key = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    return headers.get("x-api-key", "").strip()
