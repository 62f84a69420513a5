"""How long a project keeps its traces: the default, rules, and deleting what has expired."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import ProjectRequest, project_view
from traces.models import RetentionRule
from traces.pages.deletion_forms import DefaultForm, RuleForm
from traces.pages.failures import store_page
from traces.retention import policies, sweeps
from traces.retention.policies import BadRule

_PAGE = "traces:retention"


@project_view("project.read")
@require_safe
def retention(request: ProjectRequest, project_id: UUID) -> HttpResponse:
    return _page(request, RuleForm())


@project_view("project.change")
@require_POST
def set_default(request: ProjectRequest, project_id: UUID) -> HttpResponse:
    form = DefaultForm(request.POST)
    if not form.is_valid():
        return _page(request, RuleForm(), default=form, status=422)
    policies.set_default(request.project, form.cleaned_data["days"], request.user)
    messages.success(request, "Saved. What has expired is deleted within a day.")
    return redirect(_PAGE, project_id=project_id)


@project_view("project.change")
@require_POST
def add_rule(request: ProjectRequest, project_id: UUID) -> HttpResponse:
    form = RuleForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        policies.add_rule(request.project, form.save(commit=False), request.user)
    except BadRule as error:
        form.add_error(None, str(error))
        return _page(request, form, status=422)
    messages.success(request, "The rule is in force. What has expired is deleted within a day.")
    return redirect(_PAGE, project_id=project_id)


@project_view("project.change")
@require_POST
def delete_rule(request: ProjectRequest, project_id: UUID, retention_rule_id: UUID) -> HttpResponse:
    rules = RetentionRule.objects.for_project(request.project).select_related("project")
    rule = get_object_or_404(rules, pk=retention_rule_id)
    policies.delete_rule(rule, request.user)
    messages.success(request, "The rule is deleted. Its traces have the default now.")
    return redirect(_PAGE, project_id=project_id)


@project_view("project.change")
@require_POST
@store_page
def apply(request: ProjectRequest, project_id: UUID) -> HttpResponseBase:
    made = sweeps.ask(
        request.project, by=request.user, by_name=request.user.email, now=timezone.now()
    )
    if made is None:
        messages.success(request, "Nothing has expired.")
        return redirect(_PAGE, project_id=project_id)
    return redirect("traces:deletions", project_id=project_id)


def _page(
    request: ProjectRequest,
    form: RuleForm,
    *,
    default: DefaultForm | None = None,
    status: int = 200,
) -> HttpResponse:
    policy = policies.of(request.project)
    context = {
        "nav": "settings",
        "section": "retention",
        "policy": policy,
        "rules": RetentionRule.objects.for_project(request.project).order_by("created_at", "id"),
        "form": form,
        "default_form": default or DefaultForm(initial={"days": policy.days}),
        "may_change": request.membership.may("project.change"),
    }
    return render(request, "traces/retention.html", context, status=status)
