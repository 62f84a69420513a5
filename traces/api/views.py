"""The public API's first reads: who am I, list, get and export of traces."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api_keys import VerifiedKey
from traces.api import parameters, schema, shapes
from traces.api.errors import BadParameter
from traces.logs import Log
from traces.spans import Span
from traces.store.reader import BadCursor, SpanReader
from traces.store.rows import TraceSummary


class ReadView(APIView):
    """A view that a key with the scope `read` may use; everything is of the key's project."""

    required_scope = "read"
    known_parameters: ClassVar[tuple[str, ...]] = ()
    """Names of the query parameters it takes; any other is refused."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not self.key.may(self.required_scope):
            raise PermissionDenied(f"This API key lacks the scope {self.required_scope!r}.")
        parameters.check_names(request.query_params, self.known_parameters)

    @property
    def key(self) -> VerifiedKey:
        key = self.request.auth
        assert isinstance(key, VerifiedKey)
        return key

    @property
    def reader(self) -> SpanReader:
        return SpanReader(self.key.project_id)


class WhoAmI(ReadView):
    @extend_schema(operation_id="whoami", responses=schema.WHOAMI)
    def get(self, request: Request) -> Response:
        key = self.key
        return Response(
            {
                "project_id": str(key.project_id),
                "project_name": key.project_name,
                "workspace_id": str(key.organization_id),
                "workspace_name": key.organization_name,
                "key_name": key.key_name,
                "key_hint": key.hint,
                "host": settings.PUBLIC_URL,
                "ui_base_url": settings.PUBLIC_URL,
            }
        )


class TraceList(ReadView):
    known_parameters = (
        "limit", "cursor", "start_after", "end_before", "include_evaluations", "name", "user_id",
        "search_query", "filters",
    )  # fmt: skip

    @extend_schema(
        operation_id="list_traces",
        parameters=[
            OpenApiParameter("limit", int, description="1 to 200, default 50"),
            OpenApiParameter("cursor", str, description="meta.next_cursor of the page before"),
            OpenApiParameter("start_after", OpenApiTypes.DATETIME, description="inclusive"),
            OpenApiParameter("end_before", OpenApiTypes.DATETIME, description="exclusive"),
            OpenApiParameter("include_evaluations", bool),
            OpenApiParameter("name", str, description="a part of the name"),
            OpenApiParameter("user_id", str),
            OpenApiParameter(
                "search_query",
                str,
                description="every word, and every phrase in double quotes, must occur: in name,"
                " previews, error and exception messages, findings, session, user or trace id",
            ),
            OpenApiParameter("filters", str, description="JSON array of {field, op, value, key?}"),
        ],
        responses=schema.TRACE_LIST,
    )
    def get(self, request: Request) -> Response:
        query = request.query_params
        limit = parameters.limit(query)
        wanted = parameters.trace_filter(query)
        try:
            page = self.reader.traces(wanted, limit=limit, cursor=query.get("cursor", ""))
        except BadCursor as error:
            raise BadParameter(str(error)) from error
        meta = {
            "page": 0,
            "limit": limit,
            "total": self.reader.count(wanted),
            "next_cursor": page.next_cursor or None,
        }
        return Response({"data": [shapes.list_item(row) for row in page.rows], "meta": meta})


class TraceDetail(ReadView):
    known_parameters = ("fields",)

    @extend_schema(
        operation_id="get_trace", parameters=[schema.FIELDS], responses=schema.TRACE_DETAIL
    )
    def get(self, request: Request, trace_id: bytes) -> Response:
        groups = parameters.fields(request.query_params, "skeleton")
        summary, spans = _load(self.reader, trace_id)
        return Response(shapes.detail(summary, spans, groups, _logs(self.reader, trace_id, groups)))


class TraceExport(ReadView):
    known_parameters = ("fields",)

    @extend_schema(
        operation_id="export_trace", parameters=[schema.FIELDS], responses=schema.TRACE_EXPORT
    )
    def get(self, request: Request, trace_id: bytes) -> Response:
        groups = parameters.fields(request.query_params, "full")
        summary, spans = _load(self.reader, trace_id)
        trace = shapes.detail(summary, spans, groups, _logs(self.reader, trace_id, groups))
        return Response(
            {
                "manifest": {
                    "trace_id": summary.hex_id,
                    "project_id": str(summary.project_id),
                    "bundle_version": "v1",
                    "files": ["trace.json", "spans.json", "git_context.json", "manifest.json"],
                },
                "trace": trace,
                "spans": trace["spans"],
                "git_context": {
                    "git_repo": summary.git_repo or None,
                    "git_ref": summary.git_ref or None,
                    "sources": [
                        {
                            "span_id": span.span_id.hex(),
                            "file": span.git_source_file,
                            "line": span.git_source_line or None,
                            "function": span.git_source_function or None,
                        }
                        for span in spans
                        if span.git_source_file
                    ],
                },
            }
        )


def _load(reader: SpanReader, trace_id: bytes) -> tuple[TraceSummary, list[Span]]:
    summary = reader.trace(trace_id)
    if summary is None:
        raise NotFound("There is no such trace in the project of this API key.")
    return summary, reader.spans(trace_id, limit=settings.API_MAX_SPANS_PER_TRACE)


def _logs(reader: SpanReader, trace_id: bytes, groups: set[str]) -> list[Log]:
    """Read where contents are asked for: of the records, and of spans whose messages they carry."""
    return reader.logs(trace_id) if groups & {"io", "normalized"} else []
