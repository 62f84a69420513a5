"""Rules and limits of a project: what is dropped, what a rule would drop, what may come."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import ProjectRequest, project_view
from traces.admission import book, changes, preview, stored
from traces.admission.changes import BadRule
from traces.admission.preview import Preview
from traces.admission.rules import Rule
from traces.ingest import health
from traces.models import DropRule, IngestLimit
from traces.pages.rule_forms import LimitForm, RuleForm
from traces.store.errors import StoreError

_DAY_NS = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class RuleRow:
    """`dropped` in the last 24 hours; None when the store does not say."""

    rule: DropRule
    dropped: int | None

    @property
    def delete_dialog(self) -> str:
        return f"delete-{self.rule.id.hex}"

    @property
    def delete_question(self) -> str:
        return f"Delete the rule “{self.rule}”?"


@dataclass(frozen=True, slots=True)
class Previewed:
    rule: Rule
    found: Preview | None


@project_view("project.read")
@require_safe
def rules(request: ProjectRequest, project_id: UUID) -> HttpResponse:
    """With a rule in the address: what it would have dropped."""
    if "match" not in request.GET:
        return _page(request, RuleForm())
    form = RuleForm(request.GET)
    if not form.is_valid():
        return _page(request, form)
    asked = form.save(commit=False)
    try:
        changes.check(asked.match, asked.pattern, asked.key)
    except BadRule as error:
        form.add_error(None, str(error))
        return _page(request, form)
    return _page(request, form, previewed=_previewed(project_id, stored.rule(asked)))


@project_view("project.change")
@require_POST
def add(request: ProjectRequest, project_id: UUID) -> HttpResponse:
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        added = changes.add(request.project, form.save(commit=False), request.user)
    except BadRule as error:
        form.add_error(None, str(error))
        return _page(request, form, status=422)
    messages.success(request, f"Spans that match “{added}” are dropped from now on.")
    return redirect("traces:ingest_rules", project_id=project_id)


@project_view("project.change")
@require_POST
def enable(request: ProjectRequest, project_id: UUID, rule_id: UUID) -> HttpResponse:
    rule = _rule(request, rule_id)
    changes.enable(rule, request.POST.get("enabled") == "true", request.user)
    word = "drops spans again" if rule.is_enabled else "drops nothing for now"
    messages.success(request, f"The rule “{rule}” {word}.")
    return redirect("traces:ingest_rules", project_id=project_id)


@project_view("project.change")
@require_POST
def delete(request: ProjectRequest, project_id: UUID, rule_id: UUID) -> HttpResponse:
    rule = _rule(request, rule_id)
    changes.delete(rule, request.user)
    messages.success(request, f"The rule “{rule}” is deleted.")
    return redirect("traces:ingest_rules", project_id=project_id)


@project_view("project.change")
@require_POST
def set_limit(request: ProjectRequest, project_id: UUID) -> HttpResponse:
    form = LimitForm(request.POST)
    if not form.is_valid():
        return _page(request, RuleForm(), limit=form, status=422)
    changes.set_limit(request.project, **form.cleaned_data, by=request.user)
    messages.success(request, "Saved. It holds within seconds.")
    return redirect("traces:ingest_rules", project_id=project_id)


def _rule(request: ProjectRequest, rule_id: UUID) -> DropRule:
    return get_object_or_404(DropRule.objects.for_project(request.project), pk=rule_id)


def _page(
    request: ProjectRequest,
    form: RuleForm,
    *,
    limit: LimitForm | None = None,
    previewed: Previewed | None = None,
    status: int = 200,
) -> HttpResponse:
    dropped = _dropped(request.project.id)
    own = IngestLimit.objects.for_project(request.project).first()
    listed = DropRule.objects.for_project(request.project).oldest()
    context = {
        "nav": "settings",
        "section": "ingest_rules",
        "rows": [
            RuleRow(rule, None if dropped is None else dropped.get(str(rule)[:200], 0))
            for rule in listed
        ],
        "form": form,
        "limit_form": limit or LimitForm(instance=own),
        "in_force": book.default_limit() if own is None else stored.limit(own),
        "default": book.default_limit(),
        "previewed": previewed,
        "may_change": request.membership.may("project.change"),
    }
    return render(request, "traces/ingest_rules.html", context, status=status)


def _previewed(project_id: UUID, rule: Rule) -> Previewed:
    try:
        return Previewed(rule, preview.of(project_id, rule, now=time.time()))
    except StoreError:
        return Previewed(rule, None)


def _dropped(project_id: UUID) -> Mapping[str, int] | None:
    now_ns = time.time_ns()
    try:
        return health.dropped_by(project_id, since_ns=now_ns - _DAY_NS, until_ns=now_ns)
    except StoreError:
        return None
