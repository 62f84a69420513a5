"""The door of every page: who is asking, are they a member, does their role suffice.

`@project_view("traces.read")` belongs on every view under `projects/<uuid:project_id>/`, outermost,
and `@organization_view(...)` on every view under `organizations/<uuid:organization_id>/`; a test
walks both trees and fails on a view without its stamp. The view keeps all its keyword arguments.

- nobody signed in: to the sign-in page (for htmx by HX-Redirect, so that no form lands in a panel)
- not a member, or no such project: 404, the same for both
- a member whose role does not suffice: 403
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import Membership, Organization, Project, User
from accounts.permissions import PERMISSIONS, Permission

_View = TypeVar("_View", bound=Callable[..., Any])
_LAST_PROJECT = "last_project_id"


class MemberRequest(HttpRequest):
    """What a view behind `organization_view` gets; for annotations only."""

    user: User
    organization: Organization
    membership: Membership


class ProjectRequest(MemberRequest):
    """What a view behind `project_view` gets; for annotations only."""

    project: Project


class _Admit(Protocol):
    def __call__(self, request: Any, owner_id: uuid.UUID, permission: Permission, /) -> None: ...


def project_view(permission: Permission) -> Callable[[_View], _View]:
    """Sets `request.project`, `request.organization` and `request.membership`."""
    return _door("project_id", permission, _admit_to_project)


def organization_view(permission: Permission) -> Callable[[_View], _View]:
    """Sets `request.organization` and `request.membership`; `request.project` is None."""
    return _door("organization_id", permission, _admit_to_organization)


def _door(argument: str, permission: Permission, admit: _Admit) -> Callable[[_View], _View]:
    if permission not in PERMISSIONS:
        raise ValueError(f"There is no permission {permission!r}; see accounts.permissions.")

    def decorate(view: _View) -> _View:
        def enter(request: Any, kwargs: dict[str, Any]) -> HttpResponseBase | None:
            if not request.user.is_authenticated:
                return to_sign_in(request)
            admit(request, kwargs[argument], permission)
            return None

        @wraps(view)
        def sync_view(request: Any, *args: Any, **kwargs: Any) -> Any:
            return enter(request, kwargs) or view(request, *args, **kwargs)

        @wraps(view)
        async def async_view(request: Any, *args: Any, **kwargs: Any) -> Any:
            turned_away = await sync_to_async(enter)(request, kwargs)
            return turned_away or await view(request, *args, **kwargs)

        stamped: Any = async_view if iscoroutinefunction(view) else sync_view
        stamped.required_permission = permission
        stamped.resolved_argument = argument
        result: _View = stamped
        return result

    return decorate


def to_sign_in(request: Any) -> HttpResponse:
    """To the sign-in page and back here afterwards."""
    if request.headers.get("HX-Request") != "true":
        return redirect_to_login(request.get_full_path())
    page = request.htmx.current_url_abs_path or resolve_url(settings.LOGIN_REDIRECT_URL)
    return HttpResponseClientRedirect(redirect_to_login(page).url)


def last_project_id(request: HttpRequest) -> uuid.UUID | None:
    """The project that was open last in this browser; whether it still may be is not said."""
    kept = request.session.get(_LAST_PROJECT)
    return uuid.UUID(kept) if kept else None


def _admit_to_project(request: Any, project_id: uuid.UUID, permission: Permission, /) -> None:
    membership = (
        Membership.objects.select_related("organization")
        .filter(user=request.user, organization__projects=project_id)
        .first()
    )
    if membership is None:
        raise Http404("There is no such project, or you are not a member of its organisation.")
    project = Project.objects.filter(pk=project_id).first()
    if project is None:
        raise Http404("There is no such project, or you are not a member of its organisation.")
    project.organization = membership.organization
    request.project = project
    _admit_member(request, membership, permission)
    if request.session.get(_LAST_PROJECT) != str(project.id):
        request.session[_LAST_PROJECT] = str(project.id)


def _admit_to_organization(
    request: Any, organization_id: uuid.UUID, permission: Permission, /
) -> None:
    membership = (
        Membership.objects.select_related("organization")
        .filter(user=request.user, organization=organization_id)
        .first()
    )
    if membership is None:
        raise Http404("There is no such organisation, or you are not a member of it.")
    request.project = None
    _admit_member(request, membership, permission)


def _admit_member(request: Any, membership: Membership, permission: Permission) -> None:
    request.organization = membership.organization
    request.membership = membership
    if not membership.may(permission):
        raise PermissionDenied(
            f"Your role in {membership.organization.name} is {membership.get_role_display()}, "
            f"which does not include “{permission}”. Ask an owner or admin of the organisation."
        )
