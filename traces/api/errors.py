"""Errors of the public API: `{"detail": string}`, whatever went wrong."""

from __future__ import annotations

import logging
from typing import Any

from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from traces.store.errors import QueryTooLarge, StoreError

log = logging.getLogger(__name__)
_NO_KEY = (
    "This needs an API key of the project, in the header “Authorization: Bearer tr-…”. "
    "Keys are made in the project's settings, under API keys."
)
_UNAVAILABLE = "The trace store cannot be reached at the moment. Try again in a few seconds."


class BadParameter(exceptions.APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "bad_parameter"


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's hook: one sentence under `detail`, never a list or an object."""
    if isinstance(error, QueryTooLarge):
        return Response({"detail": str(error)}, status=status.HTTP_422_UNPROCESSABLE_ENTITY)
    if isinstance(error, StoreError):
        log.warning("api.store_unavailable reason=%s", error)
        return Response(
            {"detail": _UNAVAILABLE},
            status=status.HTTP_503_SERVICE_UNAVAILABLE,
            headers={"Retry-After": "5"},
        )
    response = exception_handler(error, context)
    if response is not None:
        said = _NO_KEY if isinstance(error, exceptions.NotAuthenticated) else response.data
        response.data = {"detail": _sentence(said)}
    return response


def _sentence(data: Any) -> str:
    if isinstance(data, dict):
        if set(data) == {"detail"}:
            return str(data["detail"])
        return "; ".join(f"{key}: {_sentence(value)}" for key, value in data.items())
    if isinstance(data, list):
        return " ".join(_sentence(value) for value in data)
    return str(data)
