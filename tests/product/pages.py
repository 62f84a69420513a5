"""A browser without a screen: signs in through the form and gets pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx


def csrf_token(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found, "the page has no form of ours"
    return found.group(1)


@contextmanager
def sign_in(url: str, email: str, password: str) -> Iterator[httpx.Client]:
    """A client that keeps the session's cookie."""
    with httpx.Client(base_url=url, follow_redirects=True, timeout=30) as client:
        form = client.get("/accounts/login/")
        answer = client.post(
            "/accounts/login/",
            data={
                "csrfmiddlewaretoken": csrf_token(form.text),
                "login": email,
                "password": password,
            },
            headers={"Referer": f"{url}/accounts/login/"},
        )
        assert answer.status_code == 200, answer.text[:500]
        assert "traceroot_session" in client.cookies, "signing in failed"
        yield client
