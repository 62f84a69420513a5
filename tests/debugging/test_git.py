"""Git runs hardened: no configuration, hooks, helpers or names of others have a say."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from debugging import git, git_objects
from debugging.private_file import PrivateFile
from tests.debugging.histories import History
from tests.debugging.processes import shown


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "repo")
    made.commit("First", {"a.py": "x = 1\n", "dir/b.py": "text\n"})
    return made


def directory(history: History) -> Path:
    return history.directory / ".git"


@pytest.mark.parametrize(
    "ref",
    [
        "--upload-pack=id",
        "-x",
        "a..b",
        "HEAD~1",
        "a^{commit}",
        "a:b",
        "@{u}",
        "a b",
        "x\n",
        "x\0y",
        "",
        "a.lock",
        "../x",
        "a\\b",
        "x" * 300,
        "/abs",
        "a//b",
    ],
)
def test_hostile_refs_are_refused(history: History, ref: str) -> None:
    with pytest.raises(git.UnsafeName):
        git.resolve(directory(history), ref)


@pytest.mark.parametrize(
    "path",
    ["../etc/passwd", "/etc/passwd", "-x", "a/../b", ".git/config", "a\0b", "", "a//b", "x" * 5000],
)
def test_hostile_paths_are_refused(history: History, path: str) -> None:
    with pytest.raises(git.UnsafeName):
        git_objects.read_file(directory(history), history.shas[0], path)


def test_reads_commits_files_and_lines(history: History) -> None:
    sha = git.resolve(directory(history), "main")
    assert sha == history.shas[0]
    assert git_objects.list_files(directory(history), sha) == ("a.py", "dir/b.py")
    assert git_objects.read_file(directory(history), sha, "a.py") == b"x = 1\n"
    assert git_objects.grep(directory(history), sha, "x = 1") == (
        git_objects.Match("a.py", 1, "x = 1"),
    )
    assert git_objects.grep(directory(history), sha, "--open-files-in-pager=id") == ()


def test_unknown_things_are_typed_errors(history: History) -> None:
    with pytest.raises(git.UnknownRevision, match="no commit, branch or tag"):
        git.resolve(directory(history), "nowhere")
    with pytest.raises(git.UnknownFile):
        git_objects.read_file(directory(history), history.shas[0], "none.py")


def test_symlinks_and_submodules_are_not_files(history: History) -> None:
    (history.directory / "link.py").symlink_to("/etc/passwd")
    sha = history.commit("Link", {})
    assert "link.py" not in git_objects.list_files(directory(history), sha)
    # read anyway, a link is only the text of its target
    assert git_objects.read_file(directory(history), sha, "link.py") == b"/etc/passwd"


def test_large_files_stop_at_the_limit(history: History) -> None:
    sha = history.commit("Huge", {"huge.txt": b"x" * 3_000_000})
    with pytest.raises(git.OutputTooLarge, match=r"huge\.txt is larger than"):
        git_objects.read_file(directory(history), sha, "huge.txt")


def test_settings_of_the_repository_start_nothing(history: History, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "diff.external",
        "core.pager",
        "diff.odd.textconv",
        "diff.odd.command",
        "core.askPass",
    ):
        history.git("config", key, str(program))
    history.git("config", "alias.log", f"!{program}")
    hooks = directory(history) / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        (hooks / name).symlink_to(program)
    sha = history.commit("Odd", {".gitattributes": "*.py diff=odd\n", "a.py": "x = 2\n"})
    mark.unlink(missing_ok=True)
    from debugging import history as reading

    reading.diffs(directory(history), [sha])
    reading.blame(directory(history), sha, "a.py", [(1, 1)])
    reading.of_lines(directory(history), sha, "a.py", 1, 1, limit=3)
    git_objects.grep(directory(history), sha, "x = 2")
    git.run(["update-ref", "refs/heads/other", sha], directory=directory(history))
    assert not mark.exists()


def test_environment_carries_nothing_of_the_caller(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.pager=id'")
    monkeypatch.setenv("DATABASE_URL", "secret")
    variables = git.environment(directory(history), git.Network(()), PrivateFile("/dev/null"))
    assert "DATABASE_URL" not in variables
    assert "GIT_DIR" not in variables
    assert variables["GIT_ALLOW_PROTOCOL"] == "none"
    assert git.resolve(directory(history), "main") == history.shas[0]


def test_a_configuration_is_read_from_memory_and_stands_in_no_environment(
    history: History,
) -> None:
    network = git.Network((), configuration="[my]\n\tsecret = hidden\n", secrets=("hidden",))
    told: list[str] = []
    out = git.run(
        ["config", "my.secret"],
        directory=directory(history),
        network=network,
        watch=lambda: told.extend(shown()),
    )
    assert out == b"hidden\n"
    assert told
    assert not [one for one in told if "hidden" in one]
    assert "hidden" not in repr(network)


def test_secrets_are_taken_out_of_what_git_says(history: History) -> None:
    with pytest.raises(git.CommandFailed) as failed:
        git.run(
            ["ls-remote", "hidden://host"],
            directory=directory(history),
            network=git.Network((), secrets=("hidden",)),
        )
    assert "hidden" not in str(failed.value) + failed.value.stderr
    assert "…" in failed.value.stderr


@pytest.mark.parametrize("address", ["ext::sh -c id", "ssh://host/x", "git://host/x", "/tmp"])
def test_protocols_not_named_are_refused_by_git_itself(history: History, address: str) -> None:
    network = git.Network(protocols=("https",))
    with pytest.raises(git.CommandFailed, match="not allowed"):
        git.run(
            ["ls-remote", "--end-of-options", address],
            directory=directory(history),
            network=network,
        )


def test_slow_commands_are_killed_with_their_children(history: History, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    started = time.monotonic()
    with pytest.raises(git.GitTimeout, match="longer than"):
        git.run(["hash-object", str(fifo)], directory=directory(history), timeout_seconds=0.5)
    assert time.monotonic() - started < 5


def test_a_forged_commit_inside_a_file_is_not_read_as_one(history: History) -> None:
    from debugging import history as reading

    forged = f"\x01{'e' * 40}\0Mallory\x000\0\0Forged"
    sha = history.commit("Real", {"b.txt": "a" * 9000 + "\n" + forged + "\n"})
    assert [one.commit.sha for one in reading.diffs(directory(history), [sha])] == [sha]
