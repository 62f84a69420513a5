"""Cuts log records that exceed the limits, as spans are cut; the mark stands in what was cut.

What the conventions read of a record was read from the whole of it before.
"""

from __future__ import annotations

from collections.abc import Sequence

from traces.cutting import values
from traces.cutting.limits import CutLimits
from traces.cutting.spans import GROWTH, fitted_resources, fitted_scopes
from traces.logs import Log


def cut(logs: Sequence[Log], body_bytes: int, limits: CutLimits) -> int:
    """In place; returns how many records that were. `body_bytes` is the length of the whole
    request, decompressed.
    """
    if not logs:
        return 0
    most = min(limits.value_chars, limits.span_chars)
    is_small = body_bytes * GROWTH <= min(most, limits.key_chars)
    cut_ids: set[int] = set()
    for log in () if is_small else logs:
        if _fewer(log, limits) | (body_bytes * GROWTH > most and _shorter(log, limits)):
            cut_ids.add(id(log))
    resources = fitted_resources([log.resource_json for log in logs], limits)
    scopes = fitted_scopes([log.scope_json for log in logs], limits)
    for log in logs if resources or scopes else ():
        if log.resource_json in resources or log.scope_json in scopes:
            cut_ids.add(id(log))
        log.resource_json = resources.get(log.resource_json, log.resource_json)
        log.scope_json = scopes.get(log.scope_json, log.scope_json)
    return len(cut_ids)


def _fewer(log: Log, limits: CutLimits) -> bool:
    attributes = log.attributes
    if len(attributes) > limits.attributes:
        kept = dict(list(attributes.items())[: limits.attributes])
        log.dropped_attributes += len(attributes) - len(kept)
        attributes = kept
    if max(map(len, attributes), default=0) > limits.key_chars:
        attributes = {values.cut(key, limits.key_chars): v for key, v in attributes.items()}
    is_cut = attributes is not log.attributes
    log.attributes = attributes
    return is_cut


def _shorter(log: Log, limits: CutLimits) -> bool:
    sizes = [values.chars(value) for value in log.attributes.values()]
    sizes.append(values.chars(log.body))
    room = max(0, limits.span_chars - sum(map(len, log.attributes)))
    most = min(limits.value_chars, values.level(sizes, room))
    is_cut = max(sizes) > most
    if is_cut:
        log.body = values.fitted(log.body, most)
        log.attributes = {key: values.fitted(v, most) for key, v in log.attributes.items()}
    for name in ("event_name", "severity_text"):
        whole = getattr(log, name)
        is_cut = is_cut or len(whole) > limits.key_chars
        setattr(log, name, values.cut(whole, limits.key_chars))
    return is_cut
