"""The two shapes of a log record: as it arrived (`RawLog`) and as it is stored and read (`Log`).

Times are nanoseconds since the Unix epoch (UTC), 0 for "none"; ids are raw bytes, empty for "none":
a record need not belong to a trace.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from uuid import UUID

from traces.otlp import json_values
from traces.spans import Attributes, AttributeValue, Resource, Scope


@dataclass(slots=True)
class RawLog:
    """One decoded OTLP log record, nothing interpreted yet."""

    trace_id: bytes
    span_id: bytes
    time_ns: int
    observed_ns: int
    severity_number: int
    severity_text: str
    event_name: str
    body: AttributeValue
    attributes: Attributes
    flags: int
    dropped_attributes: int
    resource: Resource
    scope: Scope

    @property
    def name(self) -> str:
        """What event it is: the field, or the attribute that held it before there was one."""
        if self.event_name:
            return self.event_name
        named = self.attributes.get("event.name")
        return named if isinstance(named, str) else ""


@dataclass(slots=True)
class Log:
    """One log record: a row of the `logs` table.

    What the conventions read of it is for lists and filters; everything else is read of the record
    itself when somebody asks (`traces.semconv.log_records`).
    """

    project_id: UUID
    log_id: bytes
    """Hash of the content, so that a record that is sent again is the same row."""
    trace_id: bytes
    span_id: bytes
    time_ns: int
    observed_ns: int
    received_ns: int
    event_name: str = ""
    severity_number: int = 0
    severity_text: str = ""
    body: AttributeValue = None
    attributes: Attributes = field(default_factory=dict)
    flags: int = 0
    dropped_attributes: int = 0
    resource_json: str = "[]"
    scope_json: str = "{}"
    kind: str = ""
    convention: str = ""
    model: str = ""
    agent_name: str = ""
    tool_name: str = ""
    session_id: str = ""
    user_id: str = ""
    environment: str = ""
    release: str = ""
    service_name: str = ""

    @property
    def at_ns(self) -> int:
        """When it happened, as well as that is known."""
        return self.time_ns or self.observed_ns or self.received_ns


def content_id(raw: RawLog) -> bytes:
    """Of everything that was sent of the record: equal for both encodings, and for every retry."""
    digest = blake2b(digest_size=16)
    for part in (
        raw.trace_id,
        raw.span_id,
        b"%d %d %d" % (raw.time_ns, raw.observed_ns, raw.severity_number),
        raw.severity_text,
        raw.event_name,
        json_values.value_to_json(raw.body),
        json_values.values_to_json(raw.attributes),
        raw.resource.json,
        raw.scope.json,
    ):
        encoded = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(encoded))
        digest.update(encoded)
    return digest.digest()
