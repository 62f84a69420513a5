"""Detection in the Django admin: configuration can be changed, what happened can be read and
retried."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from detectors.models import (
    AlertDelivery,
    AlertRoute,
    Detector,
    DetectorRun,
    Evidence,
    Finding,
    SweepCursor,
)

_Row = TypeVar("_Row", bound=Model)


class ReadOnlyAdmin(admin.ModelAdmin[_Row]):
    """What happened is not made up or edited by hand."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object | None = None) -> bool:
        return False


@admin.register(Detector)
class DetectorAdmin(admin.ModelAdmin[Detector]):
    list_display = ("name", "project", "kind", "is_enabled", "sample_rate", "severity", "version")
    list_filter = ("kind", "is_enabled", "severity", "template")
    search_fields = ("name", "project__name")
    list_select_related = ("project",)
    raw_id_fields = ("project",)
    readonly_fields = ("id", "version", "created_at", "changed_at")

    def save_model(self, request: HttpRequest, obj: Detector, form: Any, change: bool) -> None:
        if change and form.has_changed():
            obj.version += 1
            obj.changed_at = timezone.now()
        super().save_model(request, obj, form, change)


@admin.register(DetectorRun)
class DetectorRunAdmin(ReadOnlyAdmin[DetectorRun]):
    list_display = (
        "created_at",
        "detector",
        "project",
        "trace_id",
        "generation",
        "state",
        "outcome",
        "attempts",
    )
    list_filter = ("state", "outcome", "detector__kind")
    search_fields = ("trace_id",)
    list_select_related = ("detector", "project")
    actions = ("retry",)

    @admin.action(description="Run again", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[DetectorRun]) -> None:
        again = queryset.filter(
            state__in=[DetectorRun.State.DONE, DetectorRun.State.FAILED]
        ).update(
            state=DetectorRun.State.PENDING,
            attempts=0,
            due_at=timezone.now(),
            error="",
            lease_owner="",
        )
        messages.success(request, f"{again} runs wait for their turn again.")


class EvidenceInline(admin.TabularInline[Evidence, Finding]):
    model = Evidence
    extra = 0
    can_delete = False
    fields = ("number", "kind", "claim", "span_id", "field", "text", "is_verified")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin[Finding]):
    list_display = (
        "created_at",
        "detector",
        "project",
        "summary",
        "severity",
        "status",
        "decided_by",
    )
    list_filter = ("status", "severity", "category")
    search_fields = ("trace_id", "summary", "fingerprint")
    list_select_related = ("detector", "project", "decided_by")
    inlines = (EvidenceInline,)


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin[Evidence]):
    list_display = ("finding", "number", "kind", "field", "is_verified")
    list_filter = ("kind", "is_verified")
    list_select_related = ("finding",)


@admin.register(AlertRoute)
class AlertRouteAdmin(admin.ModelAdmin[AlertRoute]):
    list_display = ("email", "project", "is_enabled", "is_default")
    list_filter = ("is_enabled", "is_default")
    search_fields = ("email", "project__name")
    list_select_related = ("project",)
    raw_id_fields = ("project",)


@admin.register(AlertDelivery)
class AlertDeliveryAdmin(ReadOnlyAdmin[AlertDelivery]):
    list_display = (
        "created_at",
        "recipient",
        "finding",
        "state",
        "attempts",
        "next_attempt_at",
        "sent_at",
    )
    list_filter = ("state", "channel")
    search_fields = ("recipient", "finding__trace_id")
    list_select_related = ("finding",)
    actions = ("send_again",)

    @admin.action(
        description="Send again (an uncertain one may arrive twice)", permissions=["view"]
    )
    def send_again(self, request: HttpRequest, queryset: QuerySet[AlertDelivery]) -> None:
        state = AlertDelivery.State
        ended = [state.FAILED, state.UNCERTAIN, state.WRITTEN]
        again = queryset.filter(state__in=ended).update(
            state=AlertDelivery.State.WAITING,
            attempts=0,
            next_attempt_at=timezone.now(),
            error="",
        )
        messages.success(request, f"{again} deliveries wait to be sent.")


@admin.register(SweepCursor)
class SweepCursorAdmin(ReadOnlyAdmin[SweepCursor]):
    list_display = ("name", "settled_at", "lease_owner", "lease_expires_at")
