"""OpenAPI descriptions of what the public reads answer."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers as s

FIELDS = OpenApiParameter(
    "fields",
    str,
    description="Comma-separated groups: core, usage, io, metadata; or skeleton, full. With"
    " normalized each span (and the trace) has an object `normalized` besides: every field under"
    " the name that products share, messages in the shape of chat completions. With cost each span"
    " has an object `cost_explanation`: which price made its cost, line by line.",
)


def _text(null: bool = True) -> s.CharField:
    return s.CharField(allow_null=null)


WHOAMI = inline_serializer(
    "WhoAmI",
    {
        name: s.CharField()
        for name in (
            "project_id", "project_name", "workspace_id", "workspace_name", "key_name", "key_hint",
            "host", "ui_base_url",
        )
    },
)  # fmt: skip

_ITEM = inline_serializer(
    "TraceListItem",
    {
        "trace_id": _text(False),
        "project_id": _text(False),
        "name": _text(False),
        "trace_start_time": s.DateTimeField(),
        "user_id": _text(),
        "session_id": _text(),
        "span_count": s.IntegerField(),
        "duration_ms": s.FloatField(allow_null=True),
        "status": s.ChoiceField(choices=["ok", "error"]),
        "error_count": s.IntegerField(),
        "input": _text(),
        "output": _text(),
        "total_input_tokens": s.IntegerField(allow_null=True),
        "total_output_tokens": s.IntegerField(allow_null=True),
        "estimated_tokens": s.IntegerField(),
        "total_cost": s.FloatField(allow_null=True),
        "metadata_map": s.DictField(child=s.CharField()),
        "is_evaluation": s.BooleanField(),
        "trace_url": s.URLField(),
    },
    many=True,
)

TRACE_LIST = inline_serializer(
    "TraceList",
    {
        "data": _ITEM,
        "meta": inline_serializer(
            "TraceListMeta",
            {
                "page": s.IntegerField(),
                "limit": s.IntegerField(),
                "total": s.IntegerField(),
                "next_cursor": _text(),
            },
        ),
    },
)

_SPAN = inline_serializer(
    "Span",
    {
        "span_id": _text(False),
        "trace_id": _text(False),
        "parent_span_id": _text(),
        "name": _text(False),
        "span_kind": s.ChoiceField(
            choices=["LLM", "SPAN", "AGENT", "TOOL", "EVALUATION", "TASK", "SCORER"]
        ),
        "span_start_time": s.DateTimeField(),
        "span_end_time": s.DateTimeField(allow_null=True),
        "status": s.ChoiceField(choices=["OK", "ERROR"]),
        "status_message": _text(),
        "model_name": _text(),
        "cost": s.FloatField(allow_null=True),
        "input_tokens": s.IntegerField(allow_null=True),
        "output_tokens": s.IntegerField(allow_null=True),
        "total_tokens": s.IntegerField(allow_null=True),
        "usage_details": s.DictField(child=s.FloatField()),
        "usage_estimated_by": _text(),
        "cost_details": s.DictField(),
        "git_source_file": _text(),
        "git_source_line": s.IntegerField(allow_null=True),
        "git_source_function": _text(),
        "input": _text(),
        "output": _text(),
        "metadata": _text(),
        "normalized": s.DictField(required=False),
        "cost_explanation": s.DictField(required=False, allow_null=True),
    },
    many=True,
)

TRACE_DETAIL = inline_serializer(
    "TraceDetail",
    {
        "trace_id": _text(False),
        "project_id": _text(False),
        "name": _text(False),
        "trace_start_time": s.DateTimeField(),
        "user_id": _text(),
        "session_id": _text(),
        "git_ref": _text(),
        "git_repo": _text(),
        "input": _text(),
        "output": _text(),
        "metadata": _text(),
        "span_count": s.IntegerField(),
        "is_evaluation": s.BooleanField(),
        "estimated_tokens": s.IntegerField(),
        "spans": _SPAN,
        "logs": s.ListField(child=s.DictField(), required=False),
        "trace_url": s.URLField(),
        "normalized": s.DictField(required=False),
    },
)

TRACE_EXPORT = inline_serializer(
    "TraceExport",
    {
        "manifest": inline_serializer(
            "ExportManifest",
            {
                "trace_id": _text(False),
                "project_id": _text(False),
                "bundle_version": _text(False),
                "files": s.ListField(child=s.CharField()),
            },
        ),
        "trace": TRACE_DETAIL,
        "spans": _SPAN,
        "git_context": s.DictField(),
    },
)
