"""Names that people give to organisations, projects and keys."""

from __future__ import annotations

import unicodedata

from accounts.models import NAME_MAX_CHARACTERS


class InvalidName(ValueError):
    """The name cannot be used; the message says why and is meant for the person who typed it."""


def clean(name: str) -> str:
    """Without outer spaces and with single inner ones. Raises InvalidName."""
    cleaned = " ".join(unicodedata.normalize("NFC", name).split())
    if not cleaned:
        raise InvalidName("Give it a name: it is empty.")
    if len(cleaned) > NAME_MAX_CHARACTERS:
        raise InvalidName(
            f"The name has {len(cleaned)} characters; use at most {NAME_MAX_CHARACTERS}."
        )
    # Cc: control characters (PostgreSQL refuses U+0000); Cf: marks that reorder or hide text.
    # Cs: lone surrogates, which no database can encode.
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in cleaned):
        raise InvalidName("The name holds invisible characters; type it again without them.")
    return cleaned
