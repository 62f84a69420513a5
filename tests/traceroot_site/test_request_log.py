"""What an operator finds in the log about requests."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from accounts.models import Project, User
from tests.cast import SignIn
from traceroot_site import errors
from traceroot_site.request_log import RequestLines


def broken(request: HttpRequest) -> HttpResponse:
    raise ArithmeticError("a mistake of ours, 100 % ours")


urlpatterns = [path("broken/", broken)]
handler500 = errors.server_error


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the configured handler writes."""
    [handler] = [
        handler
        for handler in logging.getLogger().handlers
        if any(isinstance(one, RequestLines) for one in handler.filters)
    ]
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


def test_a_refusal_is_one_line_with_the_request_id(
    log: io.StringIO, sign_in: SignIn, project: Project, vera: User, mallory: User
) -> None:
    keys = f"/projects/{project.id}/settings/keys/"
    for who, status in ((vera, 403), (mallory, 404)):
        log.truncate(0)
        log.seek(0)
        answer = sign_in(who).get(keys)
        assert answer.status_code == status
        [line] = log.getvalue().splitlines()
        assert keys in line
        assert line.endswith(f"request={answer['X-Request-Id']}")


def test_a_strange_host_is_one_line_too(log: io.StringIO) -> None:
    answer = Client().get("/livez/nothing", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    lines = log.getvalue().splitlines()
    assert all(f"request={answer['X-Request-Id']}" in line for line in lines)
    assert "Traceback" not in log.getvalue()


@override_settings(ROOT_URLCONF=__name__)
def test_what_broke_keeps_its_traceback_and_gets_the_id(log: io.StringIO, db: None) -> None:
    answer = Client(raise_request_exception=False).get("/broken/")
    assert answer.status_code == 500
    assert "ArithmeticError: a mistake of ours, 100 % ours" in log.getvalue()
    assert f"request={answer['X-Request-Id']}" in log.getvalue()
