"""Where a repository may come from, and the sentence for each place where it may not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from debugging.origins import SourceRefused, SourceRules, check_source
from tests.debugging.histories import History


@pytest.fixture
def history(tmp_path: Path) -> History:
    made = History(tmp_path / "roots" / "repo")
    for number in range(4):
        made.commit(f"Commit {number}", {"a.py": f"x = {number}\n"})
    return made


def rules(history: History) -> SourceRules:
    return SourceRules(allowed_roots=(history.directory.parent,))


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
        ("git@github.com:a/b.git", r"(Use|would be) https://github.com/a/b.git(,| instead)"),
        ("github.com:a/b", r"(Use|would be) https://github.com/a/b(,| instead)"),
        ("github.com/a/b", r"(Use|would be) https://github.com/a/b(,| instead)"),
        ("git@gitserver:a/b", "by https only"),
        ("ssh://git@github.com:22/a/b", r"(Use|would be) https://github.com/a/b(,| instead)"),
        ("../../etc", "must begin with / and lie under a root"),
        ("agents/support", "must begin with / and lie under a root"),
        ("~/agent", "must begin with / and lie under a root"),
        ("C:/agents/support", "must begin with / and lie under a root"),
        ("file:///etc", "by https only"),
        ("http://example.com/a", "by https only"),
        ("https://user:pw@example.com/a", "token in its own field"),
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


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("http://127.0.0.1/x.git", "The host 127.0.0.1 points to 127.0.0.1, which is not a public"),
        ("ssh://git@[::1]/x.git", "which is not a public address"),
        ("http://localhost/x.git", "which is not a public address"),
        ("ssh://-oproxycommand=id/x.git", "no valid host name"),
        ("ssh://-oproxycommand/x.git", "no valid host name"),
        ("http://a_b!c/x.git", "no valid host name"),
        ("http://no-such-host.invalid/x", "would be https://no-such-host.invalid/x, but the host"),
        ("github.com/a/b?tab=readme", "must end with the path of the repository"),
    ],
)
def test_an_address_that_would_be_refused_too_is_not_suggested(address: str, why: str) -> None:
    with pytest.raises(SourceRefused, match=why) as refused:
        check_source(address, SourceRules())
    assert "https only" in str(refused.value)
    assert "Use https://" not in str(refused.value)


def test_an_address_is_suggested_where_the_operator_takes_it() -> None:
    mine = SourceRules(allow_private_addresses=True)
    for address, suggested in (
        ("http://127.0.0.1:8080/x.git", "https://127.0.0.1/x.git"),
        ("ssh://git@[::1]/x.git", "https://[::1]/x.git"),
    ):
        with pytest.raises(SourceRefused, match=re.escape(f"Use {suggested} instead.")):
            check_source(address, mine)
        assert check_source(suggested, mine).location == suggested
