"""What waits together is committed together, and everybody gets an outcome of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

from traces.ingest.group_commit import GroupCommit
from traces.store.errors import Overloaded, StoreError, StoreUnavailable

Outcomes = list[str | BaseException]


class Commits:
    """Remembers its groups; the first waits until it is let go, so that others gather."""

    def __init__(self) -> None:
        self.groups: list[list[str]] = []
        self.go = threading.Event()

    def __call__(self, items: Sequence[str]) -> Sequence[str | StoreError]:
        self.groups.append(list(items))
        if len(self.groups) == 1:
            self.go.wait(5)
        if "bug" in items:
            raise KeyError("a bug")
        return [StoreUnavailable(item) if item.startswith("no") else item.upper() for item in items]


def run(
    items: Sequence[str],
    commits: Commits,
    *,
    size: Callable[[str], int] = lambda item: 1,
    max_size: int = 100,
    max_waiting: int = 100,
    at_once: int = 1,
    worth: int = 1,
    leaving: Sequence[int] = (),
) -> Outcomes:
    async def together() -> Outcomes:
        group = GroupCommit[str, str](
            commits,
            size,
            name="test",
            commits=at_once,
            max_size=max_size,
            max_waiting=max_waiting,
            worth=worth,
        )
        tasks = [asyncio.create_task(group.write(items[0]))]
        await asyncio.sleep(0.02)
        tasks += [asyncio.create_task(group.write(item)) for item in items[1:]]
        await asyncio.sleep(0.02)
        for number in leaving:
            tasks[number].cancel()
        commits.go.set()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    return asyncio.run(together())


def test_what_gathers_during_a_commit_is_the_next() -> None:
    commits = Commits()
    assert run(["a", "b", "c"], commits) == ["A", "B", "C"]
    assert commits.groups == [["a"], ["b", "c"]]


def test_what_comes_at_the_same_moment_is_one_group() -> None:
    """Requests that one stage answered together go into the next together."""
    commits = Commits()
    commits.go.set()

    async def at_once() -> None:
        group = GroupCommit[str, str](
            commits, name="test", commits=1, max_size=100, max_waiting=100
        )
        await asyncio.gather(*(group.write(item) for item in "abc"))

    asyncio.run(at_once())
    assert commits.groups == [["a", "b", "c"]]


def test_each_gets_its_own_outcome() -> None:
    outcomes = run(["a", "no", "c"], Commits())
    assert outcomes[::2] == ["A", "C"]
    assert isinstance(outcomes[1], StoreUnavailable)


def test_a_group_has_its_limit_and_the_queue_drains_in_order() -> None:
    commits = Commits()
    run(["a", "bb", "cc", "dddddd", "e"], commits, size=len, max_size=4)
    assert commits.groups == [["a"], ["bb", "cc"], ["dddddd"], ["e"]]


def test_more_than_may_wait_is_refused_and_not_taken() -> None:
    commits = Commits()
    outcomes = run(list("abcdef"), commits, max_waiting=2)
    assert [n for n, one in enumerate(outcomes) if isinstance(one, Overloaded)] == [3, 4, 5]
    assert commits.groups == [["a"], ["b", "c"]]


def test_one_that_is_larger_than_may_wait_is_taken_when_nothing_waits() -> None:
    assert run(["aaaaaaaa"], Commits(), size=len, max_size=2, max_waiting=4) == ["AAAAAAAA"]


def test_a_client_that_leaves_takes_nobody_with_it() -> None:
    outcomes = run(list("abcd"), Commits(), leaving=[0, 2])
    assert [isinstance(one, asyncio.CancelledError) for one in outcomes] == [
        True,
        False,
        True,
        False,
    ]
    assert outcomes[1::2] == ["B", "D"]


def test_after_a_rest_the_next_commit_takes_all_that_came_meanwhile() -> None:
    commits = Commits()
    commits.go.set()

    async def one_after_the_other() -> float:
        group = GroupCommit[str, str](
            commits,
            name="test",
            commits=1,
            max_size=100,
            max_waiting=100,
            rest=lambda size, items: 0.1 * size,
        )
        await group.write("a")
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(group.write(item) for item in "bcd"))
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(one_after_the_other()) >= 0.09
    assert commits.groups == [["a"], ["b", "c", "d"]]


def test_a_second_commit_begins_beside_the_first_once_enough_waits() -> None:
    commits = Commits()
    run(list("abcde"), commits, at_once=2, worth=3)
    assert commits.groups == [["a"], ["b", "c", "d", "e"]]


def test_a_failure_nobody_thought_of_is_an_error_for_its_group_only() -> None:
    outcomes = run(["a", "bug", "c"], Commits(), max_size=1)
    assert outcomes[::2] == ["A", "C"]
    assert isinstance(outcomes[1], StoreUnavailable)
