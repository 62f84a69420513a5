"""The web process's application: OTLP, pages and API, sockets, by protocol and path.

OTLP requests never enter Django: the receiver is a raw ASGI application, the same that the receiver
process serves.
"""

from __future__ import annotations

import os
from typing import cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceroot_site.settings")

from django.core.asgi import get_asgi_application

pages = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from traceroot_site import routing
from traces.otlp import endpoint
from traces.otlp.receiver import ASGIApplication

application = ProtocolTypeRouter(
    {
        "http": endpoint.before(cast(ASGIApplication, pages)),
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter(routing.websocket_urlpatterns))
        ),
    }
)
