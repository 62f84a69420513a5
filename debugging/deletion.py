"""What debugging keeps of traces: sessions, steps and reports; of a project its mirrors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from debugging import repositories
from debugging.models import DebuggingSession, Repository

_AT_ONCE = 200


def erase_traces(project_id: UUID, trace_ids: Sequence[str]) -> dict[str, int]:
    sessions = DebuggingSession.objects.for_project(project_id).filter(trace_id__in=trace_ids)
    return _erase(sessions)


def erase_project(project_id: UUID) -> dict[str, int]:
    gone = _erase(DebuggingSession.objects.for_project(project_id))
    for repository in Repository.objects.for_project(project_id):
        repositories.remove(repository)
        gone["repositories"] = gone.get("repositories", 0) + 1
    return gone


def _erase(sessions: QuerySet[DebuggingSession]) -> dict[str, int]:
    """A worker whose session is gone writes nothing more."""
    gone: Counter[str] = Counter()
    while ids := list(sessions.order_by("id").values_list("id", flat=True)[:_AT_ONCE]):
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(DebuggingSession),
            object_id__in=[str(one) for one in ids],
        ).delete()
        DebuggingSession.objects.filter(id__in=ids).delete()
        gone["debugging sessions"] += len(ids)
    return dict(gone)
