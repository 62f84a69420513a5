"""Where django-allauth asks us: who may sign up, and what a new user gets."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from accounts import organizations, projects
from accounts.models import NAME_MAX_CHARACTERS, User


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return bool(settings.SIGN_UP == "open")

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """With an organisation and a first project, so that spans can be sent at once."""
        with transaction.atomic():
            saved: User = super().save_user(request, user, form, commit=commit)
            if commit:
                organization = organizations.create_organization(_organization_name(saved), saved)
                projects.create_project(organization, "My project")
        return saved


def _organization_name(user: User) -> str:
    """For instance Ada Lovelace’s organisation, for ada.lovelace+x@acme.com."""
    local = user.email.partition("@")[0].partition("+")[0]
    words = "".join(character if character.isalnum() else " " for character in local).split()
    if not words:
        return "My organisation"
    return f"{' '.join(words).title()[: NAME_MAX_CHARACTERS - 20]}’s organisation"
