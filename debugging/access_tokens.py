"""Access tokens of private repositories: their form, and how they are kept with the repository.

A token is bound to the repository and the address it was given for, so that nobody who changes the
address gets it sent elsewhere. How git receives it is in `origins`.
"""

from __future__ import annotations

import base64
import re

from accounts import secrets
from accounts.secrets import SecretUnreadable
from debugging import git
from debugging.models import Repository

MAX_CHARACTERS = 500
_HINT_CHARACTERS = 4
# Of a shorter one the last characters would tell too much.
_HINTED_FROM_CHARACTERS = 20


class InvalidAccessToken(git.GitError):
    """Not a token that a server can have given."""


class AccessTokenUnreadable(git.GitError):
    """The token that was kept cannot be decrypted any more."""


def check(token: str) -> str:
    """`token` when it can be sent to a server. Raises InvalidAccessToken."""
    if not re.fullmatch(r"[\x21-\x7e]+", token) or len(token) > MAX_CHARACTERS:
        raise InvalidAccessToken(
            "This is no access token: one has letters, digits and signs without spaces, at most "
            f"{MAX_CHARACTERS} of them. Copy it again from where it was made."
        )
    return token


def credentials(token: str) -> str:
    """What HTTP's basic authentication sends: the token as password, for servers that want a user
    as well `user:token`."""
    pair = check(token) if ":" in token else f"x-access-token:{check(token)}"
    return base64.b64encode(pair.encode()).decode("ascii")


def put(repository: Repository, token: str) -> None:
    """Sets the sealed token and its hint on the row, which is not saved; empty takes it off."""
    repository.sealed_token = secrets.seal(check(token), _context(repository)) if token else ""
    is_long = len(token) >= _HINTED_FROM_CHARACTERS
    repository.token_hint = token[-_HINT_CHARACTERS:] if is_long else ""


def of(repository: Repository) -> str | None:
    """The token of a repository, or None. Raises AccessTokenUnreadable."""
    if not repository.sealed_token:
        return None
    try:
        return secrets.unseal(repository.sealed_token, _context(repository))
    except SecretUnreadable as error:
        raise AccessTokenUnreadable(
            f"The access token of {repository.name} cannot be read any more, since the server's "
            "secret key or the repository's address has changed. Set the token again."
        ) from error


def _context(repository: Repository) -> str:
    return f"repository {repository.pk} {repository.location}"
