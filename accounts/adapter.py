"""Where django-allauth asks us: who may sign up, what a new user gets, what a refused try gets."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.ratelimit import respond_429
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from accounts import organizations, projects, users
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

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """With the main address confirmed for the first time, further ones go.

        Until then the account may have been in anybody's hands, and an address that they added
        would stay a way back in.
        """
        was_confirmed = users.has_confirmed(email_address.user)
        is_confirmed = bool(super().confirm_email(request, email_address))
        if is_confirmed and not was_confirmed and users.has_confirmed(email_address.user):
            further = EmailAddress.objects.filter(user=email_address.user)
            further.exclude(pk=email_address.pk).delete()
        return is_confirmed

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Too many wrong passwords are answered 429, not by a form that looks like the others."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            response = respond_429(request)
            response["Retry-After"] = str(settings.SIGN_IN_WAIT_SECONDS)
            raise ImmediateHttpResponse(response) from error


def _organization_name(user: User) -> str:
    """For instance Ada Lovelace’s organisation, for ada.lovelace+x@acme.com."""
    local = user.email.partition("@")[0].partition("+")[0]
    words = "".join(character if character.isalnum() else " " for character in local).split()
    if not words:
        return "My organisation"
    return f"{' '.join(words).title()[: NAME_MAX_CHARACTERS - 20]}’s organisation"
