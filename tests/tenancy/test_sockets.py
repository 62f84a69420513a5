"""The door of every WebSocket route."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from accounts.models import Project, User
from accounts.permissions import PERMISSIONS

QUIET_SECONDS = 1.5


def routes() -> list[Any]:
    from traceroot_site.routing import websocket_urlpatterns

    return list(websocket_urlpatterns)


def url_of(route: Any, project: Project) -> str:
    text = str(route.pattern)
    assert text.count("<") == 1, f"add the arguments of {text} to this test"
    assert "<uuid:project_id>" in text, f"{text} does not say whose socket it is"
    return "/" + text.replace("<uuid:project_id>", str(project.id))


def test_every_socket_is_stamped_with_a_permission() -> None:
    assert routes()
    for route in routes():
        consumer = route.callback.consumer_class
        assert consumer.required_permission in PERMISSIONS, consumer


@pytest.mark.django_db(transaction=True)
def test_a_member_gets_in(project: Project, vera: User) -> None:
    for route in routes():
        assert asyncio.run(stays_open(route, project, vera))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", ["anonymous", "outsider"])
def test_anybody_else_is_turned_away_without_a_word(
    who: str, project: Project, mallory: User
) -> None:
    user = mallory if who == "outsider" else AnonymousUser()
    for route in routes():
        assert not asyncio.run(stays_open(route, project, user))


async def stays_open(route: Any, project: Project, user: User | AnonymousUser) -> bool:
    """Whether the socket lives on after the handshake; whatever it says first is a failure."""
    router = URLRouter([route])

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await router({**scope, "user": user}, receive, send)

    socket = WebsocketCommunicator(application, url_of(route, project))
    accepted, _ = await socket.connect(timeout=5)
    if not accepted:
        return False
    if await socket.receive_nothing(timeout=QUIET_SECONDS, interval=0.05):
        await socket.disconnect()
        return True
    first = await socket.receive_output()
    assert first["type"] == "websocket.close", first
    await socket.disconnect()
    return False
