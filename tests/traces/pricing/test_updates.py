"""A new price map: fetched for real, checked before it counts, taken up without a restart."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from traces import pricing
from traces.models import InstalledPriceMap
from traces.pricing import book, bundled, stored, updates
from traces.pricing.updates import BadUpdate

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def newer(**entries: Any) -> bytes:
    """The bundled map with a model more, one dearer and one gone."""
    content = json.loads(bundled.content())
    del content["gpt-3.5-turbo"]
    content["gpt-4o"]["input_cost_per_token"] = 5e-6
    content["brand-new"] = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
    content.update(entries)
    return json.dumps(content).encode()


class Publisher(ThreadingHTTPServer):
    """A web server that publishes one file, or says 500."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.content: bytes | None = newer()
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/map.json"


class _Answer(BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        self.server.asked.append(self.headers["User-Agent"])
        content = self.server.content
        self.send_response(200 if content is not None else 500)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *args: Any) -> None:
        """Tests have no use for it."""


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    server = Publisher()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("update_prices", *arguments, stdout=out)
    return out.getvalue()


def test_the_published_map_is_fetched_and_in_force_at_once(publisher: Publisher) -> None:
    assert pricing.find("brand-new") is None
    said = run("--url", publisher.url)
    assert publisher.asked == ["traceroot"]
    assert "1 added" in said
    assert "brand-new: no price → $1 in, $2 out" in said
    assert "1 removed" in said
    assert "1 changed" in said
    assert "gpt-4o: $2.5 in, $10 out → $5 in, $10 out" in said
    found = pricing.find("brand-new")
    assert found is not None
    row = InstalledPriceMap.objects.get()
    assert row.version == pricing.version() == f"litellm {datetime.now(UTC):%Y-%m-%d} {_hash()}"
    assert row.source == publisher.url


def _hash() -> str:
    import hashlib

    return hashlib.sha256(newer()).hexdigest()[:8]


def test_the_same_map_again_changes_nothing(publisher: Publisher) -> None:
    run("--url", publisher.url)
    assert run("--url", publisher.url).startswith("Nothing to do")
    assert InstalledPriceMap.objects.count() == 1


def test_the_map_of_the_package_is_in_force_without_any(tmp_path: Path) -> None:
    file = tmp_path / "map.json"
    file.write_bytes(bundled.content())
    assert run("--file", str(file)).startswith("Nothing to do")
    assert pricing.version() == bundled.version()


def test_a_dry_run_installs_nothing(publisher: Publisher) -> None:
    assert "Would install" in run("--url", publisher.url, "--dry-run")
    assert not InstalledPriceMap.objects.exists()


def test_the_map_of_the_package_comes_back_when_asked_for(publisher: Publisher) -> None:
    run("--url", publisher.url)
    run("--bundled")
    assert pricing.find("brand-new") is None
    assert pricing.find("gpt-3.5-turbo") is not None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>Not found</html>", "is a JSON object"),
        (b"{}", "no price map"),
        (b'{"m": {"input_cost_per_token": 1}}', "no price map"),
        (newer()[: len(newer()) // 2], "is a JSON object"),
        (newer(dear={"input_cost_per_token": 2.5, "output_cost_per_token": 1}), "cannot be"),
        (
            json.dumps({f"m{n}": {"input_cost_per_token": 1e-6} for n in range(5000)}).encode(),
            "It lacks",
        ),
    ],
)
def test_nonsense_is_refused_and_the_old_prices_stay(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    file = tmp_path / "map.json"
    file.write_bytes(content)
    with pytest.raises(CommandError, match=reason):
        run("--file", str(file))
    assert not InstalledPriceMap.objects.exists()
    assert pricing.version() == bundled.version()


def test_what_cannot_be_had_says_why(publisher: Publisher, tmp_path: Path) -> None:
    publisher.content = None
    with pytest.raises(CommandError, match="500"):
        run("--url", publisher.url)
    with pytest.raises(CommandError, match="no https address"):
        run("--url", "file:///etc/passwd")
    with pytest.raises(CommandError, match="No such file"):
        run("--file", str(tmp_path / "none.json"))


def test_a_file_that_is_too_large_is_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "MAX_BYTES", 1000)
    file = tmp_path / "map.json"
    file.write_bytes(b"x" * 1001)
    with pytest.raises(BadUpdate, match="more than 1,000 bytes"):
        updates.read(file)


def test_an_earlier_map_still_explains_what_it_priced() -> None:
    first = updates.install(newer(), "first", NOW)
    updates.install(newer(other={"input_cost_per_token": 1e-6}), "second", NOW + timedelta(days=1))
    stored.forget()
    old = stored.price_map(first.version)
    assert old is not None
    assert old.find("brand-new") is not None
    assert stored.price_map("litellm 0.0.1") is None
    assert [since for since, _ in stored.maps()] == [
        stored.in_ns(NOW + timedelta(days=1)),
        stored.in_ns(NOW),
        0,
    ]


@pytest.mark.django_db(transaction=True)
def test_another_process_takes_it_up_while_spans_come(settings: Settings) -> None:
    """What this process would see of an installation by another: rows, and nothing else."""
    settings.PRICES_REFRESH_SECONDS = 1
    assert pricing.find("brand-new") is None
    import zlib

    InstalledPriceMap.objects.create(
        version="litellm 2026-06-01 abcd",
        source="elsewhere",
        entries=1,
        content=zlib.compress(newer()),
    )
    deadline = time.monotonic() + 20
    while book.current().quote(uuid4(), "brand-new", "", 1).price is None:
        assert time.monotonic() < deadline, "the new map was not taken up"
        time.sleep(0.05)
    assert pricing.version() == "litellm 2026-06-01 abcd"
    assert pricing.find("gpt-4o") is not None
    assert Decimal("0.000005") == pricing.find("gpt-4o").base.input  # type: ignore[union-attr]
