"""What must not go to production as it is: system checks that `manage.py check --deploy` runs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security, deploy=True)
def production_is_complete(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.IS_PRODUCTION:
        return found
    if settings.DEBUG:
        found.append(Error("TRACEROOT_DEBUG is on in production. Unset it.", id="traceroot.E001"))
    if not settings.IS_HTTPS:
        found.append(
            Warning(
                "TRACEROOT_PUBLIC_URL is not https://, so cookies travel in clear.",
                id="traceroot.W001",
            )
        )
    if not settings.EMAIL_HOST:
        found.append(
            Warning(
                "EMAIL_HOST is not set: alerts and sign-in mails go to the log only.",
                id="traceroot.W002",
            )
        )
    return found
