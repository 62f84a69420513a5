"""Cuts log records that exceed the limits, as spans are cut; the mark stands in what was cut.

What the conventions read of a record was read from the whole of it before.
"""

from __future__ import annotations

from collections.abc import Sequence

from traces.cutting import values
from traces.cutting.limits import CutLimits
from traces.cutting.spans import GROWTH, fitted_resources, fitted_scopes
from traces.logs import Log


def cut(logs: Sequence[Log], body_bytes: int, limits: CutLimits) -> None:
    """In place. `body_bytes` is the length of the whole request, decompressed."""
    most = min(limits.value_chars, limits.span_chars)
    is_small = body_bytes * GROWTH <= min(most, limits.key_chars)
    for log in () if is_small else logs:
        _fewer(log, limits)
        if body_bytes * GROWTH > most:
            _shorter(log, limits)
    resources = fitted_resources([log.resource_json for log in logs], limits)
    scopes = fitted_scopes([log.scope_json for log in logs], limits)
    for log in logs if resources or scopes else ():
        log.resource_json = resources.get(log.resource_json, log.resource_json)
        log.scope_json = scopes.get(log.scope_json, log.scope_json)


def _fewer(log: Log, limits: CutLimits) -> None:
    attributes = log.attributes
    if len(attributes) > limits.attributes:
        kept = dict(list(attributes.items())[: limits.attributes])
        log.dropped_attributes += len(attributes) - len(kept)
        attributes = kept
    if max(map(len, attributes), default=0) > limits.key_chars:
        attributes = {values.cut(key, limits.key_chars): v for key, v in attributes.items()}
    log.attributes = attributes


def _shorter(log: Log, limits: CutLimits) -> None:
    sizes = [values.chars(value) for value in log.attributes.values()]
    sizes.append(values.chars(log.body))
    room = max(0, limits.span_chars - sum(map(len, log.attributes)))
    most = min(limits.value_chars, values.level(sizes, room))
    if max(sizes) > most:
        log.body = values.fitted(log.body, most)
        log.attributes = {key: values.fitted(v, most) for key, v in log.attributes.items()}
    for name in ("event_name", "severity_text"):
        setattr(log, name, values.cut(getattr(log, name), limits.key_chars))
