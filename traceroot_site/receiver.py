"""The receiver process's application: OTLP and its own health, nothing else."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceroot_site.settings")

import django

django.setup()

from traceroot_site import health
from traces.otlp import endpoint

application = endpoint.before(health.application)
