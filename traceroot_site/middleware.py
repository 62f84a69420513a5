"""What every answer of the site gets: a request id, and no place in a cache when it is personal."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import has_vary_header

from traceroot_site import errors

_ACCEPTABLE = re.compile(r"^[A-Za-z0-9_-]{8,64}$")
_Next = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class _Middleware:
    """`before` and `after` an answer, without a change of thread for sync and async views alike."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Next) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        self.before(request)
        if self._is_async:
            return self._answer(request)
        response = self.get_response(request)
        assert isinstance(response, HttpResponseBase)
        self.after(request, response)
        return response

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        pending = self.get_response(request)
        assert isinstance(pending, Awaitable)
        response = await pending
        self.after(request, response)
        return response

    def before(self, request: HttpRequest) -> None:
        pass

    def after(self, request: HttpRequest, response: HttpResponseBase) -> None:
        pass


class RequestIdMiddleware(_Middleware):
    """In the log, on every error page, in the answer's header."""

    def before(self, request: HttpRequest) -> None:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _ACCEPTABLE.match(given) else secrets.token_hex(8)
        request.request_id = request_id  # type: ignore[attr-defined]

    def after(self, request: HttpRequest, response: HttpResponseBase) -> None:
        response["X-Request-Id"] = request.request_id  # type: ignore[attr-defined]


class NoStoreMiddleware(_Middleware):
    """What depends on who asks stays out of every cache, the browser's own included.

    Else “Back” shows traces after sign-out, and a proxy one member's page to another. An answer
    depends on the person when the session was read for it (Django then says `Vary: Cookie`), and on
    the program when the request came with a key. Static files and health checks do neither.
    """

    def after(self, request: HttpRequest, response: HttpResponseBase) -> None:
        is_personal = has_vary_header(response, "Cookie") or "Authorization" in request.headers
        if is_personal and "no-store" not in response.get("Cache-Control", ""):
            response["Cache-Control"] = "private, no-store"


class MethodPageMiddleware(_Middleware):
    """A page for a refused method, where a view answers with the status alone.

    A form that was sent back leaves its address behind, and Enter there opens it.
    """

    async def _answer(self, request: HttpRequest) -> HttpResponseBase:
        pending = self.get_response(request)
        assert isinstance(pending, Awaitable)
        response = await pending
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            await sync_to_async(self.after)(request, response)  # the page asks the database
        return response

    def after(self, request: HttpRequest, response: HttpResponseBase) -> None:
        is_bare = isinstance(response, HttpResponse) and not response.content
        if is_bare and response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            page = errors.method_not_allowed(request)
            response.content = page.content  # type: ignore[attr-defined]  # is_bare
            response["Content-Type"] = page["Content-Type"]
