"""Debugging pages, mounted under `projects/<uuid:project_id>/`."""

from __future__ import annotations

from django.urls import path

from debugging.pages import repositories, sessions

app_name = "debugging"

urlpatterns = [
    path("debugging/", sessions.list_, name="list"),
    path("debugging/start/<hex32:trace_id>/", sessions.start, name="start"),
    path("debugging/<uuid:session_id>/", sessions.session, name="session"),
    path("debugging/<uuid:session_id>/steps/", sessions.session_steps, name="session_steps"),
    path("debugging/<uuid:session_id>/cancel/", sessions.cancel, name="cancel"),
    path("traces/<hex32:trace_id>/debugging/", sessions.trace_sessions, name="trace_sessions"),
    path("settings/repositories/", repositories.list_, name="repositories"),
    path("settings/repositories/add/", repositories.add, name="add_repository"),
    path(
        "settings/repositories/<uuid:repository_id>/fetch/",
        repositories.fetch,
        name="fetch_repository",
    ),
    path(
        "settings/repositories/<uuid:repository_id>/token/",
        repositories.set_token,
        name="set_repository_token",
    ),
    path(
        "settings/repositories/<uuid:repository_id>/token/remove/",
        repositories.remove_token,
        name="remove_repository_token",
    ),
    path(
        "settings/repositories/<uuid:repository_id>/remove/",
        repositories.remove,
        name="remove_repository",
    ),
]
