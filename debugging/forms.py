"""What people type on the pages of debugging. Rules live in `repositories`, not here."""

from __future__ import annotations

from django import forms

from debugging.models.repository import LOCATION_MAX_CHARACTERS, NAME_MAX_CHARACTERS


class RepositoryForm(forms.Form):
    location = forms.CharField(
        label="Address or path",
        max_length=LOCATION_MAX_CHARACTERS,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "class": "mono",
                "placeholder": "https://github.com/acme/agent",
            }
        ),
    )
    name = forms.CharField(
        label="Name",
        required=False,
        max_length=NAME_MAX_CHARACTERS,
        help_text="As traces call it (traceroot.git.repo). Empty: taken from the address.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "acme/agent"}
        ),
    )
