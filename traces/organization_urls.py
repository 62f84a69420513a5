"""Pages of traces that belong to an organisation, mounted under its own tree."""

from __future__ import annotations

from django.urls import path

from traces.pages import deletions

app_name = "organization_traces"
urlpatterns = [path("deletions/", deletions.organization_deletions, name="deletions")]
