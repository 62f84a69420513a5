"""What people type on the pages of this app. Rules live in the domain functions, not here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts import api_keys, names, permissions
from accounts.models import DEFAULT_SCOPES, NAME_MAX_CHARACTERS
from accounts.permissions import Role


class NameField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        # Longer text reaches `names.clean`, which says how long it is.
        super().__init__(
            widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": NAME_MAX_CHARACTERS}),
            **kwargs,
        )

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        try:
            return names.clean(text)
        except names.InvalidName as error:
            raise ValidationError(str(error)) from error


class ProjectForm(forms.Form):
    name = NameField(label="Name")


class ApiKeyForm(forms.Form):
    DAYS = (("0", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"))

    name = NameField(label="Name", help_text="What uses it, for instance “Production agents”.")
    expires_in_days = forms.ChoiceField(
        label="Expires", choices=DAYS, initial="0", help_text="From then on it is refused."
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=list(api_keys.SCOPES.items()),
        initial=list(DEFAULT_SCOPES),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one thing that the key may do."},
    )

    def expires_at(self, now: datetime) -> datetime | None:
        days = int(self.cleaned_data["expires_in_days"])
        return now + timedelta(days=days) if days else None


class RoleForm(forms.Form):
    """`appointer`: the role of the person who chooses; only what they may give is on offer."""

    role = forms.ChoiceField(
        label="Role",
        initial=Role.MEMBER,
    )

    def __init__(self, *args: Any, appointer: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = [
            (value, label)
            for value, label in Role.choices
            if permissions.may_appoint(appointer, value)
        ]


class MemberForm(RoleForm):
    email = forms.EmailField(label="Email address")
