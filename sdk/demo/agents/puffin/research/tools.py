"""The tools of the crew. Each returns what the model reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from . import library

_SCHEMAS: dict[str, tuple[str, dict[str, str]]] = {
    "search_library": ("Search the buyers' notes.", {"query": "A few words."}),
    "open_page": ("Open a document of the library.", {"document_id": "Its id."}),
    "hand_off": (
        "Hand the work to another member of the crew.",
        {"to": "researcher or writer", "brief": "What they need to know."},
    ),
}


def describe(names: Sequence[str]) -> list[dict[str, Any]]:
    return [_schema(name) for name in names]


def search_library(query: str) -> tuple[str, list[library.Document]]:
    found = library.search(query)
    rows = [{"id": one.id, "title": one.title, "score": one.score} for one in found]
    return json.dumps(rows), found


def open_page(document_id: str) -> str:
    text = library.page(document_id)
    if text is None:
        return json.dumps({"error": f"HTTP 404: the archive has no page for {document_id}"})
    return text


def _schema(name: str) -> dict[str, Any]:
    description, parameters = _SCHEMAS[name]
    properties = {key: {"type": "string", "description": text} for key, text in parameters.items()}
    return {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {
                "type": "object",
                "properties": properties,
                "required": list(properties),
            },
        },
    }
