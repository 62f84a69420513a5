"""A request id on every request: in the log, on every error page, in the answer's header."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_ACCEPTABLE = re.compile(r"^[A-Za-z0-9_-]{8,64}$")
_Next = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class RequestIdMiddleware:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _ACCEPTABLE.match(given) else secrets.token_hex(8)
        request.request_id = request_id  # type: ignore[attr-defined]
        if self._is_async:
            return self._answer(request, request_id)
        response = self.get_response(request)
        assert isinstance(response, HttpResponseBase)
        response["X-Request-Id"] = request_id
        return response

    async def _answer(self, request: HttpRequest, request_id: str) -> HttpResponseBase:
        pending = self.get_response(request)
        assert isinstance(pending, Awaitable)
        response = await pending
        response["X-Request-Id"] = request_id
        return response
