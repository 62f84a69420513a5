"""API keys of a project: list, create, revoke."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import api_keys as keys
from accounts.access import ProjectRequest, project_view
from accounts.forms import ApiKeyForm
from accounts.models import ApiKey
from accounts.pages import shown_once

NEW_KEY_COOKIE = "traceroot_new_key"


@dataclass(frozen=True, slots=True)
class KeyRow:
    key: ApiKey
    state: str
    dialog_id: str

    @property
    def question(self) -> str:
        return f"Revoke “{self.key.name}”?"


@project_view("keys.manage")
@require_safe
@never_cache
def api_keys(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    response = _page(request, ApiKeyForm(), raw=shown_once.look(request, NEW_KEY_COOKIE))
    shown_once.remove(response, request, NEW_KEY_COOKIE)
    return response


@project_view("keys.manage")
@require_POST
def create(request: ProjectRequest, project_id: uuid.UUID) -> HttpResponse:
    form = ApiKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    _, raw = keys.create(
        request.project,
        form.cleaned_data["name"],
        request.user,
        scopes=form.cleaned_data["scopes"],
        expires_at=form.expires_at(timezone.now()),
    )
    page = reverse("accounts:api_keys", kwargs={"project_id": project_id})
    response = redirect(page)
    shown_once.put(response, request, NEW_KEY_COOKIE, raw, page)
    return response


@project_view("keys.manage")
@require_POST
def revoke(request: ProjectRequest, project_id: uuid.UUID, key_id: uuid.UUID) -> HttpResponse:
    key = get_object_or_404(ApiKey.objects.for_project(request.project), pk=key_id)
    keys.revoke(key)
    messages.success(request, f"{key.name} ({key.masked}) is revoked.")
    return redirect("accounts:api_keys", project_id=project_id)


def _page(
    request: ProjectRequest, form: ApiKeyForm, *, raw: str | None = None, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    keys_here = ApiKey.objects.for_project(request.project).newest()
    context = {
        "nav": "settings",
        "section": "keys",
        "rows": [KeyRow(key, _state(key, now), f"revoke-{key.id.hex}") for key in keys_here],
        "form": form,
        "raw": raw,
    }
    return render(request, "accounts/api_keys.html", context, status=status)


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "expired"
    return "in use" if key.last_used_at else "never used"
