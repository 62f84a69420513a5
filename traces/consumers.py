"""The socket of a project's pages: small notices out, at the pace the browser can take them.

Only members get in, and only while they are signed in. Notices wait, coalesced, until the browser
has given credit for the last ones, so that a slow one gets fewer, never late ones.
"""

from __future__ import annotations

import asyncio
import logging
from importlib import import_module
from typing import Any
from uuid import UUID

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError

from accounts.models import Membership
from traces import live

log = logging.getLogger(__name__)

_INTERVAL_SECONDS = 0.25
# A page gives no credit for what it does not show, and must not wait long for what it does.
_CREDIT_SECONDS = 1.5
_MAX_PENDING_TRACES = 200
NOT_ALLOWED = 4404
"""The browser need not try again."""
SESSION_ENDED = 4401
"""The browser tries once more: its cookie may name a new session, as after a change of password."""


class ProjectConsumer(AsyncJsonWebsocketConsumer):
    """`ws/projects/<uuid>/`; permission: traces.read."""

    required_permission = "traces.read"
    recheck_seconds = 15.0
    project_id: UUID

    async def connect(self) -> None:
        self.project_id = self.scope["url_route"]["kwargs"]["project_id"]
        self._pending: dict[str, live.Notice] = {}
        self._wake = asyncio.Event()
        self._credit = asyncio.Event()
        self._credit.set()
        self._tasks: list[asyncio.Task[None]] = []
        self._groups = [live.group(self.project_id)]
        if self._session_key:
            self._groups.append(live.session_group(self._session_key))
        await self.accept()
        if not await self._is_allowed():
            await self.close(code=NOT_ALLOWED)
            return
        for group in self._groups:
            await self.channel_layer.group_add(group, self.channel_name)
        live.join(self.project_id, self._take)
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._recheck())]

    async def disconnect(self, code: int) -> None:
        live.leave(self.project_id, self._take)
        for group in self._groups:
            await self.channel_layer.group_discard(group, self.channel_name)
        for task in self._tasks:
            task.cancel()

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Binary frames say nothing."""
        if text_data is not None:
            await super().receive(text_data=text_data)

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if isinstance(content, dict) and content.get("type") == "credit":
            self._credit.set()

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """What is not JSON says nothing; a browser that sends it keeps its socket."""
        try:
            return await super().decode_json(text_data[:1000])
        except (ValueError, RecursionError):
            return None

    async def notice(self, event: dict[str, Any]) -> None:
        """A notice from another stage, through the channel layer."""
        self._take(event["notice"])

    async def session_ended(self, event: dict[str, Any]) -> None:
        """The person signed out, in this tab or another one."""
        await self.close(code=SESSION_ENDED)

    def _take(self, notice: live.Notice) -> None:
        key = f"{notice['type']}:{notice.get('trace_id', '')}{notice.get('session_id', '')}"
        if len(self._pending) < _MAX_PENDING_TRACES or key in self._pending:
            self._pending[key] = notice
        self._wake.set()

    async def _send(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            notices, self._pending = list(self._pending.values()), {}
            for notice in notices:
                self._credit.clear()
                await self.send_json(notice)
            try:
                await asyncio.wait_for(self._credit.wait(), _CREDIT_SECONDS)
            except TimeoutError:
                self._credit.set()  # a browser that never answers is served at this slow pace
            await asyncio.sleep(_INTERVAL_SECONDS)

    async def _recheck(self) -> None:
        """Who was removed, deactivated or signed out, or changed the password, loses the socket."""
        while True:
            await asyncio.sleep(self.recheck_seconds)
            try:
                code = await self._reason_to_close()
            except DatabaseError as error:
                log.warning("live.recheck_failed project=%s reason=%s", self.project_id, error)
                continue
            if code is not None:
                await self.close(code=code)
                return

    async def _reason_to_close(self) -> int | None:
        if not await self._is_signed_in():
            return SESSION_ENDED
        return None if await self._is_allowed() else NOT_ALLOWED

    @property
    def _session_key(self) -> str | None:
        """None where the server in front made the user known without a session."""
        session = self.scope.get("session")
        return session.session_key if session is not None else None

    async def _is_signed_in(self) -> bool:
        """As the stored session says now; the one in the scope was read when the socket opened."""
        if self._session_key is None:
            return True
        store = import_module(settings.SESSION_ENGINE).SessionStore(self._session_key)
        user = await get_user({"session": store})
        return bool(user.pk == self.scope["user"].pk)

    @database_sync_to_async
    def _is_allowed(self) -> bool:
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            return False
        membership = Membership.objects.filter(
            user_id=user.pk, user__is_active=True, organization__projects=self.project_id
        ).first()
        return membership is not None and membership.may("traces.read")
