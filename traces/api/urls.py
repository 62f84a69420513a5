"""`/api/v1/public/`. OTLP posts to `traces` are taken by the receiver before they get here."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from traces.api import agent_usage, deletions, views

urlpatterns = [
    path("whoami", views.WhoAmI.as_view(), name="whoami"),
    path("traces", views.TraceList.as_view(), name="public-traces"),
    path("traces/<hex32:trace_id>", views.TraceDetail.as_view(), name="public-trace"),
    path("traces/<hex32:trace_id>/export", views.TraceExport.as_view(), name="public-trace-export"),
    path("agent-usage", agent_usage.AgentUsageList.as_view(), name="public-agent-usage"),
    path("deletions", deletions.DeletionList.as_view(), name="public-deletions"),
    path(
        "deletions/<uuid:deletion_id>", deletions.DeletionDetail.as_view(), name="public-deletion"
    ),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="public-openapi"),
]
