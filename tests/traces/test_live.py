"""The socket of a project: who gets in, what they hear, and how fast."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.urls import path

from accounts.models import Membership, Project, User
from tests.traces import made
from traces import live, settle
from traces.consumers import ProjectConsumer
from traces.store.engine.process import EngineProcess

pytestmark = pytest.mark.django_db(transaction=True)
Story = Callable[[WebsocketCommunicator], Awaitable[None]]
Consumer = type[ProjectConsumer]
REFUSED = {"type": "websocket.close", "code": 4404}


class Watchful(ProjectConsumer):
    """Looks every moment whether its member still is one."""

    recheck_seconds = 0.1


@asynccontextmanager
async def socket(
    project: Project, user: User | AnonymousUser, consumer: Consumer = ProjectConsumer
) -> AsyncIterator[WebsocketCommunicator]:
    from channels.routing import URLRouter

    routes = URLRouter([path("ws/projects/<uuid:project_id>/", consumer.as_asgi())])

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await routes({**scope, "user": user}, receive, send)

    communicator = WebsocketCommunicator(application, f"/ws/projects/{project.id}/")
    accepted, _ = await communicator.connect(timeout=5)
    assert accepted
    try:
        yield communicator
    finally:
        await communicator.disconnect()


def follow(project: Project, user: User | AnonymousUser, story: Story, **options: Any) -> None:
    async def run() -> None:
        async with socket(project, user, **options) as communicator:
            await story(communicator)

    asyncio.run(run())


async def heard(communicator: WebsocketCommunicator, count: int) -> list[dict[str, Any]]:
    notices = []
    for _ in range(count):
        notices.append(await communicator.receive_json_from(timeout=5))
        await communicator.send_json_to({"type": "credit"})
    return notices


async def until_watched(project: Project) -> None:
    """The watcher's cursor begins at its first look; later stored spans are after it."""
    while True:
        watch = live._watches.get(project.id)
        if watch is not None and watch.cursor._stored is not None:
            return
        await asyncio.sleep(0.02)


async def store(project_id: uuid.UUID, trace_id: bytes, number: int = 1) -> None:
    await sync_to_async(made.stored)(made.span(project_id, trace_id, number))


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("who", ["outsider", "anonymous"])
def test_others_are_turned_away(who: str, project: Project, mallory: User) -> None:
    async def story(communicator: WebsocketCommunicator) -> None:
        assert (await communicator.receive_output(timeout=5)).items() >= REFUSED.items()
        assert project.id not in live._watches

    follow(project, mallory if who == "outsider" else AnonymousUser(), story)


@pytest.mark.usefixtures("store")
def test_a_viewer_hears_of_spans_stored_and_of_the_trace_settling(
    project: Project, vera: User
) -> None:
    trace_id = made.trace_id()

    async def story(communicator: WebsocketCommunicator) -> None:
        await until_watched(project)
        await store(project.id, trace_id)
        expected = [
            {"type": "traces", "count": 1},
            {"type": "trace", "trace_id": trace_id.hex()},
        ]
        assert await heard(communicator, 2) == expected
        await sync_to_async(settle.settle_quiet)()
        assert await heard(communicator, 2) == expected
        assert await communicator.receive_nothing(timeout=1)

    follow(project, vera, story)


@pytest.mark.usefixtures("store")
def test_nothing_of_another_project_is_heard(
    project: Project, other_project: Project, vera: User
) -> None:
    async def story(communicator: WebsocketCommunicator) -> None:
        await until_watched(project)
        await store(other_project.id, made.trace_id())
        await sync_to_async(live.notify)(other_project.id, {"type": "findings", "trace_id": "a"})
        assert await communicator.receive_nothing(timeout=1.2)

    follow(project, vera, story)


@pytest.mark.usefixtures("store")
def test_notices_of_upper_stages_pass_and_equal_ones_become_one(
    project: Project, vera: User
) -> None:
    async def story(communicator: WebsocketCommunicator) -> None:
        await until_watched(project)
        for trace in ("a", "b", "a", "a"):
            await sync_to_async(live.notify)(project.id, {"type": "findings", "trace_id": trace})
        first = await communicator.receive_json_from(timeout=5)
        assert first == {"type": "findings", "trace_id": "a"}
        # Without credit the rest waits, and equal ones become one.
        await communicator.send_json_to({"type": "credit"})
        rest = await heard(communicator, 1)
        rest += (
            [] if await communicator.receive_nothing(timeout=0.6) else await heard(communicator, 1)
        )
        assert {"type": "findings", "trace_id": "b"} in rest
        assert await communicator.receive_nothing(timeout=0.6)

    follow(project, vera, story)


@pytest.mark.usefixtures("store")
def test_a_browser_without_credit_is_served_slowly_not_never(project: Project, vera: User) -> None:
    async def story(communicator: WebsocketCommunicator) -> None:
        await until_watched(project)
        await sync_to_async(live.notify)(project.id, {"type": "findings", "trace_id": "a"})
        await communicator.receive_json_from(timeout=5)
        for trace in "bcbc":
            await sync_to_async(live.notify)(project.id, {"type": "findings", "trace_id": trace})
        assert await communicator.receive_nothing(timeout=0.6)
        late = [await communicator.receive_json_from(timeout=5) for _ in range(2)]
        assert [notice["trace_id"] for notice in late] == ["b", "c"]

    follow(project, vera, story)


@pytest.mark.usefixtures("store")
def test_a_removed_member_loses_the_socket(project: Project, vera: User) -> None:
    async def story(communicator: WebsocketCommunicator) -> None:
        await until_watched(project)
        await Membership.objects.filter(user=vera).adelete()
        assert (await communicator.receive_output(timeout=5)).items() >= REFUSED.items()

    follow(project, vera, story, consumer=Watchful)


@pytest.mark.usefixtures("store")
def test_a_deactivated_member_loses_the_socket(project: Project, vera: User) -> None:
    async def story(communicator: WebsocketCommunicator) -> None:
        await until_watched(project)
        await User.objects.filter(pk=vera.pk).aupdate(is_active=False)
        assert (await communicator.receive_output(timeout=5)).items() >= REFUSED.items()

    follow(project, vera, story, consumer=Watchful)


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    "message", ["not JSON", "[" * 999, '"text"', "[]", "x" * 100_000, b"\x00\xff", '{"type": 5}']
)
def test_whatever_a_browser_sends_the_socket_lives(
    message: str | bytes, project: Project, vera: User
) -> None:
    async def story(communicator: WebsocketCommunicator) -> None:
        await until_watched(project)
        if isinstance(message, bytes):
            await communicator.send_to(bytes_data=message)
        else:
            await communicator.send_to(text_data=message)
        await sync_to_async(live.notify)(project.id, {"type": "findings", "trace_id": "a"})
        assert (await communicator.receive_json_from(timeout=5))["type"] == "findings"

    follow(project, vera, story)


@pytest.mark.usefixtures("store")
def test_the_watcher_ends_with_the_last_that_leaves(
    project: Project, vera: User, ben: User
) -> None:
    async def run() -> None:
        async with socket(project, vera):
            await until_watched(project)
            async with socket(project, ben):
                await asyncio.sleep(0.1)
                task = live._watches[project.id].task
            assert task is not None
            await asyncio.sleep(0.05)
            assert not task.done()
        await asyncio.sleep(0.05)
        assert task.cancelled()
        assert project.id not in live._watches

    asyncio.run(run())


@pytest.mark.usefixtures("store")
def test_one_who_joins_later_hears_what_came_while_the_page_was_made(
    project: Project, vera: User, ben: User
) -> None:
    trace_id = made.trace_id()

    async def run() -> None:
        async with socket(project, vera) as first:
            await until_watched(project)
            await store(project.id, trace_id)
            await heard(first, 2)
            async with socket(project, ben) as second:
                notices = await heard(second, 2)
                assert notices[1]["trace_id"] == trace_id.hex()

    asyncio.run(run())


def test_a_store_that_is_down_for_a_while_costs_only_time(
    store: EngineProcess, project: Project, vera: User
) -> None:
    trace_id = made.trace_id()

    async def story(communicator: WebsocketCommunicator) -> None:
        await until_watched(project)
        await sync_to_async(store.stop)()
        assert await communicator.receive_nothing(timeout=1)
        await sync_to_async(store.start)()
        await sync_to_async(made.stored)(made.span(project.id, trace_id))
        assert (await heard(communicator, 2))[1]["trace_id"] == trace_id.hex()

    follow(project, vera, story)


@pytest.mark.usefixtures("store")
def test_more_changes_than_one_look_takes_do_not_stop_the_cursor(project: Project) -> None:
    cursor = live._Cursor(project.id)
    assert cursor.advance() == []
    spans = [made.span(project.id, made.trace_id()) for _ in range(1200)]
    made.stored(*spans)
    assert cursor.advance()[0] == {"type": "traces", "count": 1200}
    last = made.stored(made.span(project.id, made.trace_id()))
    assert cursor.advance()[1:] == [{"type": "trace", "trace_id": last.hex()}]
    assert cursor.advance() == []
