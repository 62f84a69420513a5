"""Limits hold while a body arrives, on the receiver and on the web process alike."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from tests.product import pages, processes, running, waiting
from tests.product.running import Product

pytestmark = pytest.mark.xdist_group("body limits")
SECONDS = 2
MIB = 1024**2
CHUNK = b"10000\r\n" + b"x" * 65_536 + b"\r\n"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    directory = tmp_path_factory.mktemp("impatient") / "data"
    more = {"TRACEROOT_INGEST_BODY_SECONDS": str(SECONDS)}
    product = running.start(directory, more_environment=more)
    yield product
    product.destroy()


@pytest.fixture(params=["web", "receiver"])
def url(request: pytest.FixtureRequest, impatient: Product) -> str:
    return impatient.url if request.param == "web" else impatient.otlp_url


def opened(url: str, key: str, *headers: str, path: str = "/v1/traces") -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=20)
    lines = [
        f"POST {path} HTTP/1.1",
        "host: localhost",
        f"authorization: Bearer {key}",
        "content-type: application/x-protobuf",
        *headers,
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def answer(connection: socket.socket) -> tuple[int, str]:
    """Status and message; the connection is closed after it, or would be kept."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65_536)
        assert piece, received
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(lines[b"content-length"]):
        body += connection.recv(65_536)
    return int(head.split()[1]), str(Status.FromString(body).message)


def resident_bytes(product: Product) -> int:
    return sum(processes.pss_bytes(pid) for pid in product.pids)


def test_a_declared_size_is_refused_before_the_body(impatient: Product, url: str) -> None:
    with opened(url, impatient.api_key, f"content-length: {400 * MIB}") as connection:
        status, message = answer(connection)
    assert status == 413
    assert message == "Too large: more than 16777216 bytes. Send smaller batches."


def test_an_endless_body_takes_no_memory(impatient: Product, url: str) -> None:
    before = resident_bytes(impatient)
    with opened(url, impatient.api_key, "transfer-encoding: chunked") as connection:
        sent = 0
        try:
            while sent < 400 * MIB:
                connection.sendall(CHUNK)
                sent += 65_536
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            pass  # left alone, which is as good
        assert sent > 16 * MIB
    assert resident_bytes(impatient) - before < 120 * MIB
    assert httpx.get(f"{url}/livez").status_code == 200


def test_a_chunked_body_over_the_limit_is_told_so(impatient: Product, url: str) -> None:
    with opened(url, impatient.api_key, "transfer-encoding: chunked") as connection:
        for _ in range(17 * 16):
            connection.sendall(CHUNK)
        assert answer(connection)[0] == 413


def test_a_body_that_does_not_come_is_given_up(impatient: Product, url: str) -> None:
    began = time.monotonic()
    with opened(url, impatient.api_key, "transfer-encoding: chunked") as connection:
        connection.sendall(b"1\r\nx\r\n")
        status, message = answer(connection)
    assert (status, message) == (408, f"The body did not arrive within {SECONDS} seconds.")
    assert SECONDS <= time.monotonic() - began < SECONDS + 5


def test_a_slow_but_honest_sender_is_served(impatient: Product, url: str, tmp_path: Path) -> None:
    with opened(url, impatient.api_key, "transfer-encoding: chunked") as connection:
        for piece in (b"2\r\n\n\0\r\n", b"0\r\n\r\n"):
            time.sleep(0.3)
            connection.sendall(piece)
        assert answer(connection) == (200, "")


def test_whoever_has_a_good_key_sees_on_its_page_what_was_refused_early(
    impatient: Product, url: str
) -> None:
    made = impatient.create_project("Acme", f"Early {urlsplit(url).port}", impatient.email)
    key = made["api_key"]
    with opened(url, key, f"content-length: {400 * MIB}") as connection:
        assert answer(connection)[0] == 413
    with opened(url, "tr-unknown", f"content-length: {400 * MIB}") as connection:
        assert answer(connection)[0] in {401, 413}
    with opened(url, key, "transfer-encoding: chunked") as connection:
        connection.sendall(b"1\r\nx\r\n")
        assert answer(connection)[0] == 408

    def shown(browser: httpx.Client) -> str:
        page = browser.get(f"/projects/{made['project_id']}/ingest/").text
        return page if "request, 413" in page and "request, 408" in page else ""

    with pages.sign_in(impatient.url, impatient.email, impatient.password) as browser:
        page = waiting.until(lambda: shown(browser), "the refusals on the page")
    assert "Too large: more than 16777216 bytes. Send smaller batches." in page
    assert f"The body did not arrive within {SECONDS} seconds." in page
    assert "create_project" in page  # the name of the key


def test_pages_have_the_limit_too(impatient: Product) -> None:
    more = f"content-length: {400 * MIB}"
    with opened(impatient.url, "", more, path="/accounts/login/") as connection:
        assert answer(connection)[0] == 413
