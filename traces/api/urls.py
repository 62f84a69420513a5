"""`/api/v1/public/`. OTLP posts to `traces` are taken by the receiver before they get here."""

from __future__ import annotations

from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView

from traces.api import views

urlpatterns = [
    path("whoami", views.WhoAmI.as_view(), name="whoami"),
    path("traces", views.TraceList.as_view(), name="public-traces"),
    path("traces/<hex32:trace_id>", views.TraceDetail.as_view(), name="public-trace"),
    path("traces/<hex32:trace_id>/export", views.TraceExport.as_view(), name="public-trace-export"),
    path("openapi.json", SpectacularJSONAPIView.as_view(), name="public-openapi"),
]
