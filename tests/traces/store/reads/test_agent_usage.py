"""What coding agents counted: by model and user, over times, in buckets that all share."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from accounts import api_keys
from accounts.models import Project, User
from tests.cast import SignIn
from traces.agent_usage import AgentUsage, Counted
from traces.store import usage_rows, writer
from traces.store.reader import SpanReader
from traces.store.reads.agent_usage import AgentFigures, By

pytestmark = [pytest.mark.usefixtures("store"), pytest.mark.django_db]

NOW_NS = time.time_ns()
HOUR = dt.timedelta(hours=1)
NOW = dt.datetime.fromtimestamp(NOW_NS // 10**9, dt.UTC)


def counted(
    project_id: uuid.UUID,
    what: Counted,
    value: float,
    *,
    hours_ago: float = 0.5,
    started_hours_ago: float | None = None,
    agent: str = "claude_code",
    model: str = "opus",
    user: str = "ada",
    session: str = "s1",
) -> None:
    """A point; one of a cumulative series where it says when that started."""
    time_ns = NOW_NS - round(hours_ago * 3600) * 10**9
    is_delta = started_hours_ago is None
    series = uuid.uuid5(project_id, f"{what} {is_delta} {agent} {model} {user} {session}").bytes
    start = time_ns - 10**9 if is_delta else NOW_NS - round((started_hours_ago or 0) * 3600) * 10**9
    one = AgentUsage(
        project_id=project_id, series_id=series, agent=agent, metric="tokens", counted=what,
        is_delta=is_delta, start_ns=start, time_ns=time_ns, received_ns=time_ns, value=value,
        model=model, session_id=session, user_id=user,
    )  # fmt: skip
    writer.insert([usage_rows.to_batch([one], project_id=project_id, received_ns=time_ns)])


def read(project_id: uuid.UUID, hours: float = 24, by: By = "model") -> list[AgentFigures]:
    return SpanReader(project_id).agent_usage(NOW - hours * HOUR, NOW + HOUR, by=by)


def test_models_and_users_are_told_apart_the_dearest_first() -> None:
    project_id = uuid.uuid4()
    counted(project_id, "input", 10)
    counted(project_id, "cost_usd", 0.25)
    counted(project_id, "cost_usd", 2, model="haiku", user="bob", session="s2")
    counted(project_id, "cost_usd", 1, model="haiku", user="bob", session="s3")
    counted(project_id, "output", 5, agent="codex", model="gpt", user="ada", session="")
    haiku, opus, gpt = read(project_id)
    assert (haiku.agent, haiku.value, haiku.cost_usd) == ("claude_code", "haiku", Decimal(3))
    assert (haiku.sessions, haiku.users, haiku.usage.total) == (2, 1, 0)
    assert (opus.value, opus.cost_usd, opus.usage.uncached_input) == ("opus", Decimal("0.25"), 10)
    assert (gpt.agent, gpt.cost_usd, gpt.usage.output, gpt.sessions) == ("codex", None, 5, 0)
    assert abs(gpt.last_ns - (NOW_NS - 1800 * 10**9)) < 10**9
    assert [(one.agent, one.value) for one in read(project_id, by="user")] == [
        ("claude_code", "bob"),
        ("claude_code", "ada"),
        ("codex", "ada"),
    ]
    assert read(uuid.uuid4()) == []


@pytest.mark.parametrize(
    ("agent", "buckets"),
    [
        ("claude_code", (100, 40, 7, 20, 5)),  # each beside the others
        ("codex", (60, 40, 7, 20, 5)),  # the cached are a part of the input
        ("gemini_cli", (60, 40, 7, 25, 5)),  # and thoughts are no part of the output
    ],
)
def test_buckets_are_disjoint_whatever_an_agent_counts(
    agent: str, buckets: tuple[int, ...]
) -> None:
    project_id = uuid.uuid4()
    sent: dict[Counted, float] = {
        "input": 100, "cache_read": 40, "cache_write": 7, "output": 20, "reasoning": 5,
    }  # fmt: skip
    for what, value in sent.items():
        counted(project_id, what, value, agent=agent)
    [one] = read(project_id)
    usage = one.usage
    assert (
        usage.uncached_input, usage.cache_read, usage.cache_write_5m, usage.output, usage.reasoning
    ) == buckets  # fmt: skip


def test_of_a_running_count_only_what_came_in_the_time_counts() -> None:
    project_id = uuid.uuid4()
    for hours_ago, value in ((30, 100), (26, 300), (2, 350), (1, 420)):
        counted(project_id, "input", value, hours_ago=hours_ago, started_hours_ago=40)
    assert [one.usage.input for one in read(project_id, 24)] == [120]
    assert [one.usage.input for one in read(project_id, 36)] == [420]


def test_a_running_count_that_was_silent_for_weeks_starts_at_its_first_point() -> None:
    """Its last point before is too old to be read; the whole count would be far too much."""
    project_id = uuid.uuid4()
    for hours_ago, value in ((24 * 30, 1_000), (2, 1_000), (1, 1_010)):
        counted(project_id, "input", value, hours_ago=hours_ago, started_hours_ago=24 * 31)
    assert [one.usage.input for one in read(project_id)] == [10]


def test_the_page_shows_what_was_counted_and_how_to_connect(
    project: Project, vera: User, sign_in: SignIn
) -> None:
    browser = sign_in(vera)
    url = reverse("traces:coding_agents", kwargs={"project_id": project.id})
    page = browser.get(url).content.decode()
    assert "No coding agent reported in this time" in page
    assert "CLAUDE_CODE_ENABLE_TELEMETRY=1" in page
    counted(project.id, "input", 1200, user="<b>ada</b>")
    counted(project.id, "cost_usd", 1.5, user="<b>ada</b>")
    page = browser.get(url, {"range": "24h"}).content.decode()
    assert "Claude Code" in page
    assert "$1.50" in page
    assert "1.2\u202fk" in page
    assert "&lt;b&gt;ada" in page
    assert "<b>ada" not in page


def test_the_api_tells_it_too(project: Project, ada: User) -> None:
    _, raw = api_keys.create(project, "Reader", ada)
    counted(project.id, "cache_write", 7)
    counted(project.id, "cost_usd", 1.5)

    def get(**query: str) -> tuple[int, dict[str, object]]:
        answer = Client().get(
            "/api/v1/public/agent-usage", query, headers={"Authorization": f"Bearer {raw}"}
        )
        return answer.status_code, answer.json()

    status, told = get(by="user")
    assert status == 200
    [one] = told["data"]  # type: ignore[misc]
    assert isinstance(one, dict)
    assert one.pop("last_seen").startswith("20")
    assert one == {
        "agent": "claude_code", "user_id": "ada", "uncached_input_tokens": 0,
        "cache_read_tokens": 0, "cache_write_tokens": 7, "output_tokens": 0,
        "reasoning_tokens": 0, "cost": 1.5, "sessions": 1,
    }  # fmt: skip
    assert get(end_before="2020-01-01")[1] == {"data": []}
    assert get(start_after="0001-01-01", end_before="0001-01-02") == (200, {"data": []})
    assert get(end_before="0001-01-02") == (200, {"data": []})
    status, wrong = get(by="team")
    assert (status, wrong) == (400, {"detail": "by must be one of model, user."})
