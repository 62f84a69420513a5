"""The start page: straight to a project when there is one, else what to do next."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts import access
from accounts.access import MemberRequest, organization_view
from accounts.forms import ProjectForm
from accounts.models import Membership, Project, User
from accounts.projects import ProjectNameTaken, create_project


@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """To the traces of the project that was open last, else of the first."""
    if not isinstance(request.user, User):
        return access.to_sign_in(request)
    mine = Project.objects.of_user(request.user)
    last_id = access.last_project_id(request)
    project = (mine.filter(pk=last_id).first() if last_id else None) or mine.first()
    if project is not None:
        return redirect("traces:list", project_id=project.id)
    return organizations(request)


@require_safe
def organizations(request: HttpRequest) -> HttpResponseBase:
    """Everything the user belongs to."""
    if not isinstance(request.user, User):
        return access.to_sign_in(request)
    memberships = (
        Membership.objects.filter(user=request.user)
        .select_related("organization")
        .prefetch_related("organization__projects")
        .order_by("organization__name", "organization_id")
    )
    return render(request, "accounts/organizations.html", {"memberships": memberships})


@organization_view("project.read")
@require_safe
def organization(request: MemberRequest, organization_id: object) -> HttpResponse:
    return _organization_page(request, ProjectForm())


@organization_view("project.change")
def new_project(request: MemberRequest, organization_id: object) -> HttpResponse:
    """The form lives on the organisation's page; this is where it is sent to."""
    if request.method != "POST":
        return redirect("accounts:organization", organization_id=request.organization.id)
    form = ProjectForm(request.POST)
    if form.is_valid():
        try:
            created = create_project(request.organization, form.cleaned_data["name"])
        except ProjectNameTaken as error:
            form.add_error("name", str(error))
        else:
            return redirect("traces:getting_started", project_id=created.id)
    return _organization_page(request, form, status=422)


def _organization_page(
    request: MemberRequest, form: ProjectForm, status: int = 200
) -> HttpResponse:
    context = {
        "organization": request.organization,
        "projects": Project.objects.for_organization(request.organization).order_by("name", "id"),
        "may_create": request.membership.may("project.change"),
        "form": form,
    }
    return render(request, "accounts/organization.html", context, status=status)
