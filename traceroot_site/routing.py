"""WebSocket routes: one socket a project, for everything that is live on its pages."""

from __future__ import annotations

from django.urls import path

from traces.consumers import ProjectConsumer

websocket_urlpatterns = [
    path("ws/projects/<uuid:project_id>/", ProjectConsumer.as_asgi()),
]
