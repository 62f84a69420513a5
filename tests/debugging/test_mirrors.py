"""Mirrors hold what their source had, from allowed sources only, and name drift."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from debugging import git, mirrors
from debugging.mirrors import Mirror, SourceRefused, SourceRules, check_source, fetch_mirror
from tests.debugging.histories import FIRST_COMMIT, History


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
    return fetch_mirror(source, tmp_path / "mirrors", wanted=wanted)


def test_local_paths_need_a_root(history: History) -> None:
    with pytest.raises(SourceRefused, match="switched off"):
        check_source(str(history.directory), SourceRules())


def test_paths_outside_of_the_roots_are_refused(history: History, tmp_path: Path) -> None:
    outside = History(tmp_path / "outside")
    outside.commit("Secret", {"secret": "x"})
    link = history.directory.parent / "link"
    link.symlink_to(outside.directory)
    for path in (str(outside.directory), str(link), f"{history.directory}/../../outside"):
        with pytest.raises(SourceRefused, match="not under a root"):
            check_source(path, rules(history))


def test_repositories_that_reach_outside_are_refused(history: History, tmp_path: Path) -> None:
    outside = History(tmp_path / "outside")
    outside.commit("Secret", {"secret": "x"})
    borrower = History(history.directory.parent / "borrower")
    alternates = borrower.directory / ".git/objects/info/alternates"
    alternates.parent.mkdir(parents=True, exist_ok=True)
    alternates.write_text(f"{outside.directory}/.git/objects\n")
    with pytest.raises(SourceRefused, match="borrows"):
        check_source(str(borrower.directory), rules(history))
    linked = history.directory.parent / "linked"
    linked.mkdir()
    (linked / ".git").symlink_to(outside.directory / ".git")
    with pytest.raises(SourceRefused, match="outside of the allowed roots"):
        check_source(str(linked), rules(history))
    pointer = history.directory.parent / "pointer"
    pointer.mkdir()
    (pointer / ".git").write_text(f"gitdir: {outside.directory}/.git\n")
    with pytest.raises(SourceRefused, match="linked worktree"):
        check_source(str(pointer), rules(history))


def test_partial_clones_are_refused_because_reading_them_runs_programs(history: History) -> None:
    history.git("config", "remote.evil.promisor", "true")
    with pytest.raises(SourceRefused, match="partial clone"):
        check_source(str(history.directory), rules(history))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("ext::sh -c id", "ext::"),
        ("--upload-pack=id", "needs an https address"),
        ("ssh://git@github.com/a/b", "by https only"),
        ("git@github.com:a/b", "by https only"),
        ("file:///etc", "by https only"),
        ("http://example.com/a", "by https only"),
        ("https://user:pw@example.com/a", "token instead"),
        ("https://127.0.0.1/a", "not a public address"),
        ("https://localhost/a", "not a public address"),
        ("https://169.254.169.254/latest", "not a public address"),
        ("https://10.0.0.8/a", "not a public address"),
        ("https://[::1]/a", "not a public address"),
        ("https://[::ffff:10.0.0.8]/a", "not a public address"),
        ("https://[64:ff9b::a00:1]/a", "not a public address"),
        ("https://0/a", "not a public address"),
        ("https://2130706433/a", "not a public address"),
        ("https://example.com/a?x=1", "path of the repository"),
        ("https://example.com/a\nb", "needs an https address"),
        ("https://no-such-host.invalid/a", "was not found"),
    ],
)
def test_addresses_that_may_not_be_fetched_say_why(address: str, why: str) -> None:
    with pytest.raises(SourceRefused, match=why):
        check_source(address, SourceRules())


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


def test_resolving_names_what_was_used_and_why(history: History, tmp_path: Path) -> None:
    history.git("tag", "v1.2.0", history.shas[1])
    mirror = fetched(history, tmp_path)
    assert mirror.resolve(history.shas[2]).drift is None
    assert mirror.resolve(history.shas[2][:10]).commit == history.shas[2]
    assert mirror.resolve("v1.2.0").commit == history.shas[1]
    at = FIRST_COMMIT + timedelta(days=2, hours=3)
    missing = mirror.resolve("f" * 40, at=at)
    assert missing.commit == history.shas[2]
    assert missing.drift
    assert "last commit of main before the trace" in missing.drift
    branch = mirror.resolve("main", at=at)
    assert branch.commit == history.shas[2]
    assert branch.drift
    assert "moved on" in branch.drift
    assert mirror.resolve("main").commit == history.shas[-1]
    release = mirror.resolve(None, at=at, release="agent@1.2.0")
    assert release.commit == history.shas[1]
    assert release.drift
    assert "v1.2.0" in release.drift
    early = mirror.resolve("--upload-pack=id", at=FIRST_COMMIT - timedelta(days=9))
    assert early.commit == history.shas[-1]
    assert early.drift
    assert "newest commit" in early.drift


def test_an_empty_repository_is_said(tmp_path: Path) -> None:
    empty = History(tmp_path / "roots" / "empty")
    mirror = fetched(empty, tmp_path)
    with pytest.raises(mirrors.EmptyRepository, match="no commits"):
        mirror.resolve(None)


def test_a_too_large_repository_leaves_nothing(history: History, tmp_path: Path) -> None:
    history.commit("Large", {"blob": os.urandom(4_000_000)})
    source = check_source(str(history.directory), rules(history))
    with pytest.raises(mirrors.MirrorTooLarge, match="larger than"):
        fetch_mirror(source, tmp_path / "mirrors", size_limit_bytes=1_000_000)
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
    import fcntl

    mirror = fetched(history, tmp_path)
    with mirror.directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        source = check_source(str(history.directory), rules(history))
        with pytest.raises(mirrors.MirrorBusy, match="another process"):
            fetch_mirror(source, tmp_path / "mirrors", lock_timeout_seconds=0.2)


class _GitServer(BaseHTTPRequestHandler):
    """git's own HTTP server, behind a token; /moved redirects."""

    root = ""

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("content-length", 0))))

    def _serve(self, body: bytes) -> None:
        if self.path.startswith("/moved"):
            self.send_response(301)
            self.send_header("Location", self.path.replace("/moved", "/repo"))
            self.end_headers()
            return
        if not (self.headers.get("authorization") or "").startswith("Basic "):
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            capture_output=True,
            check=True,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": self.root,
                "PATH_INFO": path,
                "GIT_HTTP_EXPORT_ALL": "1",
                "QUERY_STRING": query,
                "REMOTE_USER": "ada",
                "REQUEST_METHOD": self.command,
                "CONTENT_LENGTH": str(len(body)),
                "CONTENT_TYPE": self.headers.get("content-type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
                "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            },
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().split("\r\n"):
            name, _, value = line.partition(": ")
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@pytest.fixture
def server(history: History) -> Iterator[str]:
    _GitServer.root = str(history.directory.parent)
    running = ThreadingHTTPServer(("127.0.0.1", 0), _GitServer)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


OPEN = SourceRules(allow_private_addresses=True, allow_http=True)


def test_fetches_over_http_with_a_token_and_keeps_none_of_it(
    history: History, server: str, tmp_path: Path
) -> None:
    source = check_source(f"{server}/repo/.git", OPEN, token="ghs_secret")
    mirror = fetch_mirror(source, tmp_path / "mirrors")
    assert mirror.resolve("main").commit == history.shas[-1]
    kept = b"".join(p.read_bytes() for p in mirror.directory.rglob("*") if p.is_file())
    assert b"ghs_secret" not in kept
    assert b"Basic" not in kept


def test_without_the_token_the_server_refuses_and_nothing_asks(server: str, tmp_path: Path) -> None:
    with pytest.raises(git.CommandFailed):
        fetch_mirror(check_source(f"{server}/repo/.git", OPEN), tmp_path / "mirrors")


def test_redirects_are_not_followed(server: str, tmp_path: Path) -> None:
    source = check_source(f"{server}/moved/.git", OPEN, token="ghs_secret")
    with pytest.raises(git.CommandFailed):
        fetch_mirror(source, tmp_path / "mirrors")
    assert not list((tmp_path / "mirrors").glob("*.git"))


def test_host_is_pinned_to_the_checked_address(
    history: History, server: str, tmp_path: Path
) -> None:
    port = server.rpartition(":")[2]
    source = mirrors.RemoteSource(
        f"http://rebound.invalid:{port}/repo/.git",
        "http",
        f"rebound.invalid:{port}:127.0.0.1",
        "ghs_secret",
    )
    mirror = fetch_mirror(source, tmp_path / "mirrors")
    assert mirror.resolve("main").commit == history.shas[-1]
