"""The Celery application. Queues only wake workers: the work itself is rows (see `schedule`)."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceroot_site.settings")

app = Celery("traceroot")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
