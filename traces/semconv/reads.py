"""What of a span only a reader wants: messages, request parameters, documents. Tables, as in
`convention`, but walked when somebody reads a span, never at ingest.

A place is an attribute's name, or `attribute#path.to.it` for what lies inside of its JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ReadField = Literal[
    # messages, in any shape
    "input_messages",
    "output_messages",
    # the whole conversation in one list: its last answers are the output
    "conversation",
    # the answer's text, where its tool calls lie elsewhere
    "output_text",
    # what the answer holds besides its text
    "output_tool_calls",
    "output_reasoning",
    "system_instructions",
    "tool_definitions",
    "tool_arguments",
    "tool_result",
    # documents that a retriever found
    "retrieval_contexts",
    # text
    "level",
    "version",
    "user_email",
    "customer_id",
    "public",
    "source",
]


@dataclass(frozen=True, slots=True)
class Reads:
    """`fields`: for each field the places that may hold it, best first.

    `params`: request parameters by their usual name, each with its places.
    `param_prefixes`: attributes that are parameters, named by what follows the prefix.
    `param_objects`: places that hold an object of parameters.
    `usage_prefixes`: attributes that count what no other field does, named by what follows.
    `flat_documents`: prefixes of documents that were sent as one attribute a leaf.
    """

    fields: Mapping[ReadField, tuple[str, ...]] = field(default_factory=dict)
    params: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    param_prefixes: tuple[str, ...] = ()
    param_objects: tuple[str, ...] = ()
    usage_prefixes: tuple[str, ...] = ()
    flat_documents: tuple[str, ...] = ()


def split(place: str) -> tuple[str, tuple[str, ...]]:
    """A place as attribute and path; the path is empty for the attribute itself."""
    name, _, path = place.partition("#")
    return name, tuple(path.split(".")) if path else ()
