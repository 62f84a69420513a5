"""What every template may use besides the request: the request id and facts of the installation."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "request_id": getattr(request, "request_id", ""),
        "public_url": settings.PUBLIC_URL,
        "is_sign_up_open": settings.SIGN_UP == "open",
        "is_email_configured": bool(settings.EMAIL_HOST),
    }
