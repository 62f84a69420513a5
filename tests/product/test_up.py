"""`manage.py up`: what it says, what it survives, how it stops."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.product import otlp, pages, processes, running
from tests.product.running import MANAGE, Product
from tests.product.senders import Senders
from tests.product.waiting import until
from traceroot_site.up import preflight
from traces import first_trace

pytestmark = pytest.mark.xdist_group("product")
RECEIVERS = min(2, os.cpu_count() or 1)
ROLES = sorted(["engine", *["receiver"] * RECEIVERS, "up", "web"])
STOP_SECONDS = 5.0


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other_program:
        other_program.bind(("127.0.0.1", 0))
        other_program.listen()
        yield other_program.getsockname()[1]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "traceroot-test", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_the_first_start_says_all_that_a_newcomer_needs(product: Product) -> None:
    said = product.printed
    for step in ("Trace store", "Database", "Trace tables", "Receiver", "Web, worker and schedule"):
        assert f"{step} … ready (" in said
    assert product.email == "admin@traceroot.local"
    assert product.password
    assert product.project_id
    assert product.api_key.startswith("tr-")
    assert f"\n{first_trace.with_sdk(product.url, product.api_key)}\n" in said
    assert str(product.data_dir) in said
    assert _roles(product) == ROLES


def test_health_of_web_and_receiver_is_json(product: Product) -> None:
    for url in (product.url, product.otlp_url):
        live = httpx.get(f"{url}/livez")
        assert (live.status_code, live.json()) == (200, {"status": "ok"})
        ready = httpx.get(f"{url}/readyz")
        assert ready.status_code == 200
        assert ready.json()["status"] == "ok"
        assert {name: check["status"] for name, check in ready.json()["checks"].items()} == {
            "database": "ok",
            "trace_store": "ok",
            "disk": "ok",
        }


def test_a_second_start_says_what_runs_and_where(product: Product) -> None:
    again = running.manage("up", "--port", "9", env=product.environment)
    assert again.returncode == 0
    assert "Port 9 was not taken" in again.stdout
    assert f"already running in {product.data_dir}: {product.url}" in again.stdout
    assert product.otlp_url in again.stdout
    assert str(product.process.pid) in again.stdout
    assert httpx.get(f"{product.url}/livez").status_code == 200


def test_everything_listens_on_loopback_only(product: Product) -> None:
    found = {processes.role(pid): set(processes.listening_addresses(pid)) for pid in product.pids}
    assert all(found.values()), found
    assert set.union(*found.values()) == {"127.0.0.1"}


def test_what_is_written_is_for_its_owner_only(product: Product) -> None:
    """Whatever the umask of the shell: the product was started with the usual 0022."""
    places = [product.data_dir, *product.data_dir.rglob("*")]
    names = {path.name for path in places}
    assert {"traceroot.sqlite3", "up.json", "engine.json", "web.log", "secret-key"} <= names
    assert [path for path in places if _mode(path) & 0o077] == []


def test_files_of_an_earlier_start_are_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    old = [tmp_path / "traceroot.sqlite3", tmp_path / "logs" / "web.log"]
    for path in old:
        path.write_text("of before")
        path.chmod(0o644)
    preflight.prepare_directory(tmp_path)
    assert [_mode(path) for path in (tmp_path, *old)] == [0o700, 0o600, 0o600]


def test_idle_memory_is_below_its_limit(product: Product) -> None:
    used = {processes.role(pid): processes.pss_bytes(pid) for pid in product.pids}
    assert sum(used.values()) < 900 * 1024**2, used


def test_memory_of_large_reads_is_given_back(product: Product) -> None:
    """A trace of 10,000 spans and 50 MB, its page and its export: several hundred MB meanwhile."""
    trace_id = otlp.new_trace_id()
    for part in range(4):
        spans = [
            otlp.span(trace_id, f"step {part}.{number}", input__value="x" * 4_000, note="y" * 1_000)
            for number in range(2_500)
        ]
        assert otlp.post(product.url, product.api_key, otlp.request(*spans)).status_code == 200
    web = product.pid("web")
    before = processes.pss_bytes(web)
    with pages.sign_in(product.url, product.email, product.password) as browser:
        for _ in range(3):
            page = browser.get(f"/projects/{product.project_id}/traces/{trace_id}/")
            assert page.status_code == 200
    for _ in range(2):
        assert product.api(f"traces/{trace_id}/export").status_code == 200
    until(
        lambda: processes.pss_bytes(web) < before + 64 * 1024**2,
        f"web at {before // 1024**2} MB or little more again",
        seconds=40,
    )


@pytest.mark.parametrize("role", ["engine", "receiver", "web"])
def test_a_killed_process_is_started_again(product: Product, role: str) -> None:
    before = product.pid(role)
    os.kill(before, signal.SIGKILL)
    until(lambda: _roles(product) == ROLES and before not in product.pids, f"another {role}")
    for url in (product.url, product.otlp_url):
        until(lambda url=url: _is_ready(url), f"{role} at work again", seconds=30)  # type: ignore[misc]
    said = f"{_title(role)} ended with code -9"
    until(lambda: said in product.printed, said)


def test_a_killed_trace_store_is_a_few_clear_lines(product: Product) -> None:
    logs = [product.data_dir / "logs" / f"{name}.log" for name in ("web", "receiver")]
    before = [len(log.read_text()) for log in logs]
    senders = Senders([product.otlp_url, product.url], product.api_key)
    senders.start(2)
    killed = product.pid("engine")
    os.kill(killed, signal.SIGKILL)
    until(lambda: product.pid("engine") not in {0, killed}, "another engine", seconds=20)
    until(lambda: _is_ready(product.url) and _is_ready(product.otlp_url), "work again", seconds=30)
    senders.stop()
    assert senders.acknowledged
    assert not senders.unexpected
    fresh = [log.read_text()[size:] for log, size in zip(logs, before, strict=True)]
    away = "engine.away reason=The trace store cannot be reached: "
    assert any(away in text for text in fresh), fresh
    # Without the answers to our own questions whether it is ready.
    lines = [line for text in fresh for line in text.splitlines() if " /readyz " not in line]
    assert [line for line in lines if not re.match(r"\d{4}-\d\d-\d\d ", line)] == [], "a traceback"
    assert [line for line in lines if len(line) > 200 or " ERROR " in line] == []
    assert len([line for line in lines if " WARNING " in line]) <= 12, lines


def test_both_signals_stop_all_of_it_at_once(directory: Path, taken_port: int) -> None:
    first = running.start(directory)
    try:
        code, seconds = first.stop(signal.SIGTERM)
        assert (code, first.pids) == (0, [])
        assert seconds < STOP_SECONDS
    finally:
        first.destroy()

    second = running.start(directory, more_environment={"TRACEROOT_OTLP_PORT": str(taken_port)})
    try:
        assert "This is the first start" not in second.printed
        assert f"Port {taken_port}, for OTLP, is in use" in second.printed
        assert "TRACEROOT_OTLP_PORT" in second.printed
        assert second.otlp_url == second.url
        assert httpx.post(f"{second.url}/v1/traces").status_code == 401
        with pages.sign_in(second.url, first.email, first.password) as browser:
            start = browser.get(f"/projects/{first.project_id}/getting-started/").text
        assert f"export OTEL_EXPORTER_OTLP_ENDPOINT={second.url}\n" in start
        code, seconds = second.stop(signal.SIGINT)
        assert (code, second.pids) == (0, [])
        assert seconds < STOP_SECONDS
    finally:
        second.destroy()
    assert "Traceback" not in first.printed + second.printed
    for log in (directory / "logs").iterdir():
        assert "Traceback" not in log.read_text(), log


def test_a_signal_in_the_middle_of_the_start_stops_it_too(directory: Path) -> None:
    with subprocess.Popen(
        [sys.executable, str(MANAGE), "up"],
        env=running.environment(directory),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as starting:
        assert starting.stdout is not None
        assert "Trace store" in starting.stdout.readline()
        starting.send_signal(signal.SIGTERM)
        said = starting.stdout.read()
        assert starting.wait(20) == 0
    assert "TraceRoot is running" not in said
    assert processes.of_session(starting.pid) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_anything_is_loaded_ends_it_too(
    directory: Path, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, str(MANAGE), "up"],
        env=running.environment(directory),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as starting:
        assert starting.stdout is not None
        while not processes.catches(starting.pid, signal.SIGHUP):  # the last that it attends to
            assert not processes.is_over(starting)
        starting.send_signal(number)
        said = starting.stdout.read()
        assert (starting.wait(20), said) == (0, "")
    assert not (directory / "run").exists(), "it came too late to say something of the beginning"


def test_output_that_nobody_reads_any_more_ends_nothing(directory: Path) -> None:
    """As `up | head -1` does it. It listens everywhere, which nobody can open as an address."""
    errors = directory.parent / f"{directory.name}.err"
    with errors.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, str(MANAGE), "up", "--host", "0.0.0.0"],
            env=running.environment(directory),
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        until(lambda: "url" in _up_file(directory), "the product", seconds=60)
        url = _up_file(directory)["url"]
        assert url.startswith("http://localhost:")
        assert httpx.get(f"{url}/readyz").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        processes.kill_all(process.pid)
        process.wait(10)
    assert "Traceback" not in errors.read_text()


def _up_file(directory: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((directory / "run" / "up.json").read_text())
    except (OSError, ValueError):
        return {}
    return content


def test_a_killed_supervisor_leaves_nothing_and_the_next_start_works(directory: Path) -> None:
    first = running.start(directory)
    fixed = {
        "TRACEROOT_PORT": first.url.rpartition(":")[2],
        "TRACEROOT_OTLP_PORT": first.otlp_url.rpartition(":")[2],
    }
    first.process.kill()
    first.process.wait()
    began = time.monotonic()
    # At once, on the same ports and directory, while the orphans are still ending.
    second = running.start(directory, more_environment=fixed)
    try:
        assert (second.url, second.otlp_url) == (first.url, first.otlp_url)
        until(lambda: not first.pids, "the orphans' end", seconds=5 - (time.monotonic() - began))
        until(lambda: _is_ready(second.otlp_url), "an answer", seconds=5)
        assert second.stop()[0] == 0
    finally:
        first.destroy()
        second.destroy()


def test_pages_port_in_use(directory: Path, taken_port: int) -> None:
    said = running.start_fails(directory, "--port", str(taken_port))
    assert f"Port {taken_port}, for the pages, is in use" in said
    assert "--port or TRACEROOT_PORT" in said


def test_a_file_where_the_data_directory_should_be(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    (tmp_path / "logs-taken").mkdir()
    logs = tmp_path / "logs-taken" / "logs"
    logs.write_text("in the way")
    for place, culprit in ((file, file), (file / "data", file), (logs.parent, logs)):
        said = running.start_fails(place)
        assert f"{place} cannot be the data directory: {culprit} is a file. Move that away" in said
        assert "--data-dir or TRACEROOT_DATA_DIR" in said
        assert "owner" not in said


def test_read_only_data_directory(small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    said = running.start_fails(small_disk)
    assert f"Cannot write to the data directory {small_disk}: Read-only file system" in said


def test_almost_full_disk(small_disk: Path) -> None:
    said = running.start_fails(small_disk)
    assert f"The disk of {small_disk} is almost full" in said
    assert "--data-dir" in said


def test_full_disk_leaves_no_half_written_secret(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "filling").write_bytes(bytes(2 * 1024**2))
    said = running.start_fails(small_disk)
    assert f"The disk of {small_disk} is full" in said
    assert not (small_disk / "secret-key").exists()


def test_an_old_python_is_told_so() -> None:
    old = _old_python()
    done = subprocess.run([old, str(MANAGE), "up"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("TraceRoot needs Python 3.11 or newer; this is 3.")
    assert "Traceback" not in done.stderr


def _old_python() -> str:
    versions = (Path.home() / ".pyenv" / "versions").glob("3.*/bin/python")
    on_path = (shutil.which(f"python3.{minor}") for minor in range(6, 11))
    for candidate in (*map(str, versions), *filter(None, on_path)):
        ask = [candidate, "-c", "import sys; sys.exit(not (3, 6) <= sys.version_info < (3, 11))"]
        if subprocess.run(ask, capture_output=True, check=False).returncode == 0:
            return candidate
    pytest.skip("no Python older than 3.11 is here")


def _mode(path: Path) -> int:
    """0 for what has gone meanwhile and for links, whose mode says nothing."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return 0
    return 0 if stat.S_ISLNK(mode) else stat.S_IMODE(mode)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _roles(product: Product) -> list[str]:
    return sorted(processes.role(pid) for pid in product.pids)


def _title(role: str) -> str:
    return "The trace store" if role == "engine" else role
