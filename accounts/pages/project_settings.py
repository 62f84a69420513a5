"""Settings of a project: its name."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import ProjectRequest, project_view
from accounts.forms import ProjectForm
from accounts.projects import ProjectNameTaken, rename_project


@project_view("project.read")
@require_safe
def project_settings(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    return _page(request, ProjectForm(initial={"name": request.project.name}))


@project_view("project.change")
@require_POST
def rename(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    form = ProjectForm(request.POST)
    if form.is_valid():
        try:
            rename_project(request.project, form.cleaned_data["name"])
        except ProjectNameTaken as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, f"The project is named {request.project.name} now.")
            return redirect("accounts:project_settings", project_id=project_id)
    return _page(request, form, status=422)


def _page(request: ProjectRequest, form: ProjectForm, status: int = 200) -> HttpResponse:
    context = {
        "nav": "settings",
        "section": "general",
        "form": form,
        "may_change": request.membership.may("project.change"),
    }
    return render(request, "accounts/project_settings.html", context, status=status)
