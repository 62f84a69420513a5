"""What people type on the pages of this app. Rules live in the domain functions, not here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts import api_keys, names
from accounts.models import NAME_MAX_CHARACTERS
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
    DAYS = (("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"))

    name = NameField(label="Name", help_text="What uses it, for instance “Production agents”.")
    expires_in_days = forms.ChoiceField(label="Expires", choices=DAYS, required=False)
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=list(api_keys.SCOPES.items()),
        initial=list(api_keys.SCOPES),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one thing that the key may do."},
    )

    def expires_at(self, now: datetime) -> datetime | None:
        days = self.cleaned_data["expires_in_days"]
        return now + timedelta(days=int(days)) if days else None


class MemberForm(forms.Form):
    email = forms.EmailField(label="Email address")
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.MEMBER)


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role", choices=Role.choices)
