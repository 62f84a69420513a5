"""What detection keeps of traces: runs, findings with evidence, deliveries and their mails."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from detectors.models import AlertDelivery, DetectorRun, Finding

_MAIL = re.compile(r"[^/\\\s]+\.eml\b")
_AT_ONCE = 500


def erase_traces(project_id: UUID, trace_ids: Sequence[str]) -> dict[str, int]:
    findings = Finding.objects.for_project(project_id).filter(trace_id__in=trace_ids)
    runs = DetectorRun.objects.for_project(project_id).filter(trace_id__in=trace_ids)
    return _erase(findings, runs)


def erase_project(project_id: UUID) -> dict[str, int]:
    return _erase(
        Finding.objects.for_project(project_id), DetectorRun.objects.for_project(project_id)
    )


def _erase(findings: QuerySet[Finding], runs: QuerySet[DetectorRun]) -> dict[str, int]:
    """Runs first: a worker whose run is gone writes nothing more."""
    gone: Counter[str] = Counter()
    while ids := list(runs.order_by("id").values_list("id", flat=True)[:_AT_ONCE]):
        gone["detector runs"] += len(ids)
        DetectorRun.objects.filter(id__in=ids).delete()
    while ids := list(findings.order_by("id").values_list("id", flat=True)[:_AT_ONCE]):
        _erase_mails(ids)
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(Finding),
            object_id__in=[str(one) for one in ids],
        ).delete()
        for label, count in Finding.objects.filter(id__in=ids).delete()[1].items():
            gone[label.partition(".")[2].lower()] += count
    return dict(gone)


def _erase_mails(finding_ids: Sequence[UUID]) -> None:
    """Without a mail server mails are files, which the delivery names."""
    written = AlertDelivery.objects.filter(
        finding_id__in=finding_ids, state=AlertDelivery.State.WRITTEN
    )
    for said in written.values_list("error", flat=True):
        for name in _MAIL.findall(said):
            (Path(settings.EMAIL_FILE_PATH) / name).unlink(missing_ok=True)
