"""The trace pipeline's relational rows in the Django admin: what waits is to be looked at, not
edited by hand; prices are changed by the same functions as on their page.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from traces.admission import book as admission_book
from traces.admission import changes as rule_changes
from traces.admission.changes import BadRule
from traces.deletion import work as deletion_work
from traces.ingest import quarantine
from traces.models import (
    CostRule,
    Deletion,
    DropRule,
    IngestLimit,
    InstalledPriceMap,
    PriceOverride,
    QuarantinedSpan,
    SpoolBatch,
)
from traces.pricing import book, changes
from traces.pricing.changes import BadPrice
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


@admin.register(Deletion)
class DeletionAdmin(admin.ModelAdmin[Deletion]):
    """How far each is, and the receipts. What was asked for is named on the project's own page."""

    list_display = (
        "asked_at",
        "kind",
        "project_name",
        "state",
        "phase",
        "found",
        "erased",
        "asked_by_name",
    )
    list_filter = ("state", "kind")
    search_fields = ("project_name", "fingerprint", "asked_by_name")
    exclude = ("asked",)
    actions = ("try_again",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Try again those that failed", permissions=["view"])
    def try_again(self, request: HttpRequest, chosen: QuerySet[Deletion]) -> None:
        now = timezone.now()
        count = sum(deletion_work.retry(deletion, now) for deletion in chosen)
        self.message_user(request, f"{count} go on.")


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


_CHECKED = ("pattern", "valid_from", "valid_until")


class PriceOverrideForm(forms.ModelForm[PriceOverride]):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        said = {name: cleaned.get(name, getattr(self.instance, name)) for name in _CHECKED}
        try:
            changes.check(**said)
        except BadPrice as error:
            raise ValidationError(str(error)) from error
        return cleaned


@admin.register(PriceOverride)
class PriceOverrideAdmin(admin.ModelAdmin[PriceOverride]):
    """Once made only its end changes, so that every span it priced can be explained."""

    list_display = (
        "pattern", "provider", "project", "input", "output", "valid_from", "valid_until",
        "created_at",
    )  # fmt: skip
    form = PriceOverrideForm
    list_filter = ("valid_until",)
    list_select_related = ("project",)
    search_fields = ("pattern", "provider", "project__name")
    autocomplete_fields = ("project",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: PriceOverride | None = None
    ) -> list[str]:
        if obj is None:
            return []
        fields = (field.name for field in obj._meta.fields)
        return [name for name in fields if name not in {"id", "valid_until"}]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            changes.set_end(obj, form.cleaned_data["valid_until"], _user(request))
        else:
            changes.add(obj.project, obj, _user(request))

    def delete_model(self, request: HttpRequest, obj: PriceOverride) -> None:
        changes.delete(obj, _user(request))

    def delete_queryset(self, request: HttpRequest, chosen: QuerySet[PriceOverride]) -> None:
        for override in chosen:
            changes.delete(override, _user(request))


@admin.register(CostRule)
class CostRuleAdmin(admin.ModelAdmin[CostRule]):
    list_display = ("project", "counts", "estimates_tokens")
    list_select_related = ("project",)
    autocomplete_fields = ("project",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        changes.set_rule(
            obj.project, obj.counts, _user(request), estimates_tokens=obj.estimates_tokens
        )


class DropRuleForm(forms.ModelForm[DropRule]):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        said = {n: cleaned.get(n, getattr(self.instance, n)) for n in ("match", "pattern", "key")}
        try:
            rule_changes.check(**said)
        except BadRule as error:
            raise ValidationError(str(error)) from error
        return cleaned


@admin.register(DropRule)
class DropRuleAdmin(admin.ModelAdmin[DropRule]):
    """Once made it is only enabled, disabled or deleted."""

    list_display = ("__str__", "project", "is_enabled", "created_by", "created_at")
    list_filter = ("match", "is_enabled")
    list_select_related = ("project", "created_by")
    search_fields = ("pattern", "key", "project__name")
    autocomplete_fields = ("project",)
    form = DropRuleForm

    def get_readonly_fields(self, request: HttpRequest, obj: DropRule | None = None) -> list[str]:
        if obj is None:
            return ["is_enabled"]
        fields = (field.name for field in obj._meta.fields)
        return [name for name in fields if name not in {"id", "is_enabled"}]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            rule_changes.enable(obj, form.cleaned_data["is_enabled"], _user(request))
        else:
            rule_changes.add(obj.project, obj, _user(request))

    def delete_model(self, request: HttpRequest, obj: DropRule) -> None:
        rule_changes.delete(obj, _user(request))

    def delete_queryset(self, request: HttpRequest, chosen: QuerySet[DropRule]) -> None:
        for rule in chosen:
            rule_changes.delete(rule, _user(request))


@admin.register(IngestLimit)
class IngestLimitAdmin(admin.ModelAdmin[IngestLimit]):
    list_display = ("project", "spans_per_second", "bytes_per_day")
    list_select_related = ("project",)
    autocomplete_fields = ("project",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        rule_changes.set_limit(obj.project, obj.spans_per_second, obj.bytes_per_day, _user(request))

    def delete_model(self, request: HttpRequest, obj: IngestLimit) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(admission_book.reload)

    def delete_queryset(self, request: HttpRequest, chosen: QuerySet[IngestLimit]) -> None:
        super().delete_queryset(request, chosen)
        transaction.on_commit(admission_book.reload)


@admin.register(InstalledPriceMap)
class InstalledPriceMapAdmin(admin.ModelAdmin[InstalledPriceMap]):
    """Installed by `manage.py update_prices`. Without the newest the one before is in force."""

    list_display = ("version", "entries", "source", "installed_at")
    exclude = ("content",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstalledPriceMap]:
        return super().get_queryset(request).defer("content")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: InstalledPriceMap) -> None:
        super().delete_model(request, obj)
        transaction.on_commit(book.reload)

    def delete_queryset(self, request: HttpRequest, chosen: QuerySet[InstalledPriceMap]) -> None:
        super().delete_queryset(request, chosen)
        transaction.on_commit(book.reload)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
