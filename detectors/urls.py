"""Pages of detection, under projects/<uuid:project_id>/."""

from __future__ import annotations

from django.urls import path

from detectors.pages import alert_pages, detector_pages, finding_pages
from traces import converters

app_name = "detectors"
converters.register()

urlpatterns = [
    path("detectors/", detector_pages.list_, name="list"),
    path("detectors/<uuid:detector_id>/", detector_pages.detail, name="detail"),
    path("detectors/<uuid:detector_id>/edit/", detector_pages.edit, name="edit"),
    path("findings/", finding_pages.findings, name="findings"),
    path("findings/<uuid:finding_id>/", finding_pages.finding, name="finding"),
    path("findings/<uuid:finding_id>/confirm/", finding_pages.confirm, name="confirm"),
    path("findings/<uuid:finding_id>/dismiss/", finding_pages.dismiss, name="dismiss"),
    path("traces/<hex32:trace_id>/findings/", finding_pages.trace_findings, name="trace_findings"),
    path("settings/alerts/", alert_pages.alert_routes, name="alert_routes"),
    path("settings/alerts/add/", alert_pages.add, name="add_alert_route"),
    path("settings/alerts/<uuid:route_id>/turn/", alert_pages.turn, name="turn_alert_route"),
    path("settings/alerts/<uuid:route_id>/remove/", alert_pages.remove, name="remove_alert_route"),
    path("settings/alerts/<uuid:route_id>/test/", alert_pages.test, name="test_alert_route"),
]
