"""Deletions of a project: ask for one, how far each is, and the receipts; and those that outlive
their project, on the page of its organisation.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import MemberRequest, ProjectRequest, organization_view, project_view
from traces.deletion import asking, work
from traces.models import Deletion
from traces.pages.deletion_forms import DeleteForm, DeleteProjectForm
from traces.pages.failures import store_page
from traces.store.reader import SpanReader

_SHOWN = 100
_PAGE = "traces:deletions"


@project_view("project.read")
@require_safe
def deletions(request: ProjectRequest, project_id: UUID) -> HttpResponse:
    return _page(request, DeleteForm())


@project_view("traces.delete")
@require_POST
@store_page
def ask(request: ProjectRequest, project_id: UUID) -> HttpResponseBase:
    """Says what would go; done when that is confirmed."""
    form = DeleteForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    way, value = form.cleaned_data["way"], form.cleaned_data["value"]
    try:
        if request.POST.get("confirmed") != "yes":
            named = {f"{way}_id": value}
            return _page(request, form, wanted=asking.traces_of(request.project, **named))
        ask_for = asking.session if way == "session" else asking.user
        ask_for(request.project, value, **_asker(request))
    except asking.BadDeletion as error:
        form.add_error("value", str(error))
        return _page(request, form, status=422)
    return redirect(_PAGE, project_id=project_id)


@project_view("traces.delete")
@require_POST
@store_page
def delete_trace(request: ProjectRequest, project_id: UUID, trace_id: bytes) -> HttpResponseBase:
    if SpanReader(project_id).trace(trace_id) is None:
        raise Http404("There is no such trace in this project.")
    asking.traces(request.project, [trace_id], **_asker(request))
    messages.success(request, "The trace is being deleted.")
    return redirect(_PAGE, project_id=project_id)


@project_view("traces.delete")
@require_POST
def retry(request: ProjectRequest, project_id: UUID, deletion_id: UUID) -> HttpResponse:
    found = get_object_or_404(Deletion.objects.for_project(request.project), pk=deletion_id)
    if work.retry(found, timezone.now()):
        messages.success(request, "The deletion goes on.")
    return redirect(_PAGE, project_id=project_id)


@project_view("project.delete")
def delete_project(request: ProjectRequest, project_id: UUID) -> HttpResponse:
    form = DeleteProjectForm(request.POST or None, name=request.project.name)
    if request.method == "POST" and form.is_valid():
        asking.whole_project(request.project, **_asker(request))
        messages.success(request, f"{request.project.name} is being deleted.")
        return redirect(
            "organization_traces:deletions", organization_id=request.project.organization_id
        )
    context = {"nav": "settings", "section": "general", "form": form}
    status = 422 if form.errors else 200
    return render(request, "traces/delete_project.html", context, status=status)


@organization_view("project.change")
@require_safe
def organization_deletions(request: MemberRequest, organization_id: UUID) -> HttpResponse:
    found = Deletion.objects.for_organization(request.organization).newest()[:_SHOWN]
    context = {"rows": found, "organization": request.organization, "names_project": True}
    return render(request, "traces/organization_deletions.html", context)


def _asker(request: ProjectRequest) -> dict[str, Any]:
    return {"by": request.user, "by_name": request.user.email, "now": timezone.now()}


def _page(
    request: ProjectRequest,
    form: DeleteForm,
    status: int = 200,
    wanted: tuple[int, bool] | None = None,
) -> HttpResponse:
    found = list(Deletion.objects.for_project(request.project).newest()[:_SHOWN])
    context = {
        "nav": "settings",
        "section": "deletions",
        "rows": found,
        "is_any_open": any(row.is_open for row in found),
        "form": form,
        "wanted": wanted,
        "may_delete": request.membership.may("traces.delete"),
    }
    is_part = request.headers.get("HX-Request") == "true" and request.method == "GET"
    template = "traces/deletion_rows.html" if is_part else "traces/deletions.html"
    return render(request, template, context, status=status)
