"""The URL tree: one for organisation pages, one for project pages, the public API, health."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from traceroot_site import errors, favicon, health

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("favicon.ico", favicon.favicon, name="favicon"),
    path("api/v1/public/", include("traces.api.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("projects/<uuid:project_id>/", include("traces.urls")),
    path("organizations/<uuid:organization_id>/", include("traces.organization_urls")),
    path("projects/<uuid:project_id>/", include("detectors.urls")),
    path("projects/<uuid:project_id>/", include("debugging.urls")),
    path("", include("accounts.urls")),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler429 = errors.too_many_requests  # allauth's rate limits look for it here
handler500 = errors.server_error
