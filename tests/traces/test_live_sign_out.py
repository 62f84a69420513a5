"""The socket of a project lives no longer than the session that opened it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.urls import path

from accounts.models import Project, User
from tests.cast import SignIn
from traces.consumers import ProjectConsumer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]
ENDED = {"type": "websocket.close", "code": 4401}
REFUSED = {"type": "websocket.close", "code": 4404}
PASSWORD = "correct-horse-battery-9"


class Watchful(ProjectConsumer):
    """Looks every moment whether its session still is one."""

    recheck_seconds = 0.1


@asynccontextmanager
async def socket(
    browser: Client, project: Project, consumer: type[ProjectConsumer] = ProjectConsumer
) -> AsyncIterator[WebsocketCommunicator]:
    """Opened by the browser's cookie, as the site does it."""
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value
    communicator = WebsocketCommunicator(
        AuthMiddlewareStack(
            URLRouter([path("ws/projects/<uuid:project_id>/", consumer.as_asgi())])
        ),
        f"/ws/projects/{project.id}/",
        headers=[(b"cookie", f"{settings.SESSION_COOKIE_NAME}={key}".encode())],
    )
    accepted, _ = await communicator.connect(timeout=5)
    assert accepted
    try:
        yield communicator
    finally:
        await communicator.disconnect()


async def closes(communicator: WebsocketCommunicator, how: dict[str, Any], seconds: float) -> None:
    assert (await communicator.receive_output(timeout=seconds)).items() >= how.items()


def after(
    change: Callable[[], object],
    browser: Client,
    project: Project,
    how: dict[str, Any],
    consumer: type[ProjectConsumer] = ProjectConsumer,
) -> None:
    """The socket is quiet, and closes soon after the change."""

    async def run() -> None:
        async with socket(browser, project, consumer) as communicator:
            assert await communicator.receive_nothing(timeout=0.5)
            await sync_to_async(change)()
            await closes(communicator, how, seconds=3)

    asyncio.run(run())


@pytest.mark.parametrize("page", ["/accounts/logout/", "/admin/logout/"])
def test_signing_out_closes_the_socket_at_once(
    page: str, sign_in: SignIn, project: Project, ada: User
) -> None:
    ada.is_staff = True
    ada.save()
    browser = sign_in(ada)
    assert ProjectConsumer.recheck_seconds > 5  # so it is not the recheck that closes it
    key = browser.cookies[settings.SESSION_COOKIE_NAME].value

    def sign_out() -> None:
        other_tab = Client()
        other_tab.cookies[settings.SESSION_COOKIE_NAME] = key
        assert other_tab.post(page).status_code in (200, 302)

    after(sign_out, browser, project, ENDED)


def test_signing_out_elsewhere_leaves_this_browser_its_socket(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    here, elsewhere = sign_in(ada), sign_in(ada)

    async def run() -> None:
        async with socket(here, project, Watchful) as communicator:
            await sync_to_async(elsewhere.post)("/accounts/logout/")
            assert await communicator.receive_nothing(timeout=0.8)

    asyncio.run(run())


def test_a_session_that_is_gone_loses_the_socket(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    browser = sign_in(ada)
    after(lambda: browser.session.delete(), browser, project, ENDED, Watchful)


def test_a_new_password_closes_the_sockets_of_every_other_session(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    def change() -> None:
        user = User.objects.get(pk=ada.pk)
        user.set_password(PASSWORD)
        user.save()

    after(change, sign_in(ada), project, ENDED, Watchful)


def test_a_removed_member_who_is_still_signed_in_is_told_not_to_come_back(
    sign_in: SignIn, project: Project, vera: User
) -> None:
    after(lambda: vera.memberships.all().delete(), sign_in(vera), project, REFUSED, Watchful)


def test_a_session_without_a_person_gets_no_socket(sign_in: SignIn, project: Project) -> None:
    browser = sign_in(None)
    browser.session.save()  # an anonymous visitor's

    async def run() -> None:
        async with socket(browser, project) as communicator:
            await closes(communicator, REFUSED, seconds=5)

    asyncio.run(run())


def test_a_database_that_is_away_for_a_look_does_not_end_the_looking(
    sign_in: SignIn, project: Project, ada: User
) -> None:
    class Unlucky(Watchful):
        looks = 0

        async def _is_signed_in(self) -> bool:
            type(self).looks += 1
            if self.looks < 3:
                raise OperationalError("the server closed the connection")
            return await super()._is_signed_in()

    browser = sign_in(ada)
    after(lambda: browser.session.delete(), browser, project, ENDED, Unlucky)
    assert Unlucky.looks >= 3
