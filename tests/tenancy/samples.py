"""A real object for every argument that a project's URL takes.

Whoever adds a URL with a new argument adds a line to SAMPLES: a function that makes the object in
the given project and returns what stands in the URL. The key is the argument's name, or
`app:argument` where two apps use one name for two things.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from accounts import api_keys, organizations, users
from accounts.models import Project
from accounts.permissions import Role

Sample = Callable[[Project], object]

SPAN_ID = bytes.fromhex("c3" * 8)


def api_key(project: Project) -> object:
    return api_keys.create(project, "Sample", None)[0].id


def membership(project: Project) -> object:
    somebody = users.create(f"{uuid.uuid4().hex}@sample.example")
    return organizations.add_member(project.organization, somebody, Role.VIEWER).id


def trace(project: Project) -> bytes:
    """The id differs by project: a trace of another project is not one of this."""
    from traces.spans import Span
    from traces.store import writer

    trace_id = uuid.uuid5(project.id, "trace").bytes
    now = time.time_ns()
    span = Span(
        project_id=project.id,
        trace_id=trace_id,
        span_id=SPAN_ID,
        parent_span_id=b"",
        name=f"secret of {project.name}",
        kind="agent",
        start_ns=now - 1_000_000_000,
        end_ns=now,
        status="ok",
        version=now,
        received_ns=now,
        is_local_root=True,
        input="question",
        output="answer",
    )
    writer.store([span], [0])
    return trace_id


def span(project: Project) -> object:
    return SPAN_ID


def detector(project: Project) -> uuid.UUID:
    from detectors.models import Detector

    made = Detector.objects.create(
        project=project,
        name=f"secret of {project.name}",
        template=uuid.uuid4().hex,
        category="tool_failure",
        kind=Detector.Kind.JUDGE,
        prompt="Look.",
    )
    return made.id


def finding(project: Project) -> object:
    from detectors.models import Finding

    trace_id = trace(project)
    made = Finding.objects.create(
        project=project,
        detector_id=detector(project),
        trace_id=trace_id.hex(),
        generation=1,
        summary=f"secret of {project.name}",
        confidence=0.9,
        severity="high",
        category="tool_failure",
        fingerprint="f" * 32,
    )
    return made.id


def alert_route(project: Project) -> object:
    from detectors.models import AlertRoute

    return AlertRoute.objects.create(project=project, email=f"{uuid.uuid4().hex}@sample.example").id


def debugging_session(project: Project) -> object:
    from debugging.models import DebuggingSession

    trace_id = trace(project)
    return DebuggingSession.objects.create(
        project=project,
        trace_id=trace_id.hex(),
        trace_name=f"secret of {project.name}",
        state=DebuggingSession.State.FAILED,
        error="The sample was stopped.",
    ).id


def repository(project: Project) -> object:
    from debugging.models import Repository

    return Repository.objects.create(
        project=project, name=f"sample/{uuid.uuid4().hex}", location="https://git.example/a.git"
    ).id


def price_override(project: Project) -> object:
    from traces.models import PriceOverride

    return PriceOverride.objects.create(
        project=project, pattern=f"secret of {project.name}", input=1, output=2
    ).id


def drop_rule(project: Project) -> object:
    from traces.models import DropRule

    return DropRule.objects.create(project=project, pattern=f"secret of {project.name}").id


def deletion(project: Project) -> object:
    from traces.models import Deletion

    return Deletion.objects.create(
        project_id=project.id,
        organization_id=project.organization_id,
        project_name=project.name,
        kind="traces",
        asked_by_name="somebody",
    ).id


def retention_rule(project: Project) -> object:
    from traces.models import RetentionRule

    return RetentionRule.objects.create(project=project, days=7, tag=f"secret of {project.name}").id


SAMPLES: dict[str, Sample] = {
    "key_id": api_key,
    "membership_id": membership,
    "trace_id": trace,
    "span_id": span,
    "detector_id": detector,
    "finding_id": finding,
    "route_id": alert_route,
    "debugging:session_id": debugging_session,
    "repository_id": repository,
    "override_id": price_override,
    "rule_id": drop_rule,
    "deletion_id": deletion,
    "retention_rule_id": retention_rule,
}


def find(app: str, argument: str) -> Sample | None:
    return SAMPLES.get(f"{app}:{argument}") or SAMPLES.get(argument)
