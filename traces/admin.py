"""The trace pipeline's relational rows in the Django admin: to be looked at, not edited by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from traces.ingest import quarantine
from traces.models import QuarantinedSpan, SpoolBatch
from traces.store.errors import StoreError


@admin.register(QuarantinedSpan)
class QuarantinedSpanAdmin(admin.ModelAdmin[QuarantinedSpan]):
    list_display = ("created_at", "project", "trace_id", "span_id", "reason", "released_at")
    list_filter = ("released_at",)
    list_select_related = ("project",)
    search_fields = ("trace_id", "span_id", "project__name")
    exclude = ("content",)
    actions = ("release",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Store after all", permissions=["view"])
    def release(self, request: HttpRequest, chosen: QuerySet[QuarantinedSpan]) -> None:
        waiting = list(chosen.filter(released_at=None))
        try:
            stored, refused = quarantine.release(waiting, now=timezone.now())
        except StoreError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        self.message_user(request, f"{stored} spans stored, {refused} refused again.")


@admin.register(SpoolBatch)
class SpoolBatchAdmin(admin.ModelAdmin[SpoolBatch]):
    list_display = ("created_at", "project_id", "rows", "bytes", "attempts", "last_error")
    exclude = ("content",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SpoolBatch]:
        return super().get_queryset(request).defer("content")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
