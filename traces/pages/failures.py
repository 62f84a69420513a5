"""What a page shows when the trace store cannot answer: a designed page or panel, no traceback."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http import HttpResponse
from django.shortcuts import render

from traces.store.errors import QueryTooLarge, StoreError

log = logging.getLogger(__name__)
_View = TypeVar("_View", bound=Callable[..., Any])


def store_page(view: _View) -> _View:
    """For views that read traces: 503 (or 422 for a question that is too large) in our design."""

    @wraps(view)
    def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return view(request, *args, **kwargs)
        except QueryTooLarge as error:
            return _failed(request, 422, "This is too much for one page", str(error))
        except StoreError as error:
            log.warning("pages.store_unavailable path=%s reason=%s", request.path, error)
            return _failed(
                request,
                503,
                "The trace store does not answer",
                "Nothing is lost: what was accepted is stored. Try again in a few seconds.",
            )

    result: Any = guarded
    found: _View = result
    return found


def _failed(request: Any, status: int, title: str, text: str) -> HttpResponse:
    context = {
        "title": title,
        "text": text,
        "request_id": getattr(request, "request_id", ""),
        "retry_url": request.get_full_path(),
    }
    is_panel = bool(request.headers.get("HX-Request"))
    template = "components/error.html" if is_panel else "traces/failed.html"
    response = render(request, template, context, status=status)
    if status == 503:
        response["Retry-After"] = "5"
    return response
