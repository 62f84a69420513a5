"""Secrets at rest can be read with the same key and context, and in no other way."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import secrets
from accounts.secrets import SecretUnreadable


def test_what_is_sealed_comes_back_and_is_not_in_what_is_kept() -> None:
    sealed = secrets.seal("ghs_geheim", "repository 1")
    assert "geheim" not in sealed
    assert secrets.unseal(sealed, "repository 1") == "ghs_geheim"
    assert secrets.seal("ghs_geheim", "repository 1") != sealed


def test_another_context_another_key_and_a_changed_text_read_nothing(settings: Any) -> None:
    sealed = secrets.seal("ghs_geheim", "repository 1")
    with pytest.raises(SecretUnreadable):
        secrets.unseal(sealed, "repository 2")
    with pytest.raises(SecretUnreadable):
        secrets.unseal(sealed[:-8] + "AAAAAAA=", "repository 1")
    with pytest.raises(SecretUnreadable):
        secrets.unseal("ökö", "repository 1")
    settings.SECRET_KEY = "another key"
    with pytest.raises(SecretUnreadable):
        secrets.unseal(sealed, "repository 1")
