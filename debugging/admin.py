"""Debugging in the server's administration: to look at, not to change."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from debugging.models import DebuggingSession, Repository, Step
from detectors.admin import ReadOnlyAdmin


class StepInline(admin.TabularInline[Step, DebuggingSession]):
    model = Step
    extra = 0
    can_delete = False
    fields = ("number", "title", "detail", "outcome", "duration_ms")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(DebuggingSession)
class DebuggingSessionAdmin(ReadOnlyAdmin[DebuggingSession]):
    list_display = ("trace_name", "project", "state", "attempts", "created_at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("project",)
    search_fields = ("trace_id", "trace_name")
    inlines = (StepInline,)


@admin.register(Repository)
class RepositoryAdmin(ReadOnlyAdmin[Repository]):
    """Added and changed on the project's own page, which checks where the repository lies."""

    # Named one by one, so that a secret of the repository is never among them.
    fields = ("project", "name", "location", "last_fetched_at", "last_error")
    list_display = ("name", "project", "location", "last_fetched_at", "last_error")
    list_select_related = ("project",)
    search_fields = ("name", "location")
