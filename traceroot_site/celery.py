"""The Celery application. Queues only wake workers: the work itself is rows (see `schedule`)."""

from __future__ import annotations

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceroot_site.settings")

app = Celery("traceroot")
app.config_from_object("django.conf:settings", namespace="CELERY")
if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Tasks are many and short, and to open SQLite costs more than most of them. Celery closes
    # connections before and after each task unless it is told after how many. With PostgreSQL the
    # pool keeps them.
    app.conf.update({"CELERY_DB_REUSE_MAX": 1_000})
app.autodiscover_tasks()
