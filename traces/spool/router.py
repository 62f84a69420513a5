"""Which database holds the spool: the alias that the settings name, and nothing else there."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models


class SpoolRouter:
    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        return _alias(model._meta.app_label, model._meta.model_name)

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        return _alias(model._meta.app_label, model._meta.model_name)

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        if _alias(app_label, model_name) is not None:
            return bool(db == settings.SPOOL_ALIAS)
        return None if db == "default" else False


def _alias(app_label: str, model_name: str | None) -> str | None:
    if (app_label, model_name) == ("traces", "spoolbatch"):
        return str(settings.SPOOL_ALIAS)
    return None
