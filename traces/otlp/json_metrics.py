"""Metrics of an OTLP/JSON request, as far as somebody counts by them."""

from __future__ import annotations

from typing import Any

from traces.agent_usage import DataPoint, RawMetric
from traces.otlp import json_fields as fields
from traces.otlp.decoded import MAX_TIME_NS
from traces.otlp.decoded import MalformedSpan as Malformed
from traces.otlp.deep_values import Lengths
from traces.spans import Resource, Scope

_TEMPORALITIES = {"UNSPECIFIED": 0, "DELTA": 1, "CUMULATIVE": 2}
_KINDS = {
    "sum": "sum",
    "gauge": "gauge",
    "histogram": "histogram",
    "exponentialHistogram": "exponential_histogram",
    "summary": "summary",
}
_COUNTED = frozenset({"sum", "gauge", "histogram"})
_NO_VALUE = 1
_MAX_UINT32 = 2**32 - 1


def metric(item: Any, resource: Resource, scope: Scope, cut: Lengths) -> RawMetric:
    """Raises MalformedSpan."""
    found = fields.camel_cased(item, Malformed)
    name = next((name for name in _KINDS if found.get(name) is not None), "")
    data = fields.object_of(found, name) if name else {}
    points = fields.list_of(data, "dataPoints")
    temporality = fields.enumerated(
        data, "aggregationTemporality", "AGGREGATION_TEMPORALITY_", _TEMPORALITIES
    )
    return RawMetric(
        name=fields.text_of(found, "name"),
        kind=_KINDS.get(name, ""),
        is_delta=temporality == _TEMPORALITIES["DELTA"],
        points=fields.each(data, "dataPoints", lambda point: _point(point, cut))
        if name in _COUNTED
        else (),
        point_count=len(points),
        resource=resource,
        scope=scope,
    )


def _point(item: Any, cut: Lengths) -> DataPoint:
    point = fields.camel_cased(item, Malformed)
    value = None
    if not fields.integer_of(point, "flags", _MAX_UINT32) & _NO_VALUE:
        names = ("asDouble", "asInt", "sum")
        value = next(
            (v for name in names if (v := fields.number_of(point, name)) is not None), None
        )
    return DataPoint(
        fields.integer_of(point, "startTimeUnixNano", MAX_TIME_NS),
        fields.integer_of(point, "timeUnixNano", MAX_TIME_NS),
        value,
        fields.attributes_of(point, "attributes", cut),
    )
