"""Prices of a project: its own, which cost counts, and the map behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import ProjectRequest, project_view
from traces import pricing
from traces.models import CostRule, InstalledPriceMap, PriceOverride
from traces.pages.price_forms import RARE, USUAL, OverrideForm, RuleForm
from traces.pricing import changes
from traces.pricing.changes import BadPrice

_SHOWN_RATES = ("cache_read", "cache_write_5m", "cache_write_1h", "reasoning", "input_audio",
                "output_audio", "input_image", "output_image", "per_request")  # fmt: skip


@dataclass(frozen=True, slots=True)
class OverrideRow:
    override: PriceOverride
    state: str

    @property
    def end_dialog(self) -> str:
        return f"end-{self.override.id.hex}"

    @property
    def delete_dialog(self) -> str:
        return f"delete-{self.override.id.hex}"

    @property
    def end_question(self) -> str:
        return f"End the price of “{self.override}” now?"

    @property
    def delete_question(self) -> str:
        return f"Delete the price of “{self.override}”?"

    @property
    def more(self) -> list[tuple[str, object]]:
        """Rates that most prices do not have, with their names."""
        fields = PriceOverride._meta
        return [
            (str(fields.get_field(name).verbose_name), value)  # type: ignore[union-attr]
            for name in _SHOWN_RATES
            if (value := getattr(self.override, name)) is not None
        ]


@project_view("project.read")
@require_safe
def prices(request: ProjectRequest, project_id: UUID) -> HttpResponse:
    asked = {
        "pattern": request.GET.get("model", "")[:200],
        "provider": request.GET.get("provider", "")[:50],
    }
    return _page(request, OverrideForm(initial=asked))


@project_view("project.change")
@require_POST
def add(request: ProjectRequest, project_id: UUID) -> HttpResponse:
    form = OverrideForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        added = changes.add(request.project, form.save(commit=False), request.user)
    except BadPrice as error:
        form.add_error(None, str(error))
        return _page(request, form, status=422)
    messages.success(request, f"{added} has its price, for spans that arrive from now on.")
    return redirect("traces:prices", project_id=project_id)


@project_view("project.change")
@require_POST
def end(request: ProjectRequest, project_id: UUID, override_id: UUID) -> HttpResponse:
    override = _override(request, override_id)
    try:
        changes.end(override, timezone.now(), request.user)
        messages.success(request, f"The price of {override} has ended.")
    except BadPrice as error:
        messages.error(request, str(error))
    return redirect("traces:prices", project_id=project_id)


@project_view("project.change")
@require_POST
def delete(request: ProjectRequest, project_id: UUID, override_id: UUID) -> HttpResponse:
    override = _override(request, override_id)
    changes.delete(override, request.user)
    messages.success(request, f"The price of {override} is deleted.")
    return redirect("traces:prices", project_id=project_id)


@project_view("project.change")
@require_POST
def set_rule(request: ProjectRequest, project_id: UUID) -> HttpResponse:
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _page(request, OverrideForm(), rule=form, status=422)
    changes.set_rule(
        request.project,
        form.cleaned_data["counts"],
        by=request.user,
        estimates_tokens=form.cleaned_data["estimates_tokens"],
    )
    messages.success(request, "Saved. It counts for spans that arrive from now on.")
    return redirect("traces:prices", project_id=project_id)


def _override(request: ProjectRequest, override_id: UUID) -> PriceOverride:
    return get_object_or_404(PriceOverride.objects.for_project(request.project), pk=override_id)


def _page(
    request: ProjectRequest, form: OverrideForm, *, rule: RuleForm | None = None, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    listed = PriceOverride.objects.for_project(request.project).newest()
    version = pricing.version()
    context = {
        "nav": "settings",
        "section": "prices",
        "rows": [OverrideRow(override, _state(override, now)) for override in listed],
        "form": form,
        "usual_fields": [form[name] for name in USUAL],
        "rare_fields": [form[name] for name in RARE],
        "shows_rare": any(form[name].errors for name in RARE),
        "rule_form": rule or _rule_form(request),
        "may_change": request.membership.may("project.change"),
        "version": version,
        "installed": InstalledPriceMap.objects.filter(version=version).defer("content").first(),
    }
    return render(request, "traces/prices.html", context, status=status)


def _rule_form(request: ProjectRequest) -> RuleForm:
    rule = CostRule.objects.for_project(request.project).first() or CostRule()
    return RuleForm(initial={"counts": rule.counts, "estimates_tokens": rule.estimates_tokens})


def _state(override: PriceOverride, now: datetime) -> str:
    if override.is_valid(now):
        return "in force"
    return "begins later" if override.valid_until is None or override.valid_until > now else "ended"
