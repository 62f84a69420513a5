"""A secret that one request makes and one page shows, once.

It travels in a signed cookie which only that page gets and which it removes: the server keeps no
copy, and a reload shows it no more.
"""

from __future__ import annotations

from django.http import HttpResponse

from accounts.access import ProjectRequest

SECONDS = 60


def put(response: HttpResponse, request: ProjectRequest, name: str, value: str, page: str) -> None:
    """`page`: the path that shows it."""
    response.set_signed_cookie(
        name,
        value,
        salt=_salt(request, name),
        path=page,
        secure=request.is_secure(),
        httponly=True,
        samesite="Strict",
    )


def look(request: ProjectRequest, name: str) -> str | None:
    """None when there is nothing, it is old, or it was made for another person or project."""
    return request.get_signed_cookie(name, default=None, salt=_salt(request, name), max_age=SECONDS)


def remove(response: HttpResponse, request: ProjectRequest, name: str) -> None:
    """The answer to the page's own request takes the cookie away."""
    if name in request.COOKIES:
        response.delete_cookie(name, path=request.path, samesite="Strict")


def _salt(request: ProjectRequest, name: str) -> str:
    return f"accounts.{name}:{request.user.pk}:{request.project.pk}"
