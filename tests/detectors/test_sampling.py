from __future__ import annotations

import hashlib
from uuid import UUID

from detectors.fingerprints import fingerprint
from detectors.sampling import is_sampled


def _trace(number: int) -> bytes:
    return hashlib.md5(str(number).encode(), usedforsecurity=False).digest()


def test_the_choice_is_always_the_same_and_its_share_is_the_rate() -> None:
    detector = UUID(int=1)
    first = [is_sampled(detector, _trace(n), 0.25) for n in range(4000)]
    assert first == [is_sampled(detector, _trace(n), 0.25) for n in range(4000)]
    assert 900 < sum(first) < 1100


def test_detectors_choose_independently() -> None:
    both = sum(
        is_sampled(UUID(int=1), _trace(n), 0.5) and is_sampled(UUID(int=2), _trace(n), 0.5)
        for n in range(2000)
    )
    assert 400 < both < 600


def test_all_and_none() -> None:
    assert is_sampled(UUID(int=1), _trace(1), 1.0)
    assert not is_sampled(UUID(int=1), _trace(1), 0.0)


def test_a_higher_rate_keeps_what_a_lower_one_chose() -> None:
    detector = UUID(int=3)
    for number in range(500):
        if is_sampled(detector, _trace(number), 0.1):
            assert is_sampled(detector, _trace(number), 0.4)


def test_failures_that_differ_in_numbers_ids_and_paths_are_one() -> None:
    first = fingerprint(
        "check", ["pay", "CardError", "order 4417 of ada@x.org in /srv/a/b.py not found"]
    )
    other = fingerprint(
        "check", ["pay", "CardError", "order 12 of bob@y.net in /opt/c.py/d.py not found"]
    )
    assert first == other
    assert fingerprint("check", ["pay", "CardError", "insufficient funds"]) != first
    assert (
        fingerprint("check", ["refund", "CardError", "order 1 of a@b.c in /x/y not found"]) != first
    )
