"""The shop's policies, and a search in them by words."""

from __future__ import annotations

import re
from typing import Any

from .tool import Tool

PASSAGES = {
    "returns": (
        "Unused gear may be returned within 60 days of delivery. The refund goes to the payment "
        "method of the order and arrives within five working days."
    ),
    "used gear": (
        "Boots and clothing that were worn outdoors are exchanged, not refunded, unless they are "
        "faulty."
    ),
    "gift cards": "Gift cards are valid for three years. They are not refunded.",
    "shipping": (
        "Orders leave our warehouse within one working day. Within Europe they arrive in two to "
        "five days, elsewhere in six to twelve."
    ),
    "warranty": (
        "Tents and backpacks carry a warranty of four years on seams, zips and poles. Send a photo "
        "and the order id; most repairs are done within ten days."
    ),
    "refills": "Gas cartridges cannot be shipped by air.",
}


def search(query: str) -> dict[str, Any]:
    wanted = set(_words(query))
    scored = [
        (len(wanted & set(_words(f"{title} {text}"))), title, text)
        for title, text in PASSAGES.items()
    ]
    found = sorted((hit for hit in scored if hit[0] > 0), key=lambda hit: (-hit[0], hit[1]))
    return {"passages": [{"title": title, "text": text} for _, title, text in found[:2]]}


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3]


SEARCH_POLICY = Tool(
    "search_policy",
    "Search the shop's policies.",
    {"query": "What to look for, in a few words."},
    search,
)
