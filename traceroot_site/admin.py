"""The administration as a part of TraceRoot: its name, and the same door as everywhere else."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin

admin.site.site_header = "TraceRoot administration"
admin.site.site_title = "TraceRoot"
admin.site.index_title = "Administration of this server"
# Django's own form would let anybody try passwords without a limit.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
