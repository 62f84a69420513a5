"""What people type about retention and deletion. Rules live in `traces.retention` and
`traces.deletion`.
"""

from __future__ import annotations

from typing import Any

from django import forms

from traces.models import RetentionRule
from traces.models.retention import DAYS


class DefaultForm(forms.Form):
    days = forms.TypedChoiceField(label="Traces are kept", choices=DAYS, coerce=int)


class RuleForm(forms.ModelForm[RetentionRule]):
    days = forms.TypedChoiceField(label="Kept", choices=DAYS, coerce=int, initial=30)

    class Meta:
        model = RetentionRule
        fields = ("environment", "tag", "is_error", "has_finding", "days")
        labels = {
            "is_error": "Only traces that failed",
            "has_finding": "Only traces with a finding",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("environment", "tag"):
            self.fields[name].widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})


class DeleteForm(forms.Form):
    """By session or user; by ids and by query there are the pages that show them."""

    WAYS = (("session", "Session"), ("user", "User"))

    way = forms.ChoiceField(label="Delete everything of a", choices=WAYS)
    value = forms.CharField(
        label="Its id",
        max_length=1_024,
        strip=False,
        help_text="Exactly as the spans say it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class DeleteProjectForm(forms.Form):
    name = forms.CharField(
        label="Name of the project",
        help_text="Type it to confirm.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = name

    def clean_name(self) -> str:
        typed: str = self.cleaned_data["name"]
        if typed != self._name:
            raise forms.ValidationError(f"This is not the name. Type {self._name}.")
        return typed
