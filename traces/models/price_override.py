"""Prices that a project sets for its models, over those of the price map."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from accounts.ownership import ProjectOwned, ProjectOwnedQuerySet

RATES = (
    "input",
    "output",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "reasoning",
    "input_audio",
    "output_audio",
    "input_image",
    "output_image",
)
"""Fields that are US dollars for a million tokens."""
_DIGITS, _PLACES = 18, 9


class PriceOverrideQuerySet(ProjectOwnedQuerySet["PriceOverride"]):
    def newest(self) -> PriceOverrideQuerySet:
        return self.order_by("-created_at", "id")


def _rate(name: str, help_text: str = "") -> models.DecimalField[Decimal, Decimal]:
    return models.DecimalField(
        name, max_digits=_DIGITS, decimal_places=_PLACES, help_text=help_text
    )


def _optional_rate(
    name: str, help_text: str
) -> models.DecimalField[Decimal | None, Decimal | None]:
    return models.DecimalField(
        name,
        max_digits=_DIGITS,
        decimal_places=_PLACES,
        null=True,
        blank=True,
        help_text=help_text,
    )


class PriceOverride(ProjectOwned):
    """What calls of some models cost in one project, US dollars for a million tokens.

    Once made only its end changes: a span that names it can always be explained.
    """

    pattern = models.CharField(
        "model",
        max_length=200,
        help_text="As spans say it. * is any text, ? one character.",
    )
    provider = models.CharField(max_length=50, blank=True, help_text="Empty: of any provider.")
    input = _rate("input")
    output = _rate("output")
    cache_read = _optional_rate("cache read", "Empty: as input.")
    cache_write_5m = _optional_rate("cache write, 5 minutes", "Empty: as input.")
    cache_write_1h = _optional_rate("cache write, 1 hour", "Empty: as 5 minutes.")
    reasoning = _optional_rate("reasoning", "Empty: as output.")
    input_audio = _optional_rate("audio in", "Empty: as input.")
    output_audio = _optional_rate("audio out", "Empty: as output.")
    input_image = _optional_rate("image in", "Empty: as input.")
    output_image = _optional_rate("image out", "Empty: as output.")
    per_request = _optional_rate("each request", "US dollars for a call, beside its tokens.")
    valid_from = models.DateTimeField(null=True, blank=True, help_text="UTC. Empty: always so far.")
    valid_until = models.DateTimeField(null=True, blank=True, help_text="UTC. Empty: without end.")
    created_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PriceOverrideQuerySet.as_manager()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(valid_from=None)
                | Q(valid_until=None)
                | Q(valid_until__gt=F("valid_from")),
                name="price_override_ends_after_it_begins",
                violation_error_message="The price ends before it begins.",
            ),
            models.CheckConstraint(
                condition=Q(
                    *(
                        Q(**{name: None}) | Q(**{f"{name}__gte": 0})
                        for name in (*RATES, "per_request")
                    )
                ),
                name="price_override_is_not_negative",
                violation_error_message="A price is 0 or more.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pattern} ({self.provider})" if self.provider else self.pattern

    def is_valid(self, now: datetime) -> bool:
        """Whether it prices spans that start now."""
        begun = self.valid_from is None or self.valid_from <= now
        return begun and (self.valid_until is None or now < self.valid_until)
