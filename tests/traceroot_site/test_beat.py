from __future__ import annotations

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from traceroot_site import beat
from traceroot_site.celery import app


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(beat, "time", clock)
    return clock


@pytest.mark.django_db(transaction=True)
def test_a_changed_task_is_seen_within_seconds_and_not_asked_for_at_each_tick(
    clock: Clock,
) -> None:
    every, _ = IntervalSchedule.objects.get_or_create(every=7, period=IntervalSchedule.SECONDS)
    task = PeriodicTask.objects.create(name="a task", task="traces.settle", interval=every)
    scheduler = beat.Scheduler(app=app, lazy=True)
    assert "a task" in scheduler.schedule
    scheduler.schedule_changed()
    task.enabled = False
    task.save()
    asked = []
    for _ in range(100):
        asked.append(scheduler.schedule_changed())
        clock.seconds += beat.LOOK_EVERY_SECONDS / 100
    assert not any(asked)
    clock.seconds += 0.01
    assert scheduler.schedule_changed()
    assert not scheduler.schedule_changed()


@pytest.mark.django_db
def test_it_wakes_when_a_task_is_due_and_not_before(clock: Clock) -> None:
    scheduler = beat.Scheduler(app=app, lazy=True)
    assert 1.0 < (scheduler.adjust(1.0) or 0) < 1.01
    assert scheduler.adjust(0) == 0
    assert scheduler.adjust(None) is None
