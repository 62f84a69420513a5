"""Metrics of a protobuf request, as far as somebody counts by them."""

from __future__ import annotations

from typing import Any

from traces.agent_usage import DataPoint, RawMetric
from traces.otlp.deep_values import Lengths
from traces.otlp.protobuf_values import attributes
from traces.spans import Resource, Scope

_DELTA = 1
_NO_VALUE = 1
_COUNTED = {"sum": "sum", "gauge": "gauge", "histogram": "histogram"}


def metric(item: Any, resource: Resource, scope: Scope, cut: Lengths) -> RawMetric:
    kind = item.WhichOneof("data") or ""
    data = getattr(item, kind) if kind else None
    points = data.data_points if data is not None else ()
    return RawMetric(
        name=item.name,
        kind=kind,
        is_delta=getattr(data, "aggregation_temporality", 0) == _DELTA,
        points=[_point(point, kind, cut) for point in points] if kind in _COUNTED else (),
        point_count=len(points),
        resource=resource,
        scope=scope,
    )


def _point(point: Any, kind: str, cut: Lengths) -> DataPoint:
    value: float | None
    if point.flags & _NO_VALUE:
        value = None
    elif kind == "histogram":
        value = point.sum if point.HasField("sum") else None
    else:
        held = point.WhichOneof("value")
        value = float(getattr(point, held)) if held else None
    held_by = attributes(point.attributes, "attributes", cut)
    return DataPoint(point.start_time_unix_nano, point.time_unix_nano, value, held_by)
