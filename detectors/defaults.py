"""The detectors that every project has from the start, made when first needed."""

from __future__ import annotations

from uuid import UUID

from accounts.models import Project
from detectors.checks.registry import CHECKS
from detectors.judge_templates import TEMPLATES
from detectors.models import Detector
from detectors.models.detector import JUDGE_SAMPLE_RATE


def ensure(project: Project | UUID) -> None:
    """Add what is missing; what an admin changed stays. Safe at any time, from any process."""
    project_id = project.id if isinstance(project, Project) else project
    have = set(Detector.objects.for_project(project_id).values_list("template", flat=True))
    missing = [detector for detector in _defaults(project_id) if detector.template not in have]
    if missing:
        Detector.objects.bulk_create(missing, ignore_conflicts=True)


def _defaults(project_id: UUID) -> list[Detector]:
    checks = [
        Detector(
            project_id=project_id,
            name=check.name,
            template=check.slug,
            category=check.slug,
            kind=Detector.Kind.CHECK,
            severity=check.severity,
            sample_rate=1.0,
        )
        for check in CHECKS
    ]
    judges = [
        Detector(
            project_id=project_id,
            name=template.name,
            template=template.slug,
            category=template.category,
            kind=Detector.Kind.JUDGE,
            prompt=template.looks_for,
            severity=template.severity,
            sample_rate=JUDGE_SAMPLE_RATE,
        )
        for template in TEMPLATES
    ]
    return checks + judges
