"""What people type on the pages of debugging. Rules live in `repositories`, not here."""

from __future__ import annotations

from django import forms

from debugging import access_tokens
from debugging.models.repository import LOCATION_MAX_CHARACTERS, NAME_MAX_CHARACTERS

_TOKEN_HELP = (
    "A token that may read the source and nothing else. It is kept encrypted and never shown "
    "again. Where the server wants a user as well, write user:token."
)


def _token_field(*, required: bool) -> forms.CharField:
    return forms.CharField(
        label="Access token",
        required=required,
        max_length=access_tokens.MAX_CHARACTERS,
        help_text=_TOKEN_HELP if required else f"For a private repository. {_TOKEN_HELP}",
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password", "spellcheck": "false", "class": "mono"}
        ),
    )


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
    token = _token_field(required=False)


class TokenForm(forms.Form):
    """A new access token of a repository that is there already."""

    token = _token_field(required=True)
