"""Start page, organisations, and the settings that belong to accounts.

Mounted at the root of the site: the paths under projects/ are written out, so that one namespace
holds all of them.
"""

from __future__ import annotations

from django.urls import include, path

from accounts.pages import home, keys, members, project_settings

app_name = "accounts"

_settings = [
    path("", project_settings.project_settings, name="project_settings"),
    path("rename/", project_settings.rename, name="rename_project"),
    path("keys/", keys.api_keys, name="api_keys"),
    path("keys/create/", keys.create, name="create_api_key"),
    path("keys/<uuid:key_id>/revoke/", keys.revoke, name="revoke_api_key"),
    path("members/", members.members, name="members"),
    path("members/add/", members.add, name="add_member"),
    path("members/<uuid:membership_id>/role/", members.change_role, name="change_role"),
    path("members/<uuid:membership_id>/remove/", members.remove, name="remove_member"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("organizations/", home.organizations, name="organizations"),
    path("organizations/<uuid:organization_id>/", home.organization, name="organization"),
    path("organizations/<uuid:organization_id>/projects/", home.new_project, name="create_project"),
    path("projects/<uuid:project_id>/settings/", include(_settings)),
]
