"""What coding agents counted in metrics, by model or by user."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from traces.api import parameters, shapes
from traces.api.errors import BadParameter
from traces.api.views import ReadView
from traces.store.reads.agent_usage import MAX_LINES, AgentFigures, By

_RANGE = timedelta(days=30)
_BY: Mapping[str, By] = {"model": "model", "user": "user"}
_ITEM = inline_serializer(
    "AgentUsageItem",
    {
        "agent": s.CharField(),
        "model_name": s.CharField(required=False),
        "user_id": s.CharField(required=False),
        "uncached_input_tokens": s.IntegerField(),
        "cache_read_tokens": s.IntegerField(),
        "cache_write_tokens": s.IntegerField(),
        "output_tokens": s.IntegerField(),
        "reasoning_tokens": s.IntegerField(help_text="a part of output_tokens"),
        "cost": s.FloatField(allow_null=True, help_text="US dollars, as reported"),
        "sessions": s.IntegerField(),
        "last_seen": s.DateTimeField(),
    },
    many=True,
)
_LIST = inline_serializer("AgentUsageList", {"data": _ITEM})


class AgentUsageList(ReadView):
    known_parameters = ("start_after", "end_before", "by")

    @extend_schema(
        operation_id="list_agent_usage",
        description="Tokens and cost that coding agents counted in metrics. Their traces report the"
        f" same again: the two do not add up. The dearest first, at most {MAX_LINES}.",
        parameters=[
            OpenApiParameter("start_after", OpenApiTypes.DATETIME, description="30 days before"),
            OpenApiParameter("end_before", OpenApiTypes.DATETIME, description="now"),
            OpenApiParameter("by", str, enum=list(_BY), description="model when not given"),
        ],
        responses=_LIST,
    )
    def get(self, request: Request) -> Response:
        query = request.query_params
        until = parameters.time(query, "end_before") or datetime.now(UTC)
        since = parameters.time(query, "start_after") or _before(until)
        by = _by(query)
        found = self.reader.agent_usage(since, until, by=by)
        return Response({"data": [_item(one, by) for one in found]})


def _before(until: datetime) -> datetime:
    try:
        return until - _RANGE
    except OverflowError:  # in the first days of the year 1
        return until


def _by(query: QueryDict) -> By:
    asked = query.get("by", "model")
    if asked not in _BY:
        raise BadParameter(f"by must be one of {', '.join(_BY)}.")
    return _BY[asked]


def _item(one: AgentFigures, by: By) -> dict[str, Any]:
    return {
        "agent": one.agent,
        "model_name" if by == "model" else "user_id": one.value,
        "uncached_input_tokens": one.usage.uncached_input,
        "cache_read_tokens": one.usage.cache_read,
        "cache_write_tokens": one.usage.cache_write_5m,
        "output_tokens": one.usage.output,
        "reasoning_tokens": one.usage.reasoning,
        "cost": shapes.money(one.cost_usd),
        "sessions": one.sessions,
        "last_seen": shapes.naive_iso(one.last_ns),
    }
