"""Django's own log lines about requests, as an operator needs them.

A refusal (4xx) is an answer, not a failure: one line, no traceback. What broke (5xx) keeps its
traceback. Both carry the request id that the person sees on the error page.
"""

from __future__ import annotations

import logging

from django.http import HttpRequest


class RequestLines(logging.Filter):
    """Belongs on a handler: Django logs refusals under many names (`django.security.…`)."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if not isinstance(request, HttpRequest):
            return True
        request_id = getattr(request, "request_id", "-")
        record.msg = f"{record.getMessage()} request={request_id}"
        record.args = ()
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = None
            record.exc_text = None
        return True
