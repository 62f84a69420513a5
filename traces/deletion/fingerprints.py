"""What stands for the names of sessions and users once they are to be forgotten."""

from __future__ import annotations

import json
from typing import Any

from django.utils.crypto import salted_hmac

_SALT = "traceroot.deletion"


def fingerprint(asked: dict[str, Any]) -> str:
    """The same for the same request on this installation; nobody can guess what it stands for."""
    text = json.dumps(asked, sort_keys=True)
    return salted_hmac(_SALT, text, algorithm="sha256").hexdigest()[:32]
