"""Encrypts secrets that have to be used again, such as tokens of outside services, at rest.

What only has to be recognised is hashed instead (`api_keys`). Each context has a key of its own,
derived from the server's secret key: a text moved to another row, or taken from a copy of the
database, is of no use.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class SecretUnreadable(Exception):
    """Encrypted under another secret key or in another context, or damaged."""


def seal(text: str, context: str) -> str:
    """`text` encrypted; only `unseal` with the same context gives it back."""
    return _cipher(context).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, context: str) -> str:
    """The text that was sealed. Raises SecretUnreadable."""
    try:
        return _cipher(context).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SecretUnreadable(
            "A secret cannot be read: the server's secret key has changed."
        ) from error


def _cipher(context: str) -> Fernet:
    """HKDF by RFC 5869; the context is its info."""
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"secret:{context}".encode())
    return Fernet(base64.urlsafe_b64encode(derivation.derive(settings.SECRET_KEY.encode())))
