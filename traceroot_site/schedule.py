"""What beat does and how often: the table that seeds django-celery-beat.

An entry that an administrator changed (interval or enabled) stays as it is; entries that left this
table are removed.
"""

from __future__ import annotations

from dataclasses import dataclass

PREFIX = "traceroot: "


@dataclass(frozen=True, slots=True)
class Periodic:
    task: str
    every_seconds: int
    does: str


PERIODIC = (
    Periodic("traces.settle", 1, "settle quiet traces"),
    Periodic("traces.drain_spool", 1, "store what was spooled while the trace store was away"),
    Periodic("traces.keep_ledger", 3600, "keep receipts and ledger for as long as is set"),
    Periodic("traces.settle_all", 3600, "settle whatever the short look-back missed"),
    Periodic("traces.estimate_tokens", 60, "estimate tokens that no call reported"),
    Periodic("traces.delete", 2, "delete what people asked to delete"),
    Periodic("traces.keep_retention", 3600, "ask for the deletion of traces that have expired"),
    Periodic("detectors.sweep", 1, "queue settled traces for detectors and run them"),
    Periodic("detectors.send_alerts", 3, "send due alerts"),
    Periodic("debugging.run_pending", 2, "run queued debugging sessions"),
)


def seed() -> None:
    """Write the table to the database; safe to call at every start."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    names = []
    for entry in PERIODIC:
        name = PREFIX + entry.does
        names.append(name)
        interval, _ = IntervalSchedule.objects.get_or_create(
            every=entry.every_seconds, period=IntervalSchedule.SECONDS
        )
        PeriodicTask.objects.get_or_create(
            name=name,
            defaults={
                "task": entry.task,
                "interval": interval,
                # A wake-up that waited longer than this is worthless: the next one does its work.
                "expire_seconds": max(5, entry.every_seconds),
            },
        )
    PeriodicTask.objects.filter(name__startswith=PREFIX).exclude(name__in=names).delete()
