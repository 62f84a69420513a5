"""Designed error pages: what happened, what to do, and the request id to quote."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render


def _page(request: HttpRequest, status: int, reason: str = "") -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": reason or _DETAILS[status]}, status=status)
    return render(
        request,
        f"errors/{status}.html",
        {"request_id": getattr(request, "request_id", ""), "reason": reason},
        status=status,
    )


_DETAILS = {
    400: "The request could not be understood.",
    403: "This is not allowed for you.",
    404: "There is nothing at this address.",
    405: "This address does not take that method.",
    429: "Too many requests in a short time. Wait as long as Retry-After says and try again.",
    500: "Something went wrong on our side.",
    503: "The trace store cannot be reached at the moment. Try again in a few seconds.",
}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 403, reason=str(exception or ""))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(
        request, "403_csrf.html", {"request_id": getattr(request, "request_id", "")}, status=403
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, 404)


def method_not_allowed(request: HttpRequest) -> HttpResponse:
    """Without `Allow`, which the answer that it stands for has."""
    return _page(request, 405)


def too_many_requests(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """`Retry-After`: a minute, the period of most limits; who knows better replaces it."""
    response = _page(request, 429)
    response["Retry-After"] = "60"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(request, 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    response = _page(request, 503)
    response["Retry-After"] = "5"
    return response
