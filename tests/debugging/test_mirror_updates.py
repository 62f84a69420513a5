"""Mirrors hold what their source had; what fails, is too large or is stopped leaves them as they
were."""

from __future__ import annotations

import base64
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from debugging import git, mirror_updates
from debugging.mirror_limits import MirrorTooLarge
from debugging.mirror_locks import MirrorBusy
from debugging.mirror_updates import AccessRefused
from debugging.mirrors import EmptyRepository, Mirror
from debugging.origins import RemoteSource, SourceRules, check_source
from tests.debugging import git_server
from tests.debugging.git_server import GitServer
from tests.debugging.histories import History
from tests.debugging.processes import processes_with


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "roots" / "repo")
    for number in range(4):
        made.commit(f"Commit {number}", {"a.py": f"x = {number}\n"})
    return made


def rules(history: History) -> SourceRules:
    return SourceRules(allowed_roots=(history.directory.parent,))


def fetched(history: History, tmp_path: Path, wanted: str | None = None) -> Mirror:
    source = check_source(str(history.directory), rules(history))
    return mirror_updates.fetch(source, tmp_path / "mirrors", wanted=wanted)


def test_mirror_follows_its_source(history: History, tmp_path: Path) -> None:
    mirror = fetched(history, tmp_path)
    assert mirror.default_branch() == "main"
    assert git.resolve(mirror.directory, "main") == history.shas[-1]
    newer = history.commit("Newer", {"a.py": "new\n"})
    history.git("branch", "gone")
    assert git.resolve(fetched(history, tmp_path).directory, "main") == newer
    history.git("branch", "-D", "gone")
    again = fetched(history, tmp_path)
    with pytest.raises(git.UnknownRevision):
        git.resolve(again.directory, "refs/heads/gone")
    assert len(list((tmp_path / "mirrors").glob("*.git"))) == 1


def test_a_wanted_commit_on_no_branch_is_fetched(history: History, tmp_path: Path) -> None:
    history.git("checkout", "-q", "--detach")
    loose = history.commit("Loose", {"a.py": "loose\n"})
    history.git("checkout", "-q", "main")
    mirror = fetched(history, tmp_path, wanted=loose)
    resolved = mirror.resolve(loose)
    assert resolved.commit == loose
    assert resolved.drift is None


def test_a_wanted_commit_nobody_has_leaves_a_usable_mirror(
    history: History, tmp_path: Path
) -> None:
    mirror = fetched(history, tmp_path, wanted="e" * 40)
    assert mirror.resolve("e" * 40).drift is not None


def test_a_too_large_repository_leaves_nothing(history: History, tmp_path: Path) -> None:
    history.commit("Large", {"blob": os.urandom(4_000_000)})
    source = check_source(str(history.directory), rules(history))
    with pytest.raises(MirrorTooLarge, match="larger than"):
        mirror_updates.fetch(source, tmp_path / "mirrors", size_limit_bytes=1_000_000)
    assert not list((tmp_path / "mirrors").glob("*.git"))
    assert not list((tmp_path / "mirrors").glob("*.partial-*"))


def test_two_at_once_make_one_mirror(history: History, tmp_path: Path) -> None:
    found: list[Mirror] = []
    threads = [
        threading.Thread(target=lambda: found.append(fetched(history, tmp_path))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({one.directory for one in found}) == 1


def test_a_held_lock_is_waited_for_and_then_said(history: History, tmp_path: Path) -> None:
    mirror = fetched(history, tmp_path)
    with mirror.directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        source = check_source(str(history.directory), rules(history))
        with pytest.raises(MirrorBusy, match="another process"):
            mirror_updates.fetch(source, tmp_path / "mirrors", lock_timeout_seconds=0.2)


def test_an_update_that_is_too_large_leaves_the_mirror_as_it_was(
    history: History, tmp_path: Path
) -> None:
    mirror = fetched(history, tmp_path)
    before = sizes(mirror.directory)
    history.commit("Large", {"blob": os.urandom(4_000_000)})
    source = check_source(str(history.directory), rules(history))
    with pytest.raises(MirrorTooLarge, match="larger than 1 MB"):
        mirror_updates.fetch(source, tmp_path / "mirrors", size_limit_bytes=1_000_000)
    assert git.resolve(mirror.directory, "main") == history.shas[-2]
    assert sizes(mirror.directory) == before
    assert git.resolve(fetched(history, tmp_path).directory, "main") == history.shas[-1]


def test_a_wanted_commit_that_is_too_large_is_not_kept(history: History, tmp_path: Path) -> None:
    mirror = fetched(history, tmp_path)
    before = sizes(mirror.directory)
    history.git("checkout", "-q", "--detach")
    loose = history.commit("Loose", {"blob": os.urandom(4_000_000)})
    history.git("checkout", "-q", "main")
    source = check_source(str(history.directory), rules(history))
    with pytest.raises(MirrorTooLarge):
        mirror_updates.fetch(source, tmp_path / "mirrors", wanted=loose, size_limit_bytes=1_000_000)
    assert not mirror.holds(loose)
    assert sizes(mirror.directory / "objects" / "pack") == {
        name: size for name, size in before.items() if "pack-" in name
    }


def test_what_a_killed_git_left_behind_stops_no_later_update(
    history: History, tmp_path: Path
) -> None:
    mirror = fetched(history, tmp_path)
    (mirror.directory / "packed-refs.lock").touch()
    (mirror.directory / "refs" / "heads" / "main.lock").touch()
    half = mirror.directory / "objects" / "pack" / "tmp_pack_abc"
    half.write_bytes(b"half")
    newer = history.commit("Newer", {"a.py": "new\n"})
    assert git.resolve(fetched(history, tmp_path).directory, "main") == newer
    assert not half.exists()


def test_an_empty_repository_is_fetched_and_has_no_commit(tmp_path: Path) -> None:
    empty = History(tmp_path / "roots" / "empty")
    with pytest.raises(EmptyRepository, match="no commits"):
        fetched(empty, tmp_path).resolve(None)


class Stopped(Exception):
    """What a watch of these tests raises."""


def test_a_stopped_wait_for_the_lock_ends_at_once(history: History, tmp_path: Path) -> None:
    mirror = fetched(history, tmp_path)

    def stop() -> None:
        raise Stopped

    with mirror.directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        source = check_source(str(history.directory), rules(history))
        with pytest.raises(Stopped):
            mirror_updates.fetch(source, tmp_path / "mirrors", stop_watch=stop)


OPEN = SourceRules(allow_private_addresses=True, allow_http=True)


@pytest.fixture
def server(history: History) -> Iterator[GitServer]:
    with git_server.running(history.directory.parent, "ghs_secret") as server:
        yield server


def test_fetches_over_http_with_a_token_and_keeps_none_of_it(
    history: History, server: GitServer, tmp_path: Path
) -> None:
    source = check_source(f"{server.address}/repo/.git", OPEN, token="ghs_secret")
    mirror = mirror_updates.fetch(source, tmp_path / "mirrors")
    assert mirror.resolve("main").commit == history.shas[-1]
    kept = b"".join(p.read_bytes() for p in mirror.directory.rglob("*") if p.is_file())
    assert b"ghs_secret" not in kept
    assert b"Basic" not in kept


def test_a_user_goes_along_where_the_server_wants_one(
    history: History, server: GitServer, tmp_path: Path
) -> None:
    server.token = "ada:s3cret"
    source = check_source(f"{server.address}/repo/.git", OPEN, token="ada:s3cret")
    mirror_updates.fetch(source, tmp_path / "mirrors")
    assert server.authorizations[0] == f"Basic {base64.b64encode(b'ada:s3cret').decode()}"


def test_without_the_token_the_server_refuses_and_nothing_asks(
    server: GitServer, tmp_path: Path
) -> None:
    with pytest.raises(AccessRefused, match="set an access token that may read it"):
        mirror_updates.fetch(
            check_source(f"{server.address}/repo/.git", OPEN), tmp_path / "mirrors"
        )


def test_a_token_that_is_refused_is_not_in_the_error(server: GitServer, tmp_path: Path) -> None:
    source = check_source(f"{server.address}/repo/.git", OPEN, token="ghs_expired")
    with pytest.raises(AccessRefused, match="refused the access token") as refused:
        mirror_updates.fetch(source, tmp_path / "mirrors")
    assert "ghs_expired" not in str(refused.value)


def test_a_server_that_sends_the_token_back_does_not_get_it_into_the_error(
    server: GitServer, tmp_path: Path
) -> None:
    source = check_source(f"{server.address}/echo/.git", OPEN, token="ghs_secret")
    with pytest.raises(git.CommandFailed, match="You sent Basic …") as failed:
        mirror_updates.fetch(source, tmp_path / "mirrors")
    sent = server.authorizations[0].removeprefix("Basic ")
    assert sent not in str(failed.value) + failed.value.stderr


def test_a_stopped_fetch_leaves_no_git_and_no_mirror(server: GitServer, tmp_path: Path) -> None:
    server.hold.set()

    def stop_when_reached() -> None:
        if server.reached.is_set():
            raise Stopped

    source = check_source(f"{server.address}/repo/.git", OPEN, token="ghs_secret")
    started = time.monotonic()
    with pytest.raises(Stopped):
        mirror_updates.fetch(source, tmp_path / "mirrors", stop_watch=stop_when_reached)
    assert time.monotonic() - started < 10
    assert not processes_with(server.address)
    assert [path.suffix for path in (tmp_path / "mirrors").iterdir()] == [".lock"]


def test_redirects_are_not_followed(server: GitServer, tmp_path: Path) -> None:
    source = check_source(f"{server.address}/moved/.git", OPEN, token="ghs_secret")
    with pytest.raises(git.CommandFailed):
        mirror_updates.fetch(source, tmp_path / "mirrors")
    assert not list((tmp_path / "mirrors").glob("*.git"))


def test_host_is_pinned_to_the_checked_address(
    history: History, server: GitServer, tmp_path: Path
) -> None:
    port = server.address.rpartition(":")[2]
    source = RemoteSource(
        f"http://rebound.invalid:{port}/repo/.git",
        "http",
        f"rebound.invalid:{port}:127.0.0.1",
        "ghs_secret",
    )
    mirror = mirror_updates.fetch(source, tmp_path / "mirrors")
    assert mirror.resolve("main").commit == history.shas[-1]


def sizes(directory: Path) -> dict[str, int]:
    """Every file below a mirror but the locks."""
    return {
        path.name: path.stat().st_size
        for path in directory.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }
