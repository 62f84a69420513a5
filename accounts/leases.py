"""Rows of a project that are their own queue: a worker has one for a time, and what it writes
counts only while it still has it.

A claim is one conditional update, which every database makes atomic, so that two workers never get
the same row. A worker that dies keeps nobody out for longer than its lease. When a row waits, for
how long it is taken and how often it is tried are its model's matter, and so are its states, but
that being worked on is always `running`.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Self, TypeVar

from django.db import models

from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet

RUNNING = "running"
OWNER_MAX_CHARACTERS = 120

_Row_co = TypeVar("_Row_co", bound=models.Model, covariant=True)


def lapsed(now: dt.datetime) -> models.Q:
    """Running under a lease that ran out: its worker died, or put the work off."""
    return models.Q(state=RUNNING, lease_expires_at__lte=now)


class LeasedQuerySet(ProjectOwnedQuerySet[_Row_co]):
    """The steps of a claim, each one statement on whatever rows the caller has narrowed down to;
    each returns how many rows it changed."""

    def take(self, owner: str, until: dt.datetime, **values: Any) -> int:
        """Claim these rows. Narrow them to claimable ones, or a claim is taken from its holder."""
        return self.update(
            state=RUNNING,
            lease_owner=owner[:OWNER_MAX_CHARACTERS],
            lease_expires_at=until,
            attempts=models.F("attempts") + 1,
            **values,
        )

    def held_by(self, owner: str) -> Self:
        """The fence: only what is still claimed by `owner`."""
        return self.filter(models.Q(state=RUNNING, lease_owner=owner[:OWNER_MAX_CHARACTERS]))

    def let_go(self, state: str, **values: Any) -> int:
        """Nobody's any more, in `state`: ended, or waiting again."""
        return self.update(state=state, lease_owner="", lease_expires_at=None, **values)


class Leased(ProjectOwned):
    """What a row needs to be claimed, beside its own `state`. `attempts` counts the claims."""

    lease_owner = models.CharField(max_length=OWNER_MAX_CHARACTERS, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True
