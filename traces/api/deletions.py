"""Deletions by program: ask, list, look. A key needs the scope `delete` to ask."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers as s
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Project
from traces.api import parameters
from traces.api.errors import BadParameter
from traces.api.views import ReadView
from traces.deletion import asking
from traces.deletion.asking import BadDeletion
from traces.models import Deletion

_WAYS = ("trace_ids", "session_id", "user_id", "query")
_QUERY = (
    "start_after", "end_before", "include_evaluations", "name", "user_id", "search_query",
    "filters",
)  # fmt: skip
_FIELDS: dict[str, s.Field[Any, Any, Any, Any]] = {
    "id": s.UUIDField(),
    "kind": s.ChoiceField(choices=Deletion.Kind.choices),
    "state": s.ChoiceField(choices=Deletion.State.choices),
    "phase": s.ChoiceField(choices=Deletion.Phase.choices),
    "asked_by": s.CharField(),
    "asked_at": s.DateTimeField(),
    "finished_at": s.DateTimeField(allow_null=True),
    "fingerprint": s.CharField(),
    "traces_found": s.IntegerField(),
    "traces_deleted": s.IntegerField(),
    "rows_deleted": s.DictField(child=s.IntegerField()),
    "remark": s.CharField(),
    "error": s.CharField(),
}
_DELETION = inline_serializer("Deletion", _FIELDS)
_LIST = inline_serializer(
    "DeletionList", {"data": inline_serializer("DeletionItem", _FIELDS, many=True)}
)
_ASKED = inline_serializer(
    "DeletionRequest",
    {
        "trace_ids": s.ListField(child=s.CharField(), required=False),
        "session_id": s.CharField(required=False),
        "user_id": s.CharField(required=False),
        "query": s.DictField(required=False, help_text="parameters of the list of traces"),
    },
)


class DeletionList(ReadView):
    known_parameters: ClassVar[tuple[str, ...]] = ("limit",)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.required_scope = "delete" if request.method == "POST" else "read"
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="list_deletions",
        parameters=[OpenApiParameter("limit", int, description="1 to 200, default 50")],
        responses=_LIST,
    )
    def get(self, request: Request) -> Response:
        limit = parameters.limit(request.query_params)
        found = Deletion.objects.for_project(self.key.project_id).newest()[:limit]
        return Response({"data": [_shape(one) for one in found]})

    @extend_schema(
        operation_id="delete_traces",
        description="Exactly one of trace_ids, session_id, user_id and query. Worked off in the"
        " background: look at the deletion until its state is done.",
        request=_ASKED,
        responses={202: _DELETION},
    )
    def post(self, request: Request) -> Response:
        body = request.data
        if not isinstance(body, dict) or len(body) != 1 or next(iter(body)) not in _WAYS:
            raise BadParameter(f"The body must be a JSON object with one of {', '.join(_WAYS)}.")
        try:
            made = self._ask(*next(iter(body.items())))
        except BadDeletion as error:
            raise BadParameter(str(error)) from error
        return Response(_shape(made), status=202)

    def _ask(self, way: str, value: Any) -> Deletion:
        project = Project.objects.select_related("organization").get(pk=self.key.project_id)
        asker: dict[str, Any] = {
            "by": None,
            "by_name": f"API key {self.key.key_name} (…{self.key.hint})",
            "now": timezone.now(),
        }
        if way == "trace_ids":
            return asking.traces(project, _trace_ids(value), **asker)
        if way == "query":
            return asking.query(project, parameters.trace_filter(_query(value)), **asker)
        if not isinstance(value, str):
            raise BadParameter(f"{way} must be text.")
        return (asking.session if way == "session_id" else asking.user)(project, value, **asker)


class DeletionDetail(ReadView):
    @extend_schema(operation_id="get_deletion", responses=_DELETION)
    def get(self, request: Request, deletion_id: UUID) -> Response:
        found = Deletion.objects.for_project(self.key.project_id).filter(pk=deletion_id).first()
        if found is None:
            raise NotFound("There is no such deletion in the project of this API key.")
        return Response(_shape(found))


def _trace_ids(value: Any) -> list[bytes]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadParameter("trace_ids must be a list of texts of 32 hexadecimal digits.")
    try:
        found = [bytes.fromhex(one) for one in value]
    except ValueError:
        found = [b""]
    if any(len(one) != 16 for one in found):
        raise BadParameter("A trace id has 32 hexadecimal digits.")
    return found


def _query(value: Any) -> QueryDict:
    """As the list of traces takes it, so that it deletes what that list shows."""
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise BadParameter("query must be an object of texts, the parameters of the list.")
    query = QueryDict(mutable=True)
    query.update(value)
    parameters.check_names(query, _QUERY)
    return query


def _shape(deletion: Deletion) -> dict[str, Any]:
    return {
        "id": str(deletion.pk),
        "kind": deletion.kind,
        "state": deletion.state,
        "phase": deletion.phase,
        "asked_by": deletion.asked_by_name,
        "asked_at": deletion.asked_at,
        "finished_at": deletion.finished_at,
        "fingerprint": deletion.fingerprint,
        "traces_found": deletion.found,
        "traces_deleted": deletion.erased,
        "rows_deleted": deletion.rows,
        "remark": deletion.remark,
        "error": deletion.error,
    }
