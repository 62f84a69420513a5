"""Settings of a project: where the source of its agents is read from."""

from __future__ import annotations

import logging
import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import ProjectRequest, project_view
from debugging import repositories
from debugging.forms import RepositoryForm, TokenForm
from debugging.matching import canonical
from debugging.models import Repository
from debugging.repositories import (
    InvalidRepositoryName,
    RepositoryError,
    RepositoryNameTaken,
    TokenRefused,
)
from traces.store.errors import StoreError
from traces.store.filters import TraceFilter
from traces.store.reader import SpanReader

log = logging.getLogger(__name__)

SUGGESTED_FROM_TRACES = 200


@project_view("project.read")
@require_safe
def list_(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    return _page(request, RepositoryForm(initial={"name": request.GET.get("name", "")[:200]}))


@project_view("repositories.manage")
@require_POST
def add(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    form = RepositoryForm(request.POST)
    if form.is_valid():
        try:
            added = repositories.add(
                request.project,
                name=form.cleaned_data["name"],
                location=form.cleaned_data["location"],
                token=form.cleaned_data["token"],
            )
        except RepositoryError as error:
            form.add_error(_field_of(error), str(error))
        else:
            messages.success(request, f"{added.name} is added. It is being fetched.")
            return redirect("debugging:repositories", project_id=project_id)
    return _page(request, form, status=422)


@project_view("repositories.manage")
@require_POST
def fetch(request: ProjectRequest, project_id: uuid.UUID, repository_id: uuid.UUID) -> HttpResponse:
    repositories.request_fetch(_find(request, repository_id), timezone.now())
    return redirect("debugging:repositories", project_id=project_id)


@project_view("repositories.manage")
@require_POST
def set_token(
    request: ProjectRequest, project_id: uuid.UUID, repository_id: uuid.UUID
) -> HttpResponse:
    """A dialog of the list posts here: what is wrong with the token is said in a message."""
    repository, form = _find(request, repository_id), TokenForm(request.POST)
    try:
        if not form.is_valid():
            raise TokenRefused(" ".join(str(one) for one in form.errors["token"]))
        repositories.set_token(repository, form.cleaned_data["token"], timezone.now())
    except RepositoryError as error:
        messages.error(request, f"The token of {repository.name} is unchanged. {error}")
    else:
        messages.success(request, f"{repository.name} is fetched with the new token now.")
    return redirect("debugging:repositories", project_id=project_id)


@project_view("repositories.manage")
@require_POST
def remove_token(
    request: ProjectRequest, project_id: uuid.UUID, repository_id: uuid.UUID
) -> HttpResponse:
    repository = _find(request, repository_id)
    repositories.set_token(repository, "", timezone.now())
    messages.success(request, f"The access token of {repository.name} is removed.")
    return redirect("debugging:repositories", project_id=project_id)


@project_view("repositories.manage")
@require_POST
def remove(
    request: ProjectRequest, project_id: uuid.UUID, repository_id: uuid.UUID
) -> HttpResponse:
    repository = _find(request, repository_id)
    repositories.remove(repository)
    messages.success(request, f"{repository.name} is removed.")
    return redirect("debugging:repositories", project_id=project_id)


def _field_of(error: RepositoryError) -> str:
    if isinstance(error, TokenRefused):
        return "token"
    return "name" if isinstance(error, InvalidRepositoryName | RepositoryNameTaken) else "location"


def _find(request: ProjectRequest, repository_id: uuid.UUID) -> Repository:
    return get_object_or_404(Repository.objects.for_project(request.project), pk=repository_id)


def _page(request: ProjectRequest, form: RepositoryForm, status: int = 200) -> HttpResponse:
    found = list(Repository.objects.for_project(request.project).by_name())
    context = {
        "nav": "settings",
        "section": "source",
        "repositories": found,
        "is_fetching": any(one.fetch_requested_at for one in found),
        "suggestions": _suggestions(request, found),
        "may_manage": request.membership.may("repositories.manage"),
        "form": form,
        "token_form": TokenForm(),
    }
    return render(request, "debugging/repositories.html", context, status=status)


def _suggestions(request: ProjectRequest, known: list[Repository]) -> list[str]:
    """Repositories that recent traces name and the project has not."""
    try:
        page = SpanReader(request.project.pk).traces(TraceFilter(), limit=SUGGESTED_FROM_TRACES)
    except StoreError as error:
        log.info("repositories.no_suggestions project=%s reason=%s", request.project.pk, error)
        return []
    have = {canonical(one.name) for one in known}
    named = dict.fromkeys(row.git_repo for row in page.rows if row.git_repo)
    return [name for name in named if canonical(name) not in have][:5]
